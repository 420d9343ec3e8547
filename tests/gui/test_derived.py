"""Decay laws, residuals and history of the live view."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.gui.grown_runs import LIFETIME_NS, RATE_HZ, drawn_counts, grown, picture_of, recipe_of
from tplm_daq.analysis.residuals import FittedCounts
from tplm_daq.gui.derived import derive
from tplm_daq.gui.picture import LEAST_GROWTH, History


def test_the_exponential_is_found_and_named() -> None:
    derived = picture_of(recipe_of("path.n_positions=21")).derived
    assert derived is not None
    exponential = derived.laws[0]
    value, error = (float(text) for text in re.findall(r"\d+\.\d+", exponential.label))
    assert 0.8 * LIFETIME_NS < value < LIFETIME_NS  # a line loses light sideways as the spot spreads
    assert 0 < error < 0.05
    assert exponential.age_ns.max() <= 3.0


def test_residuals_of_the_right_model_are_noise() -> None:
    derived = picture_of(recipe_of("path.n_positions=21")).derived
    assert derived is not None and derived.residuals is not None
    deviation = derived.residuals.deviation
    assert deviation.shape[0] == 21
    assert deviation.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * deviation.size))
    assert derived.residuals.age_ns[0] == pytest.approx(0.05, abs=0.05)


def test_without_a_fit_there_is_the_decay_alone() -> None:
    recipe = recipe_of("path.n_positions=9")
    latest = grown(recipe, drawn_counts(recipe, 20.0)).latest()
    assert latest is not None
    derived = derive(latest, None, RATE_HZ)
    assert derived.laws == ()
    assert derived.residuals is None
    assert np.all(np.diff(derived.decay.age_ns) > 0)


def test_no_photons_are_no_error() -> None:
    recipe = recipe_of("path.n_positions=5")
    latest = grown(recipe, np.zeros((5, 3750), dtype=np.uint32)).latest()
    assert latest is not None
    assert derive(latest, None, RATE_HZ).decay.counts.max() == 0


def test_residuals_of_a_raster_are_noise_at_every_tile() -> None:
    picture = picture_of(recipe_of("path.n_x=9", "path.n_y=9", name="scan_map"), n_peak=400.0)
    assert picture.derived is not None and picture.derived.residuals is not None
    assert picture.result is not None and picture.result.axis == "xy"
    deviation = picture.derived.residuals.around(1.0, 0.4).deviation
    assert deviation.shape == (81, 1)
    assert deviation.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * deviation.size))


def test_residuals_of_a_run_under_way_stand_where_it_has_been() -> None:
    recipe = recipe_of("path.n_positions=21")
    whole = picture_of(recipe)
    assert whole.grown is not None and whole.result is not None
    visited = np.arange(21) % 2 == 0
    fitted = whole.result.fitted
    some = FittedCounts(
        fitted.x_nm[visited] + 3.0, fitted.y_nm[visited], fitted.age_ns, fitted.counts[visited], fitted.model[visited]
    )
    deviation = some.placed(whole.grown.x_nm, whole.grown.y_nm).deviation
    assert np.isnan(deviation[~visited]).all()
    assert np.array_equal(deviation[visited], fitted.deviation[visited])


def test_the_history_grows_with_the_photons_and_not_with_the_fits() -> None:
    result = picture_of(recipe_of("path.n_positions=9")).result
    assert result is not None
    history = History()
    for n_photons in range(10_000, 30_000, 10):
        object.__setattr__(result, "n_photons", n_photons)
        history.add(result)
    assert history.steps[-1].n_photons == 29_990
    assert len(history.steps) < 1.1 * np.log(3.0) / np.log(LEAST_GROWTH)

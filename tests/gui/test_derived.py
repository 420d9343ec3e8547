"""Decay laws, residuals and history of the live view."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.gui.grown_runs import LIFETIME_NS, PIXEL_NM, RATE_HZ, drawn_counts, grown, picture_of, recipe_of
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
    derived = derive(latest, None, PIXEL_NM, RATE_HZ)
    assert derived.laws == ()
    assert derived.residuals is None
    assert np.all(np.diff(derived.decay.age_ns) > 0)


def test_no_photons_are_no_error() -> None:
    recipe = recipe_of("path.n_positions=5")
    latest = grown(recipe, np.zeros((5, 3750), dtype=np.uint32)).latest()
    assert latest is not None
    assert derive(latest, None, PIXEL_NM, RATE_HZ).decay.counts.max() == 0


def test_a_raster_has_no_residuals() -> None:
    picture = picture_of(recipe_of("path.n_x=9", "path.n_y=9", name="scan_map"), n_peak=100.0)
    assert picture.derived is not None
    assert picture.derived.residuals is None
    assert picture.result is not None and picture.result.axis == "xy"


def test_the_history_grows_with_the_photons_and_not_with_the_fits() -> None:
    result = picture_of(recipe_of("path.n_positions=9")).result
    assert result is not None
    history = History()
    for n_photons in range(10_000, 30_000, 10):
        object.__setattr__(result, "n_photons", n_photons)
        history.add(result)
    assert history.steps[-1].n_photons == 29_990
    assert len(history.steps) < 1.1 * np.log(3.0) / np.log(LEAST_GROWTH)

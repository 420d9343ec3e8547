"""What a fit leaves: noise where the model is right, structure where it is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.gui.grown_runs import picture_of, recipe_of
from tplm_daq.analysis.residuals import FittedCounts
from tplm_daq.analysis.result import Result


def result_of(method: str, *changes: str, name: str = "scan_line") -> Result:
    result = picture_of(recipe_of(f"analysis.method={method}", *changes, name=name), n_peak=100.0).result
    assert result is not None
    return result


@pytest.mark.parametrize("method", ["poisson", "lsq"])
def test_the_right_model_leaves_noise(method: str) -> None:
    deviation = result_of(method, "path.n_positions=21").fitted.deviation
    assert deviation.shape[0] == 21
    assert np.nanstd(deviation) == pytest.approx(1.0, abs=0.1)  # far from the spot there is less than a photon a bin
    assert abs(np.nanmean(deviation)) < 4 / np.sqrt(deviation.size)


@pytest.mark.parametrize(("method", "tolerance"), [("poisson", 1e-3), ("lsq", 0.02), ("paper", 0.02)])
def test_every_method_accounts_for_the_photons(method: str, tolerance: float) -> None:
    fitted = result_of(method, "path.n_positions=21").fitted
    known = np.isfinite(fitted.model)
    assert fitted.counts[known].sum() == pytest.approx(fitted.model[known].sum(), rel=tolerance)


def test_a_raster_has_a_deviation_at_every_tile() -> None:
    fitted = result_of("poisson", "path.n_x=9", "path.n_y=9", name="scan_map").fitted
    summed = fitted.around(1.5, 3.0)
    assert summed.deviation.shape == (81, 1)
    assert summed.deviation.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * 81))


def test_a_wrong_width_shows_as_structure() -> None:
    fitted = result_of("poisson", "path.n_positions=21").fitted
    centre_nm = float(np.average(fitted.x_nm, weights=fitted.model.sum(axis=1)))
    narrower = np.exp(-0.5 * ((fitted.x_nm - centre_nm) / 350.0) ** 2)[:, None]
    deviation = replace(fitted, model=fitted.model * narrower / narrower.mean()).deviation
    assert deviation.std() > 2.0
    assert deviation[10].mean() < 0 < deviation[2].mean()


def test_nothing_is_said_where_nothing_was_expected() -> None:
    counts, model = np.ones((1, 3)), np.array([[1.0, 0.0, np.nan]])
    deviation = FittedCounts(np.zeros(1), np.zeros(1), np.arange(3.0), counts, model).deviation
    assert deviation[0, 0] == 0.0
    assert np.isnan(deviation[0, 1:]).all()


def test_an_age_outside_the_window_is_answered_by_the_nearest_bin() -> None:
    ages_ns = np.array([0.0, 0.1, 0.2])
    fitted = FittedCounts(np.zeros(1), np.zeros(1), ages_ns, np.array([[1.0, 2.0, 4.0]]), np.ones((1, 3)))
    assert fitted.around(7.0, 0.1).counts == np.array([[4.0]])
    assert fitted.around(0.1, 0.5).counts == np.array([[7.0]])

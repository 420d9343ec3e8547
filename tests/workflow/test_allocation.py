"""What a planner is told of the points so far, and how it shares time among positions by that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import tplm_daq.workflow.allocation as allocation
from tests.analysis.synthetic import Scene, as_map, drawn, expected_counts
from tplm_daq.analysis.design import PlannedScan
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.workflow.allocation import Estimate, GivenShares, OptimalShares, estimate_of

SCENE = Scene(diffusivity_cm2_s=0.05, bin_width_ns=0.05, span_ns=12.0, centre_nm=130.0, dwell_s=2.0)
LINE_NM = np.linspace(-1000.0, 1000.0, 41)
LINE = PlannedScan(LINE_NM, np.ones(41), (101.0, 101.0), sigma0_nm=999.0, peak_cps=1.0)
SPOT = Estimate(0.05, 0.005, centre_nm=130.0, sigma0_nm=250.0, peak_cps=20e3)


@pytest.mark.parametrize("axis", ["x", "y"])
def test_the_estimate_is_that_of_the_analysis_with_the_rate_at_the_centre(axis: str) -> None:
    data = drawn(replace(SCENE, axis=axis), seed=1)
    estimate, result = estimate_of(data, AnalysisRecipe()), analyse(data, AnalysisRecipe())
    assert estimate is not None
    assert estimate.diffusivity_cm2_s == result.diffusivity_cm2_s
    assert estimate.relative_error == result.standard_error_cm2_s / result.diffusivity_cm2_s
    assert (estimate.centre_nm, estimate.sigma0_nm) == (result.centre_nm, result.sigma0_nm)
    nearest = expected_counts(SCENE)[np.argmin(np.abs(LINE_NM - SCENE.centre_nm))].sum()
    assert estimate.peak_cps == pytest.approx(nearest / SCENE.dwell_s, abs=4 * np.sqrt(nearest) / SCENE.dwell_s)


def test_the_rate_on_a_map_is_that_next_to_both_coordinates_of_the_centre() -> None:
    rows_nm = np.arange(-600.0, 601.0, 150.0)
    rows = [expected_counts(replace(SCENE, off_axis_nm=float(y_nm), position_nm=LINE_NM[::3])) for y_nm in rows_nm]
    x_nm, y_nm = np.tile(LINE_NM[::3], len(rows)), np.repeat(rows_nm, len(rows[0]))
    scene = replace(SCENE, position_nm=x_nm)
    dwell_s = np.linspace(1.0, 3.0, len(x_nm))
    counts = np.concatenate(rows) * (dwell_s / SCENE.dwell_s)[:, None]
    data = as_map(scene, np.round(counts).astype(np.uint32), x_nm=x_nm, y_nm=y_nm, dwell_s=dwell_s)
    estimate = estimate_of(data, AnalysisRecipe())
    assert estimate is not None
    nearest = np.argmin(np.hypot(x_nm - 130.0, y_nm))
    assert estimate.peak_cps == pytest.approx(counts[nearest].sum() / dwell_s[nearest], rel=1e-3)


def test_points_that_do_not_determine_d_give_no_estimate() -> None:
    data = drawn(SCENE, seed=1)
    few = replace(data, counts=data.counts[:3], x_nm=data.x_nm[:3], y_nm=data.y_nm[:3], dwell_s=data.dwell_s[:3])
    assert estimate_of(few, AnalysisRecipe()) is None
    assert estimate_of(replace(data, counts=np.zeros_like(data.counts)), AnalysisRecipe()) is None


def test_a_spot_that_seems_to_shrink_is_not_known_at_all() -> None:
    assert replace(SPOT, diffusivity_cm2_s=-0.01).relative_error == np.inf
    assert replace(SPOT, diffusivity_cm2_s=0.0).relative_error == np.inf


def test_given_shares_stay_as_they_are() -> None:
    given = GivenShares(np.array([0.2, 0.8]))
    assert given.shares(None) is given.shares(SPOT)
    assert given.gain(SPOT, np.ones(2)) == 1.0


def test_optimal_shares_are_even_until_something_is_known() -> None:
    np.testing.assert_array_equal(OptimalShares(LINE, LINE_NM).shares(None), np.full(41, 1 / 41))


def test_optimal_shares_follow_the_spot_and_leave_a_quarter_to_all() -> None:
    shares = OptimalShares(LINE, LINE_NM).shares(SPOT)
    assert shares.sum() == pytest.approx(1.0)
    assert shares.min() == pytest.approx(0.25 / 41, rel=0.01)
    centre = np.abs(LINE_NM - 130.0) < 60
    left, right = (np.abs(LINE_NM - 130.0 - side * 2.5 * 250.0) < 110 for side in (-1, 1))
    assert shares[centre].sum() == pytest.approx(0.75 * 0.22, abs=0.05)
    assert shares[left].sum() == pytest.approx(0.75 * 0.39, abs=0.06)
    assert shares[right].sum() == pytest.approx(0.75 * 0.39, abs=0.06)


def test_the_gain_is_what_the_other_shares_are_worth() -> None:
    optimal = OptimalShares(LINE, LINE_NM)
    assert optimal.gain(SPOT, np.full(41, 0.3)) == pytest.approx(1.6, abs=0.15)
    assert optimal.gain(SPOT, 12.0 * optimal.shares(SPOT)) == pytest.approx(1.0)
    every_other = np.where(np.arange(41) % 2, 0.0, 0.6)
    assert optimal.gain(SPOT, every_other) == pytest.approx(optimal.gain(SPOT, np.full(41, 0.3)), rel=0.03)


def test_shares_are_worked_out_once_for_one_spot(monkeypatch: pytest.MonkeyPatch) -> None:
    optimal = OptimalShares(LINE, LINE_NM)
    first = optimal.shares(SPOT)
    monkeypatch.setattr(allocation, "optimal_shares", lambda *_: pytest.fail("worked out again"))
    assert optimal.shares(replace(SPOT, standard_error_cm2_s=0.001)) is first
    with pytest.raises(pytest.fail.Exception, match="worked out again"):
        optimal.shares(replace(SPOT, centre_nm=0.0))


@pytest.mark.parametrize(
    "change",
    [
        {"diffusivity_cm2_s": -0.2},
        {"diffusivity_cm2_s": 0.0},
        {"diffusivity_cm2_s": 5.0},
        {"centre_nm": 5000.0},
        {"sigma0_nm": 1.0},
        {"sigma0_nm": 1e5},
        {"peak_cps": 0.0},
    ],
    ids=str,
)
def test_shares_and_gain_are_found_for_any_estimate(change: dict[str, float]) -> None:
    estimate, optimal = replace(SPOT, **change), OptimalShares(LINE, LINE_NM)
    shares = optimal.shares(estimate)
    assert shares.sum() == pytest.approx(1.0)
    assert np.all(shares > 0)
    assert 0.0 < optimal.gain(estimate, np.full(41, 0.3)) < 100.0

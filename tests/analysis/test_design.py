"""The predicted precision against published numbers, against what the analysis reports, and against repeated scans."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.synthetic import Scene, as_map, expected_counts
from tplm_daq.analysis.design import PlannedScan, expected_scan, expected_standard_error, wrapped_ratio
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.errors import FitError
from tplm_daq.recipes.analysis import AnalysisRecipe

LINE_NM = np.linspace(-1000.0, 1000.0, 41)
PLAN = PlannedScan(LINE_NM, np.full(41, 20.0), (101.0, 101.0), sigma0_nm=250.3, peak_cps=20e3)


def relative_error(plan, diffusivity_cm2_s):
    return expected_standard_error(plan, diffusivity_cm2_s) / diffusivity_cm2_s


@pytest.mark.parametrize(("diffusivity_cm2_s", "bound"), [(0.01, 0.027), (0.05, 0.0063), (0.15, 0.0028)])
def test_the_bound_of_an_independent_calculation_is_found_again(diffusivity_cm2_s, bound):
    """That one had a spot of 212 nm and between 2.4 and 3.6 million photons in the window, where the plan has more."""
    assert relative_error(replace(PLAN, sigma0_nm=212.0), diffusivity_cm2_s) == pytest.approx(bound, rel=0.1)


@pytest.mark.parametrize("peak_cps", [20e3, 1e3])
@pytest.mark.parametrize("diffusivity_cm2_s", [0.01, 0.05, 0.15])
def test_the_analysis_reports_the_error_that_was_predicted(diffusivity_cm2_s, peak_cps):
    scene = Scene(diffusivity_cm2_s=diffusivity_cm2_s, peak_cps=peak_cps)
    result = analyse(as_map(scene, expected_counts(scene)), AnalysisRecipe())
    predicted_cm2_s = expected_standard_error(replace(PLAN, peak_cps=peak_cps), diffusivity_cm2_s)
    assert predicted_cm2_s == pytest.approx(result.standard_error_cm2_s, rel=0.04)


def test_the_parameters_of_the_plan_make_its_likelihood_greatest():
    likelihood, truth = expected_scan(PLAN, 0.05)
    here = likelihood.evaluate(truth)
    scale = np.sqrt(np.diag(here.information))
    assert np.all(np.abs(here.gradient / scale) < 1e-5)


def test_the_counts_of_the_plan_are_those_of_an_independent_generator():
    scene = Scene(diffusivity_cm2_s=0.05, dead_time_ns=None)
    delay_ns = (np.arange(scene.n_bins) + 0.5) * scene.bin_width_ns - scene.t0_ns
    generated = expected_counts(scene)[:, (delay_ns > -0.04) & (delay_ns < 3.0)].sum(axis=1)
    likelihood, _ = expected_scan(PLAN, 0.05)
    np.testing.assert_allclose(likelihood.counts[:, :-1].sum(axis=1), generated, rtol=0.03)


def test_the_error_falls_with_the_root_of_dwell_and_rate():
    plan = replace(PLAN, dark_cps=0.0)
    reference = relative_error(plan, 0.05)
    assert relative_error(replace(plan, dwell_s=4 * plan.dwell_s), 0.05) == pytest.approx(reference / 2, rel=1e-6)
    assert relative_error(replace(plan, peak_cps=4 * plan.peak_cps), 0.05) == pytest.approx(reference / 2, rel=1e-6)


def test_the_number_of_positions_hardly_matters_at_equal_total_dwell():
    few = replace(PLAN, position_nm=np.linspace(-1000.0, 1000.0, 21), dwell_s=np.full(21, 20.0 * 41 / 21))
    assert relative_error(few, 0.05) == pytest.approx(relative_error(PLAN, 0.05), rel=0.05)


def test_background_and_a_narrow_path_cost_precision():
    reference = relative_error(PLAN, 0.01)
    assert relative_error(replace(PLAN, dark_cps=20e3), 0.01) > 1.1 * reference
    assert relative_error(replace(PLAN, position_nm=0.3 * LINE_NM), 0.01) > 1.5 * reference


def test_time_at_the_flanks_is_worth_more_than_equal_dwell():
    flanks_nm = 2.6 * PLAN.sigma0_nm
    weight = np.where(np.abs(LINE_NM) < 60, 1.0, np.where(np.abs(np.abs(LINE_NM) - flanks_nm) < 60, 1.8, 0.25))
    optimal = replace(PLAN, dwell_s=weight / weight.sum() * PLAN.dwell_s.sum())
    assert relative_error(optimal, 0.01) < 0.9 * relative_error(PLAN, 0.01)


def test_a_single_position_does_not_determine_a_spot():
    plan = replace(PLAN, position_nm=np.array([0.0]), dwell_s=np.array([20.0]))
    with pytest.raises(FitError, match=r"cannot be told apart|no information"):
        expected_standard_error(plan, 0.05)


def test_light_of_earlier_pulses_grows_with_the_repetition_rate() -> None:
    slow, fast = (wrapped_ratio(replace(PLAN, repetition_rate_hz=rate_hz), 0.05) for rate_hz in (2.5e6, 40e6))
    assert 1e-5 < slow < 1e-3
    assert 20 * slow < fast < 0.05

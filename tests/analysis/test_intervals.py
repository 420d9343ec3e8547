"""The three intervals against each other, and against the truth where they differ."""

import time
from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.synthetic import Scene, drawn, expected_counts
from tplm_daq.analysis.binning import bin_for_fit
from tplm_daq.analysis.checks import checked_scan
from tplm_daq.analysis.diffusion import fit_diffusion
from tplm_daq.analysis.fitting import maximise
from tplm_daq.analysis.intervals import bootstrap_interval, fisher_interval, profile_interval
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.analysis.shapes import Parameter
from tplm_daq.recipes.analysis import AnalysisRecipe

BRIGHT = Scene(bin_width_ns=0.05, span_ns=12.0, dead_time_ns=None)


def fitted(scene, seed=3, bin_width_ns=0.05):
    return fit_diffusion(bin_for_fit(checked_scan(drawn(scene, seed)), window_ns=3.0, bin_width_ns=bin_width_ns))


def test_with_many_photons_all_three_agree():
    fit = fitted(BRIGHT, bin_width_ns=0.15)
    error = fit.error(Parameter.DIFFUSIVITY)
    expected = fisher_interval(fit)
    assert profile_interval(fit) == pytest.approx(expected, abs=0.02 * error)
    # the 97.5 % quantile of 1000 draws has a standard deviation of 0.083 standard errors
    assert bootstrap_interval(fit, 1000, seed=1) == pytest.approx(expected, abs=4 * 0.083 * error)


def test_with_few_photons_the_profile_falls_by_half_of_1_96_squared_at_its_ends():
    fit = fitted(replace(BRIGHT, peak_cps=100.0))
    likelihood = fit.problem.likelihood
    for end in profile_interval(fit):
        held = replace(fit.problem, start=fit.parameters.copy(), free=fit.problem.free.copy())
        held.start[Parameter.DIFFUSIVITY], held.free[Parameter.DIFFUSIVITY] = end, False
        best = maximise(likelihood.evaluate, held.start, held.lower, held.upper, held.free, "profile")
        fall = fit.log_likelihood - likelihood.evaluate(best.parameters).log_likelihood
        assert fall == pytest.approx(0.5 * 1.96**2, rel=0.02)


def test_the_bootstrap_is_seeded():
    fit = fitted(BRIGHT)
    first = bootstrap_interval(fit, 60, seed=1)
    assert bootstrap_interval(fit, 60, seed=1) == first
    assert bootstrap_interval(fit, 60, seed=2) != first


@pytest.mark.parametrize("interval", ["fisher", "profile", "bootstrap"])
def test_the_recipe_chooses_the_interval(interval):
    result = analyse(drawn(BRIGHT, 4), AnalysisRecipe(interval=interval))
    assert result.interval == interval
    half = 0.5 * (result.ci95_cm2_s[1] - result.ci95_cm2_s[0])
    assert half == pytest.approx(1.96 * result.standard_error_cm2_s, rel=0.3)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("interval", ["fisher", "profile", "bootstrap"])
def test_each_interval_covers_the_truth_of_dim_scans(interval):
    scene = replace(BRIGHT, peak_cps=300.0)
    expected, n, inside, began = expected_counts(scene), 400, 0, time.perf_counter()
    for seed in range(n):
        low, high = analyse(drawn(scene, seed, expected), AnalysisRecipe(interval=interval)).ci95_cm2_s
        inside += low < scene.diffusivity_cm2_s < high
    print(f"\n  {interval}: covers {100 * inside / n:.1f} % of {n} in {time.perf_counter() - began:.0f} s")
    assert abs(inside / n - 0.95) < 4 * np.sqrt(0.95 * 0.05 / n)

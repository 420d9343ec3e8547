"""Light that differs from position to position beyond the counting noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.synthetic import Scene, as_map, expected_counts
from tplm_daq.analysis.binning import bin_for_fit
from tplm_daq.analysis.checks import checked_scan
from tplm_daq.analysis.diffusion import fit_diffusion
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.analysis.shape_fits import fit_convolution
from tplm_daq.analysis.shapes import Parameter
from tplm_daq.recipes.analysis import AnalysisRecipe

SCENE = Scene(diffusivity_cm2_s=0.15, peak_cps=60e3, dead_time_ns=None, bin_width_ns=0.1, span_ns=15.0)
EXPECTED = expected_counts(SCENE)


def scan(seed, spread=0.01):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(EXPECTED * (1 + spread * rng.normal(size=(41, 1))))
    return as_map(SCENE, counts, dead_time_ns=1e-6)


def binned(seed, gain_spread, spread=0.01):
    return replace(bin_for_fit(checked_scan(scan(seed, spread)), 3.0, 0.1), gain_spread=gain_spread)


def test_gradient_is_that_of_the_likelihood():
    fit = fit_diffusion(binned(0, 0.01))
    likelihood, at = fit.problem.likelihood, fit.parameters.copy()
    at[6:] += 0.003 * np.random.default_rng(1).normal(size=41)
    at[Parameter.DIFFUSIVITY] *= 1.01
    gradient = likelihood.evaluate(at).gradient
    for place in (0, 1, 2, 6, 20, 46):
        step = np.zeros(len(at))
        step[place] = 1e-4 * abs(at[place]) if place < 6 else 1e-6
        change = likelihood.evaluate(at + step).log_likelihood - likelihood.evaluate(at - step).log_likelihood
        assert gradient[place] == pytest.approx(change / (2 * step[place]), rel=1e-4, abs=1e-4)


def test_known_gains_change_nothing_and_unknown_ones_cost_precision():
    none, tight, loose = (fit_diffusion(binned(1, spread)) for spread in (0.0, 1e-6, 0.01))
    diffusivity = int(Parameter.DIFFUSIVITY)
    assert tight.value(diffusivity) == pytest.approx(none.value(diffusivity), rel=1e-5)
    assert tight.error(diffusivity) == pytest.approx(none.error(diffusivity), rel=1e-4)
    assert 1.3 < loose.error(diffusivity) / none.error(diffusivity) < 1.7
    assert none.gain.shape == loose.gain.shape == (41, 1)
    assert loose.gain.std() == pytest.approx(0.01, rel=0.35)


def test_one_percent_of_unknown_gain_is_covered_by_the_interval_and_explains_the_misfit():
    """At 60 kcps a shot-noise interval alone would be too short by a factor of 1.7."""
    for_gains, without = AnalysisRecipe(method="poisson", gain_spread="1 %"), AnalysisRecipe(method="poisson")
    results = [analyse(scan(seed), for_gains) for seed in range(25)]
    z = np.array([(each.diffusivity_cm2_s - 0.15) / each.standard_error_cm2_s for each in results])
    assert abs(z.mean()) < 4 / np.sqrt(25)
    assert abs(z.std(ddof=1) - 1) < 4 / np.sqrt(2 * 25)
    assert (results[0].bias_lamp, analyse(scan(0), without).bias_lamp) == ("green", "red")
    assert "gain of each position (known to 1 %)" in results[0].corrections
    assert results[0].deviance_per_dof == pytest.approx(1.0, abs=0.1)


def test_a_spot_of_any_shape_has_gains_too():
    data = binned(2, 0.01)
    fit = fit_convolution(data, fit_diffusion(data))
    diffusivity = int(Parameter.DIFFUSIVITY)
    assert abs(fit.value(diffusivity) - 15000) < 4 * fit.error(diffusivity)
    assert len(fit.parameters) == fit.shape.n_parameters + 41


def test_intervals_by_profile_and_by_bootstrap_know_of_the_gains():
    widths = []
    for interval in ("fisher", "profile", "bootstrap"):
        recipe = AnalysisRecipe(method="poisson", gain_spread="1 %", interval=interval, n_bootstrap=50)
        low, high = analyse(scan(3), recipe).ci95_cm2_s
        widths.append(high - low)
    assert widths[1] == pytest.approx(widths[0], rel=0.05)
    assert widths[2] < 1.4 * widths[0]

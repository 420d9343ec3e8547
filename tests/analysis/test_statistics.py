"""Campaigns over thousands of drawn scans: efficiency, coverage and bias of every method, and what corrections do.

``pytest -m slow -s tests/analysis/test_statistics.py`` prints the tables. The number of repeats of the default method
is 4000, of the others a quarter; the environment variable TPLM_REPEATS changes it.
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.synthetic import Scene, drawn, expected_counts
from tests.analysis.test_choice import Halo
from tests.analysis.test_diffusion import cramer_rao_bound
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.errors import FitError
from tplm_daq.recipes.analysis import AnalysisRecipe, Corrections

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

N = int(os.environ.get("TPLM_REPEATS", "4000"))
N_OTHERS = max(N // 4, 20)
DIFFUSIVITIES = (0.01, 0.05, 0.15)
RATES_CPS = (1e3, 5e3, 20e3)
PLAIN = Scene(dead_time_ns=None, has_wrapped_tail=False, bin_width_ns=0.05, span_ns=12.0, sigma0_nm=212.0)
FINE = replace(PLAIN, bin_width_ns=0.008, span_ns=9.0)
"""Bins as narrow as those of the counter, for the method that fits each of them."""

METHODS = {
    "paper, first bin": AnalysisRecipe(method="paper", paper_sigma0="first_bin"),
    "paper, first 100 ps": AnalysisRecipe(method="paper"),
    "lsq": AnalysisRecipe(method="lsq"),
    "convolution": AnalysisRecipe(method="convolution"),
    "poisson": AnalysisRecipe(method="poisson"),
    "auto": AnalysisRecipe(),
}


def campaign(scene, recipe, n, first_seed=0):
    """Estimates of n drawn scans, and whether their intervals hold the truth."""
    expected, found, inside = expected_counts(scene), [], []
    for seed in range(first_seed, first_seed + n):
        try:
            result = analyse(drawn(scene, seed, expected), recipe)
        except FitError:
            continue
        found.append(result.diffusivity_cm2_s)
        inside.append(result.ci95_cm2_s[0] < scene.diffusivity_cm2_s < result.ci95_cm2_s[1])
    return np.array(found), np.array(inside)


@pytest.mark.parametrize("peak_cps", RATES_CPS)
@pytest.mark.parametrize("diffusivity_cm2_s", DIFFUSIVITIES)
def test_the_default_is_efficient_calibrated_and_not_biased(diffusivity_cm2_s, peak_cps):
    scene = replace(PLAIN, diffusivity_cm2_s=diffusivity_cm2_s, peak_cps=peak_cps)
    found, inside = campaign(scene, AnalysisRecipe(), N)
    bound = cramer_rao_bound(scene)
    n = len(found)
    efficiency, coverage = (bound / found.std(ddof=1)) ** 2, inside.mean()
    bias = (found.mean() - diffusivity_cm2_s) / bound
    print(
        f"\n  D {diffusivity_cm2_s} cm2/s, {peak_cps / 1e3:g} kcps, {n} scans: efficiency {efficiency:.3f}, "
        f"coverage {100 * coverage:.1f} %, bias {bias:+.3f} SD, bound {100 * bound / diffusivity_cm2_s:.2f} %"
    )
    assert n == N
    # four standard errors of a variance ratio, of a share and of a mean, beyond what is asked
    assert efficiency > 0.93 - 4 * np.sqrt(2 / n)
    assert abs(coverage - 0.95) < 0.02 + 4 * np.sqrt(0.95 * 0.05 / n)
    assert abs(bias) < 0.2 + 4 / np.sqrt(n)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_its_known_efficiency_and_coverage(method):
    """The order is the point: the method of the paper wastes most photons and promises far too much."""
    efficiencies, coverages = [], []
    for diffusivity_cm2_s in DIFFUSIVITIES:
        scene = replace(FINE if "paper" in method else PLAIN, diffusivity_cm2_s=diffusivity_cm2_s)
        found, inside = campaign(scene, METHODS[method], N_OTHERS)
        bound = cramer_rao_bound(replace(PLAIN, diffusivity_cm2_s=diffusivity_cm2_s))
        efficiencies.append((bound / found.std(ddof=1)) ** 2)
        coverages.append(inside.mean())
    values = " / ".join(f"{value:.3f}" for value in efficiencies)
    print(f"\n  {method:20s} efficiency {values}, coverage " + " / ".join(f"{100 * c:.0f} %" for c in coverages))
    if "paper" in method:
        assert max(efficiencies) < 0.6
        assert max(coverages) < 0.6
    else:
        assert min(efficiencies) > (0.1 if method == "lsq" else 0.75)
        assert min(coverages) > (0.8 if method == "lsq" else 0.9)


UNCORRECTED = {
    "dead_time": replace(PLAIN, dead_time_ns=95.0, peak_cps=125e3, dwell_s=3.2),
    "wrap_around": replace(PLAIN, has_wrapped_tail=True, repetition_rate_hz=4e7),
    "background_prior": replace(PLAIN, has_wrapped_tail=True, repetition_rate_hz=4e7),
    "response": replace(PLAIN, response_fwhm_ns=0.3),
}


def biases(scene, recipe):
    """Relative bias in percent for each diffusivity, of scans a thousand times as long, so that noise is small."""
    found = []
    for diffusivity_cm2_s in DIFFUSIVITIES:
        changes = {"diffusivity_cm2_s": diffusivity_cm2_s, "dwell_s": 1e3 * scene.dwell_s}
        result = analyse(drawn(type(scene)(**{**vars(scene), **changes}), 0), recipe)
        found.append(100 * (result.diffusivity_cm2_s / diffusivity_cm2_s - 1))
    return np.array(found)


@pytest.mark.parametrize("name", UNCORRECTED)
def test_corrections_remove_the_bias(name):
    scene = UNCORRECTED[name]
    off = AnalysisRecipe(method="poisson", corrections=Corrections(**{name: False}))
    without, corrected = biases(scene, off), biases(scene, AnalysisRecipe(method="poisson"))
    print(f"\n  {name:18s} bias of D in %: without {np.round(without, 2)}, with {np.round(corrected, 2)}")
    assert np.all(np.abs(corrected) < (2.0 if scene.has_wrapped_tail else 0.6))
    assert np.all(np.abs(without) > np.abs(corrected))


def test_a_halo_biases_one_gaussian_and_not_two():
    scene = Halo(**vars(PLAIN))
    one, auto = biases(scene, AnalysisRecipe(method="poisson")), biases(scene, AnalysisRecipe())
    print(f"\n  {'halo':18s} bias of D in %: one Gaussian {np.round(one, 2)}, auto {np.round(auto, 2)}")
    assert np.all(one > 5)
    assert np.all(np.abs(auto) < 1)

"""Figures of merit on data whose figures are known; tolerances are their own intervals."""

import numpy as np
import pytest

from tests.analysis.synthetic import Scene, drawn, expected_counts
from tplm_daq.analysis.merit import change_within_window, contrast_to_noise, decay_break, spreading_exponent
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.analysis.result import MsdCurve, Profile
from tplm_daq.recipes.analysis import AnalysisRecipe

AGE_NS = np.linspace(0.05, 3.0, 60)
ERROR_NM2 = np.full(60, 150.0)


def curve(msd_nm2, seed=0):
    noise = np.random.default_rng(seed).normal(0.0, ERROR_NM2)
    return MsdCurve(AGE_NS, msd_nm2 + noise, ERROR_NM2, msd_nm2)


@pytest.mark.parametrize("exponent", [0.6, 1.0])
def test_the_exponent_of_the_spreading_covers_the_truth(exponent):
    inside = 0
    for seed in range(100):
        figure = spreading_exponent(curve(1.5e4 * AGE_NS**exponent, seed))
        inside += figure.ci95[0] < exponent < figure.ci95[1]
    assert inside >= 95 - 4 * np.sqrt(100 * 0.95 * 0.05)


def test_no_spreading_has_no_exponent():
    assert spreading_exponent(curve(np.zeros(60))) is None


def test_a_constant_diffusivity_shows_no_change_and_a_bent_one_does():
    significance = [change_within_window(curve(1e4 * AGE_NS, seed))[1] for seed in range(200)]
    assert abs(np.mean(significance)) < 4 / np.sqrt(200)
    assert abs(np.std(significance) - 1) < 4 / np.sqrt(400)
    figure, falls = change_within_window(curve(1e4 * np.minimum(AGE_NS, 1.525)))
    assert falls < -10
    assert figure.ci95[0] < -5e3 < figure.ci95[1]


def test_the_break_between_exponential_and_power_law_is_found():
    delay_ns = (np.arange(1000) + 0.5) * 0.02 - 2.0
    found = []
    for seed in range(20):
        light = np.where(delay_ns > 0, np.exp(-np.clip(delay_ns, 0, 4.0) / 1.0), 0.0)
        light *= (np.maximum(delay_ns, 4.0) / 4.0) ** -1.6
        counts = np.random.default_rng(seed).poisson(2e4 * light + 5.0).astype(float)
        found.append(decay_break(delay_ns, counts, 5.0, np.ones(len(counts))))
    assert np.mean([figure.value for figure in found]) == pytest.approx(4.0, abs=0.15)
    assert sum(figure.ci95[0] <= 4.0 <= figure.ci95[1] for figure in found) >= 15


def test_an_exponential_has_no_break():
    delay_ns = (np.arange(700) + 0.5) * 0.02 - 2.0
    light = np.where(delay_ns > 0, np.exp(-np.maximum(delay_ns, 0.0) / 3.0), 0.0)
    counts = np.random.default_rng(1).poisson(2e4 * light + 5.0).astype(float)
    assert decay_break(delay_ns, counts, 5.0, np.ones(len(counts))) is None


def test_contrast_to_noise_grows_with_the_root_of_the_counts():
    x_nm = np.linspace(-1000.0, 1000.0, 41)
    ratios = []
    for peak in (100.0, 1e4):
        model = peak * np.exp(-(x_nm**2) / (2 * 250.0**2)) + 0.05 * peak
        seeds = range(30)
        noisy = [
            Profile(0.1, x_nm, np.random.default_rng(seed).poisson(model), np.sqrt(model), model) for seed in seeds
        ]
        ratios.append(np.mean([contrast_to_noise(profile, 0.05 * peak).value for profile in noisy]))
    assert ratios[1] / ratios[0] == pytest.approx(10.0, rel=0.15)
    low, high = contrast_to_noise(noisy[0], 500.0).ci95
    assert low < ratios[1] < high


@pytest.fixture(scope="module")
def figures():
    """Of ten scans of one scene: a Gaussian spot, linear up to 3 ns, then with exponent 0.4."""
    scene = Scene(bin_width_ns=0.032, span_ns=30.0)
    expected = expected_counts(scene)
    found = [analyse(drawn(scene, seed, expected), AnalysisRecipe()).figures for seed in range(10)]
    return [{figure.name: figure for figure in of_one} for of_one in found]


TRUTHS = {"excess_kurtosis": 0.0, "msd_exponent": 1.0, "late_msd_exponent": 0.4, "diffusivity_change_cm2_s": 0.0}


@pytest.mark.parametrize(("name", "truth"), TRUTHS.items(), ids=TRUTHS)
def test_figures_of_a_whole_scan_cover_the_truth(figures, name, truth):
    inside = sum(of_one[name].ci95[0] < truth < of_one[name].ci95[1] for of_one in figures)
    assert inside >= 7

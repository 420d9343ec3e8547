"""Tests of a series: uniform p-values if the hypothesis holds, small ones if it does not."""

import numpy as np
import pytest
from scipy.stats import kstest

from tplm_daq.analysis.series_table import series_table
from tplm_daq.analysis.series_tests import reversibility, signal_invariance
from tplm_daq.errors import FitError

N_SEEDS = 400


def low_high_low(seed, lasting_cm2_s=0.0, high_cm2_s=0.05):
    truth, error = np.array([0.011, high_cm2_s, 0.011 + lasting_cm2_s]), np.array([0.0008, 0.001, 0.0012])
    return series_table([1.5, 6.0, 1.5], 2.5e6, np.random.default_rng(seed).normal(truth, error), error)


def through_filters(seed, per_decade_cm2_s=0.0):
    photons = np.array([1e7, 3e6, 1e6, 3e5, 1e5])
    error = 0.0005 * np.sqrt(1e7 / photons)
    truth = 0.036 + per_decade_cm2_s * np.log10(photons / 1e6)
    return series_table(6.0, 2.5e6, np.random.default_rng(seed).normal(truth, error), error, n_photons=photons)


def test_p_values_are_uniform_where_d_returns():
    p_values = [reversibility(low_high_low(seed)).p_value for seed in range(N_SEEDS)]
    assert kstest(p_values, "uniform").pvalue > 1e-3


def test_p_values_of_the_enhancement_are_uniform_without_one():
    p_values = [reversibility(low_high_low(seed, high_cm2_s=0.011)).enhancement_p_value for seed in range(N_SEEDS)]
    assert kstest(p_values, "uniform").pvalue > 1e-3


def test_p_values_are_uniform_where_the_signal_does_not_matter():
    p_values = [signal_invariance(through_filters(seed)).p_value for seed in range(N_SEEDS)]
    assert kstest(p_values, "uniform").pvalue > 1e-3


def test_slope_is_calibrated_where_the_signal_does_not_matter():
    results = [signal_invariance(through_filters(seed)) for seed in range(N_SEEDS)]
    pulls = [each.slope_per_decade_cm2_s / each.slope_error_cm2_s for each in results]
    assert kstest(pulls, "norm").pvalue > 1e-3


def test_a_change_that_stays_is_found():
    """Four standard errors of the difference are found at the 5 % level in 98 % of the cases."""
    results = [reversibility(low_high_low(seed, lasting_cm2_s=4 * np.hypot(0.0008, 0.0012))) for seed in range(100)]
    assert np.mean([each.p_value < 0.05 for each in results]) > 0.9
    assert max(results, key=lambda each: each.z).verdict.startswith("D does not return: the third run differs")


def test_a_dependence_on_the_signal_is_found():
    results = [signal_invariance(through_filters(seed, per_decade_cm2_s=0.006)) for seed in range(100)]
    assert np.mean([each.p_value < 0.05 for each in results]) > 0.9
    assert results[0].slope_per_decade_cm2_s == pytest.approx(0.006, abs=4 * results[0].slope_error_cm2_s)
    assert "D differs between count rates" in min(results, key=lambda each: each.p_value).verdict


def test_without_enhancement_nothing_can_be_reversed():
    runs = series_table([1.5, 6.0, 1.5], 2.5e6, [0.011, 0.0112, 0.0109], 0.001)
    assert reversibility(runs).verdict.startswith("Nothing to be reversed: D at high power does not differ (p = 0.84)")


@pytest.mark.parametrize(
    ("powers_nw", "changes", "message"),
    [
        ([1.5, 6.0], {}, "2 runs given; at least 3 are needed"),
        ([1.5, 6.0, 2.0], {}, "needs three runs: low power, higher power, and the same low power"),
        ([1.5, 1.0, 1.5], {}, "needs three runs"),
        ([1.5, 6.0, 1.5, 6.0], {}, "needs three runs"),
        ([1.5, 6.0, 1.5], {"standard_error_cm2_s": 0.0}, "Every diffusivity needs a standard error above zero"),
        ([1.5, 6.0, 1.5], {"diffusivity_cm2_s": np.nan}, "Some diffusivity is not a finite number"),
        ([1.5, 6.0, 1.5], {"temperature_k": [300.0, 300.0, 250.0]}, "The runs lie 50 K apart"),
        ([1.5, 6.0, 1.5], {"excitons_per_pulse": 0.0}, "Every run needs light"),
    ],
)
def test_runs_that_cannot_show_reversibility_are_refused(powers_nw, changes, message):
    columns = {"diffusivity_cm2_s": 0.01, "standard_error_cm2_s": 0.001, **changes}
    with pytest.raises(FitError, match=message):
        reversibility(series_table(powers_nw, 2.5e6, **columns))


@pytest.mark.parametrize(
    ("powers_nw", "photons", "message"),
    [
        ([6.0], [1e6], "1 runs given; at least 2"),
        ([6.0, 3.0], [1e6, 1e5], "differ in average power; signal and light must not change together"),
        ([6.0, 6.0], np.nan, "Every run needs n_photons above zero"),
        ([6.0, 6.0], 1e6, "not all the same"),
    ],
)
def test_runs_that_cannot_show_invariance_are_refused(powers_nw, photons, message):
    with pytest.raises(FitError, match=message):
        signal_invariance(series_table(powers_nw, 2.5e6, 0.036, 0.001, n_photons=photons))

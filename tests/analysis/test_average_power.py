"""Does the test of "average power only" hold its level, and does it find what contradicts it?"""

import numpy as np
import pytest
from scipy.stats import kstest

from tplm_daq.analysis.average_power import average_power_only
from tplm_daq.analysis.series_table import series_table
from tplm_daq.errors import FitError

N_SEEDS = 300
POWERS_NW = np.repeat([1.0, 3.0, 6.0, 12.0], 4)
RATES_HZ = np.tile([0.625e6, 2.5e6, 10e6, 40e6], 4)


def enhanced(t_exc_us):
    return 0.01 + 0.14 * np.exp(-t_exc_us / 6.0)


def grid(seed, truth, relative=0.05):
    error = relative * truth
    return series_table(POWERS_NW, RATES_HZ, np.random.default_rng(seed).normal(truth, error), error)


def scattered(seed, relative=0.05):
    """Every run at a power and a rate of its own."""
    rng = np.random.default_rng(seed)
    powers_nw, rates_hz = np.geomspace(0.5, 20.0, 24), 0.5e6 * 80.0 ** rng.random(24)
    truth = enhanced(50.0 / powers_nw)
    return series_table(powers_nw, rates_hz, rng.normal(truth, relative * truth), relative * truth)


def test_p_values_are_uniform_where_only_the_average_power_matters():
    results = [average_power_only(grid(seed, enhanced(50.0 / POWERS_NW)), 199) for seed in range(N_SEEDS)]
    assert all(each.is_grouped for each in results)
    assert kstest([each.p_value for each in results], "uniform").pvalue > 1e-3
    assert kstest([each.permutation_p_value for each in results], "uniform").pvalue > 1e-3
    pulls = np.array([each.rate_exponent / each.exponent_error for each in results])
    assert abs(pulls.mean()) < 4 / np.sqrt(N_SEEDS)


def test_p_values_are_uniform_without_runs_of_the_same_power():
    results = [average_power_only(scattered(seed), 99) for seed in range(N_SEEDS)]
    assert not any(each.is_grouped for each in results)
    assert kstest([each.p_value for each in results], "uniform").pvalue > 1e-3


def test_dependence_on_excitons_per_pulse_is_found():
    """If D followed <N> as it follows the power at 2.5 MHz, the exponents at fixed power would be far from zero."""
    truth = enhanced(50.0 / POWERS_NW * RATES_HZ / 2.5e6)
    results = [average_power_only(grid(seed, truth), 199) for seed in range(50)]
    assert np.mean([each.p_value < 0.01 for each in results]) > 0.9
    assert np.mean([each.permutation_p_value < 0.01 for each in results]) > 0.9
    assert all(each.excitons_exponent > 0 for each in results)
    assert "depends on the repetition rate too" in results[0].verdict


def test_a_weak_partial_dependence_is_found_and_measured():
    truth = enhanced(50.0 / POWERS_NW) * (RATES_HZ / 2.5e6) ** 0.05
    results = [average_power_only(grid(seed, truth), 199) for seed in range(100)]
    assert np.mean([each.p_value < 0.05 for each in results]) > 0.9
    exponents = np.array([each.rate_exponent for each in results])
    assert exponents.mean() == pytest.approx(0.05, abs=4 * exponents.std() / 10)
    covered = np.mean([abs(each.rate_exponent - 0.05) < each.exponent_half_interval for each in results])
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 100)


def test_scatter_beyond_the_errors_given_is_seen_and_does_not_raise_false_alarms():
    rng = np.random.default_rng(1)
    results = []
    for _ in range(100):
        measured = enhanced(50.0 / POWERS_NW) * np.exp(rng.normal(0.0, 0.1, len(POWERS_NW)))
        results.append(average_power_only(series_table(POWERS_NW, RATES_HZ, measured, 0.02 * measured), 99))
    assert np.mean([each.p_value < 0.05 for each in results]) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 100)
    assert np.median([each.chi_square / each.n_dof for each in results]) > 10


def test_permutations_are_seeded():
    table = grid(3, enhanced(50.0 / POWERS_NW))
    once, again, other = (average_power_only(table, seed=seed).permutation_p_value for seed in (1, 1, 2))
    assert once == again
    assert abs(once - other) < 0.06


def measured(**changes):
    good = grid(1, enhanced(50.0 / POWERS_NW))
    columns = {
        "power_nw": POWERS_NW,
        "repetition_rate_hz": RATES_HZ,
        "diffusivity_cm2_s": good.diffusivity_cm2_s,
        "standard_error_cm2_s": good.standard_error_cm2_s,
    }
    return series_table(**{**columns, **changes})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (measured().rows(slice(0, 3)), "3 runs given; at least 4 are needed"),
        (measured().rows(slice(0, 4)).rows([0, 0, 0, 0]), "repetition rate does not vary"),
        (measured(repetition_rate_hz=2.5e6), "repetition rate does not vary at the same average power"),
        (measured(repetition_rate_hz=2.5e5 * POWERS_NW), "repetition rate does not vary at the same average power"),
        (measured(diffusivity_cm2_s=np.linspace(-0.01, 0.1, 16)), "Log axes need every D above zero"),
        (measured(diffusivity_cm2_s=0.05), "scatter next to nothing"),
        (measured(temperature_k=np.linspace(50.0, 300.0, 16)), "The runs lie 250 K apart"),
        (measured().rows([0, 1, 4, 6, 9]), "5 runs leave 1 degree of freedom; at least 2 are needed"),
    ],
)
def test_what_cannot_be_tested_says_why(table, message):
    with pytest.raises(FitError, match=message):
        average_power_only(table)

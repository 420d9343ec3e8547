"""Pulse, response and lifetime from the summed decay."""

import numpy as np
import pytest

from tests.analysis.synthetic import Scene, expected_counts
from tplm_daq.analysis.decay import find_rising_edge, fit_decay
from tplm_daq.errors import FitError

LONG_LIVED = Scene(
    diffusivity_cm2_s=0.0, dead_time_ns=None, has_wrapped_tail=False, span_ns=12.0, position_nm=np.array([0.0])
)
"""Without diffusion no light leaves the pixel and the decay is exponential to 3 ns."""


def decay_of(scene, seed):
    expected = expected_counts(scene).sum(axis=0)
    delay_ns = (np.arange(scene.n_bins) + 0.5) * scene.bin_width_ns
    return np.random.default_rng(seed).poisson(expected), delay_ns, np.ones(scene.n_bins)


@pytest.mark.parametrize("bin_width_ns", [0.004, 0.016, 0.064, 0.128])
def test_pulse_response_and_lifetime_are_found_within_their_errors(bin_width_ns):
    scene = Scene(**{**vars(LONG_LIVED), "bin_width_ns": bin_width_ns})
    fit = fit_decay(*decay_of(scene, seed=1), window_ns=2.9)
    assert abs(fit.t0_ns - 5.0) < 4 * fit.t0_error_ns
    assert abs(fit.lifetime_ns - 2.0) < 4 * fit.lifetime_error_ns
    assert fit.t0_error_ns < 0.001
    assert fit.response_fwhm_ns == pytest.approx(0.08, abs=0.008)


def test_errors_are_the_spread_of_the_estimates():
    scene = Scene(**{**vars(LONG_LIVED), "peak_cps": 500.0, "bin_width_ns": 0.032})
    fits = [fit_decay(*decay_of(scene, seed), window_ns=2.9) for seed in range(40)]
    t0 = [(fit.t0_ns - 5.0) / fit.t0_error_ns for fit in fits]
    lifetime = [(fit.lifetime_ns - 2.0) / fit.lifetime_error_ns for fit in fits]
    deviations = np.array([t0, lifetime]).T
    n = len(fits)
    assert np.all(np.abs(deviations.mean(axis=0)) < 4 / np.sqrt(n))
    assert np.all(np.abs(deviations.std(axis=0) - 1) < 4 / np.sqrt(2 * n))


def test_what_is_known_is_held():
    counts, delay_ns, live = decay_of(LONG_LIVED, seed=2)
    fit = fit_decay(counts, delay_ns, live, 2.9, t0_ns=5.01, response_fwhm_ns=0.1)
    assert (fit.t0_ns, fit.t0_error_ns) == (5.01, 0.0)
    assert fit.response_fwhm_ns == pytest.approx(0.1)


def test_blind_pulses_do_not_shorten_the_lifetime():
    counts, delay_ns, _ = decay_of(LONG_LIVED, seed=3)
    live = np.where(delay_ns < 5.0, 1.0, 1.0 - 0.5 * (1 - np.exp(-(delay_ns - 5.0))))
    seen = np.random.default_rng(3).binomial(counts, live)
    fit = fit_decay(seen, delay_ns, live, 2.9)
    assert abs(fit.lifetime_ns - 2.0) < 4 * fit.lifetime_error_ns


def test_a_few_hundred_photons_place_the_pulse():
    scene = Scene(**{**vars(LONG_LIVED), "peak_cps": 20.0})
    fit = fit_decay(*decay_of(scene, seed=4), window_ns=2.9)
    assert abs(fit.t0_ns - 5.0) < 4 * fit.t0_error_ns < 0.2


def test_an_empty_decay_says_so():
    with pytest.raises(FitError, match="There are no counts"):
        find_rising_edge(np.zeros(100, int), np.arange(100.0))


def test_a_single_filled_bin_says_so():
    with pytest.raises(FitError, match="All 7 counts are in one delay bin"):
        find_rising_edge(np.eye(100, dtype=int)[40] * 7, np.arange(100.0))


@pytest.mark.parametrize("level", [0.01, 1.0, 300.0])
def test_dark_counts_are_no_pulse(level):
    counts = np.random.default_rng(5).poisson(level, 4000)
    with pytest.raises(FitError, match=f"No pulse stands out of {counts.sum()} counts"):
        find_rising_edge(counts, 0.016 * np.arange(4000.0))


def test_dark_counts_around_a_given_pulse_are_no_pulse():
    counts = np.random.default_rng(6).poisson(3.0, 1000)
    with pytest.raises(FitError, match="No pulse stands out|did not converge|cannot be told apart|no information"):
        fit_decay(counts, 0.016 * np.arange(1000.0), np.ones(1000), 3.0, t0_ns=5.0, response_fwhm_ns=0.08)


def test_too_few_bins_around_the_pulse_say_so():
    with pytest.raises(FitError, match="Only 4 delay bins lie within 5 ns before and 3 ns after the pulse at 10 ns"):
        fit_decay(np.full(20, 50), 2.0 * np.arange(20.0), np.ones(20), 3.0, t0_ns=10.0)

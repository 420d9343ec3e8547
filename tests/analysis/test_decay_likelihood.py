"""The likelihood of a decay against an independent minimiser, and what a fit says of itself."""

import numpy as np
import pytest
from iminuit import Minuit
from scipy.special import ndtr

from tests.analysis.decay_photons import draw_decay
from tplm_daq.analysis.decay_fits import PROMPT_SPAN_NS, fit_law
from tplm_daq.analysis.decay_laws import EXPONENTIAL, JOINED


def test_estimate_is_the_minimum_that_iminuit_finds():
    counts, delay_ns = draw_decay(3, 30_000)
    ours = fit_law(counts, delay_ns, EXPONENTIAL, PROMPT_SPAN_NS, t0_ns=5.0, response_fwhm_ns=0.08)
    sigma_ns = ours.value("response_sigma_ns")
    used = (delay_ns > 0.0) & (delay_ns < 8.0)
    edges_ns = np.append(delay_ns[used] - 0.016, delay_ns[used][-1] + 0.016) - 5.0

    def cost(lifetime_ns, height, level):
        ratio = sigma_ns / lifetime_ns
        light = ndtr(edges_ns / sigma_ns) - np.exp(0.5 * ratio**2 - edges_ns / lifetime_ns) * ndtr(
            edges_ns / sigma_ns - ratio
        )
        model = height * lifetime_ns * np.diff(light) / 0.032 + level
        return 2 * np.sum(model - counts[used] * np.log(model))

    theirs = Minuit(cost, lifetime_ns=2.1, height=counts.max(), level=0.3)
    theirs.errordef, theirs.tol, theirs.strategy = 1.0, 1e-6, 2
    theirs.limits["level"] = (1e-9, None)
    theirs.migrad()
    for name, own in (("lifetime_ns", "lifetime_ns"), ("height", "height_counts_per_bin")):
        assert ours.value(own) == pytest.approx(theirs.values[name], abs=1e-3 * theirs.errors[name])
        assert ours.error(own) == pytest.approx(theirs.errors[name], rel=0.02)


def test_joined_law_is_the_minimum_that_iminuit_finds_with_a_brute_force_convolution():
    counts, delay_ns = draw_decay(4, 100_000)
    ours = fit_law(counts, delay_ns, JOINED, t0_ns=5.0, response_fwhm_ns=0.08)
    step_ns, n_per_bin = 0.002, 16
    age_ns = step_ns * (np.arange(10_500) + 0.5)
    kernel = np.exp(-0.5 * (step_ns * np.arange(-150, 151) / ours.value("response_sigma_ns")) ** 2)
    kernel /= n_per_bin * kernel.sum()
    used = (delay_ns > 0.0) & (delay_ns < 25.0)

    def cost(lifetime_ns, exponent, height, level):
        rate = np.exp(-np.minimum(age_ns, 3.0) / lifetime_ns) * np.maximum(age_ns / 3.0, 1.0) ** -exponent
        smeared = np.concatenate([np.zeros(2500 - 150), np.convolve(rate, kernel)])
        n_bins = len(smeared) // n_per_bin
        model = height * smeared[: n_bins * n_per_bin].reshape(n_bins, n_per_bin).sum(axis=1)[: used.sum()] + level
        return 2 * np.sum(model - counts[used] * np.log(model))

    theirs = Minuit(cost, lifetime_ns=2.1, exponent=1.7, height=counts.max(), level=0.3)
    theirs.errordef, theirs.tol, theirs.strategy = 1.0, 1e-6, 2
    theirs.migrad()
    for name, own in (("lifetime_ns", "lifetime_ns"), ("exponent", "exponent"), ("level", "level_counts_per_bin")):
        assert ours.value(own) == pytest.approx(theirs.values[name], abs=0.02 * theirs.errors[name])
        assert ours.error(own) == pytest.approx(theirs.errors[name], rel=0.03)


def test_intervals_are_centred_on_the_estimate():
    fit = fit_law(*draw_decay(5, 30_000))
    low, high = fit.ci95("lifetime_ns")
    assert 0.5 * (low + high) == pytest.approx(fit.value("lifetime_ns"))
    assert high - low == pytest.approx(2 * 1.96 * fit.error("lifetime_ns"), rel=1e-4)


def test_information_criteria_count_what_was_fitted():
    counts, delay_ns = draw_decay(6, 30_000)
    free = fit_law(counts, delay_ns, EXPONENTIAL, PROMPT_SPAN_NS)
    held = fit_law(counts, delay_ns, EXPONENTIAL, PROMPT_SPAN_NS, t0_ns=5.0, response_fwhm_ns=0.08)
    assert (free.n_free, held.n_free) == (5, 3)
    assert held.error("t0_ns") == held.error("response_sigma_ns") == 0.0
    assert held.aic == pytest.approx(6 - 2 * held.log_likelihood)
    assert held.bic == pytest.approx(3 * np.log(held.n_bins) - 2 * held.log_likelihood)

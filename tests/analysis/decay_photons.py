"""Decays with a known truth, drawn photon by photon without any code of the program."""

from __future__ import annotations

import numpy as np


def draw_decay(
    seed,
    n_photons,
    lifetime_ns=2.0,
    exponent=1.6,
    join_ns=3.0,
    period_ns=400.0,
    t0_ns=5.0,
    response_fwhm_ns=0.08,
    level_per_bin=0.2,
    bin_width_ns=0.032,
    span_ns=30.0,
    ages_ns=None,
):
    """Counts and bin centres; an infinite exponent is the exponential alone, `ages_ns` replaces the law."""
    rng = np.random.default_rng(seed)
    if ages_ns is None:
        ages_ns = joined_ages(rng, rng.poisson(n_photons), lifetime_ns, exponent, join_ns)
    arrival_ns = t0_ns + ages_ns + rng.normal(0.0, response_fwhm_ns / np.sqrt(8 * np.log(2)), len(ages_ns))
    n_bins = round(min(span_ns, period_ns) / bin_width_ns)
    edges_ns = bin_width_ns * np.arange(n_bins + 1)
    counts = np.histogram(arrival_ns % period_ns, edges_ns)[0] + rng.poisson(level_per_bin, n_bins)
    return counts, 0.5 * (edges_ns[1:] + edges_ns[:-1])


def joined_ages(rng, n_photons, lifetime_ns, exponent, join_ns):
    if np.isinf(exponent):
        return rng.exponential(lifetime_ns, n_photons)
    prompt = lifetime_ns * -np.expm1(-join_ns / lifetime_ns)
    tail = np.exp(-join_ns / lifetime_ns) * join_ns / (exponent - 1)
    uniform = rng.random(n_photons)
    early_ns = -lifetime_ns * np.log1p(uniform * np.expm1(-join_ns / lifetime_ns))
    late_ns = join_ns * (1 - uniform) ** (-1 / (exponent - 1))
    return np.where(rng.random(n_photons) < prompt / (prompt + tail), early_ns, late_ns)

"""Scans drawn photon by photon: every exciton starts in the spot, walks, decays, and is seen if a pixel covers it.

Nothing here is a formula for the counts: start, walk, age and jitter of each exciton are random numbers, wrap-around is
a remainder, and dead time looks at the photon before. Slow but hard to get wrong in the way the fit could be.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit

from tplm_daq.photons.histogram import TimePositionMap

FWHM = 2 * np.sqrt(2 * np.log(2))


@dataclass(frozen=True)
class Sample:
    """What is measured; lengths in nm, times in ns."""

    diffusivity_cm2_s: float = 0.05
    sigma_nm: tuple[float, float] = (220.0, 220.0)
    """Along the axes of the spot, which are turned by `angle` against x."""
    angle: float = 0.0
    centre_nm: tuple[float, float] = (0.0, 0.0)
    halo_light: float = 0.0
    """Part of the excitons that start in a spot 2.5 times as wide."""
    x_nm: np.ndarray = field(default_factory=lambda: np.linspace(-1000.0, 1000.0, 41))
    y_nm: np.ndarray = field(default_factory=lambda: np.zeros(41))
    pixel_nm: float = 101.0
    n_excitons: float = 1e6
    """Per position, in the dwell."""
    repetition_rate_hz: float = 2.5e6
    dwell_s: float = 20.0
    lifetime_ns: float = 2.0
    dark_counts: float = 20.0
    """Per position and ns of delay."""
    response_ns: float = 0.08
    t0_ns: float = 3.0
    bin_width_ns: float = 0.05
    span_ns: float = 12.0
    dead_time_ns: float | None = None
    drift_nm: float = 0.0
    """Along x, there and back, over many passes: uniform around the centre."""


def measure(sample: Sample, seed: int) -> TimePositionMap:
    """Return one scan."""
    rng = np.random.default_rng(seed)
    period_ns = 1e9 / sample.repetition_rate_hz
    n_bins = round(min(sample.span_ns, period_ns) / sample.bin_width_ns)
    counts = np.zeros((len(sample.x_nm), n_bins), np.int64)
    n_pulses = sample.dwell_s * sample.repetition_rate_hz
    for row, (x_nm, y_nm) in enumerate(zip(sample.x_nm, sample.y_nm, strict=True)):
        delay_ns = _seen(
            int(rng.integers(2**31)),
            rng.poisson(sample.n_excitons),
            np.array([x_nm - sample.centre_nm[0], y_nm - sample.centre_nm[1]]),
            np.array(sample.sigma_nm),
            np.array([np.cos(sample.angle), np.sin(sample.angle)]),
            np.array([sample.halo_light, sample.pixel_nm, sample.drift_nm]),
            np.array([1e5 * sample.diffusivity_cm2_s, sample.lifetime_ns, sample.response_ns / FWHM, sample.t0_ns]),
        )
        dark_ns = rng.random(rng.poisson(sample.dark_counts * period_ns)) * period_ns
        delay_ns = np.concatenate([delay_ns, dark_ns]) % period_ns
        if sample.dead_time_ns is not None:
            delay_ns = _live(delay_ns, rng.integers(0, int(n_pulses), len(delay_ns)), period_ns, sample.dead_time_ns)
        place = (delay_ns / sample.bin_width_ns).astype(int)
        counts[row] = np.bincount(place[place < n_bins], minlength=n_bins)[:n_bins]
    return TimePositionMap(
        counts,
        sample.x_nm,
        sample.y_nm,
        (np.arange(n_bins) + 0.5) * sample.bin_width_ns,
        dwell_s=np.full(len(sample.x_nm), sample.dwell_s),
        repetition_rate_hz=sample.repetition_rate_hz,
        pixel_nm=(sample.pixel_nm, sample.pixel_nm),
        dead_time_ns=sample.dead_time_ns,
    )


def _live(delay_ns: np.ndarray, pulse: np.ndarray, period_ns: float, dead_time_ns: float) -> np.ndarray:
    """Return the delays of the photons that do not fall into the dead time of one recorded before."""
    time_ns = pulse * period_ns + delay_ns
    order = np.argsort(time_ns)
    return delay_ns[order][_recorded(time_ns[order], dead_time_ns)]


@njit(cache=True)
def _recorded(time_ns, dead_time_ns):  # pragma: no cover
    kept = np.zeros(len(time_ns), np.bool_)
    last = -np.inf
    for i in range(len(time_ns)):
        if time_ns[i] - last >= dead_time_ns:
            kept[i] = True
            last = time_ns[i]
    return kept


@njit(cache=True)
def _seen(seed, n_excitons, pixel, sigma, axis, spot, excitons):  # pragma: no cover
    """Return the delays at which a pixel sees its share of the excitons."""
    np.random.seed(seed)
    halo, width, drift = spot
    diffusivity, lifetime, jitter, t0 = excitons
    prompt = 1.0 - np.exp(-3.0 / lifetime)
    late = np.exp(-3.0 / lifetime) * 3.0 / 0.6 / lifetime
    found = np.empty(n_excitons)
    n = 0
    for _ in range(n_excitons):
        if np.random.random() * (prompt + late) < prompt:
            age = -lifetime * np.log(1.0 - np.random.random() * prompt)
        else:
            age = 3.0 * (1.0 - np.random.random()) ** (-1.0 / 0.6)  # power law with exponent 1.6
        walk = 2.0 * diffusivity * min(age, 3.0) * max(age / 3.0, 1.0) ** 0.4
        wide = 2.5 if np.random.random() < halo else 1.0
        along = wide * sigma[0] * np.random.normal()
        across = wide * sigma[1] * np.random.normal()
        x = axis[0] * along - axis[1] * across + np.sqrt(walk) * np.random.normal()
        if abs(x + drift * (np.random.random() - 0.5) - pixel[0]) > 0.5 * width:
            continue
        y = axis[1] * along + axis[0] * across + np.sqrt(walk) * np.random.normal()
        if abs(y - pixel[1]) > 0.5 * width:
            continue
        found[n] = t0 + age + jitter * np.random.normal()
        n += 1
    return found[:n]

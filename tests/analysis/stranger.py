"""Scans as somebody else would simulate and save them: numpy archives made with numpy and scipy alone.

Written from the equations of the experiment, not from the program: dn/dt = D d2n/dx2 - k(t) n from a Gaussian start,
averaged over a square pixel by quadrature, under a Gaussian response, folded into the laser period. All is worked out
on a grid of 4 ps, of which every bin width is a multiple.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.signal import fftconvolve
from scipy.special import erf

TICK_NS = 0.004
LONG_NS = 40.0
NODES, WEIGHTS = np.polynomial.legendre.leggauss(5)


@dataclass(frozen=True)
class Experiment:
    """What is measured, how, and what is told about it; lengths in nm, times in ns."""

    diffusivity_cm2_s: float = 0.05
    sigma_nm: tuple[float, float] = (220.0, 220.0)
    angle: float = 0.0
    """Of the first axis of the spot against x."""
    centre_nm: tuple[float, float] = (0.0, 0.0)
    halo: tuple[float, float] = (0.0, 2.5)
    """Height of a second Gaussian relative to the first, and its width relative to it."""
    drift_nm: float = 0.0
    """Along x, over many passes that were added up: uniform around the centre."""
    x_nm: tuple[float, ...] = tuple(np.linspace(-1000.0, 1000.0, 41))
    y_nm: tuple[float, ...] = (0.0,)
    """As many as x, or one for all."""
    pixel_nm: float = 101.0
    decay: str = "tail"
    """exponential, tail (power law from 3 ns on), stretched, two (exponentials) or rise (in 50 ps)."""
    lifetime_ns: float = 2.0
    spreads_for_ever: bool = True
    """Otherwise as t^0.4 after 3 ns."""
    response_fwhm_ns: float = 0.08
    bin_width_ns: float = 0.016
    span_ns: float = 20.0
    pulse_ns: float = 3.0
    """From the beginning of the first bin to the pulse."""
    zero_ns: float = 0.0
    """Where the delay axis begins."""
    repetition_rate_hz: float = 2.5e6
    dwell_s: float = 20.0
    n_photons: float = 3e6
    """In the first 3 ns, at all positions together, at mean dwell."""
    background: float = 0.001
    """Of a recorded bin, relative to the brightest one."""
    first_photon_only: bool = False
    per_pulse: float = 0.0
    """Photons per pulse at the brightest position; 0 takes what follows from `n_photons`."""

    @property
    def period_ns(self) -> float:
        return 1e9 / self.repetition_rate_hz

    @property
    def n_bins(self) -> int:
        return int(min(self.span_ns, self.period_ns) / self.bin_width_ns + 1e-6)

    @property
    def places_nm(self) -> np.ndarray:
        x_nm = np.array(self.x_nm)
        return np.column_stack([x_nm, np.broadcast_to(np.array(self.y_nm), x_nm.shape)])

    def light(self, age_ns: np.ndarray) -> np.ndarray:
        """Emission at an age, relative to the exponential at age zero."""
        prompt = np.exp(-age_ns / self.lifetime_ns)
        if self.decay == "tail":
            late = np.maximum(age_ns, 3.0) / 3.0
            return np.exp(-np.minimum(age_ns, 3.0) / self.lifetime_ns) * late**-1.6
        if self.decay == "stretched":
            return np.exp(-((age_ns / self.lifetime_ns) ** 0.7))
        if self.decay == "two":
            return 0.6 * prompt + 0.4 * np.exp(-age_ns / (3.0 * self.lifetime_ns))
        if self.decay == "rise":
            return prompt * (1.0 - np.exp(-age_ns / 0.05))
        return prompt

    def spread_nm2(self, age_ns: np.ndarray) -> np.ndarray:
        """Growth of the variance per axis."""
        effective_ns = (
            age_ns if self.spreads_for_ever else np.minimum(age_ns, 3.0) * (np.maximum(age_ns, 3.0) / 3) ** 0.4
        )
        return 2e5 * self.diffusivity_cm2_s * effective_ns

    def images(self, age_ns: np.ndarray) -> np.ndarray:
        """Share of the light of excitons of one age on each pixel, shape (n_position, n_age)."""
        height, ratio = self.halo
        image = self._image(age_ns, 1.0)
        return image + height * ratio**2 * self._image(age_ns, ratio) if height else image

    def _image(self, age_ns: np.ndarray, ratio: float) -> np.ndarray:
        turn = np.array([[np.cos(self.angle), -np.sin(self.angle)], [np.sin(self.angle), np.cos(self.angle)]])
        start = turn @ np.diag(np.square(self.sigma_nm) * ratio**2) @ turn.T
        total = np.zeros((len(self.x_nm), len(age_ns)))
        steps_nm = self.drift_nm * (np.arange(11) - 5.0) / 11.0 if self.drift_nm else np.zeros(1)
        for step_nm in steps_nm:
            dx, dy = (self.places_nm - np.array(self.centre_nm) - np.array([step_nm, 0.0])).T[:, :, None]
            grown = self.spread_nm2(age_ns)
            xx, yy, xy = start[0, 0] + grown, start[1, 1] + grown, start[0, 1]
            if abs(xy) < 1e-9:
                total += self._covered(dx, xx) * self._covered(dy, yy)
                continue
            root = np.sqrt(xx * yy - xy**2)
            for node_x, weight_x in zip(NODES, WEIGHTS, strict=True):
                for node_y, weight_y in zip(NODES, WEIGHTS, strict=True):
                    x, y = dx + 0.5 * self.pixel_nm * node_x, dy + 0.5 * self.pixel_nm * node_y
                    exponent = (yy * x**2 - 2 * xy * x * y + xx * y**2) / (2 * root**2)
                    area = 0.25 * weight_x * weight_y * self.pixel_nm**2
                    total += area * np.exp(-exponent) / (2 * np.pi * root)
        return total / len(steps_nm)

    def _covered(self, offset_nm: np.ndarray, variance_nm2: np.ndarray) -> np.ndarray:
        root = np.sqrt(2 * variance_nm2)
        return 0.5 * (erf((offset_nm + self.pixel_nm / 2) / root) - erf((offset_nm - self.pixel_nm / 2) / root))


def signal(what: Experiment) -> np.ndarray:
    """Light per recorded bin over one period, shape (n_position, n_bin), up to a constant."""
    reach = round(1.5 / TICK_NS)
    age_ns = (np.arange(round(LONG_NS / TICK_NS)) + 0.5) * TICK_NS
    nodes_ns = np.concatenate([np.linspace(0.0, 1.0, 12)[:-1], np.geomspace(1.0, 3e4, 70)])
    shape = CubicSpline(nodes_ns, what.images(nodes_ns), axis=1)
    emitted = what.light(age_ns) * shape(age_ns)
    jitter_ns = (np.arange(2 * reach + 1) - reach) * TICK_NS
    kernel = np.exp(-0.5 * (jitter_ns * 2.3548200450309493 / what.response_fwhm_ns) ** 2)
    arriving = fftconvolve(emitted, (kernel / kernel.sum())[None, :], axes=1)
    n_bins = int(what.period_ns / what.bin_width_ns + 1e-6)
    ticks = round(what.bin_width_ns / TICK_NS)
    fine = np.zeros((len(emitted), n_bins * ticks))
    begin = round(what.pulse_ns / TICK_NS) - reach
    place = (begin + np.arange(arriving.shape[1])) % fine.shape[1]
    for row, values in zip(fine, arriving, strict=True):
        row += np.bincount(place, values, minlength=fine.shape[1])
    binned = fine.reshape(len(fine), n_bins, ticks).sum(axis=2)
    if what.decay == "tail":
        centres_ns = (np.arange(n_bins) + 0.5) * what.bin_width_ns - what.pulse_ns
        old = centres_ns > LONG_NS
        binned[:, old] += what.light(centres_ns[old]) * shape(centres_ns[old]) * ticks
        coarse_ns = np.linspace(centres_ns[0], centres_ns[-1], 200)
        ages_ns = coarse_ns + what.period_ns * np.arange(1, 2 + int(2e4 / what.period_ns))[:, None]
        seen = np.where(ages_ns > LONG_NS, what.light(ages_ns), 0.0)
        wrapped = np.einsum("pt,xpt->xt", seen, shape(ages_ns)) * ticks
        for row, values in zip(binned, wrapped, strict=True):
            row += np.interp(centres_ns, coarse_ns, values)
    return binned


def mean_counts(what: Experiment, dwell: np.ndarray) -> np.ndarray:
    """Mean counts, shape (n_position, n_bin), for a dwell of each position relative to the mean."""
    light = signal(what)
    centres_ns = (np.arange(light.shape[1]) + 0.5) * what.bin_width_ns - what.pulse_ns
    early = (centres_ns > -0.1) & (centres_ns < 3.0)
    counts = light * what.n_photons / light[:, early].sum()
    if what.per_pulse:
        counts = light * what.per_pulse * what.dwell_s * what.repetition_rate_hz / light.sum(axis=1).max()
    counts = counts + what.background * counts.max()
    if what.first_photon_only:
        n_pulses = what.dwell_s * what.repetition_rate_hz
        before = np.cumsum(counts, axis=1) - counts
        counts = n_pulses * np.exp(-before / n_pulses) * -np.expm1(-counts / n_pulses)
    return counts[:, : what.n_bins] * dwell[:, None]


def told(what: Experiment, seed: int, *keys: str, dtype: str = "int64", dwell: str = "equal") -> dict[str, np.ndarray]:
    """One scan as arrays to save: the three that must be there and the optional ones that are named."""
    rng = np.random.default_rng(seed)
    n_position = len(what.x_nm)
    relative = np.ones(n_position) if dwell == "equal" else rng.uniform(0.5, 1.5, n_position)
    counts = rng.poisson(mean_counts(what, relative)).astype(dtype)
    place_nm = what.places_nm
    optional = {
        "repetition_rate_hz": what.repetition_rate_hz,
        "dwell_s": what.dwell_s if dwell == "equal" else what.dwell_s * relative,
        "t0_ns": what.zero_ns + what.pulse_ns,
        "response_fwhm_ns": what.response_fwhm_ns,
        "pixel_nm": what.pixel_nm,
    }
    return {
        "counts": counts,
        "position_nm": place_nm[:, 0] if np.ptp(place_nm[:, 1]) == 0 else place_nm,
        "delay_ns": what.zero_ns + (np.arange(what.n_bins) + 0.5) * what.bin_width_ns,
        **{key: np.asarray(optional[key]) for key in keys},
    }


def cramer_rao_bound(what: Experiment) -> float:
    """Smallest standard error of D: width, centre, level and one amplitude per bin of some 50 ps unknown."""
    group = max(1, round(0.048 / what.bin_width_ns))
    what = replace(what, bin_width_ns=group * what.bin_width_ns)
    ones = np.ones(len(what.x_nm))

    def counts(**changes: object) -> np.ndarray:
        return mean_counts(replace(what, background=0.0, **changes), ones)

    base = counts()
    mean = mean_counts(what, ones)
    since_ns = (np.arange(base.shape[1]) + 0.5) * what.bin_width_ns - what.pulse_ns
    window = (since_ns > -0.5 * what.response_fwhm_ns) & (since_ns < 3.0)
    step_d, step_s = 0.01 * what.diffusivity_cm2_s, 1.0
    sigma_nm = what.sigma_nm[0]
    slopes = [
        (counts(diffusivity_cm2_s=what.diffusivity_cm2_s + step_d) - base) / step_d,
        (counts(sigma_nm=(sigma_nm + step_s, sigma_nm + step_s)) - base) / step_s,
        (counts(centre_nm=(what.centre_nm[0] + 1.0, what.centre_nm[1])) - base),
        np.ones_like(base),
    ]
    before = since_ns < -4.0 * what.response_fwhm_ns
    information = np.zeros((4, 4))
    information[3, 3] += np.sum(1.0 / mean[:, before])
    for column in np.flatnonzero(window):
        j = np.column_stack([slope[:, column] for slope in slopes])
        weight = 1.0 / mean[:, column]
        own = base[:, column]
        projected = j - np.outer(own, (own * weight) @ j) / (own**2 @ weight)
        information += projected.T @ (projected * weight[:, None])
    return float(np.sqrt(np.linalg.inv(information)[0, 0]))

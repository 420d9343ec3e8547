"""Line scans with a known truth, made without any code of the program.

The spot is integrated over the square pixel by quadrature, the response by summing over emission
times, the tail of earlier pulses by summing over pulses, dead time either exactly in the mean or photon
by photon. Only numpy; the photon loop is compiled.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit
from scipy.special import ndtr

from tplm_daq.photons.histogram import TimePositionMap

YOUNG_STEP_NS = 0.002
NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)


@dataclass(frozen=True)
class Scene:
    """What is measured and how; the defaults are the simulated rig at 10 nW, 2.5 MHz."""

    diffusivity_cm2_s: float = 0.07
    sigma0_nm: float = 250.3
    centre_nm: float = 0.0
    off_axis_nm: float = 0.0
    peak_cps: float = 20e3
    dark_cps: float = 50.0
    dwell_s: float = 20.0
    repetition_rate_hz: float = 2.5e6
    lifetime_ns: float = 2.0
    tail_starts_ns: float = 3.0
    tail_exponent: float = 1.6
    spreading_exponent: float = 0.4
    t0_ns: float = 5.0
    response_fwhm_ns: float = 0.08
    bin_width_ns: float = 0.016
    span_ns: float = 60.0
    pixel_nm: float = 101.0
    dead_time_ns: float | None = 95.0
    axis: str = "x"
    has_wrapped_tail: bool = True
    position_nm: np.ndarray = field(default_factory=lambda: np.linspace(-1000.0, 1000.0, 41))

    @property
    def period_ns(self) -> float:
        return 1e9 / self.repetition_rate_hz

    @property
    def n_bins(self) -> int:
        return round(min(self.span_ns, self.period_ns) / self.bin_width_ns)

    @property
    def n_pulses(self) -> float:
        return self.dwell_s * self.repetition_rate_hz

    def light(self, age_ns: np.ndarray) -> np.ndarray:
        """Emission per ns at an age, one at age zero."""
        late = np.maximum(age_ns, self.tail_starts_ns) / self.tail_starts_ns
        return np.exp(-np.minimum(age_ns, self.tail_starts_ns) / self.lifetime_ns) * late**-self.tail_exponent

    def variance_nm2(self, age_ns: np.ndarray) -> np.ndarray:
        """Variance of the spot per axis."""
        linear = 2e5 * self.diffusivity_cm2_s * np.minimum(age_ns, self.tail_starts_ns)
        late = np.maximum(age_ns, self.tail_starts_ns) / self.tail_starts_ns
        return self.sigma0_nm**2 + linear * late**self.spreading_exponent

    def collected(self, age_ns: np.ndarray) -> np.ndarray:
        """Light per ns of excitons of one age at each position, shape (n_position, n_age)."""
        sigma_nm = np.sqrt(self.variance_nm2(age_ns))

        def pixel(position_nm: np.ndarray) -> np.ndarray:
            points_nm = position_nm[:, None, None] + 0.5 * self.pixel_nm * NODES
            z = points_nm / sigma_nm[None, :, None]
            return (np.exp(-0.5 * z * z) @ WEIGHTS) / sigma_nm

        return self.light(age_ns) * pixel(self.position_nm - self.centre_nm) * pixel(np.array([self.off_axis_nm]))


def photons_per_pulse(scene: Scene, whole_period: bool = True) -> np.ndarray:
    """Photons that would be detected per pulse and bin without dead time, over one period or over the span."""
    n_bins = round(scene.period_ns / scene.bin_width_ns) if whole_period else scene.n_bins
    centres_ns = (np.arange(n_bins) + 0.5) * scene.bin_width_ns - scene.t0_ns
    young_ns = (np.arange(2500) + 0.5) * YOUNG_STEP_NS
    age_ns = np.geomspace(scene.tail_starts_ns, 1e5, 4000)
    young, late = scene.collected(young_ns) * YOUNG_STEP_NS, scene.collected(age_ns)
    is_early = young_ns < scene.tail_starts_ns
    emitted = young[:, is_early].sum(axis=1) + np.trapezoid(late, age_ns, axis=1)

    density = np.zeros((len(scene.position_nm), n_bins))
    near = np.flatnonzero((centres_ns > -1.0) & (centres_ns < 4.0))
    half_ns = 0.5 * scene.bin_width_ns
    edges_ns = np.append(centres_ns[near] - half_ns, centres_ns[near[-1]] + half_ns)
    share = np.diff(ndtr((edges_ns - young_ns[:, None]) * np.sqrt(8 * np.log(2)) / scene.response_fwhm_ns), axis=1)
    density[:, near] = young @ share / scene.bin_width_ns
    far = np.flatnonzero(centres_ns >= 4.0)
    coarse_ns = np.linspace(centres_ns[0], centres_ns[-1], 200)
    earlier_ns = scene.period_ns * np.arange(1, 301 if scene.has_wrapped_tail else 1)
    for row, values in enumerate(np.log(late)):
        density[row, far] = np.exp(np.interp(np.log(centres_ns[far]), np.log(age_ns), values))
        wrapped = np.exp(np.interp(np.log(coarse_ns[:, None] + earlier_ns), np.log(age_ns), values)).sum(axis=1)
        density[row] += np.interp(centres_ns, coarse_ns, wrapped)
    brightest = emitted[np.argmin(np.abs(scene.position_nm - scene.centre_nm))]
    density *= scene.peak_cps / scene.repetition_rate_hz / brightest * scene.bin_width_ns
    return density + scene.dark_cps * 1e-9 * scene.bin_width_ns


def recorded_per_pulse(scene: Scene, incident: np.ndarray) -> np.ndarray:
    """Mean recorded photons per pulse and bin behind a non-paralysable dead time, in the steady state."""
    if scene.dead_time_ns is None:
        return incident
    shift, n_bins = scene.dead_time_ns / scene.bin_width_ns, incident.shape[1]
    recorded = incident.copy()
    for _ in range(40):
        total = recorded.sum(axis=1, keepdims=True)
        cumulative = np.concatenate([np.zeros_like(total), np.cumsum(recorded, axis=1)], axis=1)
        back = np.arange(n_bins) + 0.5 - shift
        periods, within = np.divmod(back, n_bins)
        low = within.astype(int)
        weight = within - low
        earlier = cumulative[:, low] * (1 - weight) + cumulative[:, low + 1] * weight + periods * total
        live = 1 - (0.5 * (cumulative[:, 1:] + cumulative[:, :-1]) - earlier)
        recorded = incident * live
    return recorded


def as_map(scene: Scene, counts: np.ndarray, **changes: object) -> TimePositionMap:
    """A map of the counts in the span, with nothing given that has to be estimated."""
    n_position = len(scene.position_nm)
    across = np.zeros(n_position)
    line = {"x_nm": scene.position_nm, "y_nm": across}
    if scene.axis == "y":
        line = {"x_nm": across, "y_nm": scene.position_nm}
    values: dict = {
        "counts": counts[:, : scene.n_bins],
        "delay_ns": (np.arange(scene.n_bins) + 0.5) * scene.bin_width_ns,
        "dwell_s": np.full(n_position, scene.dwell_s),
        "repetition_rate_hz": scene.repetition_rate_hz,
        "pixel_nm": (scene.pixel_nm, scene.pixel_nm),
        "dead_time_ns": scene.dead_time_ns,
        **line,
    }
    return TimePositionMap(**{**values, **changes})


def expected_counts(scene: Scene) -> np.ndarray:
    """Mean recorded counts over the span, shape (n_position, n_bin)."""
    incident = photons_per_pulse(scene, whole_period=scene.dead_time_ns is not None)
    return recorded_per_pulse(scene, incident)[:, : scene.n_bins] * scene.n_pulses


def drawn(scene: Scene, seed: int, expected: np.ndarray | None = None) -> TimePositionMap:
    """One measurement; `expected` saves computing the means again."""
    means = expected_counts(scene) if expected is None else expected
    return as_map(scene, np.random.default_rng(seed).poisson(means).astype(np.uint32))


def photon_by_photon(scene: Scene, seed: int, incident: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Histograms of the same photons without and with dead time, shape (n_position, n_bin of the period)."""
    rng = np.random.default_rng(seed)
    n_bins = incident.shape[1]
    arrived, recorded = np.zeros(incident.shape, np.int64), np.zeros(incident.shape, np.int64)
    dead_bins = (scene.dead_time_ns or 0.0) / scene.bin_width_ns
    for row, means in enumerate(incident):
        n_photons = rng.poisson(means * scene.n_pulses)
        bins = np.repeat(np.arange(n_bins), n_photons)
        pulse = rng.integers(0, int(scene.n_pulses), len(bins))
        time = pulse * float(n_bins) + bins + rng.random(len(bins))
        order = np.argsort(time)
        kept = _not_blind(time[order], dead_bins)
        arrived[row] = n_photons
        recorded[row] = np.bincount(bins[order][kept], minlength=n_bins)
    return arrived, recorded


@njit(cache=True)
def _not_blind(time, dead):  # pragma: no cover
    kept = np.zeros(len(time), np.bool_)
    last = -np.inf
    for i in range(len(time)):
        if time[i] - last >= dead:
            kept[i] = True
            last = time[i]
    return kept

"""The simulated film of nanocrystals: how far excitons get, how long they live and how much they shine.

Every number of the virtual film is here, in `SampleSettings`, and nowhere else. The film itself is quiet: power noise,
drift and the brightness of single spots are in `noise.py`. The diffusivity depends on the average power only, through
the time between two excitations of one nanocrystal.

Source: Shcherbakov-Wu et al., Science Advances 10, eadj2630 (2024), "the paper"; what is marked (ours) was chosen for
this sample.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

NM2_PER_NS = 1e5
"""1 cm^2/s in nm^2/ns."""

EXCITATION_US_NW = 50.0
"""Mean time between excitations of one nanocrystal times average power (paper: <N> = 0.08 at 10 nW, 2.5 MHz)."""


@dataclass(frozen=True)
class Surface:
    """What a surface treatment does to the excitons' motion.

    Attributes
    ----------
    d_inf_cm2_s, d_0_cm2_s : float
        Diffusivity at 300 K for rare and for frequent excitation, in cm^2/s.
    tau_relax_us : float
        Time in which a nanocrystal forgets its last excitation at 300 K, in us.
    """

    d_inf_cm2_s: float
    d_0_cm2_s: float
    tau_relax_us: float


PRESETS = {
    "ola-oa": Surface(0.010, 0.15, 6.0),
    "zwitterionic": Surface(0.012, 0.14, 6.0),
    "ald-alox": Surface(0.010, 0.06, 6.0),
    "cald-alox": Surface(0.003, 0.03, 10.8),
}
"""The paper's surface treatments; their numbers are (ours), after its figures."""


@dataclass(frozen=True)
class SampleSettings:
    """Numbers of the simulated film.

    Attributes
    ----------
    surface : Surface
        One of `PRESETS`, or another.
    relaxation_k : float
        T_r in tau_relax(T) = tau_relax(300 K) exp[T_r (1/T - 1/300 K)]; 113.8 K turns 6 us into 40 us at 50 K (ours).
    temperatures_k, relative_diffusivity : tuple of float
        D at 1 nW relative to 300 K, ascending in temperature (ours); held constant outside.
    low_power_nw, high_power_nw : float
        Powers between which lifetime and exponent change, linear in log(power); constant outside.
    lifetimes_ns, tail_exponents : tuple of float
        Prompt lifetime and exponent of the power-law tail at low and at high power.
    prompt_ns : float
        Age at which the decay turns into the power law and the spreading turns sublinear.
    spreading_exponent : float
        Exponent of the mean squared displacement beyond `prompt_ns` (ours).
    rate_cps : float
        Photons/s on a pixel of 101 nm at the centre of the spot at `rate_power_nw`, brightness 1 (ours).
    rate_power_nw : float
        Average power for `rate_cps`; the rate is proportional to the power.
    brightness : float
        Factor on `rate_cps`.
    is_single_emitter : bool
        One emitter under even illumination instead of a film: it does not spread, and the stage carries its image
        along (ours; what magnification and focus are calibrated with).
    """

    surface: Surface = PRESETS["ola-oa"]
    relaxation_k: float = 113.8
    temperatures_k: tuple[float, ...] = (5.0, 50.0, 100.0, 150.0, 200.0, 250.0, 300.0)
    relative_diffusivity: tuple[float, ...] = (0.4, 0.8, 1.5, 2.0, 1.7, 1.3, 1.0)
    low_power_nw: float = 0.5
    high_power_nw: float = 20.0
    lifetimes_ns: tuple[float, float] = (2.3, 1.5)
    tail_exponents: tuple[float, float] = (1.5, 1.7)
    prompt_ns: float = 3.0
    spreading_exponent: float = 0.4
    rate_cps: float = 20_000.0
    rate_power_nw: float = 10.0
    brightness: float = 1.0
    is_single_emitter: bool = False


@dataclass(frozen=True)
class Conditions:
    """Under which light, and where, the sample shines.

    Attributes
    ----------
    average_power_nw : float
        At the sample; 0 is dark.
    repetition_rate_hz : float
        Of the laser; positive also when the light is blocked.
    temperature_k : float
        Of the sample.
    spot : tuple of int
        Names the spot on the film; the same pair is the same spot.
    transmission : float
        Of the filters in the detection path, 0 to 1.
    """

    average_power_nw: float
    repetition_rate_hz: float
    temperature_k: float = 300.0
    spot: tuple[int, int] = (0, 0)
    transmission: float = 1.0


@dataclass(frozen=True)
class Decay:
    """Exponential until `prompt_ns`, then a power law, continuous; 1 at age 0.

    Attributes
    ----------
    lifetime_ns, tail_exponent, prompt_ns : float
        Lifetime of the exponential, exponent of the power law, age where one turns into the other.
    """

    lifetime_ns: float
    tail_exponent: float
    prompt_ns: float

    def __call__(self, age_ns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the emission at each age in ns >= 0, relative to age 0 (same shape)."""
        late = np.maximum(age_ns, self.prompt_ns) / self.prompt_ns
        return np.exp(-np.minimum(age_ns, self.prompt_ns) / self.lifetime_ns) * late**-self.tail_exponent


@dataclass(frozen=True)
class Sample:
    """The simulated film.

    Attributes
    ----------
    settings : SampleSettings
        Its numbers.
    """

    settings: SampleSettings = SampleSettings()

    def diffusivity_cm2_s(self, conditions: Conditions) -> float:
        """Return D per axis in cm^2/s within the prompt time.

        Examples
        --------
        >>> round(Sample().diffusivity_cm2_s(Conditions(average_power_nw=10.0, repetition_rate_hz=2.5e6)), 5)
        0.07084
        """
        if self.settings.is_single_emitter:
            return 0.0
        temperature_k = conditions.temperature_k
        reference = self._enhanced_cm2_s(1.0, 300.0) / self._enhanced_cm2_s(1.0, temperature_k)
        return (
            self._relative(temperature_k) * reference * self._enhanced_cm2_s(conditions.average_power_nw, temperature_k)
        )

    def decay(self, conditions: Conditions) -> Decay:
        """Return the decay of the photoluminescence at the power of `conditions`."""
        s = self.settings
        span = math.log(s.high_power_nw / s.low_power_nw)
        power_nw = min(max(conditions.average_power_nw, s.low_power_nw), s.high_power_nw)
        share = math.log(power_nw / s.low_power_nw) / span
        lifetime_ns, exponent = (low + share * (high - low) for low, high in (s.lifetimes_ns, s.tail_exponents))
        return Decay(lifetime_ns, exponent, s.prompt_ns)

    def displacement_nm2(self, conditions: Conditions, age_ns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean squared displacement per axis in nm^2 at each age in ns >= 0 (same shape)."""
        s = self.settings
        late = np.maximum(age_ns, s.prompt_ns) / s.prompt_ns
        slope_nm2_ns = 2.0 * self.diffusivity_cm2_s(conditions) * NM2_PER_NS
        return slope_nm2_ns * np.minimum(age_ns, s.prompt_ns) * late**s.spreading_exponent

    def rate_cps(self, conditions: Conditions) -> float:
        """Return the mean photons/s on a 101 nm pixel at the centre of a spot of mean brightness."""
        s = self.settings
        return s.rate_cps * s.brightness * conditions.average_power_nw / s.rate_power_nw * conditions.transmission

    def _enhanced_cm2_s(self, power_nw: float, temperature_k: float) -> float:
        """Return D_inf + (D_0 - D_inf) exp(-t_exc / tau_relax(T)), before the factor for the temperature."""
        surface = self.settings.surface
        relaxation = self.settings.relaxation_k * (1.0 / temperature_k - 1.0 / 300.0)
        rest = EXCITATION_US_NW / (surface.tau_relax_us * math.exp(relaxation)) / power_nw if power_nw > 0 else math.inf
        return surface.d_inf_cm2_s + (surface.d_0_cm2_s - surface.d_inf_cm2_s) * math.exp(-rest)

    def _relative(self, temperature_k: float) -> float:
        """Return D at 1 nW relative to 300 K."""
        s = self.settings
        inside_k = min(max(temperature_k, s.temperatures_k[0]), s.temperatures_k[-1])
        return float(_smooth_curve(s.temperatures_k, s.relative_diffusivity)(inside_k))


@lru_cache(maxsize=8)
def _smooth_curve(nodes: tuple[float, ...], values: tuple[float, ...]) -> PchipInterpolator:
    """Return the monotone cubic through the nodes, made once per table."""
    return PchipInterpolator(nodes, values)

"""What disturbs the simulated measurement: slow noise of the laser power, lateral drift, bright and dim spots.

All three follow from the seed and the simulated time alone: who asks, how often and in which order changes nothing.
Power noise acts on the brightness; its effect on the diffusivity (below 0.1 %) is left out.
All strengths are ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

_BLOCK_S = 4096

# Which stream of the seed is whose.
_SPOT, _DRIFT, _POWER = 1, 2, 3


@dataclass(frozen=True)
class NoiseSettings:
    """What disturbs a measurement; zero switches one off. All values (ours).

    Attributes
    ----------
    seed : int
        Of power noise, drift direction and the brightness of the spots.
    power_rms : float
        Relative rms of the laser power.
    power_correlation_s : float
        Time after which the power noise has forgotten 63 % of itself, in s.
    drift_nm_per_min : float
        Lateral drift of the sample against the detector, in nm per minute, always in one direction.
    spot_spread : float
        Brightness of a spot lies within 1 plus or minus this.
    """

    seed: int = 0
    power_rms: float = 0.001
    power_correlation_s: float = 10.0
    drift_nm_per_min: float = 1.0
    spot_spread: float = 0.10


class Drift(NamedTuple):
    """How far the spot has moved in the sample plane, in nm."""

    x_nm: float
    y_nm: float


class Noise:
    """The disturbances of one simulated microscope.

    Parameters
    ----------
    settings : NoiseSettings
        Seed and strengths.
    """

    def __init__(self, settings: NoiseSettings) -> None:
        self._settings = settings
        self._direction = float(np.random.default_rng([settings.seed, _DRIFT]).uniform(0.0, 2.0 * math.pi))
        self._power_generator = np.random.default_rng([settings.seed, _POWER])
        self._power_path = self._power_generator.standard_normal(1)
        self._brightness: dict[tuple[int, int], float] = {}

    def power_factor(self, time_ns: int) -> float:
        """Return the laser power at `time_ns` relative to its mean; constant until `steady_until_ns`."""
        second = time_ns // 1_000_000_000
        while second >= len(self._power_path):
            self._extend_power_path()
        return 1.0 + self._settings.power_rms * float(self._power_path[second])

    def steady_until_ns(self, time_ns: int) -> int:
        """Return until when the power keeps its value of `time_ns`."""
        return (time_ns // 1_000_000_000 + 1) * 1_000_000_000

    def drift(self, time_ns: int) -> Drift:
        """Return how far the spot has drifted between time 0 and `time_ns`."""
        distance_nm = self._settings.drift_nm_per_min * time_ns / 60e9
        return Drift(distance_nm * math.cos(self._direction), distance_nm * math.sin(self._direction))

    def spot_brightness(self, spot: tuple[int, int]) -> float:
        """Return the brightness of a spot relative to the film's mean."""
        if spot not in self._brightness:
            key = [self._settings.seed, _SPOT, *(2 * abs(index) + (index < 0) for index in spot)]
            drawn = float(np.random.default_rng(key).uniform(-1.0, 1.0))
            self._brightness[spot] = 1.0 + self._settings.spot_spread * drawn
        return self._brightness[spot]

    def _extend_power_path(self) -> None:
        """Continue the path, one value per second, by a whole block: a first-order autoregressive process."""
        memory = math.exp(-1.0 / self._settings.power_correlation_s)
        pushes = math.sqrt(1.0 - memory**2) * self._power_generator.standard_normal(_BLOCK_S)
        value, more = float(self._power_path[-1]), np.empty(_BLOCK_S)
        for second, push in enumerate(pushes.tolist()):
            value = memory * value + push
            more[second] = value
        self._power_path = np.concatenate((self._power_path, more))

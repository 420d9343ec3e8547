"""The platform of a cryostat under a temperature controller: sensors, heater, control loop, over time.

Input A sits on the platform, which output 1 heats; input B sits on the sample, which lags behind.
Output 2 keeps its settings but drives no heater. This is the state behind `lakeshore335.py`, which
knows the words for it; nothing here is text. All thermal numbers are **ours**, and so are the diode
law and a setpoint ramp that starts at the old setpoint. Not modelled: PID (the loop is a first-order
lag), cooling faster than a bare platform cools, autotuning, zones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf

import numpy as np

from simulators.thermal import Leg, Trajectory, clipped_ramp

PLATFORM_LAG_S, SAMPLE_LAG_S, COOLING_LAG_S = 20.0, 5.0, 600.0
"""Time constants of the controlled platform, of the sample behind it, and of the platform left alone (ours)."""
SPAN_K = (0.0, 32.5, 325.0, 3250.0)
"""Warming by full power in the ranges off, low, medium, high: 0.5, 5, 50 W on 65 K/W (ours)."""
READING_NOISE_K = 0.01
"""Noise of a reading, rms (ours)."""
READING_INTERVAL_NS = 100_000_000
"""The box makes ten readings a second."""

KELVIN, CELSIUS, SENSOR = 1, 2, 3
MODE_OFF, CLOSED_LOOP, OPEN_LOOP = 0, 1, 3


@dataclass
class Input:
    """Settings of one input and the state of its sensor; `limit_k` 0 means no limit."""

    intype: tuple[int, int, int, int, int] = (1, 0, 0, 0, KELVIN)
    curve: int = 2
    limit_k: float = 0.0
    label: str = ""
    is_unplugged: bool = False


@dataclass
class Output:
    """Settings of one control output; setpoints are in the unit of its input, rates in that per minute."""

    setpoint: float = 0.0
    ramp_from: float = 0.0
    is_ramp_on: bool = False
    rate: float = 0.0
    range: int = 0
    manual_percent: float = 0.0
    outmode: tuple[int, int, int] = (MODE_OFF, 0, 0)
    pid: tuple[float, float, float] = (50.0, 20.0, 0.0)
    heater_error: int = 0
    heater_setup: tuple[float, ...] = (0, 1, 2, 0.0, 2)
    is_stuck: bool = False

    @property
    def rate_per_s(self) -> float:
        """Rate at which the setpoint moves, ``inf`` with the ramp off or at rate 0, and 0 when it is stuck."""
        if self.is_stuck and self.is_ramp_on:
            return 0.0
        return self.rate / 60.0 if self.is_ramp_on and self.rate else inf


@dataclass
class ColdPlatform:
    """Platform and sample, held at `temperature_k` by output 1 in the lowest range that can do it.

    Attributes
    ----------
    temperature_k : float
        Temperature of both at the beginning, in K.
    base_k : float
        Where the platform goes without heating, in K.
    seed : int
        Seed of the readings' noise.
    inputs, outputs : dict
        By the names "A", "B" and 1, 2.
    """

    temperature_k: float
    base_k: float
    seed: int
    inputs: dict[str, Input] = field(default_factory=lambda: {"A": Input(), "B": Input()})
    outputs: dict[int, Output] = field(default_factory=lambda: {1: Output(), 2: Output()})

    def __post_init__(self) -> None:
        self._now_ns = 0
        heater = self.outputs[1]
        heater.setpoint = heater.ramp_from = self.temperature_k
        heater.outmode = (CLOSED_LOOP, 1, 0)
        heater.range = next((r for r in (1, 2, 3) if self.temperature_k <= self.base_k + SPAN_K[r]), 3)
        self._begin((self.temperature_k, self.temperature_k))

    def trips_by(self, now_ns: int) -> bool:
        """Tell whether an over-temperature limit will have acted by `now_ns`."""
        return self._trip_ns is not None and now_ns >= self._trip_ns

    def advance(self, now_ns: int) -> None:
        """Go on to `now_ns`; the over-temperature limits act at their own moment in between."""
        if self._trip_ns is not None and self.trips_by(now_ns):
            self._now_ns = self._trip_ns
            with self.changing():
                for output in self.outputs.values():
                    output.range = 0
        self._now_ns = now_ns

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Close the thermal conditions of this moment, and open new ones with what the block has set."""
        nodes_k = self.nodes_k()
        for number, output in self.outputs.items():
            output.ramp_from = self.moving_setpoint(number)
        yield
        self._begin(nodes_k)

    def nodes_k(self) -> tuple[float, float]:
        """Return the true temperatures of platform and sample, in K."""
        return self._trajectory.at(self._elapsed_s)

    def reading(self, channel: str, units: int) -> float:
        """Return what input "A" or "B" shows, in kelvin, degree Celsius or volts; 0 for an unplugged sensor."""
        if self.inputs[channel].is_unplugged:
            return 0.0
        node = "AB".index(channel)
        noise = np.random.default_rng([self.seed, node, self._now_ns // READING_INTERVAL_NS])
        return _from_kelvin(self.nodes_k()[node] + float(noise.normal(0.0, READING_NOISE_K)), units)

    def moving_setpoint(self, number: int) -> float:
        """Return where the setpoint of an output is on its ramp, in the unit of its input."""
        output = self.outputs[number]
        if output.rate_per_s == inf:
            return output.setpoint
        way = output.rate_per_s * self._elapsed_s
        return min(max(output.setpoint, output.ramp_from - way), output.ramp_from + way)

    def heater_percent(self, number: int) -> float:
        """Return the power of an output's heater, in % of its range."""
        output = self.outputs[number]
        if number != 1 or not output.range:
            return 0.0
        platform_k = self.nodes_k()[0]
        slope_k_s = (self._trajectory.drive_k(self._elapsed_s) - platform_k) / self._trajectory.platform_lag_s
        percent = 100.0 * (platform_k - self.base_k + COOLING_LAG_S * slope_k_s) / SPAN_K[output.range]
        return min(max(percent, 0.0), 100.0)

    @property
    def _elapsed_s(self) -> float:
        return (self._now_ns - self._anchor_ns) * 1e-9

    def _begin(self, nodes_k: tuple[float, float]) -> None:
        heater = self.outputs[1]
        is_closed = heater.range > 0 and heater.outmode[0] == CLOSED_LOOP and heater.outmode[1] > 0
        lag_s = PLATFORM_LAG_S if is_closed else COOLING_LAG_S
        self._anchor_ns = self._now_ns
        self._trajectory = Trajectory(*nodes_k, self._drive(heater, is_closed), lag_s, SAMPLE_LAG_S)
        trips_s = [self._trajectory.first_above(i.limit_k, n) for n, i in enumerate(self.inputs.values()) if i.limit_k]
        trips_ns = [self._anchor_ns + round(trip_s * 1e9) for trip_s in trips_s if trip_s is not None]
        self._trip_ns = min(trips_ns, default=None) if heater.range else None

    def _drive(self, heater: Output, is_closed: bool) -> tuple[Leg, ...]:
        top_k = self.base_k + SPAN_K[heater.range]
        if not is_closed:
            percent = heater.manual_percent if heater.outmode[0] == OPEN_LOOP else 0.0
            return (Leg(inf, self.base_k + (top_k - self.base_k) * percent / 100.0, 0.0),)
        units = self.inputs["AB"[heater.outmode[1] - 1]].intype[4]
        start_k, target_k = (_to_kelvin(value, units) for value in (heater.ramp_from, heater.setpoint))
        rate_k_s = heater.rate_per_s if units != SENSOR else inf
        if rate_k_s == 0.0:
            target_k, rate_k_s = start_k, inf
        return clipped_ramp(start_k, target_k, rate_k_s, self.base_k, top_k)


def _to_kelvin(value: float, units: int) -> float:
    """Convert from kelvin, degree Celsius, or volts of a diode that loses 4 mV per K (ours)."""
    return {KELVIN: value, CELSIUS: value + 273.15, SENSOR: (1.6 - value) / 0.004}[units]


def _from_kelvin(value_k: float, units: int) -> float:
    return {KELVIN: value_k, CELSIUS: value_k - 273.15, SENSOR: 1.6 - 0.004 * value_k}[units]

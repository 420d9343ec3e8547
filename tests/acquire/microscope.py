"""A microscope of plain objects, for tests of order and timing; devices have their own tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from simulators.clock import SimClock
from tplm_daq.readings import Histogram, Position, Rates, Setting

N_BINS = 100


class Part:
    """What all parts share; `log` lists what was done, in order."""

    address = "here"

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.log = log

    def snapshot(self) -> Mapping[str, Setting]:
        return {}

    def make_safe(self) -> None:
        self.log.append(f"{self.name} safe")

    def close(self) -> None:
        self.log.append(f"{self.name} closed")


class Laser(Part):
    lit = False
    measured_nw: float | None = None

    def __init__(self, name: str, log: list[str]) -> None:
        super().__init__(name, log)
        self.power_ages_s: list[float] = []

    def prepare(self, repetition_rate_hz: float, average_power_nw: float) -> None:
        self.log.append("laser prepared")

    def turn_on(self) -> None:
        self.lit = True
        self.log.append("light on")

    def turn_off(self) -> None:
        self.lit = False
        self.log.append("light off")

    def is_on(self) -> bool:
        return self.lit

    def average_power_nw(self) -> float:
        return 10.0

    def measured_power_nw(self, max_age_s: float) -> float | None:
        self.power_ages_s.append(max_age_s)
        return self.measured_nw

    def explain_sync(self, sync_hz: float) -> str:
        return ""


class Counter(Part):
    dead_time_ns = 95.0

    def __init__(self, name: str, log: list[str], clock: SimClock) -> None:
        super().__init__(name, log)
        self.clock = clock
        self.sync_hz = 2.5e6
        self.input_cps = 1000.0
        self.due_s: float | None = None
        self.dwell_s = 0.0
        self.never_ends = False
        self.has_overflow = False

    def bin_widths_ps(self) -> tuple[float, ...]:
        return (16.0,)

    def configure(
        self, bin_width_ps: float, sync_rate_hz: float, mode: str = "histogram", keep_words: bool = False
    ) -> NDArray[np.float64]:
        return (np.arange(N_BINS) + 0.5) * bin_width_ps * 1e-3

    def arm(self, dwell_s: float) -> None:
        self.due_s, self.dwell_s = self.clock.now() + dwell_s, dwell_s
        self.log.append("armed")

    def is_done(self) -> bool:
        assert self.due_s is not None
        return self.clock.now() >= self.due_s and not self.never_ends

    def read_words(self) -> NDArray[np.uint32]:
        return np.zeros(0, dtype=np.uint32)

    def read_counts(self) -> Histogram:
        self.log.append("read")
        return Histogram(np.full(N_BINS, 7, dtype=np.uint32), self.dwell_s, self.has_overflow)

    def rates(self) -> Rates:
        return Rates(self.sync_hz, self.input_cps)

    def warnings(self) -> tuple[str, ...]:
        return ()

    def stop(self) -> None:
        self.log.append("counter stopped")


class Detector(Part):
    def __init__(self, name: str, log: list[str], clock: SimClock) -> None:
        super().__init__(name, log)
        self.clock = clock
        self.target = (0.0, 0.0)
        self.due_s = 0.0
        self.is_stuck = False

    def limits_nm(self, axis: str) -> tuple[float, float]:
        return (-1e4, 1e4)

    def is_homed(self) -> bool:
        return True

    def home(self) -> None:
        self.log.append("homing")

    def move_to(self, x_nm: float, y_nm: float) -> None:
        self.target, self.due_s = (x_nm, y_nm), self.clock.now() + 0.2
        self.log.append("move")

    def stragglers(self) -> str:
        return self.name

    def has_arrived(self) -> bool:
        return self.clock.now() >= self.due_s and not self.is_stuck

    def travel_time_s(self, x_nm: float, y_nm: float) -> float:
        return 0.2

    def position(self) -> Position:
        return Position(*self.target, 12.5, 12.5)


class Thermostat(Part):
    """Approaches its setpoint at one kelvin a second, and stays `error_k` beside it."""

    ramp_k_min = 60.0

    def __init__(self, name: str, log: list[str], clock: SimClock) -> None:
        super().__init__(name, log)
        self.clock = clock
        self.wanted_k = 300.0
        self.from_k, self.since_s = 300.0, 0.0
        self.error_k = 0.0

    def temperature_k(self) -> float:
        way_k = self.wanted_k - self.from_k
        done_k = min(abs(way_k), self.clock.now() - self.since_s)
        return self.from_k + (done_k if way_k > 0 else -done_k) + self.error_k

    def set_temperature(self, kelvin: float) -> None:
        self.from_k, self.since_s, self.wanted_k = self.temperature_k(), self.clock.now(), kelvin
        self.log.append(f"setpoint {kelvin:g} K")

    def is_settled(self) -> bool:
        return abs(self.temperature_k() - self.error_k - self.wanted_k) < 1e-6

    def heaters_off(self) -> None:
        self.log.append("heaters off")


class FakeMicroscope:
    """All roles that a scan needs, and a log of what was done to them."""

    gate = None
    detection_filter = None
    thermostat: Thermostat | None = None
    stage = None

    def __init__(self) -> None:
        self.clock = SimClock()
        self.log: list[str] = []
        self.laser = Laser("laser", self.log)
        self.counter = Counter("counter", self.log, self.clock)
        self.detector = Detector("detector", self.log, self.clock)
        self.on_safe: Callable[[], None] = lambda: None
        self.watchdog_fault: Exception | None = None

    def check_watchdog(self) -> None:
        if self.watchdog_fault is not None:
            raise self.watchdog_fault

    def make_safe(self) -> None:
        self.log.append("safe")
        self.on_safe()

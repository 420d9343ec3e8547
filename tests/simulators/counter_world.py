"""A bench for tests of the counter: a hand for the clock, a hand for the light."""

import dataclasses
import threading

import numpy as np

from simulators.emission import FAR_NS, Emission

MS = 1_000_000
SECOND = 1_000_000_000


class CounterWorld:
    """What the counter's double asks of the world; every attribute may be changed by the test."""

    def __init__(self, light: Emission) -> None:
        self.lock = threading.RLock()
        self.time_ns = 0
        self.light = light
        self.sync_hz = 1e9 / light.period_ns
        self.hold_ns = FAR_NS

    def now_ns(self) -> int:
        return self.time_ns

    def sync_rate_hz(self) -> float:
        return self.sync_hz

    def emission(self, time_ns: int) -> Emission:
        return dataclasses.replace(self.light, valid_until_ns=min(FAR_NS, time_ns + self.hold_ns))


def flash(delay_ns: float, photons: float, period_ns: float = 400.0) -> Emission:
    """All photons within 4 ps after `delay_ns`."""
    edges_ns = np.array([0.0, delay_ns, delay_ns + 0.004, period_ns])
    return Emission(period_ns, edges_ns, np.array([0.0, 0.0, photons, photons]))

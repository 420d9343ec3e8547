"""One measurement of a counter's double: photons recorded as simulated time passes.

The photons are drawn from a stream keyed by the seed and the simulated time at which the measurement began.
However often it is looked at, and in however many steps time passes, it records the same photons.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from simulators.detection import Detection, DetectorSettings, Photons
from simulators.tcspc.world import World

_LONGEST_STRETCH_NS = 10_000_000_000  # keeps times within a stretch exact to some fs


class Recorder(Protocol):
    """What a mode makes of photons and sync pulses."""

    def record(self, photons: Photons, period_ns: float, syncs_before: float, phase_ns: float) -> int:
        """Take photons; return the number of the one with which the measurement ended, -1 if it goes on.

        `syncs_before` sync pulses have passed since the start of the measurement when the present stretch began, which
        was `phase_ns` after a pulse; the photons' times count from there.
        """

    def pass_syncs(self, n_syncs: float) -> bool:
        """Take note of how many sync pulses have passed since the start; False ends the measurement."""


class Run:
    """A measurement from its start to its end.

    Parameters
    ----------
    world : World
        Where light and time come from.
    detector : DetectorSettings
        Dead times and after-pulsing.
    recorder : Recorder
        Where the photons go.
    duration_ns : int
        Time asked for.
    seed : int
        Together with the present simulated time, the key of the photons' stream.
    """

    def __init__(
        self, world: World, detector: DetectorSettings, recorder: Recorder, duration_ns: int, seed: int
    ) -> None:
        self._world = world
        self._recorder = recorder
        self._start_ns = self._drawn_ns = world.now_ns()
        self._end_ns = self._start_ns + duration_ns
        self._detection = Detection(detector, np.random.default_rng([seed, self._start_ns]))
        self._stretch_start_ns = self._stretch_end_ns = self._start_ns
        self._period_ns = self._phase_ns = 0.0
        self._syncs_before = 0.0

    @property
    def is_over(self) -> bool:
        """Whether the measurement has ended by the present simulated time."""
        self.catch_up()
        return self._world.now_ns() >= self._end_ns

    @property
    def elapsed_ns(self) -> int:
        """How long the measurement has counted."""
        self.catch_up()
        return min(self._world.now_ns(), self._end_ns) - self._start_ns

    def stop(self) -> None:
        """End the measurement now, unless it has ended."""
        self.catch_up()
        self._end_ns = min(self._end_ns, self._world.now_ns())

    def settle(self) -> None:
        """Record the photons up to now and ask for the light anew: conditions are about to change."""
        self.catch_up()
        self._stretch_end_ns = min(self._stretch_end_ns, self._drawn_ns)

    def catch_up(self) -> None:
        """Record the photons up to the present simulated time."""
        while (stop_ns := min(self._world.now_ns(), self._end_ns)) > self._drawn_ns:
            if self._drawn_ns >= self._stretch_end_ns:
                self._begin_stretch()
            self._record_until(min(stop_ns, self._stretch_end_ns))

    def _begin_stretch(self) -> None:
        """Ask for the light from here on."""
        start_ns = self._drawn_ns
        emission = self._world.emission(start_ns)
        if emission.valid_until_ns <= start_ns:
            raise ValueError(
                f"the light at {start_ns} ns was said to hold until {emission.valid_until_ns} ns, not later"
            )
        self._detection.begin(emission, start_ns)
        self._syncs_before = self._syncs_until(start_ns)
        self._stretch_start_ns = start_ns
        self._stretch_end_ns = min(emission.valid_until_ns, start_ns + _LONGEST_STRETCH_NS)
        self._period_ns = emission.period_ns if self._world.sync_rate_hz() > 0 else 0.0
        self._phase_ns = math.fmod(start_ns, emission.period_ns)

    def _syncs_until(self, time_ns: int) -> float:
        """Return the number of sync pulses since the start of the measurement."""
        if self._period_ns == 0.0:
            return self._syncs_before
        return self._syncs_before + math.floor((time_ns - self._stretch_start_ns + self._phase_ns) / self._period_ns)

    def _record_until(self, stop_ns: int) -> None:
        """Hand on the photons of the present stretch up to `stop_ns`; end where the recorder says."""
        self._drawn_ns = stop_ns
        for photons in self._detection.advance(stop_ns):
            if self._period_ns == 0.0:
                continue  # a photon without a start signal is not measured
            last = self._recorder.record(photons, self._period_ns, self._syncs_before, self._phase_ns)
            if last >= 0:
                self._end_ns = self._drawn_ns = self._stretch_start_ns + int(photons.time_ns[last])
                return
        if not self._recorder.pass_syncs(self._syncs_until(stop_ns)):
            self._end_ns = self._drawn_ns

"""What the simulated PicoHarp 300 and TimeHarp 260 do alike: states, runs in two modes, meters, markers.

Methods are the library's functions with Python values in and out; `table.py` gives them their C face. A method
refuses by raising `Refused` with the error code that the library would return.

What the documents leave open was decided here (ours): changing anything during a measurement is refused with
INSTANCE_RUNNING, identity and settings need an initialised device, reading what belongs to the other mode is refused
with INVALID_MODE, and with a sync divider delays and sync numbers still count from the laser's own pulses.
Discriminator levels are checked, but every level counts every pulse. Nothing is connected to the marker inputs.
"""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from simulators.detection import DetectorSettings
from simulators.emission import Emission, detected_cps
from simulators.tcspc.histogramming import DelaySettings, Histogramming
from simulators.tcspc.meter import RateMeter
from simulators.tcspc.refusal import INVALID_MODE, check
from simulators.tcspc.run import Recorder, Run
from simulators.tcspc.tagging import RecordLayout, Tagging
from simulators.tcspc.world import World

MOST_WORDS = 131072
"""Records that one call hands over."""

HISTOGRAM, T3 = 0, 3


class Readiness(IntEnum):
    """How far the device has been brought up; each step includes those before."""

    CLOSED = 0
    OPEN = 1
    INITIALISED = 2
    CALIBRATED = 3


class CounterDevice:
    """One simulated counter.

    Parameters
    ----------
    world : World
        Laser, light and time.
    detector : DetectorSettings
        The photodiode in front of it, and its own dead time.
    seed : int
        Of the photons.
    serial : str
        Serial number.
    settings : DelaySettings
        After initialising.
    n_bins : int
        Of the longest histogram.

    Attributes
    ----------
    full_at : int or None
        Fault: in measurements begun from now on, a bin is full at so many counts and ends them.
    """

    max_count: ClassVar[int]
    """What a bin can hold."""
    layout: RecordLayout
    word_step: ClassVar[int]
    """Records are asked for in multiples of this."""
    max_holdoff_ns: ClassVar[int]
    first_readiness: ClassVar[Readiness]
    """Reached by initialising."""

    def __init__(
        self,
        world: World,
        detector: DetectorSettings,
        seed: int,
        serial: str,
        settings: DelaySettings,
        n_bins: int,
    ) -> None:
        self.readiness = Readiness.CLOSED
        self.fault = ""
        self.full_at: int | None = None
        self._world = world
        self._detector = detector
        self._seed = seed
        self._serial = serial
        self._meter = RateMeter(seed)
        self._initial = self._settings = settings
        self._counts: NDArray[np.uint32] = np.zeros(n_bins, dtype=np.uint32)
        self._mode = HISTOGRAM
        self._run: Run | None = None
        self._histogramming: Histogramming | None = None
        self._tagging: Tagging | None = None
        self._divider = 1
        self._metered: tuple[Emission, float] | None = None

    @property
    def is_running(self) -> bool:
        """Whether a measurement is going on."""
        return self._run is not None and not self._run.is_over

    def settle(self) -> None:
        """Count everything up to now: conditions are about to change."""
        if self.readiness >= Readiness.INITIALISED:
            self._meter.remember(self._world.now_ns(), self._world.sync_rate_hz(), self._expected_cps())
        if self._run is not None:
            self._run.settle()

    def fill_fifo(self) -> None:
        """Fault: the FIFO of the present measurement holds no more than it does now."""
        if self._run is not None and self._tagging is not None:
            self._run.catch_up()
            self._tagging.fill()

    def open(self) -> str:
        """Open the device and return its serial number."""
        self.readiness = max(self.readiness, Readiness.OPEN)
        return self._serial

    def close(self) -> None:
        """Close the device; a measurement ends."""
        self.stop()
        self.readiness = Readiness.CLOSED

    def initialise(self, mode: int) -> None:
        """Prepare a mode; all settings return to their defaults."""
        check(mode in (HISTOGRAM, T3), INVALID_MODE)
        self._mode = mode
        self._run = self._histogramming = self._tagging = None
        self._settings = self._initial
        self._divider = 1
        self.readiness = self.first_readiness
        self._meter.restart(self._world.now_ns())

    def serial_number(self) -> str:
        """Return the serial number."""
        return self._serial

    def debug_info(self) -> str:
        """Return what went wrong inside."""
        return self.fault

    def set_sync_divider(self, divider: int) -> None:
        """Set the sync divider; the meters begin anew."""
        check(divider in (1, 2, 4, 8))
        self._divider = divider
        self._meter.restart(self._world.now_ns())

    def set_sync_offset(self, offset_ps: int) -> None:
        """Delay the sync signal."""
        check(abs(offset_ps) <= 99_999)
        self._settings = replace(self._settings, sync_offset_ps=offset_ps)

    def set_stop_overflow(self, is_stopping: int, stop_count: int) -> None:
        """Choose whether, and at which count of a bin, a measurement ends."""
        check(is_stopping in (0, 1) and 1 <= stop_count <= self.max_count)
        self._settings = replace(self._settings, stop_count=is_stopping * stop_count)

    def set_marker_enable(self, *are_enabled: int) -> None:
        """Choose which marker inputs count."""
        check(all(each in (0, 1) for each in are_enabled))

    def set_marker_edges(self, *are_rising: int) -> None:
        """Choose the edges of the marker inputs."""
        check(all(each in (0, 1) for each in are_rising))

    def set_marker_holdoff(self, holdoff_ns: int) -> None:
        """Set the marker inputs' dead time."""
        check(0 <= holdoff_ns <= self.max_holdoff_ns)

    def start(self, duration_ms: int) -> None:
        """Begin a measurement."""
        check(1 <= duration_ms <= 360_000_000)
        self._histogramming = self._tagging = None
        self._run = Run(self._world, self._detector, self._recorder(), duration_ms * 1_000_000, self._seed)

    def stop(self) -> None:
        """End the measurement, if there is one."""
        if self._run is not None:
            self._run.stop()

    def status(self) -> int:
        """Return 0 while a measurement runs, else 1."""
        return int(not self.is_running)

    def elapsed_ms(self) -> float:
        """Return how long the last measurement has counted."""
        return 0.0 if self._run is None else self._run.elapsed_ns * 1e-6

    def resolution(self) -> float:
        """Return the bin width in ps."""
        return float(self._settings.tick_ps * 2**self._settings.binning)

    def read_fifo(self, n_most: int) -> tuple[NDArray[np.uint32], int]:
        """Return records and their number."""
        check(self._mode == T3, INVALID_MODE)
        check(0 < n_most <= MOST_WORDS and n_most % self.word_step == 0)
        if self._run is None or self._tagging is None:
            return np.empty(0, dtype=np.uint32), 0
        self._run.catch_up()
        words = self._tagging.read(n_most)
        return words, len(words)

    def _recorder(self) -> Recorder:
        """Return what the present mode makes of photons."""
        if self._mode == HISTOGRAM:
            full_at, settings = self.full_at or self.max_count, self._settings
            settings = settings if self.full_at is None else replace(settings, stop_count=full_at)
            self._histogramming = Histogramming(settings, self._memory(), full_at)
            return self._histogramming
        n_delays = min(2**self.layout.delay_bits, len(self._memory()))
        self._tagging = Tagging(self._settings, self.layout, n_delays)
        return self._tagging

    def _memory(self) -> NDArray[np.uint32]:
        """Return the histogram memory in use."""
        return self._counts

    def _histogram(self) -> NDArray[np.uint32]:
        """Return the histogram up to now."""
        check(self._mode == HISTOGRAM, INVALID_MODE)
        if self._run is not None:
            self._run.catch_up()
        return self._memory()

    def _has_overflow(self) -> bool:
        """Tell whether a bin of the last measurement is full."""
        if self._run is not None:
            self._run.catch_up()
        return self._histogramming is not None and self._histogramming.has_overflow

    def _has_overrun(self) -> bool:
        """Tell whether the FIFO was full in the last measurement."""
        if self._run is not None:
            self._run.catch_up()
        return self._tagging is not None and self._tagging.has_overrun

    def _metered_sync_hz(self) -> int:
        """Return what the meter of the sync input shows, in Hz."""
        return self._meter.read_sync(self._world.now_ns(), self._world.sync_rate_hz(), self._divider)

    def _metered_cps(self) -> int:
        """Return what the meter of the photodiode's input shows, in counts/s."""
        return self._meter.read_photons(self._world.now_ns(), self._expected_cps())

    def _expected_cps(self) -> float:
        """Return the present mean rate of pulses from the photodiode per second."""
        emission = self._world.emission(self._world.now_ns())
        if self._metered is None or self._metered[0] is not emission:
            photons_cps = detected_cps(emission, self._detector.diode_dead_ns)
            self._metered = (emission, photons_cps * (1.0 + self._detector.afterpulse_probability))
        return self._metered[1]

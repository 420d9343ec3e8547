"""The PicoHarp 300 behind its library: states, settings, ranges, rates, warnings and measurements.

Methods are the library's functions with Python values in and out; `table.py` gives them their C face. A method
refuses by raising `Refused` with the error code that the library would return.

What the documents leave open was decided here (ours): changing anything during a measurement is refused with
INSTANCE_RUNNING, identity and settings need an initialised device, a measurement needs a calibrated one, and with a
sync divider the delay still counts from the preceding laser pulse. Discriminator levels are checked, but every level
counts every pulse.

Source: PHLib 3.0 header files (ranges, codes); 5 % and 100 Hz of the warnings from the vendor's TimeHarp 260 and
MultiHarp 150 manuals, 10 Mcps from the converters' speed given on tcspc.com.
"""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from simulators.detection import DetectorSettings
from simulators.emission import Emission, detected_cps
from simulators.picoharp300.meter import RateMeter
from simulators.picoharp300.run import MAX_COUNT, Histogramming, Run
from simulators.picoharp300.world import World

N_BINS = 65536

INSTANCE_RUNNING = -16
INVALID_ARGUMENT = -17
INVALID_MODE = -18

_WARNING_TEXTS = {
    0x0001: "No sync pulses.",
    0x0002: "Sync rate below 100 Hz.",
    0x0004: "Sync rate after the divider above 10 MHz.",
    0x0010: "No photons.",
    0x0040: "Photon rate above 10 Mcps.",
    0x0100: "Photon rate above 5 % of the sync rate.",
    0x0200: "Sync divider greater than one, but not needed.",
    0x0400: "Sync period longer than the time span.",
    0x0800: "Offset set, but the time span covers the sync period.",
}


class Refused(Exception):
    """A call the library would answer with an error code.

    Attributes
    ----------
    code : int
        The negative code.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"error code {code}")
        self.code = code


class Readiness(IntEnum):
    """How far the device has been brought up; each step includes those before."""

    CLOSED = 0
    OPEN = 1
    INITIALISED = 2
    CALIBRATED = 3


class Device:
    """One simulated PicoHarp 300.

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
    """

    def __init__(self, world: World, detector: DetectorSettings, seed: int, serial: str) -> None:
        self.readiness = Readiness.CLOSED
        self.fault = ""
        self._world = world
        self._detector = detector
        self._seed = seed
        self._serial = serial
        self._meter = RateMeter(seed)
        self._counts: NDArray[np.uint32] = np.zeros(N_BINS, dtype=np.uint32)
        self._run: Run | None = None
        self._histogramming = Histogramming(stop_count=MAX_COUNT)
        self._divider = 1
        self._rates_shown = [0, 0]
        self._metered: tuple[Emission, float] | None = None

    @property
    def is_running(self) -> bool:
        """Whether a measurement is going on."""
        return self._run is not None and not self._run.is_over

    def settle(self) -> None:
        """Count everything up to now: conditions are about to change."""
        if self.readiness >= Readiness.INITIALISED:
            self._meter.remember(self._world.now_ns(), *self._expected_rates())
        if self._run is not None:
            self._run.settle()

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
        if mode != 0:
            raise Refused(INVALID_MODE)
        self._run = None
        self._histogramming = Histogramming(stop_count=MAX_COUNT)
        self._divider = 1
        self._rates_shown = [0, 0]
        self.readiness = Readiness.INITIALISED
        self._meter.restart(self._world.now_ns())

    def calibrate(self) -> None:
        """Calibrate the converters."""
        self.readiness = Readiness.CALIBRATED

    def hardware_info(self) -> tuple[str, str, str]:
        """Return model, part number and version."""
        return "PicoHarp 300", "930004", "2.0"

    def serial_number(self) -> str:
        """Return the serial number."""
        return self._serial

    def features(self) -> int:
        """Return the features: library, time tags, markers, low resolution."""
        return 0x0F

    def base_resolution(self) -> tuple[float, int]:
        """Return the base resolution in ps and the number of bin widths."""
        return 4.0, 8

    def debug_info(self) -> str:
        """Return what went wrong inside."""
        return self.fault

    def set_discriminator(self, channel: int, level_mv: int, zero_cross_mv: int) -> None:
        """Set an input's discriminator."""
        _check(channel in (0, 1) and 0 <= level_mv <= 800 and 0 <= zero_cross_mv <= 20)

    def set_sync_divider(self, divider: int) -> None:
        """Set the sync divider; the meters begin anew."""
        _check(divider in (1, 2, 4, 8))
        self._divider = divider
        self._meter.restart(self._world.now_ns())

    def set_sync_offset(self, offset_ps: int) -> None:
        """Delay the sync signal."""
        _check(abs(offset_ps) <= 99_999)
        self._histogramming = replace(self._histogramming, sync_offset_ps=offset_ps)

    def set_stop_overflow(self, is_stopping: int, stop_count: int) -> None:
        """Choose whether, and at which count of a bin, a measurement ends."""
        _check(is_stopping in (0, 1) and 1 <= stop_count <= MAX_COUNT)
        self._histogramming = replace(self._histogramming, stop_count=is_stopping * stop_count)

    def set_binning(self, code: int) -> None:
        """Set the bin width to 4 ps times 2 to the power of the code."""
        _check(0 <= code <= 7)
        self._histogramming = replace(self._histogramming, binning=code)

    def set_offset(self, offset_ps: int) -> None:
        """Set what is subtracted from each delay; rounded to the base resolution."""
        _check(0 <= offset_ps <= 1_000_000_000)
        self._histogramming = replace(self._histogramming, offset_ps=4 * round(offset_ps / 4))

    def set_multistop(self, is_enabled: int) -> None:
        """Choose whether more than one photon per sync counts."""
        _check(is_enabled in (0, 1))
        self._histogramming = replace(self._histogramming, is_multistop=bool(is_enabled))

    def clear_histogram(self, block: int) -> None:
        """Empty the histogram."""
        _check(block == 0)
        self._counts[:] = 0

    def start(self, duration_ms: int) -> None:
        """Begin a measurement."""
        _check(1 <= duration_ms <= 360_000_000)
        duration_ns = duration_ms * 1_000_000
        self._run = Run(self._world, self._detector, self._histogramming, self._counts, duration_ns, self._seed)

    def stop(self) -> None:
        """End the measurement, if there is one."""
        if self._run is not None:
            self._run.stop()

    def status(self) -> int:
        """Return 0 while a measurement runs, else 1."""
        return int(not self.is_running)

    def histogram(self, block: int) -> NDArray[np.uint32]:
        """Return the histogram up to now."""
        _check(block == 0)
        if self._run is not None:
            self._run.catch_up()
        return self._counts

    def resolution(self) -> float:
        """Return the bin width in ps."""
        return 4.0 * 2**self._histogramming.binning

    def count_rate(self, channel: int) -> int:
        """Return the rate of an input and keep it for the warnings."""
        _check(channel in (0, 1))
        shown = self._meter.read(self._world.now_ns(), *self._expected_rates(), self._divider)[channel]
        self._rates_shown[channel] = shown
        return shown

    def flags(self) -> int:
        """Return the flags of the last measurement."""
        if self._run is None:
            return 0
        self._run.catch_up()
        return 0x0040 if self._run.has_overflow else 0

    def elapsed_ms(self) -> float:
        """Return how long the last measurement has counted."""
        return 0.0 if self._run is None else self._run.elapsed_ns * 1e-6

    def warnings(self) -> int:
        """Return the warnings, from the rates last shown."""
        sync_hz, input_cps = self._rates_shown
        period_ps = 1e12 / sync_hz if sync_hz else 0.0
        span_ps = N_BINS * self.resolution()
        offset_ps = self._histogramming.offset_ps
        found = {
            0x0001: sync_hz == 0,
            0x0002: 0 < sync_hz < 100,
            0x0004: sync_hz > 10e6 * self._divider,
            0x0010: input_cps == 0,
            0x0040: input_cps > 10e6,
            0x0100: input_cps > 0.05 * sync_hz > 0,
            0x0200: self._divider > 1 and 0 < sync_hz <= 10e6,
            0x0400: period_ps > span_ps + offset_ps,
            0x0800: offset_ps > 0 and 0 < period_ps <= span_ps,
        }
        return sum(bit for bit, is_found in found.items() if is_found)

    def warnings_text(self, warnings: int) -> str:
        """Return a line for each bit of `warnings`."""
        return "\n".join(text for bit, text in _WARNING_TEXTS.items() if bit & warnings)

    def _expected_rates(self) -> tuple[float, float]:
        """Return the present sync rate in Hz and the mean rate of pulses from the photodiode per second."""
        emission = self._world.emission(self._world.now_ns())
        if self._metered is None or self._metered[0] is not emission:
            photons_cps = detected_cps(emission, self._detector.diode_dead_ns)
            self._metered = (emission, photons_cps * (1.0 + self._detector.afterpulse_probability))
        return self._world.sync_rate_hz(), self._metered[1]


def _check(is_allowed: bool) -> None:
    """Refuse an argument out of its range."""
    if not is_allowed:
        raise Refused(INVALID_ARGUMENT)

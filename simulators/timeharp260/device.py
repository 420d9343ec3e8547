"""The TimeHarp 260 behind its library: PICO and NANO, settings, ranges, rates and warnings.

The detector is at input 0. What the documents leave open was decided here (ours): functions of the other kind of board
are refused with UNSUPPORTED_FUNCTION; a long-range PICO has 16 bin widths, else there are 22; hardware control of
measurements is accepted only as off; the trigger output drives nothing.

Source: TH260Lib 3.2 header files (ranges, codes, flags) and programming manual (warnings, board facts).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulators.detection import DetectorSettings, Photons
from simulators.tcspc.device import T3, CounterDevice, Readiness
from simulators.tcspc.histogramming import DelaySettings
from simulators.tcspc.refusal import check
from simulators.tcspc.run import Recorder
from simulators.tcspc.tagging import RecordLayout
from simulators.tcspc.world import World

LONGEST = 32768
UNSUPPORTED_FUNCTION = -80

_WARNING_TEXTS = {
    0x0001: "No sync pulses.",
    0x0002: "Sync rate below 100 Hz.",
    0x0004: "Sync rate after the divider above 40 MHz.",
    0x0010: "An input without photons.",
    0x0040: "Photon rate above 40 Mcps.",
    0x0100: "Photon rate above 5 % of the sync rate.",
    0x0200: "Sync divider greater than one, but not needed.",
    0x0400: "Sync period longer than the time span.",
    0x0800: "Offset set, but the time span covers the sync period.",
    0x1000: "Sync divider too small.",
    0x2000: "Counts dropped.",
}


@dataclass(frozen=True)
class Kind:
    """PICO or NANO.

    Attributes
    ----------
    model : str
        What the board says it is.
    tick_ps : int
        Base resolution.
    dead_ns : float
        Dead time of an input.
    """

    model: str
    tick_ps: int
    dead_ns: float


PICO = Kind("TimeHarp 260 P", 25, 25.0)
NANO = Kind("TimeHarp 260 N", 250, 2.0)
LONG_RANGE_TICK_PS = 2500
DEAD_TIMES_NS = (24.0, 44.0, 66.0, 88.0, 112.0, 135.0, 160.0, 180.0)


class Silence:
    """What is recorded of an input that is switched off."""

    def record(self, photons: Photons, period_ns: float, syncs_before: float, phase_ns: float) -> int:
        """Forget photons."""
        return -1

    def pass_syncs(self, n_syncs: float) -> bool:
        """Forget sync pulses."""
        return True


class TimeHarp(CounterDevice):
    """One simulated TimeHarp 260.

    Parameters
    ----------
    world, detector, seed, serial
        As for `CounterDevice`; the counter's dead time is the board's own.
    kind : Kind
        PICO or NANO.
    inputs : tuple of int
        How many: 1 (SINGLE) or 2 (DUAL); and which, from 0, has the detector. Nothing is connected to the other.
    """

    max_count = 2**32 - 1
    layout = RecordLayout(sync_bits=10, delay_bits=15, channel=0, has_packed_turns=True)
    word_step = 128
    max_holdoff_ns = 25_500
    first_readiness = Readiness.CALIBRATED  # this library has no function for calibrating

    def __init__(
        self, world: World, detector: DetectorSettings, seed: int, serial: str, kind: Kind, inputs: tuple[int, int]
    ) -> None:
        own = replace(detector, counter_dead_ns=kind.dead_ns)
        super().__init__(world, own, seed, serial, DelaySettings(kind.tick_ps), LONGEST)
        self._kind = kind
        self._n_inputs, self._connected = inputs
        self.layout = replace(self.layout, channel=self._connected)
        self._forget()

    def initialise(self, mode: int) -> None:
        """Prepare a mode with default settings."""
        super().initialise(mode)
        self._forget()

    def hardware_info(self) -> tuple[str, str, str]:
        """Return model, part number and version."""
        return self._kind.model, "930060", "1.0"

    def features(self) -> int:
        """Return the features: all of them on a PICO; a NANO has neither low resolution nor dead times to choose."""
        return 0x3F if self._kind is PICO else 0x17

    def base_resolution(self) -> tuple[float, int]:
        """Return the base resolution in ps and the number of bin widths."""
        return float(self._settings.tick_ps), self._n_widths()

    def n_inputs(self) -> int:
        """Return the number of inputs, sync apart."""
        return self._n_inputs

    def set_timing_mode(self, mode: int) -> None:
        """Choose between short and long range."""
        self._check_kind(PICO)
        check(mode in (0, 1))
        tick_ps = LONG_RANGE_TICK_PS if mode else PICO.tick_ps
        self._settings = replace(self._settings, tick_ps=tick_ps, binning=0)

    def set_sync_discriminator(self, level_mv: int, zero_cross_mv: int) -> None:
        """Set the sync input's discriminator."""
        self._check_kind(PICO)
        check(-1200 <= level_mv <= 0 and -40 <= zero_cross_mv <= 0)

    def set_input_discriminator(self, number: int, level_mv: int, zero_cross_mv: int) -> None:
        """Set an input's discriminator."""
        self._check_input(number)
        self.set_sync_discriminator(level_mv, zero_cross_mv)

    def set_sync_edge(self, level_mv: int, edge: int) -> None:
        """Set the sync input's level and edge."""
        self._check_kind(NANO)
        check(abs(level_mv) <= 1200 and edge in (0, 1))

    def set_input_edge(self, number: int, level_mv: int, edge: int) -> None:
        """Set an input's level and edge."""
        self._check_input(number)
        self.set_sync_edge(level_mv, edge)

    def set_input_offset(self, number: int, offset_ps: int) -> None:
        """Delay an input; it is the opposite of delaying the sync, and shares its setting here."""
        self._check_input(number)
        check(abs(offset_ps) <= 99_999)
        if number == self._connected:
            self._input_offset_ps = offset_ps
            self._apply_offsets()

    def set_sync_offset(self, offset_ps: int) -> None:
        """Delay the sync signal."""
        check(abs(offset_ps) <= 99_999)
        self._sync_offset_ps = offset_ps
        self._apply_offsets()

    def set_input_enable(self, number: int, is_enabled: int) -> None:
        """Switch an input on or off."""
        self._check_input(number)
        check(is_enabled in (0, 1))
        self._enabled[number] = bool(is_enabled)

    def set_dead_time(self, number: int, code: int) -> None:
        """Choose an input's dead time."""
        self._check_kind(PICO)
        self._check_input(number)
        check(0 <= code <= 7)
        if number == self._connected:
            self._detector = replace(self._detector, counter_dead_ns=max(PICO.dead_ns, DEAD_TIMES_NS[code]))

    def set_binning(self, code: int) -> None:
        """Set the bin width to the base resolution times 2 to the power of the code."""
        check(0 <= code < self._n_widths())
        self._settings = replace(self._settings, binning=code)

    def set_offset(self, offset_ns: int) -> None:
        """Set what is subtracted from each delay."""
        check(0 <= offset_ns <= 100_000_000)
        self._settings = replace(self._settings, offset_ps=offset_ns * 1000)

    def set_length(self, code: int) -> int:
        """Choose the length of histograms and return it in bins."""
        check(0 <= code <= 5)
        self._n_bins: int = 1024 * 2**code
        return self._n_bins

    def set_control(self, control: int, start_edge: int, stop_edge: int) -> None:
        """Let the computer start and stop measurements."""
        check(control == 0 and start_edge in (0, 1) and stop_edge in (0, 1))

    def set_trigger_output(self, period: int) -> None:
        """Set the trigger output's period."""
        check(0 <= period <= 16_777_215)

    def clear_histogram(self) -> None:
        """Empty the histogram."""
        self._counts[:] = 0

    def histogram(self, number: int, is_clearing: int) -> NDArray[np.uint32]:
        """Return the histogram up to now, and empty it if wanted."""
        self._check_input(number)
        check(is_clearing in (0, 1))
        counts = self._histogram().copy()
        if number != self._connected:
            return np.zeros_like(counts)
        if is_clearing:
            self._counts[:] = 0
        return counts

    def sync_rate(self) -> int:
        """Return the sync rate and keep it for the warnings."""
        self._sync_shown = self._metered_sync_hz()
        return self._sync_shown

    def count_rate(self, number: int) -> int:
        """Return the rate of an input and keep it for the warnings."""
        self._check_input(number)
        self._inputs_shown[number] = self._metered_cps() if number == self._connected else 0
        return self._inputs_shown[number]

    def sync_period(self) -> float:
        """Return the time between two sync pulses in s, 0 without any."""
        rate_hz = self._world.sync_rate_hz()
        return 1.0 / rate_hz if rate_hz else 0.0

    def flags(self) -> int:
        """Return the flags of the last measurement."""
        has_lost_sync = self._mode == T3 and self.is_running and self._world.sync_rate_hz() == 0
        return 0x0001 * self._has_overflow() | 0x0002 * self._has_overrun() | 0x0004 * has_lost_sync

    def warnings(self) -> int:
        """Return the warnings, from the rates last shown."""
        sync_hz, inputs = self._sync_shown, [self._inputs_shown[i] for i in range(self._n_inputs) if self._enabled[i]]
        period_ps = 1e12 / sync_hz if sync_hz else 0.0
        span_ps = LONGEST * self.resolution()
        is_too_fast = sync_hz > 40e6 * self._divider
        found = {
            0x0001: sync_hz == 0,
            0x0002: 0 < sync_hz < 100,
            0x0004: is_too_fast,
            0x0010: 0 in inputs,
            0x0040: sum(inputs) > 40e6,
            0x0100: max(inputs, default=0) > 0.05 * sync_hz > 0,
            0x0200: self._divider > 1 and 0 < sync_hz < 40e6,
            0x0400: period_ps > span_ps,
            0x0800: self._settings.offset_ps > 0 and 0 < period_ps <= span_ps,
            0x1000: is_too_fast and self._divider < 8,
        }
        return sum(bit for bit, is_found in found.items() if is_found)

    def warnings_text(self, warnings: int) -> str:
        """Return a line for each bit of `warnings`."""
        return "\n".join(text for bit, text in _WARNING_TEXTS.items() if bit & warnings)

    def _forget(self) -> None:
        self._detector = replace(self._detector, counter_dead_ns=self._kind.dead_ns)
        self._n_bins = LONGEST
        self._enabled = [True] * self._n_inputs
        self._sync_offset_ps = self._input_offset_ps = 0
        self._sync_shown, self._inputs_shown = 0, [0] * self._n_inputs

    def _apply_offsets(self) -> None:
        self._settings = replace(self._settings, sync_offset_ps=self._sync_offset_ps - self._input_offset_ps)

    def _n_widths(self) -> int:
        return 16 if self._settings.tick_ps == LONG_RANGE_TICK_PS else 22

    def _memory(self) -> NDArray[np.uint32]:
        return self._counts[: self._n_bins]

    def _recorder(self) -> Recorder:
        return super()._recorder() if self._enabled[self._connected] else Silence()

    def _check_kind(self, wanted: Kind) -> None:
        check(self._kind is wanted, UNSUPPORTED_FUNCTION)

    def _check_input(self, number: int) -> None:
        check(0 <= number < self._n_inputs)

"""Driver of the PicoQuant TimeHarp 260 photon counter, PICO and NANO, in histogram and T3 mode, over TH260Lib 3.2.

The counter measures from each laser pulse (sync) to each photon at its input, in 32 768 bins of 25 ps (PICO) or
250 ps (NANO; 1 ns before 2016) and doublings of that, or hands over a record for each photon (T3 mode).

Unlike PHLib, TH260Lib takes the threshold of negative pulses as a negative number and offsets in ns. Here both are as
for the PicoHarp: a positive depth in mV, and ps. The PICO has discriminators for negative pulses (`set_discriminator`),
the NANO compares with a level of either sign (`set_edge_trigger`).

Only one input is used; `initialise` switches a second one off. T2 mode, the trigger output and hardware control of runs
are not supported. What the caller must wait for is said in `drivers.picoquant.counter`.

Source: TH260Lib 3.2 header files, demonstration programs (order of calls) and programming manual.
"""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from drivers.picoquant.counter import Channel, Counter, Mode, Rates
from drivers.picoquant.limits import MAX_SYNC_OFFSET_PS, check_offset_ps, check_range
from drivers.timeharp260.codes import Edge, Features, Flags, TimeHarpError, TimingMode, Warnings
from drivers.timeharp260.library import LENGTH_CODE, MAX_COUNT, N_BINS, NANO, PICO, TH260LIB
from drivers.timeharp260.limits import (
    DEVICE,
    MAX_HOLDOFF_NS,
    MAX_LEVEL_MV,
    MAX_OFFSET_PS,
    MAX_ZERO_CROSS_MV,
    OFFSET_STEP_PS,
    dead_time_code_of,
    sync_divider_for,
)


class TimeHarp260(Counter):
    """PicoQuant TimeHarp 260 PICO or NANO.

    Parameters
    ----------
    library : ctypes.CDLL
        TH260Lib 3.2, from `drivers.timeharp260.library.load_library`.
    serial : str, optional
        Serial number of the board wanted; without it, the first one that can be opened.
    input_number : int
        Input at which the detector is, 0 or, on DUAL boards, 1.
    """

    vendor = TH260LIB
    error = TimeHarpError
    max_count = MAX_COUNT
    t3_bins = N_BINS
    settle_s = 0.15
    max_holdoff_ns = MAX_HOLDOFF_NS
    sync_divider_for = staticmethod(sync_divider_for)
    _info_lengths = (16, 8, 16)

    def __init__(self, library: ctypes.CDLL, serial: str | None = None, input_number: int = 0) -> None:
        super().__init__(library, serial)
        self._input = input_number
        self._n_inputs = 0
        self._n_bins = 0
        self._model = ""

    def initialise(self, mode: Mode = Mode.HISTOGRAM) -> None:
        """Put the board into `mode` with its longest histogram and one input; wait `settle_s` before `rates`.

        Raises
        ------
        ValueError
            If the mode is neither `Mode.HISTOGRAM` nor `Mode.T3`, or the board lacks the input.
        OSError
            If the board is neither a PICO nor a NANO.
        """
        self._check_mode(mode)
        self._initialise(mode)
        self._model = self.hardware_info.model
        if self._model not in (PICO, NANO):
            raise OSError(f"{DEVICE}: the board says it is a '{self._model}'. This driver knows {PICO} and {NANO}.")
        self._learn_bin_widths()
        self._n_inputs = self._connection.get_int("GetNumOfInputChannels")
        if not 0 <= self._input < self._n_inputs:
            raise ValueError(f"{DEVICE}: input {self._input} does not exist, this board has {self._n_inputs}.")
        for number in range(self._n_inputs):
            self._connection.call("SetInputChannelEnable", number, int(number == self._input))
        self._n_bins = self._connection.get_int("SetHistoLen", LENGTH_CODE)

    @property
    def is_pico(self) -> bool:
        """Get whether the board is a PICO, not a NANO (bool, after `initialise`)."""
        return self._model == PICO

    @property
    def n_bins(self) -> int:
        """Get the number of bins in either mode (int, 32 768; 0 before `initialise`)."""
        return self._n_bins

    @property
    def features(self) -> Features:
        """Get what the board can do (Features)."""
        return Features(self._connection.get_int("GetFeatures"))

    def set_discriminator(self, channel: Channel, level_mv: int, zero_cross_mv: int) -> None:
        """Set the constant-fraction discriminator of one input of a PICO.

        Parameters
        ----------
        channel : Channel
            Which input.
        level_mv : int
            Threshold in mV below zero, 0 to 1200: a positive number for negative pulses.
        zero_cross_mv : int
            Zero crossing in mV below zero, 0 to 40.

        Raises
        ------
        ValueError
            If a value is out of range or the board is a NANO; nothing was sent.
        """
        self._check_kind(PICO, "no constant-fraction discriminator; use set_edge_trigger")
        check_range(DEVICE, "discriminator level", level_mv, 0, MAX_LEVEL_MV, "mV")
        check_range(DEVICE, "zero crossing", zero_cross_mv, 0, MAX_ZERO_CROSS_MV, "mV")
        if channel == Channel.SYNC:
            self._connection.call("SetSyncCFD", -level_mv, -zero_cross_mv)
        else:
            self._connection.call("SetInputCFD", self._input, -level_mv, -zero_cross_mv)

    def set_edge_trigger(self, channel: Channel, level_mv: int, edge: Edge) -> None:
        """Set level and edge of one input of a NANO.

        Parameters
        ----------
        channel : Channel
            Which input.
        level_mv : int
            Level in mV with its sign, -1200 to 1200.
        edge : Edge
            Which crossing of the level counts.

        Raises
        ------
        ValueError
            If the level is out of range or the board is a PICO; nothing was sent.
        """
        self._check_kind(NANO, "no edge trigger; use set_discriminator")
        check_range(DEVICE, "trigger level", level_mv, -MAX_LEVEL_MV, MAX_LEVEL_MV, "mV")
        if channel == Channel.SYNC:
            self._connection.call("SetSyncEdgeTrg", level_mv, Edge(edge))
        else:
            self._connection.call("SetInputEdgeTrg", self._input, level_mv, Edge(edge))

    @property
    def timing_mode(self) -> TimingMode | None:
        """Control the base resolution of a PICO (TimingMode); None until it is written. Bin widths follow."""
        written = self._written.get("SetTimingMode")
        return None if written is None else TimingMode(written)

    @timing_mode.setter
    def timing_mode(self, mode: TimingMode) -> None:
        self._check_kind(PICO, "one base resolution only")
        self._write("SetTimingMode", TimingMode(mode))
        self._learn_bin_widths()

    @property
    def dead_time_ns(self) -> int | None:
        """Control the dead time of a PICO's input in ns (int, 24 to 180 in eight steps); None until it is written."""
        return self._written.get("dead_time_ns")

    @dead_time_ns.setter
    def dead_time_ns(self, dead_time_ns: int) -> None:
        self._check_kind(PICO, "no programmable dead time")
        self._connection.call("SetInputDeadTime", self._input, dead_time_code_of(dead_time_ns))
        self._written["dead_time_ns"] = dead_time_ns

    @property
    def offset_ps(self) -> int | None:
        """Control what is subtracted from every delay, in ps (int, 0 to 1e11, multiple of 1000); None until written."""
        written = self._written.get("SetOffset")
        return None if written is None else written * OFFSET_STEP_PS

    @offset_ps.setter
    def offset_ps(self, offset_ps: int) -> None:
        check_offset_ps(DEVICE, offset_ps, OFFSET_STEP_PS, MAX_OFFSET_PS)
        self._write("SetOffset", offset_ps // OFFSET_STEP_PS)

    @property
    def sync_offset_ps(self) -> int | None:
        """Control a delay added to the sync path, in ps (int, -99999 to 99999); None until written."""
        return self._written.get("SetSyncChannelOffset")

    @sync_offset_ps.setter
    def sync_offset_ps(self, offset_ps: int) -> None:
        check_range(DEVICE, "sync offset", offset_ps, -MAX_SYNC_OFFSET_PS, MAX_SYNC_OFFSET_PS, "ps")
        self._write("SetSyncChannelOffset", offset_ps)

    @property
    def input_offset_ps(self) -> int | None:
        """Control a delay added to the detector's path, in ps (int, -99999 to 99999); None until written."""
        return self._written.get("input_offset_ps")

    @input_offset_ps.setter
    def input_offset_ps(self, offset_ps: int) -> None:
        check_range(DEVICE, "input offset", offset_ps, -MAX_SYNC_OFFSET_PS, MAX_SYNC_OFFSET_PS, "ps")
        self._connection.call("SetInputChannelOffset", self._input, offset_ps)
        self._written["input_offset_ps"] = offset_ps

    @property
    def rates(self) -> Rates:
        """Measure the sync rate in Hz and the detector's rate in counts/s (Rates); renewed every 100 ms."""
        sync_hz = self._connection.get_int("GetSyncRate")
        return Rates(float(sync_hz), float(self._connection.get_int("GetCountRate", self._input)))

    @property
    def sync_period_s(self) -> float:
        """Measure the time between two sync pulses, not averaged, in s (float)."""
        return self._connection.get_double("GetSyncPeriod")

    @property
    def warnings(self) -> Warnings:
        """Get what the library doubts about rates and settings (Warnings); reads all rates first, as it must."""
        self._connection.get_int("GetSyncRate")
        for number in range(self._n_inputs):
            self._connection.get_int("GetCountRate", number)
        return Warnings(self._connection.get_int("GetWarnings"))

    @property
    def flags(self) -> Flags:
        """Get the state of the current or last run (Flags)."""
        return Flags(self._connection.get_int("GetFlags"))

    @property
    def is_bin_full(self) -> bool:
        """Get whether the last run ended early because a bin was full (bool)."""
        return bool(self.flags & Flags.OVERFLOW)

    @property
    def has_lost_words(self) -> bool:
        """Get whether records of the last run are lost: FIFO full, or events dropped in a burst (bool)."""
        return bool(self.flags & (Flags.FIFO_FULL | Flags.EVENTS_DROPPED))

    def read_counts(self) -> NDArray[np.uint32]:
        """Read the histogram; allowed during a run.

        Returns
        -------
        ndarray of uint32, shape (32768,)
            Photons per bin; bin i begins at ``offset_ps + i * bin_width_ps`` after the sync.

        Raises
        ------
        OSError
            If the board reports a system error: its counts cannot be trusted.
        """
        counts = self._connection.get_counts(self._n_bins, self._input, 0)
        if self.flags & (Flags.SYSTEM_ERROR | Flags.SOFTWARE_ERROR):
            raise self._system_error()
        return counts

    def _clear_histogram(self) -> None:
        self._connection.call("ClearHistMem")

    def _check_kind(self, wanted: str, what_it_has: str) -> None:
        """Raise ValueError if the board is of the other kind."""
        if self._model != wanted:
            raise ValueError(f"{DEVICE}: this board is a '{self._model}' and has {what_it_has}. Nothing was sent.")

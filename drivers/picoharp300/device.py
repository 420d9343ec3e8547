"""Driver of the PicoQuant PicoHarp 300 photon counter in histogram and T3 mode, over PHLib 3.0.

The counter starts a clock at each laser pulse (sync, channel 0), stops it at each photon (channel 1)
and counts the difference in one of 65 536 bins, or hands over a record for each photon (T3 mode).

No count is lost silently: a bin holds at most 65 535, and every run is armed to end when a bin is full.
Such a run `is_bin_full` and shorter than asked for: `elapsed_s` is the dwell its counts belong to. In T3 mode a FIFO
that was not read in time shows as `has_lost_words`.

A T3 record has 12 bits for the delay: 4096 bins, so the span is 16 times shorter than in histogram mode.
T2 mode and the router are not supported. What the caller must wait for is said in `drivers.picoquant.counter`.

Source: PHLib 3.0 header files and demonstration programs (order of calls), PicoHarp 300 figures on tcspc.com.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drivers.picoharp300.codes import Features, Flags, PicoHarpError, Warnings
from drivers.picoharp300.library import MAX_COUNT, N_BINS, PHLIB, T3_BINS
from drivers.picoharp300.limits import (
    DEVICE,
    MAX_HOLDOFF_NS,
    MAX_LEVEL_MV,
    MAX_OFFSET_PS,
    MAX_ZERO_CROSS_MV,
    sync_divider_for,
)
from drivers.picoquant.counter import Channel, Counter, Mode, Rates
from drivers.picoquant.limits import MAX_SYNC_OFFSET_PS, check_offset_ps, check_range

BASE_RESOLUTION_PS = 4.0
"""Base resolution of every PicoHarp 300 (tcspc.com)."""


class PicoHarp300(Counter):
    """PicoQuant PicoHarp 300.

    Parameters
    ----------
    library : ctypes.CDLL
        PHLib 3.0, from `drivers.picoharp300.library.load_library`.
    serial : str, optional
        Serial number of the device wanted; without it, the first one that can be opened.
    """

    vendor = PHLIB
    error = PicoHarpError
    max_count = MAX_COUNT
    t3_bins = T3_BINS
    settle_s = 0.2
    max_holdoff_ns = MAX_HOLDOFF_NS
    sync_divider_for = staticmethod(sync_divider_for)
    _info_lengths = (16, 8, 8)

    def initialise(self, mode: Mode = Mode.HISTOGRAM) -> None:
        """Put the device into `mode`, calibrate it and forget all settings; wait `settle_s` before `rates`.

        Raises
        ------
        ValueError
            If the mode is neither `Mode.HISTOGRAM` nor `Mode.T3`.
        """
        self._check_mode(mode)
        self._initialise(mode)
        self._connection.call("Calibrate")
        self._learn_bin_widths()

    @property
    def n_bins(self) -> int:
        """Get the number of bins in the present mode (int, 65 536, or 4096 in T3 mode)."""
        return T3_BINS if self._mode == Mode.T3 else N_BINS

    @property
    def features(self) -> Features:
        """Get what the device can do (Features)."""
        return Features(self._connection.get_int("GetFeatures"))

    def set_discriminator(self, channel: Channel, level_mv: int, zero_cross_mv: int) -> None:
        """Set the constant-fraction discriminator of one input.

        Parameters
        ----------
        channel : Channel
            Which input.
        level_mv : int
            Threshold in mV, 0 to 800; the number is positive although the pulses are negative.
        zero_cross_mv : int
            Zero crossing in mV, 0 to 20.

        Raises
        ------
        ValueError
            If a value is out of range; nothing was sent.
        """
        check_range(DEVICE, "discriminator level", level_mv, 0, MAX_LEVEL_MV, "mV")
        check_range(DEVICE, "zero crossing", zero_cross_mv, 0, MAX_ZERO_CROSS_MV, "mV")
        self._connection.call("SetInputCFD", Channel(channel), level_mv, zero_cross_mv)

    @property
    def offset_ps(self) -> int | None:
        """Control what is subtracted from every delay, in ps (int, 0 to 1e9, multiple of 4); None until written."""
        return self._written.get("SetOffset")

    @offset_ps.setter
    def offset_ps(self, offset_ps: int) -> None:
        check_offset_ps(DEVICE, offset_ps, self._base_resolution_ps or BASE_RESOLUTION_PS, MAX_OFFSET_PS)
        self._write("SetOffset", offset_ps)

    @property
    def sync_offset_ps(self) -> int | None:
        """Control a delay added to the sync path, in ps (int, -99999 to 99999); None until written."""
        return self._written.get("SetSyncOffset")

    @sync_offset_ps.setter
    def sync_offset_ps(self, offset_ps: int) -> None:
        check_range(DEVICE, "sync offset", offset_ps, -MAX_SYNC_OFFSET_PS, MAX_SYNC_OFFSET_PS, "ps")
        self._write("SetSyncOffset", offset_ps)

    @property
    def multistop_enabled(self) -> bool | None:
        """Control whether several photons after one sync are counted (bool, True at start); None until written."""
        written = self._written.get("SetMultistopEnable")
        return None if written is None else bool(written)

    @multistop_enabled.setter
    def multistop_enabled(self, is_enabled: bool) -> None:
        self._write("SetMultistopEnable", int(is_enabled))

    @property
    def rates(self) -> Rates:
        """Measure the sync rate in Hz and the detector's rate in counts/s (Rates); renewed every 100 ms."""
        sync_hz = self._connection.get_int("GetCountRate", Channel.SYNC)
        return Rates(float(sync_hz), float(self._connection.get_int("GetCountRate", Channel.DETECTOR)))

    @property
    def warnings(self) -> Warnings:
        """Get what the library doubts about rates and settings (Warnings); reads both rates first, as it must."""
        _ = self.rates
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
        """Get whether the FIFO was full during the last run: what came after is lost (bool)."""
        return bool(self.flags & Flags.FIFO_FULL)

    def read_counts(self) -> NDArray[np.uint32]:
        """Read the histogram; allowed during a run.

        Returns
        -------
        ndarray of uint32, shape (65536,)
            Photons per bin; bin i begins at ``offset_ps + i * bin_width_ps`` after the sync.

        Raises
        ------
        OSError
            If the device reports a system error: its counts cannot be trusted.
        """
        counts = self._connection.get_counts(N_BINS, 0)
        if Flags.SYSTEM_ERROR in self.flags:
            raise self._system_error()
        return counts

    def _clear_histogram(self) -> None:
        self._connection.call("ClearHistMem", 0)

"""Driver of the PicoQuant PicoHarp 300 photon counter in histogram mode, over PHLib 3.0.

The counter starts a clock at each laser pulse (sync, channel 0), stops it at each photon (channel 1)
and counts the difference in one of 65 536 bins. Order of a run: `open`, `initialise`, the settings,
then `arm`, ask `is_done` until it is, `stop`, `read_counts`, `elapsed_s`, `flags`.

No count is lost silently: a bin holds at most 65 535, and every run is armed to end when a bin is full.
Such a run has `Flags.OVERFLOW` and is shorter than asked for: `elapsed_s` is the dwell its counts belong to.

The driver never sleeps, retries or locks. Its caller waits 100 ms after `initialise` and after changing
`sync_divider` before it believes `rates` or arms; repeats a call once after 0.1 s if the error says
`is_transient`; and lets one thread at a time in, for the library is not re-entrant.
Time-tagged modes, markers and the router are not supported.

Source: PHLib 3.0 header files and demonstration programs (order of calls), PicoHarp 300 figures on tcspc.com.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_double, c_int, c_uint
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drivers.picoharp300.codes import Channel, Features, Flags, Mode, Warnings
from drivers.picoharp300.connection import Connection
from drivers.picoharp300.library import MAX_COUNT, N_BINS
from drivers.picoharp300.limits import (
    MAX_LEVEL_MV,
    MAX_SYNC_OFFSET_PS,
    MAX_ZERO_CROSS_MV,
    SYNC_DIVIDERS,
    binning_code_of,
    check_offset_ps,
    check_range,
    dwell_ms_of,
)

BASE_RESOLUTION_PS = 4.0
"""Base resolution until `initialise` has asked the device for its own (tcspc.com)."""


class Rates(NamedTuple):
    """Rates at the two inputs, metered over 100 ms."""

    sync_hz: float
    input_cps: float


class HardwareInfo(NamedTuple):
    """What the device says it is."""

    model: str
    part_number: str
    version: str


class PicoHarp300:
    """PicoQuant PicoHarp 300 in histogram mode.

    Parameters
    ----------
    library : ctypes.CDLL
        PHLib 3.0, from `drivers.picoharp300.library.load_library`.
    serial : str, optional
        Serial number of the device wanted; without it, the first one that can be opened.
    """

    def __init__(self, library: ctypes.CDLL, serial: str | None = None) -> None:
        self._connection = Connection(library)
        self._wanted_serial = serial
        self._base_resolution_ps = BASE_RESOLUTION_PS
        self._n_binnings = 0
        self._written: dict[str, int] = {}

    def open(self) -> None:
        """Find the device by its serial number among the eight possible indices and open it; changes no setting.

        Raises
        ------
        ConnectionError
            If it is not there; the message lists what is.
        OSError
            If the library is not version 3.0.
        """
        self._connection.open(self._wanted_serial)

    def initialise(self, mode: Mode = Mode.HISTOGRAM) -> None:
        """Put the device into `mode`, calibrate it and forget all settings; wait 100 ms before `rates`.

        Raises
        ------
        ValueError
            If the mode is not `Mode.HISTOGRAM`, the only one supported.
        """
        if mode != Mode.HISTOGRAM:
            raise ValueError(f"PicoHarp 300: mode {Mode(mode).name} is not supported. Use Mode.HISTOGRAM.")
        self._connection.call("PH_Initialize", mode)
        self._connection.call("PH_Calibrate")
        self._written.clear()
        resolution_ps, n_binnings = c_double(), c_int()
        self._connection.call("PH_GetBaseResolution", byref(resolution_ps), byref(n_binnings))
        self._base_resolution_ps, self._n_binnings = resolution_ps.value, n_binnings.value

    def close(self) -> None:
        """Close the device; harmless when it is not open."""
        self._connection.close()

    @property
    def library_version(self) -> str:
        """Get the version text of the vendor's library (str)."""
        return self._connection.library_version

    @property
    def serial(self) -> str:
        """Get the serial number of the open device (str, empty before `open`)."""
        return self._connection.serial

    @property
    def hardware_info(self) -> HardwareInfo:
        """Get model, part number and version of the device (HardwareInfo)."""
        return HardwareInfo(*self._connection.get_texts("PH_GetHardwareInfo", 16, 8, 8))

    @property
    def features(self) -> Features:
        """Get what the device can do (Features)."""
        return Features(self._connection.get_int("PH_GetFeatures"))

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
        check_range("discriminator level", level_mv, 0, MAX_LEVEL_MV, "mV")
        check_range("zero crossing", zero_cross_mv, 0, MAX_ZERO_CROSS_MV, "mV")
        self._connection.call("PH_SetInputCFD", Channel(channel), level_mv, zero_cross_mv)

    @property
    def sync_divider(self) -> int | None:
        """Control the divider of the sync input (int, 1, 2, 4 or 8); None until it is written.

        It brings the sync rate below 10 MHz and needs a source of stable period. Wait 100 ms after a change.
        """
        return self._written.get("PH_SetSyncDiv")

    @sync_divider.setter
    def sync_divider(self, divider: int) -> None:
        if divider not in SYNC_DIVIDERS:
            raise ValueError(f"PicoHarp 300: sync divider {divider} does not exist. Use 1, 2, 4 or 8.")
        self._write("PH_SetSyncDiv", divider)

    @property
    def bin_width_ps(self) -> float:
        """Control the width of a bin in ps (float, one of `bin_widths_ps`)."""
        return self._connection.get_double("PH_GetResolution")

    @bin_width_ps.setter
    def bin_width_ps(self, width_ps: float) -> None:
        self._connection.call("PH_SetBinning", binning_code_of(width_ps, self.bin_widths_ps))

    @property
    def bin_widths_ps(self) -> tuple[float, ...]:
        """Get the bin widths of this device in ps, ascending (tuple of float, empty before `initialise`)."""
        return tuple(self._base_resolution_ps * 2**code for code in range(self._n_binnings))

    @property
    def offset_ps(self) -> int | None:
        """Control what is subtracted from every delay, in ps (int, 0 to 1e9, multiple of 4); None until written."""
        return self._written.get("PH_SetOffset")

    @offset_ps.setter
    def offset_ps(self, offset_ps: int) -> None:
        check_offset_ps(offset_ps, self._base_resolution_ps)
        self._write("PH_SetOffset", offset_ps)

    @property
    def sync_offset_ps(self) -> int | None:
        """Control a delay added to the sync path, in ps (int, -99999 to 99999); None until written."""
        return self._written.get("PH_SetSyncOffset")

    @sync_offset_ps.setter
    def sync_offset_ps(self, offset_ps: int) -> None:
        check_range("sync offset", offset_ps, -MAX_SYNC_OFFSET_PS, MAX_SYNC_OFFSET_PS, "ps")
        self._write("PH_SetSyncOffset", offset_ps)

    @property
    def multistop_enabled(self) -> bool | None:
        """Control whether several photons after one sync are counted (bool, True at start); None until written."""
        written = self._written.get("PH_SetMultistopEnable")
        return None if written is None else bool(written)

    @multistop_enabled.setter
    def multistop_enabled(self, is_enabled: bool) -> None:
        self._write("PH_SetMultistopEnable", int(is_enabled))

    @property
    def rates(self) -> Rates:
        """Measure the sync rate in Hz and the detector's rate in counts/s (Rates); renewed every 100 ms."""
        sync_hz = self._connection.get_int("PH_GetCountRate", Channel.SYNC)
        return Rates(float(sync_hz), float(self._connection.get_int("PH_GetCountRate", Channel.DETECTOR)))

    @property
    def warnings(self) -> Warnings:
        """Get what the library doubts about rates and settings (Warnings); reads both rates first, as it must."""
        _ = self.rates
        return Warnings(self._connection.get_int("PH_GetWarnings"))

    def explain(self, warnings: Warnings) -> str:
        """Return the library's own text for `warnings`."""
        return self._connection.explain(int(warnings))

    @property
    def flags(self) -> Flags:
        """Get the state of the current or last run (Flags)."""
        return Flags(self._connection.get_int("PH_GetFlags"))

    @property
    def elapsed_s(self) -> float:
        """Measure how long the current or last run has counted, in s (float)."""
        return self._connection.get_double("PH_GetElapsedMeasTime") * 1e-3

    @property
    def is_done(self) -> bool:
        """Get whether the run has ended, by its time or by a full bin (bool)."""
        return self._connection.get_int("PH_CTCStatus") != 0

    def arm(self, dwell_s: float) -> None:
        """Clear the histogram and start counting for `dwell_s`, at most until a bin is full; does not wait.

        Parameters
        ----------
        dwell_s : float
            Time to count, in s: 0.001 to 360 000 in whole milliseconds.

        Raises
        ------
        ValueError
            If the device cannot count for just this time; nothing was sent.
        """
        dwell_ms = dwell_ms_of(dwell_s)
        self._connection.call("PH_SetStopOverflow", 1, MAX_COUNT)
        self._connection.call("PH_ClearHistMem", 0)
        self._connection.call("PH_StartMeas", dwell_ms)

    def stop(self) -> None:
        """Stop counting; also due after a run has ended by itself."""
        self._connection.call("PH_StopMeas")

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
        counts = np.zeros(N_BINS, dtype=np.uint32)
        self._connection.call("PH_GetHistogram", counts.ctypes.data_as(POINTER(c_uint)), 0)
        if Flags.SYSTEM_ERROR in self.flags:
            raise OSError(
                f"PicoHarp 300 {self.serial}: system error during the run, its counts cannot be trusted. "
                f"Initialise the device and repeat. The device says: {self._connection.debug_info()}"
            )
        return counts

    def _write(self, function: str, value: int) -> None:
        """Send a setting that the library cannot read back, and remember it."""
        self._connection.call(function, value)
        self._written[function] = value

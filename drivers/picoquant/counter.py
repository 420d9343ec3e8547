"""What a PicoHarp 300 and a TimeHarp 260 do alike; their devices differ in signs, units, flags and what is beyond.

Order of a histogram run: `open`, `initialise`, the settings, then `arm`, ask `is_done` until it is, `stop`,
`read_counts`, `elapsed_s`. Order of a run in T3 mode: `initialise(Mode.T3)`, the settings, `arm`, then `read_words`
again and again until `is_done`, once more until nothing comes, and `stop`.

A driver never sleeps, retries or locks. Its caller waits `settle_s` after `initialise` and after changing
`sync_divider` before it believes `rates` or arms; repeats a call once after `RETRY_PAUSE_S` if the error says
`is_transient`; and lets one thread at a time in, for the libraries are not re-entrant.

Source: header files, demonstration programs (order of calls) and manuals of PHLib 3.0 and TH260Lib 3.2.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drivers.picoquant.connection import Connection
from drivers.picoquant.errors import VendorError
from drivers.picoquant.library import VendorLibrary
from drivers.picoquant.limits import binning_code_of, check_divider, check_range, dwell_ms_of

MAX_WORDS = 131072
"""Records that one call of ReadFiFo hands over at most (TTREADMAX)."""

FIFO_WORDS = 256 * 1024
"""Records that the device holds until they are read (PicoHarp 300 figures on tcspc.com)."""

READ_INTERVAL_S = 0.01
"""How often to call `read_words`: at 5 Mcps a fifth of the FIFO fills in this time."""

MARKERS = 4
"""Marker inputs."""


class Mode(IntEnum):
    """Measurement mode given to Initialize."""

    HISTOGRAM = 0
    T2 = 2
    T3 = 3


class Channel(IntEnum):
    """What is connected to an input."""

    SYNC = 0
    DETECTOR = 1


class Rates(NamedTuple):
    """Rates at the sync and the detector's input, metered over 100 ms."""

    sync_hz: float
    input_cps: float


class HardwareInfo(NamedTuple):
    """What the device says it is."""

    model: str
    part_number: str
    version: str


class Counter:
    """A photon counter behind one of the vendor's libraries.

    Parameters
    ----------
    library : ctypes.CDLL
        The function table, from the package's `load_library`.
    serial : str, optional
        Serial number of the device wanted; without it, the first one that can be opened.
    """

    vendor: ClassVar[VendorLibrary]
    error: ClassVar[type[VendorError]]
    max_count: ClassVar[int]
    """Largest count of a bin, at which a run ends."""
    t3_bins: ClassVar[int]
    """Number of delays that a T3 record can tell apart."""
    settle_s: ClassVar[float]
    """Wait after `initialise` and after a change of `sync_divider`, in s; done by the caller."""
    max_holdoff_ns: ClassVar[int]
    _info_lengths: ClassVar[tuple[int, int, int]]

    def __init__(self, library: ctypes.CDLL, serial: str | None = None) -> None:
        self._connection = Connection(self.vendor, self.error, library)
        self._wanted_serial = serial
        self._base_resolution_ps = 0.0
        self._n_binnings = 0
        self._mode: Mode | None = None
        self._written: dict[str, int] = {}
        self._words = np.zeros(MAX_WORDS, dtype=np.uint32)

    def open(self) -> None:
        """Find the device by its serial number among all indices and open it; changes no setting.

        Raises
        ------
        ConnectionError
            If it is not there; the message lists what is.
        OSError
            If the library is not the version this driver is written for.
        """
        self._connection.open(self._wanted_serial)

    def close(self) -> None:
        """Close the device; harmless when it is not open."""
        self._mode = None
        self._connection.close()

    @property
    def mode(self) -> Mode | None:
        """Get the mode of the last `initialise` (Mode, None before)."""
        return self._mode

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
        return HardwareInfo(*self._connection.get_texts("GetHardwareInfo", *self._info_lengths))

    @property
    def bin_width_ps(self) -> float:
        """Control the width of a bin in ps (float, one of `bin_widths_ps`)."""
        return self._connection.get_double("GetResolution")

    @bin_width_ps.setter
    def bin_width_ps(self, width_ps: float) -> None:
        self._connection.call("SetBinning", binning_code_of(self.vendor.device, width_ps, self.bin_widths_ps))

    @property
    def bin_widths_ps(self) -> tuple[float, ...]:
        """Get the bin widths of this device in ps, ascending (tuple of float, empty before `initialise`)."""
        return tuple(self._base_resolution_ps * 2**code for code in range(self._n_binnings))

    @property
    def sync_divider(self) -> int | None:
        """Control the divider of the sync input (int, 1, 2, 4 or 8); None until it is written.

        It needs a source of stable period. Wait `settle_s` after a change.
        """
        return self._written.get("SetSyncDiv")

    @sync_divider.setter
    def sync_divider(self, divider: int) -> None:
        check_divider(self.vendor.device, divider)
        self._write("SetSyncDiv", divider)

    @property
    def elapsed_s(self) -> float:
        """Measure how long the current or last run has counted, in s (float)."""
        return self._connection.get_double("GetElapsedMeasTime") * 1e-3

    @property
    def is_done(self) -> bool:
        """Get whether the run has ended, by its time or by a full bin (bool)."""
        return self._connection.get_int("CTCStatus") != 0

    def arm(self, dwell_s: float) -> None:
        """Start counting for `dwell_s`; a histogram is cleared first and ends early when a bin is full. Does not wait.

        Parameters
        ----------
        dwell_s : float
            Time to count, in s: 0.001 to 360 000 in whole milliseconds.

        Raises
        ------
        ValueError
            If the device cannot count for just this time; nothing was sent.
        """
        dwell_ms = dwell_ms_of(self.vendor.device, dwell_s)
        if self._mode == Mode.HISTOGRAM:
            self._connection.call("SetStopOverflow", 1, self.max_count)
            self._clear_histogram()
        self._connection.call("StartMeas", dwell_ms)

    def stop(self) -> None:
        """Stop counting; also due after a run has ended by itself."""
        self._connection.call("StopMeas")

    def read_words(self) -> NDArray[np.uint32]:
        """Read the time-tag records that have come since the last call; at most 131 072, possibly none.

        Call it every `READ_INTERVAL_S` during a run in T3 mode, and again while it returns `MAX_WORDS`.

        Returns
        -------
        ndarray of uint32, shape (n_word,)
            Records in the format of the device.
        """
        return self._connection.get_words(self._words)

    def set_markers(self, is_enabled: Sequence[bool], is_rising: Sequence[bool]) -> None:
        """Set which of the four marker inputs count and at which edge, for T3 mode.

        Parameters
        ----------
        is_enabled : sequence of bool
            Four values.
        is_rising : sequence of bool
            Four values; False is the falling edge.

        Raises
        ------
        ValueError
            If there are not four values; nothing was sent.
        """
        for what, values in (("is_enabled", is_enabled), ("is_rising", is_rising)):
            if len(values) != MARKERS:
                raise ValueError(
                    f"{self.vendor.device}: {what} has {len(values)} values, the device has {MARKERS} marker inputs. "
                    "Nothing was sent."
                )
        self._connection.call("SetMarkerEdges", *map(int, is_rising))
        self._connection.call("SetMarkerEnable", *map(int, is_enabled))

    @property
    def marker_holdoff_ns(self) -> int | None:
        """Control the time for which a marker input is deaf after a marker, in ns (int); None until it is written."""
        return self._written.get("SetMarkerHoldoffTime")

    @marker_holdoff_ns.setter
    def marker_holdoff_ns(self, holdoff_ns: int) -> None:
        check_range(self.vendor.device, "marker hold-off", holdoff_ns, 0, self.max_holdoff_ns, "ns")
        self._write("SetMarkerHoldoffTime", holdoff_ns)

    def explain(self, warnings: int) -> str:
        """Return the library's own text for a mask of warnings."""
        return self._connection.explain(int(warnings))

    def error_text(self, code: int) -> str:
        """Return the library's own text for an error code."""
        return self._connection.error_text(code)

    def _initialise(self, mode: Mode) -> None:
        """Put the device into a mode and forget all settings."""
        self._connection.call("Initialize", mode)
        self._mode = mode
        self._written.clear()

    def _learn_bin_widths(self) -> None:
        """Ask for the base resolution and for the number of binning codes, each of which doubles it."""
        self._base_resolution_ps, self._n_binnings = self._connection.get_double_and_int("GetBaseResolution")

    def _clear_histogram(self) -> None:
        raise NotImplementedError

    def _check_mode(self, mode: Mode) -> None:
        if mode not in (Mode.HISTOGRAM, Mode.T3):
            raise ValueError(
                f"{self.vendor.device}: mode {Mode(mode).name} is not supported. Use Mode.HISTOGRAM or Mode.T3."
            )

    def _system_error(self) -> OSError:
        return OSError(
            f"{self.vendor.device} {self.serial}: system error during the run, its counts cannot be trusted. "
            f"Initialise the device and repeat. The device says: {self._connection.debug_info()}"
        )

    def _write(self, function: str, value: int) -> None:
        """Send a setting that the library cannot read back, and remember it."""
        self._connection.call(function, value)
        self._written[function] = value

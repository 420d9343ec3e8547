"""TH260Lib 3.2, the vendor's function table for the TimeHarp 260: names, types, sizes and how to load it.

The trigger output and hardware start and stop of a run are not declared: nothing here needs them, and the manual warns
of driving lasers by the former.

Source: th260defin.h and th260lib.h of TH260Lib 3.2 (February 2020).
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_double, c_int, c_uint
from pathlib import Path

from drivers.picoquant.library import VendorLibrary
from drivers.timeharp260.limits import DEVICE

N_BINS = 32768
"""Bins of a histogram at the longest length (MAXHISTLEN); also the delays of a T3 record, 15 bits."""

LENGTH_CODE = 5
"""Of that length: bins are 1024 times 2 to this power (MAXLENCODE)."""

MAX_COUNT = 2**32 - 1
"""Largest count of one bin (STOPCNTMAX)."""

PICO, NANO = "TimeHarp 260 P", "TimeHarp 260 N"
"""What the two kinds of board say they are (HWIDENT_PICO, HWIDENT_NANO)."""

_INT = POINTER(c_int)
_DOUBLE = POINTER(c_double)

_DECLARATIONS: dict[str, tuple[type, ...]] = {
    "GetLibraryVersion": (c_char_p,),
    "GetErrorString": (c_char_p, c_int),
    "OpenDevice": (c_int, c_char_p),
    "CloseDevice": (c_int,),
    "Initialize": (c_int, c_int),
    "GetHardwareInfo": (c_int, c_char_p, c_char_p, c_char_p),
    "GetSerialNumber": (c_int, c_char_p),
    "GetFeatures": (c_int, _INT),
    "GetBaseResolution": (c_int, _DOUBLE, _INT),
    "GetNumOfInputChannels": (c_int, _INT),
    "SetTimingMode": (c_int, c_int),
    "SetSyncDiv": (c_int, c_int),
    "SetSyncCFD": (c_int, c_int, c_int),
    "SetSyncEdgeTrg": (c_int, c_int, c_int),
    "SetSyncChannelOffset": (c_int, c_int),
    "SetInputCFD": (c_int, c_int, c_int, c_int),
    "SetInputEdgeTrg": (c_int, c_int, c_int, c_int),
    "SetInputChannelOffset": (c_int, c_int, c_int),
    "SetInputChannelEnable": (c_int, c_int, c_int),
    "SetInputDeadTime": (c_int, c_int, c_int),
    "SetStopOverflow": (c_int, c_int, c_uint),
    "SetBinning": (c_int, c_int),
    "SetOffset": (c_int, c_int),
    "SetHistoLen": (c_int, c_int, _INT),
    "ClearHistMem": (c_int,),
    "StartMeas": (c_int, c_int),
    "StopMeas": (c_int,),
    "CTCStatus": (c_int, _INT),
    "GetHistogram": (c_int, POINTER(c_uint), c_int, c_int),
    "GetResolution": (c_int, _DOUBLE),
    "GetSyncRate": (c_int, _INT),
    "GetCountRate": (c_int, c_int, _INT),
    "GetFlags": (c_int, _INT),
    "GetElapsedMeasTime": (c_int, _DOUBLE),
    "GetSyncPeriod": (c_int, _DOUBLE),
    "GetWarnings": (c_int, _INT),
    "GetWarningsText": (c_int, c_char_p, c_int),
    "GetHardwareDebugInfo": (c_int, c_char_p),
    "SetMarkerEdges": (c_int, c_int, c_int, c_int, c_int),
    "SetMarkerEnable": (c_int, c_int, c_int, c_int, c_int),
    "SetMarkerHoldoffTime": (c_int, c_int),
    "ReadFiFo": (c_int, POINTER(c_uint), c_int, _INT),
}

TH260LIB = VendorLibrary(
    device=DEVICE,
    product="TH260Lib 3.2",
    version="3.2",
    prefix="TH260_",
    max_devices=4,
    windows_64="th260lib64.dll",
    windows_32="th260lib.dll",
    linux="libth260.so",
    declarations=_DECLARATIONS,
)
"""File names on Windows are the vendor's; the one on Linux is to be compared with the vendor's package."""


def load_library(path: str | Path | None = None) -> ctypes.CDLL:
    """Load TH260Lib 3.2 from `path` or from where the system keeps its libraries; see `VendorLibrary.load`."""
    return TH260LIB.load(path)

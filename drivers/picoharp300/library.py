"""PHLib 3.0, the vendor's function table for the PicoHarp 300: names, types, sizes and how to load it.

The functions of the router are not declared: one detector needs none.

Source: phdefin.h and phlib.h of PHLib 3.0 (October 2015).
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_double, c_int, c_uint
from pathlib import Path

from drivers.picoharp300.limits import DEVICE
from drivers.picoquant.library import VendorLibrary

N_BINS = 65536
"""Bins of one histogram block (HISTCHAN)."""

T3_BINS = 4096
"""Delays of a T3 record: 12 bits."""

MAX_COUNT = 65535
"""Largest count of one bin: the memory is 16 bits deep although the buffer has 32."""

_DECLARATIONS: dict[str, tuple[type, ...]] = {
    "GetLibraryVersion": (c_char_p,),
    "GetErrorString": (c_char_p, c_int),
    "OpenDevice": (c_int, c_char_p),
    "CloseDevice": (c_int,),
    "Initialize": (c_int, c_int),
    "GetHardwareInfo": (c_int, c_char_p, c_char_p, c_char_p),
    "GetSerialNumber": (c_int, c_char_p),
    "GetFeatures": (c_int, POINTER(c_int)),
    "GetBaseResolution": (c_int, POINTER(c_double), POINTER(c_int)),
    "GetHardwareDebugInfo": (c_int, c_char_p),
    "Calibrate": (c_int,),
    "SetInputCFD": (c_int, c_int, c_int, c_int),
    "SetSyncDiv": (c_int, c_int),
    "SetSyncOffset": (c_int, c_int),
    "SetStopOverflow": (c_int, c_int, c_int),
    "SetBinning": (c_int, c_int),
    "SetOffset": (c_int, c_int),
    "SetMultistopEnable": (c_int, c_int),
    "ClearHistMem": (c_int, c_int),
    "StartMeas": (c_int, c_int),
    "StopMeas": (c_int,),
    "CTCStatus": (c_int, POINTER(c_int)),
    "GetHistogram": (c_int, POINTER(c_uint), c_int),
    "GetResolution": (c_int, POINTER(c_double)),
    "GetCountRate": (c_int, c_int, POINTER(c_int)),
    "GetFlags": (c_int, POINTER(c_int)),
    "GetElapsedMeasTime": (c_int, POINTER(c_double)),
    "GetWarnings": (c_int, POINTER(c_int)),
    "GetWarningsText": (c_int, c_char_p, c_int),
    "SetMarkerEnable": (c_int, c_int, c_int, c_int, c_int),
    "SetMarkerEdges": (c_int, c_int, c_int, c_int, c_int),
    "SetMarkerHoldoffTime": (c_int, c_int),
    "ReadFiFo": (c_int, POINTER(c_uint), c_int, POINTER(c_int)),
}

PHLIB = VendorLibrary(
    device=DEVICE,
    product="PHLib 3.0 (file version 3.0.0.3)",
    version="3.0",
    prefix="PH_",
    max_devices=8,
    windows_64="phlib64.dll",
    windows_32="phlib.dll",
    linux="libph300.so",
    declarations=_DECLARATIONS,
)
"""File names on Windows are the vendor's, on Linux the one in use. Before 3.0 functions returned values."""


def load_library(path: str | Path | None = None) -> ctypes.CDLL:
    """Load PHLib 3.0 from `path` or from where the system keeps its libraries; see `VendorLibrary.load`."""
    return PHLIB.load(path)

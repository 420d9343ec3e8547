"""PHLib 3.0, the vendor's function table for the PicoHarp 300: names, types, codes and how to load it.

Every function of the table returns an int, 0 or a negative error code, and writes its results through
pointers. `ctypes` believes any caller who declares nothing, so all functions used here are declared
once, in `_DECLARATIONS`; a wrong type or a missing pointer then raises before the vendor's code runs.

Nothing is loaded on import: a program without the vendor's software starts, and is told what is
missing when it asks for the counter. Time-tagged modes and routers are not declared.

Source: phdefin.h and phlib.h of PHLib 3.0 (October 2015).
"""

from __future__ import annotations

import ctypes
import ctypes.util
import struct
import sys
from ctypes import POINTER, c_char_p, c_double, c_int, c_uint
from pathlib import Path

LIBRARY_VERSION = "3.0"
"""The version these declarations belong to; 2.x returned values where 3.0 takes pointers."""

N_BINS = 65536
"""Bins of one histogram block (HISTCHAN)."""

MAX_DEVICES = 8
"""Device indices run from 0 to 7 (MAXDEVNUM)."""

MAX_COUNT = 65535
"""Largest count of one bin: the memory is 16 bits deep although the buffer has 32."""

_IS_64_BIT = struct.calcsize("P") == 8

_LIBRARY_NAME = ("phlib64.dll" if _IS_64_BIT else "phlib.dll") if sys.platform == "win32" else "libph300.so"
"""The vendor's names on Windows; on Linux the one in use."""

_DECLARATIONS: dict[str, tuple[type, ...]] = {
    "PH_GetLibraryVersion": (c_char_p,),
    "PH_GetErrorString": (c_char_p, c_int),
    "PH_OpenDevice": (c_int, c_char_p),
    "PH_CloseDevice": (c_int,),
    "PH_Initialize": (c_int, c_int),
    "PH_GetHardwareInfo": (c_int, c_char_p, c_char_p, c_char_p),
    "PH_GetFeatures": (c_int, POINTER(c_int)),
    "PH_GetBaseResolution": (c_int, POINTER(c_double), POINTER(c_int)),
    "PH_GetHardwareDebugInfo": (c_int, c_char_p),
    "PH_Calibrate": (c_int,),
    "PH_SetInputCFD": (c_int, c_int, c_int, c_int),
    "PH_SetSyncDiv": (c_int, c_int),
    "PH_SetSyncOffset": (c_int, c_int),
    "PH_SetStopOverflow": (c_int, c_int, c_int),
    "PH_SetBinning": (c_int, c_int),
    "PH_SetOffset": (c_int, c_int),
    "PH_SetMultistopEnable": (c_int, c_int),
    "PH_ClearHistMem": (c_int, c_int),
    "PH_StartMeas": (c_int, c_int),
    "PH_StopMeas": (c_int,),
    "PH_CTCStatus": (c_int, POINTER(c_int)),
    "PH_GetHistogram": (c_int, POINTER(c_uint), c_int),
    "PH_GetResolution": (c_int, POINTER(c_double)),
    "PH_GetCountRate": (c_int, c_int, POINTER(c_int)),
    "PH_GetFlags": (c_int, POINTER(c_int)),
    "PH_GetElapsedMeasTime": (c_int, POINTER(c_double)),
    "PH_GetWarnings": (c_int, POINTER(c_int)),
    "PH_GetWarningsText": (c_int, c_char_p, c_int),
}
"""Argument types of every function a histogram run needs, in the order of the vendor's header."""


class LibraryNotFoundError(FileNotFoundError):
    """The vendor's library is not installed where it was looked for."""

    def __str__(self) -> str:
        """Return the message as it was given, without the errno that `FileNotFoundError` would add."""
        return str(self.args[0])


def load_library(path: str | Path | None = None) -> ctypes.CDLL:
    """Load PHLib 3.0 and declare the functions of a histogram run.

    Parameters
    ----------
    path : str or Path, optional
        File of the library. Without it the vendor's usual name is looked for where the system keeps its libraries.

    Returns
    -------
    ctypes.CDLL
        The function table, ready for `drivers.picoharp300.device.PicoHarp300`.

    Raises
    ------
    LibraryNotFoundError
        If there is no such library.
    OSError
        If the file is there but cannot be loaded (wrong word length, not a library, an older version).
    """
    name = _LIBRARY_NAME if path is None else str(path)
    file = _locate(name)
    if file is None:
        raise LibraryNotFoundError(
            f"PicoHarp 300: vendor library not found, looked for {name}. "
            "Install PHLib 3.0 from PicoQuant, or give the library's file as the counter's address."
        )
    try:
        library = _load(file)
    except OSError as error:
        raise OSError(
            f"PicoHarp 300: vendor library {file} is there but cannot be loaded ({error}). "
            f"This Python is a {64 if _IS_64_BIT else 32}-bit program and needs the library of the same kind."
        ) from error
    declare(library)
    return library


def declare(library: ctypes.CDLL) -> None:
    """Declare argument and result types of every function in `_DECLARATIONS`; talks to no device.

    Raises
    ------
    OSError
        If a function is missing, as in PHLib before 3.0.
    """
    for name, argument_types in _DECLARATIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError as error:
            raise OSError(
                f"PicoHarp 300: the library has no function {name}. Install PHLib {LIBRARY_VERSION} (3.0.0.3)."
            ) from error
        function.argtypes = argument_types
        function.restype = c_int


def _locate(name: str) -> str | None:
    """Return what the loader can open for a file, or for the bare name of a library; None if there is nothing."""
    file = Path(name)
    if file.is_file():
        return str(file.resolve())
    return ctypes.util.find_library(file.stem.removeprefix("lib")) if file.name == name else None


def _load(file: str) -> ctypes.CDLL:
    """Load a library by its calling convention: stdcall on 32-bit Windows, else there is but one."""
    if sys.platform == "win32" and not _IS_64_BIT:
        return ctypes.WinDLL(file)
    return ctypes.CDLL(file)

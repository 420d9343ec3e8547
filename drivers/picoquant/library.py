"""A vendor's function table: what its file is called, how it is found and loaded, and the types of its functions.

Every function of these tables returns an int, 0 or a negative error code, and writes its results through
pointers. `ctypes` believes any caller who declares nothing, so all functions used are declared once;
a wrong type or a missing pointer then raises before the vendor's code runs.

Nothing is loaded on import: a program without the vendor's software starts, and is told what is
missing when it asks for the counter.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import struct
import sys
from collections.abc import Mapping
from ctypes import c_int
from dataclasses import dataclass
from pathlib import Path

_IS_64_BIT = struct.calcsize("P") == 8


class LibraryNotFoundError(FileNotFoundError):
    """The vendor's library is not installed where it was looked for."""

    def __str__(self) -> str:
        """Return the message as it was given, without the errno that `FileNotFoundError` would add."""
        return str(self.args[0])


@dataclass(frozen=True)
class VendorLibrary:
    """One vendor library and the devices behind it.

    Attributes
    ----------
    device : str
        Model of the devices, for messages.
    product, version : str
        What to install, and the version text that the library must give.
    prefix : str
        Of every function.
    max_devices : int
        Device indices run from 0 to one less.
    windows_64, windows_32, linux : str
        Names of the library's file.
    declarations : mapping of str to tuple of type
        Argument types of every function, by its name without the prefix.
    """

    device: str
    product: str
    version: str
    prefix: str
    max_devices: int
    windows_64: str
    windows_32: str
    linux: str
    declarations: Mapping[str, tuple[type, ...]]

    @property
    def file_name(self) -> str:
        """Name under which this system would have the library."""
        if sys.platform == "win32":
            return self.windows_64 if _IS_64_BIT else self.windows_32
        return self.linux

    def load(self, path: str | Path | None = None) -> ctypes.CDLL:
        """Load the library and declare its functions.

        Parameters
        ----------
        path : str or Path, optional
            File of the library. Without it the vendor's usual name is looked for where the system keeps its libraries.

        Returns
        -------
        ctypes.CDLL
            The function table.

        Raises
        ------
        LibraryNotFoundError
            If there is no such library.
        OSError
            If the file is there but cannot be loaded (wrong word length, not a library, an older version).
        """
        name = self.file_name if path is None else str(path)
        file = _locate(name)
        if file is None:
            raise LibraryNotFoundError(
                f"{self.device}: vendor library not found, looked for {name}. "
                f"Install {self.product} from PicoQuant, or give the library's file as the counter's address."
            )
        try:
            library = _load(file)
        except OSError as error:
            raise OSError(
                f"{self.device}: vendor library {file} is there but cannot be loaded ({error}). "
                f"This Python is a {64 if _IS_64_BIT else 32}-bit program and needs the library of the same kind."
            ) from error
        self.declare(library)
        return library

    def declare(self, library: ctypes.CDLL) -> None:
        """Declare argument and result types of every function; talks to no device.

        Raises
        ------
        OSError
            If a function is missing, as in older versions.
        """
        for name, argument_types in self.declarations.items():
            try:
                function = getattr(library, self.prefix + name)
            except AttributeError as error:
                raise OSError(
                    f"{self.device}: the library has no function {self.prefix}{name}. Install {self.product}."
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

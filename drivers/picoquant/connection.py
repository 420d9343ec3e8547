"""One open device behind a vendor's function table: finds it, calls functions, raises what they return.

Every result comes back through a pointer; the methods here make the buffer, call, and return the value.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_double, c_int, c_uint, create_string_buffer

import numpy as np
from numpy.typing import NDArray

from drivers.picoquant.errors import VendorError
from drivers.picoquant.library import VendorLibrary

LONG_TEXT = 16384
"""Buffer length in bytes that the headers demand for warnings and debug information."""

DEVICE_OPEN_FAIL = -1
"""Returned by OpenDevice where there is no device at all."""


class Connection:
    """A device index of a vendor library, and the calls that go there.

    Parameters
    ----------
    vendor : VendorLibrary
        Which library.
    error : type of VendorError
        What its error codes become.
    library : ctypes.CDLL
        Its function table.
    """

    def __init__(self, vendor: VendorLibrary, error: type[VendorError], library: ctypes.CDLL) -> None:
        vendor.declare(library)
        self._vendor = vendor
        self._error = error
        self._library = library
        self._index: int | None = None
        self.serial = ""

    @property
    def library_version(self) -> str:
        """Get the version text of the library (str)."""
        buffer = create_string_buffer(8)
        self._check("GetLibraryVersion", (), self._function("GetLibraryVersion")(buffer))
        return _text(buffer)

    def open(self, wanted_serial: str | None) -> None:
        """Open the device with `wanted_serial`, or the first that can be opened if it is None.

        Raises
        ------
        ConnectionError
            If it is not there; the message lists what is.
        OSError
            If the library has another version than the one declared.
        """
        vendor = self._vendor
        if self.library_version != vendor.version:
            raise OSError(
                f"{vendor.device}: the library is version {self.library_version}, this driver is written for "
                f"{vendor.version}. Install {vendor.product}."
            )
        self.close()
        others = []
        for index in range(vendor.max_devices):
            buffer = create_string_buffer(8)
            code = self._function("OpenDevice")(index, buffer)
            serial = _text(buffer)
            if code == 0 and wanted_serial in (None, serial):
                self._index, self.serial = index, serial
                return
            if code == 0:
                self._function("CloseDevice")(index)
                others.append(f"serial {serial} at index {index}")
            elif code != DEVICE_OPEN_FAIL:
                others.append(str(self._error(f"{vendor.prefix}OpenDevice", (index,), code)))
        wanted = "no device answers" if wanted_serial is None else f"serial {wanted_serial} does not answer"
        raise ConnectionError(
            f"{vendor.device}: {wanted}; found {'; '.join(others) or 'no other'}. "
            "Check power and cable, and compare the serial number with the rig file."
        )

    def close(self) -> None:
        """Close the device; harmless when it is not open."""
        if self._index is not None:
            index, self._index = self._index, None
            self._check("CloseDevice", (index,), self._function("CloseDevice")(index))

    def call(self, function: str, *arguments: object) -> None:
        """Call `function`, named without the library's prefix, for this device.

        Raises
        ------
        ConnectionError
            If no device is open.
        VendorError
            If the function returns a negative code.
        """
        if self._index is None:
            raise ConnectionError(f"{self._vendor.device}: not open. Call open() first.")
        code = self._function(function)(self._index, *arguments)
        detail = self.debug_info() if code in self._error.hardware_codes else ""
        shown = (self._index, *(int(argument) for argument in arguments if isinstance(argument, int)))
        self._check(function, shown, code, detail)

    def get_int(self, function: str, *arguments: object) -> int:
        """Return the integer that `function` writes through its last argument."""
        value = c_int()
        self.call(function, *arguments, byref(value))
        return value.value

    def get_double(self, function: str) -> float:
        """Return the floating-point number that `function` writes."""
        value = c_double()
        self.call(function, byref(value))
        return value.value

    def get_double_and_int(self, function: str) -> tuple[float, int]:
        """Return the two numbers that `function` writes."""
        real, whole = c_double(), c_int()
        self.call(function, byref(real), byref(whole))
        return real.value, whole.value

    def get_texts(self, function: str, *lengths: int) -> list[str]:
        """Return the texts that `function` writes into buffers of these lengths (bytes)."""
        buffers = [create_string_buffer(length) for length in lengths]
        self.call(function, *buffers)
        return [_text(buffer) for buffer in buffers]

    def get_counts(self, n_bins: int, *arguments: int) -> NDArray[np.uint32]:
        """Return the histogram that GetHistogram writes, uint32 (n_bins,)."""
        counts = np.zeros(n_bins, dtype=np.uint32)
        self.call("GetHistogram", counts.ctypes.data_as(POINTER(c_uint)), *arguments)
        return counts

    def get_words(self, buffer: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Return a copy of the records that ReadFiFo writes into `buffer`, uint32 (n_word,)."""
        n_words = self.get_int("ReadFiFo", buffer.ctypes.data_as(POINTER(c_uint)), len(buffer))
        return buffer[:n_words].copy()

    def explain(self, warnings: int) -> str:
        """Return the library's text for a warnings mask; here the text comes before the mask."""
        buffer = create_string_buffer(LONG_TEXT)
        self.call("GetWarningsText", buffer, warnings)
        return _text(buffer)

    def error_text(self, code: int) -> str:
        """Return the library's own text for an error code."""
        buffer = create_string_buffer(40)
        self._check("GetErrorString", (code,), self._function("GetErrorString")(buffer, code))
        return _text(buffer)

    def debug_info(self) -> str:
        """Return the device's own account of a fault, empty if it gives none."""
        buffer = create_string_buffer(LONG_TEXT)
        code = self._function("GetHardwareDebugInfo")(self._index, buffer)
        return _text(buffer) if code >= 0 else ""

    def _function(self, name: str) -> ctypes._NamedFuncPointer:
        function: ctypes._NamedFuncPointer = getattr(self._library, self._vendor.prefix + name)
        return function

    def _check(self, function: str, arguments: tuple[int, ...], code: int, detail: str = "") -> None:
        """Raise for a negative return code."""
        if code < 0:
            raise self._error(self._vendor.prefix + function, arguments, code, detail)


def _text(buffer: ctypes.Array[ctypes.c_char]) -> str:
    """Return the text in a C string buffer."""
    return buffer.value.decode("latin-1").strip()

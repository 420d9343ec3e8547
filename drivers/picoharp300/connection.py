"""One open PicoHarp 300 behind the vendor's function table: finds it, calls functions, raises what they return.

Every result comes back through a pointer; the methods here make the buffer, call, and return the value.
"""

from __future__ import annotations

import ctypes
from ctypes import byref, c_double, c_int, create_string_buffer

from drivers.picoharp300.codes import HARDWARE_CODES, ErrorCode, PicoHarpError
from drivers.picoharp300.library import LIBRARY_VERSION, MAX_DEVICES, declare

LONG_TEXT = 16384
"""Buffer length in bytes that the header demands for warnings and debug information."""


class Connection:
    """A device index of PHLib 3.0, and the calls that go there.

    Parameters
    ----------
    library : ctypes.CDLL
        The function table.
    """

    def __init__(self, library: ctypes.CDLL) -> None:
        declare(library)
        self._library = library
        self._index: int | None = None
        self.serial = ""

    @property
    def library_version(self) -> str:
        """Get the version text of the library (str)."""
        buffer = create_string_buffer(8)
        _check("PH_GetLibraryVersion", (), self._library.PH_GetLibraryVersion(buffer))
        return _text(buffer)

    def open(self, wanted_serial: str | None) -> None:
        """Open the device with `wanted_serial`, or the first that can be opened if it is None.

        Raises
        ------
        ConnectionError
            If it is not there; the message lists what is.
        OSError
            If the library is not version 3.0.
        """
        if self.library_version != LIBRARY_VERSION:
            raise OSError(
                f"PicoHarp 300: the library is version {self.library_version}, this driver is written for "
                f"{LIBRARY_VERSION}. Install PHLib {LIBRARY_VERSION} (file version 3.0.0.3)."
            )
        self.close()
        others = []
        for index in range(MAX_DEVICES):
            buffer = create_string_buffer(8)
            code = self._library.PH_OpenDevice(index, buffer)
            serial = _text(buffer)
            if code == 0 and wanted_serial in (None, serial):
                self._index, self.serial = index, serial
                return
            if code == 0:
                self._library.PH_CloseDevice(index)
                others.append(f"serial {serial} at index {index}")
            elif code != ErrorCode.DEVICE_OPEN_FAIL:
                others.append(str(PicoHarpError("PH_OpenDevice", (index,), code)))
        wanted = "no device answers" if wanted_serial is None else f"serial {wanted_serial} does not answer"
        raise ConnectionError(
            f"PicoHarp 300: {wanted}; found {'; '.join(others) or 'no other'}. "
            "Check power and USB cable, and compare the serial number with the rig file."
        )

    def close(self) -> None:
        """Close the device; harmless when it is not open."""
        if self._index is not None:
            index, self._index = self._index, None
            _check("PH_CloseDevice", (index,), self._library.PH_CloseDevice(index))

    def call(self, function: str, *arguments: object) -> None:
        """Call `function` for this device.

        Raises
        ------
        ConnectionError
            If no device is open.
        PicoHarpError
            If the function returns a negative code.
        """
        if self._index is None:
            raise ConnectionError("PicoHarp 300: not open. Call open() first.")
        code = getattr(self._library, function)(self._index, *arguments)
        detail = self.debug_info() if code in HARDWARE_CODES else ""
        shown = (self._index, *(int(argument) for argument in arguments if isinstance(argument, int)))
        _check(function, shown, code, detail)

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

    def get_texts(self, function: str, *lengths: int) -> list[str]:
        """Return the texts that `function` writes into buffers of these lengths (bytes)."""
        buffers = [create_string_buffer(length) for length in lengths]
        self.call(function, *buffers)
        return [_text(buffer) for buffer in buffers]

    def explain(self, warnings: int) -> str:
        """Return the library's text for a warnings mask; here the text comes before the mask."""
        buffer = create_string_buffer(LONG_TEXT)
        self.call("PH_GetWarningsText", buffer, warnings)
        return _text(buffer)

    def debug_info(self) -> str:
        """Return the device's own account of a fault, empty if it gives none."""
        buffer = create_string_buffer(LONG_TEXT)
        code = self._library.PH_GetHardwareDebugInfo(self._index, buffer)
        return _text(buffer) if code >= 0 else ""


def _check(function: str, arguments: tuple[int, ...], code: int, detail: str = "") -> None:
    """Raise PicoHarpError for a negative return code."""
    if code < 0:
        raise PicoHarpError(function, arguments, code, detail)


def _text(buffer: ctypes.Array[ctypes.c_char]) -> str:
    """Return the text in a C string buffer."""
    return buffer.value.decode("latin-1").strip()

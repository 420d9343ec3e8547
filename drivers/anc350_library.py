"""The vendor's library as another way to an ANC350, over USB or routed Ethernet, behind the same driver.

`LibraryAdapter` takes the telegrams of `drivers.anc350` and answers each with the ACK that the unit would send, after
calling the function that does the same: ``ANC350(LibraryAdapter(load_library()))``. Targets, target ranges and
capacitances cannot be read back from the library, so they are remembered here. It has no call for the sensor voltage
and the firmware's texts, which are refused as invalid addresses, and does not tell over-current from no output. It is
not thread safe, and a measurement of the capacitance blocks for seconds.

Source: attocube `anc350res.h` 1.16 (2019), library versions 3 and 4.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Callable
from ctypes import POINTER, byref, c_char_p, c_double, c_int32, c_uint32, c_void_p
from typing import Any

from pymeasure.adapters import Adapter

from drivers.uc_codec import Address, Operation, Telegram

LIBRARY_NAME = "anc350v4.dll" if sys.platform == "win32" else "libanc350v4.so"
USB_AND_TCP = 3

_AXIS_NUMBER = (c_void_p, c_uint32, c_double)
_AXIS_FLAG = (c_void_p, c_uint32, c_int32)
_AXIS_TWO_FLAGS = (c_void_p, c_uint32, c_int32, c_int32)
_AXIS_READING = (c_void_p, c_uint32, POINTER(c_double))

DECLARATIONS: dict[str, tuple[Any, ...]] = {
    "ANC_discover": (c_int32, POINTER(c_uint32)),
    "ANC_getDeviceInfo": (c_uint32, POINTER(c_int32), POINTER(c_int32), c_char_p, c_char_p, POINTER(c_int32)),
    "ANC_connect": (c_uint32, POINTER(c_void_p)),
    "ANC_disconnect": (c_void_p,),
    "ANC_getAxisStatus": (c_void_p, c_uint32, *[POINTER(c_int32)] * 7),
    "ANC_setAxisOutput": _AXIS_TWO_FLAGS,
    "ANC_setAmplitude": _AXIS_NUMBER,
    "ANC_setFrequency": _AXIS_NUMBER,
    "ANC_setDcVoltage": _AXIS_NUMBER,
    "ANC_getAmplitude": _AXIS_READING,
    "ANC_getFrequency": _AXIS_READING,
    "ANC_getDcVoltage": _AXIS_READING,
    "ANC_startSingleStep": _AXIS_FLAG,
    "ANC_startContinousMove": _AXIS_TWO_FLAGS,  # spelled so
    "ANC_startAutoMove": _AXIS_TWO_FLAGS,
    "ANC_setTargetPosition": _AXIS_NUMBER,
    "ANC_setTargetRange": _AXIS_NUMBER,
    "ANC_setTargetGround": _AXIS_FLAG,
    "ANC_getPosition": _AXIS_READING,
    "ANC_measureCapacitance": _AXIS_READING,
}
"""Argument types of the functions in use; all return a 32-bit code."""

CODES = {
    -1: "unspecified error",
    1: "time-out",
    2: "not connected any more",
    3: "driver error",
    7: "in use by another program",
    8: "unknown error",
    9: "no such device",
    10: "no such axis",
    11: "value out of range",
    12: "not available",
    13: "file error",
}
REFUSALS = {10: 1, 11: 2, 12: 3}
"""Reason codes of an ACK for what the unit refuses; any other code ends the conversation."""

OK, INVALID_ADDRESS, NEVER_SET = 0, 1, 3


class LibraryRefusal(OSError):
    """The library refused a call in a way that an ACK can tell; the argument is the ACK's reason."""


def load_library(path: str = LIBRARY_NAME) -> ctypes.CDLL:
    """Load the vendor's library and declare the functions in use.

    Raises
    ------
    OSError
        It is not there, cannot be loaded, or lacks a function.
    """
    try:
        library = _load(path)
    except OSError as error:
        raise OSError(
            f"ANC350: vendor library {path} cannot be loaded ({error}). Install it from attocube's disk, or use TCP."
        ) from error
    declare(library)
    return library


def declare(library: Any) -> None:
    """Declare argument and result types; OSError if a function is missing, as in version 2."""
    for name, types in DECLARATIONS.items():
        function = getattr(library, name, None)
        if function is None:
            raise OSError(f"ANC350: the library has no function {name}. Install version 4 of the library.")
        function.argtypes, function.restype = types, c_int32


def _load(path: str) -> ctypes.CDLL:
    """Load a library by its calling convention: stdcall on Windows."""
    if sys.platform == "win32":
        return ctypes.WinDLL(path)
    return ctypes.CDLL(path)


class LibraryAdapter(Adapter):
    """A pymeasure adapter that answers telegrams by calling the vendor's library.

    Parameters
    ----------
    library : ctypes.CDLL
        Function table as `load_library` returns it.
    serial : str, optional
        Serial number of the unit; without it the only unit there is.

    Raises
    ------
    ConnectionError
        There is no such unit, or it is in use.
    """

    def __init__(self, library: Any, serial: str | None = None) -> None:
        super().__init__()
        self._library = library
        self._answers = b""
        self._remembered: dict[tuple[int, int], int] = {}
        self._handle: c_void_p | None = None
        self._handle = self._connect(serial)

    def flush_read_buffer(self) -> None:
        """Discard answers that were not read."""
        self._answers = b""

    def close(self) -> None:
        """Disconnect (harmless when repeated)."""
        handle, self._handle = getattr(self, "_handle", None), None
        if handle is not None:
            self._library.ANC_disconnect(handle)

    def _connect(self, serial: str | None) -> c_void_p:
        count = c_uint32()
        self._call("ANC_discover", USB_AND_TCP, byref(count))
        found = [self._serial_of(number) for number in range(count.value)]
        matching = [number for number, each in enumerate(found) if serial in (None, each)]
        if len(matching) != 1:
            raise ConnectionError(
                f"ANC350: {len(matching)} units match the serial number {serial}; found: {', '.join(found) or 'none'}. "
                "Close Daisy and other programs, check power and cable, and give the serial number."
            )
        handle = c_void_p()
        self._call("ANC_connect", matching[0], byref(handle))
        return handle

    def _serial_of(self, number: int) -> str:
        serial, address = ctypes.create_string_buffer(16), ctypes.create_string_buffer(16)
        self._call("ANC_getDeviceInfo", number, byref(c_int32()), byref(c_int32()), serial, address, byref(c_int32()))
        return serial.value.decode("ascii", errors="replace")

    def _call(self, name: str, *arguments: Any) -> None:
        code = getattr(self._library, name)(*arguments)
        if code in REFUSALS:
            raise LibraryRefusal(REFUSALS[code])
        if code:
            text = CODES.get(code, "undocumented code")
            kind = TimeoutError if code == 1 else ConnectionError
            raise kind(f"ANC350: {name} failed: {text} ({code}). Close Daisy, and check power and cable.")

    def _write_bytes(self, content: bytes, **kwargs: Any) -> None:
        _, operation, address, index, correlation, *words = struct.unpack(f"<{len(content) // 4}i", content)
        try:
            reason, value = OK, self._obey(operation, address, index, words)
        except LibraryRefusal as refusal:
            reason, value = int(refusal.args[0]), 0
        if correlation:
            self._answers += Telegram(Operation.ACK, address, index, correlation, (reason, value)).encode()

    def _read_bytes(self, count: int, break_on_termchar: bool = False, **kwargs: Any) -> bytes:
        data, self._answers = self._answers[:count], self._answers[count:]
        return data

    def _obey(self, operation: int, address: int, axis: int, words: list[int]) -> int:
        if operation == Operation.SET:
            self._set(address, axis, words[0])
            self._remembered[address, axis] = words[0]
            return words[0]
        if address in _READINGS:
            name, per_unit = _READINGS[address]
            return self._read_number(name, axis, per_unit)
        if address in _FLAGS:
            return _FLAGS[address](self._axis_status(axis))
        if (address, axis) in self._remembered:
            return self._remembered[address, axis]
        if address == Address.HARDWARE_ID:
            return -1
        raise LibraryRefusal(NEVER_SET if address in _REMEMBERED else INVALID_ADDRESS)

    def _set(self, address: int, axis: int, word: int) -> None:
        if address in _NUMBERS:
            name, per_unit = _NUMBERS[address]
            self._call(name, self._handle, axis, c_double(word / per_unit))
        elif address in _ORDERS:
            name, arguments = _ORDERS[address]
            self._call(name, self._handle, axis, *arguments(word))
        elif address == Address.OUTPUT_ENABLE:
            is_off_at_end = self._remembered.get((Address.OFF_AT_END_OF_TRAVEL, axis), 0)
            self._call("ANC_setAxisOutput", self._handle, axis, word, is_off_at_end)
        elif address == Address.OFF_AT_END_OF_TRAVEL:
            self._call("ANC_setAxisOutput", self._handle, axis, self._axis_status(axis)[1], word)
        elif address == Address.MEASURE_CAPACITANCE:
            picofarads = self._read_number("ANC_measureCapacitance", axis, 10**12)
            self._remembered[Address.CAPACITANCE, axis] = picofarads
        elif address not in (Address.SYNCHRONISE, Address.EVENTS):
            raise LibraryRefusal(INVALID_ADDRESS)

    def _read_number(self, name: str, axis: int, per_unit: int) -> int:
        value = c_double()
        self._call(name, self._handle, axis, byref(value))
        return round(value.value * per_unit)

    def _axis_status(self, axis: int) -> list[int]:
        """Return connected, enabled, moving (0 to 2), on target, at the forward and backward end, and error."""
        flags = [c_int32() for _ in range(7)]
        self._call("ANC_getAxisStatus", self._handle, axis, *map(byref, flags))
        return [flag.value for flag in flags]


_NUMBERS: dict[int, tuple[str, int]] = {
    Address.AMPLITUDE: ("ANC_setAmplitude", 1000),
    Address.FREQUENCY: ("ANC_setFrequency", 1),
    Address.DC_LEVEL: ("ANC_setDcVoltage", 1000),
    Address.TARGET: ("ANC_setTargetPosition", 10**9),
    Address.TARGET_RANGE: ("ANC_setTargetRange", 10**9),
}
_ORDERS: dict[int, tuple[str, Callable[[int], tuple[int, ...]]]] = {
    Address.RUN_TO_TARGET: ("ANC_startAutoMove", lambda is_on: (is_on, 0)),
    Address.GO_FORWARD: ("ANC_startContinousMove", lambda is_on: (is_on, 0)),
    Address.STEP_FORWARD: ("ANC_startSingleStep", lambda _: (0,)),
    Address.STEP_BACKWARD: ("ANC_startSingleStep", lambda _: (1,)),
    Address.GROUND_AFTER_MOTION: ("ANC_setTargetGround", lambda is_on: (is_on,)),
}
_READINGS: dict[int, tuple[str, int]] = {
    Address.POSITION: ("ANC_getPosition", 10**9),
    Address.AMPLITUDE: ("ANC_getAmplitude", 1000),
    Address.FREQUENCY: ("ANC_getFrequency", 1),
    Address.DC_LEVEL: ("ANC_getDcVoltage", 1000),
}
_FLAGS: dict[int, Callable[[list[int]], int]] = {
    Address.CONNECTED: lambda flags: flags[0],
    Address.OUTPUT_ENABLE: lambda flags: flags[1],
    Address.MOVING: lambda flags: int(flags[2] != 0),
    Address.ON_TARGET: lambda flags: flags[3],
    Address.END_OF_TRAVEL_FORWARD: lambda flags: flags[4],
    Address.END_OF_TRAVEL_BACKWARD: lambda flags: flags[5],
    Address.OVER_CURRENT: lambda _: 0,
    Address.SENSOR_ERROR: lambda flags: flags[6],
    Address.STATUS: lambda flags: (
        int(flags[2] == 1) | (flags[4] | flags[5]) << 1 | flags[6] << 8 | (1 - flags[0]) << 10
    ),
}
_REMEMBERED = (
    Address.TARGET,
    Address.TARGET_RANGE,
    Address.OFF_AT_END_OF_TRAVEL,
    Address.GROUND_AFTER_MOTION,
    Address.CAPACITANCE,
)

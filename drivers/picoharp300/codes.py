"""What PHLib 3.0 says in numbers: modes, flags, warnings and error codes, and what to do about an error.

Source: phdefin.h and errorcodes.h of PHLib 3.0 (October 2015). The advice given with an error is ours.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Mode(IntEnum):
    """Measurement mode given to `PH_Initialize`."""

    HISTOGRAM = 0
    T2 = 2
    T3 = 3


class Channel(IntEnum):
    """Input of the counter."""

    SYNC = 0
    DETECTOR = 1


class Features(IntFlag):
    """What the device at hand can do."""

    LIBRARY = 0x01
    TIME_TAGS = 0x02
    MARKERS = 0x04
    LOW_RESOLUTION = 0x08
    TRIGGER_OUTPUT = 0x10


class Flags(IntFlag):
    """State of the current or last measurement; `FIFO_FULL` is two bits, either of which means it."""

    FIFO_FULL = 0x0003
    OVERFLOW = 0x0040
    SYSTEM_ERROR = 0x0100


class Warnings(IntFlag):
    """What the library finds doubtful about the present rates and settings."""

    SYNC_RATE_ZERO = 0x0001
    SYNC_RATE_TOO_LOW = 0x0002
    SYNC_RATE_TOO_HIGH = 0x0004
    INPUT_RATE_ZERO = 0x0010
    INPUT_RATE_TOO_HIGH = 0x0040
    RATE_RATIO = 0x0100
    DIVIDER_GREATER_ONE = 0x0200
    TIME_SPAN_TOO_SMALL = 0x0400
    OFFSET_UNNECESSARY = 0x0800


class ErrorCode(IntEnum):
    """Negative return values of PHLib 3.0."""

    DEVICE_OPEN_FAIL = -1
    DEVICE_BUSY = -2
    DEVICE_HEVENT_FAIL = -3
    DEVICE_CALLBSET_FAIL = -4
    DEVICE_BARMAP_FAIL = -5
    DEVICE_CLOSE_FAIL = -6
    DEVICE_RESET_FAIL = -7
    DEVICE_GETVERSION_FAIL = -8
    DEVICE_VERSION_MISMATCH = -9
    DEVICE_NOT_OPEN = -10
    DEVICE_LOCKED = -11
    INSTANCE_RUNNING = -16
    INVALID_ARGUMENT = -17
    INVALID_MODE = -18
    INVALID_OPTION = -19
    INVALID_MEMORY = -20
    INVALID_RDATA = -21
    NOT_INITIALIZED = -22
    NOT_CALIBRATED = -23
    DMA_FAIL = -24
    XTDEVICE_FAIL = -25
    FPGACONF_FAIL = -26
    IFCONF_FAIL = -27
    FIFORESET_FAIL = -28
    STATUS_FAIL = -29
    USB_GETDRIVERVER_FAIL = -32
    USB_DRIVERVER_MISMATCH = -33
    USB_GETIFINFO_FAIL = -34
    USB_HISPEED_FAIL = -35
    USB_VCMD_FAIL = -36
    USB_BULKRD_FAIL = -37
    HARDWARE_F01 = -64
    HARDWARE_F02 = -65
    HARDWARE_F03 = -66
    HARDWARE_F04 = -67
    HARDWARE_F05 = -68
    HARDWARE_F06 = -69
    HARDWARE_F07 = -70
    HARDWARE_F08 = -71
    HARDWARE_F09 = -72
    HARDWARE_F10 = -73
    HARDWARE_F11 = -74
    HARDWARE_F12 = -75
    HARDWARE_F13 = -76
    HARDWARE_F14 = -77
    HARDWARE_F15 = -78


TRANSIENT_CODES = frozenset({ErrorCode.USB_VCMD_FAIL, ErrorCode.USB_BULKRD_FAIL})
"""USB hiccups: one retry after 0.1 s usually succeeds; the retry is the caller's."""

HARDWARE_CODES = frozenset(code for code in ErrorCode if -28 <= code <= -25 or -78 <= code <= -64)
"""Faults of the device itself, after which `PH_GetHardwareDebugInfo` has something to tell."""


_KNOWN_CODES = frozenset(ErrorCode)


class PicoHarpError(OSError):
    """The counter, or the vendor's library, refused a call.

    Attributes
    ----------
    function : str
        Name of the library function.
    code : int
        What it returned; an `ErrorCode` where the header knows the value.
    is_transient : bool
        Whether one retry after 0.1 s is worth while.
    """

    def __init__(self, function: str, arguments: tuple[object, ...], code: int, detail: str = "") -> None:
        self.function = function
        self.code = code
        self.is_transient = code in TRANSIENT_CODES
        name = ErrorCode(code).name if code in _KNOWN_CODES else "unknown"
        shown = ", ".join(str(argument) for argument in arguments)
        detail = f" The device says: {detail}" if detail else ""
        super().__init__(f"{function}({shown}) returned {code} ({name}). {_advice(code)}{detail}")


def _advice(code: int) -> str:
    """Say what to do about an error code."""
    if code == ErrorCode.DEVICE_OPEN_FAIL:
        return "Switch the PicoHarp on and check its USB cable."
    if code in (ErrorCode.DEVICE_BUSY, ErrorCode.DEVICE_LOCKED):
        return "Another program holds the PicoHarp: close the vendor's software and any earlier session."
    if code == ErrorCode.INSTANCE_RUNNING:
        return "A measurement or another program is running: stop it first."
    if code in (ErrorCode.DEVICE_NOT_OPEN, ErrorCode.NOT_INITIALIZED, ErrorCode.NOT_CALIBRATED):
        return "Call open() and initialise() before anything else."
    if code in TRANSIENT_CODES:
        return "A USB transfer failed: repeat the call once after 0.1 s, then close, open and initialise again."
    if -35 <= code <= -32 or code in (ErrorCode.DEVICE_CALLBSET_FAIL, ErrorCode.DEVICE_BARMAP_FAIL):
        return "The USB connection is lost: plug it into the computer itself (no hub), then open and initialise again."
    if code in HARDWARE_CODES:
        return "The device reports a fault: switch it off and on; if it stays, keep this message for the vendor."
    if code == ErrorCode.INVALID_OPTION:
        return "This device lacks the option: see its features."
    return "This is a fault of the program that called it, not of the device: report it with this message."

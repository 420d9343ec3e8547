"""What PHLib 3.0 says in numbers: features, flags, warnings and error codes.

Source: phdefin.h and errorcodes.h of PHLib 3.0 (October 2015).
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar

from drivers.picoquant.errors import VendorError


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


class PicoHarpError(VendorError):
    """The PicoHarp, or PHLib, refused a call."""

    names: ClassVar[type[IntEnum]] = ErrorCode
    hardware_codes: ClassVar[frozenset[int]] = frozenset(
        code for code in ErrorCode if -28 <= code <= -25 or -78 <= code <= -64
    )

"""What TH260Lib 3.2 says in numbers: features, flags, warnings and error codes.

Source: th260defin.h and errorcodes.h of TH260Lib 3.2 (February 2020).
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import ClassVar

from drivers.picoquant.errors import VendorError


class Features(IntFlag):
    """What the board at hand can do."""

    LIBRARY = 0x01
    TIME_TAGS = 0x02
    MARKERS = 0x04
    LOW_RESOLUTION = 0x08
    TRIGGER_OUTPUT = 0x10
    PROGRAMMABLE_DEAD_TIME = 0x20


class Flags(IntFlag):
    """State of the current or last measurement."""

    OVERFLOW = 0x0001
    FIFO_FULL = 0x0002
    SYNC_LOST = 0x0004
    EVENTS_DROPPED = 0x0008
    SYSTEM_ERROR = 0x0010
    SOFTWARE_ERROR = 0x0020


class Warnings(IntFlag):
    """What the library finds doubtful about the present rates and settings."""

    SYNC_RATE_ZERO = 0x0001
    SYNC_RATE_VERY_LOW = 0x0002
    SYNC_RATE_TOO_HIGH = 0x0004
    INPUT_RATE_ZERO = 0x0010
    INPUT_RATE_TOO_HIGH = 0x0040
    RATE_RATIO = 0x0100
    DIVIDER_GREATER_ONE = 0x0200
    TIME_SPAN_TOO_SMALL = 0x0400
    OFFSET_UNNECESSARY = 0x0800
    DIVIDER_TOO_SMALL = 0x1000
    COUNTS_DROPPED = 0x2000


class Edge(IntEnum):
    """At which edge of a pulse the NANO triggers."""

    FALLING = 0
    RISING = 1


class TimingMode(IntEnum):
    """Base resolution of the PICO: 25 ps, or 2.5 ns for long ranges."""

    HIGH_RESOLUTION = 0
    LONG_RANGE = 1


class ErrorCode(IntEnum):
    """Negative return values of TH260Lib 3.2."""

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
    DEVICE_DRIVERVER_MISMATCH = -12
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
    THREADSTATE_FAIL = -29
    THREADLOCK_FAIL = -30
    USB_GETDRIVERVER_FAIL = -32
    USB_DRIVERVER_MISMATCH = -33
    USB_GETIFINFO_FAIL = -34
    USB_HISPEED_FAIL = -35
    USB_VCMD_FAIL = -36
    USB_BULKRD_FAIL = -37
    LANEUP_TIMEOUT = -40
    DONEALL_TIMEOUT = -41
    MB_ACK_TIMEOUT = -42
    MACTIVE_TIMEOUT = -43
    MEMCLEAR_FAIL = -44
    MEMTEST_FAIL = -45
    CALIB_FAIL = -46
    REFSEL_FAIL = -47
    STATUS_FAIL = -48
    MODNUM_FAIL = -49
    DIGMUX_FAIL = -50
    MODMUX_FAIL = -51
    MODFWPCB_MISMATCH = -52
    MODFWVER_MISMATCH = -53
    MODPROPERTY_MISMATCH = -54
    INVALID_MAGIC = -55
    INVALID_LENGTH = -56
    EEPROM_F01 = -64
    EEPROM_F02 = -65
    EEPROM_F03 = -66
    EEPROM_F04 = -67
    EEPROM_F05 = -68
    EEPROM_F06 = -69
    EEPROM_F07 = -70
    EEPROM_F08 = -71
    EEPROM_F09 = -72
    EEPROM_F10 = -73
    EEPROM_F11 = -74
    UNSUPPORTED_FUNCTION = -80


class TimeHarpError(VendorError):
    """The TimeHarp, or TH260Lib, refused a call."""

    names: ClassVar[type[IntEnum]] = ErrorCode
    hardware_codes: ClassVar[frozenset[int]] = frozenset(
        code for code in ErrorCode if -28 <= code <= -25 or -74 <= code <= -40
    )

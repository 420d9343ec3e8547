"""Refusals of a vendor library, and the error codes that PHLib 3.0 and TH260Lib 3.2 have in common.

Source: errorcodes.h of PHLib 3.0 and of TH260Lib 3.2.
"""

from __future__ import annotations

DEVICE_OPEN_FAIL = -1
DEVICE_NOT_OPEN = -10
INSTANCE_RUNNING = -16
INVALID_ARGUMENT = -17
INVALID_MODE = -18
INVALID_OPTION = -19
NOT_INITIALIZED = -22
NOT_CALIBRATED = -23
USB_GETIFINFO_FAIL = -34
USB_VCMD_FAIL = -36
USB_BULKRD_FAIL = -37
HARDWARE_F01 = -64


class Refused(Exception):
    """A call the library would answer with an error code.

    Attributes
    ----------
    code : int
        The negative code.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"error code {code}")
        self.code = code


def check(is_allowed: bool, code: int = INVALID_ARGUMENT) -> None:
    """Refuse with `code` unless the call is allowed."""
    if not is_allowed:
        raise Refused(code)

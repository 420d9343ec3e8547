"""What went wrong in a vendor library, with the name of its code and what to do about it.

The two libraries share the codes -1 to -28 and -32 to -37; beyond them the same number can mean different things, so
each library has an error class of its own with its own table. The advice is ours.

Source: errorcodes.h of PHLib 3.0 and of TH260Lib 3.2.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

TRANSIENT_CODES = frozenset({-36, -37})
"""USB hiccups (USB_VCMD_FAIL, USB_BULKRD_FAIL): one retry after 0.1 s usually succeeds; the retry is the caller's."""

RETRY_PAUSE_S = 0.1
"""How long the caller waits before that retry."""

_ADVICE = {
    -1: "Switch the device on and check its connection to the computer.",
    -2: "Another program holds the device: close the vendor's software and any earlier session.",
    -11: "Another program holds the device: close the vendor's software and any earlier session.",
    -16: "A measurement or another program is running: stop it first.",
    -19: "This device lacks the option: see its features.",
    **dict.fromkeys(
        (-10, -22, -23),
        "It was switched off or unplugged meanwhile, or open() and initialise() have not been called: begin again.",
    ),
    **dict.fromkeys(
        TRANSIENT_CODES,
        "A USB transfer failed: repeat the call once after 0.1 s, then close, open and initialise again.",
    ),
    **dict.fromkeys(
        (-4, -5, -32, -33, -34, -35),
        "The connection is lost: plug the device into the computer itself (no hub), then open and initialise again.",
    ),
}


class VendorError(OSError):
    """The counter, or the vendor's library, refused a call.

    Attributes
    ----------
    function : str
        Name of the library function.
    code : int
        What it returned.
    is_transient : bool
        Whether one retry after `RETRY_PAUSE_S` is worth while.
    """

    names: ClassVar[type[IntEnum]]
    """Codes that the library's header knows."""
    hardware_codes: ClassVar[frozenset[int]]
    """Faults of the device itself, about which it has more to tell."""

    def __init__(self, function: str, arguments: tuple[object, ...], code: int, detail: str = "") -> None:
        self.function = function
        self.code = code
        self.is_transient = code in TRANSIENT_CODES
        name = self.names(code).name if code in list(self.names) else "unknown"
        shown = ", ".join(str(argument) for argument in arguments)
        detail = f" The device says: {detail}" if detail else ""
        super().__init__(f"{function}({shown}) returned {code} ({name}). {self.advice(code)}{detail}")

    @classmethod
    def advice(cls, code: int) -> str:
        """Say what to do about an error code."""
        if code in cls.hardware_codes:
            return "The device reports a fault: switch it off and on; if it stays, keep this message for the vendor."
        return _ADVICE.get(
            code, "This is a fault of the program that called it, not of the device: report it with this message."
        )

"""SCPI's words as an instrument reads and prints them: headers in both forms, numbers with units, refusals.

Source: SCPI 1999, volume 1 (headers, paths, suffixes), as the Agilent 33500 Series Operating and Service Guide uses it.
"""

from __future__ import annotations

import re
from math import inf

SHOWN_FOR_INFINITE = "+9.9E+37"
"""What the box prints for an infinite load."""
UNITS = {
    "": 1,
    "HZ": 1,
    "KHZ": 1e3,
    "MHZ": 1e6,
    "V": 1,
    "MV": 1e-3,
    "S": 1,
    "MS": 1e-3,
    "US": 1e-6,
    "NS": 1e-9,
    "OHM": 1,
}


class Refused(Exception):
    """A command that changes nothing; its arguments are the error's number and text."""


def compile_header(header: str) -> re.Pattern[str]:
    """Turn a header as manuals print it, such as ``[SOURce#:]FREQuency``, into a pattern for both forms."""
    both = re.sub("([A-Z]+)([a-z]+)", lambda match: f"{match[1]}(?:{match[2]})?", header)
    grouped = both.replace("[", "(?:").replace("]", ")?").replace("*", r"\*")
    return re.compile(grouped.replace("#", "(?P<channel>[12])?"), re.IGNORECASE)


def shown(value: float) -> str:
    """Return a number as the family prints it."""
    return SHOWN_FOR_INFINITE if value == inf else f"{value:+.15E}"


def choice(text: str, *names: str) -> str:
    """Return which of the names, given in short or long form such as ``TRIGgered``, a word is; the short form."""
    for name in names:
        short = re.sub("[a-z]", "", name)
        if text in (short, name.upper()):
            return short
    raise Refused(-224, "Illegal parameter value")


def switch(text: str) -> bool:
    """Read ON or OFF."""
    if text not in ("ON", "OFF", "1", "0"):
        raise Refused(-224, "Illegal parameter value")
    return text in ("ON", "1")

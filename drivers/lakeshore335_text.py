"""Replies of a Lake Shore 335 as numbers and choices, and limits with a message: text in, values out.

Anything that is not what was asked for is a ConnectionError, since the box only ever answers what it is asked.
Numbers are parsed as numbers, never by column, because the box's formats differ between firmware versions.
"""

from __future__ import annotations

from math import isfinite, nan

OUT_OF_STEP = "replies are out of step: discard what has arrived and ask again"


def split_reply(reply: str, n_fields: int) -> list[str]:
    """Split the reply to a chained message.

    Raises
    ------
    ConnectionError
        The reply has another number of fields than questions were asked.

    Examples
    --------
    >>> split_reply("+077.123;000", 2)
    ['+077.123', '000']
    """
    fields = reply.strip().split(";")
    if len(fields) != n_fields:
        raise ConnectionError(f"'{reply.strip()}' came as the answer to {n_fields} questions; {OUT_OF_STEP}")
    return fields


def number(text: str) -> float:
    """Read a number; anything else is a ConnectionError, since the box only ever answers numbers here."""
    try:
        value = float(text)
    except ValueError:
        value = nan
    if not isfinite(value):
        raise ConnectionError(f"'{text}' came where a number belongs; {OUT_OF_STEP}")
    return value


def numbers(text: str, n_fields: int) -> list[float]:
    """Read numbers separated by commas; anything else, or another number of them, is a ConnectionError.

    Examples
    --------
    >>> numbers("+0050.0,+0020.0,+000.0", 3)
    [50.0, 20.0, 0.0]
    """
    fields = text.split(",")
    if len(fields) != n_fields:
        raise ConnectionError(f"'{text}' came where {n_fields} numbers belong; {OUT_OF_STEP}")
    return [number(field) for field in fields]


def choice(names: tuple[str, ...], index: float) -> str:
    """Return the name of a setting; a number that is none of its is a ConnectionError."""
    if index not in range(len(names)):
        raise ConnectionError(f"{index:g} came where one of 0 to {len(names) - 1} belongs; {OUT_OF_STEP}")
    return names[int(index)]


def within(what: str, value: float, low: float, high: float, unit: str) -> None:
    """Raise ValueError unless `value` lies between `low` and `high`."""
    if not low <= value <= high:
        raise ValueError(f"{what} {value:g} is outside {low:g} to {high:g} {unit}".rstrip())

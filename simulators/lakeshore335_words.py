"""Parameters of a Lake Shore 335's commands: what each must be, and what becomes of a command whose are not.

The commands themselves, with what the box does about them, are in `lakeshore335.py`.

Source: Lake Shore Model 335 User's Manual, chapter 6.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Refused(Exception):
    """A well-known command asks for something the box cannot do."""


@dataclass(frozen=True)
class Row:
    """One command: what each parameter must be, and what the box does with them."""

    parameters: tuple[Callable[[str], Any], ...]
    obey: Callable[..., str | None]


def input_name(text: str) -> str:
    """Read the name of an input."""
    name = text.upper()
    if name not in ("A", "B"):
        raise Refused
    return name


def number(low: float, high: float) -> Callable[[str], float]:
    """Return a reader of numbers within limits."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise Refused from None
        if not low <= value <= high:
            raise Refused
        return value

    return parse


def integer(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers within limits."""
    return lambda text: int(number(low, high)(text))


def label(text: str) -> str:
    """Read a text in quotes, of which the box keeps 15 characters."""
    if len(text) < 2 or not text.startswith('"') or not text.endswith('"'):
        raise Refused
    return text[1:-1][:15]


def text_of(n_most: int) -> Callable[[str], str]:
    """Return a reader of texts, in quotes or not, of which the box keeps so many characters."""
    return lambda text: text.strip('"')[:n_most]


def split_fields(text: str, n_fields: int) -> list[str]:
    """Split parameters at their commas, but not at those in quotes; what is missing at the end is empty."""
    fields = [each.strip() for each in re.split(r',(?=(?:[^"]*"[^"]*")*[^"]*$)', text)] if text.strip() else []
    if len(fields) > n_fields:
        raise Refused
    return fields + [""] * (n_fields - len(fields))


output = integer(1, 2)

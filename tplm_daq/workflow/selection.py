"""Which runs are looked for: days and ranges as they are typed.

A range is ``LOW..HIGH``, either end of which may be left out, or one value, which stands for what is within 5 % of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from pydantic_core import PydanticCustomError

from tplm_daq.errors import InputError
from tplm_daq.recipes.base import POWER
from tplm_daq.store.catalog import ANY, Range

EXAMPLE_DAY = "2026-03-01"


def day(option: str, text: str | None) -> date | None:
    """Return the day that was typed after an option, None if none was.

    Raises
    ------
    InputError
        It is no day.

    Examples
    --------
    >>> day("--since", "2026-03-01")
    datetime.date(2026, 3, 1)
    """
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} {text}: is no day. Write year, month and day, such as {EXAMPLE_DAY}.") from None


def power_range(text: str) -> Range:
    """Return the range of average powers in nW that was typed; everything if nothing was.

    Raises
    ------
    InputError
        It is no range, or an end has no unit.

    Examples
    --------
    >>> power_range("500 pW..10 nW"), power_range("2 nW..").high
    (Range(low=0.5, high=10.0), None)
    """
    return _range("--power", text, POWER.parse, "1 nW..10 nW")


def diffusivity_range(text: str) -> Range:
    """Return the range of diffusivities in cm2/s that was typed; everything if nothing was.

    Raises
    ------
    InputError
        It is no range of numbers.

    Examples
    --------
    >>> diffusivity_range("0.05..0.1")
    Range(low=0.05, high=0.1)
    """
    return _range("--d", text, float, "0.05..0.1")


def _range(option: str, text: str, parse: Callable[[str], float], example: str) -> Range:
    if not text.strip():
        return ANY
    low, dots, high = (part.strip() for part in text.partition(".."))
    try:
        if not dots:
            return Range.around(parse(low))
        found = Range(parse(low) if low else None, parse(high) if high else None)
    except PydanticCustomError as error:
        context = error.context or {}
        raise InputError(f"{option} {text}: {context['rule']}. {context['advice']}.") from None
    except ValueError:
        raise InputError(f"{option} {text}: is no range of numbers. Write for example {option} {example}") from None
    if found.low is not None and found.high is not None and found.low > found.high:
        raise InputError(f"{option} {text}: the low end lies above the high one. Exchange them.")
    return found

"""Foundations of every recipe: the frozen, strict `Model`, and quantities that are written with their unit.

A quantity is text in the file (``dwell: 20 s``) and a float in one fixed unit in the code (``recipe.dwell`` in s).
A bare number where a unit belongs is refused, because `dwell: 20` is read as 20 ms by one person and as 20 s by
another; the message says what to write instead. Models also dump quantities as text, so that what is stored can be
read again, to the last bit: number and unit are handled as exact ratios and rounded to a float once.

A unit must be of the right kind, not only of the right dimension: Hz, cps and rpm are all 1/s, but a frequency, a
count rate and an angular velocity differ by their meaning or by 2 pi. Temperatures are written in K, because
a unit with an offset makes "5 degC" ambiguous between a temperature and a difference.

Files are read, and errors turned into sentences for the user, in `tplm_daq.recipes.load`. The units of `units.txt`
are computed with by pint, which takes a noticeable time to import and is loaded by the first quantity that is read.
"""

from __future__ import annotations

import difflib
import functools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction as Ratio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

if TYPE_CHECKING:
    import pint

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
_UNIT = r"(?:[A-Za-zµμ°]+|%)(?:\s*/\s*[A-Za-zµμ]+)*"
_QUANTITY = re.compile(rf"\s*(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})?\s*")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*[^\d,]*")
_UNIT_SUFFIX = re.compile(r"(?<=.)_(?:k_min|nm_min|cps_nw|hz|cps|nw|nm|mm|ps|ns|s|k|v)$")
_LONGEST_TEXT = 80
"""Characters; longer text is no quantity, and exact ratios of endless digits would take endless time."""


def file_key(field: str) -> str:
    """Return the key by which a file names a field: in the file the value carries the unit, not the name.

    Examples
    --------
    >>> file_key("dwell_s"), file_key("temperature_rate_k_min"), file_key("n_passes")
    ('dwell', 'temperature_rate', 'n_passes')
    """
    return _UNIT_SUFFIX.sub("", field)


class Model(BaseModel):
    """A part of a recipe or rig file: immutable, without unknown keys, without conversions between types.

    A field ``dwell_s`` is the key ``dwell`` of the file; in Python both names work as arguments. Field descriptions
    are the docstrings below the fields; they appear in the JSON Schema for editors.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        alias_generator=file_key,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


@dataclass(frozen=True)
class Quantity:
    """How one kind of quantity is written in a file; stands in the `Annotated` of a float.

    Attributes
    ----------
    kind : str
        What it is, with its article, such as "a time"; for messages.
    unit : str
        Unit of the float in the code.
    shown : tuple of str
        Units in which values are dumped, ascending, each a power of ten of `unit`.
    example : str
        A value as one would write it.

    Examples
    --------
    >>> time = Quantity("a time", "s", ("ns", "us", "ms", "s"), "20 s")
    >>> time.parse("2.5 min"), time.parse("16 ms")
    (150.0, 0.016)
    >>> time.format(0.016)
    '16 ms'
    """

    kind: str
    unit: str
    shown: tuple[str, ...]
    example: str

    def parse(self, value: object) -> float:
        """Return the value of a text such as "20 s" as a float in `unit`.

        Raises
        ------
        PydanticCustomError
            The text is no number with a unit of this kind; its context holds `rule` and `advice`.
        """
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        match = _QUANTITY.fullmatch(str(value)) if is_number or isinstance(value, str) else None
        if match is None or len(str(value)) > _LONGEST_TEXT:
            raise self._not_a_quantity(value)
        if match["unit"] is None:
            raise _problem(f"{self.kind} needs its unit", f"Write {self._with_unit(match['number'])}")
        try:
            return float(Ratio(match["number"]) * self._factor(match["number"], match["unit"]))
        except OverflowError:
            raise _problem("the number is too large", f'Write {self.kind} such as "{self.example}"') from None

    def format(self, value: float) -> str:
        """Return a short text with unit that `parse` turns into exactly this float.

        Raises
        ------
        ValueError
            The value is infinite or not a number; an absent limit is None, not infinity.
        """
        if not math.isfinite(value):
            raise ValueError(f"{value} cannot be written as {self.kind}; use None where there is no value")
        exact = Decimal(repr(float(value)))
        unit = self.unit or self.shown[0]
        if exact:
            fitting = [shown for shown in self.shown if abs(exact) * self._shown_per_unit(shown) >= 1]
            unit = fitting[-1] if fitting else self.shown[0]
        return f"{_plain(exact * self._shown_per_unit(unit))} {unit}"

    def _shown_per_unit(self, shown: str) -> Decimal:
        ratio = 1 / _ratio(shown, self.unit)
        return Decimal(ratio.numerator) / Decimal(ratio.denominator)

    def _factor(self, number: str, unit: str) -> Ratio:
        """Return how many of our unit one `unit` is, or say why it is not of this kind."""
        try:
            return _ratio(unit, self.unit)
        except _OffsetUnit as offset:
            kelvin = _plain(Decimal(f"{float(Ratio(number) * offset.factor + offset.zero):.10g}"))
            raise _problem("temperatures are written in kelvin", f'Write "{kelvin} K"') from None
        except LookupError:
            meant = nearest(unit, self.shown)
            advice = f'Write "{number} {meant}"' if meant else f'Write {self.kind} such as "{self.example}"'
            raise _problem(f'"{unit}" is not a unit of {self.kind.split(maxsplit=1)[1]}', advice) from None

    def _with_unit(self, number: str) -> str:
        """Offer a bare number in our unit, and in a second one that makes clear that there is a choice."""
        value = float(number)
        if not self.unit:
            percent = value * 100 if abs(value) <= 1 else value
            return f'"{percent:.10g} %" for a fraction of {percent / 100:.10g}'
        plain, shown = f"{number} {self.unit}", self.format(value)
        if shown == plain and len(self.shown) > 1:
            place = self.shown.index(self.unit)
            other = self.shown[place - 1 if place > 0 else 1]
            shown = f"{_plain(Decimal(number) * self._shown_per_unit(other))} {other}"
        return f'"{plain}"' if shown == plain else f'"{plain}" or "{shown}"'

    def _not_a_quantity(self, value: object) -> PydanticCustomError:
        if isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value):
            return _problem("decimals are written with a point", f'Write "{value.strip().replace(",", ".")}"')
        return _problem(f"{self.kind} is written as a number and a unit", f'Write for example "{self.example}"')

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.format, return_schema=core_schema.str_schema()
            ),
            json_schema_input_schema=core_schema.str_schema(),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": rf"^\s*{_NUMBER}\s*(?:{_UNIT})\s*$",
            "description": f"{self.kind[0].upper()}{self.kind[1:]} with its unit: {', '.join(self.shown)}.",
            "examples": [self.example],
        }


Seconds = Annotated[float, Quantity("a time", "s", ("ns", "us", "ms", "s"), "20 s")]
Nanoseconds = Annotated[float, Quantity("a delay", "ns", ("ps", "ns", "us"), "60 ns")]
Picoseconds = Annotated[float, Quantity("a delay", "ps", ("ps", "ns", "us"), "16 ps")]
Hertz = Annotated[float, Quantity("a frequency", "Hz", ("Hz", "kHz", "MHz"), "2.5 MHz")]
CountsPerSecond = Annotated[float, Quantity("a count rate", "cps", ("cps", "kcps", "Mcps"), "50 kcps")]
CountsPerSecondPerNanowatt = Annotated[
    float, Quantity("a brightness", "cps/nW", ("cps/nW", "kcps/nW", "Mcps/nW"), "2 kcps/nW")
]
POWER = Quantity("a power", "nW", ("pW", "nW", "uW", "mW"), "10 nW")
Nanowatts = Annotated[float, POWER]
Volts = Annotated[float, Quantity("a voltage", "V", ("mV", "V"), "0.1 V")]
Kelvin = Annotated[float, Quantity("a temperature", "K", ("K",), "295 K")]
KelvinPerMinute = Annotated[float, Quantity("a heating rate", "K/min", ("K/min",), "2 K/min")]
Nanometres = Annotated[float, Quantity("a length", "nm", ("nm", "um", "mm"), "500 nm")]
"""Lengths in the sample plane."""
Millimetres = Annotated[float, Quantity("a length", "mm", ("nm", "um", "mm"), "12.5 mm")]
"""Travel of an actuator."""
NanometresPerMinute = Annotated[float, Quantity("a speed", "nm/min", ("nm/min", "um/min"), "5 nm/min")]
Fraction = Annotated[float, Quantity("a fraction", "", ("%",), "5 %")]
"""Written in percent: "5 %" is 0.05."""


def nearest(word: str, known: Sequence[str]) -> str | None:
    """Return the known word that was probably meant, or None if none is near.

    Examples
    --------
    >>> nearest("dwel", ["dwell", "order"]), nearest("mhz", ["kHz", "MHz"]), nearest("x", ["order"])
    ('dwell', 'MHz', None)
    """
    same_letters = [name for name in known if name.casefold() == word.casefold()]
    return next(iter(same_letters or difflib.get_close_matches(word, known, n=1)), None)


class _OffsetUnit(Exception):
    """The unit has an offset: kelvin = factor * number + zero."""

    def __init__(self, factor: Ratio, zero: Ratio) -> None:
        super().__init__(f"kelvin = {factor} * number + {zero}")
        self.factor = factor
        self.zero = zero


def _problem(rule: str, advice: str) -> PydanticCustomError:
    return PydanticCustomError("quantity", "{rule}. {advice}.", {"rule": rule, "advice": advice})


def _plain(number: Decimal) -> str:
    """Write a decimal without trailing zeros, and with an exponent only where it has many."""
    number = number.normalize()
    return f"{number:f}" if number == 0 or 1e-4 <= abs(number) < 1e16 else f"{number:e}"


@functools.lru_cache(maxsize=256)
def _ratio(unit: str, canonical: str) -> Ratio:
    """Return how many `canonical` one `unit` is, exactly.

    Raises
    ------
    LookupError
        There is no such unit, or it is of another kind.
    _OffsetUnit
        It is a temperature that does not start at absolute zero.
    """
    import pint

    units: Any = _units()
    try:
        asked, ours = units.parse_units(unit), units.parse_units(canonical)
    except pint.UndefinedUnitError:
        raise LookupError(unit) from None
    factor, root = units.get_root_units(asked, check_nonmult=False)
    our_factor, our_root = units.get_root_units(ours)
    if root != our_root:
        raise LookupError(unit)
    zero = units.Quantity(Ratio(0), asked).to_root_units().magnitude
    if zero != 0:
        raise _OffsetUnit(Ratio(factor), Ratio(zero))
    return Ratio(factor) / Ratio(our_factor)


@functools.cache
def _units() -> pint.UnitRegistry[Any]:
    """Load the table of units, once."""
    import pint

    units: pint.UnitRegistry[Any] = pint.UnitRegistry(Path(__file__).with_name("units.txt"), non_int_type=Ratio)
    return units

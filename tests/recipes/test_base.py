"""Quantities with units and the strict model that every recipe is made of."""

from __future__ import annotations

import math
import subprocess
import sys
from fractions import Fraction
from typing import Annotated, get_args

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError
from pydantic_core import PydanticCustomError

from tplm_daq.recipes import base
from tplm_daq.recipes.base import Model, Quantity, nearest

TYPES = (
    base.Seconds,
    base.Nanoseconds,
    base.Picoseconds,
    base.Hertz,
    base.CountsPerSecond,
    base.Nanowatts,
    base.Volts,
    base.Kelvin,
    base.KelvinPerMinute,
    base.Nanometres,
    base.Millimetres,
    base.NanometresPerMinute,
    base.Fraction,
)


def quantity(annotated: object) -> Quantity:
    """Return the `Quantity` of an annotated float."""
    found = get_args(annotated)[1]
    assert isinstance(found, Quantity)
    return found


class Passes(Model):
    """A small recipe."""

    dwell_s: Annotated[base.Seconds, Field(gt=0)]
    n_passes: int = 1
    delays_ns: tuple[base.Nanoseconds, ...] = ()


@pytest.mark.parametrize(
    ("annotated", "text", "value"),
    [
        (base.Seconds, "20 s", 20.0),
        (base.Seconds, "20s", 20.0),
        (base.Seconds, "2.5 min", 150.0),
        (base.Seconds, "0.4 us", 0.4e-6),
        (base.Hertz, "2.5 MHz", 2.5e6),
        (base.Nanowatts, "1e-3 uW", 1.0),
        (base.Kelvin, "295 K", 295.0),
        (base.Kelvin, "50 mK", 0.05),
        (base.Nanometres, "1 um", 1000.0),
        (base.Nanometres, "1 \u00b5m", 1000.0),
        (base.Nanometres, "1 \u03bcm", 1000.0),
        (base.Nanometres, "-.5 nm", -0.5),
        (base.Millimetres, "12.5 mm", 12.5),
        (base.Picoseconds, "16 ps", 16.0),
        (base.Nanoseconds, "16 ps", 0.016),
        (base.Fraction, "5 %", 0.05),
        (base.Fraction, "5%", 0.05),
        (base.KelvinPerMinute, "50 K/min", 50.0),
        (base.KelvinPerMinute, "1 K / s", 60.0),
        (base.Volts, "100 mV", 0.1),
        (base.CountsPerSecond, "5 kcps", 5000.0),
        (base.CountsPerSecond, "5 counts/s", 5.0),
        (base.NanometresPerMinute, "1 um/h", 1000 / 60),
    ],
)
def test_text_with_unit_becomes_the_nearest_float_in_the_unit_of_the_code(annotated, text, value):
    assert quantity(annotated).parse(text) == value


@pytest.mark.parametrize(
    ("annotated", "written", "message"),
    [
        (base.Seconds, 20, 'a time needs its unit. Write "20 s" or "20000 ms".'),
        (base.Seconds, "20", 'a time needs its unit. Write "20 s" or "20000 ms".'),
        (base.Hertz, 2_500_000, 'a frequency needs its unit. Write "2500000 Hz" or "2.5 MHz".'),
        (base.Nanometres, 500, 'a length needs its unit. Write "500 nm" or "0.5 um".'),
        (base.Kelvin, 20, 'a temperature needs its unit. Write "20 K".'),
        (base.Fraction, 0.05, 'a fraction needs its unit. Write "5 %" for a fraction of 0.05.'),
        (base.Fraction, 5, 'a fraction needs its unit. Write "5 %" for a fraction of 0.05.'),
        (base.Seconds, "20 nm", '"nm" is not a unit of time. Write a time such as "20 s".'),
        (base.Seconds, "20 S", '"S" is not a unit of time. Write "20 s".'),
        (base.Hertz, "2.5 mhz", '"mhz" is not a unit of frequency. Write "2.5 MHz".'),
        (base.Hertz, "10 rpm", '"rpm" is not a unit of frequency. Write a frequency such as "2.5 MHz".'),
        (base.Hertz, "10 cps", '"cps" is not a unit of frequency. Write a frequency such as "2.5 MHz".'),
        (base.Kelvin, "20 degC", 'temperatures are written in kelvin. Write "293.15 K".'),
        (base.Kelvin, "20 °C", 'temperatures are written in kelvin. Write "293.15 K".'),
        (base.Kelvin, "68 degF", 'temperatures are written in kelvin. Write "293.15 K".'),
        (base.Seconds, "2,5 s", 'decimals are written with a point. Write "2.5 s".'),
        (base.Seconds, "1:30", 'a time is written as a number and a unit. Write for example "20 s".'),
        (base.Seconds, "1 + 2 s", 'a time is written as a number and a unit. Write for example "20 s".'),
        (base.Seconds, True, 'a time is written as a number and a unit. Write for example "20 s".'),
        (base.Seconds, None, 'a time is written as a number and a unit. Write for example "20 s".'),
        (base.Seconds, math.nan, 'a time is written as a number and a unit. Write for example "20 s".'),
        (base.Seconds, "9" * 5000 + " s", 'a time is written as a number and a unit. Write for example "20 s".'),
        (base.Seconds, "1e308 day", 'the number is too large. Write a time such as "20 s".'),
    ],
)
def test_anything_else_is_refused_with_what_to_write(annotated, written, message):
    with pytest.raises(PydanticCustomError) as refused:
        quantity(annotated).parse(written)
    assert refused.value.message() == message


def test_the_units_are_those_of_pint():
    theirs, ours = pint.UnitRegistry(non_int_type=Fraction), base._units()
    assert {"meter", "second", "kelvin", "watt", "volt", "hertz"} <= set(ours)
    for name in ours:
        factor, root = theirs.get_root_units(theirs.parse_units(name), check_nonmult=False)
        our_factor, our_root = ours.get_root_units(ours.parse_units(name), check_nonmult=False)
        assert (our_factor, dict(our_root.dimensionality)) == (factor, dict(root.dimensionality)), name


@given(st.text(alphabet="sSmnuµ°CKkHz%/ .e+-0123456789WVminhdayps", max_size=12))
def test_no_text_makes_the_parser_fail_in_another_way(text):
    for annotated in TYPES:
        try:
            assert math.isfinite(quantity(annotated).parse(text))
        except PydanticCustomError as refused:
            assert "rite" in refused.message()


@given(value=st.floats(allow_nan=False, allow_infinity=False), annotated=st.sampled_from(TYPES))
def test_a_value_survives_being_written_and_read_to_the_last_bit(value, annotated):
    kind = quantity(annotated)
    assert kind.parse(kind.format(value)) == value


@given(
    number=st.decimals(-(10**9), 10**9, allow_nan=False, places=4),
    choice=st.sampled_from([(kind, unit) for kind in map(quantity, TYPES) for unit in kind.shown]),
)
def test_parse_format_parse_gives_the_identical_float(number, choice):
    kind, unit = choice
    value = kind.parse(f"{number} {unit}")
    assert kind.parse(kind.format(value)) == value


@pytest.mark.parametrize("annotated", TYPES)
def test_the_example_in_the_messages_is_itself_valid_and_written_the_same_way(annotated):
    kind = quantity(annotated)
    assert kind.parse(kind.format(kind.parse(kind.example))) == kind.parse(kind.example)


@pytest.mark.parametrize(
    ("annotated", "value", "text"),
    [
        (base.Hertz, 2.5e6, "2.5 MHz"),
        (base.Seconds, 0.016, "16 ms"),
        (base.Seconds, 90, "90 s"),
        (base.Seconds, 0.0, "0 s"),
        (base.Seconds, 1e-15, "1e-6 ns"),
        (base.Fraction, 0.05, "5 %"),
        (base.Fraction, 0.001, "0.1 %"),
        (base.Nanometres, -1250.0, "-1.25 um"),
        (base.Kelvin, 1e20, "1e+20 K"),
    ],
)
def test_values_are_written_in_the_unit_one_would_choose(annotated, value, text):
    assert quantity(annotated).format(value) == text


def test_an_infinite_value_is_not_written():
    with pytest.raises(ValueError, match="inf cannot be written as a time; use None where there is no value"):
        quantity(base.Seconds).format(math.inf)


def test_a_model_takes_field_names_and_file_keys_and_holds_floats():
    assert Passes(dwell_s="20 s") == Passes.model_validate({"dwell": "20 s"})
    assert Passes(dwell_s="20 s").dwell_s == 20.0


def test_a_model_dumps_what_it_reads():
    passes = Passes(dwell_s="20 s", delays_ns=("16 ps",))
    assert passes.model_dump() == {"dwell": "20 s", "n_passes": 1, "delays": ("16 ps",)}
    assert Passes.model_validate(passes.model_dump()) == passes
    assert Passes.model_validate_json(passes.model_dump_json()) == passes


def test_a_model_is_immutable_hashable_and_strict():
    passes = Passes(dwell_s="20 s")
    with pytest.raises(ValidationError, match="frozen"):
        passes.dwell_s = 3.0
    assert hash(passes) == hash(Passes(dwell_s="20 s"))
    with pytest.raises(ValidationError, match="valid integer"):
        Passes(dwell_s="20 s", n_passes="3")
    with pytest.raises(ValidationError, match="not permitted"):
        Passes(dwell_s="20 s", dwel="20 s")


def test_constraints_apply_to_the_value_and_the_error_shows_the_text():
    with pytest.raises(ValidationError, match="greater than 0.*input_value='0 ms'"):
        Passes(dwell_s="0 ms")


def test_the_schema_for_editors_describes_text_with_a_unit():
    schema = Passes.model_json_schema()
    dwell = schema["properties"]["dwell"]
    assert (dwell["type"], dwell["examples"]) == ("string", ["20 s"])
    assert "?P<" not in dwell["pattern"], "named groups are not JavaScript"
    assert schema["additionalProperties"] is False


def test_nearest_ignores_case_and_offers_nothing_far_away():
    assert nearest("MHZ", ["kHz", "MHz"]) == "MHz"
    assert nearest("temperature", ["dwell", "order"]) is None


def test_importing_the_recipes_loads_neither_pint_nor_any_heavy_library():
    heavy = ("pint", "numpy", "h5py", "PyQt6", "pymeasure")
    script = f"import sys, tplm_daq.recipes.load; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""How numbers are written: with an error, or with the name and unit of their quantity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tplm_daq.store.units import UNITS, unit_of

HERTZ = {"GHz": 1e9, "MHz": 1e6, "kHz": 1e3}
"""Units in which frequencies are written, and how many Hz they are."""

LARGE = 1e5
"""From here on numbers are written without decimals: heights in nm."""


def value_with_error(value: float, error: float) -> str:
    """Return a value and its standard error, both to the second digit of the error.

    Parameters
    ----------
    value, error : float
        In the same unit.

    Returns
    -------
    str
        Both, with a plus-minus sign; the value alone if the error is not a positive number.

    Examples
    --------
    >>> value_with_error(0.049731, 0.00118)
    '0.0497 ± 0.0012'
    >>> value_with_error(212.33, 1.5)
    '212.3 ± 1.5'
    >>> value_with_error(1234.5, 150.0)
    '1230 ± 150'
    """
    if not (math.isfinite(error) and error > 0):
        return f"{value:.4g}"
    n_decimals = 1 - math.floor(math.log10(error))
    if n_decimals < 0:
        return f"{round(value, n_decimals):.0f} ± {round(error, n_decimals):.0f}"
    return f"{value:.{n_decimals}f} ± {error:.{n_decimals}f}"


def label_and_unit(name: str) -> tuple[str, str]:
    """Split the name of a quantity into words and its unit.

    Parameters
    ----------
    name : str
        Ends in the unit, as all our names do.

    Returns
    -------
    label, unit : str
        The unit is empty for a pure number.

    Examples
    --------
    >>> label_and_unit("diffusivity_change_cm2_s"), label_and_unit("contrast_to_noise"), label_and_unit("t_exc_us")
    (('diffusivity change', 'cm²/s'), ('contrast to noise', ''), ('t exc', 'µs'))
    """
    unit = unit_of(name)
    if unit is None:
        return name.replace("_", " "), ""
    end = max((f"_{suffix}" for suffix in UNITS if name.endswith(f"_{suffix}")), key=len)
    shown = f"µ{unit[1:]}" if unit.startswith("u") else unit
    return name.removesuffix(end).replace("_", " "), shown.replace("^2", "²")


def quantity_text(name: str, value: float) -> str:
    """Write a quantity as one reads it, to four digits.

    Parameters
    ----------
    name : str
        Ends in the unit, as all our names do.
    value : float
        In that unit.

    Returns
    -------
    str
        Words, value and unit; frequencies are in Hz, kHz, MHz or GHz, whichever is the largest below the value.

    Examples
    --------
    >>> quantity_text("average_power_nw", 10.0), quantity_text("repetition_rate_hz", 2.5e6)
    ('average power: 10 nW', 'repetition rate: 2.5 MHz')
    """
    label, unit = label_and_unit(name)
    if unit == "Hz":
        unit = next((each for each, hz in HERTZ.items() if abs(value) >= hz), unit)
        value /= HERTZ.get(unit, 1.0)
    return f"{label}: {value:.4g} {unit}".rstrip()


def values_found(found: Mapping[str, float], truth: Mapping[str, object]) -> Sequence[tuple[str, str, str, str]]:
    """Write what an alignment has found, each value with its error.

    Parameters
    ----------
    found : mapping of str to float
        Values, units in the names; the standard error of `x_nm` is `x_error_nm`.
    truth : mapping of str to object
        What the simulation knows; numbers are shown beside values of the same name.

    Returns
    -------
    sequence of tuple of str
        Name in words, value with its error, unit, and simulated truth.

    Examples
    --------
    >>> values_found({"x_nm": 12.34, "x_error_nm": 0.5, "ellipticity": 0.01}, {"x_nm": 12.0})
    [('x', '12.34 ± 0.50', 'nm', '12'), ('ellipticity', '0.01', '', '')]
    """
    rows = []
    for name, value in found.items():
        if "_error" in name:
            continue
        label, unit = label_and_unit(name)
        unit = "counts/s" if name.endswith("_cps") else unit
        stem = label.replace(" ", "_")
        error = found.get(name.replace(stem, f"{stem}_error", 1))
        text = _plain(value) if error is None else value_with_error(value, error)
        true = truth.get(name)
        rows.append((label, text, unit, _plain(true) if isinstance(true, int | float) else ""))
    return rows


def _plain(value: float) -> str:
    return f"{value:.5g}" if abs(value) < LARGE else f"{value:.0f}"

"""How a number with an error is written."""

from __future__ import annotations

import math

from tplm_daq.store.units import UNITS, unit_of


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

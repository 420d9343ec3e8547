"""How a number with an error is written."""

from __future__ import annotations

import math


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

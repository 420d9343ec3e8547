"""What may be asked of a PicoHarp 300: pure functions that turn a wish into the library's number or refuse it.

Nothing is rounded or clipped silently: a value the counter cannot do is a ValueError that names the nearest it can.

Source: phdefin.h of PHLib 3.0 (October 2015); sync limit from the converter speed given on tcspc.com.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

MAX_DWELL_MS = 360_000_000
"""Longest run, 100 h (ACQTMAX)."""

MAX_OFFSET_PS = 1_000_000_000
MAX_SYNC_OFFSET_PS = 99_999
MAX_LEVEL_MV = 800
MAX_ZERO_CROSS_MV = 20
SYNC_DIVIDERS = (1, 2, 4, 8)

MAX_EFFECTIVE_SYNC_HZ = 10e6
"""Highest sync rate after the divider."""


def check_range(what: str, value: float, low: float, high: float, unit: str) -> None:
    """Raise ValueError unless `value` lies within the limits.

    Examples
    --------
    >>> check_range("zero crossing", 10, 0, 20, "mV")
    """
    if not low <= value <= high:
        raise ValueError(
            f"PicoHarp 300: {what} {value:g} {unit} is outside {low:g} to {high:g} {unit}. Nothing was sent."
        )


def dwell_ms_of(dwell_s: float) -> int:
    """Return a dwell in whole ms, 1 to 360 000 000.

    Raises
    ------
    ValueError
        If it is out of range or not a whole number of ms.

    Examples
    --------
    >>> dwell_ms_of(0.02)
    20
    """
    check_range("dwell", dwell_s * 1e3, 1, MAX_DWELL_MS, "ms")
    dwell_ms = round(dwell_s * 1e3)
    if not math.isclose(dwell_ms, dwell_s * 1e3, rel_tol=1e-12):
        raise ValueError(
            f"PicoHarp 300: dwell {dwell_s * 1e3:.9g} ms is not a whole number of ms. The nearest is {dwell_ms} ms."
        )
    return dwell_ms


def binning_code_of(width_ps: float, widths_ps: Sequence[float]) -> int:
    """Return the binning code of a bin width, given the widths of the device.

    Raises
    ------
    ValueError
        If the device has no such width; the message names the nearest.

    Examples
    --------
    >>> binning_code_of(16, (4.0, 8.0, 16.0, 32.0))
    2
    """
    if not widths_ps:
        raise ValueError("PicoHarp 300: its bin widths are not known yet. Call initialise() first.")
    if width_ps not in widths_ps:
        nearest_ps = min(widths_ps, key=lambda width: abs(width - width_ps))
        raise ValueError(
            f"PicoHarp 300: bin width {width_ps:g} ps does not exist, the nearest is {nearest_ps:g} ps. "
            f"Use one of {', '.join(f'{width:g}' for width in widths_ps)} ps."
        )
    return widths_ps.index(width_ps)


def check_offset_ps(offset_ps: int, step_ps: float) -> None:
    """Raise ValueError unless the offset is in range and a multiple of the base resolution.

    Examples
    --------
    >>> check_offset_ps(5000, 4.0)
    """
    check_range("offset", offset_ps, 0, MAX_OFFSET_PS, "ps")
    if offset_ps % step_ps:
        nearest_ps = step_ps * round(offset_ps / step_ps)
        raise ValueError(
            f"PicoHarp 300: offset {offset_ps} ps is not a multiple of {step_ps:g} ps. Use {nearest_ps:g} ps."
        )


def sync_divider_for(sync_hz: float) -> int:
    """Return the smallest sync divider that brings the sync rate to 10 MHz or less.

    Raises
    ------
    ValueError
        If no divider does.

    Examples
    --------
    >>> sync_divider_for(2.5e6), sync_divider_for(40e6)
    (1, 4)
    """
    for divider in SYNC_DIVIDERS:
        if sync_hz / divider <= MAX_EFFECTIVE_SYNC_HZ:
            return divider
    raise ValueError(
        f"PicoHarp 300: sync rate {sync_hz / 1e6:g} MHz is above the limit of 80 MHz. Use a lower repetition rate."
    )

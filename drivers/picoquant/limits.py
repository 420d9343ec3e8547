"""What may be asked of a counter: pure functions that turn a wish into the library's number or refuse it.

Nothing is rounded or clipped silently: a value the counter cannot do is a ValueError that names the nearest it can.
All of them take the device's model first, for the message.

Source: phdefin.h of PHLib 3.0 and th260defin.h of TH260Lib 3.2, which agree in these limits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

MAX_DWELL_MS = 360_000_000
"""Longest run, 100 h (ACQTMAX)."""

MAX_SYNC_OFFSET_PS = 99_999
SYNC_DIVIDERS = (1, 2, 4, 8)


def check_range(device: str, what: str, value: float, low: float, high: float, unit: str) -> None:
    """Raise ValueError unless `value` lies within the limits.

    Examples
    --------
    >>> check_range("PicoHarp 300", "zero crossing", 10, 0, 20, "mV")
    """
    if not low <= value <= high:
        raise ValueError(f"{device}: {what} {value:g} {unit} is outside {low:g} to {high:g} {unit}. Nothing was sent.")


def dwell_ms_of(device: str, dwell_s: float) -> int:
    """Return a dwell in whole ms, 1 to 360 000 000.

    Raises
    ------
    ValueError
        If it is out of range or not a whole number of ms.

    Examples
    --------
    >>> dwell_ms_of("PicoHarp 300", 0.02)
    20
    """
    check_range(device, "dwell", dwell_s * 1e3, 1, MAX_DWELL_MS, "ms")
    dwell_ms = round(dwell_s * 1e3)
    if not math.isclose(dwell_ms, dwell_s * 1e3, rel_tol=1e-12):
        raise ValueError(
            f"{device}: dwell {dwell_s * 1e3:.9g} ms is not a whole number of ms. The nearest is {dwell_ms} ms."
        )
    return dwell_ms


def binning_code_of(device: str, width_ps: float, widths_ps: Sequence[float]) -> int:
    """Return the binning code of a bin width, given the widths of the device.

    Raises
    ------
    ValueError
        If the device has no such width; the message names the nearest.

    Examples
    --------
    >>> binning_code_of("PicoHarp 300", 16, (4.0, 8.0, 16.0, 32.0))
    2
    """
    if not widths_ps:
        raise ValueError(f"{device}: its bin widths are not known yet. Call initialise() first.")
    if width_ps not in widths_ps:
        nearest_ps = min(widths_ps, key=lambda width: abs(width - width_ps))
        raise ValueError(
            f"{device}: bin width {width_ps:g} ps does not exist, the nearest is {nearest_ps:g} ps. "
            f"Use one of {', '.join(f'{width:g}' for width in widths_ps)} ps."
        )
    return widths_ps.index(width_ps)


def check_offset_ps(device: str, offset_ps: int, step_ps: float, highest_ps: int) -> None:
    """Raise ValueError unless the offset is in range and a multiple of what the library counts in.

    Examples
    --------
    >>> check_offset_ps("PicoHarp 300", 5000, 4.0, 1_000_000_000)
    """
    check_range(device, "offset", offset_ps, 0, highest_ps, "ps")
    if offset_ps % step_ps:
        nearest_ps = step_ps * round(offset_ps / step_ps)
        raise ValueError(f"{device}: offset {offset_ps} ps is not a multiple of {step_ps:g} ps. Use {nearest_ps:g} ps.")


def check_divider(device: str, divider: int) -> None:
    """Raise ValueError unless the sync divider exists.

    Examples
    --------
    >>> check_divider("PicoHarp 300", 4)
    """
    if divider not in SYNC_DIVIDERS:
        raise ValueError(f"{device}: sync divider {divider} does not exist. Use 1, 2, 4 or 8.")


def smallest_divider(device: str, sync_hz: float, effective_hz: float, highest_hz: float) -> int:
    """Return the smallest sync divider that brings the sync rate to `effective_hz` or less.

    Raises
    ------
    ValueError
        If the rate is above the highest that the input takes.

    Examples
    --------
    >>> smallest_divider("PicoHarp 300", 40e6, 10e6, 80e6)
    4
    """
    for divider in SYNC_DIVIDERS:
        if sync_hz <= highest_hz and sync_hz / divider <= effective_hz:
            return divider
    raise ValueError(
        f"{device}: sync rate {sync_hz / 1e6:g} MHz is above the limit of {highest_hz / 1e6:g} MHz. "
        "Use a lower repetition rate."
    )

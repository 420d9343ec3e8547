"""Limits of the TimeHarp 260.

Source: th260defin.h of TH260Lib 3.2 (February 2020) and its programming manual (rates).
"""

from __future__ import annotations

from drivers.picoquant.limits import smallest_divider

DEVICE = "TimeHarp 260"

MAX_LEVEL_MV = 1200
MAX_ZERO_CROSS_MV = 40
"""Of the PICO."""
OFFSET_STEP_PS = 1000
"""The library counts offsets in ns."""
MAX_OFFSET_PS = 100_000_000 * OFFSET_STEP_PS
MAX_HOLDOFF_NS = 25_500
"""Of markers (HOLDOFFMAX)."""
DEAD_TIMES_NS = (24, 44, 66, 88, 112, 135, 160, 180)
"""Of the PICO's inputs, to 10 %, by code; boards with the feature PROGRAMMABLE_DEAD_TIME only."""

MAX_EFFECTIVE_SYNC_HZ = 39e6
"""Highest sync rate after the divider: 40 MHz, less a margin for rates that are a little off."""
MAX_SYNC_HZ = 100e6
"""Highest sync rate before the divider (a reseller's figure)."""


def sync_divider_for(sync_hz: float) -> int:
    """Return the smallest sync divider that keeps the sync rate below 40 MHz.

    Raises
    ------
    ValueError
        If the rate is above what the input takes.

    Examples
    --------
    >>> sync_divider_for(2.5e6), sync_divider_for(80e6)
    (1, 4)
    """
    return smallest_divider(DEVICE, sync_hz, MAX_EFFECTIVE_SYNC_HZ, MAX_SYNC_HZ)


def dead_time_code_of(dead_time_ns: int) -> int:
    """Return the code of a programmable dead time.

    Raises
    ------
    ValueError
        If there is no such dead time; the message names the nearest.

    Examples
    --------
    >>> dead_time_code_of(88)
    3
    """
    if dead_time_ns not in DEAD_TIMES_NS:
        nearest_ns = min(DEAD_TIMES_NS, key=lambda each: abs(each - dead_time_ns))
        raise ValueError(
            f"{DEVICE}: dead time {dead_time_ns:g} ns does not exist, the nearest is {nearest_ns} ns. "
            f"Use one of {', '.join(map(str, DEAD_TIMES_NS))} ns."
        )
    return DEAD_TIMES_NS.index(dead_time_ns)

"""Limits of the PicoHarp 300.

Source: phdefin.h of PHLib 3.0 (October 2015); sync limit from the converter speed given on tcspc.com.
"""

from __future__ import annotations

from drivers.picoquant.limits import smallest_divider

DEVICE = "PicoHarp 300"

MAX_OFFSET_PS = 1_000_000_000
MAX_LEVEL_MV = 800
MAX_ZERO_CROSS_MV = 20
MAX_HOLDOFF_NS = 210_480
"""Of markers (HOLDOFFMAX)."""

MAX_EFFECTIVE_SYNC_HZ = 10e6
"""Highest sync rate after the divider."""

MAX_SYNC_HZ = 80e6
"""Highest sync rate before the largest divider."""


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
    return smallest_divider(DEVICE, sync_hz, MAX_EFFECTIVE_SYNC_HZ, MAX_SYNC_HZ)

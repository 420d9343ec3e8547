"""What the faults of devices do to the doubles, by name of the fault and kind of double.

**Ours**: which settings a box forgets when its power fails for a moment, where the documents do not say; its
connections survive. A double-triggered sync is counted twice by the rate meter; delays still count from the laser's
own pulses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from simulators import faults
from simulators.anc350 import ANC350
from simulators.cryostation import Cryostation
from simulators.fw102c import FW102C
from simulators.kst101 import KST101
from simulators.lakeshore335 import LakeShore335
from simulators.pm100d import PM100D
from simulators.tcspc.table import CounterTable
from simulators.trigger import Channel, TriggerGenerator

NEAR_MM = 0.01
"""How far a limit switch that is in the way is from the spindle."""
FULL_AT = 200
"""Counts at which a bin of the faulty counter is full."""

Target: TypeAlias = (
    ANC350 | Cryostation | FW102C | KST101 | LakeShore335 | PM100D | CounterTable | TriggerGenerator
)


def mishap(fault: str, target: object) -> Callable[[], None]:
    """Return what lets a fault strike.

    Raises
    ------
    ValueError
        Nothing of the kind can happen to this double.
    """
    for name, kind, act in _MISHAPS:
        if name == fault and isinstance(target, kind):
            return lambda: act(target)
    raise ValueError(f"{fault!r} cannot happen to a {type(target).__name__}")

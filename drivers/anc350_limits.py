"""How hard the positioners of an ANC350 may be driven, warm and cold.

A cold piezo moves less: below some amplitude it does not step, and every step heats what is being cooled. The lowest
amplitudes are those of a published table for ANPx101/LT (20, 30 and 45 V at 300, 77 and 4 K), the highest is that of
a laboratory that runs them in a closed-cycle cryostat; step rates below 77 K are **ours**.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MAX_AMPLITUDE_V = 70.0  # the controller's own limit
MAX_FREQUENCY_HZ = 2000  # above, only one axis may run at a time


@dataclass(frozen=True)
class DriveLimits:
    """Amplitudes in V from lowest to highest, and the highest step rate in Hz."""

    lowest_v: float
    highest_v: float
    highest_hz: int


_FROM_KELVIN = (
    (150.0, DriveLimits(20.0, 60.0, MAX_FREQUENCY_HZ)),
    (20.0, DriveLimits(30.0, 60.0, 1000)),
    (0.0, DriveLimits(45.0, 60.0, 500)),
)


def drive_limits(temperature_k: float) -> DriveLimits:
    """Return the limits at a temperature in K.

    >>> drive_limits(4.2).lowest_v
    45.0

    Raises
    ------
    ValueError
        The temperature is none.
    """
    for from_k, limits in _FROM_KELVIN:
        if temperature_k > from_k:
            return limits
    raise ValueError(f"ANC350 drive limits: {temperature_k:g} K is no temperature; give the positioners' in K.")


def within(what: str, unit: str, advice: str) -> Callable[[float, tuple[float, float]], float]:
    """Return a strict validator whose message says which quantity, in which unit, and what to do."""

    def validator(value: float, limits: tuple[float, float]) -> float:
        low, high = limits
        if not low <= value <= high:
            raise ValueError(f"ANC350 {what}: {value:g} {unit} is outside {low:g} to {high:g} {unit}; {advice}.")
        return value

    return validator

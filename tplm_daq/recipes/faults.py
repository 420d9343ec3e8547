"""Faults that a simulated rig is to suffer, so that what a program does about them can be rehearsed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tplm_daq.recipes.base import Model, Seconds

FaultName = Literal[
    "silence",
    "late reply",
    "garbled frame",
    "truncated frame",
    "stale reply",
    "port closed",
    "stuck axis",
    "missed home",
    "limit hit",
    "lost sync",
    "double-triggered sync",
    "FIFO full",
    "bin overflow",
    "sensor lost",
    "heater open",
    "ramp stuck",
    "power cycle",
]
"""The first six are faults of the line to a device, the others of the device itself."""
FaultyDevice = Literal[
    "counter",
    "detector_x",
    "detector_y",
    "trigger",
    "gate",
    "thermostat",
    "stage",
    "attenuator",
    "power_meter",
    "detection_filter",
]


class SimulatedFault(Model):
    """One fault: which device suffers it, and from when on; without a moment it is there from the beginning."""

    device: FaultyDevice
    """Which device suffers."""
    fault: FaultName
    """What goes wrong."""
    at_transaction: Annotated[int, Field(ge=1)] | None = None
    """Number of the first message to the device that suffers."""
    at_s: Annotated[Seconds, Field(ge=0)] | None = None
    """Simulated time."""
    count: Annotated[int, Field(ge=1)] | None = None
    """How many messages suffer from a fault of the line; all that follow if not given."""

    def is_over_by(self, clock_s: float) -> bool:
        """Tell whether doubles that begin to live at a simulated time, in s, have it behind them.

        One that lasts is there in any case; one of so many messages has been suffered by the doubles before them.
        """
        return self.count is not None and self.at_s is not None and self.at_s < clock_s

    @model_validator(mode="after")
    def _has_one_moment(self) -> SimulatedFault:
        if self.at_transaction is not None and self.at_s is not None:
            raise ValueError("give at_transaction or at, not both")
        return self

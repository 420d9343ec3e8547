"""The boxes that a rig file may name: one model per kind of box, each with where it is and how it is wired.

`Devices` puts them together by role. A box with an address is reached through it; on a simulated rig all addresses read
``double``.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from tplm_daq.recipes.base import Millimetres, Model, Nanoseconds, Volts

DOUBLE = "double"
"""Address of a device that is simulated."""

BENCH = "bench://"
"""Begins the address of the counter that `tplm serve` serves."""
_BENCH_ADDRESS = re.compile(r"bench://(127\.0\.0\.1|localhost):\d{1,5}")

Positive = Field(gt=0)


class CounterDevice(Model):
    """PicoHarp 300: levels for negative pulses in mV, as its library takes them.

    The address is ``phlib``, the file of the library, or ``bench://127.0.0.1:PORT`` for the simulated library of
    `tplm serve`. With the latter the simulated laser's panel is worked by the hands at that bench, and nobody is asked.
    """

    model: Literal["picoharp300"]
    address: str
    serial: str | None = None
    sync_level_v: Annotated[Volts, Field(ge=0, le=0.8)] = 0.1
    sync_zero_cross_v: Annotated[Volts, Field(ge=0, le=0.02)] = 0.01
    input_level_v: Annotated[Volts, Field(ge=0, le=0.8)] = 0.1
    input_zero_cross_v: Annotated[Volts, Field(ge=0, le=0.02)] = 0.01
    dead_time_ns: Annotated[Nanoseconds, Field(ge=0)] = 95.0

    @field_validator("address")
    @classmethod
    def _bench_is_on_this_computer(cls, address: str) -> str:
        if address.startswith(BENCH) and not _BENCH_ADDRESS.fullmatch(address):
            raise ValueError(f"{address} is no bench; write bench://127.0.0.1:PORT as `tplm serve` prints it")
        return address


class ActuatorDevice(Model):
    """One detector axis: ZFS25B actuator on a KST101 controller.

    `centre` is the actuator position at which the detector stands on the optical axis, and
    `direction` is +1 if a larger actuator position images a larger sample coordinate.
    """

    model: Literal["kst101"]
    address: str
    serial: str | None = None
    centre_mm: Millimetres = 12.5
    direction: Literal[1, -1] = 1
    lowest_mm: Annotated[Millimetres, Field(ge=0)] = 0.5
    highest_mm: Annotated[Millimetres, Field(le=25)] = 24.5
    tolerance_mm: Annotated[Millimetres, Positive] = 0.001

    @model_validator(mode="after")
    def _centre_within_travel(self) -> ActuatorDevice:
        if not self.lowest_mm < self.centre_mm < self.highest_mm:
            raise ValueError(
                f"centre of {self.centre_mm:g} mm is not between lowest ({self.lowest_mm:g} mm) "
                f"and highest ({self.highest_mm:g} mm)"
            )
        return self


class LaserDevice(Model):
    """PDL 800-D: a manual device, so no address; what is declared is checked against the sync rate."""

    model: Literal["pdl800d"]
    serial: str | None = None
    head: str = "LDH-D-C-405"


class TriggerDevice(Model):
    """Generator that triggers the laser: one of the 33500 family into the 50 ohm trigger input."""

    model: Literal["agilent33500"]
    address: str
    high_v: Annotated[Volts, Field(ge=-2.5, le=2.5)] = 1.0
    low_v: Annotated[Volts, Field(ge=-2.5, le=2.5)] = 0.0

    @model_validator(mode="after")
    def _low_is_below_high(self) -> TriggerDevice:
        if not self.low_v < self.high_v:
            raise ValueError(f"low of {self.low_v:g} V must be below high of {self.high_v:g} V")
        return self


class GateDevice(Model):
    """Generator output that drives the laser's slow gate input.

    `open_level` lets light through, `closed_level` blocks it. Which level does which must be measured
    on the unit before it counts as a way to put the light out.
    """

    model: Literal["agilent33500"]
    address: str
    open_level_v: Annotated[Volts, Field(ge=0, le=5)] = 5.0
    closed_level_v: Annotated[Volts, Field(ge=0, le=5)] = 0.0


class ThermostatDevice(Model):
    """Lake Shore 335: the input that reads the sample and the output that heats it."""

    model: Literal["lakeshore335"]
    address: str
    input: Literal["A", "B"] = "A"
    output: Literal[1, 2] = 1


class StageDevice(Model):
    """attocube ANC350 under the sample, over TCP."""

    model: Literal["anc350"]
    address: str
    max_amplitude_v: Annotated[Volts, Field(ge=0, le=70)] = 60.0


class Devices(Model):
    """The boxes of one microscope by role."""

    counter: CounterDevice
    detector_x: ActuatorDevice
    detector_y: ActuatorDevice
    laser: LaserDevice
    trigger: TriggerDevice
    gate: GateDevice | None = None
    thermostat: ThermostatDevice | None = None
    stage: StageDevice | None = None

    @property
    def addresses(self) -> dict[str, str]:
        """Addresses by role, of the devices that have one."""
        return {role: device.address for role, device in self if hasattr(device, "address")}

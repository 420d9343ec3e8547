"""The boxes that a rig file may name: one model per kind of box, each with where it is and how it is wired.

`Devices` puts them together by role. A box with an address is reached through it; on a simulated rig all addresses read
``double``.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from tplm_daq.recipes.base import Fraction, Millimetres, Model, Nanometres, Nanoseconds, Volts

DOUBLE = "double"
"""Address of a device that is simulated."""

BENCH = "bench://"
"""Begins the address of the counter that `tplm serve` serves."""
_BENCH_ADDRESS = re.compile(r"bench://(127\.0\.0\.1|localhost):\d{1,5}")

Positive = Field(gt=0)

WHEEL_POSITIONS = {"fw102c": 6, "fw212c": 12}


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


class TimeHarpDevice(Model):
    """TimeHarp 260 PICO or NANO: thresholds below zero for negative pulses; a NANO has no zero crossings.

    The address is ``th260lib`` or the file of the library.
    """

    model: Literal["timeharp260"]
    address: str
    serial: str | None = None
    input: Literal[0, 1] = 0
    sync_level_v: Annotated[Volts, Field(ge=0, le=1.2)] = 0.05
    sync_zero_cross_v: Annotated[Volts, Field(ge=0, le=0.04)] = 0.01
    input_level_v: Annotated[Volts, Field(ge=0, le=1.2)] = 0.05
    input_zero_cross_v: Annotated[Volts, Field(ge=0, le=0.04)] = 0.01
    dead_time_ns: Annotated[Nanoseconds, Field(ge=0)] = 25.0

    @field_validator("address")
    @classmethod
    def _is_not_served(cls, address: str) -> str:
        if address.startswith(BENCH):
            raise ValueError(f"{address}: `tplm serve` serves a picoharp300; write that model")
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
    on the unit before it counts as a way to put the light out. Channel 2 of the trigger generator works too,
    but is no way of its own if that generator dies.
    """

    model: Literal["agilent33500"]
    address: str
    channel: Literal[1, 2] = 1
    open_level_v: Annotated[Volts, Field(ge=0, le=5)] = 5.0
    closed_level_v: Annotated[Volts, Field(ge=0, le=5)] = 0.0


class ThermostatDevice(Model):
    """Lake Shore 335: the input that reads the sample and the output that heats it."""

    model: Literal["lakeshore335"]
    address: str
    input: Literal["A", "B"] = "A"
    output: Literal[1, 2] = 1


class CryostationDevice(Model):
    """Montana Instruments Cryostation, text protocol on TCP port 7773: the thermometer that is at the sample.

    `has_blank` chooses between ``STSP 4.20`` and ``STSP4.20``, in which its programs differ.
    """

    model: Literal["cryostation"]
    address: str
    thermometer: Literal["platform", "sample", "user"] = "sample"
    has_blank: bool = True


class AttenuatorDevice(Model):
    """Filter wheel in the laser's beam: the optical density of each position, from position 1 on."""

    model: Literal["fw102c", "fw212c"]
    address: str
    densities: tuple[Annotated[float, Field(ge=0, le=10)], ...]

    @model_validator(mode="after")
    def _one_density_per_position(self) -> AttenuatorDevice:
        _check_positions("densities", self.model, len(self.densities))
        return self


class FilterDevice(Model):
    """Filter wheel in front of the detector: the name of each filter, from position 1 on, and its optical density."""

    model: Literal["fw102c", "fw212c"]
    address: str
    filters: tuple[Annotated[str, Field(min_length=1)], ...]
    densities: tuple[Annotated[float, Field(ge=0, le=10)], ...] | None = None
    """Optical densities, for predictions and for the simulated rig; without them no filter attenuates."""

    @model_validator(mode="after")
    def _one_name_per_position(self) -> FilterDevice:
        _check_positions("filters", self.model, len(self.filters))
        if self.densities is not None:
            _check_positions("densities", self.model, len(self.densities))
        twice = sorted({name for name in self.filters if self.filters.count(name) > 1})
        if twice:
            raise ValueError(f"filters has {', '.join(twice)} more than once; give each position a name of its own")
        return self

    def transmission(self, name: str | None) -> float:
        """Return the share of light that a filter lets through, 1 for None."""
        if name is None or self.densities is None:
            return 1.0
        return float(10.0 ** -self.densities[self.filters.index(name)])


class PowerMeterDevice(Model):
    """Power meter behind the attenuator, on a pick-off.

    `sample_per_meter` is the power at the sample over the power at the meter, and `tolerance` how far the power
    measured may be from the one asked for.
    """

    model: Literal["pm100d"]
    address: str
    sample_per_meter: Annotated[float, Positive]
    wavelength_nm: Annotated[Nanometres, Positive] = 405.0
    averaging: Annotated[int, Field(ge=1, le=3000)] = 100
    tolerance: Annotated[Fraction, Positive] = 0.1


ANC350_LIBRARY = "anc350v4"
"""Address of a stage that is reached through the vendor's library."""
Range = tuple[Nanometres, Nanometres]


class StageDevice(Model):
    """attocube ANC350 under the sample: over TCP, or through the vendor's library (``anc350v4`` or its file)."""

    model: Literal["anc350"]
    address: str
    serial: str | None = None
    """Serial number of the unit, needed only where the vendor's library finds several."""
    max_amplitude_v: Annotated[Volts, Field(ge=0, le=70)] = 60.0
    x_range_nm: Range = (0.0, 5e6)
    """Lowest and highest position of the axis that may be asked for; likewise y and z."""
    y_range_nm: Range = (0.0, 5e6)
    z_range_nm: Range = (0.0, 5e6)

    @property
    def ranges_nm(self) -> dict[str, Range]:
        """Lowest and highest position in nm by axis."""
        return {"x": self.x_range_nm, "y": self.y_range_nm, "z": self.z_range_nm}

    @property
    def library(self) -> str | None:
        """The vendor's library to load, None for a connection over the network."""
        if self.address == ANC350_LIBRARY or self.address.lower().endswith((".dll", ".so")):
            return self.address
        return None

    @model_validator(mode="after")
    def _ranges_are_ranges(self) -> StageDevice:
        for axis, (low_nm, high_nm) in self.ranges_nm.items():
            if not low_nm < high_nm:
                raise ValueError(
                    f"{axis}_range from {low_nm:g} to {high_nm:g} nm holds nothing; write [lowest, highest]"
                )
        return self


class Devices(Model):
    """The boxes of one microscope by role."""

    counter: Annotated[CounterDevice | TimeHarpDevice, Field(discriminator="model")]
    detector_x: ActuatorDevice
    detector_y: ActuatorDevice
    laser: LaserDevice
    trigger: TriggerDevice
    gate: GateDevice | None = None
    attenuator: AttenuatorDevice | None = None
    power_meter: PowerMeterDevice | None = None
    detection_filter: FilterDevice | None = None
    thermostat: Annotated[ThermostatDevice | CryostationDevice, Field(discriminator="model")] | None = None
    stage: StageDevice | None = None

    @model_validator(mode="after")
    def _wheel_and_meter_go_together(self) -> Devices:
        if (self.attenuator is None) != (self.power_meter is None):
            there, missing = ("attenuator", "power_meter") if self.attenuator else ("power_meter", "attenuator")
            raise ValueError(f"{there} needs {missing} beside it: the wheel sets the power and the meter verifies it")
        return self

    @property
    def addresses(self) -> dict[str, str]:
        """Addresses by role, of the devices that have one."""
        return {role: device.address for role, device in self if hasattr(device, "address")}


def _check_positions(what: str, model: str, n_given: int) -> None:
    if n_given != WHEEL_POSITIONS[model]:
        raise ValueError(f"{what} has {n_given} values, but a {model} has {WHEEL_POSITIONS[model]} positions")

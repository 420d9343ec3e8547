"""The boxes that a rig file may name: one model per kind of box, each with where it is and how it is wired.

`Devices` puts them together by role. A box with an address is reached through it; on a simulated rig all addresses read
``double``.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from tplm_daq.recipes.addresses import SerialAddress, VisaAddress, check_visa
from tplm_daq.recipes.base import Millimetres, Model, Nanometres, Nanoseconds, Volts
from tplm_daq.recipes.wheels import AttenuatorDevice, FilterDevice, PowerMeterDevice

BENCH = "bench://"
"""Begins the address of the counter that `tplm serve` serves."""
_BENCH_ADDRESS = re.compile(r"bench://(127\.0\.0\.1|localhost):\d{1,5}")

Positive = Field(gt=0)


def _bench_is_on_this_computer(address: str) -> str:
    if address.startswith(BENCH) and not _BENCH_ADDRESS.fullmatch(address):
        raise ValueError(f"{address} is no bench; write bench://127.0.0.1:PORT as `tplm serve` prints it")
    return address


CounterAddress = Annotated[str, AfterValidator(_bench_is_on_this_computer)]
"""A vendor's library by its usual name or its file, or the counter of a served bench."""


class CounterDevice(Model):
    """PicoHarp 300: levels for negative pulses in mV, as its library takes them.

    The address is ``phlib``, the file of the library, or ``bench://127.0.0.1:PORT`` for the simulated library of
    `tplm serve`. With the latter the simulated laser's panel is worked by the hands at that bench, and nobody is asked.
    """

    model: Literal["picoharp300"]
    address: CounterAddress
    """phlib, the file of the library, or bench://127.0.0.1:PORT."""
    serial: str | None = None
    """On its label; any one that is found without this."""
    sync_level_v: Annotated[Volts, Field(ge=0, le=0.8)] = 0.1
    """Discriminator of the sync input, a positive number for a negative pulse."""
    sync_zero_cross_v: Annotated[Volts, Field(ge=0, le=0.02)] = 0.01
    """Zero crossing of the sync input."""
    input_level_v: Annotated[Volts, Field(ge=0, le=0.8)] = 0.1
    """Discriminator of the detector's input."""
    input_zero_cross_v: Annotated[Volts, Field(ge=0, le=0.02)] = 0.01
    """Zero crossing of the detector's input."""
    dead_time_ns: Annotated[Nanoseconds, Field(ge=0)] = 95.0
    """Of the counter."""


class TimeHarpDevice(Model):
    """TimeHarp 260 PICO or NANO: thresholds below zero for negative pulses; a NANO has no zero crossings.

    The address is ``th260lib``, the file of the library, or ``bench://127.0.0.1:PORT`` as for the PicoHarp.
    """

    model: Literal["timeharp260"]
    address: CounterAddress
    """th260lib, the file of the library, or bench://127.0.0.1:PORT."""
    board: Literal["pico", "nano"] | None = None
    """Which it is, so that its bin widths are known before it is opened; a simulated one is a PICO without this."""
    serial: str | None = None
    """On its label; any one that is found without this."""
    input: Literal[0, 1] = 0
    """Input of the detector, counted from 0 as the library does."""
    sync_level_v: Annotated[Volts, Field(ge=0, le=1.2)] = 0.05
    """Depth of the sync input's threshold below zero."""
    sync_zero_cross_v: Annotated[Volts, Field(ge=0, le=0.04)] = 0.01
    """Depth of the sync input's zero crossing, of a PICO."""
    input_level_v: Annotated[Volts, Field(ge=0, le=1.2)] = 0.05
    """Depth of the detector input's threshold below zero."""
    input_zero_cross_v: Annotated[Volts, Field(ge=0, le=0.04)] = 0.01
    """Depth of the detector input's zero crossing, of a PICO."""
    dead_time_ns: Annotated[Nanoseconds, Field(ge=0)] = 25.0
    """Of the counter."""


class ActuatorDevice(Model):
    """One detector axis: ZFS25B actuator on a KST101 controller.

    `centre` is the actuator position at which the detector stands on the optical axis, and
    `direction` is +1 if a larger actuator position images a larger sample coordinate.
    """

    model: Literal["kst101"]
    address: SerialAddress
    """Serial port, such as /dev/ttyUSB0 or COM4, or serial://26001234 to find it by number."""
    serial: str | None = None
    """On the controller; another box at this address is refused."""
    centre_mm: Millimetres = 12.5
    """Position at which the detector stands on the optical axis."""
    direction: Literal[1, -1] = 1
    """-1 if a larger position images a smaller sample coordinate."""
    lowest_mm: Annotated[Millimetres, Field(ge=0)] = 0.5
    """No move goes below this."""
    highest_mm: Annotated[Millimetres, Field(le=25)] = 24.5
    """No move goes above this."""
    tolerance_mm: Annotated[Millimetres, Positive] = 0.001
    """How far a position read back may be from the one asked for."""

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
    """For the record."""
    head: str = "LDH-D-C-405"
    """Laser head, for the record."""


class TriggerDevice(Model):
    """Generator that triggers the laser: one of the 33500 family into the 50 ohm trigger input."""

    model: Literal["agilent33500"]
    address: VisaAddress
    """VISA address."""
    high_v: Annotated[Volts, Field(ge=-2.5, le=2.5)] = 1.0
    """Upper level of the trigger pulses into 50 ohm."""
    low_v: Annotated[Volts, Field(ge=-2.5, le=2.5)] = 0.0
    """Lower level."""

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
    address: VisaAddress
    """VISA address."""
    channel: Literal[1, 2] = 1
    """Output of the generator."""
    open_level_v: Annotated[Volts, Field(ge=0, le=5)] = 5.0
    """Level that lets light through."""
    closed_level_v: Annotated[Volts, Field(ge=0, le=5)] = 0.0
    """Level that blocks it."""


class ThermostatDevice(Model):
    """Lake Shore 335: the input that reads the sample and the output that heats it."""

    model: Literal["lakeshore335"]
    address: VisaAddress
    """VISA address."""
    input: Literal["A", "B"] = "A"
    """Which reads the sample."""
    output: Literal[1, 2] = 1
    """Which heats it."""


class CryostationDevice(Model):
    """Montana Instruments Cryostation, text protocol on TCP port 7773: the thermometer that is at the sample.

    `has_blank` chooses between ``STSP 4.20`` and ``STSP4.20``, in which its programs differ.
    """

    model: Literal["cryostation"]
    address: VisaAddress
    """VISA address, TCPIP::…::7773::SOCKET."""
    thermometer: Literal["platform", "sample", "user"] = "sample"
    """Which one is at the sample."""
    has_blank: bool = True
    """Whether its program wants a blank after STSP."""


ANC350_LIBRARY = "anc350v4"
"""Address of a stage that is reached through the vendor's library."""
Range = tuple[Nanometres, Nanometres]


def _is_library(address: str) -> bool:
    return address == ANC350_LIBRARY or address.lower().endswith((".dll", ".so"))


def _visa_or_library(address: str) -> str:
    return address if _is_library(address) else check_visa(address)


class StageDevice(Model):
    """attocube ANC350 under the sample: over TCP, or through the vendor's library (``anc350v4`` or its file)."""

    model: Literal["anc350"]
    address: Annotated[str, AfterValidator(_visa_or_library)]
    """VISA address, TCPIP::…::2101::SOCKET, or anc350v4 for the vendor's library."""
    serial: str | None = None
    """Serial number of the unit, needed only where the vendor's library finds several."""
    max_amplitude_v: Annotated[Volts, Field(ge=0, le=70)] = 60.0
    """Highest amplitude at which anything may move."""
    x_range_nm: Range = (0.0, 5e6)
    """Lowest and highest position of the axis that may be asked for; likewise y and z."""
    y_range_nm: Range = (0.0, 5e6)
    """Likewise of y."""
    z_range_nm: Range = (0.0, 5e6)
    """Likewise of z."""

    @property
    def ranges_nm(self) -> dict[str, Range]:
        """Lowest and highest position in nm by axis."""
        return {"x": self.x_range_nm, "y": self.y_range_nm, "z": self.z_range_nm}

    @property
    def library(self) -> str | None:
        """The vendor's library to load, None for a connection over the network."""
        return self.address if _is_library(self.address) else None

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
    """The photon counter."""
    detector_x: ActuatorDevice
    detector_y: ActuatorDevice
    laser: LaserDevice
    trigger: TriggerDevice
    gate: GateDevice | None = None
    attenuator: AttenuatorDevice | None = None
    power_meter: PowerMeterDevice | None = None
    detection_filter: FilterDevice | None = None
    thermostat: Annotated[ThermostatDevice | CryostationDevice, Field(discriminator="model")] | None = None
    """The thermometer, and what sets the temperature."""
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

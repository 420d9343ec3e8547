"""The rig file: which boxes make up one microscope, where they are, and how far each may be taken.

The same model describes the laboratory and the simulated rig; on the latter `simulation` is present
and addresses read ``double``, which the rig replaces by the loopback address of a double it starts.
Doubles that `tplm serve` has started are used like real boxes, at the addresses it prints and without `simulation`.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from tplm_daq.recipes.addresses import DOUBLE
from tplm_daq.recipes.base import (
    CountsPerSecond,
    CountsPerSecondPerNanowatt,
    Fraction,
    Hertz,
    Kelvin,
    KelvinPerMinute,
    Millimetres,
    Model,
    Nanometres,
    NanometresPerMinute,
    Nanoseconds,
    Nanowatts,
    Picoseconds,
    Seconds,
)
from tplm_daq.recipes.devices import BENCH, CryostationDevice, Devices, Positive
from tplm_daq.recipes.faults import SimulatedFault

_AT_THE_BENCH = re.compile(r"127\.0\.0\.1|localhost|/dev/pts/\d|/dev/ttys\d")
"""What the addresses of its other doubles hold: this computer's name, or a pseudo-terminal."""

FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))

SampleName = Literal["ola-oa", "zwitterionic", "ald-alox", "cald-alox", "single-emitter"]
"""Sample presets of the simulated rig: films, and one emitter under even illumination that moves with the stage."""
SINGLE_EMITTER: SampleName = "single-emitter"


class Simulation(Model):
    """The virtual experiment behind the doubles; a rig file with this section is a simulated rig."""

    seed: Annotated[int, Field(ge=0)] = 1
    """Of all noise; the same seed gives the same counts."""
    speed: Literal["max"] | Annotated[float, Positive] = "max"
    """Simulated seconds per second, or as fast as it goes."""
    sample: SampleName = "ola-oa"
    """Which preset of diffusivity and relaxation."""
    brightness: Annotated[float, Positive] = 1.0
    """1: 20 kcps at the centre of the spot with 10 nW and 2.5 MHz."""
    power_noise: Annotated[Fraction, Field(ge=0, le=0.5)] = 0.001
    """Of the laser, rms, with a correlation time of 10 s."""
    drift_nm_min: Annotated[NanometresPerMinute, Field(ge=0)] = 1.0
    """Of the sample, in a direction drawn from the seed."""
    spot_variation: Annotated[Fraction, Field(ge=0, le=0.5)] = 0.1
    """Of the brightness from spot to spot, rms."""
    is_homed: bool = False
    """Whether the actuators have been homed already; otherwise it is done first, which takes simulated time."""
    defocus_nm: Annotated[Nanometres, Field(ge=-1e5, le=1e5)] = 0.0
    """How far below the focal plane the sample is before the stage is moved."""
    magnification_error: Annotated[Fraction, Field(ge=-0.2, le=0.2)] = 0.0
    """By how much the true magnification differs from the one in `optics`; a calibration finds it."""
    magnification: tuple[float, float] | None = None
    """The true one along x and y, whatever `optics` and `magnification_error` say; filled in by the program when a
    calibration changes `optics`."""
    attenuator_densities: tuple[float, ...] | None = None
    """What is really in the attenuator's wheel; what the rig file believes without this."""
    detection_densities: tuple[float, ...] | None = None
    """What is really in the wheel in front of the detector; what the rig file believes without this."""
    start_s: Annotated[Seconds, Field(ge=0)] = 0.0
    """Simulated time at which the doubles begin to live: a resumed run goes on where its file stopped."""
    faults: tuple[SimulatedFault, ...] = ()
    """What goes wrong, to rehearse it."""

    @property
    def clock_speed(self) -> float:
        """Simulated seconds per second, infinite for ``max``."""
        return float("inf") if self.speed == "max" else float(self.speed)


class Optics(Model):
    """The detection path between sample and detector."""

    magnification_x: Annotated[float, Positive] = 495.0
    """From the sample to the detector; 1 % here is 2 % of D."""
    magnification_y: Annotated[float, Positive] = 495.0
    """Differs from x with cylindrical optics."""
    detector_width_mm: Annotated[Millimetres, Positive] = 0.05
    """Of the active area, along x."""
    detector_height_mm: Annotated[Millimetres, Positive] = 0.05
    """Along y."""
    response_fwhm_ps: Annotated[Picoseconds, Positive] | None = None
    """Width of the response of laser, detector and counter together; estimated from the rising edge without this."""
    detector_dead_time_ns: Annotated[Nanoseconds, Field(ge=0)] = 77.0
    """Of the detector; the longer of it and the counter's decides."""
    t0_ns: Annotated[Nanoseconds, Field(ge=0)] | None = None
    """Delay at which the pulse arrives at the counter; estimated from the rising edge without this."""
    spot_nm: tuple[Nanometres, Nanometres] | None = None
    """Where the spot was found last, x and y; the search before a scan begins there."""
    laser_fwhm_nm: Annotated[Nanometres, Positive] = 500.0
    """Width of the laser spot on the sample; for planning and for the simulated rig, no analysis relies on it."""
    psf_fwhm_nm: Annotated[Nanometres, Positive] = 312.0
    """Width of the detection's point-spread function at the sample, 0.51 wavelength / NA; used like `laser_fwhm`."""
    expected_rate_cps_nw: Annotated[CountsPerSecondPerNanowatt, Positive] | None = None
    """Count rate at the centre of the spot per power at the sample, from an earlier run; lets `tplm check` predict
    pile-up and precision. A simulated rig knows it by itself."""

    @property
    def psf_sigma_nm(self) -> float:
        """Standard deviation of the point-spread function in nm."""
        return self.psf_fwhm_nm / FWHM_PER_SIGMA

    @property
    def sigma0_nm(self) -> float:
        """Expected standard deviation of the image of the spot at the pulse, without the pixel, in nm."""
        return math.hypot(self.laser_fwhm_nm, self.psf_fwhm_nm) / FWHM_PER_SIGMA

    @property
    def pixel_nm(self) -> tuple[float, float]:
        """Size of the detector in the sample plane along x and y, in nm."""
        return (
            self.detector_width_mm * 1e6 / self.magnification_x,
            self.detector_height_mm * 1e6 / self.magnification_y,
        )


class Limits(Model):
    """How far the rig may be taken; checked before anything is sent."""

    repetition_rate_hz: Annotated[Hertz, Positive] = 40e6
    """Highest that may be asked for."""
    average_power_nw: Annotated[Nanowatts, Positive] = 100.0
    """Highest that may be asked for."""
    lowest_temperature_k: Annotated[Kelvin, Positive] = 4.0
    """Lowest set point."""
    highest_temperature_k: Annotated[Kelvin, Positive] = 310.0
    """Highest set point."""
    temperature_rate_k_min: Annotated[KelvinPerMinute, Positive] = 10.0
    """Rate of every ramp."""


Action = Literal["warn", "pause", "stop"]
"""What a guard does: mark the point and go on, wait with the light out until things are good, or end the run."""


class Guards(Model):
    """What is watched before and during each point, and what follows when it is not good."""

    sync_tolerance: Annotated[Fraction, Positive] = 0.01
    """By how much the sync rate may differ from the rate asked for."""
    on_sync: Action = "stop"
    """What follows a missing or wrong sync rate."""
    rate_ratio_warn: Annotated[Fraction, Positive] = 0.01
    """Counts per pulse above which points are marked; the analysis corrects for pile-up."""
    rate_ratio_stop: Annotated[Fraction, Positive] = 0.1
    """Counts per pulse above which `on_pile_up` follows."""
    on_pile_up: Action = "stop"
    """What follows too many counts per pulse."""
    detector_limit_cps: Annotated[CountsPerSecond, Positive] = 5e6
    """Above this rate the light is put out and the run ends, whatever else is asked for."""
    temperature_band_k: Annotated[Kelvin, Positive] = 0.5
    """How far the temperature may be from its set point."""
    on_temperature: Action = "pause"
    """What follows a temperature outside its band."""
    power_tolerance: Annotated[Fraction, Positive] = 0.15
    """By how much the power measured between points may differ from the recipe's `average_power`, where the rig has a
    power meter; more than the meter's own `tolerance`, within which the power is set."""
    power_every_s: Annotated[Seconds, Field(ge=0)] = 30.0
    """How often the meter is read, which takes it some tenths of a second."""
    on_power: Action = "warn"
    """What follows a power outside its tolerance."""
    reference_tolerance: Annotated[Fraction, Positive] = 0.2
    """By how much the rate at the reference positions (`passes.reference_every`) may differ from what it was at first:
    without a power meter the only witness of a laser that drifts, and of a sample that bleaches."""
    on_reference: Literal["warn", "stop"] = "warn"
    """What follows a reference rate outside its tolerance."""
    drift_limit_nm: Annotated[Nanometres, Positive] = 50.0
    """How far the centre of the spot, fitted after each pass, may be from the middle of the path; where a recipe gives
    `path.centre`, from where it was seen first."""
    on_drift: Literal["warn", "recentre", "stop"] = "recentre"
    """What follows; recentre: the path of the next passes is moved to where the spot is, if the travel allows."""
    free_disk_mb: Annotated[int, Field(ge=1)] = 200
    """Megabytes that must be free where the run file is."""
    on_disk: Action = "stop"
    """What follows too little of it."""
    pause_timeout_s: Annotated[Seconds, Positive] = 1800.0
    """A pause that lasts longer than this ends the run."""


class Policies(Model):
    """What is done when nobody says otherwise."""

    temperature_at_end: Literal["hold", "heater_off"] = "hold"
    """Whether heaters are left as they are or switched off when the run ends."""
    settle_s: Annotated[Seconds, Field(ge=0)] = 0.1
    """Between the end of a move and the beginning of counting."""
    temperature_settle_s: Annotated[Seconds, Field(ge=0)] = 60.0
    """A temperature counts as reached when it has stayed in `guards.temperature_band` for this long."""
    temperature_timeout_s: Annotated[Seconds, Positive] = 7200.0
    """A temperature that is not reached in this time ends the run."""
    at_end_run: tuple[str, ...] = ()
    """Program and arguments that are started when a run has ended, with its result as JSON on standard input."""
    watchdog_timeout_s: Annotated[Seconds, Field(ge=0.5, le=10)] = 1.5
    """The light is put out when the program gives no sign of life for this long, by a process of its own."""


class CalibrationReference(Model):
    """A calibration whose values stand in the optics: the procedure that made it, its file, and the file's SHA-256."""

    procedure: str
    """Which procedure made it."""
    file: str
    """Its file."""
    sha256: str
    """Hash of that file."""


class RigRecipe(Model):
    """One microscope: its boxes, optics, limits, guards and, if simulated, its virtual experiment."""

    kind: Literal["rig"]
    name: str
    """Shown in every run file."""
    simulation: Simulation | None = None
    optics: Optics = Optics()
    devices: Devices
    limits: Limits = Limits()
    guards: Guards = Guards()
    policies: Policies = Policies()
    calibrations: tuple[CalibrationReference, ...] = ()
    """Which calibrations have been put into `optics`; filled in by the program."""

    @property
    def is_simulated(self) -> bool:
        """Whether all boxes are doubles, of this program or of `tplm serve`; they have an operator of their own."""
        return self.simulation is not None or self.devices.counter.address.startswith(BENCH)

    @property
    def real_addresses(self) -> tuple[str, ...]:
        """Addresses of the devices that are not simulated by this program itself."""
        return tuple(address for address in self.devices.addresses.values() if address != DOUBLE)

    def beginning_at(self, clock_s: float) -> RigRecipe:
        """Return this rig, if simulated with a time that begins at `clock_s`."""
        if self.simulation is None or clock_s == 0:
            return self
        return self.model_copy(update={"simulation": self.simulation.model_copy(update={"start_s": clock_s})})

    @model_validator(mode="after")
    def _doubles_and_simulation_go_together(self) -> RigRecipe:
        addresses = self.devices.addresses
        simulated = [name for name, address in addresses.items() if address == DOUBLE]
        if simulated and self.simulation is None:
            raise ValueError(
                f"devices {', '.join(simulated)} have the address {DOUBLE}, but the file has no section "
                "`simulation`; give their real addresses or add the section"
            )
        real = [name for name in addresses if name not in simulated]
        if real and self.simulation is not None:
            raise ValueError(
                f"devices {', '.join(real)} have real addresses, but the file has a section `simulation`, whose clock "
                f"does not wait for real boxes; give them the address {DOUBLE} or delete the section"
            )
        return self

    @model_validator(mode="after")
    def _a_power_that_is_set_passes_its_guard(self) -> RigRecipe:
        meter = self.devices.power_meter
        if meter is not None and meter.tolerance >= self.guards.power_tolerance:
            raise ValueError(
                f"guards.power_tolerance of {self.guards.power_tolerance:.0%} must be above the "
                f"{meter.tolerance:.0%} of devices.power_meter.tolerance, within which the power is set"
            )
        return self

    @model_validator(mode="after")
    def _heaters_can_be_switched_off_if_that_is_asked_for(self) -> RigRecipe:
        if self.policies.temperature_at_end == "heater_off" and isinstance(self.devices.thermostat, CryostationDevice):
            raise ValueError(
                "policies.temperature_at_end is heater_off, but the Cryostation's protocol has no order for that; "
                "write hold, and warm it up or shut it down with its own program"
            )
        return self

    @model_validator(mode="after")
    def _served_counter_stands_among_served_doubles(self) -> RigRecipe:
        if self.devices.counter.address.startswith(BENCH):
            real = [f"{name} at {at}" for name, at in self.devices.addresses.items() if not _AT_THE_BENCH.search(at)]
            if real:
                raise ValueError(
                    f"the counter is a double at {self.devices.counter.address}, but {', '.join(real)} is none of the "
                    "same bench, and nobody would be asked to set a real laser; take all addresses from `tplm serve`"
                )
        return self

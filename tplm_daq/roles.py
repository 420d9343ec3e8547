"""What the orchestrator needs of a device: one protocol per role.

Positions here are in the sample plane (nm, relative to the optical axis), light is average power at
the sample, time is the clock's. Which box plays a role, at which address and in which coordinates, is
the business of `rig/`. Every device role can describe itself (`snapshot`) and be made safe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tplm_daq.readings import CountingMode, Histogram, Position, Rates, Setting, TagSource


@runtime_checkable
class Clock(Protocol):
    """Time as the rig sees it: of the wall, or simulated."""

    def now(self) -> float:
        """Return the time in s since an arbitrary zero."""

    def sleep(self, seconds: float) -> None:
        """Let `seconds` of this clock's time pass."""

    def attending(self) -> AbstractContextManager[None]:
        """Mark the calling thread as one that simulated time waits for."""

    def standing_aside(self) -> AbstractContextManager[None]:
        """Let simulated time go on while the calling thread waits for another one."""


@runtime_checkable
class Device(Protocol):
    """What all device roles share."""

    name: str
    address: str

    def snapshot(self) -> Mapping[str, Setting]:
        """Return every setting and reading worth keeping, with units in the keys."""

    def make_safe(self) -> None:
        """Bring the device to the state in which it may be left alone."""

    def close(self) -> None:
        """Release the connection; the device keeps its state."""


@runtime_checkable
class Positioner(Device, Protocol):
    """Moves the detector in the image plane; both axes at once."""

    def limits_nm(self, axis: str) -> tuple[float, float]:
        """Return the lowest and highest position in nm that the actuator of axis "x" or "y" reaches."""

    def is_homed(self) -> bool:
        """Tell whether the actuators know where they are."""

    def home(self) -> None:
        """Start the reference run of both axes."""

    def move_to(self, x_nm: float, y_nm: float) -> None:
        """Start moving; a target beyond the travel raises LimitError before anything is sent."""

    def has_arrived(self) -> bool:
        """Tell whether both axes stand still at their targets; a fault raises DeviceError."""

    def stragglers(self) -> str:
        """Name the actuators that have not arrived yet, or not found their reference."""

    def travel_time_s(self, x_nm: float, y_nm: float) -> float:
        """Estimate how long a move from the last target to this one takes, in s."""

    def position(self) -> Position:
        """Read where the detector is."""


@runtime_checkable
class PhotonCounter(Device, Protocol):
    """Counts photons against the laser's sync pulses, into a histogram or as time-tag records."""

    dead_time_ns: float
    read_interval_s: float
    tag_source: TagSource

    def bin_widths_ps(self) -> tuple[float, ...]:
        """Return the bin widths that the counter has, in ps, ascending."""

    def configure(
        self, bin_width_ps: float, sync_rate_hz: float, mode: CountingMode = "histogram", keep_words: bool = False
    ) -> NDArray[np.float64]:
        """Set mode and bin width for a light source of this rate; return the bins' centres in ns, float64 (n_bin,).

        With `keep_words` each histogram of mode t3 comes with its records.
        """

    def arm(self, dwell_s: float) -> None:
        """Clear and start a histogram that ends by itself after `dwell_s`."""

    def is_done(self) -> bool:
        """Tell whether the armed histogram has ended."""

    def read_words(self) -> NDArray[np.uint32]:
        """Read and count the time-tag records that have come, uint32 (n_word,); none in histogram mode.

        In T3 mode it must be called every `read_interval_s` during a run, and once more when the run is done.
        """

    def read_counts(self) -> Histogram:
        """Stop and read the histogram."""

    def rates(self) -> Rates:
        """Read the rate meters (they refresh every 100 ms)."""

    def warnings(self) -> tuple[str, ...]:
        """Return the counter's own warnings in plain words."""

    def stop(self) -> None:
        """Stop counting (harmless when nothing runs)."""


@runtime_checkable
class Laser(Device, Protocol):
    """The pulsed source: a rate, a power, on and off."""

    def prepare(self, repetition_rate_hz: float, average_power_nw: float) -> None:
        """Set rate and power with the light off; what needs a hand is asked of the operator."""

    def turn_on(self) -> None:
        """Let the light on."""

    def turn_off(self) -> None:
        """Put the light out and confirm it."""

    def is_on(self) -> bool:
        """Read back whether the source is on."""

    def average_power_nw(self) -> float:
        """Return the average power at the sample in nW, as last measured, or as declared where nothing measures it."""

    def measured_power_nw(self, max_age_s: float) -> float | None:
        """Measure the power at the sample in nW, unless that was done less than `max_age_s` ago; None if impossible."""

    def survey_filters(self, checkpoint: Callable[[], None]) -> Mapping[int, float]:
        """Measure the power at the sample in nW behind each filter that sets it, by position, with the light on."""

    def explain_sync(self, sync_hz: float) -> str:
        """Return what a sync rate that is not the one set looks like; empty if nothing fits."""


@runtime_checkable
class LightGate(Device, Protocol):
    """A second, independent way to keep light from the sample."""

    def allow(self) -> None:
        """Let light through."""

    def block(self) -> None:
        """Keep light out and confirm it."""

    def is_blocking(self) -> bool:
        """Read back whether light is kept out."""


@runtime_checkable
class DetectorGate(Device, Protocol):
    """Switches the detector's counting off to protect it."""

    def enable(self) -> None:
        """Let the detector count."""

    def disable(self) -> None:
        """Keep the detector from counting and confirm it."""


@runtime_checkable
class DetectionFilter(Device, Protocol):
    """Filters by name in front of the detector."""

    def filters(self) -> tuple[str, ...]:
        """Return the names of the filters."""

    def selected(self) -> str:
        """Read which filter is in front of the detector."""

    def select(self, name: str) -> None:
        """Put a filter in front of the detector and return when it is there; InputError if there is none so called."""


@runtime_checkable
class Thermostat(Device, Protocol):
    """Holds the sample at a temperature."""

    ramp_k_min: float
    """Rate in K/min at which a new temperature is approached."""

    def temperature_k(self) -> float:
        """Measure the sample temperature in K; an invalid reading raises DeviceError, it is never a number."""

    def set_temperature(self, kelvin: float) -> None:
        """Set the temperature in K, checked against the rig's limits first."""

    def is_settled(self) -> bool:
        """Tell whether, at this moment, no ramp runs and the sample is where it was sent."""

    def heaters_off(self) -> None:
        """Switch every heater off and confirm it."""


@runtime_checkable
class SampleStage(Device, Protocol):
    """Moves the sample under the objective, in the stage's own coordinates."""

    def limits_nm(self, axis: str) -> tuple[float, float]:
        """Return the lowest and highest position in nm that axis "x", "y" or "z" may be taken to."""

    def position_nm(self) -> tuple[float, float, float]:
        """Read the three axes in nm."""

    def move_to(self, x_nm: float, y_nm: float, z_nm: float) -> None:
        """Start moving; a target beyond the limits raises LimitError before anything is sent."""

    def has_arrived(self) -> bool:
        """Tell whether all axes are at their targets; a fault raises DeviceError."""

    def stop(self) -> None:
        """Stop all axes where they are."""


@runtime_checkable
class Operator(Protocol):
    """A person, or on the simulated rig a stand-in with hands; `name` goes into the record."""

    name: str

    def set_by_hand(self, what: str, quantities: Mapping[str, float]) -> None:
        """Ask for knobs to be set and return when it is declared done.

        Parameters
        ----------
        what : str
            The request in one sentence, shown to the operator.
        quantities : mapping of str to float
            The same as numbers with units in the names, such as ``average_power_nw``.

        Raises
        ------
        Aborted
            The operator declined.
        InputError
            Nobody is there to ask.
        """


class Microscope(Protocol):
    """The roles of one opened rig, as the acquisition sees them; a role that the rig lacks is None."""

    @property
    def clock(self) -> Clock:
        """Time of the rig."""

    @property
    def laser(self) -> Laser:
        """The pulsed source."""

    @property
    def gate(self) -> LightGate | None:
        """The second way to keep light out."""

    @property
    def counter(self) -> PhotonCounter:
        """The photon counter."""

    @property
    def detector(self) -> Positioner:
        """What moves the detector."""

    @property
    def detection_filter(self) -> DetectionFilter | None:
        """What attenuates the light before the detector."""

    @property
    def thermostat(self) -> Thermostat | None:
        """What holds the temperature."""

    @property
    def stage(self) -> SampleStage | None:
        """What moves the sample."""

    def check_watchdog(self) -> None:
        """Raise DeviceError if nobody guards the light any more, or the guard has put it out."""

    def make_safe(self) -> None:
        """Bring everything to the safe state; LightMayBeOnError if no path to the light answered."""

"""The Thorlabs ZFS25B actuator in numbers: its scale on each controller, its settings and their limits.

Pure arithmetic between millimetres and the registers of the APT protocol; nothing is sent from here.
`drivers/kst101.py` writes the registers and reads them back.

Sources: Thorlabs, "APT Controllers Host-Controller Communications Protocol", issue 25 (2019), section 8 (24 full
steps, gear 400:9, lead screw 1 mm); settings as Kinesis and MSL-Equipment write them for a ZFS25B; highest speed
as quoted for its sister with 13 mm (Thorlabs ETN013372-D02).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from drivers.apt_messages import Message

NOMINAL_TRAVEL_MM = 25.0
MAX_VELOCITY_MM_S = 2.0
MAX_ACCELERATION_MM_S2 = 10.0
MAX_OFFSET_MM = 1.0  # far beyond any backlash or home offset in use
MAKES_ON_CONTACT, IGNORE_SOFT_LIMITS = 2, 1  # LIMSWITCHPARAMS
REVERSE, REVERSE_SWITCH = 2, 1  # HOMEPARAMS
ACTUATOR_TYPE = 0x42  # ZFS with 25 mm, SET_TSTACTUATORTYPE
SINGLE_STEP, PROFILED = 2, 2  # JOGPARAMS
JOG_VELOCITY_MM_S, JOG_ACCELERATION_MM_S2 = 1.0, 1.0
MIN_JOG_MM, MAX_JOG_MM = 0.0001, 1.0


@dataclass(frozen=True)
class Scale:
    """Controller units per mm, mm/s and mm/s^2."""

    counts_per_mm: float
    per_mm_s: float
    per_mm_s2: float

    def counts(self, position_mm: float) -> int:
        """Return a position or distance in microsteps.

        >>> TRINAMIC.counts(1.0), LEGACY.counts(1.0)
        (2184533, 136533)
        """
        return round(position_mm * self.counts_per_mm)


_MICROSTEPS_PER_MM = {n: 24 * n * 400 / 9 for n in (128, 2048)}  # by microsteps per full step; screw 1 mm

TRINAMIC = Scale(_MICROSTEPS_PER_MM[2048], _MICROSTEPS_PER_MM[2048] * 53.68, _MICROSTEPS_PER_MM[2048] / 90.9)
"""2048 microsteps; the factor of the acceleration is printed as 1 / 90.6, too (0.33 % apart)."""

LEGACY = Scale(_MICROSTEPS_PER_MM[128], _MICROSTEPS_PER_MM[128], _MICROSTEPS_PER_MM[128])
"""128 microsteps; velocity and acceleration in microsteps, too."""


@dataclass(frozen=True)
class Controller:
    """What distinguishes the controllers that drive this actuator.

    Attributes
    ----------
    scale : Scale
        Its units.
    has_actuator_types : bool
        Whether it is documented to take the type of its actuator (SET_TSTACTUATORTYPE).
    """

    scale: Scale
    has_actuator_types: bool


CONTROLLERS = {
    "KST101": Controller(TRINAMIC, has_actuator_types=True),
    "KST201": Controller(TRINAMIC, has_actuator_types=False),  # newer than issue 25
    "TST101": Controller(TRINAMIC, has_actuator_types=True),
    "TST001": Controller(LEGACY, has_actuator_types=False),
}
"""Controllers by the model that they report; everything else about them is alike."""


@dataclass(frozen=True)
class ActuatorSettings:
    """How the actuator moves and homes; the defaults are those of Kinesis."""

    velocity_mm_s: float = 1.5
    acceleration_mm_s2: float = 1.0
    backlash_mm: float = 0.02
    home_velocity_mm_s: float = 0.5
    home_offset_mm: float = 0.1

    def check(self) -> None:
        """Raise ValueError if the actuator cannot do what a setting asks."""
        check_range("velocity", self.velocity_mm_s, 0.001, MAX_VELOCITY_MM_S, "mm/s")
        check_range("acceleration", self.acceleration_mm_s2, 0.001, MAX_ACCELERATION_MM_S2, "mm/s^2")
        check_range("backlash", self.backlash_mm, 0.0, MAX_OFFSET_MM, "mm")
        check_range("home velocity", self.home_velocity_mm_s, 0.001, MAX_VELOCITY_MM_S, "mm/s")
        check_range("home offset", self.home_offset_mm, 0.0, MAX_OFFSET_MM, "mm")

    def move_time_s(self, distance_mm: float) -> float:
        """Return how long a signed move takes, in s; a reverse move makes a second one for the backlash.

        >>> round(ActuatorSettings().move_time_s(25.0), 1)
        18.2
        """
        if distance_mm >= 0:
            return self._trapezoid_s(distance_mm)
        return self._trapezoid_s(self.backlash_mm - distance_mm) + self._trapezoid_s(self.backlash_mm)

    @classmethod
    def from_registers(cls, registers: Mapping[Message, tuple[int, ...]], scale: Scale) -> Self:
        """Return the settings that `registers` describe, keyed by SET message as `registers()` returns them."""
        _, acceleration, velocity = registers[Message.SET_VELPARAMS]
        (backlash,) = registers[Message.SET_GENMOVEPARAMS]
        _, _, home_velocity, home_offset = registers[Message.SET_HOMEPARAMS]
        return cls(
            velocity_mm_s=velocity / scale.per_mm_s,
            acceleration_mm_s2=acceleration / scale.per_mm_s2,
            backlash_mm=backlash / scale.counts_per_mm,
            home_velocity_mm_s=home_velocity / scale.per_mm_s,
            home_offset_mm=home_offset / scale.counts_per_mm,
        )

    def registers(self, scale: Scale) -> dict[Message, tuple[int, ...]]:
        """Return what each SET message carries after the channel, in the order in which to write them."""
        home_velocity = round(self.home_velocity_mm_s * scale.per_mm_s)
        return {
            Message.SET_VELPARAMS: (
                0,
                round(self.acceleration_mm_s2 * scale.per_mm_s2),
                round(self.velocity_mm_s * scale.per_mm_s),
            ),
            Message.SET_GENMOVEPARAMS: (scale.counts(self.backlash_mm),),
            Message.SET_HOMEPARAMS: (REVERSE, REVERSE_SWITCH, home_velocity, scale.counts(self.home_offset_mm)),
            Message.SET_LIMSWITCHPARAMS: (
                MAKES_ON_CONTACT,
                MAKES_ON_CONTACT,
                scale.counts(NOMINAL_TRAVEL_MM),
                0,
                IGNORE_SOFT_LIMITS,
            ),
        }

    def _trapezoid_s(self, distance_mm: float) -> float:
        if distance_mm < self.velocity_mm_s**2 / self.acceleration_mm_s2:
            return float(2 * (distance_mm / self.acceleration_mm_s2) ** 0.5)
        return distance_mm / self.velocity_mm_s + self.velocity_mm_s / self.acceleration_mm_s2


ZFS25B = ActuatorSettings()


def controller_of_model(model: str) -> Controller:
    """Return what is known of a controller model.

    >>> controller_of_model("KST201").scale is TRINAMIC
    True

    Raises
    ------
    ValueError
        No stepper controller whose scale is known.
    """
    for known, controller in CONTROLLERS.items():
        if model.startswith(known):
            return controller
    raise ValueError(f"model {model!r} is no {', '.join(CONTROLLERS)}; give its scale explicitly.")


def jog_registers(step_mm: float, scale: Scale) -> tuple[int, ...]:
    """Return what SET_JOGPARAMS carries after the channel for single steps of `step_mm`.

    Raises
    ------
    ValueError
        The step is too large to be taken without knowing where the axis is, or too small to be one.
    """
    check_range("jog step", step_mm, MIN_JOG_MM, MAX_JOG_MM, "mm")
    acceleration, velocity = JOG_ACCELERATION_MM_S2 * scale.per_mm_s2, JOG_VELOCITY_MM_S * scale.per_mm_s
    return SINGLE_STEP, scale.counts(step_mm), 0, round(acceleration), round(velocity), PROFILED


def check_range(what: str, value: float, low: float, high: float, unit: str) -> None:
    """Raise ValueError unless `value` lies in the closed range (a NaN does not)."""
    if not low <= value <= high:
        raise ValueError(f"{what}: {value:g} {unit} is outside {low:g} to {high:g} {unit}; nothing was sent.")

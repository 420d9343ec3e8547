"""A simulated positioner: where it goes, how it is set, and what can be wrong with it.

**Ours**: the step size against amplitude, and that a stuck positioner claims to run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SET_AMPLITUDE, SET_FREQUENCY, SET_DC_LEVEL, SET_TARGET, SET_TARGET_RANGE = 0x0400, 0x0401, 0x0514, 0x0408, 0x3036
SET_OUTPUT, SET_OFF_AT_END, SET_GROUND_AFTER = 0x3030, 0x0450, 0x0451

TRAVEL_NM = 5_000_000
STICTION_V, STEP_NM_PER_V = 20.0, 10.0
"""No step below the first, and so much per volt above (ours)."""
CAPACITANCE_PF = 1_050_000

_NEVER_NS = 1 << 62
_INT32 = (-(1 << 31), (1 << 31) - 1)
SETTINGS = {
    SET_AMPLITUDE: (30_000, 0, 70_000),
    SET_FREQUENCY: (1_000, 1, 5_000),
    SET_DC_LEVEL: (0, 0, 70_000),
    SET_TARGET: (0, *_INT32),
    SET_TARGET_RANGE: (1_000, 0, _INT32[1]),
    SET_OUTPUT: (0, 0, 1),
    SET_OFF_AT_END: (0, 0, 1),
    SET_GROUND_AFTER: (0, 0, 1),
}
"""Value at power-up, lowest and highest value of what can be set and read back, by address."""


@dataclass(frozen=True)
class Drive:
    """A run at constant speed from one place to another, both within the travel."""

    start_ns: int
    start_nm: float
    goal_nm: float
    speed_nm_s: float = 0.0

    @property
    def end_ns(self) -> int:
        """When it gets there; never without speed."""
        distance_nm = abs(self.goal_nm - self.start_nm)
        if not distance_nm:
            return self.start_ns
        return self.start_ns + round(distance_nm / self.speed_nm_s * 1e9) if self.speed_nm_s else _NEVER_NS

    def position_at(self, time_ns: int) -> float:
        """Return the place in nm."""
        if time_ns >= self.end_ns:
            return self.goal_nm
        way_nm = self.speed_nm_s * (time_ns - self.start_ns) * 1e-9
        return self.start_nm + way_nm if self.goal_nm > self.start_nm else self.start_nm - way_nm


@dataclass
class Axis:
    """One positioner: its settings by address, where it goes, and what is wrong with it.

    Attributes
    ----------
    drive : Drive
    is_following_target : bool
    settings : dict of int to int
    capacitance_pf : int
        Result of the last measurement.
    is_sensor_lost : bool
        The sensor's wire is off: errors, and a reading at the end of its table. May be changed at any time.
    is_stuck : bool
        Drive without moving, as with too little amplitude in the cold. May be changed at any time.
    is_unplugged : bool
        No positioner at the socket: no capacitance, no sensor, no motion. May be changed at any time.
    has_over_current : bool
        The output has been cut off until this is cleared. Set it with `cut_off`.
    ends_nm : tuple of float
        Where the travel ends; bring the ends closer for an early end of travel.
    """

    drive: Drive = Drive(0, TRAVEL_NM / 2, TRAVEL_NM / 2)
    is_following_target: bool = False
    settings: dict[int, int] = field(default_factory=lambda: {key: row[0] for key, row in SETTINGS.items()})
    capacitance_pf: int = 0
    is_sensor_lost: bool = False
    is_stuck: bool = False
    is_unplugged: bool = False
    has_over_current: bool = False
    ends_nm: tuple[float, float] = (0.0, float(TRAVEL_NM))

    def step_nm(self) -> float:
        """Return how far one step goes."""
        return max(self.settings[SET_AMPLITUDE] / 1000 - STICTION_V, 0.0) * STEP_NM_PER_V

    def go(self, time_ns: int, goal_nm: float) -> None:
        """Drive to a place within the travel, if the output is on."""
        here_nm = self.drive.position_at(time_ns)
        if not self.settings[SET_OUTPUT] or self.is_unplugged:
            goal_nm = here_nm
        low_nm, high_nm = self.ends_nm
        goal_nm = float(min(max(goal_nm, min(low_nm, here_nm)), max(high_nm, here_nm)))
        speed_nm_s = 0.0 if self.is_stuck else self.step_nm() * self.settings[SET_FREQUENCY]
        self.drive = Drive(time_ns, here_nm, goal_nm, speed_nm_s)

    def halt_at_end(self, time_ns: int) -> None:
        """Switch the output off if an end of the travel has been reached and the settings ask for it."""
        is_at_end = self.drive.end_ns <= time_ns and self.drive.goal_nm in self.ends_nm
        if is_at_end and self.drive.speed_nm_s and self.settings[SET_OFF_AT_END]:
            self.settings[SET_OUTPUT] = 0
            self.drive = Drive(self.drive.end_ns, self.drive.goal_nm, self.drive.goal_nm)

    def cut_off(self, time_ns: int) -> None:
        """Switch off by over-current."""
        self.has_over_current = True
        self.settings[SET_OUTPUT] = 0
        self.go(time_ns, self.drive.position_at(time_ns))

    def is_at_forward_end(self, time_ns: int) -> bool:
        """Tell whether it is blocked forward."""
        return self.drive.position_at(time_ns) >= self.ends_nm[1]

    def is_at_backward_end(self, time_ns: int) -> bool:
        """Tell whether it is blocked backward."""
        return self.drive.position_at(time_ns) <= self.ends_nm[0]

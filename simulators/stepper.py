"""A simulated stepper controller without its wire: parameter blocks, orders to move, status bits.

Orders become trajectories of the spindle; the count, the reference and the status bits follow from them and the time.

Source: Thorlabs, "APT Controllers Host-Controller Communications Protocol", issue 25 (2019). **Ours**: both motion bits
as in issue 25, and what follows from contradictory orders.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from simulators.apt import SETTINGS_AT_POWER_UP, register
from simulators.spindle import Spindle
from simulators.trajectory import Trajectory

COUNTS_PER_MM = 24 * 2048 * 400 / 9
VELOCITY_PER_MM_S = COUNTS_PER_MM * 53.68
ACCELERATION_PER_MM_S2 = COUNTS_PER_MM / 90.9

FAR_MM = 1000.0
REVERSE, CONTINUOUS, SOFT_STOPS = 2, 1, (2, 3)
VELOCITY, JOG, LIMITS, BACKLASH, HOME = 0x0413, 0x0416, 0x0423, 0x043A, 0x0440
_FORWARD_LIMIT, _REVERSE_LIMIT, _FORWARD_SOFT_LIMIT, _REVERSE_SOFT_LIMIT = 0x1, 0x2, 0x4, 0x8
_MOVING_FORWARD, _MOVING_REVERSE, _JOGGING_FORWARD, _JOGGING_REVERSE = 0x10, 0x20, 0x40, 0x80
_CONNECTED, _HOMING, _HOMED, _ENABLED = 0x100, 0x200, 0x400, 0x80000000


@dataclass
class Faults:
    """What can be wrong with the controller or its actuator; all of it may be changed at any time.

    Attributes
    ----------
    is_stuck : bool
        Take orders to move without a sign of refusal, and do not move.
    is_home_ignored : bool
        Do not obey the order to home.
    is_home_missed : bool
        Never find the reference switch, and go on homing.
    is_completion_lost : bool
        Never tell that a move is completed, as some units do.
    is_motor_unplugged : bool
        A status bit goes down, and nothing moves.
    status_bits : int
        Reported on top of the true ones.
    """

    is_stuck: bool = False
    is_home_ignored: bool = False
    is_home_missed: bool = False
    is_completion_lost: bool = False
    is_motor_unplugged: bool = False
    status_bits: int = 0


class Purpose(Enum):
    """What a path is for."""

    MOVE = auto()
    JOG = auto()
    HOME = auto()
    SEARCH = auto()
    STOP = auto()


class Stepper:
    """The controller's idea of its axis, and the spindle that follows it.

    Parameters
    ----------
    spindle : Spindle
    zero_mm : float
        Where the spindle is when the controller counts 0.
    is_homed : bool
        Whether it believes in this.

    Attributes
    ----------
    settings : dict of int to bytes
        Parameter blocks by the id of their SET message.
    faults : Faults
    purpose : Purpose or None
        What the present path is for; None after its end has been dealt with.
    before_change : callable
        Called before a motion begins or ends by order.
    """

    def __init__(self, spindle: Spindle, zero_mm: float, is_homed: bool) -> None:
        self.spindle = spindle
        self.settings = dict(SETTINGS_AT_POWER_UP)
        self.faults = Faults()
        self.is_homed = is_homed
        self.is_enabled = True
        self.purpose: Purpose | None = None
        self.before_change: Callable[[], None] = lambda: None
        self._zero_mm = zero_mm

    def end_ns(self) -> int | None:
        """Return when the present motion ends, None if there is none or it finds no end."""
        return None if self.purpose in (None, Purpose.SEARCH) else self.spindle.path.end_ns

    def count(self, time_ns: int) -> int:
        """Return the position counter."""
        return round((self.spindle.path.position_at(time_ns) - self._zero_mm) * COUNTS_PER_MM)

    def set_count(self, time_ns: int, count: int) -> None:
        """Let the counter show `count` here from now on; a motion goes on."""
        self._zero_mm = self.spindle.path.position_at(time_ns) - count / COUNTS_PER_MM

    def status(self, time_ns: int) -> int:
        """Return the status bits."""
        bits = self.faults.status_bits | self._limit_bits(time_ns)
        bits |= 0 if self.faults.is_motor_unplugged else _CONNECTED
        bits |= _ENABLED if self.is_enabled else 0
        bits |= _HOMED if self.is_homed else 0
        is_turning = time_ns < self.spindle.path.end_ns
        if is_turning:
            is_forward = self.spindle.path.velocity_at(time_ns) >= 0
            bits |= _MOVING_FORWARD if is_forward else _MOVING_REVERSE
            if self.purpose is Purpose.JOG:
                bits |= _JOGGING_FORWARD if is_forward else _JOGGING_REVERSE
        if self.purpose is Purpose.SEARCH or (is_turning and self.purpose is Purpose.HOME):
            bits |= _HOMING
        return bits

    def move_to(self, time_ns: int, count: int) -> None:
        """Begin a move; a reverse one overshoots by the backlash, so that every move ends forward."""
        velocity, acceleration = self._velocity_mm_s(), self._acceleration_mm_s2()
        if not self._can_move(velocity):
            return
        target_mm = self._zero_mm + count / COUNTS_PER_MM
        backlash_mm = register(self.settings[BACKLASH], 2) / COUNTS_PER_MM
        path = self.spindle.path.stopped(time_ns, acceleration)
        if target_mm < path.legs[-1].position_mm and backlash_mm > 0:
            path = path.then_to(target_mm - backlash_mm, velocity, acceleration)
        self._follow(path.then_to(target_mm, velocity, acceleration), Purpose.MOVE)

    def move_by(self, time_ns: int, counts: int) -> None:
        """Begin a move by a signed number of microsteps from where the axis is."""
        self.move_to(time_ns, self.count(time_ns) + counts)

    def jog(self, time_ns: int, is_forward: bool) -> None:
        """Take a step of the jog parameters, or run if they say so; no backlash correction."""
        mode, step, _, acceleration, velocity, _ = struct.unpack_from("<HiiiiH", self.settings[JOG], 2)
        distance_mm = FAR_MM if mode == CONTINUOUS else step / COUNTS_PER_MM
        self._run(
            time_ns,
            distance_mm if is_forward else -distance_mm,
            velocity / VELOCITY_PER_MM_S,
            acceleration / ACCELERATION_PER_MM_S2,
        )

    def run(self, time_ns: int, is_forward: bool) -> None:
        """Run until stopped or on a limit."""
        distance_mm = FAR_MM if is_forward else -FAR_MM
        self._run(time_ns, distance_mm, self._velocity_mm_s(), self._acceleration_mm_s2(), Purpose.MOVE)

    def home(self, time_ns: int) -> None:
        """Run onto the switch and back off; the wrong direction ends, still not homed, on the forward switch."""
        block = self.settings[HOME]
        velocity, acceleration = register(block, 6) / VELOCITY_PER_MM_S, self._acceleration_mm_s2()
        if self.faults.is_home_ignored or not self._can_move(velocity):
            return
        path = self.spindle.path.stopped(time_ns, acceleration)
        self.is_homed = False
        if block[2] != REVERSE:
            self._follow(path.then_to(FAR_MM, velocity, acceleration), Purpose.MOVE, has_soft_limits=False)
            return
        on_switch = path.then_to(-FAR_MM, velocity, acceleration).until(*self.spindle.switches_mm)
        if self.faults.is_home_missed:
            self._follow(on_switch, Purpose.SEARCH, has_soft_limits=False)
            return
        rest_mm = self.spindle.switches_mm[0] + register(block, 10) / COUNTS_PER_MM
        self._follow(on_switch.then_to(rest_mm, velocity, acceleration), Purpose.HOME, has_soft_limits=False)

    def stop(self, time_ns: int, is_immediate: bool) -> None:
        """Slow down as set, or stand still at once."""
        self.before_change()
        acceleration = self._acceleration_mm_s2()
        self.spindle.stop(time_ns, float("inf") if is_immediate or acceleration <= 0 else acceleration)
        self.purpose = Purpose.STOP

    def enable(self, time_ns: int, is_enabled: bool) -> None:
        """Power the motor or let it go."""
        if not is_enabled and time_ns < self.spindle.path.end_ns:
            self.stop(time_ns, is_immediate=True)
        self.is_enabled = is_enabled

    def cut_power(self, time_ns: int) -> None:
        """Forget the reference and every setting; the spindle stays where it is."""
        self.stop(time_ns, is_immediate=True)
        self.settings = dict(SETTINGS_AT_POWER_UP)
        self.is_homed, self.is_enabled, self.purpose = False, True, None
        self._zero_mm = self.spindle.path.position_at(time_ns)

    def arrive(self, time_ns: int) -> Purpose:
        """Deal with the end of a path; return what it was for, STOP if a limit ended a move early."""
        purpose, self.purpose = self.purpose, None
        if purpose is Purpose.HOME:
            self._zero_mm = self.spindle.path.legs[-1].position_mm
            self.is_homed = True
            return purpose
        return Purpose.STOP if purpose is None or self._limit_bits(time_ns) else purpose

    def _run(
        self, time_ns: int, distance_mm: float, velocity: float, acceleration: float, purpose: Purpose = Purpose.JOG
    ) -> None:
        if self._can_move(velocity) and acceleration > 0:
            path = self.spindle.path.stopped(time_ns, acceleration)
            self._follow(path.then_to(path.legs[-1].position_mm + distance_mm, velocity, acceleration), purpose)

    def _can_move(self, velocity_mm_s: float) -> bool:
        """Tell whether the motor is powered and the settings make sense; if not, orders stay without effect."""
        is_dead = self.faults.is_stuck or self.faults.is_motor_unplugged or not self.is_enabled
        return not is_dead and velocity_mm_s > 0 and self._acceleration_mm_s2() > 0

    def _follow(self, path: Trajectory, purpose: Purpose, has_soft_limits: bool = True) -> None:
        self.before_change()
        self.spindle.follow(path.until(*self._soft_limits_mm()) if has_soft_limits else path)
        self.purpose = purpose

    def _soft_limits_mm(self) -> tuple[float, float]:
        forward, reverse, mode = struct.unpack_from("<iiH", self.settings[LIMITS], 6)
        if mode not in SOFT_STOPS or reverse >= forward:
            return -FAR_MM, FAR_MM
        return self._zero_mm + reverse / COUNTS_PER_MM, self._zero_mm + forward / COUNTS_PER_MM

    def _limit_bits(self, time_ns: int) -> int:
        low_mm, high_mm = self._soft_limits_mm()
        place_mm = self.spindle.path.position_at(time_ns)
        bits = _FORWARD_LIMIT if self.spindle.is_on_forward_switch(time_ns) else 0
        bits |= _REVERSE_LIMIT if self.spindle.is_on_reverse_switch(time_ns) else 0
        bits |= _FORWARD_SOFT_LIMIT if place_mm >= high_mm else 0
        return bits | (_REVERSE_SOFT_LIMIT if place_mm <= low_mm else 0)

    def _velocity_mm_s(self) -> float:
        return register(self.settings[VELOCITY], 10) / VELOCITY_PER_MM_S

    def _acceleration_mm_s2(self) -> float:
        return register(self.settings[VELOCITY], 6) / ACCELERATION_PER_MM_S2

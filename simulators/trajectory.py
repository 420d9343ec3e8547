"""Motion along one axis, known in advance: pieces of constant acceleration, evaluated at any nanosecond.

A trajectory never changes once begun; a new command makes a new one from where the old one is at that
moment. The position at a time is thus a formula, not a sum over steps, and does not depend on how often
anybody asked. Lengths are mm, times whole ns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

NS_PER_S = 1_000_000_000


@dataclass(frozen=True)
class Leg:
    """A piece of constant acceleration that begins at `start_ns`."""

    start_ns: int
    position_mm: float
    velocity_mm_s: float
    acceleration_mm_s2: float

    def position_at(self, time_ns: int) -> float:
        """Return the position in mm."""
        dt_s = (time_ns - self.start_ns) / NS_PER_S
        return self.position_mm + self.velocity_mm_s * dt_s + 0.5 * self.acceleration_mm_s2 * dt_s**2

    def velocity_at(self, time_ns: int) -> float:
        """Return the velocity in mm/s."""
        return self.velocity_mm_s + self.acceleration_mm_s2 * (time_ns - self.start_ns) / NS_PER_S

    def time_to_reach(self, position_mm: float) -> int:
        """Return when, in ns, this leg first passes a position that lies on it."""
        distance = position_mm - self.position_mm
        if not distance:
            return self.start_ns
        if self.acceleration_mm_s2 == 0.0:
            return self.start_ns + round(distance / self.velocity_mm_s * NS_PER_S)
        root = math.sqrt(max(self.velocity_mm_s**2 + 2 * self.acceleration_mm_s2 * distance, 0.0))
        return self.start_ns + round(2 * distance / (self.velocity_mm_s + math.copysign(root, distance)) * NS_PER_S)


@dataclass(frozen=True)
class Trajectory:
    """Legs in order of time; the last one is rest.

    >>> path = at_rest(0, 0.0).then_to(3.0, velocity_mm_s=1.5, acceleration_mm_s2=1.0)
    >>> path.end_ns / NS_PER_S, path.position_at(path.end_ns // 2)
    (3.5, 1.5)
    """

    legs: tuple[Leg, ...]

    @property
    def start_ns(self) -> int:
        """When it begins."""
        return self.legs[0].start_ns

    @property
    def end_ns(self) -> int:
        """When it has come to rest."""
        return self.legs[-1].start_ns

    def position_at(self, time_ns: int) -> float:
        """Return the position in mm; before the start, the first one."""
        return self._leg(time_ns).position_at(max(time_ns, self.start_ns))

    def velocity_at(self, time_ns: int) -> float:
        """Return the velocity in mm/s."""
        return self._leg(time_ns).velocity_at(max(time_ns, self.start_ns))

    def stopped(self, time_ns: int, deceleration_mm_s2: float) -> Trajectory:
        """Return what follows from `time_ns` if the axis now slows down to rest (at once if infinite)."""
        position, velocity = self.position_at(time_ns), self.velocity_at(time_ns)
        duration_s = abs(velocity) / deceleration_mm_s2
        if not duration_s:
            return at_rest(time_ns, position)
        slowing = Leg(time_ns, position, velocity, -math.copysign(deceleration_mm_s2, velocity))
        end_ns = time_ns + round(duration_s * NS_PER_S)
        return Trajectory((slowing, _rest(end_ns, position + 0.5 * velocity * duration_s)))

    def then_to(self, target_mm: float, velocity_mm_s: float, acceleration_mm_s2: float) -> Trajectory:
        """Return this trajectory, followed by a trapezoid from its end to `target_mm`."""
        start_ns, origin = self.end_ns, self.legs[-1].position_mm
        distance = abs(target_mm - origin)
        sign = math.copysign(1.0, target_mm - origin)
        peak = min(velocity_mm_s, math.sqrt(distance * acceleration_mm_s2))
        if not peak:
            return self
        ramp_s, ramp_mm = peak / acceleration_mm_s2, 0.5 * peak**2 / acceleration_mm_s2
        cruise_s = max(distance - 2 * ramp_mm, 0.0) / peak
        times_s = (0.0, ramp_s, ramp_s + cruise_s, 2 * ramp_s + cruise_s)
        starts = [start_ns + round(time_s * NS_PER_S) for time_s in times_s]
        return Trajectory(
            (
                *self.legs[:-1],
                Leg(starts[0], origin, 0.0, sign * acceleration_mm_s2),
                Leg(starts[1], origin + sign * ramp_mm, sign * peak, 0.0),
                Leg(starts[2], target_mm - sign * ramp_mm, sign * peak, -sign * acceleration_mm_s2),
                _rest(starts[3], target_mm),
            )
        )

    def until(self, low_mm: float, high_mm: float) -> Trajectory:
        """Return this trajectory, but stopped dead where it would leave `low_mm` to `high_mm`, or go further beyond."""
        for n_done, (leg, following) in enumerate(zip(self.legs, self.legs[1:], strict=False)):
            bound = min(max(following.position_mm, low_mm), high_mm)
            is_outward = (following.position_mm - bound) * (following.position_mm - leg.position_mm) > 0
            if is_outward:
                if (bound - leg.position_mm) * (following.position_mm - leg.position_mm) <= 0:
                    return Trajectory((*self.legs[:n_done], _rest(leg.start_ns, leg.position_mm)))
                time_ns = leg.time_to_reach(bound)
                return Trajectory(
                    (*self.legs[:n_done], *([leg] if time_ns > leg.start_ns else []), _rest(time_ns, bound))
                )
        return self

    def _leg(self, time_ns: int) -> Leg:
        for leg in reversed(self.legs):
            if leg.start_ns <= time_ns:
                return leg
        return self.legs[0]


def at_rest(time_ns: int, position_mm: float) -> Trajectory:
    """Return the trajectory of an axis that stands still."""
    return Trajectory((_rest(time_ns, position_mm),))


def _rest(time_ns: int, position_mm: float) -> Leg:
    return Leg(time_ns, position_mm, 0.0, 0.0)

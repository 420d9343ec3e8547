"""The spindle of a simulated stepper actuator: where it truly is, now and in the moves before.

The controller counts its steps and knows nothing else; the spindle stops some tens of nanometres beside the
count, another distance at each place. Two switches end every path. A jammed spindle stays where it is while the
count goes on, and joins the count again with its next free move. Times are whole ns, lengths mm.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from simulators.trajectory import Trajectory, at_rest

REVERSE_SWITCH_MM, FORWARD_SWITCH_MM = -0.1, 25.1
"""Where the limit switches sit; the nominal travel is 0 to 25 mm (positions of the switches ours)."""

N_REMEMBERED = 4096
"""Moves of which the spindle's place is known afterwards."""


@dataclass(frozen=True)
class Move:
    """A commanded path, how far the spindle is beside it when the path begins and ends, and whether it follows."""

    path: Trajectory
    error_before_mm: float
    error_after_mm: float
    is_jammed: bool = False

    def error_at(self, time_ns: int) -> float:
        """Return how far the spindle is from where the controller believes it, in mm."""
        if self.is_jammed:
            return self.path.legs[0].position_mm + self.error_before_mm - self.path.position_at(time_ns)
        duration_ns = self.path.end_ns - self.path.start_ns
        if time_ns >= self.path.end_ns:
            return self.error_after_mm
        share = max((time_ns - self.path.start_ns) / duration_ns, 0.0)
        return self.error_before_mm + share * (self.error_after_mm - self.error_before_mm)


class Spindle:
    """A spindle with a memory of its moves.

    Parameters
    ----------
    position_mm : float
        Where it stands at time 0.
    seed : int
        Of the mechanical errors.
    repeatability_mm : float
        Standard deviation of the place where it really stops, in mm; one draw per place.

    Attributes
    ----------
    switches_mm : tuple of float
        Where the two limit switches sit; bring them closer and later moves meet them.
    is_jammed : bool
        Whether the spindle stays put in later moves although the controller counts its steps.
    n_moves : int
        Moves towards a target begun so far.
    """

    def __init__(self, position_mm: float, seed: int, repeatability_mm: float) -> None:
        self.switches_mm = (REVERSE_SWITCH_MM, FORWARD_SWITCH_MM)
        self.is_jammed = False
        self.n_moves = 0
        self._seed = seed
        self._repeatability_mm = repeatability_mm
        self._moves = deque([Move(at_rest(0, position_mm), 0.0, 0.0)], maxlen=N_REMEMBERED)

    @property
    def path(self) -> Trajectory:
        """The path commanded last, without mechanical error."""
        return self._moves[-1].path

    def position_mm_at(self, time_ns: int) -> float:
        """Return where the spindle truly is, in mm.

        Raises
        ------
        ValueError
            The time lies before the moves that are remembered.
        """
        for move in reversed(self._moves):
            if move.path.start_ns <= time_ns:
                return move.path.position_at(time_ns) + move.error_at(time_ns)
        raise ValueError(
            f"{time_ns} ns lies before the last {N_REMEMBERED} moves of the spindle; ask for a later time."
        )

    def follow(self, path: Trajectory) -> None:
        """Begin a path towards a target; it ends where it meets a switch."""
        self.n_moves += 1
        bounded = path.until(*self.switches_mm)
        self._begin(bounded, self._error_mm(bounded.legs[-1].position_mm))

    def stop(self, time_ns: int, deceleration_mm_s2: float) -> None:
        """Come to rest, at once if the deceleration is infinite."""
        self._begin(self.path.stopped(time_ns, deceleration_mm_s2), self._moves[-1].error_at(time_ns))

    def is_on_forward_switch(self, time_ns: int) -> bool:
        """Tell whether the far switch is made."""
        return self.path.position_at(time_ns) >= self.switches_mm[1]

    def is_on_reverse_switch(self, time_ns: int) -> bool:
        """Tell whether the near switch is made."""
        return self.path.position_at(time_ns) <= self.switches_mm[0]

    def _error_mm(self, place_mm: float) -> float:
        """Return how far beside the count the spindle stops at a place; it depends on no move before."""
        place_nm = round((place_mm - REVERSE_SWITCH_MM) * 1e6)
        return float(np.random.default_rng([self._seed, max(place_nm, 0)]).normal(0.0, self._repeatability_mm))

    def _begin(self, path: Trajectory, error_after_mm: float) -> None:
        self._moves.append(Move(path, self._moves[-1].error_at(path.start_ns), error_after_mm, self.is_jammed))

"""Moves of the detector: begun, perhaps while something else is still being read out, and waited for."""

from __future__ import annotations

from dataclasses import dataclass

from tplm_daq.acquire.passes import PlannedPoint
from tplm_daq.acquire.waiting import Checkpoint, wait, wait_until
from tplm_daq.errors import DeviceTimeout
from tplm_daq.roles import Microscope

START_S = 0.002
"""What an actuator may take to begin, so that the first look finds the move ended."""
ARRIVAL_POLL_S = 0.02


@dataclass(frozen=True)
class Move:
    """A move under way: to which point, how long it should take in s, and when it began on the clock."""

    planned: PlannedPoint
    expected_s: float
    began_s: float


def begin_move(microscope: Microscope, planned: PlannedPoint) -> Move:
    """Let the detector set off for a point.

    Raises
    ------
    LimitError, DeviceError
        The point is beyond the travel, or an actuator does not obey.
    """
    detector = microscope.detector
    expected_s = detector.travel_time_s(planned.x_nm, planned.y_nm)
    detector.move_to(planned.x_nm, planned.y_nm)
    return Move(planned, expected_s, microscope.clock.now())


def arrive(microscope: Microscope, move: Move, checkpoint: Checkpoint) -> None:
    """Return when the detector stands still where it was sent.

    Raises
    ------
    DeviceTimeout
        It did not get there; the message says where it is.
    DeviceError, Aborted
        An actuator failed, or the run is to end.
    """
    clock, detector, planned = microscope.clock, microscope.detector, move.planned
    wait(clock, move.began_s + move.expected_s + START_S - clock.now(), checkpoint)
    timeout_s = 3 * move.expected_s + 5.0
    if not wait_until(clock, detector.has_arrived, timeout_s, ARRIVAL_POLL_S, checkpoint):
        reached = detector.position()
        raise DeviceTimeout(
            detector.stragglers(),
            detector.address,
            f"asked to move to x {planned.x_nm:.0f} nm, y {planned.y_nm:.0f} nm, it is at x {reached.x_nm:.0f} nm, "
            f"y {reached.y_nm:.0f} nm {timeout_s:.1f} s after it should have arrived",
            "Check that the actuators turn and are not blocked, then home them again",
        )

"""Planning what is left of a run: the planner lives through its past again, and what was measured is left out."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence

from tplm_daq.acquire.events import PointDone
from tplm_daq.acquire.passes import Done, Pass, PassPlanner
from tplm_daq.roles import Clock
from tplm_daq.workflow.past import Past


class RunTime:
    """The time for which a run has been measuring: interruptions do not count.

    Parameters
    ----------
    clock : Clock
        Of the rig.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stopped_s: float | None = None
        self._ahead_s = 0.0

    def stop_at(self, run_s: float) -> None:
        """Show this time until `go_on`."""
        self._stopped_s = run_s

    def go_on(self) -> None:
        """Run on from the time at which it was stopped."""
        if self._stopped_s is not None:
            self._ahead_s = self._stopped_s - self._clock.now()
        self._stopped_s = None

    def now(self) -> float:
        """Return the time in s since an arbitrary zero."""
        return self._clock.now() + self._ahead_s if self._stopped_s is None else self._stopped_s


class Remaining:
    """The passes of a planner without what has been measured.

    The planner is asked for the passes of the past again, each with the estimate that it had then, so that one that
    follows the estimate stands where it stood.

    Parameters
    ----------
    planner : PassPlanner
        Of the whole scan.
    """

    def __init__(self, planner: PassPlanner) -> None:
        self._planner = planner
        self._left: deque[Pass] = deque()

    @property
    def n_points(self) -> int:
        """Points of the whole scan, those of the past included."""
        return self._planner.n_points

    def repeat(self, result: object | None, measured: Counter[int]) -> None:
        """Plan a pass of the past with the estimate of that time; `measured` says how often each index is there."""
        points = self._planner.next_pass(result)
        if not isinstance(points, Done) and (left := _without(points, measured)):
            self._left.append(left)

    def next_pass(self, result: object | None) -> Pass | Done:
        """Return what is left of a pass that was begun, then what the planner wants."""
        return self._left.popleft() if self._left else self._planner.next_pass(result)


def repeat_past(
    past: Past,
    planner: PassPlanner,
    time: RunTime,
    result: Callable[[], object | None],
    learning: Sequence[Callable[[PointDone], None]],
) -> Remaining:
    """Let a planner and listeners live through the past of a run.

    Parameters
    ----------
    past : Past
        Its points.
    planner : PassPlanner
        New; it may look at `time`.
    time : RunTime
        Shows the time of the past meanwhile, and goes on from its end.
    result : callable
        Returns the estimate from the points heard of by then.
    learning : sequence of callable
        Hear of every point.
    """
    remaining, points, n_repeated = Remaining(planner), past.run.points, 0
    for event in past.events():
        while n_repeated <= event.row.pass_index:
            time.stop_at(event.row.start_s)
            remaining.repeat(result(), Counter(points["index"][points["pass"] == n_repeated].tolist()))
            n_repeated += 1
        for learn in learning:
            learn(event)
        time.stop_at(event.row.end_s)
    time.go_on()
    return remaining


def _without(points: Pass, measured: Counter[int]) -> Pass:
    """Leave out as many visits of each index as are there."""
    left, there = [], measured.copy()
    for point in points:
        if there[point.index]:
            there[point.index] -= 1
        else:
            left.append(point)
    return tuple(left)

"""The past of a run that is resumed: what is in its file, and how rig and planner get back to where they stood.

Whatever was found between the last point and now (drift of the spot, change of the rate) is told, not corrected. On a
simulated rig time goes on where the file stops, so that the remaining points are those of a run that was never
interrupted.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tplm_daq.acquire.events import PointDone
from tplm_daq.acquire.passes import Done, Pass, PassPlanner, PlannedPoint
from tplm_daq.acquire.path import N_SEARCHED, extents
from tplm_daq.acquire.point import PointSettings, acquire_point, look_around
from tplm_daq.acquire.prepare import Prepared
from tplm_daq.acquire.runner import Runner
from tplm_daq.acquire.waiting import wait
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.analysis.profile import fit_gaussians
from tplm_daq.errors import FitError, InputError
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.roles import Clock, Microscope
from tplm_daq.store.reader import RunFile
from tplm_daq.store.writer import local_time
from tplm_daq.workflow.align import find_centre

REFERENCE_S = 1.0
"""Longest measurement that compares the rate at the last position with what it was."""
SEARCH_S = 0.1
"""Per position of the search for the spot; as in the alignment before a scan."""
REFERENCE_PASS = -1

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Past:
    """What an earlier part of a run left in its file.

    Attributes
    ----------
    run : RunFile
        The file, as it was before this part.
    is_simulated : bool
        Whether the clock of the rig is that of a simulation, which goes on where it stopped.
    """

    run: RunFile
    is_simulated: bool

    def events(self) -> Iterator[PointDone]:
        """Yield the points of the file as if they had just been taken."""
        n_points = self.run.n_points
        for number, (row, counts) in enumerate(self.run.rows(), start=1):
            yield PointDone(row, counts, number, n_points)

    def come_back(
        self, microscope: Microscope, recipe: ScanRecipe, prepared: Prepared, runner: Runner
    ) -> tuple[PointSettings, str]:
        """Compare spot and rate with what they were, and bring the detector back to the last point.

        Returns
        -------
        settings : PointSettings
            Of the points to come, whose times count from the original start.
        found : str
            What has changed, in one sentence.

        Raises
        ------
        InputError
            The counter gives another delay axis than the file has.
        FitError
            There is no spot any more.
        DeviceError, GuardStop, Aborted
            As for any point.
        """
        self._require_same_delays(prepared)
        settings = replace(prepared.settings, zero_s=self._zero_s(microscope.clock))
        if not self.run.n_points:
            find_centre(microscope, recipe.path, settings, runner.checkpoint, runner.warn)
            return settings, "goes on from its first point"
        drift = self._drift(microscope, recipe, settings, runner)
        rate = self._rate_ratio(microscope, settings, runner)
        if self.is_simulated:
            end_s = settings.zero_s + float(self.run.points["end_s"][-1])
            wait(microscope.clock, end_s - microscope.clock.now(), runner.checkpoint)
        look_around(microscope)
        return settings, f"goes on after point {self.run.n_points}: {drift}; {rate}"

    def _require_same_delays(self, prepared: Prepared) -> None:
        stored_ns, now_ns = self.run.header.delay_ns, prepared.delay_ns
        if len(stored_ns) != len(now_ns) or not np.allclose(stored_ns, now_ns, rtol=0, atol=1e-6):
            raise InputError(
                f"{self.run.path}: its {len(stored_ns)} delay bins lie from {stored_ns[0]:g} to {stored_ns[-1]:g} ns, "
                f"those of the counter now ({len(now_ns)}) from {now_ns[0]:g} to {now_ns[-1]:g} ns. "
                "Connect the counter with which the run was begun, or begin a new run."
            )

    def _zero_s(self, clock: Clock) -> float:
        """Return what the clock of the rig showed, or would have shown, at the start of the run."""
        if self.is_simulated:
            return self.run.header.clock_zero_s
        elapsed_s = (local_time() - datetime.fromisoformat(self.run.start_time)).total_seconds()
        return clock.now() - elapsed_s

    def _drift(self, microscope: Microscope, recipe: ScanRecipe, settings: PointSettings, runner: Runner) -> str:
        """Look for the spot anew and say how far it is from where the stored data have it."""
        then_nm = self._centre_nm(recipe)
        searched_nm, said = then_nm, []
        for extent in extents(recipe.path):
            axis = "xy".index(extent.axis)
            places_nm = replace(extent, n_positions=N_SEARCHED).positions(searched_nm)
            now_nm = self._centre_along(places_nm, axis, microscope, settings, runner)
            said.append(f"{extent.axis} {now_nm - then_nm[axis]:+.0f} nm")
            searched_nm = (now_nm, searched_nm[1]) if axis == 0 else (searched_nm[0], now_nm)
        return f"since then the spot has moved by {', '.join(said)}"

    def _centre_along(
        self, places_nm: FloatArray, axis: int, microscope: Microscope, settings: PointSettings, runner: Runner
    ) -> float:
        rates = np.empty(len(places_nm))
        for i, (x_nm, y_nm) in enumerate(places_nm.tolist()):
            planned = PlannedPoint(REFERENCE_PASS, i, x_nm, y_nm, SEARCH_S)
            row, counts = acquire_point(microscope, planned, settings, runner.checkpoint, runner.warn)
            rates[i] = counts.sum() / row.live_s
        return float(fit_gaussians(places_nm[:, axis], (rates - rates.min())[:, None]).centre_nm[0])

    def _centre_nm(self, recipe: ScanRecipe) -> tuple[float, float]:
        """Return the centre of the spot by the stored data, and where they do not tell, that of the path."""
        path_nm = self.run.header.positions_nm
        x_nm, y_nm = (0.5 * (path_nm.min(axis=0) + path_nm.max(axis=0))).tolist()
        try:
            result = analyse(self.run.map(), recipe.analysis)
        except FitError:
            return x_nm, y_nm
        if result.centre_xy_nm is not None:
            return result.centre_xy_nm
        return (result.centre_nm, y_nm) if recipe.path.axes == "x" else (x_nm, result.centre_nm)

    def _rate_ratio(self, microscope: Microscope, settings: PointSettings, runner: Runner) -> str:
        """Measure at the position of the last point and say how the rate compares."""
        last, last_counts = self.run.row(-1)
        dwell_s = min(last.dwell_s, REFERENCE_S)
        planned = PlannedPoint(REFERENCE_PASS, last.index, last.x_nm, last.y_nm, dwell_s)
        row, counts = acquire_point(microscope, planned, settings, runner.checkpoint, runner.warn)
        n_now, n_then = int(counts.sum()), int(last_counts.sum())
        if not n_now or not n_then:
            return f"at position {last.index} there are {n_now} counts in {row.live_s:g} s"
        ratio = n_now / row.live_s / (n_then / last.live_s)
        error = ratio * math.sqrt(1 / n_now + 1 / n_then)
        return f"the rate at position {last.index} is {ratio:.2f} ± {error:.2f} of what it was"


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
    listen: Callable[[PointDone], None],
) -> Remaining:
    """Let a planner and a listener live through the past of a run.

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
    listen : callable
        Hears of every point.
    """
    remaining, points, n_repeated = Remaining(planner), past.run.points, 0
    for event in past.events():
        while n_repeated <= event.row.pass_index:
            time.stop_at(event.row.start_s)
            remaining.repeat(result(), Counter(points["index"][points["pass"] == n_repeated].tolist()))
            n_repeated += 1
        listen(event)
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

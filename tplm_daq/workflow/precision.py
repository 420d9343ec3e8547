"""Passes that follow the estimate: how long they are, and when D is known well enough.

After each pass the diffusivity is fitted to all points so far. The next pass is as long as it takes to reach the
target, by the Fisher information of `tplm_daq.analysis.design`, but at most as long as all before it, so that a poor
first estimate does not decide over hours. Each pass costs moves, so there are as few of them as that allows, and
visits that are not worth their move are joined. Stopping on the estimated error leaves the interval of D what it says
(95 % of 1000 simulated scans hold the truth), but D itself comes out high by the square of the target, because scans
that find too much stop first: 0.4 % at a target of 5 %, 2 % at 10 %, 6 % at 20 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tplm_daq.acquire.events import FinishReason
from tplm_daq.acquire.passes import Done, FixedPasses, Itinerary, Pass, PassPlanner, PlannedPoint, thin_out
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.workflow.allocation import Allocation, Estimate, GivenShares, OptimalShares
from tplm_daq.workflow.forecast import Costs, planned_line

FloatArray = NDArray[np.float64]

FIRST_VISITS = 20
"""Visits of the first pass, each as long as it takes to get there: enough positions for a fit, at no great cost."""
LONGEST_PASS_S = 180.0
"""A drift of 10 nm/min then moves the spot by 30 nm in a pass: 3 % of D, which the way back takes off again."""
SHORTEST_PASS = 0.1
"""Of the time counted before: a target just missed does not cost a sweep of moves for next to nothing."""
MARGIN = 1.03
"""Time asked for beyond what is missing, so that chance seldom costs another pass."""
FLANK_SIGMA = math.sqrt(2.0)
"""Distance from the centre, in sigma0, where the counts of a Gaussian spot tell most about its position."""
GOLDEN_SECTION = 0.5 * (math.sqrt(5.0) - 1.0)
"""Steps of this much spread most evenly over a unit interval, however many there are."""


class OptimalPasses:
    """A given number of equally long passes whose time is shared anew before each of them.

    Parameters
    ----------
    itinerary : Itinerary
        Positions and their order.
    allocation : Allocation
        How time is shared.
    pass_s : float
        Time counted in each pass.
    n_passes : int
        Number of passes.
    shortest_s : float
        Shortest visit that is worth its move.
    """

    def __init__(
        self, itinerary: Itinerary, allocation: Allocation, pass_s: float, n_passes: int, shortest_s: float
    ) -> None:
        self._itinerary = itinerary
        self._allocation = allocation
        self._pass_s = pass_s
        self._n_passes = n_passes
        self._shortest_s = shortest_s
        self._n_planned = 0
        self.n_points = n_passes * len(itinerary.positions_nm)

    def next_pass(self, result: object | None) -> Pass | Done:
        """Return the next pass, shared by the estimate in `result` if that is one, or the end after the last."""
        if self._n_planned == self._n_passes:
            return Done(FinishReason.COMPLETED, "all points taken")
        estimate = result if isinstance(result, Estimate) else None
        due_s = self._pass_s * self._allocation.shares(estimate)
        points = self._itinerary.lay_out(self._n_planned, thin_out(due_s, self._shortest_s, _phase(self._n_planned)))
        self._n_planned += 1
        self.n_points += len(points) - len(self._itinerary.positions_nm)
        return points


class PrecisionPasses:
    """Passes until the standard error of D is small enough relative to D, or the time is over.

    Parameters
    ----------
    itinerary : Itinerary
        Positions and their order.
    allocation : Allocation
        How time is shared.
    target : float
        Relative standard error at which the scan ends.
    max_time_s : float
        Time from the first pass at which it ends in any case.
    costs : Costs
        What visits take beside counting.
    now : callable
        Returns the time of the rig in s.
    """

    def __init__(
        self,
        itinerary: Itinerary,
        allocation: Allocation,
        target: float,
        max_time_s: float,
        costs: Costs,
        now: Callable[[], float],
    ) -> None:
        self._itinerary = itinerary
        self._allocation = allocation
        self._target = target
        self._max_time_s = max_time_s
        self._costs = costs
        self._now = now
        self._shortest_s = costs.mean_visit_s(itinerary)
        self._spent_s = np.zeros(len(itinerary.positions_nm))
        self._began_s: float | None = None
        self._place: PlannedPoint | None = None
        self._n_passes = self._n_planned = self._n_expected = 0

    @property
    def n_points(self) -> int:
        """Points planned so far, and those still needed by the latest estimate."""
        return self._n_planned + self._n_expected

    def next_pass(self, result: object | None) -> Pass | Done:
        """Return the next pass by the estimate in `result`, or why there is none."""
        estimate = result if isinstance(result, Estimate) else None
        if self._began_s is None:
            self._began_s = self._now()
        if estimate is not None and estimate.relative_error <= self._target:
            known = f"D is known to {estimate.relative_error:.2%}, {self._target:.2%} were asked for"
            return Done(FinishReason.TARGET_REACHED, known)
        shares, missing_s = self._wanted(estimate)
        counted_s = float(self._spent_s.sum())
        pass_s = max(min(missing_s, counted_s, LONGEST_PASS_S), SHORTEST_PASS * counted_s, self._shortest_s)
        points = self._within_time(shares, pass_s if counted_s else FIRST_VISITS * self._shortest_s)
        if not points:
            reached = "nothing is known of D" if estimate is None else f"D is known to {estimate.relative_error:.2%}"
            text = f"{self._max_time_s:g} s are over; {reached}, {self._target:.2%} were asked for"
            return Done(FinishReason.MAX_TIME, text)
        self._take_note(points, missing_s)
        return points

    def _wanted(self, estimate: Estimate | None) -> tuple[FloatArray, float]:
        """Return how to share the next pass, and the time that is missing; infinite while there is no telling."""
        if estimate is None or not math.isfinite(estimate.relative_error) or not self._spent_s.any():
            return self._allocation.shares(estimate), math.inf
        missing = (estimate.relative_error / self._target) ** 2 - 1.0
        gain = self._allocation.gain(estimate, self._spent_s)
        return self._allocation.shares(estimate), MARGIN * float(self._spent_s.sum()) * missing / gain

    def _within_time(self, shares: FloatArray, pass_s: float) -> Pass:
        """Lay out a pass of this length, or of what the time left allows; no points if it allows none."""
        assert self._began_s is not None
        left_s = self._began_s + self._max_time_s - self._now()
        while pass_s >= self._shortest_s:
            due_s = thin_out(pass_s * shares, self._shortest_s, _phase(self._n_passes))
            points = self._itinerary.lay_out(self._n_passes, due_s)
            if self._costs.pass_s(points, self._place) <= left_s:
                return points
            pass_s *= 0.8
        return ()

    def _take_note(self, points: Pass, missing_s: float) -> None:
        counted_s = 0.0
        for point in points:
            self._spent_s[point.index] += point.dwell_s
            counted_s += point.dwell_s
        self._place = points[-1]
        self._n_passes += 1
        self._n_planned += len(points)
        later_s = max(missing_s - counted_s, 0.0) if math.isfinite(missing_s) else counted_s
        self._n_expected = len(points) * math.ceil(later_s / LONGEST_PASS_S)


def planner_for(recipe: ScanRecipe, rig: RigRecipe, positions_nm: FloatArray, now: Callable[[], float]) -> PassPlanner:
    """Return the planner of a scan.

    Parameters
    ----------
    recipe, rig : ScanRecipe, RigRecipe
        What is wanted, and on which microscope.
    positions_nm : ndarray of float64, shape (n_position, 2)
        Path in the sample plane, in nm.
    now : callable
        Returns the time of the rig in s.

    Returns
    -------
    PassPlanner
        It wants an `Estimate` if the passes of the recipe are adaptive.
    """
    passes, costs = recipe.passes, Costs.of(recipe, rig)
    itinerary = Itinerary(
        positions_nm, passes.order, passes.seed, references_of(recipe, rig, positions_nm), passes.reference_every
    )
    shares = np.array(passes.shares(len(positions_nm)))
    pass_s = len(positions_nm) * passes.dwell_per_point_s
    allocation: Allocation = GivenShares(shares)
    if passes.allocation == "optimal":
        along_nm = positions_nm[:, "xy".index(recipe.path.axes)]
        allocation = OptimalShares(planned_line(recipe, rig, peak_cps=1.0), along_nm)
    if passes.target_precision is not None and passes.max_time_s is not None:
        return PrecisionPasses(itinerary, allocation, passes.target_precision, passes.max_time_s, costs, now)
    if passes.allocation == "optimal":
        return OptimalPasses(itinerary, allocation, pass_s, passes.n_fixed_passes, costs.mean_visit_s(itinerary))
    return FixedPasses(itinerary, pass_s * shares, passes.n_fixed_passes)


def references_of(recipe: ScanRecipe, rig: RigRecipe, positions_nm: FloatArray) -> tuple[int, ...]:
    """Return the positions of a path in nm, float64 (n_position, 2), that a recipe visits again and again, if any."""
    return () if recipe.passes.reference_every is None else reference_positions(positions_nm, rig.optics.sigma0_nm)


def reference_positions(positions_nm: FloatArray, sigma0_nm: float) -> tuple[int, ...]:
    """Return the positions at the middle of the path and on the flanks of a spot there, along each axis scanned.

    Examples
    --------
    >>> line_nm = np.column_stack([np.linspace(-1000.0, 1000.0, 41), np.zeros(41)])
    >>> reference_positions(line_nm, sigma0_nm=250.0)
    (20, 13, 27)
    """
    middle_nm = 0.5 * (positions_nm.min(axis=0) + positions_nm.max(axis=0))
    steps_nm = [np.eye(2)[axis] * FLANK_SIGMA * sigma0_nm for axis in (0, 1) if np.ptp(positions_nm[:, axis]) > 0]
    wanted_nm = [middle_nm, *(middle_nm + sign * step_nm for step_nm in steps_nm for sign in (-1, 1))]
    nearest = [int(np.argmin(np.hypot(*(positions_nm - place_nm).T))) for place_nm in wanted_nm]
    return tuple(dict.fromkeys(nearest))


def _phase(number: int) -> float:
    """Return where in its even spread a pass begins, 0 to 1."""
    return (number + 1) * GOLDEN_SECTION % 1.0

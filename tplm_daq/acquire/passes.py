"""Passes along the path: which positions, in which order, for how long.

The runner asks a planner for one pass after another and hands it the latest estimate, so that fixed scans,
precision scans, alignment and resumed runs are the same to it. Planners that follow the estimate need the analysis
and are in `tplm_daq.workflow.precision`; here is what needs positions and times only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tplm_daq.acquire.events import FinishReason

FloatArray = NDArray[np.float64]
Order = Literal["up-and-down", "interleaved", "shuffled"]

SHORTEST_DWELL_S = 1e-3
"""Counters run for whole milliseconds; a position that is due less than this is left out."""


@dataclass(frozen=True)
class PlannedPoint:
    """One visit of one position: `index` names the position on the path, x and y are in nm.

    In a pass that follows the spot, x and y are those of the path plus `shift_nm`.
    """

    pass_index: int
    index: int
    x_nm: float
    y_nm: float
    dwell_s: float
    shift_nm: tuple[float, float] = (0.0, 0.0)

    def shifted(self, shift_nm: tuple[float, float]) -> PlannedPoint:
        """Return the same visit on a path moved by x and y in nm."""
        x_nm, y_nm = shift_nm
        return replace(self, x_nm=self.x_nm + x_nm, y_nm=self.y_nm + y_nm, shift_nm=shift_nm)


Pass = tuple[PlannedPoint, ...]
"""The points of one pass in the order in which they are visited."""


@dataclass(frozen=True)
class Done:
    """Nothing more is to be measured: why, for the program and in words."""

    reason: FinishReason
    message: str


class PassPlanner(Protocol):
    """Decides what is measured next."""

    @property
    def n_points(self) -> int:
        """Points of the whole scan, those taken included, as far as is known by now."""

    def next_pass(self, result: object | None) -> Pass | Done:
        """Return the next pass, or why there is none; `result` is the estimate from all points taken so far."""


@dataclass(frozen=True)
class Itinerary:
    """The order in which positions are visited.

    Attributes
    ----------
    positions_nm : ndarray of float64, shape (n_position, 2)
        Path in the sample plane, in nm.
    order : str
        Along the path and back in turn from pass to pass (``up-and-down``, which takes a linear drift out of every
        pair of passes), every other position on the way out and the rest on the way back (``interleaved``, within
        every pass), or at random (``shuffled``).
    seed : int
        Of the random order; each pass has its own.
    references : tuple of int
        Positions that are visited again and again, so that bleaching and drift show as a series in time.
    reference_every : int or None
        After how many other points of a pass that happens; None for never.
    """

    positions_nm: FloatArray
    order: Order = "up-and-down"
    seed: int = 1
    references: tuple[int, ...] = ()
    reference_every: int | None = None

    def lay_out(self, number: int, dwell_s: FloatArray) -> Pass:
        """Return the points of one pass.

        Parameters
        ----------
        number : int
            Of the pass, from 0.
        dwell_s : ndarray of float64, shape (n_position,)
            How long each position is counted in this pass, in s; rounded to milliseconds, and positions with less
            are left out. References are counted for the mean of the others.
        """
        counted_s = np.round(dwell_s, 3)
        visited = np.flatnonzero(counted_s >= SHORTEST_DWELL_S)
        if not len(visited):
            return ()
        reference_s = round(float(counted_s[visited].mean()), 3)
        stops: list[tuple[int, float]] = []
        for n_visited, index in enumerate(self._ordered(visited, number).tolist(), start=1):
            stops.append((index, float(counted_s[index])))
            if self.reference_every is not None and n_visited % self.reference_every == 0:
                stops += [(reference, reference_s) for reference in self.references]
        return tuple(
            PlannedPoint(number, index, float(self.positions_nm[index, 0]), float(self.positions_nm[index, 1]), due_s)
            for index, due_s in stops
        )

    def _ordered(self, visited: NDArray[np.intp], number: int) -> NDArray[np.intp]:
        if self.order == "shuffled":
            return np.random.default_rng([self.seed, number]).permutation(visited)
        if self.order == "interleaved":
            return np.concatenate([visited[::2], visited[1::2][::-1]])
        return visited if number % 2 == 0 else visited[::-1]


class FixedPasses:
    """A given number of passes that are all alike, whatever comes of them.

    Parameters
    ----------
    itinerary : Itinerary
        Positions and their order.
    dwell_s : ndarray of float64, shape (n_position,)
        How long each position is counted in every pass, in s.
    n_passes : int
        Number of passes.
    """

    def __init__(self, itinerary: Itinerary, dwell_s: FloatArray, n_passes: int) -> None:
        self._itinerary = itinerary
        self._dwell_s = dwell_s
        self._n_passes = n_passes
        self._n_planned = 0
        self.n_points = n_passes * len(itinerary.lay_out(0, dwell_s))

    def next_pass(self, result: object | None) -> Pass | Done:
        """Return the next pass, or the end after the last; `result` does not matter here."""
        del result
        if self._n_planned == self._n_passes:
            return Done(FinishReason.COMPLETED, "all points taken")
        self._n_planned += 1
        return self._itinerary.lay_out(self._n_planned - 1, self._dwell_s)


def thin_out(dwell_s: FloatArray, shortest_s: float, phase: float) -> FloatArray:
    """Join short visits to fewer that are worth the move, so that time goes into counting.

    Positions that are due at least `shortest_s` keep their time. The time of all others goes to as many of them as
    it suffices for, evenly spread in terms of what they were due; a position's share over many passes with different
    phases is what it was due.

    Parameters
    ----------
    dwell_s : ndarray of float64, shape (n_position,)
        How long each position is due, in s.
    shortest_s : float
        Shortest visit that is worth its move, in s.
    phase : float
        0 to 1: where in the even spread to begin.

    Returns
    -------
    ndarray of float64, shape (n_position,)
        Dwell in s with the same sum, zero for positions that are left out.

    Examples
    --------
    >>> thin_out(np.array([0.1, 0.1, 2.0, 0.1, 0.1]), shortest_s=0.2, phase=0.5)
    array([0. , 0.2, 2. , 0. , 0.2])
    """
    is_short = dwell_s < shortest_s
    short_s = np.where(is_short, dwell_s, 0.0)
    joined_s = np.where(is_short, 0.0, dwell_s)
    n_visits = int(short_s.sum() / shortest_s + 1e-9)
    if n_visits == 0:
        kept_s = joined_s.sum()
        return joined_s * (dwell_s.sum() / kept_s) if kept_s > 0 else dwell_s
    due_s = np.cumsum(short_s)
    marks_s = (np.arange(n_visits) + phase) * (due_s[-1] / n_visits)
    np.add.at(joined_s, np.searchsorted(due_s, marks_s, side="right"), due_s[-1] / n_visits)
    return joined_s

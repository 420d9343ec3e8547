"""Passes that follow the spot: its centre is fitted after each pass and compared with where it belongs on the path.

What was counted since the last look is fitted together until the centre is known well enough, so that short passes
are not judged by chance. A line shows drift along itself only. What is asked for and read back stays in the file as it
was; points carry the shift of their path.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.acquire import guards
from tplm_daq.acquire.events import Event, PointDone
from tplm_daq.acquire.guards import Level, Verdict
from tplm_daq.acquire.passes import Done, Pass, PassPlanner
from tplm_daq.analysis.gaussian_spot import SpotFit, fit_line, fit_raster
from tplm_daq.errors import FitError
from tplm_daq.recipes.rig import Guards
from tplm_daq.store.layout import PointFlags, PointRow

FloatArray = NDArray[np.float64]
Place = tuple[float, float]
"""x and y in nm."""

KNOWN = 3.0
"""The centre is judged when its standard error is this many times smaller than the limit."""
PATIENCE = 5.0
"""A spot that does not show in this many times the time that it took to see it before is lost."""
FEWEST_POSITIONS = 5
ROUND_NM = 0.1
"""Shifts are multiples of this, which no actuator resolves."""


@dataclass(frozen=True)
class Surveyed:
    """What there is to follow, and how far.

    Attributes
    ----------
    positions_nm : ndarray of float64, shape (n_position, 2)
        The path before any shift.
    axes : str
        Along which it runs: "x", "y" or "xy".
    pixel_nm : tuple of float
        Width of the pixel along x and y.
    reach_nm : callable
        Returns the lowest and highest position in nm to which axis "x" or "y" may be taken.
    limits : Guards
        How far the spot may be off, and what follows.
    is_centred : bool
        Whether the spot belongs in the middle of the path; else, as where a recipe gives the centre, it belongs where
        it was seen first.
    """

    positions_nm: FloatArray
    axes: str
    pixel_nm: Place
    reach_nm: Callable[[str], tuple[float, float]]
    limits: Guards
    is_centred: bool = True

    @property
    def columns(self) -> list[int]:
        """Which of x and y the path runs along."""
        return ["xy".index(axis) for axis in self.axes]

    @property
    def middle_nm(self) -> FloatArray:
        """Middle of the path along its axes, float64 (n_axis,)."""
        along_nm = self.positions_nm[:, self.columns]
        return np.asarray(0.5 * (along_nm.min(axis=0) + along_nm.max(axis=0)))

    def is_within_reach(self, shift_nm: Place) -> bool:
        """Tell whether the moved path stays within the travel of the detector."""
        moved_nm = self.positions_nm + shift_nm
        ends = zip("xy", moved_nm.min(axis=0), moved_nm.max(axis=0), strict=True)
        return all(self.reach_nm(axis)[0] <= low and high <= self.reach_nm(axis)[1] for axis, low, high in ends)


class FollowedSpot:
    """A planner whose passes lie where the spot is, if the rig file wants that, and a guard of its drift in any case.

    Parameters
    ----------
    planner : PassPlanner
        Plans passes on the path.
    surveyed : Surveyed
        Path and limits.
    warn : callable
        Is told when the path is moved, or cannot be.
    past_nm : mapping of int to Place
        Shift of each pass of an earlier part of the run, which stays as it was.
    """

    def __init__(
        self,
        planner: PassPlanner,
        surveyed: Surveyed,
        warn: Callable[[str], None],
        past_nm: Mapping[int, Place] | None = None,
    ) -> None:
        self._planner = planner
        self._surveyed = surveyed
        self._warn = warn
        self._past_nm = dict(past_nm or {})
        self._shift_nm: Place = (0.0, 0.0)
        self._verdict = guards.OK
        self._n_passes = 0
        self._sufficient_s = math.inf
        self._home_nm = surveyed.middle_nm if surveyed.is_centred else None
        self._forget()

    @property
    def n_points(self) -> int:
        """Points of the whole scan, as far as is known by now."""
        return self._planner.n_points

    def on_event(self, event: Event) -> None:
        """Take note of a point (a listener of the runner)."""
        if isinstance(event, PointDone):
            row = event.row
            self._counts[row.index] += event.counts.sum()
            self._live_s[row.index] += row.live_s
            self._moment_nm_s[row.index] += np.array(_place_nm(row)) * row.live_s

    def judge(self) -> Verdict:
        """Judge where the spot was when it was last looked for; asked before each point."""
        return self._verdict

    def next_pass(self, result: object | None) -> Pass | Done:
        """Return the next pass, moved to where the spot is, or why there is none."""
        points = self._planner.next_pass(result)
        if isinstance(points, Done):
            return points
        off_nm = self._look()
        if self._n_passes in self._past_nm:
            self._shift_nm = self._past_nm[self._n_passes]
        elif off_nm is not None:
            self._act(off_nm)
        self._n_passes += 1
        return tuple(point.shifted(self._shift_nm) for point in points)

    def _look(self) -> FloatArray | None:
        """Return how far the spot is from where it belongs along the path's axes, float64 (n_axis,) in nm, or None.

        None means that it is not known well enough yet; what was seen is kept then, and forgotten otherwise. A spot
        that does not show any more is infinitely far away.
        """
        counted_s = float(self._live_s.sum())
        try:
            spot = self._fit()
        except FitError:
            if counted_s <= PATIENCE * self._sufficient_s:
                return None
            self._forget()
            return np.full(len(self._surveyed.axes), math.inf)
        if math.hypot(*spot.centre_error_nm) > self._surveyed.limits.drift_limit_nm / KNOWN:
            return None
        self._sufficient_s = min(self._sufficient_s, counted_s)
        self._forget()
        centre_nm = np.array(spot.centre_nm)
        self._home_nm = centre_nm if self._home_nm is None else self._home_nm
        return centre_nm - self._home_nm

    def _fit(self) -> SpotFit:
        """Fit the spot in what was seen, where it is relative to the unmoved path; FitError if none stands out."""
        visited = self._live_s > 0
        if np.count_nonzero(visited) < FEWEST_POSITIONS:
            raise FitError("too few positions to tell a spot")
        counts, live_s = self._counts[visited], self._live_s[visited]
        place_nm = self._moment_nm_s[visited] / live_s[:, None]
        if self._surveyed.axes == "xy":
            return fit_raster(place_nm, counts, live_s, self._surveyed.pixel_nm)
        column = self._surveyed.columns[0]
        return fit_line(place_nm[:, column], counts, live_s, self._surveyed.pixel_nm[column])

    def _act(self, off_nm: FloatArray) -> None:
        """Move the path to the spot, or let the coming points be marked, or the run be ended, as the rig file says."""
        surveyed, is_found = self._surveyed, bool(np.isfinite(off_nm).all())
        verdict = guards.judge_drift(off_nm.tolist(), surveyed.axes, surveyed.limits) if is_found else self._lost()
        # what ended a run must not end it again before anything was measured anew
        self._verdict = verdict.at_most_suspect if self._n_passes - 1 in self._past_nm else verdict
        if is_found and verdict.level is not Level.OK and surveyed.limits.on_drift == "recentre":
            self._recentre(off_nm)

    def _recentre(self, off_nm: FloatArray) -> None:
        wanted_nm = np.array(self._shift_nm)
        wanted_nm[self._surveyed.columns] += np.round(off_nm / ROUND_NM) * ROUND_NM
        x_nm, y_nm = np.round(wanted_nm, 6).tolist()
        moved = guards.shown_nm(off_nm.tolist(), self._surveyed.axes)
        if not self._surveyed.is_within_reach((x_nm, y_nm)):
            self._warn(f"lateral drift: the path cannot follow the spot by {moved}, the detector's travel ends there")
            return
        self._shift_nm, self._verdict = (x_nm, y_nm), guards.OK
        self._warn(
            f"lateral drift: the spot was {moved} from where it belongs on the path; pass {self._n_passes + 1} and "
            f"those after it follow, {guards.shown_nm((x_nm, y_nm), 'xy')} from where the path was at first"
        )

    def _forget(self) -> None:
        n_positions = len(self._surveyed.positions_nm)
        self._counts, self._live_s = np.zeros(n_positions), np.zeros(n_positions)
        self._moment_nm_s = np.zeros((n_positions, 2))

    def _lost(self) -> Verdict:
        level = Level.STOP if self._surveyed.limits.on_drift == "stop" else Level.SUSPECT
        return Verdict(
            level,
            f"lateral drift: the last passes up to pass {self._n_passes} show no spot within the path any more. "
            "Look for it with `tplm run configs/align_spot.yaml`, and whether light reaches the sample",
            PointFlags.POSITION,
        )


def _place_nm(row: PointRow) -> Place:
    """Return where the detector was, as read back where that is known, relative to the shift of its path."""
    x_nm = row.x_nm if math.isnan(row.x_readback_nm) else row.x_readback_nm
    y_nm = row.y_nm if math.isnan(row.y_readback_nm) else row.y_readback_nm
    return x_nm - row.x_shift_nm, y_nm - row.y_shift_nm

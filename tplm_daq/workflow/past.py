"""The past of a run that is resumed: what is in its file, and how the rig gets back to where it stopped.

Whatever was found between the last point and now (drift of the spot, change of the rate) is told, not corrected. On a
simulated rig time goes on where the file stops, so that the remaining points are those of a run that was never
interrupted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tplm_daq.acquire.events import PointDone
from tplm_daq.acquire.moving import begin_move
from tplm_daq.acquire.passes import PlannedPoint
from tplm_daq.acquire.path import Centre, extents
from tplm_daq.acquire.point import PointSettings, acquire_point, look_around
from tplm_daq.acquire.runner import Runner
from tplm_daq.acquire.waiting import wait
from tplm_daq.analysis.profile import fit_gaussians
from tplm_daq.errors import FitError, InputError
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.roles import Clock, Microscope
from tplm_daq.store.reader import RunFile
from tplm_daq.store.writer import local_time
from tplm_daq.workflow.analyse import analyse_run
from tplm_daq.workflow.outcome import ScanOutcome

REFERENCE_S = 1.0
"""Longest measurement that compares the rate at the last position with what it was."""
N_SEARCHED = 7
SEARCH_S = 0.1
"""Positions along each axis on which the spot is looked for, and time at each: less than before a scan, so that a
simulated rig is back before the end of the very first point."""
REFERENCE_PASS = -1

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Past:
    """What an earlier part of a run left in its file.

    Attributes
    ----------
    run : RunFile
        The file, as it was before this part.
    rig : RigRecipe
        The rig of the file, with its calibrations; the clock of a simulated one goes on where it stopped.
    damaged : Path or None
        The file from which the points had to be rescued.
    """

    run: RunFile
    rig: RigRecipe
    damaged: Path | None = None

    @property
    def is_simulated(self) -> bool:
        """Whether the clock of the rig is that of a simulation."""
        return self.rig.simulation is not None

    def events(self) -> Iterator[PointDone]:
        """Yield the points of the file as if they had just been taken."""
        n_points = self.run.n_points
        for number, (row, counts) in enumerate(self.run.rows(), start=1):
            yield PointDone(row, counts, number, n_points)

    def shifts_nm(self) -> dict[int, Centre]:
        """Return by how much the path of each pass was moved, x and y in nm, to follow the spot."""
        points = self.run.points
        numbers, first = np.unique(points["pass"], return_index=True)
        moved_nm = points[["x_shift_nm", "y_shift_nm"]][first].tolist()
        return dict(zip(numbers.tolist(), moved_nm, strict=True))

    def require_same_delays(self, delay_ns: FloatArray) -> None:
        """Raise InputError if the bins of the counter, float64 (n_bin,) in ns, are not those of the file."""
        stored_ns = self.run.header.delay_ns
        if len(stored_ns) != len(delay_ns) or not np.allclose(stored_ns, delay_ns, rtol=0, atol=1e-6):
            raise InputError(
                f"{self.run.path}: its {len(stored_ns)} delay bins lie from {stored_ns[0]:g} to {stored_ns[-1]:g} ns, "
                f"those of the counter now ({len(delay_ns)}) from {delay_ns[0]:g} to {delay_ns[-1]:g} ns. "
                "Connect the counter with which the run was begun, or begin a new run."
            )

    def come_back(
        self, microscope: Microscope, recipe: ScanRecipe, settings: PointSettings, runner: Runner
    ) -> PointSettings:
        """Tell how spot and rate compare with what they were, and bring the detector back to the last point.

        Parameters
        ----------
        microscope : Microscope
            The rig with light on the sample.
        recipe : ScanRecipe
            Of the run.
        settings : PointSettings
            What all points have in common.
        runner : Runner
            Is told what was found.

        Returns
        -------
        PointSettings
            Of the points to come, whose times count from the original start.

        Raises
        ------
        DeviceError, GuardStop, Aborted
            As for any point.
        """
        settings = replace(settings, zero_s=self._zero_s(microscope.clock))
        if self.damaged is not None:
            runner.warn(f"{self.damaged} is damaged: the {self.run.n_points} points that read are in {self.run.path}")
        if not self.run.n_points:
            return settings
        drift = self._drift(microscope, recipe, settings, runner)
        rate = self._rate_ratio(microscope, settings, runner)
        runner.warn(f"goes on after point {self.run.n_points}: {drift}; {rate}")
        if self.is_simulated:
            end_s = settings.zero_s + float(self.run.points["end_s"][-1])
            wait(microscope.clock, end_s - microscope.clock.now(), runner.checkpoint)
        look_around(microscope)
        return settings

    def _zero_s(self, clock: Clock) -> float:
        """Return what the clock of the rig showed, or would have shown, at the start of the run."""
        if self.is_simulated:
            return self.run.header.clock_zero_s
        elapsed_s = (local_time() - datetime.fromisoformat(self.run.start_time)).total_seconds()
        return clock.now() - elapsed_s

    def _drift(self, microscope: Microscope, recipe: ScanRecipe, settings: PointSettings, runner: Runner) -> str:
        """Look for the spot anew and say how far it is from where the stored data, or else the path, have it."""
        path_nm = self.run.header.positions_nm
        stored_nm = self._stored_centre_nm(recipe)
        then_nm = tuple(0.5 * (path_nm.min(axis=0) + path_nm.max(axis=0))) if stored_nm is None else stored_nm
        searched_nm, said = then_nm, []
        for extent in extents(recipe.path):
            axis = "xy".index(extent.axis)
            places_nm = replace(extent, n_positions=N_SEARCHED).positions(searched_nm)
            now_nm, error_nm = self._centre_along(places_nm, axis, microscope, settings, runner)
            if not places_nm[0, axis] < now_nm < places_nm[-1, axis]:
                said.append(f"{extent.axis} not found")
                continue
            said.append(f"{extent.axis} {now_nm - then_nm[axis]:+.0f} ± {error_nm:.0f} nm")
            searched_nm = (now_nm, searched_nm[1]) if axis == 0 else (searched_nm[0], now_nm)
        since = "from the middle of the path" if stored_nm is None else "from where it was"
        return f"the spot is {', '.join(said)} {since}"

    def _centre_along(
        self, places_nm: FloatArray, axis: int, microscope: Microscope, settings: PointSettings, runner: Runner
    ) -> tuple[float, float]:
        """Return the centre of the spot along an axis and its standard error, in nm."""
        rates, n_counts = np.empty(len(places_nm)), 0
        for i, (x_nm, y_nm) in enumerate(places_nm.tolist()):
            planned = PlannedPoint(REFERENCE_PASS, i, x_nm, y_nm, SEARCH_S)
            move = begin_move(microscope, planned)
            row, counts, *_ = acquire_point(microscope, move, settings, runner.checkpoint, runner.tell)
            rates[i] = counts.sum() / row.live_s
            n_counts += int(counts.sum())
        fit = fit_gaussians(places_nm[:, axis], (rates - rates.min())[:, None])
        return float(fit.centre_nm[0]), float(np.sqrt(fit.variance_nm2[0] / max(n_counts, 1)))

    def _stored_centre_nm(self, recipe: ScanRecipe) -> Centre | None:
        """Return the centre of the spot by the stored data, across a line that of the path; None if unknown."""
        try:
            result = analyse_run(self.run, recipe.analysis)
        except FitError:
            return None
        if result.centre_xy_nm is not None:
            return result.centre_xy_nm
        x_nm, y_nm = self.run.header.positions_nm[0].tolist()
        return (result.centre_nm, y_nm) if recipe.path.axes == "x" else (x_nm, result.centre_nm)

    def _rate_ratio(self, microscope: Microscope, settings: PointSettings, runner: Runner) -> str:
        """Measure at the position of the last point and say how the rate compares."""
        last, last_counts = self.run.row(-1)
        dwell_s = min(last.dwell_s, REFERENCE_S)
        planned = PlannedPoint(REFERENCE_PASS, last.index, last.x_nm, last.y_nm, dwell_s)
        move = begin_move(microscope, planned)
        row, counts, *_ = acquire_point(microscope, move, settings, runner.checkpoint, runner.tell)
        n_now, n_then = int(counts.sum()), int(last_counts.sum())
        if not n_now or not n_then:
            return f"at position {last.index} there are {n_now} counts in {row.live_s:g} s"
        ratio = n_now / row.live_s / (n_then / last.live_s)
        error = ratio * math.sqrt(1 / n_now + 1 / n_then)
        return f"the rate at position {last.index} is {ratio:.2f} ± {error:.2f} of what it was"


@dataclass(frozen=True)
class EarlierPart:
    """What an earlier part of a series left in its folder.

    Attributes
    ----------
    home : Path
        The folder.
    kept : mapping of int to ScanOutcome
        Conditions that need not be measured again, by number.
    begun : mapping of int to Past
        Conditions whose run was cut short, by number.
    clock_s : float
        At which simulated time the doubles begin.
    """

    home: Path
    kept: Mapping[int, ScanOutcome]
    begun: Mapping[int, Past]
    clock_s: float

"""What alignment procedures are made of: passes over lines and rasters, and moves of the stage.

A procedure is a generator that yields passes and is sent their points; `Walk` lets the runner take them, so that
interruption, guards and the safe state are those of a scan.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tplm_daq.acquire.events import FinishReason
from tplm_daq.acquire.passes import Done, Pass, PlannedPoint
from tplm_daq.acquire.path import Extent, raster_positions
from tplm_daq.acquire.prepare import Prepared, place_sample
from tplm_daq.acquire.waiting import Checkpoint, wait
from tplm_daq.analysis.gaussian_spot import fit_line
from tplm_daq.errors import FitError
from tplm_daq.recipes.align import N_LOOKED_AT
from tplm_daq.recipes.rig import Optics, RigRecipe
from tplm_daq.roles import Microscope, SampleStage
from tplm_daq.store.layout import PointRow
from tplm_daq.workflow.align import ALIGNMENT_PASS, DWELL_S

FloatArray = NDArray[np.float64]
Place = tuple[float, float]
"""x and y in nm."""

N_READINGS, READING_S = 50, 0.02
"""The stage's sensor is noisy: its place is the mean of so many readings, so far apart."""


class Visit(NamedTuple):
    """A point: its row and its counts, uint32 (n_bin,)."""

    row: PointRow
    counts: NDArray[np.uint32]


@dataclass(frozen=True)
class Findings:
    """What a procedure found and from what; units in the names, columns of equal length."""

    values: dict[str, float]
    measured: dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class Ready:
    """A rig with light on the sample: devices, their recipe, settings, and what ends every wait."""

    microscope: Microscope
    rig: RigRecipe
    prepared: Prepared
    checkpoint: Checkpoint

    @property
    def optics(self) -> Optics:
        """The detection path."""
        return self.rig.optics

    @property
    def stage(self) -> SampleStage:
        """The stage, which recipes that need one have been checked for."""
        assert self.microscope.stage is not None
        return self.microscope.stage


Steps = Generator[Pass, list[Visit], Findings]


class Walk:
    """Lets a runner take the points of a procedure: planner and sink in one.

    Parameters
    ----------
    steps : Steps
        The procedure.
    n_points : int
        How many points it will take.

    Attributes
    ----------
    findings : Findings or None
        What it found, once it has ended.
    """

    def __init__(self, steps: Steps, n_points: int) -> None:
        self.n_points = n_points
        self.findings: Findings | None = None
        self._steps = steps
        self._visits: list[Visit] | None = None

    def append(self, row: PointRow, counts: NDArray[np.uint32], words: NDArray[np.uint32] | None = None) -> None:
        """Keep a point for the procedure, which needs no records."""
        del words
        assert self._visits is not None
        self._visits.append(Visit(row, counts))

    def next_pass(self, result: object | None) -> Pass | Done:
        """Send the points to the procedure and return what it wants next; the runner's `result` does not matter."""
        del result
        visits, self._visits = self._visits, []
        try:
            return next(self._steps) if visits is None else self._steps.send(visits)
        except StopIteration as end:
            self.findings = end.value
            return Done(FinishReason.COMPLETED, "aligned")


def look_for_centre(
    centre_nm: Place, half_width_nm: float, dwell_s: float = DWELL_S, axes: str = "yx", what: str = "spot"
) -> Generator[Pass, list[Visit], Place]:
    """Look along one axis, then along the other through what was found, and return the centre of the spot."""
    for axis in axes:
        visits = yield visits_of(Extent(axis, half_width_nm, N_LOOKED_AT).positions(centre_nm), dwell_s)
        position_nm, counts, live_s = light(visits)
        found_nm = fit_line(position_nm[:, "xy".index(axis)], counts, live_s, 0.0, f"{what} along {axis}").centre_nm[0]
        centre_nm = (found_nm, centre_nm[1]) if axis == "x" else (centre_nm[0], found_nm)
    return centre_nm


def raster(centre_nm: Place, half_width_nm: float, n_positions: int, dwell_s: float) -> Pass:
    """Return the visits of a square raster of `n_positions` along each side."""
    along_x, along_y = (Extent(axis, half_width_nm, n_positions) for axis in "xy")
    return visits_of(raster_positions(along_x, along_y, centre_nm), dwell_s)


def visits_of(positions_nm: FloatArray, dwell_s: float) -> Pass:
    """Return the visits of positions in nm, float64 (n_position, 2), in their order."""
    return tuple(
        PlannedPoint(ALIGNMENT_PASS, i, x_nm, y_nm, dwell_s) for i, (x_nm, y_nm) in enumerate(positions_nm.tolist())
    )


def light(visits: Sequence[Visit]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return positions in nm (n_visit, 2), counts (n_visit,), and time counted in s (n_visit,), all float64."""
    position_nm = np.array([(visit.row.x_readback_nm, visit.row.y_readback_nm) for visit in visits])
    counts = np.array([visit.counts.sum() for visit in visits], dtype=np.float64)
    return position_nm, counts, np.array([visit.row.live_s for visit in visits])


def columns(visits: Sequence[Visit]) -> dict[str, tuple[float, ...]]:
    """Return positions, counts and times of points as columns of a calibration file."""
    position_nm, counts, live_s = light(visits)
    named = {"x_nm": position_nm[:, 0], "y_nm": position_nm[:, 1], "counts": counts, "live_s": live_s}
    return {name: tuple(column.tolist()) for name, column in named.items()}


def put_stage(ready: Ready, place_nm: tuple[float, float, float]) -> None:
    """Bring the stage to a place in nm."""
    place_sample(ready.microscope.clock, ready.stage, place_nm, ready.checkpoint)


@contextmanager
def back_in_vain(ready: Ready, place_nm: tuple[float, float, float]) -> Iterator[None]:
    """Bring the stage back to where it was if what is looked for is not found."""
    try:
        yield
    except FitError:
        put_stage(ready, place_nm)
        raise


def where_stage_is(ready: Ready) -> tuple[float, float, float]:
    """Return the mean of many readings of where the stage is, in nm."""
    readings = []
    for _ in range(N_READINGS):
        wait(ready.microscope.clock, READING_S, ready.checkpoint)
        readings.append(ready.stage.position_nm())
    x_nm, y_nm, z_nm = np.mean(readings, axis=0).tolist()
    return x_nm, y_nm, z_nm

"""What the programme has left on the disk, read as figures need it: series with their runs, points of the lattice."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.series_summary import SeriesGroup, SeriesRun, SeriesSummary
from tplm_daq.errors import InputError
from tplm_daq.kmc.observe import Observation
from tplm_daq.report.paper.view import Points, Source
from tplm_daq.store.reader import RunFile, open_run
from tplm_daq.workflow.kmc import file_name, stored_jobs
from tplm_daq.workflow.paper.programme import PARTS
from tplm_daq.workflow.paper.rows import Z_95
from tplm_daq.workflow.paper.tasks import LatticeTask, SeriesTask, Task, keep_recipe
from tplm_daq.workflow.series_index import RECIPE_NAME, RIG_NAME
from tplm_daq.workflow.series_result import series_summary

FloatArray = NDArray[np.float64]


class Measured:
    """Results of a programme.

    Parameters
    ----------
    tasks : sequence of Task
        What was carried out.
    page_folder : Path
        Where the page will be; links are relative to it.
    """

    def __init__(self, tasks: Sequence[Task], page_folder: Path) -> None:
        self.tasks: Mapping[str, Task] = {task.item.name: task for task in tasks}
        self._page_folder = page_folder
        self.summary = cache(self._summary)

    def runs(self, *names: str) -> tuple[SeriesRun, ...]:
        """Return the runs of one or several series, in the order of measuring."""
        return tuple(run for name in names for run in self.summary(name).runs)

    def group(self, *names: str) -> SeriesGroup:
        """Return runs of one or several series at one temperature as one group."""
        return SeriesGroup("", self.runs(*names))

    def open(self, name: str, run: SeriesRun) -> RunFile:
        """Return the file of a run of a series."""
        return open_run(self._home(name) / run.source)

    def lattice(self, name: str) -> tuple[Observation, ...]:
        """Return the points of a lattice, in the order of its recipe."""
        task = self.lattice_task(name)
        stored = stored_jobs(task.jobs, task.folder)
        return tuple(stored[job] for job in task.jobs if job in stored)

    def lattice_task(self, name: str) -> LatticeTask:
        """Return a task of the programme that is a lattice."""
        task = self.tasks[name]
        if not isinstance(task, LatticeTask):
            raise InputError(f"{name}: is a series, and a lattice is wanted here.")
        return task

    def sources(self, part: str) -> tuple[Source, ...]:
        """Return what a part was made from."""
        return tuple(self._source(self.tasks[name]) for name in PARTS[part].needs)

    def left_out(self, part: str) -> tuple[str, ...]:
        """Return which conditions of a part's series have no result, and why: one sentence each."""
        names = [name for name in PARTS[part].needs if isinstance(self.tasks[name], SeriesTask)]
        return tuple(f"{name}, {label}: {why}" for name in names for label, why in self.summary(name).left_out)

    def _summary(self, name: str) -> SeriesSummary:
        return series_summary(self._home(name))

    def _home(self, name: str) -> Path:
        task = self.tasks[name]
        home = task.home if isinstance(task, SeriesTask) else None
        if home is None:
            raise InputError(f"{name}: has not been measured.")
        return home

    def _source(self, task: Task) -> Source:
        if isinstance(task, LatticeTask):
            path = task.folder / file_name(task.recipe)
            of_lattice = (self._link("recipe as carried out", keep_recipe(task)), self._link("points", path))
            return Source(task.item.recipe, task.changes, of_lattice)
        home = self._home(task.item.name)
        links = [self._link("recipe as carried out", home / RECIPE_NAME), self._link("rig", home / RIG_NAME)]
        links += [self._link(run.label, home / run.source) for run in self.summary(task.item.name).runs]
        return Source(task.item.recipe, task.changes, tuple(links))

    def _link(self, label: str, path: Path) -> tuple[str, str]:
        return label, quote(path.relative_to(self._page_folder).as_posix())


def column(runs: Sequence[SeriesRun], name: str) -> FloatArray:
    """Return an attribute of several runs as an array; NaN where it is not known."""
    values = [getattr(run, name) for run in runs]
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def power_text(run: SeriesRun) -> str:
    """Return the power of a run as one reads it, such as ``0.5 nW``."""
    return f"{run.power_nw:.3g} nW"


def light_text(run: SeriesRun) -> str:
    """Return power and rate of a run, such as ``0.5 nW, 2.5 MHz``."""
    return f"{power_text(run)}, {run.repetition_rate_hz / 1e6:g} MHz"


def marks(x: FloatArray, runs: Sequence[SeriesRun], label: str = "", colour: int = 0) -> Points:
    """Return the diffusivities of runs with their 95 % intervals."""
    d, half = column(runs, "diffusivity_cm2_s"), Z_95 * column(runs, "standard_error_cm2_s")
    return Points(x, d, d - half, d + half, label, colour)


def truths(x: FloatArray, runs: Sequence[SeriesRun], label: str = "simulator's input") -> Points:
    """Return the diffusivities that were put into the simulator; NaN on a real rig."""
    return Points(x, column(runs, "truth_cm2_s"), None, None, label, is_truth=True)

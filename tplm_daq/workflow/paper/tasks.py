"""The items of the programme with their places on the disk: what is there already, what is left, how long that takes.

A series has a folder named after what is asked for (recipe, rig and changes), and a lattice a file, so that what was
made from another recipe is never taken for it. What is there is not made again; what was cut short goes on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tplm_daq.errors import InputError
from tplm_daq.kmc.sweep import Job
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.recipes.load import dump_yaml
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.series import SeriesRecipe
from tplm_daq.roles import Operator
from tplm_daq.workflow.kmc import load_kmc, stored_jobs, sweep_jobs
from tplm_daq.workflow.load import load_measurement
from tplm_daq.workflow.paper.programme import RIG, Item
from tplm_daq.workflow.resume import load_series
from tplm_daq.workflow.series import SeriesJob
from tplm_daq.workflow.series_check import check_series
from tplm_daq.workflow.series_index import GOOD_ENDS, INDEX_NAME, RECIPE_NAME, read_index

RECIPE_NAME_OF_LATTICE = "recipe.yaml"

SECONDS_PER_POINT, SECONDS_PER_SCAN = 0.03, 1.0
SECONDS_PER_EXCITON_STEP = 8e-9
"""What a simulated scan and the lattice take on one core of a present-day computer, for an estimate (ours)."""


@dataclass(frozen=True)
class SeriesTask:
    """A series of the programme.

    Attributes
    ----------
    item : Item
        What is asked for.
    changes : tuple of str
        Those applied to its recipe, the quick ones included.
    folder : Path
        Where the folder of the series is or will be.
    recipe, rig : SeriesRecipe, RigRecipe
        What is measured, on which rig.
    """

    item: Item
    changes: tuple[str, ...]
    folder: Path
    recipe: SeriesRecipe
    rig: RigRecipe

    @property
    def home(self) -> Path | None:
        """Folder of the series, None before it has begun."""
        found = sorted(path.parent for path in self.folder.glob(f"*/{RECIPE_NAME}"))
        return found[-1] if found else None

    @property
    def n_conditions(self) -> int:
        """How many scans there are in all."""
        return len(self.recipe.conditions)

    @property
    def n_done(self) -> int:
        """How many of them are complete."""
        if self.home is None or not (self.home / INDEX_NAME).exists():
            return 0
        return sum(line["finish_reason"] in GOOD_ENDS for line in read_index(self.home).values())

    @property
    def seconds_left(self) -> float:
        """About how long the rest takes on a simulated rig, if nothing else runs on this machine."""
        passes, path = self.recipe.scan.passes, self.recipe.scan.path
        per_scan = SECONDS_PER_SCAN + SECONDS_PER_POINT * path.n_positions * passes.n_fixed_passes
        return per_scan * (self.n_conditions - self.n_done)

    @property
    def microscope_seconds(self) -> float:
        """How long the whole would take at a real microscope, waiting for temperatures left out."""
        return check_series(self.recipe, self.rig).time_s

    def job(self, operator: Operator) -> SeriesJob:
        """Return the job that measures what is left; nothing is opened before it runs."""
        if self.home is not None:
            return load_series(self.home, ()).job(operator)
        return SeriesJob(self.recipe, self.rig, self.folder, operator)


@dataclass(frozen=True)
class LatticeTask:
    """A lattice of the programme; attributes as of `SeriesTask`, `folder` is where the file with the points is."""

    item: Item
    changes: tuple[str, ...]
    folder: Path
    recipe: KmcRecipe
    microscope_seconds: float = 0.0

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        """All conditions."""
        return sweep_jobs(self.recipe)

    @property
    def n_conditions(self) -> int:
        """How many conditions there are in all."""
        return len(self.jobs)

    @property
    def n_done(self) -> int:
        """How many of them are stored."""
        return len(stored_jobs(self.jobs, self.folder))

    @property
    def seconds_left(self) -> float:
        """About how long the rest takes on one core."""
        stored = stored_jobs(self.jobs, self.folder)
        return SECONDS_PER_EXCITON_STEP * sum(job.exciton_steps for job in self.jobs if job not in stored)


Task = SeriesTask | LatticeTask


def load_task(item: Item, out: Path, is_quick: bool) -> Task:
    """Read an item's recipe, apply its changes, and say where it belongs.

    Parameters
    ----------
    item : Item
        Of the programme.
    out : Path
        Folder of the reproduction.
    is_quick : bool
        Whether the changes of the quick programme are applied too.

    Raises
    ------
    InputError
        A recipe cannot be read, or holds something that is not allowed.
    """
    changes = (*item.changes, *(item.quick if is_quick else ()))
    if item.is_lattice:
        return LatticeTask(item, changes, out / item.name, load_kmc(item.recipe, assignments=changes))
    recipe, rig = load_measurement(item.recipe, RIG, changes)
    if not isinstance(recipe, SeriesRecipe):
        raise InputError(f"{item.recipe}: is a {recipe.kind}, and the programme wants a series there.")
    mark = hashlib.sha256((dump_yaml(recipe) + dump_yaml(rig)).encode()).hexdigest()[:8]
    return SeriesTask(item, changes, out / f"{item.name}-{mark}", recipe, rig)


def keep_recipe(task: LatticeTask) -> Path:
    """Write the recipe of a lattice beside its points, as a series has its own, and return where."""
    path = task.folder / RECIPE_NAME_OF_LATTICE
    path.write_text(dump_yaml(task.recipe), encoding="utf-8")
    return path

"""A sweep of lattice simulations from recipe to results: what is kept, what is still to do, and who does it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tplm_daq.kmc.kernel import KERNEL_VERSION
from tplm_daq.kmc.observe import Observation
from tplm_daq.kmc.simulate import Condition
from tplm_daq.kmc.sweep import Finished, Job, sweep_cluster, sweep_here, sweep_processes
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.recipes.load import apply_overrides, find_config, read_yaml, validate
from tplm_daq.report.tabular import Tabular
from tplm_daq.store.sweeps import SweepFile
from tplm_daq.workflow.kmc_limits import workers_for

DEFAULT_RECIPE = "configs/kmc_quick.yaml"

SHOWN = ("alpha", "tau_pulse_us", "t_exc_us", "d_sim_cm2_s", "standard_error_cm2_s", "d_sim_radial_cm2_s")
"""What is said of each condition."""


@dataclass(frozen=True)
class SweepProgress:
    """How far a sweep is: conditions finished of all, the latest one, and the share of the work done."""

    n_done: int
    n_points: int
    latest: Observation
    share: float


@dataclass(frozen=True, repr=False)
class SweepOutcome(Tabular):
    """What came of a sweep.

    Attributes
    ----------
    points : tuple of Observation
        In the order of the recipe, alpha outermost.
    files : tuple of Path
        Where they are stored, one file per recipe.
    n_reused : int
        Points that were in the file before.
    exciton_steps : int
        Attempts to hop, those of reused points not counted.
    seconds : float
        From the start of the first simulation to the end of the last; imports and compilation excluded.
    """

    points: tuple[Observation, ...]
    files: tuple[Path, ...]
    n_reused: int
    exciton_steps: int
    seconds: float

    @property
    def file(self) -> Path | None:
        """The file if there is one, and one only."""
        return self.files[0] if len(self.files) == 1 else None

    row_name = "condition"

    def columns(self) -> dict[str, Sequence[object]]:
        """Return one row per condition."""
        return {name: [getattr(point, name) for point in self.points] for name in SHOWN}

    def caption(self) -> str:
        """Return how much was simulated; D is per axis, and radial twice that."""
        return f"lattice: {len(self.points)} conditions, {self.exciton_steps:.3g} exciton steps"

    def to_dict(self) -> dict[str, object]:
        """Return what `tplm kmc --json` prints."""
        return {
            "points": [{name: getattr(point, name) for name in SHOWN} for point in self.points],
            "exciton_steps": self.exciton_steps,
            "seconds": self.seconds,
            "file": None if self.file is None else str(self.file),
            "n_reused": self.n_reused,
        }


def load_kmc(
    recipe: str = DEFAULT_RECIPE,
    alpha: Sequence[float] = (),
    tau_pulse: Sequence[str] = (),
    n_pulses: int | None = None,
    seed: int | None = None,
    assignments: Sequence[str] = (),
) -> KmcRecipe:
    """Read a lattice recipe with changes from the command line.

    Parameters
    ----------
    recipe : str
        File name; shipped ones are found from anywhere.
    alpha : sequence of float
        If given, in place of the recipe's.
    tau_pulse : sequence of str
        With units; if given, in place of the recipe's.
    n_pulses, seed : int or None
        If given, in place of the recipe's.
    assignments : sequence of str
        ``KEY=VALUE``, applied before the other options.

    Raises
    ------
    InputError
        The file cannot be found or read, or something is not allowed.
    """
    path = find_config(recipe)
    data = apply_overrides(read_yaml(path), assignments)
    options = {"alpha": list(alpha), "tau_pulse": list(tau_pulse), "n_pulses": n_pulses, "seed": seed}
    data |= {key: value for key, value in options.items() if value not in (None, [])}
    return validate(KmcRecipe, data, path)


def run_sweep(
    recipe: KmcRecipe,
    folder: Path | None = None,
    n_workers: int | None = None,
    scheduler: str | None = None,
    on_progress: Callable[[SweepProgress], None] | None = None,
) -> SweepOutcome:
    """Simulate all conditions of a recipe that are not in its file yet; see `run_jobs`."""
    return run_jobs(sweep_jobs(recipe), folder, n_workers, scheduler, on_progress)


def sweep_jobs(recipe: KmcRecipe) -> tuple[Job, ...]:
    """Return all conditions of a recipe, in its order."""
    return tuple(Job(recipe, Condition(*pair)) for pair in recipe.conditions)


def stored_jobs(jobs: Sequence[Job], folder: Path) -> dict[Job, Observation]:
    """Return which of some jobs are in the files of their recipes already, and what came of them; changes nothing.

    Raises
    ------
    InputError
        A file of that name is none of ours, or belongs to another recipe.
    """
    files = {recipe: folder / file_name(recipe) for recipe in {job.recipe for job in jobs}}
    kept = {recipe: SweepFile(path, common_text(recipe)).stored for recipe, path in files.items() if path.is_file()}
    points = {(recipe, _condition(point)): point for recipe, stored in kept.items() for point in stored}
    places = {job: (job.recipe, job.condition) for job in jobs}
    return {job: _observation(points[place]) for job, place in places.items() if place in points}


def run_jobs(
    jobs: Sequence[Job],
    folder: Path | None = None,
    n_workers: int | None = None,
    scheduler: str | None = None,
    on_progress: Callable[[SweepProgress], None] | None = None,
) -> SweepOutcome:
    """Simulate conditions of one recipe or several, unless the file of their recipe has them.

    Parameters
    ----------
    jobs : sequence of Job
        What is wanted, each once.
    folder : Path or None
        Where the files with the points are or will be, one per recipe; None stores nothing.
    n_workers : int or None
        Processes of this machine; None for as many as it has cores and the work is worth.
    scheduler : str or None
        Address of a Dask scheduler that does the work instead.
    on_progress : callable or None
        Told of every finished condition, in this thread.

    Raises
    ------
    InputError
        The sweep cannot be done as it is asked for; nothing was simulated.
    StoreError
        The points could not be written.
    """
    names = {recipe: file_name(recipe) for recipe in {job.recipe for job in jobs}}
    files = {}
    if folder is not None:
        files = {name: SweepFile(folder / name, common_text(recipe)) for recipe, name in names.items()}
    stored = {(name, _condition(point)): point for name, file in files.items() for point in file.stored}
    places = {job: (names[job.recipe], job.condition) for job in jobs}
    found = {job: _observation(stored[place]) for job, place in places.items() if place in stored}
    missing = [job for job in jobs if job not in found]
    n_reused = len(found)
    n_workers = workers_for(missing, n_workers, scheduler)
    began_s = ended_s = time.perf_counter()
    work_done, all_work = 0.0, sum(job.exciton_steps for job in missing)
    try:
        with closing(_simulated(missing, n_workers, scheduler)) as finished:
            for job, point in finished:
                ended_s = time.perf_counter()
                if len(found) == n_reused:
                    began_s = ended_s - point.seconds
                found[job] = point
                if folder is not None:
                    files[names[job.recipe]].add(_stored(point))
                if on_progress is not None:
                    work_done += job.exciton_steps
                    on_progress(SweepProgress(len(found), len(jobs), point, work_done / all_work))
    finally:
        for file in files.values():
            file.write()
    return SweepOutcome(
        points=tuple(found[job] for job in jobs),
        files=tuple(file.path for file in files.values()),
        n_reused=n_reused,
        exciton_steps=sum(found[job].exciton_steps for job in missing),
        seconds=ended_s - began_s,
    )


def common_text(recipe: KmcRecipe) -> str:
    """Return, as JSON, what all points of a recipe have in common: everything but its title and conditions."""
    common = recipe.model_dump(mode="json", exclude={"title", "alpha", "tau_pulse_ns"})
    return json.dumps({"kernel": KERNEL_VERSION} | common, indent=1)


def file_name(recipe: KmcRecipe) -> str:
    """Return the name of the file for a recipe's points: the same for recipes that differ in conditions only.

    Examples
    --------
    >>> recipe = KmcRecipe(kind="kmc", title="Lattice, quick", alpha=(0.08,), tau_pulse_ns=("0.4 us",))
    >>> file_name(recipe).startswith("lattice-quick_")
    True
    """
    slug = re.sub(r"[^a-z0-9]+", "-", recipe.title.lower()).strip("-")[:60] or "kmc"
    return f"{slug}_{hashlib.sha256(common_text(recipe).encode()).hexdigest()[:8]}.h5"


def _simulated(jobs: Sequence[Job], n_workers: int, scheduler: str | None) -> Finished:
    if scheduler is not None and jobs:
        return sweep_cluster(jobs, scheduler)
    return sweep_here(jobs) if n_workers == 1 else sweep_processes(jobs, n_workers)


def _condition(point: Any) -> Condition:
    """Return the condition of a point that a file kept."""
    return Condition(point["alpha"], point["tau_pulse_ns"])


def _stored(point: Observation) -> dict[str, Any]:
    """Return a point as its file keeps it."""
    values = {field.name: getattr(point, field.name) for field in dataclasses.fields(point)}
    return values | {"t_exc_us": point.t_exc_us}


def _observation(values: Any) -> Observation:
    """Return a point that its file kept."""
    return Observation(**{field.name: values[field.name] for field in dataclasses.fields(Observation)})

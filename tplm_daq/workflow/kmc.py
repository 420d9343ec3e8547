"""A sweep of lattice simulations from recipe to results: what is kept, what is still to do, and who does it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import re
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tplm_daq.errors import InputError
from tplm_daq.kmc.lattice import excitons_per_pulse
from tplm_daq.kmc.observe import Observation
from tplm_daq.kmc.simulate import Condition, memory_bytes
from tplm_daq.kmc.sweep import expected_exciton_steps, sweep_cluster, sweep_here, sweep_processes
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.recipes.load import apply_overrides, find_config, read_yaml, validate
from tplm_daq.store.sweeps import SweepFile

DEFAULT_RECIPE = "configs/kmc_quick.yaml"

STEPS_WORTH_A_PROCESS = 1e9
"""Attempts to hop that take about as long as starting another process."""

FEWEST_SURVIVORS = 100.0
"""Excitons of all pulses that must be expected to live until the delay of comparison."""

MOST_OF_MEMORY = 0.8
"""Share of the machine's memory that a sweep may take."""


@dataclass(frozen=True)
class SweepProgress:
    """How far a sweep is: conditions finished of all, the latest one, and the share of the work done."""

    n_done: int
    n_points: int
    latest: Observation
    share: float


@dataclass(frozen=True)
class SweepOutcome:
    """What came of a sweep.

    Attributes
    ----------
    points : tuple of Observation
        In the order of the recipe, alpha outermost.
    file : Path or None
        Where they are stored.
    n_reused : int
        Points that were in the file before.
    exciton_steps : int
        Attempts to hop, those of reused points not counted.
    seconds : float
        From the start of the first simulation to the end of the last; imports and compilation excluded.
    """

    points: tuple[Observation, ...]
    file: Path | None
    n_reused: int
    exciton_steps: int
    seconds: float

    def to_dict(self) -> dict[str, object]:
        """Return what `tplm kmc --json` prints."""
        names = ("alpha", "tau_pulse_us", "t_exc_us", "d_sim_cm2_s", "standard_error_cm2_s", "d_sim_radial_cm2_s")
        return {
            "points": [{name: getattr(point, name) for name in names} for point in self.points],
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
    """Simulate all conditions of a recipe that are not in its file yet.

    Parameters
    ----------
    recipe : KmcRecipe
        What is wanted.
    folder : Path or None
        Where the file with the points is or will be; None stores nothing.
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
    conditions = [Condition(*pair) for pair in recipe.conditions]
    file = None if folder is None else SweepFile(folder / file_name(recipe), common_text(recipe))
    stored = [] if file is None else [_observation(point) for point in file.stored]
    found = {_condition(point): point for point in stored if _condition(point) in conditions}
    missing = [condition for condition in conditions if condition not in found]
    n_reused = len(found)
    n_workers = _check(recipe, missing, n_workers, scheduler)
    began_s = ended_s = time.perf_counter()
    work_done, all_work = 0.0, sum(expected_exciton_steps(recipe, condition) for condition in missing)
    try:
        with closing(_simulated(recipe, missing, n_workers, scheduler)) as points:
            for point in points:
                ended_s = time.perf_counter()
                if len(found) == n_reused:
                    began_s = ended_s - point.seconds
                found[_condition(point)] = point
                if file is not None:
                    file.add(_stored(point))
                if on_progress is not None:
                    work_done += expected_exciton_steps(recipe, _condition(point))
                    on_progress(SweepProgress(len(found), len(conditions), point, work_done / all_work))
    finally:
        if file is not None:
            file.write()
    return SweepOutcome(
        points=tuple(found[condition] for condition in conditions),
        file=None if file is None else file.path,
        n_reused=n_reused,
        exciton_steps=sum(found[condition].exciton_steps for condition in missing),
        seconds=ended_s - began_s,
    )


def common_text(recipe: KmcRecipe) -> str:
    """Return, as JSON, what all points of a recipe have in common: everything but its title and conditions."""
    return json.dumps(recipe.model_dump(mode="json", exclude={"title", "alpha", "tau_pulse_ns"}), indent=1)


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


def _simulated(
    recipe: KmcRecipe, conditions: Sequence[Condition], n_workers: int, scheduler: str | None
) -> Generator[Observation, None, None]:
    if scheduler is not None and conditions:
        return sweep_cluster(recipe, conditions, scheduler)
    return sweep_here(recipe, conditions) if n_workers == 1 else sweep_processes(recipe, conditions, n_workers)


def _check(recipe: KmcRecipe, conditions: Sequence[Condition], n_workers: int | None, scheduler: str | None) -> int:
    """Return the number of processes to use; raise InputError if the sweep cannot succeed."""
    if n_workers is not None and n_workers < 1:
        raise InputError(f"--workers {n_workers}: at least 1 is needed.")
    if n_workers is not None and scheduler is not None:
        raise InputError("--workers and --scheduler exclude each other: the scheduler has its own workers. Drop one.")
    for condition in conditions:
        _require_survivors(recipe, condition.alpha)
    if scheduler is not None:
        return 1
    if n_workers is None:
        worth = sum(expected_exciton_steps(recipe, condition) for condition in conditions) / STEPS_WORTH_A_PROCESS
        n_workers = max(1, min(_n_cores(), len(conditions), math.ceil(worth)))
    needed, present = n_workers * memory_bytes(recipe), _memory_bytes()
    if present is not None and needed > MOST_OF_MEMORY * present:
        raise InputError(
            f"kmc: with --workers {n_workers} the sweep would need {needed / 1e9:.3g} GB, more than {MOST_OF_MEMORY:.0%} "
            f"of the {present / 1e9:.3g} GB here. Use fewer workers, a smaller lattice.size, fewer n_pulses or a shorter "
            "recording.span."
        )
    return n_workers


def _require_survivors(recipe: KmcRecipe, alpha: float) -> None:
    """Raise InputError if too few excitons will live until the delay of comparison to say anything."""
    n_steps = recipe.compare_at * recipe.record_every
    share = (1.0 - recipe.lattice.p_decay) ** n_steps
    survivors = (recipe.n_pulses - recipe.n_burn_in) * excitons_per_pulse(recipe.lattice, alpha) * share
    if survivors < FEWEST_SURVIVORS:
        more = math.ceil(recipe.n_pulses * FEWEST_SURVIVORS / max(survivors, 1e-9))
        raise InputError(
            f"kmc: at alpha {alpha:g} only about {survivors:.2g} excitons of {recipe.n_pulses} pulses would live for "
            f"{recipe.recording.compare_ns:g} ns, too few for a diffusivity. Use a larger alpha, or about {more:.1g} "
            "pulses."
        )


def _condition(point: Observation) -> Condition:
    return Condition(point.alpha, point.tau_pulse_ns)


def _stored(point: Observation) -> dict[str, Any]:
    """Return a point as its file keeps it."""
    values = {field.name: getattr(point, field.name) for field in dataclasses.fields(point)}
    return values | {"t_exc_us": point.t_exc_us}


def _observation(values: Any) -> Observation:
    """Return a point that its file kept."""
    return Observation(**{field.name: values[field.name] for field in dataclasses.fields(Observation)})


def _n_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_bytes() -> int | None:
    """Return the memory of this machine, None where the system does not say (Windows)."""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None

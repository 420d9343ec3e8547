"""A sweep of lattice simulations as a job: watched and ended from other threads, like a scan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tplm_daq.acquire.events import RunState, StateChanged
from tplm_daq.kmc.simulate import Condition
from tplm_daq.kmc.sweep import Job
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.workflow.kmc import SweepOutcome, SweepProgress, run_sweep
from tplm_daq.workflow.kmc_limits import workers_for
from tplm_daq.workflow.steering import Steering

FOLDER = "lattice"
"""Of the points, beside the run files."""


@dataclass(frozen=True)
class SweepCheck:
    """What a sweep will do.

    Attributes
    ----------
    title : str
        Of the recipe.
    conditions : tuple of Condition
        Excitation probability and pulse spacing, in the order of the recipe.
    n_pulses : int
        Of each condition.
    exciton_steps : int
        Attempts to hop that are to be expected.
    n_workers : int
        Processes that will share the work.
    """

    title: str
    conditions: tuple[Condition, ...]
    n_pulses: int
    exciton_steps: int
    n_workers: int


def check_sweep(recipe: KmcRecipe) -> SweepCheck:
    """Return what a sweep will do.

    Raises
    ------
    InputError
        It cannot succeed: too few excitons would live long enough, or the memory does not suffice.
    """
    jobs = [Job(recipe, Condition(*pair)) for pair in recipe.conditions]
    return SweepCheck(
        title=recipe.title,
        conditions=tuple(job.condition for job in jobs),
        n_pulses=recipe.n_pulses,
        exciton_steps=round(sum(job.exciton_steps for job in jobs)),
        n_workers=workers_for(jobs, None, None),
    )


class SweepJob(Steering):
    """Simulates the conditions of a recipe; what was simulated before is not simulated again.

    Parameters
    ----------
    recipe : KmcRecipe
        What is wanted.
    folder : Path
        Folder of the run files; points are kept in a folder of theirs in it.
    on_progress : callable
        Told of every finished condition, in the thread of `run`.
    """

    def __init__(self, recipe: KmcRecipe, folder: Path, on_progress: Callable[[SweepProgress], None]) -> None:
        super().__init__()
        self.recipe = recipe
        self.folder = folder / FOLDER
        self._on_progress = on_progress

    def run(self) -> SweepOutcome:
        """Simulate; when it is aborted, the conditions under way are finished and dropped.

        Raises
        ------
        InputError
            The sweep cannot be done as it is asked for.
        Aborted
            Somebody ended it; points that were finished are kept.
        StoreError
            The points could not be written.
        """
        self.require_wanted("before the first condition")
        for listen in self.listeners:
            listen(StateChanged(RunState.RUNNING))
        return run_sweep(self.recipe, self.folder, on_progress=self._tell)

    def _tell(self, progress: SweepProgress) -> None:
        self._on_progress(progress)
        if progress.n_done < progress.n_points:
            self.require_wanted(f"after {progress.n_done} of {progress.n_points} conditions, which are kept")

"""What a sweep of lattice simulations may ask of this machine, and how many processes suit it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tplm_daq.errors import InputError
from tplm_daq.kmc.lattice import excitons_per_pulse
from tplm_daq.kmc.simulate import memory_bytes
from tplm_daq.kmc.sweep import Job
from tplm_daq.workflow.machine import machine_memory_bytes, n_cores

STEPS_WORTH_A_PROCESS = 1e9
"""Attempts to hop that take about as long as starting another process."""

FEWEST_SURVIVORS = 100.0
"""Excitons of all pulses that must be expected to live until the delay of comparison."""

MOST_OF_MEMORY = 0.8
"""Share of the machine's memory that a sweep may take."""


def workers_for(jobs: Sequence[Job], n_workers: int | None, scheduler: str | None) -> int:
    """Return the number of local processes to use for some jobs.

    Parameters
    ----------
    jobs : sequence of Job
        What is to be simulated.
    n_workers : int or None
        What was asked for; None for as many as the machine has cores and the work is worth.
    scheduler : str or None
        Address of a Dask scheduler that does the work instead.

    Raises
    ------
    InputError
        The jobs cannot succeed as they are asked for.
    """
    if n_workers is not None and n_workers < 1:
        raise InputError(f"--workers {n_workers}: at least 1 is needed.")
    if n_workers is not None and scheduler is not None:
        raise InputError("--workers and --scheduler exclude each other: the scheduler has its own workers. Drop one.")
    for job in jobs:
        _require_survivors(job)
    if scheduler is not None:
        return 1
    if n_workers is None:
        worth = sum(job.exciton_steps for job in jobs) / STEPS_WORTH_A_PROCESS
        n_workers = max(1, min(n_cores(), len(jobs), math.ceil(worth)))
    needed, present = n_workers * max((memory_bytes(job.recipe) for job in jobs), default=0), machine_memory_bytes()
    if present is not None and needed > MOST_OF_MEMORY * present:
        raise InputError(
            f"kmc: with --workers {n_workers} the sweep would need {needed / 1e9:.3g} GB, more than "
            f"{MOST_OF_MEMORY:.0%} of the {present / 1e9:.3g} GB here. Use fewer workers, a smaller lattice.size, "
            "fewer n_pulses or a shorter recording.span."
        )
    return n_workers


def _require_survivors(job: Job) -> None:
    """Raise InputError if too few excitons will live until the delay of comparison to say anything."""
    recipe, alpha = job.recipe, job.condition.alpha
    n_steps = recipe.compare_at * recipe.record_every
    share = (1.0 - recipe.lattice.p_decay) ** n_steps
    survivors = (recipe.n_pulses - recipe.n_burn_in) * excitons_per_pulse(recipe.lattice, alpha) * share
    if survivors < FEWEST_SURVIVORS:
        counted = recipe.n_pulses - recipe.n_burn_in
        enough = recipe.n_burn_in + math.ceil(counted * FEWEST_SURVIVORS / max(survivors, 1e-9))
        raise InputError(
            f"kmc: at alpha {alpha:g} only about {survivors:.2g} excitons of {recipe.n_pulses} pulses would live for "
            f"{recipe.recording.compare_ns:g} ns, too few for a diffusivity. Use a larger alpha, or at least "
            f"{enough} pulses."
        )

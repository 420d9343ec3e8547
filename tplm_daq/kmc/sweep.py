"""Many conditions at once: in this process, in several of this machine, or on a Dask cluster.

Conditions do not know of one another, so the numbers are the same wherever they are computed; only their order of
arrival differs. A local process that dies (killed, out of memory) takes nothing with it but the conditions in its
hands, which are simulated again.
"""

from __future__ import annotations

import math
import multiprocessing
import signal
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from tplm_daq.errors import InputError, TplmError
from tplm_daq.kmc.lattice import excitons_per_pulse
from tplm_daq.kmc.observe import Observation, observe
from tplm_daq.kmc.simulate import Condition, simulate
from tplm_daq.recipes.kmc import KmcRecipe

MOST_BREAKS = 5
"""Times in a row that the processes may die without finishing a single condition."""

SCHEDULER_TIMEOUT_S = 10.0


def observe_condition(recipe: KmcRecipe, condition: Condition) -> Observation:
    """Simulate one condition and return what follows from it."""
    return observe(simulate(recipe, condition.alpha, condition.tau_pulse_ns), recipe)


def expected_exciton_steps(recipe: KmcRecipe, condition: Condition) -> float:
    """Return about how many attempts to hop a condition takes; the time is proportional to them."""
    lattice = recipe.lattice
    return recipe.n_pulses * excitons_per_pulse(lattice, condition.alpha) / -math.log1p(-lattice.p_decay)


def sweep_here(recipe: KmcRecipe, conditions: Iterable[Condition]) -> Generator[Observation, None, None]:
    """Yield the conditions one after the other, simulated in this process."""
    for condition in conditions:
        yield observe_condition(recipe, condition)


def sweep_processes(
    recipe: KmcRecipe,
    conditions: Sequence[Condition],
    n_workers: int,
    work: Callable[[KmcRecipe, Condition], Observation] = observe_condition,
) -> Generator[Observation, None, None]:
    """Yield the conditions as they are finished by processes of this machine, the longest first.

    When the iterator is left early, conditions that are being simulated are finished and dropped, the others dropped.

    Parameters
    ----------
    recipe : KmcRecipe
        What the conditions have in common.
    conditions : sequence of Condition
        What is to be simulated.
    n_workers : int
        Number of processes.
    work : callable
        What a process does with each; must be importable.

    Raises
    ------
    TplmError
        The processes died several times without finishing anything.
    """
    left = sorted(conditions, key=lambda condition: expected_exciton_steps(recipe, condition), reverse=True)
    n_breaks = 0
    while left:
        pool = ProcessPoolExecutor(
            min(n_workers, len(left)), multiprocessing.get_context("spawn"), initializer=_leave_interrupts_to_the_parent
        )
        try:
            futures = {pool.submit(work, recipe, condition): condition for condition in left}
            for future in as_completed(futures):
                observation = future.result()
                left.remove(futures[future])
                n_breaks = 0
                yield observation
        except BrokenProcessPool as error:
            finished = [future for future in futures if _is_good(future) and futures[future] in left]
            for future in finished:
                left.remove(futures[future])
                yield future.result()
            n_breaks = 0 if finished else n_breaks + 1
            if n_breaks == MOST_BREAKS:
                raise TplmError(
                    f"kmc: the processes died {MOST_BREAKS} times in a row without finishing a condition, perhaps for "
                    "want of memory. Try fewer with --workers; conditions that were finished are kept."
                ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def sweep_cluster(
    recipe: KmcRecipe, conditions: Sequence[Condition], address: str
) -> Generator[Observation, None, None]:
    """Yield the conditions as they are finished by the workers of a Dask scheduler.

    Parameters
    ----------
    recipe : KmcRecipe
        What the conditions have in common.
    conditions : sequence of Condition
        What is to be simulated.
    address : str
        Of the scheduler, such as ``tcp://10.0.0.1:8786``.

    Raises
    ------
    InputError
        Dask is not installed, or no scheduler answers.
    TplmError
        The workers died several times over the same condition.
    """
    try:
        import distributed
    except ImportError as error:
        raise InputError(
            "--scheduler needs Dask, which is not installed. Install it with: pip install 'tplm-daq[cluster]'"
        ) from error
    try:
        client: Any = distributed.Client(address, timeout=SCHEDULER_TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"--scheduler {address}: no Dask scheduler answers there ({error}). Start one with `dask scheduler`, and "
            "workers with `dask worker ADDRESS`."
        ) from error
    with client:
        order = sorted(conditions, key=lambda condition: expected_exciton_steps(recipe, condition), reverse=True)
        shared = client.scatter(recipe, broadcast=True, hash=False)
        futures = [client.submit(observe_condition, shared, condition, pure=False) for condition in order]
        try:
            for future in distributed.as_completed(futures, loop=client.loop):
                yield future.result()
        except distributed.KilledWorker as error:
            raise TplmError(
                f"--scheduler {address}: workers died over the same condition again and again ({error}). Look into "
                "their logs; conditions that were finished are kept."
            ) from error
        finally:
            client.cancel(futures)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _is_good(future: Future[Observation]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None

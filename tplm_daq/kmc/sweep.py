"""Many jobs at once: in this process, in several of this machine, or on a Dask cluster.

A job is one condition of one recipe. Jobs do not know of one another, so the numbers are the same wherever they are
computed; only their order of arrival differs. A local process that dies (killed, out of memory) takes nothing with it
but the jobs in its hands, which are simulated again.
"""

from __future__ import annotations

import math
import multiprocessing
import signal
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tplm_daq.errors import InputError, TplmError
from tplm_daq.kmc.lattice import excitons_per_pulse
from tplm_daq.kmc.observe import Observation, observe
from tplm_daq.kmc.simulate import Condition, simulate
from tplm_daq.recipes.kmc import KmcRecipe

MOST_BREAKS = 5
"""Times in a row that the processes may die without finishing a single condition."""

SCHEDULER_TIMEOUT_S = 5.0


class Job(NamedTuple):
    """One condition of one recipe; the recipe's own conditions are not looked at."""

    recipe: KmcRecipe
    condition: Condition

    @property
    def exciton_steps(self) -> float:
        """About how many attempts to hop it takes; the time is proportional to them."""
        lattice = self.recipe.lattice
        n_excitons = self.recipe.n_pulses * excitons_per_pulse(lattice, self.condition.alpha)
        return n_excitons / -math.log1p(-lattice.p_decay)


Finished = Generator[tuple[Job, Observation], None, None]


def observe_job(job: Job) -> Observation:
    """Simulate one condition and return what follows from it."""
    return observe(simulate(job.recipe, job.condition.alpha, job.condition.tau_pulse_ns), job.recipe)


def sweep_here(jobs: Iterable[Job]) -> Finished:
    """Yield the jobs one after the other, with what came of each, simulated in this process."""
    for job in jobs:
        yield job, observe_job(job)


def sweep_processes(jobs: Sequence[Job], n_workers: int, work: Callable[[Job], Observation] = observe_job) -> Finished:
    """Yield the jobs as they are finished by processes of this machine, the longest first.

    When the iterator is left early, jobs that are being simulated are finished and dropped, the others dropped.

    Parameters
    ----------
    jobs : sequence of Job
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
    left = dict(enumerate(_longest_first(jobs)))
    n_breaks = 0
    while left:
        pool = ProcessPoolExecutor(
            min(n_workers, len(left)), multiprocessing.get_context("spawn"), initializer=_leave_interrupts_to_the_parent
        )
        try:
            futures = {pool.submit(work, job): number for number, job in left.items()}
            for future in as_completed(futures):
                observation = future.result()
                n_breaks = 0
                yield left.pop(futures[future]), observation
        except BrokenProcessPool as error:
            finished = [future for future in futures if _is_good(future) and futures[future] in left]
            for future in finished:
                yield left.pop(futures[future]), future.result()
            n_breaks = 0 if finished else n_breaks + 1
            if n_breaks == MOST_BREAKS:
                raise TplmError(
                    f"kmc: the processes died {MOST_BREAKS} times in a row without finishing a condition, perhaps for "
                    "want of memory: try fewer with --workers. If a script of yours called this, put the call below "
                    '`if __name__ == "__main__":`. Conditions that were finished are kept.'
                ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def sweep_cluster(jobs: Sequence[Job], address: str) -> Finished:
    """Yield the jobs as they are finished by the workers of a Dask scheduler.

    Parameters
    ----------
    jobs : sequence of Job
        What is to be simulated.
    address : str
        Of the scheduler, such as ``tcp://10.0.0.1:8786``.

    Raises
    ------
    InputError
        Dask is not installed, the address is none, or no scheduler answers.
    TplmError
        The workers died several times over the same condition.
    """
    try:
        import distributed
    except ImportError as error:
        raise InputError(
            "--scheduler needs Dask, which is not installed. Install it with: pip install 'tplm-daq[cluster]'"
        ) from error
    _require_address(address)
    try:
        client: Any = distributed.Client(address, timeout=SCHEDULER_TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"--scheduler {address}: no Dask scheduler answers there ({error}). Start one with `dask scheduler`, and "
            "workers with `dask worker ADDRESS`."
        ) from error
    with client:
        futures = {client.submit(observe_job, job, pure=False): job for job in _longest_first(jobs)}
        try:
            for future in distributed.as_completed(futures, loop=client.loop):
                yield futures[future], future.result()
        except distributed.KilledWorker as error:
            raise TplmError(
                f"--scheduler {address}: workers died over the same condition again and again ({error}). Look into "
                "their logs; conditions that were finished are kept."
            ) from error
        finally:
            client.cancel(list(futures))


def _require_address(address: str) -> None:
    """Raise InputError unless there are host and port; left to Dask, a client without them hangs as it is deleted."""
    try:
        parts = urlsplit(address if "://" in address else f"tcp://{address}")
        is_complete = bool(parts.hostname) and parts.port is not None
    except ValueError:
        is_complete = False
    if not is_complete:
        raise InputError(
            f"--scheduler {address}: is not the address of a scheduler. Write one such as tcp://10.0.0.1:8786."
        )


def _longest_first(jobs: Iterable[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: job.exciton_steps, reverse=True)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _is_good(future: Future[Observation]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None

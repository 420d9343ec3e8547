"""Many conditions: the same numbers wherever they are computed, and processes that die take nothing with them."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kmc.recipes import small
from tplm_daq.errors import InputError, TplmError
from tplm_daq.kmc.observe import Observation
from tplm_daq.kmc.simulate import Condition
from tplm_daq.kmc.sweep import Job, observe_job, sweep_cluster, sweep_here, sweep_processes

JOBS = [Job(small(), Condition(*pair)) for pair in ((0.04, 400.0), (0.16, 100.0), (0.08, 50.0))]


ROOT = Path(__file__).parents[2]
ON_A_CLUSTER = """
import distributed
from tests.kmc.test_sweep import JOBS, numbers
from tplm_daq.errors import InputError
from tplm_daq.kmc import sweep

if __name__ == "__main__":
    sweep.SCHEDULER_TIMEOUT_S = 1.0
    try:
        list(sweep.sweep_cluster(JOBS, "tcp://127.0.0.1:9"))
    except InputError as error:
        print(str(error).replace(chr(10), " "))
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0", protocol="tcp", host="127.0.0.1"
    ) as cluster:
        print(sorted(numbers(sweep.sweep_cluster(JOBS, cluster.scheduler_address)).items()))
"""


WITH_A_WORKER_KILLED = """
import os, signal
import distributed
from tests.kmc.test_sweep import JOBS, numbers
from tplm_daq.kmc import sweep

if __name__ == "__main__":
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", protocol="tcp", host="127.0.0.1"
    ) as cluster:
        points = sweep.sweep_cluster(JOBS * 4, cluster.scheduler_address)
        found = [next(points)]
        os.kill(cluster.workers[0].pid, signal.SIGKILL)
        found += list(points)
        print(len(found), sorted(numbers(found).items()))
"""


def numbers(points: Iterator[tuple[Job, Observation]]) -> dict[tuple[float, float], tuple[float, float]]:
    return {(p.alpha, p.tau_pulse_ns): (p.d_sim_cm2_s, p.standard_error_cm2_s) for _, p in points}


def die_once(folder: Path, job: Job) -> Observation:
    """Kill this process the first time it meets alpha 0.16; leave a mark for each condition taken up."""
    marks = len(list(folder.glob(f"{job.condition.alpha}_*")))
    (folder / f"{job.condition.alpha}_{marks}").touch()
    if job.condition.alpha == 0.16 and marks == 0:
        os.kill(os.getpid(), signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
    return observe_job(job)


def die_always(job: Job) -> Observation:
    os._exit(1)


def test_processes_find_what_one_finds_alone() -> None:
    alone = numbers(sweep_here(JOBS))
    assert len(alone) == 3
    assert numbers(sweep_processes(JOBS, n_workers=2)) == alone


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    points = sweep_processes(JOBS, n_workers=2, work=functools.partial(die_once, tmp_path))
    assert numbers(points) == numbers(sweep_here(JOBS))
    assert (tmp_path / "0.16_1").exists()


def test_processes_that_always_die_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tplm_daq.kmc.sweep.MOST_BREAKS", 2)
    with pytest.raises(TplmError, match="died 2 times in a row without finishing.*fewer with --workers"):
        list(sweep_processes(JOBS, n_workers=1, work=die_always))


def test_a_sweep_may_be_left_early() -> None:
    points = sweep_processes(JOBS, n_workers=1)
    assert next(points)[0].condition.alpha == 0.16  # the longest comes first
    points.close()


def test_a_cluster_finds_what_one_process_finds_alone() -> None:
    pytest.importorskip("distributed")
    # In a process of its own: Dask leaves threads behind.
    finished = subprocess.run(
        [sys.executable, "-c", ON_A_CLUSTER], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    refusal, found = finished.stdout.splitlines()[-2:]
    assert refusal.startswith("--scheduler tcp://127.0.0.1:9: no Dask scheduler answers there")
    assert "Start one with `dask scheduler`" in refusal
    assert found == repr(sorted(numbers(sweep_here(JOBS)).items()))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_worker_of_a_cluster_loses_nothing() -> None:
    pytest.importorskip("distributed")
    finished = subprocess.run(
        [sys.executable, "-c", WITH_A_WORKER_KILLED], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines()[-1] == f"12 {sorted(numbers(sweep_here(JOBS)).items())}"


def test_without_dask_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'tplm-daq\[cluster\]'"):
        list(sweep_cluster(JOBS, "tcp://127.0.0.1:8786"))


@pytest.mark.parametrize("address", ["nowhere", "tcp://10.0.0.1", "10.0.0.1:many", ":8786", "tcp://[::1"])
def test_what_is_no_address_is_refused_before_dask_sees_it(address: str) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(InputError, match=r"is not the address of a scheduler. Write one such as tcp://10.0.0.1:8786"):
        list(sweep_cluster(JOBS, address))

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
from tplm_daq.kmc.sweep import observe_condition, sweep_cluster, sweep_here, sweep_processes
from tplm_daq.recipes.kmc import KmcRecipe

CONDITIONS = [Condition(0.04, 400.0), Condition(0.16, 100.0), Condition(0.08, 50.0)]


ROOT = Path(__file__).parents[2]
ON_A_CLUSTER = """
import distributed
from tests.kmc.test_sweep import CONDITIONS, numbers
from tests.kmc.recipes import small
from tplm_daq.errors import InputError
from tplm_daq.kmc import sweep

if __name__ == "__main__":
    sweep.SCHEDULER_TIMEOUT_S = 1.0
    try:
        list(sweep.sweep_cluster(small(), CONDITIONS, "tcp://127.0.0.1:9"))
    except InputError as error:
        print(str(error).replace(chr(10), " "))
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0", protocol="tcp", host="127.0.0.1"
    ) as cluster:
        print(sorted(numbers(sweep.sweep_cluster(small(), CONDITIONS, cluster.scheduler_address)).items()))
"""


def numbers(points: Iterator[Observation]) -> dict[tuple[float, float], tuple[float, float]]:
    return {(p.alpha, p.tau_pulse_ns): (p.d_sim_cm2_s, p.standard_error_cm2_s) for p in points}


def die_once(folder: Path, recipe: KmcRecipe, condition: Condition) -> Observation:
    """Kill this process the first time it meets alpha 0.16; leave a mark for each condition taken up."""
    marks = len(list(folder.glob(f"{condition.alpha}_*")))
    (folder / f"{condition.alpha}_{marks}").touch()
    if condition.alpha == 0.16 and marks == 0:
        os.kill(os.getpid(), signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
    return observe_condition(recipe, condition)


def die_always(recipe: KmcRecipe, condition: Condition) -> Observation:
    os._exit(1)


def test_processes_find_what_one_finds_alone() -> None:
    alone = numbers(sweep_here(small(), CONDITIONS))
    assert len(alone) == 3
    assert numbers(sweep_processes(small(), CONDITIONS, n_workers=2)) == alone


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    points = sweep_processes(small(), CONDITIONS, n_workers=2, work=functools.partial(die_once, tmp_path))
    assert numbers(points) == numbers(sweep_here(small(), CONDITIONS))
    assert (tmp_path / "0.16_1").exists()


def test_processes_that_always_die_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tplm_daq.kmc.sweep.MOST_BREAKS", 2)
    with pytest.raises(TplmError, match="died 2 times in a row without finishing.*fewer with --workers"):
        list(sweep_processes(small(), CONDITIONS, n_workers=1, work=die_always))


def test_a_sweep_may_be_left_early() -> None:
    points = sweep_processes(small(), CONDITIONS, n_workers=1)
    assert next(points).alpha == 0.16  # the longest comes first
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
    assert found == repr(sorted(numbers(sweep_here(small(), CONDITIONS)).items()))


def test_without_dask_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'tplm-daq\[cluster\]'"):
        list(sweep_cluster(small(), CONDITIONS, "tcp://127.0.0.1:8786"))

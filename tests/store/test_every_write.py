"""Cuts a run off after each single write that reaches the disk: the kills that chance would hardly try.

A kill lands between two writes of HDF5's only for microseconds, so killing at random rarely shows what it
leaves. Here strace lists every write of a process, and each state of the file in between is opened.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.disk_trace import TRACED, states
from tests.store.test_crash import ROOT, check_killed
from tplm_daq.store.reader import open_run

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


def traced_run(folder: Path, n_points: int) -> Path:
    trace = folder / "trace.txt"
    program = [sys.executable, "-m", "tests.store.made_runs", str(folder / "run.h5"), str(n_points)]
    strace = [
        "strace",
        "-qq",
        "-e",
        f"trace={TRACED}",
        "-e",
        "signal=none",
        "-xx",
        "-s",
        "4000000",
        "-o",
        str(trace),
        "-f",
    ]
    subprocess.run([*strace, *program], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return trace


def check_every_state(folder: Path, n_points: int) -> int:
    """Open each state that a kill may leave, from the first acknowledged point on; return their number."""
    n_states = 0
    cut_off = folder / "cut_off.h5"
    for disk in states(traced_run(folder, n_points), "run.h5"):
        n_acknowledged = sum(word.isdigit() for word in disk.said)
        if n_acknowledged:
            cut_off.write_bytes(disk.images["run.h5"])
            check_killed(cut_off, n_acknowledged)
            run = open_run(cut_off)
            run.log()
            run.results()
            run.snapshots()
            n_states += 1
    assert disk.images["run.h5"] == (folder / "run.h5").read_bytes(), "the replay missed a write"
    return n_states


def test_a_kill_after_any_write_loses_nothing(tmp_path: Path) -> None:
    assert check_every_state(tmp_path, 3) > 100


@pytest.mark.slow
def test_a_kill_after_any_write_of_a_long_run_loses_nothing(tmp_path: Path) -> None:
    """Long enough for every chunk of every column and of every index to be followed by another."""
    assert check_every_state(tmp_path, 300) > 8000

"""A run file after its process was killed, or met a full disk."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.store.made_runs import counts, row, words, written_run
from tplm_daq.store.reader import open_run
from tplm_daq.store.writer import RunWriter

ROOT = Path(__file__).resolve().parent.parent.parent
N_POINTS = 60

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from tests.store.made_runs import counts, header, row
from tplm_daq.errors import StoreError
from tplm_daq.store.writer import RunWriter

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, resource.RLIM_INFINITY))
with RunWriter.create(Path(sys.argv[1]), header(16384)) as writer:
    for number in range(1000):
        try:
            writer.append(row(number), counts(number, 16384))
        except StoreError as error:
            print(number, error)
            break
"""


def killed_after(path: Path, n_acknowledged: int, delay_bytes: int) -> int:
    """Let a process write a run, kill it somewhere after an acknowledgement; return the points it acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.made_runs", str(path), str(N_POINTS)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        lines = list(_until(process.stdout, n_acknowledged))
        sum(range(delay_bytes))  # some microseconds more, so that the kill falls anywhere between two points
        process.kill()
        lines += list(process.stdout)
    return sum(line.strip().isdigit() for line in lines)


def _until(stream: Iterator[str], n_acknowledged: int) -> Iterator[str]:
    for line in stream:
        yield line
        if line.strip() == str(n_acknowledged - 1):
            return


def check_killed(path: Path, n_acknowledged: int) -> None:
    """An ordinary reader opens it, and all acknowledged points are there, bit-equal."""
    run = open_run(path)
    assert n_acknowledged <= run.n_points <= n_acknowledged + 1
    np.testing.assert_array_equal(run.counts(), [counts(number) for number in range(run.n_points)])
    if run.header.tag_source is not None:
        for number in range(run.n_points):
            np.testing.assert_array_equal(run.words(number), words(number))
    np.testing.assert_array_equal(run.points["start_s"], 2.5 * np.arange(run.n_points))
    assert run.defects() == []
    with h5py.File(path) as file:
        assert len(file["entry/counts"]) >= n_acknowledged


def kill_seeded(folder: Path, seed: int) -> Path:
    random = np.random.default_rng(seed)
    path = folder / f"run_{seed}.h5"
    n_acknowledged = killed_after(path, int(random.integers(1, N_POINTS)), int(random.integers(0, 400_000)))
    check_killed(path, n_acknowledged)
    return path


@pytest.mark.parametrize("seed", range(15))
def test_a_killed_run_keeps_every_acknowledged_point(tmp_path: Path, seed: int) -> None:
    kill_seeded(tmp_path, seed)


@pytest.mark.slow
def test_two_hundred_kills_lose_nothing(tmp_path: Path) -> None:
    for seed in range(1000, 1200):
        kill_seeded(tmp_path, seed).unlink()


def test_a_killed_run_can_go_on(tmp_path: Path) -> None:
    path = kill_seeded(tmp_path, 99)
    with RunWriter.reopen(path) as writer:
        n_points = writer.n_points
        writer.append(row(n_points), counts(n_points), words(n_points))
        writer.finish("completed")
    check_killed(path, n_points + 1)
    assert open_run(path).finish_reason == "completed"


def test_a_row_that_was_never_acknowledged_is_overwritten(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5", n_points=3, finish_reason=None)
    with h5py.File(path, "r+") as file:  # as a process leaves it that dies between row and number
        file["entry/counts"].resize(4, axis=0)
        file["entry/points/x_nm"].resize(4, axis=0)
    assert open_run(path).n_points == 3
    with RunWriter.reopen(path) as writer:
        writer.append(row(3), counts(3))
    check_killed(path, 4)


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are a POSIX matter")
def test_a_full_disk_keeps_every_acknowledged_point(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    number, message = done.stdout.split(maxsplit=1)
    assert f"The {number} points acknowledged before are safe" in message
    assert "Make room" in message
    assert int(number) > 5
    run = open_run(path)
    np.testing.assert_array_equal(run.counts(), [counts(i, 16384) for i in range(int(number))])
    with RunWriter.reopen(path) as writer:
        writer.finish("failed")

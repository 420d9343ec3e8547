"""The disk runs full, the folder is no folder, the clock is set, a viewer holds the file: points are never lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from tests.end_to_end.program import QUICK, command, finish, settings, start, status_of, tplm, tplm_here, wait_for
from tplm_daq.store.reader import open_run

LARGE = settings(
    *QUICK,
    *("counter.bin_width=4ps", "counter.span=200ns", "light.average_power=50nW"),
    *("path.n_positions=21", "passes.dwell=20s", "passes.n_passes=3"),
)
"""About 2 MB of points."""


def at_most(n_bytes: int) -> Callable[[], None]:
    """Return what forbids a process files beyond this size, which it meets as it would a full disk."""
    import resource

    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))


def only_run_file(folder: Path) -> Path:
    (path,) = folder.glob("runs/*.h5")
    assert not list(folder.glob("runs/.*"))
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of this kind")
class TestFullDisk:
    @pytest.fixture(autouse=True)
    def nobody_else_writes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The measurement of coverage keeps a file of its own, for which there would be no room either."""
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)

    def test_points_before_it_are_kept_and_fitted(self, tmp_path: Path) -> None:
        done = tplm(tmp_path, "run", "configs/scan_line.yaml", "--json", *LARGE, prepare=at_most(2_600_000))
        assert done.status == 1, done.err
        assert done.failure["kind"] == "StoreError"
        run = open_run(only_run_file(tmp_path))
        assert "Make room" in done.failure["message"]
        assert 10 < run.n_points < 63
        assert done.document["n_points"] == run.n_points == status_of(tmp_path)["n_done"]
        assert f"{run.n_points} points acknowledged" in done.failure["message"]
        assert done.document["finish_reason"] == status_of(tmp_path)["finish_reason"] == "failed"
        assert done.document["diffusivity_cm2_s"] > 0
        again = tplm_here(tmp_path, "analyse", done.document["run_file"], "--json").document
        assert again["diffusivity_cm2_s"] == done.document["diffusivity_cm2_s"]

    def test_no_room_for_the_end_still_gives_the_result(self, tmp_path: Path) -> None:
        changes = settings(*QUICK, "path.n_positions=41")
        done = tplm(tmp_path, "run", "configs/scan_line.yaml", "--json", *changes, prepare=at_most(1_500_000))
        assert done.status == 1, done.err
        assert done.failure["kind"] == "StoreError"
        assert done.document["n_points"] == open_run(only_run_file(tmp_path)).n_points == 82
        assert done.document["diffusivity_cm2_s"] > 0

    def test_no_room_for_a_file_at_all(self, tmp_path: Path) -> None:
        done = tplm(tmp_path, "run", "configs/scan_line.yaml", "--json", *settings(*QUICK), prepare=at_most(100_000))
        assert done.status == 1
        assert "nothing was measured" in done.failure["message"]
        assert not list(tmp_path.glob("runs/*.h5"))

    @pytest.mark.parametrize("words", [("schema", "scan"), ("check", "configs/scan_line.yaml")])
    def test_an_answer_that_cannot_be_written_is_a_failure(self, words: tuple[str, ...], tmp_path: Path) -> None:
        if not Path("/dev/full").exists():
            pytest.skip("no /dev/full here")
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(command(*words), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith("tplm: the answer cannot be written (No space left on device).")
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("out", ["taken", "taken/below", "/dev/null/runs"])
def test_a_folder_that_cannot_be_made_is_bad_input(out: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("not a folder")
    done = tplm_here(tmp_path, "run", "configs/scan_line.yaml", "--json", "--out", out, *settings(*QUICK))
    assert done.status == 2
    assert f"--out {out}: the folder cannot be made" in done.failure["message"]
    assert (tmp_path / "taken").read_text() == "not a folder"


@pytest.mark.parametrize(
    "words",
    [
        ("report", "map.npz", "-o", "taken.html", "--json"),
        ("export", "map.npz", "--to", "csv", "-o", "taken.csv", "--json"),
        ("serve", "--rig-file", "taken.yaml", "--json"),
    ],
)
def test_what_exists_is_never_overwritten(words: tuple[str, ...], tmp_path: Path) -> None:
    example = Path(__file__).resolve().parents[1] / "data/example_line.npz"
    (tmp_path / "map.npz").write_bytes(example.read_bytes())
    target = next(tmp_path / word for word in words if word.startswith("taken"))
    target.write_text("mine")
    done = tplm_here(tmp_path, *words)
    assert done.status == 2, done.err
    assert target.name in done.failure["message"]
    assert target.read_text() == "mine"


CLOCK = """
import time
import pathlib
_time, _strftime, _localtime = time.time, time.strftime, time.localtime
_mark = pathlib.Path("runs")

def _shift():
    return -7200.0 if any(_mark.glob("*.status.json")) else 0.0

time.time = lambda: _time() + _shift()
time.localtime = lambda secs=None: _localtime(time.time() if secs is None else secs)
time.strftime = lambda text, moment=None: _strftime(text, time.localtime() if moment is None else moment)
"""
"""What sets a program's clock back by two hours once its run has begun."""


def test_a_clock_that_is_set_back_does_not_stop_the_run(tmp_path: Path) -> None:
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(CLOCK)
    changes = settings(*QUICK, "rig.simulation.speed=20")
    path = f"{tmp_path / 'clock'}:{Path(__file__).resolve().parents[2]}"
    program = start(tmp_path, "run", "configs/scan_line.yaml", "--json", *changes, PYTHONPATH=path)
    wait_for(lambda: status_of(tmp_path).get("n_done", 0) > 0, program)
    first = status_of(tmp_path)["n_done"]
    wait_for(lambda: status_of(tmp_path).get("n_done", 0) > first, program)
    assert status_of(tmp_path)["eta_s"] >= 0
    done = finish(program)
    assert done.status == 0, done.err
    assert done.document["wall_s"] > 0
    assert open_run(only_run_file(tmp_path)).defects() == []


def test_viewers_with_and_without_the_systems_lock_disturb_nothing(tmp_path: Path) -> None:
    """Other programs have the run file open while the run writes it."""
    program = start(tmp_path, "run", "configs/scan_line.yaml", "--json", *settings(*QUICK, "rig.simulation.speed=20"))
    wait_for(lambda: status_of(tmp_path).get("n_done", 0) > 0, program)
    path = only_run_file(tmp_path)
    with h5py.File(path, "r", locking=False), path.open("rb") as locking:
        if sys.platform != "win32":
            import fcntl

            with pytest.raises(BlockingIOError):  # the writer has it, so the viewer is the one who waits
                fcntl.flock(locking, fcntl.LOCK_SH | fcntl.LOCK_NB)
        done = finish(program)
    assert done.status == 0, done.err
    assert done.document["n_points"] == open_run(path).n_points == 18

"""Who may have the file, when, and what a user reads if it cannot be had."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import pytest

from tests.store.made_runs import counts, header, row, written_run
from tplm_daq.errors import InputError, StoreError
from tplm_daq.store.reader import open_run
from tplm_daq.store.summary import summarise
from tplm_daq.store.writer import RunWriter

VIEWER = "import h5py, sys; file = h5py.File(sys.argv[1]); print('open', flush=True); sys.stdin.read()"


@contextmanager
def viewer_with(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another program that has the file open as h5py opens it, until its stdin is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", VIEWER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process


def test_a_viewer_that_lets_go_is_waited_for(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5", finish_reason=None)
    waited = []
    with viewer_with(path) as viewer:

        def wait(pause_s: float) -> None:
            waited.append(pause_s)
            if len(waited) == 2:
                viewer.communicate("")

        with RunWriter.reopen(path, wait=wait) as writer:
            writer.finish("completed")
    assert waited == [0.1, 0.2]
    assert open_run(path).finish_reason == "completed"


def test_a_viewer_that_stays_is_named_as_the_cause(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5", finish_reason=None)
    waited = []
    with viewer_with(path), pytest.raises(StoreError, match=r"another program holds the file, .* waited 3 s. Close it"):
        RunWriter.reopen(path, wait=waited.append)
    assert sum(waited) == pytest.approx(3.0)


def test_two_programs_cannot_write_one_run(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5", finish_reason=None)
    program = (
        "import sys; from pathlib import Path; from tplm_daq.store.writer import RunWriter\n"
        "RunWriter.reopen(Path(sys.argv[1]), wait=lambda pause_s: None)"
    )
    with RunWriter.reopen(path):
        second = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert "a run that is still going on" in second.stderr


def test_another_process_reads_while_the_writer_has_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    program = (
        "import sys; from pathlib import Path; from tplm_daq.store.reader import open_run\n"
        "run = open_run(Path(sys.argv[1])); print(run.n_points, run.finish_reason, run.map().counts.sum())"
    )
    with RunWriter.create(path, header()) as writer:
        writer.append(row(0), counts(0))
        done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "None", str(counts(0).sum())]


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run.h5: no such file. `tplm runs` lists"):
        open_run(tmp_path / "run.h5")


def test_a_folder_is_not_a_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder, not a run file"):
        open_run(tmp_path)


FOREIGN = {
    "an empty file": b"",
    "a zip archive": b"PK\x03\x04rest",
    r"a single numpy array": b"\x93NUMPY\x01\x00rest",
    "a PicoQuant PTU file": b"PQTTTR\0\0rest",
    "a text file": b"x,y\n1,2\n",
    "a file of unknown kind": bytes(range(200, 256)),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_is_called_by_its_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "run.h5"
    path.write_bytes(FOREIGN[kind])
    with pytest.raises(InputError, match=f"is {kind}.*, not a run file of this program"):
        open_run(path)


def test_an_hdf5_file_of_others_is_described(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "run.h5", "x") as file:
        file.attrs["creator"] = "NeXpy"
        file["scan"] = 1
    with pytest.raises(InputError, match=r"HDF5 file of NeXpy \(it holds: scan\), not a run of this program"):
        open_run(tmp_path / "run.h5")


def test_a_newer_format_asks_for_an_update(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5")
    with h5py.File(path, "r+") as file:
        file["entry/format_version"][()] = 7
    with pytest.raises(InputError, match="has format_version 7; this program reads up to 1. Update tplm"):
        open_run(path)


def test_a_half_copied_file_is_recognised(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5")
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(InputError, match="damaged or was cut off while it was copied"):
        open_run(path)


def test_a_file_without_its_header_is_damaged(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5")
    with h5py.File(path, "r+") as file:
        del file["entry/instrument"]
    with pytest.raises(InputError, match="damaged or was cut off .*component not found"):
        open_run(path)


PIXEL = "instrument/detector/pixel_nm"
IN_THE_WRONG_PLACE = {
    "nothing": lambda entry, name: None,
    "a text": lambda entry, name: entry.create_dataset(name, data="rubbish"),
    "a group": lambda entry, name: entry.create_group(name),
    "two numbers": lambda entry, name: entry.create_dataset(name, data=[0.0, 1.0]),
}
STILL_A_RUN = {("a text", "title"), ("two numbers", "title"), ("two numbers", "path_nm"), ("two numbers", PIXEL)}
MEMBERS = ("title", "points", "points/index", "counts", "delay_ns", "path_nm", PIXEL, "log")


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("kind", IN_THE_WRONG_PLACE)
def test_a_file_that_says_something_else_than_a_run_does_is_used_or_refused(
    tmp_path: Path, kind: str, member: str
) -> None:
    path = written_run(tmp_path / "run.h5", n_points=3)
    with h5py.File(path, "r+") as file:
        del file["entry"][member]
        IN_THE_WRONG_PLACE[kind](file["entry"], member)
    refusals = list(_refusals(path))
    assert all("the file is damaged or was cut off" in each for each in refusals)
    assert bool(refusals) == ((kind, member) not in STILL_A_RUN)


def _refusals(path: Path) -> Iterator[str]:
    """Yield what each way of using a run file is answered with, where it is refused."""
    for use in (
        lambda: open_run(path).map(),
        lambda: open_run(path).passes(),
        lambda: open_run(path).log(),
        lambda: open_run(path).defects(),
        lambda: summarise(path),
        lambda: RunWriter.reopen(path).close(),
    ):
        try:
            use()
        except InputError as error:
            yield str(error)


def test_a_path_of_which_some_is_missing_shows_as_a_defect(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5", n_points=3)
    with h5py.File(path, "r+") as file:
        del file["entry/path_nm"]
        file["entry/path_nm"] = [0.0, 0.0]
    assert "point 1 has the index 1, and the path has 1 positions" in open_run(path).defects()


def test_a_file_that_may_not_be_written_to_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written_run(tmp_path / "run.h5")
    open_file = h5py.File

    def protect(name: Path, mode: str, **options: object) -> h5py.File:
        if mode == "r+":
            raise PermissionError(errno.EACCES, "Permission denied")
        return open_file(name, mode, **options)

    monkeypatch.setattr("tplm_daq.store.opening.h5py.File", protect)
    with pytest.raises(InputError, match="run.h5: may not be written to. Change its permissions, or work on a copy"):
        RunWriter.reopen(path)


def test_a_file_that_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written_run(tmp_path / "run.h5")

    def protect(path: Path, mode: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", protect)
    with pytest.raises(InputError, match="run.h5: may not be read. Change its permissions"):
        open_run(path)


def test_a_disk_that_fails_when_the_file_is_opened_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written_run(tmp_path / "run.h5")

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("tplm_daq.store.opening._patiently", fail)
    with pytest.raises(StoreError, match=r"cannot be opened for writing \(.*Input/output error\). Nothing was changed"):
        RunWriter.reopen(path)

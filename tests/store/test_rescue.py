"""Damaged run files: what can be read of them goes into a new file, the old one is left as it is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.store.made_runs import counts, header, row, written_run
from tplm_daq.errors import InputError
from tplm_daq.store.reader import open_run
from tplm_daq.store.rescue import require_growable, rescue_run
from tplm_daq.store.writer import RunWriter

N_POINTS = 40
WHY = InputError("run.h5: the file is damaged.")

KILLED_WHILE_LATEST = """
import os, sys
import h5py
with h5py.File(sys.argv[1]) as old, h5py.File(sys.argv[2], "w", libver="latest") as new:
    old.copy("entry", new)
    new.flush()
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "run.h5"
    with RunWriter.create(path, header(512)) as writer:
        writer.snapshot("laser", "start", {"power_nw": 10.0})
        for number in range(N_POINTS):
            writer.append(row(number), counts(number, 512))
            writer.log("2026-03-01T12:00:00+01:00", "info", f"point {number}")
    return path


def numbers_in(path: Path) -> list[int]:
    """Return which points a file holds, each checked against what was written."""
    run = open_run(path)
    found = [int(first) for first in run.counts()[:, 0]]
    for number, (read, read_counts) in zip(found, run.rows(), strict=True):
        assert repr(read) == repr(row(number))
        np.testing.assert_array_equal(read_counts, counts(number, 512))
    return found


def test_a_file_of_a_newer_program_is_not_taken_for_a_damaged_one(run_file: Path) -> None:
    with h5py.File(run_file, "r+") as file:
        file["entry/format_version"][()] = 99
    with pytest.raises(InputError, match="has format_version 99; .* Update tplm") as refused:
        open_run(run_file)
    with pytest.raises(InputError, match="Update tplm"):
        rescue_run(run_file, refused.value)
    assert list(run_file.parent.iterdir()) == [run_file]


@pytest.mark.parametrize("share", [0.82, 0.9, 0.97])
def test_a_truncated_file_yields_the_points_before_its_end(share: float, run_file: Path) -> None:
    content = run_file.read_bytes()
    run_file.write_bytes(content[: round(share * len(content))])
    with pytest.raises(InputError, match="damaged"):
        open_run(run_file)
    before = run_file.read_bytes()
    rescued = rescue_run(run_file, WHY)
    assert rescued.name == "run_rescued.h5"
    found = numbers_in(rescued)
    assert 0 < len(found) < N_POINTS
    assert open_run(rescued).defects() == []
    assert run_file.read_bytes() == before
    assert sorted(path.name for path in run_file.parent.iterdir()) == ["run.h5", "run_rescued.h5"]


def test_a_point_overwritten_with_rubbish_is_left_out(run_file: Path) -> None:
    with h5py.File(run_file) as file:
        chunk = file["entry/counts"].id.get_chunk_info(7)
    with run_file.open("r+b") as stream:
        stream.seek(chunk.byte_offset)
        stream.write(bytes(chunk.size))
    rescued = rescue_run(run_file, WHY)
    assert numbers_in(rescued) == [number for number in range(N_POINTS) if number != 7]


def test_rows_that_do_not_lie_on_the_path_are_left_out(run_file: Path) -> None:
    with h5py.File(run_file, "r+") as file:
        file["entry/points/index"][3] = 77
        file["entry/points/x_nm"][5] = 1e9
    assert numbers_in(rescue_run(run_file, WHY)) == [number for number in range(N_POINTS) if number not in (3, 5)]


def test_a_file_marked_as_open_by_a_killed_writer_is_read_all_the_same(run_file: Path) -> None:
    marked = run_file.with_name("marked.h5")
    subprocess.run([sys.executable, "-c", KILLED_WHILE_LATEST, str(run_file), str(marked)], check=False)
    with pytest.raises(InputError, match="damaged"):
        open_run(marked)
    assert numbers_in(rescue_run(marked, WHY)) == list(range(N_POINTS))


def test_what_else_the_file_says_is_taken_over(run_file: Path) -> None:
    run = open_run(run_file)
    rescued = open_run(rescue_run(run_file, WHY))
    assert (rescued.start_time, rescued.finish_reason) == (run.start_time, None)
    assert rescued.truth() == run.truth()
    assert rescued.log() == run.log()
    assert rescued.snapshots() == run.snapshots()


def test_nothing_is_rescued_twice(run_file: Path) -> None:
    rescued = rescue_run(run_file, WHY)
    with pytest.raises(InputError, match=re.escape(f"go on with `tplm resume {rescued}`")):
        rescue_run(run_file, WHY)


def test_what_is_no_run_file_is_refused_with_the_first_reason(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the file is damaged"):
        rescue_run(tmp_path / "absent.h5", WHY)
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(InputError, match="the file is damaged"):
        rescue_run(tmp_path / "text.h5", WHY)


@pytest.mark.parametrize("n_bytes", [8, 9, 20, 600])
def test_without_its_header_nothing_can_be_rescued(n_bytes: int, run_file: Path) -> None:
    run_file.write_bytes(run_file.read_bytes()[:n_bytes])
    with pytest.raises(InputError, match="not even its header reads"):
        rescue_run(run_file, WHY)
    assert [path.name for path in run_file.parent.iterdir()] == ["run.h5"]


def half_written(path: Path) -> Path:
    """Return a file whose writer died within its first point: the index of its counts is announced and not there."""
    written_run(path, n_points=0, finish_reason=None)
    with h5py.File(path, "r+") as file:
        file["entry/counts"].resize(1, axis=0)
        file["entry/counts"][0] = 7
    content = bytearray(path.read_bytes())
    where = content.index(b"EAIB")
    content[where : where + 64] = bytes(64)
    path.write_bytes(content)
    return path


def test_a_file_that_takes_no_further_point_is_found_out_before_and_left_alone(tmp_path: Path) -> None:
    path = half_written(tmp_path / "run.h5")
    before = path.read_bytes()
    assert open_run(path).n_points == 0
    with pytest.raises(InputError, match=r"run\.h5: takes no further points, its writer was ended within one"):
        require_growable(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["run.h5"]


def test_a_sound_file_takes_more(tmp_path: Path) -> None:
    for n_points in (0, 3):
        path = written_run(tmp_path / f"{n_points}.h5", n_points=n_points, finish_reason=None)
        require_growable(path)
        assert open_run(path).n_points == n_points

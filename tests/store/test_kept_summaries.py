"""A folder that was looked at before: nothing is read twice, and nothing changed is missed."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from tests.store.made_runs import counts, row, written_run
from tplm_daq.store import kept_summaries
from tplm_daq.store.catalog import Catalogue, read_catalogue
from tplm_daq.store.kept_summaries import KEPT_NAME
from tplm_daq.store.writer import RunWriter

N_FILES = 12
LONG_AGO_S = 1_700_000_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files that have long settled; so few of them are worth keeping here."""
    monkeypatch.setattr(kept_summaries, "FEWEST_READ", N_FILES)
    monkeypatch.setattr(kept_summaries, "SETTLED_NS", -1)
    first = written_run(tmp_path / "run0.h5")
    (tmp_path / "series").mkdir()
    for number in range(1, N_FILES):
        shutil.copy(first, tmp_path / "series" / f"run{number}.h5")
    return tmp_path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Collects the files that are opened."""
    opened: list[Path] = []
    summarise = kept_summaries.summarise
    monkeypatch.setattr(kept_summaries, "summarise", lambda path: opened.append(path) or summarise(path))
    return opened


def test_what_was_read_once_is_not_read_again(folder: Path, read: list[Path]) -> None:
    first = read_catalogue(folder)
    assert len(read) == N_FILES
    assert read_catalogue(folder) == first
    assert len(read) == N_FILES
    assert len(first.runs) == N_FILES


def test_a_changed_replaced_or_new_file_is_read_and_one_that_is_gone_is_not_listed(
    folder: Path, read: list[Path]
) -> None:
    read_catalogue(folder)
    read.clear()
    changed, replaced, gone, new = (folder / "series" / f"run{number}.h5" for number in (1, 2, 3, 99))
    with RunWriter.reopen(changed) as writer:
        writer.append(row(12), counts(12))
    status = replaced.stat()
    other = shutil.copy(replaced, folder / "other")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(replaced)  # same size and time
    gone.unlink()
    written_run(new, title="new")
    found = {run.path: run for run in read_catalogue(folder).runs}
    assert sorted(read) == [changed, replaced, new]
    assert (found[changed].n_points, found[new].title, gone in found) == (13, "new", False)


def test_a_file_that_changed_a_moment_ago_is_not_kept(
    folder: Path, read: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_summaries, "SETTLED_NS", 3600 * 10**9)
    read_catalogue(folder)
    assert not (folder / KEPT_NAME).exists()


def test_few_files_leave_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_summaries, "FEWEST_READ", N_FILES + 1)
    read_catalogue(folder)
    assert not (folder / KEPT_NAME).exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\x00",
        b"{}",
        b"[1, 2]",
        b'{"version": 1, "fields": [], "files": {}}',
        b'{"version": 99, "files": {"run0.h5": 3}}',
    ],
)
def test_a_damaged_list_is_left_aside_and_written_anew(content: bytes, folder: Path, read: list[Path]) -> None:
    (folder / KEPT_NAME).write_bytes(content)
    assert len(read_catalogue(folder).runs) == N_FILES
    read.clear()
    read_catalogue(folder)
    assert read == []


def test_values_that_no_summary_has_are_read_anew(folder: Path, read: list[Path]) -> None:
    first = read_catalogue(folder)
    kept = json.loads((folder / KEPT_NAME).read_text())
    kept["files"]["run0.h5"][1] = [3]
    kept["files"]["series/run1.h5"][1][2] = "yesterday"
    (folder / KEPT_NAME).write_text(json.dumps(kept))
    read.clear()
    assert read_catalogue(folder) == first
    assert sorted(read) == [folder / "run0.h5", folder / "series" / "run1.h5"]


def test_a_folder_that_cannot_be_written_to_is_listed_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(kept_summaries.tempfile, "mkstemp", refuse)
    assert len(read_catalogue(folder).runs) == N_FILES
    assert not (folder / KEPT_NAME).exists()


def test_several_programs_may_look_at_the_same_time(folder: Path) -> None:
    found: list[Catalogue] = []
    threads = [threading.Thread(target=lambda: found.append(read_catalogue(folder))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(each == found[0] for each in found)
    assert [path.name for path in folder.iterdir() if path.name.startswith(KEPT_NAME)] == [KEPT_NAME]


def test_a_kept_list_answers_much_faster(folder: Path) -> None:
    def seconds() -> float:
        began_s = time.perf_counter()
        read_catalogue(folder)
        return time.perf_counter() - began_s

    cold_s = seconds()
    assert min(seconds() for _ in range(3)) < cold_s / 3

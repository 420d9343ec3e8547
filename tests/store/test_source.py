"""The fingerprint of the code that wrote a file."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import pytest

from tests.store.made_runs import written_run
from tplm_daq.store import source
from tplm_daq.store.source import source_fingerprint


def test_a_run_file_carries_the_fingerprint_of_the_code(tmp_path: Path) -> None:
    with h5py.File(written_run(tmp_path / "run.h5")) as file:
        assert file["entry/environment/source"].asstr()[()] == source_fingerprint()


def test_it_changes_with_any_line_and_any_name_and_with_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fingerprint() -> str:
        return source_fingerprint.__wrapped__()

    copied = shutil.copytree(source.PACKAGES[1], tmp_path / "drivers")
    monkeypatch.setattr(source, "PACKAGES", (copied,))
    first = fingerprint()
    (copied / "notes.txt").touch()
    line_ends = (copied / "kst101.py").read_bytes().replace(b"\n", b"\r\n")
    (copied / "kst101.py").write_bytes(line_ends)
    assert fingerprint() == first
    (copied / "kst101.py").rename(copied / "kst102.py")
    renamed = fingerprint()
    (copied / "pdl800d.py").write_text("A = 1\n")
    assert len({first, renamed, fingerprint()}) == 3

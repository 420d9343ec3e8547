from __future__ import annotations

import dataclasses
import errno
import re
from pathlib import Path

import numpy as np
import pytest

from tests.store.made_runs import written_run
from tplm_daq.errors import InputError, StoreError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.store import export, layout
from tplm_daq.store.export import export_map
from tplm_daq.store.importer import load_map
from tplm_daq.store.reader import open_run

DOC = Path(__file__).resolve().parents[2] / "docs" / "file-format.md"


def run_map(folder: Path, **changes: object) -> TimePositionMap:
    return open_run(written_run(folder / "run.h5", **changes)).map()


def assert_same(found: TimePositionMap, wanted: TimePositionMap) -> None:
    for name, value in vars(wanted).items():
        other = getattr(found, name)
        assert type(other) is type(value), name
        np.testing.assert_array_equal(other, value, err_msg=name)


@pytest.mark.parametrize("to", ["npz", "csv", "ptu"])
@pytest.mark.parametrize("t0_ns", [None, 0.1 / 3])
def test_what_was_exported_reads_back_to_the_last_bit(tmp_path: Path, to: str, t0_ns: float | None) -> None:
    data = run_map(tmp_path, t0_ns=t0_ns)
    export_map(data, to, tmp_path / f"run.{to}")
    assert_same(load_map(tmp_path / f"run.{to}"), data)


@pytest.mark.parametrize("to", ["npz", "csv"])
def test_what_is_not_known_stays_unknown(tmp_path: Path, to: str) -> None:
    known = run_map(tmp_path)
    data = TimePositionMap(known.counts, known.x_nm, known.y_nm, known.delay_ns)
    export_map(data, to, tmp_path / f"run.{to}")
    assert_same(load_map(tmp_path / f"run.{to}"), data)


def test_numpy_alone_reads_an_export(tmp_path: Path) -> None:
    data = run_map(tmp_path)
    export_map(data, "npz", tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz") as archive:
        assert archive["counts"].shape == (5, 32)
        assert archive["position_nm"].shape == (5, 2)
        assert archive["repetition_rate_hz"] == 2.5e6
    export_map(data, "csv", tmp_path / "run.csv")
    table = np.genfromtxt(tmp_path / "run.csv", delimiter=",", comments="#", skip_header=7)
    np.testing.assert_array_equal(table[:, 1:].T, data.counts)


@pytest.mark.parametrize("to", ["npz", "csv", "ptu"])
def test_an_existing_target_is_kept_and_refused(tmp_path: Path, to: str) -> None:
    path = tmp_path / f"run.{to}"
    path.write_text("mine")
    with pytest.raises(InputError, match=r"exists already and is not overwritten\. Choose another name with -o"):
        export_map(run_map(tmp_path), to, path)
    assert path.read_text() == "mine"


REFUSED = {
    "xlsx": ("run.xlsx", r"--to xlsx: there is no such format\. Available are npz, csv, ptu"),
    "csv": ("run.npz", r"run.npz: a csv file must be called so to be read again\. End its name in \.csv"),
}


@pytest.mark.parametrize("to", REFUSED)
def test_a_format_that_cannot_be_written_is_refused_before_anything_is_made(tmp_path: Path, to: str) -> None:
    name, message = REFUSED[to]
    data = run_map(tmp_path)
    with pytest.raises(InputError, match=message):
        export_map(data, to, tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot be made \(.*\)\. Choose another place with -o"):
        export_map(run_map(tmp_path), "npz", tmp_path / "file" / "run.npz")


def test_what_nobody_foresaw_leaves_no_half_written_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setitem(export.FORMATS, "npz", fail)
    with pytest.raises(MemoryError):
        export_map(run_map(tmp_path), "npz", tmp_path / "run.npz")
    assert not (tmp_path / "run.npz").exists()


def test_a_full_disk_leaves_no_half_written_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(data: TimePositionMap, stream: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setitem(export.FORMATS, "npz", fill)
    with pytest.raises(StoreError, match=r"did not take the export \(No space left on device\); nothing is left of it"):
        export_map(run_map(tmp_path), "npz", tmp_path / "run.npz")
    assert not (tmp_path / "run.npz").exists()


def test_the_documented_example_reads_a_run_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = run_map(tmp_path)
    block = re.search(r"```python\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    monkeypatch.chdir(tmp_path)
    exec(block[1], {})
    assert capsys.readouterr().out.startswith(f"OLA/OA film, 10 nW: {data.counts.sum()} photons at 5 positions")


def test_the_documentation_names_every_column_and_every_field() -> None:
    text = DOC.read_text(encoding="utf-8")
    conditions = {field.name for field in dataclasses.fields(TimePositionMap)} - {"x_nm", "y_nm"}
    missing = {name for name in {*(layout.POINT_DTYPE.names or ()), *conditions} if f"`{name}`" not in text}
    assert not missing

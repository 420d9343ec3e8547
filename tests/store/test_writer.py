from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.store.made_runs import NOON, at_noon, counts, header, row, written_run
from tplm_daq.errors import InputError, StoreError
from tplm_daq.store.layout import PointFlags
from tplm_daq.store.reader import open_run
from tplm_daq.store.writer import RunWriter


def test_points_come_back_bit_equal(tmp_path: Path) -> None:
    run = open_run(written_run(tmp_path / "run.h5"))
    np.testing.assert_array_equal(run.counts(), [counts(number) for number in range(12)])
    np.testing.assert_array_equal(run.points["start_s"], 2.5 * np.arange(12))
    np.testing.assert_array_equal(run.points["pass"], np.arange(12) // 5)
    assert np.isnan(run.points["y_readback_nm"]).all()


def test_missing_folders_are_made(tmp_path: Path) -> None:
    assert written_run(tmp_path / "2026" / "march" / "run.h5").is_file()


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    path.write_bytes(b"precious")
    with pytest.raises(InputError, match="exists already, and a run file is never overwritten"):
        RunWriter.create(path, header())
    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize("folder", ["file", "file/sub"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=f"{re.escape(str(Path(folder)))}: no file can be made in this folder .*--out"):
        RunWriter.create(tmp_path / folder / "run.h5", header())


def test_a_header_that_cannot_be_written_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with pytest.raises(TypeError, match="truth/sample is a object"):
        RunWriter.create(path, header(truth={"sample": object()}))
    assert list(tmp_path.iterdir()) == []


def test_a_point_can_be_read_while_the_writer_has_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with RunWriter.create(path, header()) as writer:
        for number in range(3):
            writer.append(row(number), counts(number))
            run = open_run(path)
            assert run.n_points == number + 1
            np.testing.assert_array_equal(run.counts()[number], counts(number))
        writer.append(row(3), counts(3))
    assert open_run(path).n_points == 4


@pytest.mark.parametrize(
    "wrong",
    [counts(0, n_bin=31), counts(0).astype(np.int64), counts(0)[None]],
    ids=["a bin short", "other dtype", "two axes"],
)
def test_a_histogram_that_does_not_fit_is_refused(tmp_path: Path, wrong: np.ndarray) -> None:
    with RunWriter.create(tmp_path / "run.h5", header()) as writer:
        with pytest.raises(StoreError, match="must be uint32 with 32 bins .* was not written"):
            writer.append(row(0), wrong)
        writer.append(row(0), counts(0))
        assert writer.n_points == 1


def test_flags_are_stored_as_bits(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run.h5", header()) as writer:
        writer.append(row(0, flags=PointFlags.SUSPECT | PointFlags.PILE_UP), counts(0))
    assert PointFlags(int(open_run(tmp_path / "run.h5").points["flags"][0])) == PointFlags.SUSPECT | PointFlags.PILE_UP


def test_the_log_keeps_its_lines_in_order(tmp_path: Path) -> None:
    lines = [(NOON.isoformat(), "info", "light on"), (NOON.isoformat(), "warning", "rate 2 % of sync, τ = 3 ns")]
    with RunWriter.create(tmp_path / "run.h5", header()) as writer:
        for line in lines:
            writer.log(*line)
    assert open_run(tmp_path / "run.h5").log() == lines


def test_a_device_that_cannot_be_asked_leaves_its_reason(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run.h5", header(), now=at_noon) as writer:
        writer.snapshot("thermostat", "start", {"setpoint_k": 300.0, "range": "high"})
        writer.snapshot("stage", "start", error="stage at COM4: nothing answers")
        writer.snapshot("thermostat", "start", {"setpoint_k": 50.0})
        writer.snapshot("thermostat", "start", {"setpoint_k": 4.0})
    found = open_run(tmp_path / "run.h5").snapshots()
    time = NOON.isoformat(timespec="milliseconds")
    assert found["stage"]["start"] == {"error": "stage at COM4: nothing answers", "time": time}
    assert found["thermostat"]["start"] == {"setpoint_k": 300.0, "range": "high", "time": time}
    assert found["thermostat"]["start_2"]["setpoint_k"] == 50.0
    assert found["thermostat"]["start_3"]["setpoint_k"] == 4.0
    assert set(found) == {"stage", "thermostat"}


def test_results_are_numbered_and_none_is_lost(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5")
    with RunWriter.reopen(path, now=at_noon) as writer:
        names = [
            writer.write_result("poisson", {"diffusivity_cm2_s": 0.01 * i}, {"msd_nm2": np.arange(3.0)}, f"a: {i}\n")
            for i in range(11)
        ]
    assert names == [f"analysis_{i + 1}" for i in range(11)]
    run = open_run(path)
    assert [result.name for result in run.results()] == names
    latest = run.latest_result()
    assert latest is not None
    assert (latest.name, latest.method, latest.recipe_text) == ("analysis_11", "poisson", "a: 10\n")
    assert latest.values["diffusivity_cm2_s"] == pytest.approx(0.1)
    np.testing.assert_array_equal(latest.values["msd_nm2"], [0, 1, 2])


def test_a_finished_run_can_go_on(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5", n_points=5, finish_reason="aborted")
    with RunWriter.reopen(path) as writer:
        writer.append(row(5), counts(5))
        assert open_run(path).finish_reason is None
        writer.finish("completed")
    run = open_run(path)
    assert (run.n_points, run.finish_reason) == (6, "completed")
    with h5py.File(path) as file:
        assert file["entry/data/counts"][0, 0] == 0 + 5


def test_a_run_that_ends_twice_says_why_at_last(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5", finish_reason="aborted")
    with RunWriter.reopen(path) as writer:
        writer.finish("guard")
    assert (open_run(path).finish_reason, open_run(path).defects()) == ("guard", [])


def test_rows_that_were_never_acknowledged_do_not_outlive_the_end(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5", n_points=3, finish_reason=None)
    with h5py.File(path, "r+") as file:  # as a process leaves it that dies between row and number
        file["entry/counts"].resize(4, axis=0)
        file["entry/points/x_nm"].resize(4, axis=0)
    with RunWriter.reopen(path) as writer:
        writer.finish("failed")
    with h5py.File(path) as file:
        assert len(file["entry/counts"]) == len(file["entry/points/x_nm"]) == len(file["entry/points/y_nm"]) == 3


def test_a_viewer_that_keeps_the_file_after_a_step_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written_run(tmp_path / "run.h5", finish_reason=None)

    def held(path: Path, wait: object) -> None:
        raise StoreError(f"{path}: another program holds the file")

    with RunWriter.reopen(path) as writer:
        with monkeypatch.context() as viewer:
            viewer.setattr("tplm_daq.store.writer.open_for_writing", held)
            with pytest.raises(StoreError, match="another program holds the file"):
                writer.snapshot("laser", "end", {"power_nw": 1.0})
            with pytest.raises(StoreError, match="another program holds the file"):
                writer.log(NOON.isoformat(), "error", "not yet")
        writer.log(NOON.isoformat(), "error", "the file was held")
        writer.append(row(12), counts(12))
    run = open_run(path)
    assert (run.n_points, run.log()[0][2]) == (13, "the file was held")
    assert run.snapshots()["laser"]["end"]["power_nw"] == 1.0


def test_several_additions_happen_together_or_not_at_all(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5", finish_reason=None)
    with RunWriter.reopen(path) as writer:
        with pytest.raises(KeyboardInterrupt), writer.in_one_step():
            writer.snapshot("laser", "end", {"power_nw": 1.0})
            raise KeyboardInterrupt
        writer.finish("aborted")
    run = open_run(path)
    assert (run.snapshots(), run.finish_reason) == ({}, "aborted")
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.h5"]


def test_a_run_without_points_can_be_finished(tmp_path: Path) -> None:
    run = open_run(written_run(tmp_path / "run.h5", n_points=0, finish_reason="guard"))
    assert (run.n_points, run.finish_reason) == (0, "guard")


def test_a_disk_that_fails_at_the_start_leaves_neither_a_file_nor_a_handle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def fail(file: h5py.File) -> None:
        opened.append(file)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("tplm_daq.store.creation.sync", fail)
    with pytest.raises(StoreError, match=r"run.h5: the disk does not take the file .*no file is left"):
        RunWriter.create(tmp_path / "run.h5", header())
    assert [bool(file) for file in opened] == [False]
    assert list(tmp_path.iterdir()) == []


def test_a_package_that_is_not_installed_is_said_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tplm_daq.store.header.ENVIRONMENT_PACKAGES", ("h5py", "absent-package"))
    versions = open_run(written_run(tmp_path / "run.h5")).environment()
    assert (versions["h5py"], versions["absent-package"]) == (h5py.version.version, "not installed")


def test_closing_twice_is_harmless_and_no_room_is_kept(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path / "run.h5", header())
    writer.append(row(0), counts(0))
    taken = (tmp_path / "run.h5").stat().st_size
    writer.close()
    writer.close()
    assert (tmp_path / "run.h5").stat().st_size < 100_000 < taken


def test_a_disk_that_fails_is_told_with_what_is_safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with RunWriter.create(tmp_path / "run.h5", header()) as writer:
        writer.append(row(0), counts(0))
        with monkeypatch.context() as broken:
            broken.setattr(os, "fsync", fail)
            with pytest.raises(StoreError, match=r"Input/output error\). The 1 points acknowledged before are safe"):
                writer.append(row(1), counts(1))
        writer.append(row(1, power_nw=11.0), counts(1))
    run = open_run(tmp_path / "run.h5")
    np.testing.assert_array_equal(run.counts(), [counts(0), counts(1)])
    assert run.points["power_nw"].tolist() == [10.0, 11.0]

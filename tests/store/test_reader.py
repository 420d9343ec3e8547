from __future__ import annotations

import dataclasses
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.store.made_runs import NOON, counts, header, row, written_run
from tplm_daq.errors import InputError
from tplm_daq.store.importer import load_map
from tplm_daq.store.layout import PointFlags
from tplm_daq.store.reader import open_run
from tplm_daq.store.writer import RunWriter


def test_the_header_comes_back_without_the_truth(tmp_path: Path) -> None:
    wrote = header()
    read = open_run(written_run(tmp_path / "run.h5")).header
    assert read.truth is None
    for field in dataclasses.fields(wrote):
        if field.name != "truth":
            np.testing.assert_array_equal(getattr(read, field.name), getattr(wrote, field.name), field.name)


def test_the_truth_is_a_question_of_its_own(tmp_path: Path) -> None:
    assert open_run(written_run(tmp_path / "sim.h5")).truth() == {"diffusivity_cm2_s": 0.05, "preset": "ola-oa"}
    assert open_run(written_run(tmp_path / "real.h5", truth=None)).truth() is None


def test_a_finished_run_says_when_and_why(tmp_path: Path) -> None:
    run = open_run(written_run(tmp_path / "run.h5", finish_reason="target_reached"))
    assert (run.title, run.finish_reason) == ("OLA/OA film, 10 nW", "target_reached")
    assert run.start_time == run.end_time == NOON.isoformat(timespec="milliseconds")
    assert "python" in run.environment()
    assert "tplm-daq" in run.environment()
    assert run.latest_result() is None


def test_a_run_cut_short_has_no_end_but_its_map(tmp_path: Path) -> None:
    run = open_run(written_run(tmp_path / "run.h5", n_points=7, finish_reason=None))
    assert (run.end_time, run.finish_reason, run.n_points) == (None, None, 7)
    assert run.map().counts[0, 0] == 0 + 5


def test_the_map_sums_what_shares_an_index(tmp_path: Path) -> None:
    found = open_run(written_run(tmp_path / "run.h5")).map()
    expected = np.zeros((5, 32), np.int64)
    for number in range(12):
        expected[number % 5] += counts(number)
    np.testing.assert_array_equal(found.counts, expected)
    assert found.dwell_s == pytest.approx([1.9 * 3, 1.9 * 3, 1.9 * 2, 1.9 * 2, 1.9 * 2])
    assert found.x_nm == pytest.approx(100.0 * np.arange(5) + 1.0)
    assert (found.pixel_nm, found.dead_time_ns, found.t0_ns) == ((101.0, 110.0), 77.0, None)
    assert (found.repetition_rate_hz, found.response_fwhm_ns) == (2.5e6, 0.08)


def test_counts_beyond_32_bits_do_not_wrap(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run.h5", header()) as writer:
        for number in (0, 5):
            writer.append(row(number), np.full(32, 2**32 - 1, np.uint32))
        writer.finish("completed")
    assert (open_run(tmp_path / "run.h5").map().counts == 2 * (2**32 - 1)).all()
    with h5py.File(tmp_path / "run.h5") as file:
        assert (file["entry/data/counts"][()] == 2 * (2**32 - 1)).all()


def test_positions_are_weighted_by_dwell_and_unread_ones_taken_as_asked(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run.h5", header()) as writer:
        writer.append(row(0, x_readback_nm=10.0, dwell_s=3.0), counts(0))
        writer.append(row(5, x_readback_nm=50.0, dwell_s=1.0, y_nm=7.0), counts(5))
        writer.append(row(1, x_readback_nm=float("nan")), counts(1))
    found = open_run(tmp_path / "run.h5").map()
    assert found.x_nm == pytest.approx([20.0, 100.0])
    assert found.y_nm == pytest.approx([7.0 / 4, 0.0])


def test_suspect_points_can_be_left_out(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run.h5", header()) as writer:
        writer.append(row(0), counts(0))
        writer.append(row(1, flags=PointFlags.SUSPECT | PointFlags.SYNC), counts(1))
    run = open_run(tmp_path / "run.h5")
    assert len(run.map().x_nm) == 2
    assert run.map(leave_out=PointFlags.SUSPECT).x_nm == pytest.approx([1.0])


def test_a_run_without_points_has_nothing_to_analyse(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of its 0 points can be used; there is nothing to analyse"):
        load_map(written_run(tmp_path / "run.h5", n_points=0))


def test_a_point_comes_back_as_it_was_written(tmp_path: Path) -> None:
    run = open_run(written_run(tmp_path / "run.h5"))
    assert repr([found for found, _ in run.rows()]) == repr([row(number) for number in range(12)])
    last, last_counts = run.row(-1)
    assert repr(last) == repr(row(11))
    np.testing.assert_array_equal(last_counts, counts(11))


def test_a_sound_run_has_no_defects(tmp_path: Path) -> None:
    assert open_run(written_run(tmp_path / "run.h5")).defects() == []


def test_a_file_from_before_paths_were_moved_reads_and_grows(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5", n_points=3, finish_reason=None)
    with h5py.File(path, "r+") as file:
        for name in ("x_shift_nm", "y_shift_nm"):
            del file[f"entry/points/{name}"]
    assert open_run(path).points["x_shift_nm"].tolist() == [0.0] * 3
    with RunWriter.reopen(path) as writer:
        writer.append(row(3, x_nm=310.0, x_shift_nm=10.0), counts(3))
        writer.append(row(4), counts(4))
    run = open_run(path)
    assert run.points["x_shift_nm"].tolist() == [0.0, 0.0, 0.0, 10.0, 0.0]
    assert run.defects() == []


def test_positions_of_passes_that_followed_the_spot_are_relative_to_their_path(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run.h5", header()) as writer:
        for number in range(10):
            x_nm, shift_nm = 100.0 * (number % 5), 40.1 * (number > 4)
            moved = row(number, x_nm=x_nm + shift_nm, x_readback_nm=x_nm + shift_nm + 1.0, x_shift_nm=shift_nm)
            writer.append(moved, counts(number))
    run = open_run(tmp_path / "run.h5")
    assert run.defects() == []
    assert run.map().x_nm == pytest.approx([100.0 * index + 1.0 for index in range(5)])
    assert [data.x_nm[0] for data, _ in run.passes()] == pytest.approx([1.0, 41.1])


def test_a_shift_does_not_excuse_a_wrong_index(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run.h5", header()) as writer:
        writer.append(row(0, x_nm=100.0, x_shift_nm=60.0), counts(0))
    assert open_run(tmp_path / "run.h5").defects() == [
        "point 0 was taken at 100.0, 0.0 nm, and its index 0 stands for 60.0, 0.0 nm"
    ]

"""Files of lattice points: what goes in comes out, another recipe is refused, and a failed write harms nothing."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.store.made_runs import written_run
from tplm_daq.errors import InputError, StoreError
from tplm_daq.store.catalog import read_catalogue
from tplm_daq.store.reader import open_run
from tplm_daq.store.sweeps import Point, SweepFile

RECIPE = '{"n_pulses": 1000}'


def point(alpha: float, tau_pulse_ns: float) -> dict[str, object]:
    return {
        "alpha": alpha,
        "tau_pulse_ns": tau_pulse_ns,
        "t_exc_us": tau_pulse_ns / alpha / 1e3,
        "d_sim_cm2_s": 0.1 * alpha,
        "standard_error_cm2_s": 0.001,
        "time_ns": np.linspace(0, 5, 11),
        "s2_nm2": np.linspace(1e4, 2e4, 11) + alpha,
        "exciton_steps": 12,
    }


def is_same(first: Point, second: Point) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[key], second[key]) for key in first)


def test_points_come_back_as_they_were(tmp_path: Path) -> None:
    points = [point(0.08, 400.0), point(0.04, 50.0), point(0.08, 50.0)]
    file = SweepFile(tmp_path / "new" / "sweep.h5", RECIPE)
    assert file.stored == []
    for each in points:
        file.add(each)
    file.write()
    again = SweepFile(file.path, RECIPE).stored
    assert len(again) == 3
    assert all(is_same(*pair) for pair in zip(points, again, strict=True))


def test_points_are_added_to_those_of_earlier_times(tmp_path: Path) -> None:
    path = tmp_path / "sweep.h5"
    for alpha in (0.01, 0.02, 0.04):
        file = SweepFile(path, RECIPE)
        file.add(point(alpha, 400.0))
        file.write()
    assert [each["alpha"] for each in SweepFile(path, RECIPE).stored] == [0.01, 0.02, 0.04]
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_opens_with_the_diffusivity_against_t_exc(tmp_path: Path) -> None:
    file = SweepFile(tmp_path / "sweep.h5", RECIPE)
    for alpha in (0.01, 0.08, 0.04):
        file.add(point(alpha, 400.0))
    file.write()
    with h5py.File(file.path) as opened:
        group = opened[opened.attrs["default"]]
        data = group[group.attrs["default"]]
        assert data.attrs["signal"] == "d_sim_cm2_s"
        assert list(data.attrs["axes"]) == ["t_exc_us"]
        assert data["t_exc_us"][()] == pytest.approx([5.0, 10.0, 40.0])
        assert data["t_exc_us"].attrs["units"] == "us"
        assert data["d_sim_cm2_s"][()] == pytest.approx([0.008, 0.004, 0.001])
        assert data["d_sim_cm2_s_errors"].shape == (3,)


def test_points_of_another_recipe_are_not_mixed_in(tmp_path: Path) -> None:
    file = SweepFile(tmp_path / "sweep.h5", RECIPE)
    file.add(point(0.08, 400.0))
    file.write()
    with pytest.raises(InputError, match="belongs to another recipe. Choose another folder with --out"):
        SweepFile(file.path, '{"n_pulses": 10}')


def test_a_file_that_is_none_of_ours_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sweep.h5"
    path.write_text("notes")
    with pytest.raises(InputError, match="a text file, not a run file"):
        SweepFile(path, RECIPE)
    assert path.read_text() == "notes"


def test_a_run_file_is_not_taken_for_one_of_lattice_points(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5")
    before = path.read_bytes()
    with pytest.raises(InputError, match="run.h5: is a run file, not one of lattice simulations. Choose another --out"):
        SweepFile(path, RECIPE)
    assert path.read_bytes() == before


def test_what_a_journal_cannot_hold_is_named(tmp_path: Path) -> None:
    file = resting(tmp_path / "sweep.h5")
    with pytest.raises(TypeError, match="a set cannot be written to a journal of points"):
        file.add(point(0.02, 400.0) | {"tags": {1, 2}})
    file.add(point(0.04, 400.0))
    assert [each["alpha"] for each in SweepFile(file.path, RECIPE).stored] == [0.01, 0.04]


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = SweepFile(tmp_path / "sweep.h5", RECIPE)
    file.add(point(0.08, 400.0))
    file.write()

    def full(_: h5py.File) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("tplm_daq.store.sweeps.sync", full)
    with pytest.raises(StoreError, match="No space left.*The 2 points stored before are safe.*goes on from there"):
        file.add(point(0.04, 400.0))
        file.write()
    with h5py.File(file.path) as opened:
        assert list(opened["entry/points"]) == ["point_1"]
    monkeypatch.undo()
    assert [each["alpha"] for each in SweepFile(file.path, RECIPE).stored] == [0.08, 0.04]
    assert list(tmp_path.iterdir()) == [file.path]


def resting(path: Path) -> SweepFile:
    """Return a file that has just been written with one point, so that the next ones go to the journal."""
    file = SweepFile(path, RECIPE)
    file.add(point(0.01, 400.0))
    file._next_write_s = float("inf")
    return file


def test_a_point_is_on_the_disk_as_soon_as_it_is_added(tmp_path: Path) -> None:
    file = resting(tmp_path / "sweep.h5")
    later = point(0.02, 400.0) | {
        "d_of_pulse_cm2_s": np.array([0.1, np.nan, 1 / 3]),
        "n_fast": np.arange(3, dtype="i4"),
    }
    file.add(later)
    found = SweepFile(file.path, RECIPE).stored[1]
    assert found.keys() == later.keys()
    for name, value in later.items():
        assert np.array_equal(found[name], value, equal_nan=True)
        assert np.asarray(found[name]).dtype == np.asarray(value).dtype


def test_a_line_that_a_kill_cut_short_is_left_out(tmp_path: Path) -> None:
    file = resting(tmp_path / "sweep.h5")
    file.add(point(0.02, 400.0))
    (journal,) = tmp_path.glob("*.journal")
    with journal.open("a") as opened:
        opened.write('{"alpha": 0.04, "tau_pul')
    assert [each["alpha"] for each in SweepFile(file.path, RECIPE).stored] == [0.01, 0.02]
    assert list(tmp_path.iterdir()) == [file.path]


def test_a_kill_before_the_journal_is_deleted_doubles_nothing(tmp_path: Path) -> None:
    file = resting(tmp_path / "sweep.h5")
    file.add(point(0.02, 400.0))
    (journal,) = tmp_path.glob("*.journal")
    lines = journal.read_text()
    file.write()
    assert not journal.exists()
    journal.write_text(lines)
    assert [each["alpha"] for each in SweepFile(file.path, RECIPE).stored] == [0.01, 0.02]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="the folder cannot be made.*Choose another with --out"):
        SweepFile(tmp_path / "file" / "sweep.h5", RECIPE)


def test_a_lattice_taken_for_a_run_is_told_and_no_damage_to_a_folder_of_runs(tmp_path: Path) -> None:
    file = SweepFile(tmp_path / "sweep.h5", RECIPE)
    file.add(point(0.08, 400.0))
    file.write()
    with pytest.raises(InputError, match=r"holds points of a lattice \(tplm kmc\), not a run"):
        open_run(file.path)
    written_run(tmp_path / "run.h5")
    found = read_catalogue(tmp_path)
    assert [run.path.name for run in found.runs] == ["run.h5"]
    assert found.unreadable == ()

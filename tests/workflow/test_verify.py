"""A run file that proves itself, and everything that was done to one is found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.store.test_sweeps import RECIPE, point
from tests.workflow.test_resume import LINE, interrupted, job, resume
from tplm_daq.errors import InputError
from tplm_daq.store.reader import RunFile, open_run
from tplm_daq.store.sweeps import SweepFile
from tplm_daq.workflow.verify import VerifyReport, verify_files, verify_run


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> RunFile:
    return open_run(job(tmp_path_factory.mktemp("sound"), *LINE).run().run_file)


def failed(report: VerifyReport) -> dict[str, str]:
    return {check.name: check.detail for check in report.checks if not check.is_ok}


def test_a_run_verifies_itself(sound: RunFile) -> None:
    report = verify_run(sound.path)
    assert report.exit_status == 0
    assert [check.name for check in report.checks] == ["recipes", "points", "counts", "analysis_1"]
    told = report.to_dict()
    assert told["is_ok"] is True
    assert "numbers and curves made again" in str(told["checks"])


def test_an_analysis_of_part_of_the_points_is_made_again_with_that_part(tmp_path: Path) -> None:
    path = interrupted(tmp_path, 12, *LINE)
    resume(path)
    report = verify_run(path)
    assert failed(report) == {}
    assert [check.name for check in report.checks][-2:] == ["analysis_1", "analysis_2"]


def change_count(entry: h5py.Group) -> None:
    entry["counts"][7, 40] += 1000


def change_count_and_sum(entry: h5py.Group) -> None:
    entry["counts"][7, 40] += 1000
    entry["data/counts"][7, 40] += 1000


def exchange_indices(entry: h5py.Group) -> None:
    index = entry["points/index"]
    index[2], index[6] = index[6], index[2]


def exchange_places_too(entry: h5py.Group) -> None:
    exchange_indices(entry)
    for name in ("x_nm", "x_readback_nm"):
        column = entry["points"][name]
        column[2], column[6] = column[6], column[2]


def edit_recipe(entry: h5py.Group) -> None:
    note = entry["recipe/data"]
    note[()] = note.asstr()[()].replace("10 nW", "12 nW")


def edit_analysis_recipe(entry: h5py.Group) -> None:
    note = entry["analysis_1/recipe/data"]
    note[()] = note.asstr()[()].replace("window: 3 ns", "window: 2 ns")


def edit_result(entry: h5py.Group) -> None:
    entry["analysis_1/result/diffusivity_cm2_s"][()] *= 1 + 1e-7


def break_recipe(entry: h5py.Group) -> None:
    entry["recipe/data"][()] = "kind: dance"


EDITS: list[tuple[Callable[[h5py.Group], None], dict[str, str]]] = [
    (change_count, {"counts": "position 7 in the plot", "analysis_1": "diffusivity_cm2_s is"}),
    (change_count_and_sum, {"analysis_1": " more differ: "}),
    (exchange_indices, {"points": "its index 6 stands for", "counts": "not the sum"}),
    (exchange_places_too, {"counts": "not the sum", "analysis_1": "becomes"}),
    (edit_recipe, {"recipes": "the recipe was changed after the run"}),
    (edit_analysis_recipe, {"recipes": "the recipe of analysis_1 was changed", "analysis_1": "becomes"}),
    (edit_result, {"analysis_1": "diffusivity_cm2_s is"}),
    (break_recipe, {"recipes": "kind"}),
]


@pytest.mark.parametrize(("edit", "said"), EDITS, ids=[edit.__name__ for edit, _ in EDITS])
def test_what_was_changed_is_found(
    edit: Callable[[h5py.Group], None], said: dict[str, str], sound: RunFile, tmp_path: Path
) -> None:
    path = tmp_path / "edited.h5"
    path.write_bytes(sound.path.read_bytes())
    with h5py.File(path, "r+") as file:
        edit(file["entry"])
    report = verify_run(path)
    assert report.exit_status == 1
    found = failed(report)
    assert found.keys() == said.keys()
    for name, text in said.items():
        assert text in found[name]


def test_a_run_cut_short_is_checked_as_far_as_it_goes(sound: RunFile, tmp_path: Path) -> None:
    path = tmp_path / "short.h5"
    path.write_bytes(sound.path.read_bytes())
    with h5py.File(path, "r+") as file:
        for name in ("analysis_1", "data", "finish_reason", "end_time"):
            del file["entry"][name]
        file["entry/points"].attrs["n_rows"] = np.int64(0)
    report = verify_run(path)
    assert (report.exit_status, report.checks[-1].detail) == (0, "no points")


def test_what_cannot_be_read_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        verify_run(tmp_path / "absent.h5")


def test_all_runs_of_a_folder_are_verified_and_files_of_a_lattice_passed_over(sound: RunFile, tmp_path: Path) -> None:
    inner = tmp_path / "series"
    inner.mkdir()
    shutil.copy(sound.path, inner / "good.h5")
    shutil.copy(sound.path, inner / "changed.h5")
    with h5py.File(inner / "changed.h5", "r+") as file:
        change_count(file["entry"])
    (tmp_path / "torn.h5").write_bytes(sound.path.read_bytes()[:4000])
    lattice = SweepFile(tmp_path / "lattice.h5", RECIPE)
    lattice.add(point(0.08, 400.0))
    lattice.write()
    found = {report.run_file.name: report for report in verify_files(tmp_path)}
    assert {name: report.exit_status for name, report in found.items()} == {"good.h5": 0, "changed.h5": 1, "torn.h5": 1}
    assert "damaged" in failed(found["torn.h5"])["file"]


def test_a_folder_without_runs_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there are no run files in this folder"):
        list(verify_files(tmp_path))

"""What a file that was tampered with, or written with wrong indices, is found to have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from tests.store.made_runs import counts, header, row, written_run
from tplm_daq.store.reader import open_run
from tplm_daq.store.writer import RunWriter


def edited(path: Path, edit: Callable[[h5py.Group], None]) -> list[str]:
    """Return the defects of a run file that somebody has edited."""
    with h5py.File(path, "r+") as file:
        edit(file["entry"])
    return open_run(path).defects()


@pytest.mark.parametrize("name", ["recipe", "rig", "analysis_1/recipe"])
def test_a_changed_recipe_does_not_have_its_hash(name: str, tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5")
    with RunWriter.reopen(path) as writer:
        writer.write_result("poisson", {"diffusivity_cm2_s": 0.1}, {}, "kind: analysis")

    def edit(entry: h5py.Group) -> None:
        entry[name]["data"][()] = "kind: other"

    called = "recipe of analysis_1" if name.startswith("analysis") else name
    assert edited(path, edit) == [f"the {called} was changed after the run: its hash is not the stored one"]


def test_two_exchanged_indices_do_not_fit_their_places(tmp_path: Path) -> None:
    def edit(entry: h5py.Group) -> None:
        index = entry["points/index"]
        index[6], index[8] = index[8], index[6]

    assert edited(written_run(tmp_path / "run.h5", finish_reason=None), edit) == [
        "point 6 was taken at 100.0, 0.0 nm, and its index 3 stands for 300.0, 0.0 nm",
        "point 8 was taken at 300.0, 0.0 nm, and its index 1 stands for 100.0, 0.0 nm",
    ]


def test_an_index_beyond_the_path_is_named(tmp_path: Path) -> None:
    def edit(entry: h5py.Group) -> None:
        entry["points/index"][2] = 5

    found = edited(written_run(tmp_path / "run.h5", finish_reason=None), edit)
    assert found == ["point 2 has the index 5, and the path has 5 positions"]


def test_a_changed_count_is_not_in_the_sum(tmp_path: Path) -> None:
    def edit(entry: h5py.Group) -> None:
        entry["counts"][7, 3] += 1

    found = edited(written_run(tmp_path / "run.h5"), edit)
    assert found == ["the counts at position 2 in the plot are not the sum of its points"]


def test_a_changed_sum_is_not_that_of_the_counts(tmp_path: Path) -> None:
    def edit(entry: h5py.Group) -> None:
        entry["data/counts"][4, 3] += 1

    found = edited(written_run(tmp_path / "run.h5"), edit)
    assert found == ["the counts at position 4 in the plot are not the sum of its points"]


def test_a_point_that_is_missing_in_the_plot_is_found(tmp_path: Path) -> None:
    def edit(entry: h5py.Group) -> None:
        entry["points"].attrs["n_rows"] = 4

    found = edited(written_run(tmp_path / "run.h5", n_points=5), edit)
    assert found == ["the plot has the shape (5, 32), the sums over the points (4, 32)"]


def test_points_taken_twice_or_before_the_last_ended_are_defects(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with RunWriter.create(path, header()) as writer:
        for number, start_s in ((0, 0.0), (1, 2.5), (1, 4.0)):
            writer.append(row(number, start_s=start_s, end_s=start_s + 2.1), counts(number))
    assert open_run(path).defects() == [
        "point 2 began before point 1 ended",
        "position 1 occurs more than once in pass 0",
    ]


def test_reference_positions_may_be_visited_again(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with RunWriter.create(path, header(recipe_text="passes: {reference_every: 2}")) as writer:
        for number, start_s in ((0, 0.0), (1, 2.5), (0, 5.0)):
            writer.append(row(number, start_s=start_s, end_s=start_s + 2.1), counts(number))
    assert open_run(path).defects() == []

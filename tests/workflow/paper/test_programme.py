"""The programme: its recipes hold, also when shortened, and figures are found by the names people type."""

from __future__ import annotations

from pathlib import Path

import pytest

from tplm_daq.commands.reproduction import offer_figures
from tplm_daq.errors import InputError
from tplm_daq.recipes.load import shipped_configs
from tplm_daq.workflow.paper.inputs import simulator_inputs
from tplm_daq.workflow.paper.programme import ITEMS, PARTS, chosen_parts, items_of
from tplm_daq.workflow.paper.reproduce import MADE, plan_reproduction
from tplm_daq.workflow.paper.tasks import SeriesTask, load_task


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ([], tuple(PARTS)),
        (["4e"], ("4E",)),
        (["2b", "2C", "2A-E"], ("2A-E",)),
        (["Fig. 2h", "1d"], ("1D", "2F-H")),
        (["s2", "TEXT"], ("S2", "text")),
    ],
)
def test_figures_are_found_by_what_people_type(asked: list[str], found: tuple[str, ...]) -> None:
    assert chosen_parts(asked) == found


def test_the_shell_is_offered_figures() -> None:
    assert offer_figures("4") == ["4A", "4D", "4E"]
    assert offer_figures("t") == ["text"]


@pytest.mark.parametrize("asked", ["5A", "2I", "2", "", "1DD"])
def test_an_unknown_figure_is_answered_with_those_there_are(asked: str) -> None:
    with pytest.raises(InputError, match="no such figure. There are 1D, 1E, 1F, 2A-E, 2F-H, 3A.*4E, S2, text"):
        chosen_parts([asked])


def test_every_figure_is_made_from_items_that_exist_and_every_item_is_needed() -> None:
    assert MADE.keys() == PARTS.keys()
    needed = {name for part in PARTS.values() for name in part.needs}
    assert needed == set(ITEMS)
    assert [item.name for item in items_of(["4A"])] == ["power", "cold"]


@pytest.mark.parametrize("is_quick", [False, True])
@pytest.mark.parametrize("name", ITEMS)
def test_a_recipe_of_the_programme_can_be_carried_out(name: str, is_quick: bool, tmp_path: Path) -> None:
    task = load_task(ITEMS[name], tmp_path, is_quick)
    assert task.n_done == 0 < task.n_conditions
    assert task.seconds_left > 0
    if isinstance(task, SeriesTask):
        assert task.microscope_seconds > 60
    assert not any(tmp_path.iterdir())


def test_every_shipped_recipe_of_the_folder_is_used() -> None:
    used = {item.file for item in ITEMS.values()} | {"rig_paper.yaml", "scan_paper.yaml", "scan_paper_long.yaml"}
    assert {path.name for path in (shipped_configs() / "paper").glob("*.yaml")} == used


def test_the_quick_programme_is_shorter_and_kept_apart_where_it_differs(tmp_path: Path) -> None:
    full, quick = (plan_reproduction([], tmp_path, is_quick) for is_quick in (False, True))
    assert quick.seconds_left(1) < 0.7 * full.seconds_left(1)
    assert full.seconds_left(1) / 2 < full.seconds_left(2) < full.seconds_left(1)
    assert full.seconds_left(100) == full.seconds_left(200) > max(task.seconds_left for task in full.tasks)
    for one, other in zip(full.tasks, quick.tasks, strict=True):
        assert (one.folder == other.folder) is (one.recipe == other.recipe)


def test_a_task_is_named_with_the_figures_of_the_plan_that_need_it(tmp_path: Path) -> None:
    wanted = {
        ("3B",): ["filters (3B)"],
        ("4E",): ["lattice (4E)", "power (4E)"],
        ("1D", "4E"): ["lattice (4E)", "power (1D and 1 other)"],
        ("1D", "1E", "1F"): ["power (1D and 2 others)"],
    }
    for figures, names in wanted.items():
        plan = plan_reproduction(figures, tmp_path, is_quick=True)
        assert [plan.name_of(task) for task in plan.tasks] == names


def test_what_is_put_into_the_simulator_is_told_with_what_is_ours() -> None:
    told = simulator_inputs()
    assert told["ola-oa (OLA/OA ligands)"] == "D∞ = 0.01 cm²/s, D0 = 0.15 cm²/s, τ(300 K) = 6 µs"
    assert any("(ours)" in name for name in told)
    assert "40 µs at 50 K" in told["memory against temperature (ours)"]

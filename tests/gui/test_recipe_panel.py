"""The recipe panel: checks as one types, the words of the command line, files, and the way to a run."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from tests.gui.waiting import choose_file, wait_for
from tests.rig.conftest import rig_recipe
from tests.workflow.test_calibrated import calibrate
from tplm_daq.errors import InputError
from tplm_daq.gui.recipe_panel import RecipePanel
from tplm_daq.gui.theme import DARK
from tplm_daq.recipes.load import apply_overrides, find_config, read_yaml, resolve_references, shipped_configs, validate
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.workflow.load import load_scan


def button(panel: RecipePanel, name: str) -> QPushButton:
    return next(each for each in panel.findChildren(QPushButton) if each.accessibleName() == name)


def check(panel: RecipePanel) -> str:
    return next(each for each in panel.findChildren(QLabel) if each.accessibleName() == "Result of the check").text()


def write(panel: RecipePanel, text: str, *keys: str) -> None:
    editor = panel.form.editor(*keys)
    assert isinstance(editor, QLineEdit)
    editor.setText(text)


@pytest.fixture
def panel(qtbot: QtBot, tmp_path: Path) -> RecipePanel:
    made = RecipePanel(rig_recipe(), tmp_path)
    qtbot.addWidget(made)
    made.set_theme(DARK)
    made.resize(1366, 700)
    made.show()
    made.set_recipe("scan_line.yaml")
    wait_for(qtbot, lambda: "points" in check(made))
    return made


def test_what_will_happen_is_told(panel: RecipePanel) -> None:
    text = check(panel)
    for part in ("18 min", "410 = 41 positions × 10 passes", "20 kcps", "if D is 0.05 cm²/s", "± 0.7"):
        assert part in text


def test_a_change_is_checked_by_itself(qtbot: QtBot, panel: RecipePanel) -> None:
    with qtbot.waitSignal(panel.recipe_changed):
        write(panel, "2 s", "passes", "dwell")
    wait_for(qtbot, lambda: "18 min" not in check(panel))
    assert button(panel, "Run this recipe now").isEnabled()


def test_a_mistake_is_told_beside_the_field_in_the_words_of_the_command_line(qtbot: QtBot, panel: RecipePanel) -> None:
    write(panel, "20", "passes", "dwell")
    write(panel, "60 nm", "counter", "span")
    assert panel.recipe() is None
    path = find_config("scan_line.yaml")
    data = resolve_references(read_yaml(path), path.parent, ["analysis"])
    changed = apply_overrides(data, ["passes.dwell='20'", "counter.span=60 nm"])
    with pytest.raises(InputError) as refused:
        validate(ScanRecipe, changed, "the recipe")
    told = {panel.form.problem("passes", "dwell"), panel.form.problem("counter", "span")}
    assert {f"⚠ {line.removeprefix('the recipe: ')}" for line in str(refused.value).splitlines()} == told
    assert "2 things are wrong" in check(panel)
    for name in ("Run this recipe now", "Run this recipe after others", "Save the recipe"):
        assert not button(panel, name).isEnabled()


def test_what_contradicts_itself_is_told_above_its_section(panel: RecipePanel) -> None:
    write(panel, "5 %", "passes", "target_precision")
    assert panel.recipe() is None
    assert "give one of them" in panel.form.problem("passes")


def test_what_the_rig_cannot_do_is_told_and_not_run(qtbot: QtBot, panel: RecipePanel) -> None:
    write(panel, "150 nW", "light", "average_power")
    wait_for(qtbot, lambda: "cannot do this" in check(panel))
    assert "light.average_power: 150 nW is outside 0 to 100 nW" in check(panel)
    assert panel.recipe() is not None
    assert not button(panel, "Run this recipe now").isEnabled()
    panel.set_rig(rig_recipe("limits.average_power=200nW"))
    wait_for(qtbot, lambda: button(panel, "Run this recipe now").isEnabled())


def test_the_recipe_is_what_is_in_the_form_also_right_after_typing(panel: RecipePanel) -> None:
    write(panel, "21", "path", "n_positions")
    recipe = panel.recipe()
    assert recipe is not None
    assert recipe.path.n_positions == 21


def test_run_and_queue_hand_over_recipe_and_rig(qtbot: QtBot, panel: RecipePanel) -> None:
    for name, signal in (
        ("Run this recipe now", panel.run_requested),
        ("Run this recipe after others", panel.queue_requested),
    ):
        with qtbot.waitSignal(signal) as asked:
            button(panel, name).click()
        assert asked.args == [load_scan("scan_line.yaml", "rig_sim.yaml", [])[0], rig_recipe()]


def test_while_a_scan_is_under_way_one_can_queue_but_not_run(panel: RecipePanel) -> None:
    panel.set_busy(True)
    assert not button(panel, "Run this recipe now").isEnabled()
    assert button(panel, "Run this recipe after others").isEnabled()
    panel.set_busy(False)
    assert button(panel, "Run this recipe now").isEnabled()


def test_changes_are_marked_until_they_are_saved_and_what_is_saved_is_the_recipe(
    panel: RecipePanel, tmp_path: Path
) -> None:
    assert not panel.is_unsaved
    write(panel, "3 s", "passes", "dwell")
    assert panel.is_unsaved
    assert any("not saved" in label.text() for label in panel.findChildren(QLabel))
    path = tmp_path / "mine.yaml"
    panel.save_as(path)
    assert not panel.is_unsaved
    assert load_scan(str(path), "rig_sim.yaml", [])[0] == panel.recipe()
    write(panel, "4 s", "passes", "dwell")
    panel.save()
    assert load_scan(str(path), "rig_sim.yaml", [])[0].passes.dwell_s == 4.0


def test_a_recipe_that_came_with_the_program_is_not_overwritten(panel: RecipePanel, tmp_path: Path) -> None:
    before = (shipped_configs() / "scan_line.yaml").read_text()
    target = tmp_path / "copy.yaml"
    write(panel, "3 s", "passes", "dwell")
    button(panel, "Save the recipe").click()
    choose_file(panel, target)
    assert target.is_file()
    assert (shipped_configs() / "scan_line.yaml").read_text() == before


def test_a_file_that_cannot_be_used_or_written_is_told_and_the_form_stays(panel: RecipePanel, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("kind: scan\ntitel: x\n")
    before = panel.form.data()
    button(panel, "Open a recipe file").click()
    choose_file(panel, bad)
    assert "Write &quot;title&quot; instead." in check(panel)
    assert panel.form.data() == before
    panel.save_as(tmp_path / "no" / "folder.yaml")
    assert "cannot be written" in check(panel)


def test_a_recipe_itself_can_be_set(panel: RecipePanel) -> None:
    recipe = load_scan("scan_map.yaml", "rig_sim.yaml", [])[0]
    panel.set_recipe(recipe)
    assert panel.recipe() == recipe
    assert not panel.is_unsaved


@pytest.mark.parametrize("recipe", ["scan_line.yaml", "series_power.yaml", "align_spot.yaml"])
def test_the_calibrations_that_the_run_would_take_over_are_named(
    recipe: str, panel: RecipePanel, tmp_path: Path, qtbot: QtBot
) -> None:
    assert "calibrated" not in check(panel)
    used = calibrate(tmp_path, "response").path.name
    left = calibrate(tmp_path, "dark", age=timedelta(hours=2)).path.name
    panel.set_recipe(recipe)
    wait_for(qtbot, lambda: f"response ({used})" in check(panel))
    assert f"dark ({left}): expired 20" in check(panel)


def test_what_a_run_has_calibrated_is_looked_up_when_it_has_ended(
    panel: RecipePanel, tmp_path: Path, qtbot: QtBot
) -> None:
    panel.set_busy(True)
    used = calibrate(tmp_path, "response").path.name
    assert used not in check(panel)
    panel.set_busy(False)
    wait_for(qtbot, lambda: f"response ({used})" in check(panel))

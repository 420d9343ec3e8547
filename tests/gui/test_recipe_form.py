"""The form and the recipe are each other's picture, in both directions; problems stand where they belong."""

from __future__ import annotations

from typing import Any

import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QApplication, QCheckBox, QComboBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from tplm_daq.gui.recipe_form import RecipeForm
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.recipes.load import dump_yaml, shipped_configs, validate
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.workflow.load import load_scan

SHIPPED = sorted(path.name for path in shipped_configs().glob("scan_*.yaml"))


def recipe_of(name: str, *changes: str) -> ScanRecipe:
    return load_scan(name, "rig_sim.yaml", changes)[0]


def file_data(recipe: ScanRecipe) -> dict[str, Any]:
    return parse_mapping(dump_yaml(recipe), "recipe")


@pytest.fixture
def form(qtbot: QtBot) -> RecipeForm:
    made = RecipeForm(ScanRecipe)
    qtbot.addWidget(made)
    for group in made.groups:
        qtbot.addWidget(group)
    made.set_data(file_data(recipe_of("scan_line.yaml")))
    return made


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_recipe_goes_through_the_form_unchanged(form: RecipeForm, name: str) -> None:
    recipe = recipe_of(name)
    form.set_data(file_data(recipe))
    assert validate(ScanRecipe, form.data(), "form") == recipe


@pytest.mark.parametrize(
    "changes",
    [
        ["temperature=4.2K", "spot=[1 um, 2.5 um]", "detection_filter='OD 1, 2'"],
        ["path.centre=150 nm", "passes.reference_every=5", "passes.seed=7", "passes.order=shuffled"],
        ["analysis.corrections.drift=false", "analysis.method=paper", "title='2026: a # test'"],
        ["passes={dwell: 5 s, allocation: table, table: [1, 2, 3, 2, 1]}", "path.n_positions=5"],
    ],
)
def test_whatever_a_recipe_says_goes_through_the_form_unchanged(form: RecipeForm, changes: list[str]) -> None:
    recipe = recipe_of("scan_line.yaml", *changes)
    form.set_data(file_data(recipe))
    assert validate(ScanRecipe, form.data(), "form") == recipe


@pytest.mark.parametrize(
    ("keys", "act", "value"),
    [
        (("passes", "dwell"), lambda editor: editor.setText("2 min"), "2 min"),
        (("path", "n_positions"), lambda editor: editor.setText("21"), 21),
        (("counter", "mode"), lambda editor: editor.setCurrentText("t3"), "t3"),
        (("analysis", "corrections", "drift"), lambda editor: editor.setChecked(False), False),
        (("session", "notes"), lambda editor: editor.setText(" new film "), "new film"),
    ],
)
def test_what_is_typed_is_in_the_data_and_is_told(
    qtbot: QtBot, form: RecipeForm, keys: tuple[str, ...], act: Any, value: object
) -> None:
    with qtbot.waitSignal(form.changed):
        act(form.editor(*keys))
    here: Any = form.data()
    for key in keys:
        here = here[key]
    assert here == value


def test_what_is_emptied_is_left_out(form: RecipeForm) -> None:
    editor = form.editor("passes", "n_passes")
    assert isinstance(editor, QLineEdit)
    editor.clear()
    assert "n_passes" not in form.data()["passes"]


def test_setting_data_is_no_change_by_somebody(qtbot: QtBot, form: RecipeForm) -> None:
    with qtbot.assertNotEmitted(form.changed):
        form.set_data(file_data(recipe_of("scan_map.yaml")))


def test_the_shape_of_the_path_decides_what_is_asked(form: RecipeForm) -> None:
    selector = next(each for box in form.groups for each in box.findChildren(QComboBox) if each.itemText(0) == "line")
    selector.setCurrentText("raster")
    assert form.data()["path"]["shape"] == "raster"
    assert "n_positions" not in form.data()["path"]
    form.set_problems({("path", "n_x"): "path.n_x is missing."})
    assert form.problem("path", "n_x") == "⚠ path.n_x is missing."
    selector.setCurrentText("line")
    assert form.data()["path"]["n_positions"] == 41


def test_problems_stand_beside_their_field_or_above_their_section_and_go_away(form: RecipeForm) -> None:
    problems: dict[tuple[str | int, ...], str] = {
        ("passes", "dwell"): "a",
        ("passes",): "b",
        ("spot", 1): "c",
        ("nonsense",): "d",
        (): "e",
    }
    form.set_problems(problems)
    assert form.problem("passes", "dwell") == "⚠ a"
    assert form.problem("passes") == "⚠ b"
    assert form.problem("spot") == "⚠ c"
    assert form.problem() == "⚠ d\n⚠ e"
    form.set_problems({})
    assert not any(form.problem(*keys) for keys in [("passes", "dwell"), ("passes",), ("spot",), ()])


def test_scrolling_past_a_choice_does_not_change_it(form: RecipeForm) -> None:
    editor, nothing = form.editor("counter", "mode"), Qt.MouseButton.NoButton
    at, down = QPointF(5, 5), QPoint(0, -120)
    phase, keys = Qt.ScrollPhase.NoScrollPhase, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(editor, QWheelEvent(at, at, down, down, nothing, keys, phase, False))
    assert form.data()["counter"]["mode"] == "histogram"


def test_every_control_has_a_name_and_says_what_it_wants(form: RecipeForm) -> None:
    editors: list[QWidget] = []
    for box in form.groups:
        editors += [*box.findChildren(QLineEdit), *box.findChildren(QComboBox), *box.findChildren(QCheckBox)]
    assert len(editors) > 40
    assert all(editor.accessibleName() for editor in editors)
    assert "such as 2.5 MHz" in form.editor("light", "repetition_rate").toolTip()

"""Every kind of recipe is edited in a form made from its model, checked, and told in a line."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtWidgets import QComboBox, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.gui.waiting import wait_for
from tests.rig.conftest import rig_recipe
from tplm_daq.gui.check_text import check_text
from tplm_daq.gui.excitation import excitation_of, film_lattice
from tplm_daq.gui.form_fields import text_of
from tplm_daq.gui.recipe_document import Document
from tplm_daq.gui.recipe_kinds import KINDS, Kind, asks_for, is_measured, kind_of
from tplm_daq.gui.recipe_panel import RecipePanel
from tplm_daq.recipes.dialect import parse_mapping, parse_value
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.recipes.load import apply_overrides, dump_yaml, shipped_configs, validate
from tplm_daq.workflow.jobs import check_recipe
from tplm_daq.workflow.load import AnyRecipe, load_recipe

SHIPPED = sorted(
    path.name for path in shipped_configs().glob("*.yaml") if not path.name.startswith(("rig", "analysis"))
)
NOW = datetime(2026, 1, 2, 20, 0)


def kind(name: str) -> Kind:
    return next(each for each in KINDS if each.name == name)


def changed(name: str, *changes: str) -> AnyRecipe:
    recipe = load_recipe(name)[1]
    data = apply_overrides(parse_mapping(dump_yaml(recipe), "recipe"), changes)
    return validate(kind_of(recipe).model, data, "recipe")


@pytest.fixture
def series(qtbot: QtBot) -> Document:
    made = Document(kind("Series of scans"))
    qtbot.addWidget(made.page)
    return made


def button(within: QWidget, name: str) -> QPushButton:
    return next(each for each in within.findChildren(QPushButton) if each.accessibleName() == name)


def write(document: Document, text: str, *keys: str) -> None:
    editor = document.form.editor(*keys)
    assert isinstance(editor, QLineEdit)
    editor.setText(text)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_recipe_goes_through_its_form_unchanged(qtbot: QtBot, name: str) -> None:
    path, recipe = load_recipe(name)
    document = Document(kind_of(recipe))
    qtbot.addWidget(document.page)
    document.show(recipe, path)
    assert document.validated() == (recipe, {})
    assert not document.is_unsaved


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        (
            "series_rate.yaml",
            ["vary=[{sample: [ola-oa]}, {detection_filter: ['L, 5', '2'], spot: [[0 nm, 1 um], [2 um, 3 nm]]}]"],
        ),
        (
            "kmc_paper.yaml",
            [
                "lattice.stages=[{p_hop: 0.1, relaxation_time: 30 us}, {p_hop: 0.05, relaxation_time: 1 ms}]",
                "lattice.neighbours=6",
            ],
        ),
        ("align_spot.yaml", ["centre=[100 nm, -1 um]", "session.notes=night"]),
    ],
)
def test_lists_of_sections_go_through_the_form_unchanged(qtbot: QtBot, name: str, changes: list[str]) -> None:
    recipe = changed(name, *changes)
    document = Document(kind_of(recipe))
    qtbot.addWidget(document.page)
    document.show(recipe, None)
    assert document.validated()[0] == recipe


def test_items_are_added_filled_and_removed(series: Document) -> None:
    button(series.page, "Add an item to vary").click()
    write(series, "[0.5 MHz, 1 MHz]", "vary", "1", "repetition_rate")
    recipe, _ = series.validated()
    assert recipe is not None
    assert recipe.kind == "series"
    assert len(recipe.conditions) > 10
    assert series.is_unsaved
    button(series.page, "Remove item 1 of vary").click()
    assert series.form.data()["vary"] == [{"repetition_rate": ["0.5 MHz", "1 MHz"]}]
    button(series.page, "Remove item 1 of vary").click()
    assert series.validated()[0] is None
    assert "vary is empty" in series.form.problem()


def test_adding_and_removing_are_changes_by_somebody(qtbot: QtBot, series: Document) -> None:
    for name in ("Add an item to vary", "Remove item 2 of vary"):
        with qtbot.waitSignal(series.form.changed):
            button(series.page, name).click()
    assert not series.is_unsaved


def test_problems_stand_beside_the_field_of_their_item_or_above_the_list(series: Document) -> None:
    button(series.page, "Add an item to vary").click()
    write(series, "[1 nm]", "vary", "1", "average_power")
    write(series, "20", "scan", "passes", "dwell")
    assert series.validated()[0] is None
    assert "is not a unit of power" in series.form.problem("vary", "1", "average_power")
    assert series.form.problem("vary", "0", "average_power") == ""
    assert "needs its unit" in series.form.problem("scan", "passes", "dwell")
    series.form.set_problems({("vary",): "all", ("vary", 7): "none such", ("vary", 0): "this"})
    assert series.form.problem("vary") == "⚠ all\n⚠ none such"
    assert series.form.problem("vary", "0") == "⚠ this"


def test_a_scan_inside_a_series_has_boxes_of_its_own(series: Document) -> None:
    titles = [box.title() for box in series.form.groups]
    assert titles[:3] == ["Series", "Vary", "Scan"]
    assert {"Scan: light", "Scan: path", "Scan: passes", "Scan: analysis"} <= set(titles)


def test_a_choice_of_numbers_stays_one_of_numbers(qtbot: QtBot) -> None:
    document = Document(kind("Lattice sweep"))
    qtbot.addWidget(document.page)
    editor = document.form.editor("lattice", "neighbours")
    assert isinstance(editor, QComboBox)
    editor.setCurrentText("6")
    assert document.form.data()["lattice"]["neighbours"] == 6


def test_every_field_of_every_kind_has_a_name_and_help(qtbot: QtBot) -> None:
    for each in KINDS:
        document = Document(each)
        qtbot.addWidget(document.page)
        editors: list[Any] = [*document.page.findChildren(QLineEdit), *document.page.findChildren(QComboBox)]
        assert len(editors) > 5
        assert all(editor.accessibleName() for editor in editors)
    assert "A list, such as [0.5]." in document.form.editor("alpha").toolTip()
    assert "such as [0.4 us]" in document.form.editor("tau_pulse").toolTip()


@pytest.mark.parametrize("value", [["a, b", "2", "c"], [["0 nm", "1 um"]], ["true"]])
def test_items_that_would_be_misread_are_quoted(value: list[object]) -> None:
    assert parse_value(text_of(value), "list") == value


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("series_power.yaml", ["2 h 08 min", "4. 1 nW (again)", "16 kcps", "0.81 %", "above 1.0%"]),
        ("align_spot.yaml", ["290", "60 min"]),
        ("kmc_quick.yaml", ["6, 300 pulses each", "one process", "0.625 µs"]),
    ],
)
def test_what_a_recipe_takes_and_gives_is_told(name: str, parts: list[str]) -> None:
    text = check_text(*check_recipe(load_recipe(name)[1], rig_recipe(), Path("nowhere")), NOW)
    for part in parts:
        assert part in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("series_power.yaml", "7 conditions, average power varied; 10 nW, 2.5 MHz, dwell 20 s"),
        ("series_rate.yaml", "8 conditions, average power × repetition rate varied; 10 nW, 2.5 MHz, dwell 20 s"),
        ("scan_precision.yaml", "10 nW, 2.5 MHz, to 5 %"),
        ("align_focus.yaml", "focus, 10 nW, 2.5 MHz, 180 points"),
        ("kmc_quick.yaml", "6 conditions, pulses every 0.05 to 1.6 µs, 300 of each condition"),
    ],
)
def test_what_a_recipe_asks_for_fits_in_a_line(name: str, said: str) -> None:
    recipe = load_recipe(name)[1]
    assert asks_for(recipe) == said
    assert is_measured(recipe) is (name != "kmc_quick.yaml")


def test_each_kind_keeps_what_is_being_edited(qtbot: QtBot) -> None:
    panel = RecipePanel(rig_recipe(), Path("nowhere"))
    qtbot.addWidget(panel)
    selector = next(each for each in panel.findChildren(QComboBox) if each.accessibleName() == "Kind of recipe")
    panel.set_recipe("scan_line.yaml")
    editor = panel.form.editor("title")
    assert isinstance(editor, QLineEdit)
    editor.setText("mine")
    selector.setCurrentText("Alignment: focus")
    recipe = panel.recipe()
    assert recipe is not None
    assert recipe.kind == "align"
    assert not panel.is_unsaved
    panel.set_recipe("kmc_quick.yaml")
    assert selector.currentText() == "Lattice sweep"
    selector.setCurrentText("Scan")
    assert panel.is_unsaved
    assert panel.form.data()["title"] == "mine"
    wait_for(qtbot, lambda: not panel._job.is_working)


def test_a_lattice_recipe_is_shown_by_its_own_lattice_and_a_series_by_the_light_of_its_scan() -> None:
    lattice = changed("kmc_quick.yaml", "lattice.p_slow=0.01", "lattice.spot_fwhm=500 nm")
    assert isinstance(lattice, KmcRecipe)
    shown = excitation_of(lattice)
    assert (shown.lattice, shown.t_exc_us) == (lattice.lattice, pytest.approx(0.625))
    assert film_lattice(shown.lattice).size == 401
    assert film_lattice(shown.lattice).p_slow == 0.01
    assert excitation_of(load_recipe("series_power.yaml")[1]).t_exc_us == pytest.approx(5.0)

"""The queue: its order is what the list shows, one run at a time, and a failure goes back and stops it."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QListWidget, QPushButton
from pytestqt.qtbot import QtBot

from tests.rig.conftest import rig_recipe
from tplm_daq.gui.queue_panel import QueuePanel
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.workflow.load import load_scan

RIG = rig_recipe()


def recipe(title: str) -> ScanRecipe:
    return load_scan("scan_line.yaml", "rig_sim.yaml", [f"title={title}"])[0]


def button(panel: QueuePanel, text: str) -> QPushButton:
    return next(each for each in panel.findChildren(QPushButton) if each.text().replace("&", "").startswith(text))


def listed(panel: QueuePanel) -> QListWidget:
    found = panel.findChild(QListWidget)
    assert isinstance(found, QListWidget)
    return found


def titles(panel: QueuePanel) -> str:
    return "".join(run.recipe.title for run in panel.runs)


@pytest.fixture
def panel(qtbot: QtBot) -> QueuePanel:
    made = QueuePanel()
    qtbot.addWidget(made)
    for title in "ABC":
        made.add(recipe(title), RIG)
    made.show()
    return made


def test_the_list_shows_what_waits_with_its_light(panel: QueuePanel) -> None:
    texts = [listed(panel).item(row).text() for row in range(3)]  # type: ignore[union-attr]
    assert [text.split("\n")[0] for text in texts] == ["1. A", "2. B", "3. C"]
    assert "10 nW, 2.5 MHz, dwell 20 s" in texts[0]


@pytest.mark.parametrize(
    ("chosen", "act", "result"),
    [
        (2, "Move up", "ACB"),
        (0, "Move down", "BAC"),
        (1, "Duplicate", "ABBC"),
        (1, "Remove", "AC"),
    ],
)
def test_runs_are_put_in_order_doubled_and_removed(panel: QueuePanel, chosen: int, act: str, result: str) -> None:
    listed(panel).setCurrentRow(chosen)
    button(panel, act).click()
    assert titles(panel) == result
    assert listed(panel).count() == len(result)


@pytest.mark.parametrize(
    ("keys", "modifier", "result"),
    [
        (Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier, "ACB"),
        (Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier, "ABCC"),
        (Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier, "AB"),
    ],
)
def test_the_keys_do_the_same(
    qtbot: QtBot, panel: QueuePanel, keys: Qt.Key, modifier: Qt.KeyboardModifier, result: str
) -> None:
    qtbot.waitExposed(panel)
    panel.activateWindow()
    listed(panel).setFocus()
    listed(panel).setCurrentRow(2)
    qtbot.waitUntil(listed(panel).hasFocus)
    qtbot.keyClick(listed(panel), keys, modifier)
    assert titles(panel) == result


def test_what_is_not_possible_cannot_be_pressed(panel: QueuePanel) -> None:
    listed(panel).setCurrentRow(0)
    assert not button(panel, "Move up").isEnabled()
    listed(panel).setCurrentRow(2)
    assert not button(panel, "Move down").isEnabled()
    for _ in range(3):
        button(panel, "Remove").click()
    assert not any(button(panel, text).isEnabled() for text in ("Remove", "Duplicate", "Edit", "Move up"))


def test_started_it_asks_for_one_run_after_the_other(qtbot: QtBot, panel: QueuePanel) -> None:
    asked: list[str] = []
    panel.run_requested.connect(lambda scan, rig: asked.append(scan.title))
    button(panel, "Start").click()
    assert asked == ["A"]
    panel.set_busy(True)
    for _ in range(3):
        panel.set_busy(False)
        panel.run_ended("")
        panel.set_busy(bool(panel.runs))
    assert asked == ["A", "B", "C"]
    assert panel.runs == ()
    panel.set_busy(False)
    panel.add(recipe("D"), RIG)
    assert asked[-1] == "D"


def test_a_run_from_elsewhere_is_waited_for(panel: QueuePanel) -> None:
    asked: list[str] = []
    panel.run_requested.connect(lambda scan, rig: asked.append(scan.title))
    panel.set_busy(True)
    button(panel, "Start").click()
    assert asked == []
    panel.set_busy(False)
    panel.run_ended("")
    assert asked == ["A"]
    assert titles(panel) == "BC"


def test_a_failed_run_goes_back_with_its_reason_and_the_queue_stops(panel: QueuePanel) -> None:
    asked: list[str] = []
    panel.run_requested.connect(lambda scan, rig: asked.append(scan.title))
    button(panel, "Start").click()
    panel.run_ended("trigger: no answer in time")
    assert asked == ["A"]
    assert not panel.is_started
    assert titles(panel) == "ABC"
    assert panel.runs[0].reason == "trigger: no answer in time"
    assert "✖ trigger: no answer in time" in listed(panel).item(0).text()  # type: ignore[union-attr]


def test_a_failure_elsewhere_stops_the_queue_too(panel: QueuePanel) -> None:
    panel.set_busy(True)
    button(panel, "Start").click()
    panel.set_busy(False)
    panel.run_ended("LIGHT MAY BE ON")
    assert not panel.is_started
    assert titles(panel) == "ABC"


def test_a_run_can_be_looked_at_in_the_form(qtbot: QtBot, panel: QueuePanel) -> None:
    listed(panel).setCurrentRow(1)
    with qtbot.waitSignal(panel.edit_requested) as asked:
        button(panel, "Edit").click()
    assert asked.args[0].title == "B"


def test_it_says_what_it_does_and_how_many_wait(qtbot: QtBot, panel: QueuePanel) -> None:
    numbers: list[int] = []
    panel.changed.connect(numbers.append)
    assert panel._head.text() == "3 runs wait, and begin by themselves once it is started."
    button(panel, "Start").click()
    assert panel._head.text() == "▶ A is under way. 2 runs wait, and begin by themselves."
    assert numbers[-1] == 2
    button(panel, "Stop after this run").click()
    assert panel._head.text() == "▶ A is under way. 2 runs wait; the queue stops after it."
    for _ in range(2):
        listed(panel).setCurrentRow(0)
        button(panel, "Remove").click()
    panel.run_ended("")
    assert panel._head.text().startswith("Nothing waits.")
    assert numbers[-1] == 0

"""The browser: the table is what is in the folder, and what is chosen is compared, opened, exported, reported."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from tests.gui.waiting import choose_file, wait_for
from tests.rig.conftest import rig_recipe
from tests.workflow.test_comparison import measured
from tests.workflow.test_files import run_of_example
from tplm_daq.gui.browser import RunBrowser
from tplm_daq.gui.theme import LIGHT

POWERS_NW = (1.0, 2.0, 5.0, 10.0, 20.0)


def d_cm2_s(power_nw: float) -> float:
    return 0.01 + 0.14 * float(np.exp(-50.0 / power_nw / 6.0))


@pytest.fixture(scope="module")
def measured_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for power_nw in POWERS_NW:
        measured(folder / f"run-{power_nw:g}.h5", power_nw, d_cm2_s(power_nw), title=f"film, {power_nw:g} nW")
    return folder


@pytest.fixture
def browser(qtbot: QtBot, measured_once: Path, tmp_path: Path) -> RunBrowser:
    folder = tmp_path / "runs"
    shutil.copytree(measured_once, folder)
    made = RunBrowser(folder, rig_recipe())
    qtbot.addWidget(made)
    made.set_theme(LIGHT)
    made.resize(1366, 700)
    made.show()
    wait_for(qtbot, lambda: made.table.rowCount() == len(POWERS_NW))
    wait_for(qtbot, lambda: made.table.next_without_picture() is None)
    return made


def button(browser: RunBrowser, name: str) -> QPushButton:
    return next(each for each in browser.findChildren(QPushButton) if each.accessibleName() == name)


def message(browser: RunBrowser) -> str:
    labels = browser.findChildren(QLabel)
    return next(each for each in labels if each.accessibleName() == "Messages about the runs").text()


def line(browser: RunBrowser, name: str) -> QLineEdit:
    return next(each for each in browser.findChildren(QLineEdit) if each.accessibleName() == name)


def test_each_run_has_a_row_with_its_picture_light_and_diffusivity(browser: RunBrowser) -> None:
    rows = [[browser.table.item(row, column).text() for column in range(10)] for row in range(5)]  # type: ignore[union-attr]
    titles = {row[2]: row for row in rows}
    assert titles["film, 10 nW"][4:6] == ["10", "2.5"]
    assert titles["film, 10 nW"][7].startswith("0.0708")
    assert titles["film, 10 nW"][9] == "completed"
    assert not any(browser.table.item(row, 0).icon().isNull() for row in range(5))  # type: ignore[union-attr]
    assert "5 runs" in message(browser)


def test_the_search_selects_by_title(browser: RunBrowser) -> None:
    line(browser, "Part of title or sample").setText("20 nw")
    assert browser.table.rowCount() == 1
    line(browser, "Part of title or sample").clear()
    assert browser.table.rowCount() == 5


def test_chosen_runs_are_compared_and_the_relaxation_is_fitted(qtbot: QtBot, browser: RunBrowser) -> None:
    with qtbot.waitSignal(browser.compared) as compared:
        browser.table.selectAll()
    assert len(compared.args[0].paths) == 5
    labels = browser.series.findChildren(QLabel)
    fit = next(each for each in labels if each.accessibleName() == "Relaxation fit")
    wait_for(qtbot, lambda: fit.text().startswith("τ = 6"))


def test_one_run_can_be_opened_by_button_and_by_double_click(qtbot: QtBot, browser: RunBrowser) -> None:
    assert not button(browser, "Open the run in the live view, read only").isEnabled()
    browser.table.selectRow(2)
    path = browser.table.chosen_paths()[0]
    with qtbot.waitSignal(browser.open_requested) as opened:
        button(browser, "Open the run in the live view, read only").click()
    assert opened.args == [path]
    with qtbot.waitSignal(browser.open_requested) as opened:
        browser.table.itemActivated.emit(browser.table.item(2, 2))
    assert opened.args == [path]
    browser.table.selectAll()
    assert not button(browser, "Open the run in the live view, read only").isEnabled()


def test_data_are_exported_and_what_exists_is_kept(qtbot: QtBot, browser: RunBrowser) -> None:
    browser.table.selectRow(0)
    path = browser.table.chosen_paths()[0]
    button(browser, "Export the data of the chosen runs as npz").click()
    wait_for(qtbot, lambda: message(browser).splitlines()[0] == f"written: {path.with_suffix('.npz')}")
    button(browser, "Export the data of the chosen runs as npz").click()
    wait_for(qtbot, lambda: "exists" in message(browser))
    button(browser, "Export the data of the chosen runs as csv").click()
    wait_for(qtbot, lambda: path.with_suffix(".csv").is_file())


def test_one_thing_is_written_after_the_other(
    qtbot: QtBot, browser: RunBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = threading.Event()

    def slow(path: Path, to: str) -> Path:
        may_end.wait(20)
        return path.with_suffix(f".{to}")

    monkeypatch.setattr("tplm_daq.gui.browser.export_run", slow)
    browser.table.selectRow(0)
    writers = [button(browser, f"Export the data of the chosen runs as {to}") for to in ("npz", "csv")]
    writers[0].click()
    assert not any(each.isEnabled() for each in writers)
    browser.refresh()
    may_end.set()
    wait_for(qtbot, lambda: message(browser).startswith("written: "))
    assert all(each.isEnabled() for each in writers)
    wait_for(qtbot, lambda: message(browser).endswith("5 runs"))
    assert message(browser).startswith("written: ")  # what was read since does not hide it


def test_a_report_is_written_beside_the_run(qtbot: QtBot, browser: RunBrowser, tmp_path: Path) -> None:
    path = run_of_example(tmp_path / "runs" / "example.h5")
    browser.refresh()
    wait_for(qtbot, lambda: browser.table.rowCount() == 6)
    row = next(row for row, run in enumerate(browser.table._runs) if run.path == path)
    browser.table.selectRow(row)
    button(browser, "Write a page about the chosen runs").click()
    wait_for(qtbot, lambda: path.with_suffix(".html").is_file() and message(browser).startswith("written"))


def test_what_cannot_be_read_is_named_with_the_reason(qtbot: QtBot, browser: RunBrowser, tmp_path: Path) -> None:
    (tmp_path / "runs" / "broken.h5").write_bytes(b"no HDF5")
    button(browser, "Read the folder anew").click()
    wait_for(qtbot, lambda: "⚠ broken.h5" in message(browser))
    assert browser.table.rowCount() == 5


def test_a_folder_that_is_not_there_is_told(qtbot: QtBot, browser: RunBrowser, tmp_path: Path) -> None:
    qtbot.keyClicks(line(browser, "Folder with run files"), "/nowhere")
    qtbot.keyClick(line(browser, "Folder with run files"), Qt.Key.Key_Return)
    wait_for(qtbot, lambda: "no such folder" in message(browser))
    assert browser.table.rowCount() == 0
    button(browser, "Choose another folder").click()
    choose_file(browser, tmp_path / "runs")
    wait_for(qtbot, lambda: browser.table.rowCount() == 5)


def test_what_was_chosen_stays_chosen_when_the_folder_is_read_anew(qtbot: QtBot, browser: RunBrowser) -> None:
    browser.table.selectRow(1)
    chosen = browser.table.chosen_paths()
    measured(chosen[0].parent / "new.h5", 3.0, 0.02)
    browser.refresh()
    wait_for(qtbot, lambda: browser.table.rowCount() == 6)
    assert browser.table.chosen_paths() == chosen
    wait_for(qtbot, lambda: browser.table.next_without_picture() is None)

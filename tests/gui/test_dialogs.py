"""Dialogs: none holds up the window or keeps LIGHT OFF from anybody; what would be lost is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt6.QtCore import QSettings, Qt
from PyQt6.QtWidgets import QDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from simulators.bench import Bench
from tests.gui.driving import PATIENCE_MS, SLOW, MakeWindow, box_button, click, run_to_the_end, run_until, wait_for_end
from tests.gui.waiting import choose_file
from tplm_daq.gui.crash_dialog import CrashDialog, details_of
from tplm_daq.gui.file_question import SAVES, ask_for_file
from tplm_daq.gui.help import TOUR, HelpDialog, TourDialog
from tplm_daq.workflow.scan import ScanJob


@pytest.mark.parametrize("act", ["show_help", "show_tour", "open_run", "close"])
def test_light_off_is_reached_from_every_dialog(
    qtbot: QtBot, make_window: MakeWindow, bench: Callable[[], Bench], act: str
) -> None:
    window = make_window(SLOW)
    run_until(qtbot, window, 1)
    getattr(window, act)()
    (dialog,) = (each for each in window.findChildren(QDialog) if each.isVisible())
    assert not dialog.isModal()
    qtbot.waitUntil(dialog.isActiveWindow)
    qtbot.keyClick(dialog, Qt.Key.Key_F12)
    qtbot.waitUntil(lambda: bench().light().average_power_nw == 0)
    dialog.close()
    wait_for_end(qtbot, window)
    assert "light off" in window.messages.text.text()


def test_what_would_be_lost_is_asked_for_before_the_window_closes(qtbot: QtBot, make_window: MakeWindow) -> None:
    window = make_window()
    recipe = window.views.recipe.recipe()
    assert recipe is not None
    window.views.queue.add(recipe, window._rig)
    assert window.views.tabText(2) == "Queue (1)"
    window.close()
    assert window.isVisible()
    click(qtbot, box_button(window, "Stay"))
    window.close()
    click(qtbot, box_button(window, "Quit"))
    qtbot.waitUntil(lambda: not window.isVisible())


def test_the_tour_comes_once_in_front_of_its_window_and_again_if_asked_for(
    qtbot: QtBot, make_window: MakeWindow, settings: QSettings
) -> None:
    settings.remove("is_toured")
    window = make_window()
    qtbot.waitUntil(lambda: bool(window.findChildren(TourDialog)))
    (tour,) = window.findChildren(TourDialog)
    handle = tour.windowHandle()
    assert handle is not None
    assert handle.transientParent() is window.windowHandle()
    for page in TOUR[1:]:
        click(qtbot, tour.next)
        assert window.views.tabText(window.views.currentIndex()) == page.view
    click(qtbot, tour.next)
    assert not tour.isVisible()
    assert settings.value("is_toured")
    window.show_help()
    window.show_help()
    (keys,) = window.findChildren(HelpDialog)
    click(qtbot, keys.tour)
    qtbot.waitUntil(lambda: any(each.isVisible() for each in window.findChildren(TourDialog)))


def test_closing_during_a_scan_asks_first(qtbot: QtBot, make_window: MakeWindow, bench: Callable[[], Bench]) -> None:
    window = make_window(SLOW)
    run_until(qtbot, window, 2)
    window.close()
    assert window.isVisible()
    window.close()
    click(qtbot, box_button(window, "Go on"))
    assert window.bridge.is_busy
    window.close()
    click(qtbot, box_button(window, "End the scan and quit"))
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=PATIENCE_MS)
    assert bench().light().average_power_nw == 0


def test_a_crash_is_shown_and_the_window_goes_on(
    qtbot: QtBot, make_window: MakeWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    window = make_window()

    def crash(_: ScanJob) -> None:
        raise ZeroDivisionError("nobody foresaw this")

    with monkeypatch.context() as patched:
        patched.setattr(ScanJob, "run", crash)
        with qtbot.waitSignal(window.bridge.ended, timeout=PATIENCE_MS):
            click(qtbot, window.run_bar.run)
        qtbot.waitUntil(lambda: window.crashes.dialog is not None)
    dialog = window.crashes.dialog
    assert dialog is not None
    assert "nobody foresaw this" in dialog.details.toPlainText()
    click(qtbot, dialog.save)
    (saved,) = (tmp_path / "runs").glob("crash_*.txt")
    assert "ZeroDivisionError" in saved.read_text()
    dialog.close()
    run_to_the_end(qtbot, window)


def test_the_tour_has_an_end(qtbot: QtBot) -> None:
    tour = TourDialog(None)
    qtbot.addWidget(tour)
    tour.show()
    for page in TOUR:
        assert page.heading in tour.text.text()
        qtbot.mouseClick(tour.next, Qt.MouseButton.LeftButton)
    assert not tour.isVisible()


def test_the_tour_can_be_turned_back_and_skipped(qtbot: QtBot) -> None:
    tour, views = TourDialog(None), list[str]()
    qtbot.addWidget(tour)
    tour.turned.connect(views.append)
    tour.show()
    qtbot.keyClick(tour, Qt.Key.Key_Return)
    assert TOUR[1].heading in tour.text.text()
    qtbot.mouseClick(tour.back, Qt.MouseButton.LeftButton)
    assert TOUR[0].heading in tour.text.text()
    assert views == [TOUR[1].view, TOUR[0].view]
    qtbot.mouseClick(tour.skip, Qt.MouseButton.LeftButton)
    assert not tour.isVisible()


def test_a_file_is_asked_for_once_and_replaced_only_if_wanted(qtbot: QtBot, tmp_path: Path) -> None:
    asker, used = QWidget(), list[Path]()
    qtbot.addWidget(asker)
    asker.show()
    old = tmp_path / "old.yaml"
    old.write_text("old")
    for answer, wanted in (("Keep it", []), ("Replace it", [old])):
        dialog = ask_for_file(asker, "Save", old, used.append, SAVES)
        assert ask_for_file(asker, "Save", old, used.append, SAVES) is dialog
        assert not dialog.isModal()
        choose_file(asker, old)
        (box,) = (each for each in asker.findChildren(QMessageBox) if each.isVisible())
        next(button for button in box.buttons() if button.text() == answer).click()
        assert used == wanted


def test_details_that_cannot_be_saved_can_be_copied(qtbot: QtBot, tmp_path_factory: pytest.TempPathFactory) -> None:
    a_file = tmp_path_factory.mktemp("crash") / "file"
    a_file.write_text("")
    dialog = CrashDialog(None, details_of(ValueError("lost")), a_file)
    qtbot.addWidget(dialog)
    qtbot.mouseClick(dialog.save, Qt.MouseButton.LeftButton)
    assert "Copy the text below instead" in dialog.advice.text()
    assert "ValueError: lost" in dialog.details.toPlainText()

"""The window as a whole: it fits on a small screen, survives impatient hands, and closes in every state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QAbstractButton, QApplication, QDialog, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from tests.gui.waiting import is_settled, wait_for
from tplm_daq.acquire.events import RunState
from tplm_daq.gui.run_bar import RunBar
from tplm_daq.gui.status import Light, Status
from tplm_daq.gui.theme import DARK, LIGHT, Theme
from tplm_daq.gui.window import Window
from tplm_daq.rig.simulated import SimulatedWorld

MakeWindow = Callable[..., Window]
SMALL = 1366
SLOW = "rig.simulation.speed=80"


def buttons(window: Window) -> list[QAbstractButton]:
    return [each for each in window.findChildren(QAbstractButton) if each.isVisible() and each.isEnabled()]


def press_twice(button: QAbstractButton) -> None:
    for _ in range(2):
        if button.isEnabled():
            button.click()


def close_dialogs(window: Window) -> None:
    for dialog in window.findChildren(QDialog):
        if dialog.isVisible():
            dialog.close()


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_the_longest_words_fit_on_a_small_screen(make_window: MakeWindow, theme: Theme) -> None:
    window = make_window()
    window.set_theme(theme)
    window._timer.stop()
    for status in (
        Status(RunState.FINISHING, True, light=Light.MAY_BE_ON),
        Status(RunState.RUNNING, True, verb="SIMULATING", before="condition 12 of 34 · ", n_points=410),
    ):
        window.run_bar.show_status(status)
        for view in range(window.views.count()):
            window.views.setCurrentIndex(view)
            assert window.minimumSizeHint().width() <= SMALL
            assert window.minimumSizeHint().height() <= 740


def test_no_name_or_path_pushes_light_off_from_the_screen(make_window: MakeWindow) -> None:
    window = make_window()
    path = "/" + "a_folder_with_a_long_name/" * 12
    window.live.title.setText(path)
    window.live.back.show()
    window.messages.tell("bad", f"{path}: cannot be read")
    for label in (window.views.browser._message, window.views.alignment.kept, window.views.alignment.title):
        label.setText(path)
    for view in range(window.views.count()):
        window.views.setCurrentIndex(view)
        assert window.minimumSizeHint().width() <= SMALL
    window.views._shown_live.setCurrentWidget(window.views.alignment)
    assert window.minimumSizeHint().width() <= SMALL


def test_the_tab_key_reaches_every_button_of_every_view(qtbot: QtBot, make_window: MakeWindow) -> None:
    window = make_window()
    window.session.open()
    wait_for(qtbot, lambda: is_settled(window.session))
    left: set[str] = set()
    for view in range(window.views.count()):
        window.views.setCurrentIndex(view)
        qtbot.wait(250)  # the devices are looked at five times a second
        wanted = {each for each in buttons(window) if isinstance(each, QPushButton) and each.text() != "LIGHT OFF\tF12"}
        for _ in range(200):
            focused = QApplication.focusWidget()
            wanted.discard(focused)  # type: ignore[arg-type]
            qtbot.keyClick(focused or window, Qt.Key.Key_Tab)
        left |= {each.accessibleName() or each.text() for each in wanted}
    assert not left


def test_the_views_are_turned_with_keys_and_the_live_view_hears_its_own(qtbot: QtBot, make_window: MakeWindow) -> None:
    window = make_window()
    qtbot.keyClick(window, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    assert window.views.currentWidget() is window.views.recipe
    qtbot.keyClick(window, Qt.Key.Key_PageUp, Qt.KeyboardModifier.ControlModifier)
    age_ns = window.live.cursors.age_ns
    focused = QApplication.focusWidget()
    assert focused is not None
    qtbot.keyClick(focused, Qt.Key.Key_Right)
    assert window.live.cursors.age_ns > age_ns


def test_a_stray_space_bar_cannot_end_a_scan(qtbot: QtBot) -> None:
    bar = RunBar()
    qtbot.addWidget(bar)
    bar.show()
    bar.light_off.setFocus()
    assert not bar.light_off.hasFocus()


def test_the_lattice_knows_the_recipe_from_the_beginning(make_window: MakeWindow) -> None:
    window = make_window()
    assert window.views.kmc._sweep.isEnabled()
    assert window.views.kmc._excitation is not None


def test_every_button_can_be_pressed_twice_at_once(qtbot: QtBot, make_window: MakeWindow) -> None:
    window = make_window()
    window.session.open()
    wait_for(qtbot, lambda: is_settled(window.session))
    pressed: set[str] = set()
    last: list[QAbstractButton] = [window.views.queue._go_on, window.run_bar.run, window.run_bar.light_off]
    for view in range(window.views.count()):
        window.views.setCurrentIndex(view)
        qtbot.wait(250)  # the devices are looked at five times a second
        for button in buttons(window):
            if button not in last and button.text() != "&Run" and button.isVisible() and button.isEnabled():
                pressed.add(button.accessibleName() or button.text())
                press_twice(button)
                close_dialogs(window)
    assert len(pressed) > 35
    for button in last:
        press_twice(button)
        qtbot.wait(0)
    wait_for(qtbot, lambda: not window.bridge.is_busy)
    wait_for(qtbot, lambda: window.run_bar.run.isEnabled())
    assert window.crashes.dialog is None


@pytest.mark.parametrize("state", ["starting", "scanning", "paused", "light off", "ended", "connected"])
def test_the_window_closes_in_every_state_and_leaves_the_rig_safe(
    qtbot: QtBot, make_window: MakeWindow, worlds: list[SimulatedWorld], state: str, tmp_path: Path
) -> None:
    window = make_window(SLOW)
    if state == "connected":
        window.session.open()
        wait_for(qtbot, lambda: window.session.view.is_open)
    else:
        window.run_recipe()
    if state not in ("starting", "connected"):
        wait_for(qtbot, lambda: window.bridge.status().n_done >= 1)
    if state == "paused":
        window.pause_or_go_on()
        wait_for(qtbot, lambda: window.bridge.status().state is RunState.PAUSED)
    if state == "light off":
        window.light_off()
    if state == "ended":
        window.abort()
        wait_for(qtbot, lambda: not window.bridge.is_busy)
    window.close()
    for box in window.findChildren(QMessageBox):
        for button in box.buttons():
            if box.isVisible() and button.text() == "End the scan and quit":
                button.click()
    wait_for(qtbot, lambda: not window.isVisible())
    assert worlds or state == "starting"  # closed so soon, it may have opened nothing
    assert all(world.library._world.light().average_power_nw == 0 for world in worlds)
    assert not window.session.view.is_open
    assert window.crashes.dialog is None

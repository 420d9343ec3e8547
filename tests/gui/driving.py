"""What an operator does with the window, in steps."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from tplm_daq.gui.window import Window

MakeWindow = Callable[..., Window]
SLOW = "rig.simulation.speed=80"
PATIENCE_MS = 60_000


def click(qtbot: QtBot, button: QPushButton) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def run_to_the_end(qtbot: QtBot, window: Window) -> None:
    with qtbot.waitSignal(window.bridge.ended, timeout=PATIENCE_MS):
        click(qtbot, window.run_bar.run)
    qtbot.waitUntil(lambda: window.run_bar.state.text() == "DONE")


def run_until(qtbot: QtBot, window: Window, n_points: int) -> None:
    click(qtbot, window.run_bar.run)
    qtbot.waitUntil(lambda: window.bridge.status().n_done >= n_points, timeout=PATIENCE_MS)


def wait_for_end(qtbot: QtBot, window: Window) -> None:
    qtbot.waitUntil(lambda: not window.bridge.is_busy and window.messages.isVisible(), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: window.run_bar.state.text() in ("DONE", "ENDED", "FAILED"))


def box_button(window: Window, text: str) -> QPushButton:
    for box in window.findChildren(QMessageBox):
        for button in box.buttons():
            if box.isVisible() and button.text() == text:
                assert isinstance(button, QPushButton)
                return button
    raise AssertionError(f"no box offers {text!r}")

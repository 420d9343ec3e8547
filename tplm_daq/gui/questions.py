"""Boxes that ask the operator; none of them holds up the window."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QMessageBox, QPushButton, QWidget

from tplm_daq.gui.asking import Question
from tplm_daq.report.numbers import quantity_text

CLOSING = "If you quit now, the scan ends, the light goes out, and what is measured is kept."


class Questions:
    """Asks in boxes in front of a window.

    Parameters
    ----------
    parent : QWidget
        The window.
    """

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent
        self._open: list[tuple[Question, QMessageBox]] = []
        self._ending: QMessageBox | None = None

    def ask(self, question: Question) -> None:
        """Show what is to be done by hand, until it is answered here or by the end of the run."""
        values = "\n".join(quantity_text(name, value) for name, value in question.quantities.items())
        box = QMessageBox(QMessageBox.Icon.Question, "By hand", f"{question.what}\n\n{values}", parent=self._parent)
        done = box.addButton("It &is set", QMessageBox.ButtonRole.AcceptRole)
        box.addButton("&Stop the scan", QMessageBox.ButtonRole.RejectRole)
        box.buttonClicked.connect(lambda button: question.answer(button is done))
        box.setModal(False)
        self._open.append((question, box))
        box.show()
        _let_no_stray_key_answer(box)

    def close_answered(self) -> None:
        """Close the boxes that nobody needs to answer any more."""
        for question, box in [each for each in self._open if each[0].answered.is_set()]:
            self._open.remove((question, box))
            box.close()
            box.deleteLater()

    def ask_to_end(self, end: Callable[[], None]) -> None:
        """Ask, once, whether a scan is to be ended, and call `end` if so."""
        self._ask_once("A scan is under way", CLOSING, ("End the scan and quit", "Go on"), end)

    def ask_to_lose(self, what: str, end: Callable[[], None]) -> None:
        """Ask, once, whether what is not kept may be lost, and call `end` if so."""
        self._ask_once("Something is not kept", f"If you quit now, {what}.", ("Quit", "Stay"), end)

    def _ask_once(self, title: str, text: str, answers: tuple[str, str], end: Callable[[], None]) -> None:
        if self._ending is not None:
            self._ending.activateWindow()
            return
        box = QMessageBox(QMessageBox.Icon.Warning, title, text, parent=self._parent)
        yes = box.addButton(answers[0], QMessageBox.ButtonRole.AcceptRole)
        no = box.addButton(answers[1], QMessageBox.ButtonRole.RejectRole)
        box.setEscapeButton(no)
        box.setDefaultButton(no)
        box.buttonClicked.connect(lambda button: end() if button is yes else None)
        box.finished.connect(self._forget_ending)
        self._ending = box
        box.setModal(False)
        box.show()

    def close(self) -> None:
        """Close what is still asked."""
        if self._ending is not None:
            self._ending.close()
        self.close_answered()

    def _forget_ending(self) -> None:
        if self._ending is not None:
            self._ending.deleteLater()
        self._ending = None


def _let_no_stray_key_answer(box: QMessageBox) -> None:
    """Give the focus to the text: the box comes while somebody may be typing, and what is asked is done by hand."""
    for button in box.findChildren(QPushButton):
        button.setAutoDefault(False)
        button.setDefault(False)
    text = box.findChild(QLabel, "qt_msgbox_label")
    assert isinstance(text, QLabel)
    text.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    text.setFocus()

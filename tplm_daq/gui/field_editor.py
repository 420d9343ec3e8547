"""The editor of one value of a form, and the label that says what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit

from tplm_daq.gui.form_fields import Entry, Path, text_of

Tell = Callable[[], None]
"""Somebody changed a value."""


class ChoiceBox(QComboBox):
    """A choice that does not change when somebody scrolls past it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Turn only what has been chosen to be changed."""
        if self.hasFocus():
            super().wheelEvent(event)
        elif event is not None:
            event.ignore()


class FieldEditor:
    """One value: its editor and the label that says what is wrong with it."""

    def __init__(self, entry: Entry, tell: Tell) -> None:
        self.entry = entry
        self.problem = problem_label()
        self.editor = self._new_editor(tell)
        name = name_of(entry.path)
        self.editor.setAccessibleName(name)
        self.editor.setAccessibleDescription(entry.help)
        self.editor.setToolTip(f"<p>{entry.help or name}</p>")

    def value(self) -> object:
        """Return the value as in a file, None if nothing is written."""
        if isinstance(self.editor, QCheckBox):
            return self.editor.isChecked()
        if isinstance(self.editor, QComboBox):
            return self.entry.value_of(self.editor.currentText())
        text = self.editor.text().strip()
        return self.entry.value_of(text) if text else None

    def show_value(self, value: object) -> None:
        """Show a value of a file; the default for None."""
        if isinstance(self.editor, QCheckBox):
            self.editor.setChecked(bool(self.entry.default if value is None else value))
        elif isinstance(self.editor, QComboBox):
            self.editor.setCurrentText(str(self.entry.default if value is None else value))
        else:
            self.editor.setText("" if value == [] == self.entry.default else text_of(value))
            self.editor.setCursorPosition(0)

    def _new_editor(self, tell: Tell) -> QCheckBox | QComboBox | QLineEdit:
        if self.entry.kind == "tick":
            tick = QCheckBox()
            tick.setChecked(bool(self.entry.default))
            tick.toggled.connect(tell)
            return tick
        if self.entry.kind == "choice":
            choice = ChoiceBox()
            choice.addItems(self.entry.words)
            choice.setCurrentText(str(self.entry.default))
            choice.currentTextChanged.connect(tell)
            return choice
        line = QLineEdit()
        shown = text_of(self.entry.default or None)
        line.setPlaceholderText(shown or (f"such as {self.entry.example}" if self.entry.is_required else ""))
        line.textChanged.connect(tell)
        return line


def name_of(path: Path) -> str:
    """Return keys as words; items of lists are counted from 1."""
    return " ".join(str(int(key) + 1) if key.isdigit() else key for key in path).replace("_", " ")


def problem_label() -> QLabel:
    """Return a label that is hidden until there is a problem."""
    label = QLabel()
    label.setWordWrap(True)
    label.setProperty("role", "problem")
    label.hide()
    return label

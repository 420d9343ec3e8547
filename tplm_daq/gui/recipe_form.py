"""A form for one kind of recipe, made from its model; what it holds is what a file would hold.

The form knows nothing of physics and refuses nothing: it gives its content as keys and values, and shows beside each
field what validation had to say about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QGroupBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from tplm_daq.gui.form_fields import Alternatives, Entry, Path, Section, describe, text_of
from tplm_daq.recipes.base import Model


class RecipeForm(QWidget):
    """Fields of a recipe model, in sections.

    Parameters
    ----------
    model : type of Model
        Which recipe.

    Attributes
    ----------
    changed : signal
        Somebody changed a value.
    groups : list of QGroupBox
        The sections at the top, for whoever lays them out.
    """

    changed = pyqtSignal()

    def __init__(self, model: type[Model], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fields: dict[Path, list[_Field]] = {}
        self._headings: dict[Path, QLabel] = {}
        root = describe(model)
        entries = tuple(part for part in root.parts if isinstance(part, Entry))
        self._sections: list[_Section | _Choice] = [_Section(Section((), root.help, entries, root.fixed), self)]
        self.groups = [self._boxed("Scan" if model.__name__ == "ScanRecipe" else model.__name__, self._sections[0])]
        for part in root.parts:
            if not isinstance(part, Entry):
                self._sections.append(self.build(part))
                self.groups.append(self._boxed(part.path[-1].capitalize(), self._sections[-1]))

    def data(self) -> dict[str, Any]:
        """Return what a file with this content would hold; what is empty is left out."""
        content: dict[str, Any] = {}
        for section in self._sections:
            section.collect(content)
        return content

    def set_data(self, data: Mapping[str, Any]) -> None:
        """Show what a file holds; `changed` is not emitted."""
        self.blockSignals(True)
        try:
            for section in self._sections:
                section.show_values(data)
        finally:
            self.blockSignals(False)

    def set_problems(self, problems: Mapping[tuple[str | int, ...], str]) -> None:
        """Show each problem beside its field, or above the section that it is about."""
        told: dict[QLabel, list[str]] = {}
        for keys, sentence in problems.items():
            told.setdefault(self._place(tuple(map(str, keys))), []).append(sentence)
        for label in self._labels():
            label.setText("\n".join(f"⚠ {sentence}" for sentence in told.get(label, ())))
            label.setVisible(label in told)

    def problem(self, *keys: str) -> str:
        """Return the problem shown beside a field, or above a section; empty if there is none."""
        return self._place(keys).text()

    def editor(self, *keys: str) -> QWidget:
        """Return the widget in which the value under these keys is edited, the visible one of several."""
        return self._field(keys).editor

    def build(self, part: Section | Alternatives) -> _Section | _Choice:
        """Make the widgets of a section."""
        return _Section(part, self) if isinstance(part, Section) else _Choice(part, self)

    def add_field(self, field: _Field) -> None:
        """Take note of a field, so that problems find it."""
        self._fields.setdefault(field.entry.path, []).append(field)

    def add_heading(self, path: Path, label: QLabel) -> None:
        """Take note of where the problems of a section are told."""
        self._headings.setdefault(path, label)

    def _field(self, keys: tuple[str, ...]) -> _Field:
        fields = self._fields[keys]
        return next((field for field in fields if field.section.is_chosen), fields[0])

    def _place(self, keys: tuple[str, ...]) -> QLabel:
        """Return the label of the field or section that keys lead to, or of the nearest above."""
        for depth in range(len(keys), 0, -1):
            if keys[:depth] in self._fields:
                return self._field(keys[:depth]).problem
            if keys[:depth] in self._headings:
                return self._headings[keys[:depth]]
        return self._headings[()]

    def _labels(self) -> list[QLabel]:
        return [field.problem for fields in self._fields.values() for field in fields] + list(self._headings.values())

    def _boxed(self, title: str, section: _Section | _Choice) -> QGroupBox:
        box = QGroupBox(title, self)
        box.setToolTip(section.help)
        layout = QVBoxLayout(box)
        layout.addWidget(section)
        layout.addStretch(1)
        return box


class _ChoiceBox(QComboBox):
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


class _Field:
    """One value: its editor and the label that says what is wrong with it."""

    def __init__(self, entry: Entry, section: _Section, tell: Callable[[], None]) -> None:
        self.entry = entry
        self.section = section
        self.problem = _problem_label()
        self.editor = self._new_editor(tell)
        name = " ".join(entry.path).replace("_", " ")
        self.editor.setAccessibleName(name)
        self.editor.setAccessibleDescription(entry.help)
        self.editor.setToolTip(f"<p>{entry.help or name}</p>")

    def value(self) -> object:
        """Return the value as in a file, None if nothing is written."""
        if isinstance(self.editor, QCheckBox):
            return self.editor.isChecked()
        if isinstance(self.editor, QComboBox):
            return self.editor.currentText()
        text = self.editor.text().strip()
        return self.entry.value_of(text) if text else None

    def show_value(self, value: object) -> None:
        """Show a value of a file; the default for None."""
        if isinstance(self.editor, QCheckBox):
            self.editor.setChecked(bool(self.entry.default if value is None else value))
        elif isinstance(self.editor, QComboBox):
            self.editor.setCurrentText(str(self.entry.default if value is None else value))
        else:
            self.editor.setText(text_of(value))

    def _new_editor(self, tell: Callable[[], None]) -> QCheckBox | QComboBox | QLineEdit:
        if self.entry.kind == "tick":
            tick = QCheckBox()
            tick.setChecked(bool(self.entry.default))
            tick.toggled.connect(tell)
            return tick
        if self.entry.kind == "choice":
            choice = _ChoiceBox()
            choice.addItems(self.entry.words)
            choice.setCurrentText(str(self.entry.default))
            choice.currentTextChanged.connect(tell)
            return choice
        line = QLineEdit()
        shown = text_of(self.entry.default)
        line.setPlaceholderText(shown or (f"such as {self.entry.example}" if self.entry.is_required else ""))
        line.textChanged.connect(tell)
        return line


class _Section(QWidget):
    """The fields and sections below one key."""

    def __init__(self, section: Section, form: RecipeForm) -> None:
        super().__init__()
        self.help = section.help
        self.is_chosen = True
        self._path = section.path
        self._fixed = section.fixed
        self._heading = _problem_label()
        form.add_heading(section.path, self._heading)
        self._fields: list[_Field] = []
        self._below: list[_Section | _Choice] = []
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self._heading, 0, 0, 1, 2)
        for part in section.parts:
            if isinstance(part, Entry):
                self._add_field(part, grid, form)
            else:
                self._below.append(form.build(part))
                grid.addWidget(QLabel(part.path[-1].replace("_", " ")), grid.rowCount(), 0, 1, 2)
                grid.addWidget(self._below[-1], grid.rowCount(), 0, 1, 2)

    def collect(self, content: dict[str, Any]) -> None:
        """Put the values into what a file would hold."""
        here = content
        for key in self._path:
            here = here.setdefault(key, {})
        here.update(self._fixed)
        for field in self._fields:
            if (value := field.value()) is not None:
                here[field.entry.path[-1]] = value
        for section in self._below:
            section.collect(content)

    def show_values(self, data: Mapping[str, Any]) -> None:
        """Show the values that a file holds."""
        here: Any = data
        for key in self._path:
            here = here.get(key) if isinstance(here, dict) else None
        for field in self._fields:
            field.show_value(here.get(field.entry.path[-1]) if isinstance(here, Mapping) else None)
        for section in self._below:
            section.show_values(data)

    def _add_field(self, entry: Entry, grid: QGridLayout, form: RecipeForm) -> None:
        field = _Field(entry, self, form.changed.emit)
        label = QLabel(entry.path[-1].replace("_", " ") + (" *" if entry.is_required else ""))
        label.setBuddy(field.editor)
        label.setToolTip(field.editor.toolTip())
        row = grid.rowCount()
        grid.addWidget(label, row, 0)
        grid.addWidget(field.editor, row, 1)
        grid.addWidget(field.problem, row + 1, 0, 1, 2)
        self._fields.append(field)
        form.add_field(field)


class _Choice(QWidget):
    """A selector, and the section that belongs to the word chosen."""

    def __init__(self, alternatives: Alternatives, form: RecipeForm) -> None:
        super().__init__()
        self._path, self._tag = alternatives.path, alternatives.tag
        self._sections = {word: _Section(section, form) for word, section in alternatives.sections.items()}
        self.help = " / ".join(section.help for section in self._sections.values())
        self._selector = _ChoiceBox()
        self._selector.addItems(list(self._sections))
        self._selector.setAccessibleName(" ".join((*self._path, self._tag)))
        self._selector.currentTextChanged.connect(self._choose)
        self._selector.currentTextChanged.connect(form.changed.emit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._selector)
        for section in self._sections.values():
            layout.addWidget(section)
        self._choose(self._selector.currentText())

    def collect(self, content: dict[str, Any]) -> None:
        """Put the values of the chosen section into what a file would hold."""
        self._sections[self._selector.currentText()].collect(content)

    def show_values(self, data: Mapping[str, Any]) -> None:
        """Choose the section of a file, and show the values that it holds."""
        here: Any = data
        for key in self._path:
            here = here.get(key) if isinstance(here, dict) else None
        if isinstance(here, Mapping):
            self._selector.setCurrentText(str(here.get(self._tag)))
        self._sections[self._selector.currentText()].show_values(data)

    def _choose(self, word: str) -> None:
        for name, section in self._sections.items():
            section.is_chosen = name == word
            section.setVisible(section.is_chosen)


def _problem_label() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setProperty("role", "problem")
    label.hide()
    return label

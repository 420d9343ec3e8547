"""The widgets of a form: sections of fields, choices between sections, and lists of them.

Every part knows its own value, as it would stand in a file, and finds the field that keys lead to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from PyQt6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from tplm_daq.gui.buttons import push_button
from tplm_daq.gui.field_editor import ChoiceBox, FieldEditor, Tell, name_of, problem_label
from tplm_daq.gui.form_fields import Alternatives, Entry, Items, Section


class SectionWidget(QWidget):
    """The fields and sections below one key.

    Parameters
    ----------
    section : Section
        What is asked for.
    tell : callable
        Called when somebody changes a value.

    Attributes
    ----------
    is_open : bool
        Whether its sections are laid out by others, because there are several.
    below : dict of str to FormPart
        Its sections by key.
    """

    def __init__(self, section: Section, tell: Tell) -> None:
        super().__init__()
        self.help = section.help
        self.heading = problem_label()
        self.fixed = section.fixed
        self.below: dict[str, FormPart] = {}
        self.is_open = sum(not isinstance(part, Entry) for part in section.parts) > 1
        self._fields: dict[str, FieldEditor] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self.heading, 0, 0, 1, 2)
        for part in section.parts:
            if isinstance(part, Entry):
                self._add_field(part, grid, tell)
            else:
                self._add_section(part, grid, tell)

    def value(self) -> dict[str, object]:
        """Return what a file would hold below its key; what is empty is left out."""
        values = {key: field.value() for key, field in self._fields.items()}
        filled = {key: value for key, value in values.items() if value is not None}
        return {**self.fixed, **filled, **{key: part.value() for key, part in self.below.items()}}

    def show_value(self, value: object) -> None:
        """Show what a file holds below its key."""
        here = value if isinstance(value, Mapping) else {}
        for key, field in self._fields.items():
            field.show_value(here.get(key))
        for key, part in self.below.items():
            part.show_value(here.get(key))

    def place(self, keys: Sequence[str]) -> QLabel:
        """Return the label of the field or section that keys lead to, or of the nearest above."""
        if keys and keys[0] in self._fields:
            return self._fields[keys[0]].problem
        if keys and keys[0] in self.below:
            return self.below[keys[0]].place(keys[1:])
        return self.heading

    def editor(self, keys: Sequence[str]) -> QWidget:
        """Return the widget in which the value under these keys is edited."""
        return self._fields[keys[0]].editor if keys[0] in self._fields else self.below[keys[0]].editor(keys[1:])

    def labels(self) -> Iterator[QLabel]:
        """Yield all labels for problems."""
        yield self.heading
        yield from (field.problem for field in self._fields.values())
        for part in self.below.values():
            yield from part.labels()

    def _add_field(self, entry: Entry, grid: QGridLayout, tell: Tell) -> None:
        field = self._fields[entry.path[-1]] = FieldEditor(entry, tell)
        label = QLabel(entry.path[-1].replace("_", " ") + (" *" if entry.is_required else ""))
        label.setBuddy(field.editor)
        label.setToolTip(field.editor.toolTip())
        row = grid.rowCount()
        grid.addWidget(label, row, 0)
        grid.addWidget(field.editor, row, 1)
        grid.addWidget(field.problem, row + 1, 0, 1, 2)

    def _add_section(self, part: Section | Items | Alternatives, grid: QGridLayout, tell: Tell) -> None:
        widget = self.below[part.path[-1]] = part_widget(part, tell)
        if not self.is_open:
            grid.addWidget(QLabel(part.path[-1].replace("_", " ")), grid.rowCount(), 0, 1, 2)
            grid.addWidget(widget, grid.rowCount(), 0, 1, 2)


class ChoiceWidget(QWidget):
    """A selector, and the section that belongs to the word chosen."""

    def __init__(self, alternatives: Alternatives, tell: Tell) -> None:
        super().__init__()
        self._tag = alternatives.tag
        self._sections = {word: SectionWidget(section, tell) for word, section in alternatives.sections.items()}
        self.help = " / ".join(section.help for section in self._sections.values())
        self._selector = ChoiceBox()
        self._selector.addItems(list(self._sections))
        self._selector.setAccessibleName(name_of((*alternatives.path, self._tag)))
        self._selector.currentTextChanged.connect(self._choose)
        self._selector.currentTextChanged.connect(tell)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._selector)
        for section in self._sections.values():
            layout.addWidget(section)
        self._choose(self._selector.currentText())

    @property
    def chosen(self) -> SectionWidget:
        """The section that belongs to the word chosen."""
        return self._sections[self._selector.currentText()]

    def value(self) -> dict[str, object]:
        """Return the values of the chosen section."""
        return self.chosen.value()

    def show_value(self, value: object) -> None:
        """Choose the section of a file, and show the values that it holds."""
        if isinstance(value, Mapping):
            self._selector.setCurrentText(str(value.get(self._tag)))
        self.chosen.show_value(value)

    def place(self, keys: Sequence[str]) -> QLabel:
        """Return the label that keys lead to in the chosen section."""
        return self.chosen.place(keys)

    def editor(self, keys: Sequence[str]) -> QWidget:
        """Return the editor that keys lead to in the chosen section."""
        return self.chosen.editor(keys)

    def labels(self) -> Iterator[QLabel]:
        """Yield all labels for problems."""
        for section in self._sections.values():
            yield from section.labels()

    def _choose(self, word: str) -> None:
        for name, section in self._sections.items():
            section.setVisible(name == word)


class ListWidget(QWidget):
    """Sections of one kind, one below the other, to which more are added and from which any is removed."""

    def __init__(self, items: Items, tell: Tell) -> None:
        super().__init__()
        self.help = items.help
        self._items = items
        self._tell = tell
        self._rows: list[SectionWidget] = []
        self._frames: list[QFrame] = []
        self._heading = problem_label()
        self._name = name_of(items.path)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self._heading)
        self._column.addWidget(push_button("Add", f"Add an item to {self._name}", self._add))

    def value(self) -> list[object]:
        """Return the values of all items."""
        return [row.value() for row in self._rows]

    def show_value(self, value: object) -> None:
        """Show as many items as a file holds."""
        values = value if isinstance(value, list) else []
        while len(self._rows) > len(values):
            self._rows.pop()
            frame = self._frames.pop()
            self._column.removeWidget(frame)
            frame.setParent(None)
            frame.deleteLater()
        while len(self._rows) < len(values):
            self._append()
        for row, each in zip(self._rows, values, strict=True):
            row.show_value(each)

    def place(self, keys: Sequence[str]) -> QLabel:
        """Return the label that an item's number and further keys lead to."""
        is_item = bool(keys) and keys[0] in map(str, range(len(self._rows)))
        return self._rows[int(keys[0])].place(keys[1:]) if is_item else self._heading

    def editor(self, keys: Sequence[str]) -> QWidget:
        """Return the editor that an item's number and further keys lead to."""
        return self._rows[int(keys[0])].editor(keys[1:])

    def labels(self) -> Iterator[QLabel]:
        """Yield all labels for problems."""
        yield self._heading
        for row in self._rows:
            yield from row.labels()

    def _append(self) -> None:
        number = len(self._rows)
        frame = QFrame()
        frame.setFrameShape(QFrame.Shape.StyledPanel)
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(4, 4, 4, 4)
        row = SectionWidget(self._items.item(number), self._tell)
        inside.addWidget(row)
        inside.addWidget(push_button("Remove", f"Remove item {number + 1} of {self._name}", lambda: self._drop(number)))
        self._column.insertWidget(self._column.count() - 1, frame)
        self._rows.append(row)
        self._frames.append(frame)

    def _add(self) -> None:
        self._append()
        self._tell()

    def _drop(self, number: int) -> None:
        values = self.value()
        del values[number]
        self.show_value(values)
        self._tell()


FormPart = SectionWidget | ChoiceWidget | ListWidget


def part_widget(part: Section | Items | Alternatives, tell: Tell) -> FormPart:
    """Make the widgets of a part."""
    match part:
        case Section():
            return SectionWidget(part, tell)
        case Items():
            return ListWidget(part, tell)
        case Alternatives():
            return ChoiceWidget(part, tell)

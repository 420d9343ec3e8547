"""A form for one kind of recipe, made from its model; what it holds is what a file would hold.

The form knows nothing of physics and refuses nothing: it gives its content as keys and values, and shows beside each
field what validation had to say about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QGroupBox, QLabel, QVBoxLayout, QWidget

from tplm_daq.gui.form_fields import describe
from tplm_daq.gui.form_sections import FormPart, ListWidget, SectionWidget
from tplm_daq.recipes.base import Model

TITLES = {"align": "Alignment", "kmc": "Lattice sweep"}
"""Of kinds of recipes whose word does not speak for itself."""


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
        The sections in boxes, for whoever lays them out.
    """

    changed = pyqtSignal()

    def __init__(self, model: type[Model], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._root = SectionWidget(describe(model), self.changed.emit)
        kind = self._root.fixed.get("kind", model.__name__)
        self.groups: list[QGroupBox] = []
        self._box(TITLES.get(kind, kind.capitalize()), self._root, "")

    def data(self) -> dict[str, Any]:
        """Return what a file with this content would hold; what is empty is left out."""
        return self._root.value()

    def set_data(self, data: Mapping[str, Any]) -> None:
        """Show what a file holds; `changed` is not emitted."""
        self.blockSignals(True)
        try:
            self._root.show_value(data)
        finally:
            self.blockSignals(False)

    def set_problems(self, problems: Mapping[tuple[str | int, ...], str]) -> None:
        """Show each problem beside its field, or above the section that it is about."""
        told: dict[QLabel, list[str]] = {}
        for keys, sentence in problems.items():
            told.setdefault(self._root.place(tuple(map(str, keys))), []).append(sentence)
        for label in self._root.labels():
            label.setText("\n".join(f"⚠ {sentence}" for sentence in told.get(label, ())))
            label.setVisible(label in told)

    def problem(self, *keys: str) -> str:
        """Return the problem shown beside a field, or above a section; empty if there is none."""
        return self._root.place(keys).text()

    def editor(self, *keys: str) -> QWidget:
        """Return the widget in which the value under these keys is edited, the visible one of several."""
        return self._root.editor(keys)

    def _box(self, title: str, part: FormPart, above: str) -> None:
        """Put a part into a box, and the sections of an open one into boxes of their own; lists come first."""
        is_open = isinstance(part, SectionWidget) and part.is_open
        self.groups.append(self._boxed(title, part))
        if isinstance(part, SectionWidget) and is_open:
            for key, each in sorted(part.below.items(), key=lambda item: not isinstance(item[1], ListWidget)):
                name = key.replace("_", " ")
                self._box(f"{above}: {name}" if above else name.capitalize(), each, above or name.capitalize())

    def _boxed(self, title: str, part: FormPart) -> QGroupBox:
        box = QGroupBox(title, self)
        box.setToolTip(part.help)
        layout = QVBoxLayout(box)
        layout.addWidget(part)
        layout.addStretch(1)
        return box

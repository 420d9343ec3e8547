"""The table of runs: picture, light, D with its interval, how far to trust it, and how the run ended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import QSize, pyqtSignal
from PyQt6.QtGui import QColor, QIcon
from PyQt6.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from tplm_daq.gui.theme import DARK, LAMP_WORDS, Theme, lamp_colour
from tplm_daq.store.summary import RunSummary

COLUMNS = ("", "Started", "Title", "Sample", "Power (nW)", "Rate (MHz)", "Points", "D (cm²/s), 95 %", "Trust", "Ended")
PICTURE, TITLE, TRUST = 0, 2, 8
LAMP_SYMBOLS = {"green": "●", "amber": "▲", "red": "✖"}
"""Lamps that differ in shape, so that their colour is not needed."""
CUT_SHORT = "cut short, or going on"


class RunTable(QTableWidget):
    """Runs, the newest first.

    Attributes
    ----------
    chosen : signal
        Other rows are selected.
    opened : signal (Path)
        A row was double-clicked, or Return pressed on it.
    """

    chosen = pyqtSignal()
    opened = pyqtSignal(Path)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(COLUMNS), parent)
        self._runs: tuple[RunSummary, ...] = ()
        self._icons: dict[Path, QIcon] = {}
        self._theme = DARK
        self.setAccessibleName("Runs")
        self.setHorizontalHeaderLabels(COLUMNS)
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.setSelectionMode(QTableWidget.SelectionMode.ExtendedSelection)
        self.setIconSize(QSize(96, 48))
        header, rows = self.horizontalHeader(), self.verticalHeader()
        assert header is not None and rows is not None
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(TITLE, QHeaderView.ResizeMode.Stretch)
        rows.setDefaultSectionSize(52)
        rows.hide()
        self.itemSelectionChanged.connect(self.chosen)
        self.itemActivated.connect(lambda item: self.opened.emit(self._runs[item.row()].path))

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of the lamps from a theme."""
        self._theme = theme
        self._colour_lamps()

    def show_runs(self, runs: Sequence[RunSummary]) -> None:
        """Show these runs; those that were selected stay so."""
        before = set(self.chosen_paths())
        self.blockSignals(True)
        self._runs = tuple(runs)
        self.setRowCount(len(self._runs))
        for row, run in enumerate(self._runs):
            for column, text in enumerate(cells(run)):
                self.setItem(row, column, QTableWidgetItem(text))
            self._put_picture(row, run.path)
        self.clearSelection()
        self.blockSignals(False)
        self._colour_lamps()
        self._select(before)

    def next_without_picture(self) -> Path | None:
        """Return the newest run that has no picture yet, None if all have one."""
        return next((run.path for run in self._runs if run.path not in self._icons), None)

    def show_picture(self, path: Path, icon: QIcon) -> None:
        """Show the picture of a run."""
        self._icons[path] = icon
        for row, run in enumerate(self._runs):
            if run.path == path:
                self._put_picture(row, path)

    def chosen_paths(self) -> tuple[Path, ...]:
        """Return the files of the selected rows, the oldest first."""
        rows = {index.row() for index in self.selectedIndexes()}
        return tuple(self._runs[row].path for row in sorted(rows, reverse=True))

    def _select(self, paths: set[Path]) -> None:
        mode = self.selectionMode()
        self.setSelectionMode(QTableWidget.SelectionMode.MultiSelection)
        for row, run in enumerate(self._runs):
            if run.path in paths:
                self.selectRow(row)
        self.setSelectionMode(mode)

    def _put_picture(self, row: int, path: Path) -> None:
        item = self.item(row, PICTURE)
        if item is not None and path in self._icons:
            item.setIcon(self._icons[path])

    def _colour_lamps(self) -> None:
        for row, run in enumerate(self._runs):
            item = self.item(row, TRUST)
            if item is not None and run.bias_lamp is not None:
                item.setForeground(QColor(lamp_colour(self._theme, run.bias_lamp)))
                item.setToolTip(LAMP_WORDS.get(run.bias_lamp, run.bias_lamp))


def cells(run: RunSummary) -> tuple[str, ...]:
    """Return what stands in the columns of a run."""
    d = "" if run.diffusivity_cm2_s is None else f"{run.diffusivity_cm2_s:.4f}"
    if d and run.ci95_cm2_s is not None:
        low, high = run.ci95_cm2_s
        d += f"  ({low:.4f} … {high:.4f})"
    lamp = run.bias_lamp or ""
    return (
        "",
        f"{run.start_time:%Y-%m-%d %H:%M}",
        run.title,
        run.sample,
        "" if run.average_power_nw is None else f"{run.average_power_nw:.4g}",
        f"{run.repetition_rate_hz * 1e-6:.4g}",
        str(run.n_points),
        d,
        f"{LAMP_SYMBOLS.get(lamp, '')} {lamp}".strip(),
        run.finish_reason or CUT_SHORT,
    )

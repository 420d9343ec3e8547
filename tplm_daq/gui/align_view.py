"""An alignment as it goes: where was counted and how much, what the result follows from, and what was found."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QSizePolicy,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from tplm_daq.gui.align_plots import EvidencePlot, PlacesPlot
from tplm_daq.gui.align_watch import AlignPicture
from tplm_daq.gui.one_line import OneLine
from tplm_daq.gui.theme import Theme
from tplm_daq.report.numbers import values_found

COLUMNS = ("What was found", "Value", "Unit", "Simulated truth")
ROW_HEIGHT = 24
NOTHING_YET = "Nothing was found yet."


class AlignView(QWidget):
    """The latest alignment."""

    def __init__(self) -> None:
        super().__init__()
        self._picture: AlignPicture | None = None
        self.places = PlacesPlot()
        self.evidence = EvidencePlot()
        self.title = OneLine()
        self.title.setAccessibleName("Alignment shown")
        self.kept = QLabel(NOTHING_YET)
        self.kept.setAccessibleName("Where the alignment is kept")
        self.kept.setWordWrap(True)
        self.kept.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # of any path
        self.kept.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setAccessibleName("What the alignment found")
        self.table.setHorizontalHeaderLabels(COLUMNS)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self._lay_out()

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        for plot in (self.places, self.evidence):
            plot.set_theme(theme)
        if self._picture is not None:
            self._draw(self._picture)

    def show_picture(self, picture: AlignPicture) -> None:
        """Show this state of the alignment."""
        if picture is not self._picture:
            self._picture = picture
            self._draw(picture)

    def _draw(self, picture: AlignPicture) -> None:
        self.title.setText(f"{picture.title} — alignment: {picture.procedure}")
        self.places.show_picture(picture)
        self.evidence.show_picture(picture)
        self.kept.setText(picture.kept or NOTHING_YET)
        rows = values_found(picture.found, picture.truth)
        self.table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            for column, text in enumerate(row):
                self.table.setItem(number, column, QTableWidgetItem(text))

    def _lay_out(self) -> None:
        header, numbers = self.table.horizontalHeader(), self.table.verticalHeader()
        assert header is not None
        assert numbers is not None
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        numbers.hide()
        numbers.setDefaultSectionSize(ROW_HEIGHT)
        right = QSplitter(Qt.Orientation.Vertical)
        right.addWidget(self.evidence)
        below = QWidget()
        column = QVBoxLayout(below)
        column.setContentsMargins(4, 0, 4, 2)
        column.addWidget(self.table, 1)
        column.addWidget(self.kept)
        right.addWidget(below)
        right.setSizes([300, 250])
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.places)
        split.addWidget(right)
        split.setSizes([500, 600])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        top = QHBoxLayout()
        top.setContentsMargins(6, 4, 6, 4)
        top.addWidget(self.title)
        layout.addLayout(top)
        layout.addWidget(split, 1)

"""The log: what the program and its devices said, filtered by level and text; the latest few thousand lines."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import (
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from tplm_daq.gui.theme import DARK, Theme

PROGRAM = "tplm_daq"
"""Whose messages are shown; those of libraries are in the log file."""
MOST_LINES = 5000
COLUMNS = ("Time", "Level", "Message")
WIDEST, MARGIN = ("00:00:00", "warning"), 16
"""What has to fit into all columns but the last, and pixels beside it."""
LEVELS = {
    "Everything": logging.DEBUG,
    "Information": logging.INFO,
    "Warnings": logging.WARNING,
    "Errors": logging.ERROR,
}


@dataclass(frozen=True)
class Line:
    """One message."""

    time: str
    level: int
    text: str


class LogBuffer(logging.Handler):
    """Takes messages of the program from any thread, until the panel fetches them.

    Attributes
    ----------
    latest_error : str
        The text of the latest error.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._lines: deque[Line] = deque(maxlen=MOST_LINES)
        self.latest_error = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        moment = datetime.fromtimestamp(record.created).astimezone()
        self._lines.append(Line(f"{moment:%H:%M:%S}", record.levelno, record.getMessage()))
        if record.levelno >= logging.ERROR:
            self.latest_error = record.getMessage()

    def fetch(self) -> list[Line]:
        """Return what has come since the last time."""
        fetched = []
        while self._lines:
            fetched.append(self._lines.popleft())
        return fetched


class LogPanel(QWidget):
    """A table of messages, the newest below, with filters."""

    def __init__(self) -> None:
        super().__init__()
        self._buffer = LogBuffer()
        logging.getLogger(PROGRAM).addHandler(self._buffer)
        self.lines = _Lines()
        self._shown = _Filter()
        self._shown.setSourceModel(self.lines)
        self.level = QComboBox()
        self.level.addItems(list(LEVELS))
        self.level.setCurrentText("Information")
        self.level.setAccessibleName("Lowest level shown")
        self.level.currentTextChanged.connect(lambda text: self._shown.set_level(LEVELS[text]))
        self._shown.set_level(logging.INFO)
        self.text = QLineEdit()
        self.text.setPlaceholderText("Only messages with this text")
        self.text.setAccessibleName("Text that messages hold")
        self.text.textChanged.connect(self._shown.setFilterFixedString)
        self.copy = QPushButton("Copy")
        self.copy.setToolTip("Copy the messages shown to the clipboard")
        self.copy.clicked.connect(self._copy)
        self.table = QTableView()
        self.table.setAccessibleName("Messages")
        self._lay_out()

    def _lay_out(self) -> None:
        self.table.setModel(self._shown)
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setWordWrap(False)
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        tall, wide = self.table.verticalHeader(), self.table.horizontalHeader()
        assert tall is not None and wide is not None
        tall.hide()
        tall.setDefaultSectionSize(20)
        wide.setStretchLastSection(True)
        for number, widest in enumerate(WIDEST):
            self.table.setColumnWidth(number, self.table.fontMetrics().horizontalAdvance(widest) + MARGIN)
        top = QHBoxLayout()
        top.addWidget(self.level)
        top.addWidget(self.text, 1)
        top.addWidget(self.copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 2, 4, 2)
        column.addLayout(top)
        column.addWidget(self.table, 1)

    def stop(self) -> None:
        """Hear no more messages."""
        logging.getLogger(PROGRAM).removeHandler(self._buffer)

    def take_error(self) -> str:
        """Return the latest error since this was last asked for, empty if there was none."""
        error, self._buffer.latest_error = self._buffer.latest_error, ""
        return error

    def refresh(self) -> None:
        """Show what has come; the newest stays in view unless the operator has scrolled up."""
        lines = self._buffer.fetch()
        if not lines:
            return
        bar = self.table.verticalScrollBar()
        assert bar is not None
        is_at_end = bar.value() >= bar.maximum() - 1
        self.lines.add(lines)
        if is_at_end:
            self.table.scrollToBottom()

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.lines.set_theme(theme)

    def _copy(self) -> None:
        rows = range(self._shown.rowCount())
        texts = ["\t".join(self._shown.index(row, column).data() for column in range(len(COLUMNS))) for row in rows]
        clipboard = QApplication.clipboard()
        assert clipboard is not None
        clipboard.setText("\n".join(texts))


class _Lines(QAbstractTableModel):
    """The lines kept, as a table."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Line] = []
        self._theme = DARK

    def add(self, lines: list[Line]) -> None:
        """Append lines and forget the oldest."""
        lines = lines[-MOST_LINES:]
        n_over = len(self._lines) + len(lines) - MOST_LINES
        if n_over > 0:
            self.beginRemoveRows(QModelIndex(), 0, n_over - 1)
            del self._lines[:n_over]
            self.endRemoveRows()
        first = len(self._lines)
        self.beginInsertRows(QModelIndex(), first, first + len(lines) - 1)
        self._lines += lines
        self.endInsertRows()

    def level(self, row: int) -> int:
        """Return the level of a line."""
        return self._lines[row].level

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        self.layoutChanged.emit()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of lines."""
        return 0 if parent is not None and parent.isValid() else len(self._lines)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the name of a column."""
        is_name = orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return COLUMNS[section] if is_name else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return text, colour or the whole message of a cell."""
        line = self._lines[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return (line.time, logging.getLevelName(line.level).lower(), line.text)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return line.text
        if role == Qt.ItemDataRole.ForegroundRole and line.level >= logging.WARNING:
            return QColor(self._theme.bad if line.level >= logging.ERROR else self._theme.doubtful)
        return None


class _Filter(QSortFilterProxyModel):
    """Lets lines through that are important enough and hold a text."""

    def __init__(self) -> None:
        super().__init__()
        self._level = logging.DEBUG
        self.setFilterKeyColumn(COLUMNS.index("Message"))
        self.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)

    def set_level(self, level: int) -> None:
        """Hide what is less important."""
        self._level = level
        self.invalidateFilter()

    def filterAcceptsRow(self, source_row: int, source_parent: QModelIndex) -> bool:
        """Tell whether a line is shown."""
        source = self.sourceModel()
        assert isinstance(source, _Lines)
        return source.level(source_row) >= self._level and super().filterAcceptsRow(source_row, source_parent)

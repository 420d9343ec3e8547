"""Boxes in as many columns as there is room for, in their order, the columns about equally high."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

MOST_COLUMNS = 4


class Columns(QScrollArea):
    """A scrolled area of boxes.

    Parameters
    ----------
    boxes : sequence of QWidget
        In the order in which they are read.
    column_width : int
        Least width of a column in pixels.
    """

    def __init__(self, boxes: Sequence[QWidget], column_width: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._boxes = tuple(boxes)
        self._column_width = column_width
        self._inside = QWidget()
        self._row = QHBoxLayout(self._inside)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._n_columns = 0
        self.setWidgetResizable(True)
        self.setWidget(self._inside)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setMinimumWidth(column_width)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Use as many columns as there is room for."""
        super().resizeEvent(event)
        n_columns = max(1, min(MOST_COLUMNS, len(self._boxes), self.width() // self._column_width))
        if n_columns != self._n_columns:
            self._n_columns = n_columns
            self._lay_out(n_columns)

    def _lay_out(self, n_columns: int) -> None:
        while self._row.count():
            self._row.takeAt(0)
        numbers = shared_out([box.sizeHint().height() for box in self._boxes], n_columns)
        columns = [QVBoxLayout() for _ in range(max(numbers) + 1)]
        for column in columns:
            self._row.addLayout(column, 1)
        for box, number in zip(self._boxes, numbers, strict=True):
            columns[number].addWidget(box)
        for column in columns:
            column.addStretch(1)


def shared_out(heights: Sequence[int], n_columns: int) -> list[int]:
    """Return the column of each box: in their order, the highest column as low as possible.

    Examples
    --------
    >>> shared_out([3, 1, 2, 2, 4], 3)
    [0, 0, 1, 1, 2]
    """
    limits = sorted({sum(heights[i:j]) for i in range(len(heights)) for j in range(i + 1, len(heights) + 1)})
    return next(found for limit in limits if (found := _filled(heights, limit))[-1] < n_columns)


def _filled(heights: Sequence[int], limit: int) -> list[int]:
    columns, column, used = [], 0, 0
    for height in heights:
        if used and used + height > limit:
            column, used = column + 1, 0
        used += height
        columns.append(column)
    return columns

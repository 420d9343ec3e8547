"""Boxes in columns."""

from __future__ import annotations

import pytest
from PyQt6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from tplm_daq.gui.columns import Columns, shared_out


@pytest.mark.parametrize(
    ("heights", "n_columns", "columns"),
    [
        ([3, 1, 2, 2, 4], 3, [0, 0, 1, 1, 2]),
        ([3, 1, 2], 1, [0, 0, 0]),
        ([5, 1, 1], 2, [0, 1, 1]),
        ([1, 1, 1], 3, [0, 1, 2]),
    ],
)
def test_boxes_keep_their_order_and_columns_are_about_equally_high(
    heights: list[int], n_columns: int, columns: list[int]
) -> None:
    assert shared_out(heights, n_columns) == columns


def test_a_wider_window_has_more_columns(qtbot: QtBot) -> None:
    boxes = [QLabel(f"box {i}") for i in range(5)]
    area = Columns(boxes, 200)
    qtbot.addWidget(area)
    area.show()
    for width, n_columns in ((300, 1), (650, 3), (3000, 3), (450, 2)):
        area.resize(width, 400)
        qtbot.waitUntil(lambda n=n_columns: len({box.x() for box in boxes}) == n, timeout=2000)
        assert [box.text() for box in boxes if box.isVisible()] == [f"box {i}" for i in range(5)]

"""Where the parts of the window are: the views below bar and messages, the log in a dock."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QDockWidget, QMainWindow, QVBoxLayout, QWidget

from tplm_daq.recipes.rig import RigRecipe

LOG_HEIGHT = 110


def lay_out(window: QMainWindow, rig: RigRecipe, parts: Sequence[QWidget], log: QWidget) -> None:
    """Put parts below one another into the window of a rig, the last one as large as can be, the log at the bottom."""
    window.setWindowTitle(f"TPLM — {rig.name}{' — SIMULATED' if rig.is_simulated else ''}")
    centre = QWidget()
    column = QVBoxLayout(centre)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(2)
    for part in parts:
        column.addWidget(part, int(part is parts[-1]))
    window.setCentralWidget(centre)
    dock = QDockWidget("Log", window)
    dock.setObjectName("log")
    dock.setWidget(log)
    window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
    window.resizeDocks([dock], [LOG_HEIGHT], Qt.Orientation.Vertical)

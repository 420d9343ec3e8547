"""Remembers how the window was left: its place, docks and splitters."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QByteArray, QSettings
from PyQt6.QtWidgets import QMainWindow, QSplitter


def remember(settings: QSettings, window: QMainWindow, splitters: Sequence[QSplitter]) -> None:
    """Keep the layout."""
    settings.setValue("geometry", window.saveGeometry())
    settings.setValue("docks", window.saveState())
    for number, splitter in enumerate(splitters):
        settings.setValue(f"splitter_{number}", splitter.saveState())


def bring_back(settings: QSettings, window: QMainWindow, splitters: Sequence[QSplitter]) -> None:
    """Restore the layout; what was not kept, or not by this version, stays as it is."""
    nothing = QByteArray()
    window.restoreGeometry(settings.value("geometry", nothing, QByteArray))
    window.restoreState(settings.value("docks", nothing, QByteArray))
    for number, splitter in enumerate(splitters):
        splitter.restoreState(settings.value(f"splitter_{number}", nothing, QByteArray))

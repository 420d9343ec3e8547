"""Dialogs of which one of a kind is enough: one that is open already comes to the front."""

from __future__ import annotations

from typing import TypeVar

from PyQt6.QtWidgets import QDialog, QWidget

AnyDialog = TypeVar("AnyDialog", bound=QDialog)


def bring_to_front(parent: QWidget, kind: type[AnyDialog], title: str = "") -> AnyDialog | None:
    """Bring the open dialog of a kind, and of a title if one is given, to the front; return None if there is none."""
    for dialog in parent.findChildren(kind):
        if dialog.isVisible() and title in ("", dialog.windowTitle()):
            dialog.raise_()
            dialog.activateWindow()
            return dialog
    return None

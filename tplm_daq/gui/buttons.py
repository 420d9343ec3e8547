"""Push buttons that say what they do: on the screen, in the tool tip, and to assistive technology."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import QPushButton, QWidget


def push_button(
    text: str, name: str, act: Callable[[], None], keys: str = "", within: QWidget | None = None
) -> QPushButton:
    """Return a button.

    Parameters
    ----------
    text : str
        On the button.
    name : str
        What it does, in full.
    act : callable
        Does it.
    keys : str
        Keys that do the same, if any.
    within : QWidget or None
        Where the keys work; the whole window if None.
    """
    button = QPushButton(text)
    button.setAccessibleName(name)
    button.setToolTip(f"{name} ({keys})" if keys else name)
    button.clicked.connect(lambda: act())
    if keys and within is None:
        button.setShortcut(QKeySequence(keys))
    elif keys and within is not None:
        shortcut = QShortcut(QKeySequence(keys), within, context=Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(button.click)
    return button

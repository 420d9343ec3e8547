"""Every key of the window in one table, from which the window makes them; what F1 shows, and a tour."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPushButton, QVBoxLayout, QWidget


@dataclass(frozen=True)
class Key:
    """A key, the name of the method that it calls, and what it does; of the live view, or of the window."""

    keys: str
    act: str
    what: str
    is_of_live_view: bool = False


KEYS = (
    Key("F1", "show_help", "This list"),
    Key("F5", "run_recipe", "Run the recipe"),
    Key("F6", "pause_or_go_on", "Pause the scan, or go on"),
    Key("F7", "finish_pass", "End the scan after the pass under way"),
    Key("F8", "abort", "End the scan now; what is measured is kept"),
    Key("F12", "light_off", "LIGHT OFF: put the light out at once, and end the scan"),
    Key("Ctrl+O", "open_recipe", "Open a recipe"),
    Key("Ctrl+R", "open_run", "Open a run file"),
    Key("Left", "age_back", "Move the cursor to an earlier age", is_of_live_view=True),
    Key("Right", "age_on", "Move the cursor to a later age", is_of_live_view=True),
    Key("Down", "position_back", "Move the cursor along the path, backwards", is_of_live_view=True),
    Key("Up", "position_on", "Move the cursor along the path, forwards", is_of_live_view=True),
    Key("L", "next_scale", "Next scale of the map: logarithmic, linear, normalised", is_of_live_view=True),
    Key("R", "reset_views", "Undo zooming in all plots", is_of_live_view=True),
    Key("F9", "next_theme", "Dark or light window"),
    Key("F11", "full_screen", "Full screen, or back"),
    Key("Ctrl+PgDown", "next_tab", "Next view"),
    Key("Ctrl+Q", "close", "Quit; asks while a scan is under way"),
)

TOUR = (
    (
        "Welcome",
        "This window drives the microscope. Where it says SIMULATED, every device is a double: try everything.",
    ),
    ("Run", "Open a recipe with Ctrl+O and press F5. The map, the profile, the spreading and D grow with every point."),
    (
        "Trust",
        "D is shown in the colour of the bias lamp: green, amber or red, also in words. Hold the mouse over it to read "
        "what speaks against the number.",
    ),
    ("Light", "LIGHT OFF or F12 puts the light out at once, by every path that the rig has, even if a device hangs."),
    ("Keys", "Everything can be done with the keyboard in the dark. F1 lists the keys."),
)
"""Headings and texts."""


def connect_keys(window: QWidget, live_view: QWidget) -> None:
    """Make every key call its method; those of the live view work where it has the focus."""
    for key in KEYS:
        place = live_view if key.is_of_live_view else window
        shortcut = QShortcut(QKeySequence(key.keys), place, getattr(place, key.act))
        if key.is_of_live_view:
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)


class HelpDialog(QDialog):
    """The list of keys."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        rows = "".join(f"<tr><td><b>{key.keys}</b>&nbsp;&nbsp;&nbsp;</td><td>{key.what}</td></tr>" for key in KEYS)
        text = QLabel(
            f"<table cellpadding='3'>{rows}</table><p>In plots: drag to move, wheel to zoom, drag a cursor.</p>"
        )
        text.setTextFormat(Qt.TextFormat.RichText)
        text.setObjectName("keys")
        text.setAccessibleName("Keys and what they do")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(text)
        column.addWidget(buttons)


class TourDialog(QDialog):
    """A few words for the first start, one page after the other."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("A short tour")
        self.setModal(False)
        self._page = 0
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setMinimumSize(420, 110)
        self.text.setAccessibleName("Tour")
        self.next = QPushButton("Next")
        self.next.clicked.connect(self._turn)
        column = QVBoxLayout(self)
        column.addWidget(self.text)
        column.addWidget(self.next)
        self._show()

    def _turn(self) -> None:
        if self._page == len(TOUR) - 1:
            self.accept()
            return
        self._page += 1
        self._show()

    def _show(self) -> None:
        heading, text = TOUR[self._page]
        self.text.setText(f"<h3>{heading}</h3><p>{text}</p><p>{self._page + 1} of {len(TOUR)}</p>")
        self.next.setText("Close" if self._page == len(TOUR) - 1 else "Next")

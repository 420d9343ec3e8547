"""Every key of the window in one table, from which the window makes them; what F1 shows, and a tour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtCore import QPoint, Qt, pyqtSignal
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from tplm_daq.gui.dialogs import AnyDialog, bring_to_front


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
    Key("Ctrl+PgDown", "next_view", "Next view"),
    Key("Ctrl+PgUp", "view_before", "View before"),
    Key("Ctrl+Q", "close", "Quit; asks while a scan is under way"),
)
MARGIN = 40
"""Between a dialog and the corner of its window, in pixels."""
IN_PLOTS = (
    "In plots: drag to move, wheel to zoom, drag a cursor.<br>"
    "Tab goes to the next field or button, Space presses it; arrows move in tables."
)


@dataclass(frozen=True)
class Page:
    """A page of the tour: heading, text, and the view that is shown meanwhile."""

    heading: str
    text: str
    view: str = "Live"


TOUR = (
    Page(
        "Welcome",
        "This window drives the microscope. Where it says SIMULATED, every device is a double: try everything. "
        "The window can be used while this is open.",
    ),
    Page(
        "Recipe",
        "What is to be measured. What is wrong stands beside its field; on the right is what will happen, how long it "
        "takes, and how precise D becomes. Ctrl+O opens another recipe.",
        "Recipe",
    ),
    Page("Run", "Press F5 now: the map, the profile, the spreading and D grow with every point. F6 pauses, F8 ends."),
    Page(
        "Trust",
        "D is shown in the colour of the bias lamp: green, amber or red, also in words. Hold the mouse over it to read "
        "what speaks against the number.",
    ),
    Page(
        "Light", "LIGHT OFF or F12 puts the light out at once, by every path that the rig has, even if a device hangs."
    ),
    Page(
        "Devices",
        "How each device is, what it reads, what to do if it fails, and moves by hand. Connecting switches nothing on.",
        "Devices",
    ),
    Page(
        "Runs",
        "What has been measured, to open, resume, compare, export and report on. Ctrl or Shift choose several rows.",
        "Runs and series",
    ),
    Page("Keys", "Everything can be done with the keyboard in the dark. F1 lists the keys, and shows this tour again."),
)


def connect_keys(window: QWidget, live_view: QWidget) -> None:
    """Make every key call its method: those of the live view where it has the focus, the others in dialogs too."""
    for key in KEYS:
        place = live_view if key.is_of_live_view else window
        shortcut = QShortcut(QKeySequence(key.keys), place, getattr(place, key.act))
        contexts = Qt.ShortcutContext
        shortcut.setContext(
            contexts.WidgetWithChildrenShortcut if key.is_of_live_view else contexts.ApplicationShortcut
        )


def show_once(parent: QWidget, kind: type[AnyDialog], prepare: Callable[[AnyDialog], object]) -> AnyDialog:
    """Show a dialog in the lower right corner of its window, or bring the one that is open to the front."""
    if (shown := bring_to_front(parent, kind)) is not None:
        return shown
    dialog = kind(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    prepare(dialog)
    dialog.adjustSize()
    dialog.move(parent.geometry().bottomRight() - dialog.rect().bottomRight() - QPoint(MARGIN, MARGIN))
    dialog.show()
    return dialog


class HelpDialog(QDialog):
    """The list of keys.

    Attributes
    ----------
    tour : QPushButton
        Asks for the tour.
    """

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setModal(False)
        rows = "".join(f"<tr><td><b>{key.keys}</b>&nbsp;&nbsp;&nbsp;</td><td>{key.what}</td></tr>" for key in KEYS)
        text = QLabel(f"<table cellpadding='3'>{rows}</table><p>{IN_PLOTS}</p>")
        text.setTextFormat(Qt.TextFormat.RichText)
        text.setObjectName("keys")
        text.setAccessibleName("Keys and what they do")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        self.tour = QPushButton("Show the &tour")
        self.tour.clicked.connect(self.accept)
        buttons.addButton(self.tour, QDialogButtonBox.ButtonRole.ActionRole)
        column = QVBoxLayout(self)
        column.addWidget(text)
        column.addWidget(buttons)


class TourDialog(QDialog):
    """A few words for the first start, one page after the other.

    Attributes
    ----------
    turned : signal (str)
        The name of the view that the page is about.
    next, back, skip : QPushButton
        What turns the pages, and ends the tour.
    """

    turned = pyqtSignal(str)

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("A short tour")
        self.setModal(False)
        self._page = 0
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setMinimumSize(440, 130)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.text.setAccessibleName("Tour")
        self.next, self.back, self.skip = QPushButton("&Next"), QPushButton("&Back"), QPushButton("&Skip the tour")
        self.next.setDefault(True)
        self.next.clicked.connect(lambda: self._turn(1))
        self.back.clicked.connect(lambda: self._turn(-1))
        self.skip.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        for button in (self.skip, self.back, self.next):
            button.setAutoDefault(button is self.next)
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.addWidget(self.text, 1)
        column.addLayout(buttons)
        self._show()

    def _turn(self, by: int) -> None:
        if self._page + by == len(TOUR):
            self.accept()
            return
        self._page += by
        self._show()
        self.turned.emit(TOUR[self._page].view)

    def _show(self) -> None:
        page = TOUR[self._page]
        is_last = self._page == len(TOUR) - 1
        self.text.setText(f"<h3>{page.heading}</h3><p>{page.text}</p><p>{self._page + 1} of {len(TOUR)}</p>")
        self.next.setText("&Close" if is_last else "&Next")
        self.back.setEnabled(self._page > 0)
        self.skip.setEnabled(not is_last)

"""The line below the run bar that says what the operator must know: why a run ended, what failed, what to do."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy

from tplm_daq.errors import TplmError
from tplm_daq.gui.buttons import push_button
from tplm_daq.gui.endings import AnyOutcome, Kind, rest_of, words_of
from tplm_daq.gui.theme import DARK, Theme

WORDS = {"good": "✔", "doubtful": "!", "bad": "✖"}


class MessageBar(QFrame):
    """One message at a time, until it is dismissed or another one takes its place.

    Attributes
    ----------
    resume_requested : signal (Path)
        A run file, or the folder of a series, whose rest somebody wants.
    """

    resume_requested = pyqtSignal(Path)

    def __init__(self) -> None:
        super().__init__()
        self._theme = DARK
        self._kind: Kind = "good"
        self._waiting = ""
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # LIGHT OFF stays in view
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setAccessibleName("Message")
        self._rest: Path | None = None
        self.resume = push_button("Resume", "Measure the rest of what was cut short", self._resume)
        self.dismiss = QPushButton("Dismiss")
        self.dismiss.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 3, 8, 3)
        row.addWidget(self.text, 1)
        row.addWidget(self.resume)
        row.addWidget(self.dismiss)
        self.hide()

    def tell(self, kind: Kind, text: str, rest: Path | None = None) -> None:
        """Show a message; `rest` is a run file or series that can be resumed."""
        self._kind, self._rest = kind, rest
        self.resume.setVisible(rest is not None)
        self.text.setText(f"{WORDS[kind]}  {text}")
        self.set_theme(self._theme)
        self.show()

    def show_waiting(self, reason: str) -> None:
        """Say for what a guard waits, until it does no longer; tells nothing twice, and leaves other messages alone."""
        if reason == self._waiting:
            return
        if not reason and self._waiting in self.text.text():
            self.hide()
        self._waiting = reason
        if reason:
            text = (
                f"The scan waits, with the light out but for short looks: {reason}. It goes on by itself; F8 ends it."
            )
            self.tell("doubtful", text)

    def tell_ending(self, ending: AnyOutcome | TplmError, error: str = "") -> None:
        """Say why a job ended, where its data are, and what went wrong on the way of one that is complete."""
        kind, text = words_of(ending)
        if error and kind == "good":
            kind, text = "doubtful", f"{text}\nBut: {error}"
        self.tell(kind, text, rest_of(ending))

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        colour = {"good": theme.good, "doubtful": theme.doubtful, "bad": theme.bad}[self._kind]
        self.setStyleSheet(
            f"MessageBar {{ border: 2px solid {colour}; border-radius: 4px; }} MessageBar QLabel {{ color: {colour}; }}"
        )

    def _resume(self) -> None:
        if self._rest is not None:
            self.resume_requested.emit(self._rest)

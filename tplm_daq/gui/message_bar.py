"""The line below the run bar that says what the operator must know: why a run ended, what failed, what to do."""

from __future__ import annotations

from typing import Literal

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton

from tplm_daq.errors import Aborted, TplmError
from tplm_daq.gui.theme import DARK, Theme
from tplm_daq.workflow.outcome import ScanOutcome

Kind = Literal["good", "doubtful", "bad"]
WORDS = {"good": "✔", "doubtful": "!", "bad": "✖"}


class MessageBar(QFrame):
    """One message at a time, until it is dismissed or another one takes its place."""

    def __init__(self) -> None:
        super().__init__()
        self._theme = DARK
        self._kind: Kind = "good"
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setAccessibleName("Message")
        self.dismiss = QPushButton("Dismiss")
        self.dismiss.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 3, 8, 3)
        row.addWidget(self.text, 1)
        row.addWidget(self.dismiss)
        self.hide()

    def tell(self, kind: Kind, text: str) -> None:
        """Show a message."""
        self._kind = kind
        self.text.setText(f"{WORDS[kind]}  {text}")
        self.set_theme(self._theme)
        self.show()

    def tell_ending(self, ending: ScanOutcome | TplmError) -> None:
        """Say why a scan ended, and where its data are."""
        error = ending.error if isinstance(ending, ScanOutcome) else ending
        where = f" Data: {ending.run_file}" if isinstance(ending, ScanOutcome) else ""
        if error is None:
            self.tell("good", f"The scan is complete.{where}")
        elif isinstance(error, Aborted):
            self.tell("doubtful", f"The scan was ended: {error}.{where}")
        else:
            self.tell("bad", f"{error}{where}")

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        colour = {"good": theme.good, "doubtful": theme.doubtful, "bad": theme.bad}[self._kind]
        self.setStyleSheet(
            f"MessageBar {{ border: 2px solid {colour}; border-radius: 4px; }} MessageBar QLabel {{ color: {colour}; }}"
        )

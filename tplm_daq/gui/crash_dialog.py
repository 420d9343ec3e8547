"""What nobody foresaw: the window says so, keeps the details for a report, and goes on instead of vanishing."""

from __future__ import annotations

import logging
import platform
import sys
import threading
import traceback
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType

from PyQt6.QtCore import PYQT_VERSION_STR, QT_VERSION_STR, QObject, pyqtSignal
from PyQt6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

logger = logging.getLogger(__name__)

ADVICE = (
    "Something happened that the program did not foresee. A scan under way goes on or is made safe by itself; data on "
    "disk stay as they are. If in doubt, press LIGHT OFF (F12). Please save the details, and send them to whoever "
    "looks after this program."
)


def details_of(error: BaseException) -> str:
    """Return what helps to find the cause: versions, then the trace."""
    lines = [
        f"tplm-daq {version('tplm-daq')}, Python {platform.python_version()}, {platform.platform()}",
        f"Qt {QT_VERSION_STR}, PyQt {PYQT_VERSION_STR}, {datetime.now().astimezone().isoformat(timespec='seconds')}",
        "",
        *traceback.format_exception(error),
    ]
    return "\n".join(line.rstrip("\n") for line in lines)


class CrashDialog(QDialog):
    """Shows the details of an unforeseen error and saves them on request.

    Parameters
    ----------
    parent : QWidget or None
        Window in front of which it stands.
    details : str
        As from `details_of`.
    folder : Path
        Where they are saved.
    """

    def __init__(self, parent: QWidget | None, details: str, folder: Path) -> None:
        super().__init__(parent)
        self._folder = folder
        self.setWindowTitle("Unforeseen error")
        self.setModal(False)
        self.resize(760, 420)
        self.advice = QLabel(ADVICE)
        self.advice.setWordWrap(True)
        self.details = QPlainTextEdit(details)
        self.details.setReadOnly(True)
        self.details.setAccessibleName("Details of the error")
        self.save = QPushButton("Save details")
        self.save.clicked.connect(self._save)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.save, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for widget in (self.advice, self.details, buttons):
            column.addWidget(widget)

    def _save(self) -> None:
        path = self._folder / f"crash_{datetime.now():%Y%m%d-%H%M%S}.txt"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_text(self.details.toPlainText() + "\n", encoding="utf-8")
        except OSError as error:
            self.advice.setText(f"{path}: {error.strerror}. Copy the text below instead.")
            return
        self.advice.setText(f"Saved as {path}.")
        self.save.setEnabled(False)


class Crashes(QObject):
    """While it is installed, exceptions that nobody caught, in any thread, are shown instead of ending the program.

    Parameters
    ----------
    parent : QWidget
        The window.
    folder : Path
        Where details are saved.
    """

    _happened = pyqtSignal(object)

    def __init__(self, parent: QWidget, folder: Path) -> None:
        super().__init__(parent)
        self._parent = parent
        self._folder = folder
        self._old = sys.excepthook, threading.excepthook
        self.dialog: CrashDialog | None = None
        self._happened.connect(self.show)

    def install(self) -> None:
        """Take the place of Python's own hooks, which would end a Qt program."""
        sys.excepthook = self._in_main
        threading.excepthook = self._in_thread

    def uninstall(self) -> None:
        """Give the hooks back."""
        sys.excepthook, threading.excepthook = self._old

    def show(self, error: BaseException) -> None:
        """Show the first of what may be many."""
        if self.dialog is None or not self.dialog.isVisible():
            self.dialog = CrashDialog(self._parent, details_of(error), self._folder)
            self.dialog.show()

    def _in_main(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._old[0](kind, error, trace)
            return
        logger.critical("unforeseen error: %s", error, exc_info=error)
        self._happened.emit(error)

    def _in_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self._in_main(args.exc_type, args.exc_value, args.exc_traceback)

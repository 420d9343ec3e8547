"""Logging of a command: everything into a rotating file, warnings in one line each on standard error."""

from __future__ import annotations

import faulthandler
import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

FILE_NAME = "tplm.log"
MAX_BYTES, N_OLD_FILES = 2_000_000, 5


class _OneLine(logging.Formatter):
    """Leaves tracebacks to the log file."""

    def format(self, record: logging.LogRecord) -> str:
        """Return level and message."""
        return f"{record.levelname.lower()}: {record.getMessage()}"


class _LogFile(RotatingFileHandler):
    """Says once, in one line, that the log cannot be written; the run goes on."""

    _has_complained = False

    def handleError(self, record: logging.LogRecord) -> None:
        """Complain, with the reason that `emit` met."""
        if not self._has_complained:
            self._has_complained = True
            sys.stderr.write(f"warning: the log {self.baseFilename} cannot be written ({sys.exc_info()[1]})\n")


def start_logging(folder: Path) -> None:
    """Log into `folder` and report crashes of the interpreter; repeated calls change nothing.

    Parameters
    ----------
    folder : Path
        Existing folder; ``tplm.log`` and five older ones are kept there.
    """
    if any(isinstance(handler, RotatingFileHandler) for handler in logging.getLogger().handlers):
        return
    into_file = _LogFile(folder / FILE_NAME, maxBytes=MAX_BYTES, backupCount=N_OLD_FILES, encoding="utf-8", delay=True)
    into_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    on_screen = logging.StreamHandler()
    on_screen.setLevel(logging.WARNING)
    on_screen.setFormatter(_OneLine())
    on_screen.addFilter(logging.Filter("tplm_daq"))  # libraries log what they raise as well
    log_through(into_file, on_screen)


def log_through(*handlers: logging.Handler) -> None:
    """Log through some handlers, and report crashes of the interpreter."""
    if not faulthandler.is_enabled() and sys.__stderr__ is not None:
        faulthandler.enable(sys.__stderr__)
    root = logging.getLogger()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("tplm_daq").setLevel(logging.DEBUG)

"""Work that the window must not wait for: the latest job runs in a thread, and its outcome comes as a signal.

Jobs that were overtaken before they began are never run, and the outcome of one overtaken while it ran is dropped: what
is shown always belongs to the latest question. No thread is left when there is nothing to do.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from PyQt6.QtCore import QObject, pyqtSignal

from tplm_daq.errors import TplmError

Job = Callable[[], object]


class LatestJob(QObject):
    """Runs the latest job in a thread; `done` brings what it returned, or the TplmError that it raised."""

    done = pyqtSignal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._lock = threading.Lock()
        self._next: Job | None = None
        self._is_working = False

    @property
    def is_working(self) -> bool:
        """Whether an outcome is still to come."""
        return self._is_working

    def start(self, job: Job) -> None:
        """Run a job instead of all that were asked for before."""
        with self._lock:
            self._next = job
            if self._is_working:
                return
            self._is_working = True
        threading.Thread(target=self._work, name=self._name, daemon=True).start()

    def _work(self) -> None:
        try:
            while (job := self._take()) is not None:
                outcome = _outcome(job)
                if self._next is None:
                    with contextlib.suppress(RuntimeError):  # the widget that asked is gone
                        self.done.emit(outcome)
        finally:
            self._is_working = False

    def _take(self) -> Job | None:
        with self._lock:
            job, self._next = self._next, None
            if job is None:
                self._is_working = False
            return job


def _outcome(job: Job) -> object:
    try:
        return job()
    except TplmError as error:
        return error

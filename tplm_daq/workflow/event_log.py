"""The event log beside a run file: one line of JSON per event of the runner, for programs that follow or audit a run.

What comes before there is a run file waits for it, and is forgotten if none comes; a preparation may take hours and
tell of a temperature every few seconds, so that beyond some lines it waits on the disk. Counts are not repeated here,
they are in the run file; the human-readable log is in there too. Failing to write never harms the run: the reason goes
to the program's log, once.
"""

from __future__ import annotations

import json
import logging
import math
import shutil
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self

from tplm_daq.acquire.events import (
    Event,
    GuardGoesOn,
    GuardWaits,
    Message,
    Notice,
    PointDone,
    RunFinished,
    StateChanged,
    Step,
)
from tplm_daq.store.writer import local_time

logger = logging.getLogger(__name__)


IN_MEMORY = 1 << 18
"""Length of the lines that wait in memory, not on the disk: those of about three hours at one every five seconds."""


class EventLog:
    """Listens to a run and appends its events to ``<run>.events.jsonl``; a context that forgets what still waits.

    Parameters
    ----------
    now : callable
        Returns the time with its zone.

    Attributes
    ----------
    path : Path or None
        The log; None as long as there is no run file.
    early : list of (datetime, Message)
        What was told in words before there was a run file, for the log in there.
    """

    def __init__(self, now: Callable[[], datetime] = local_time) -> None:
        self.path: Path | None = None
        self.early: list[tuple[datetime, Message]] = []
        self._now = now
        self._has_failed = False
        self._waiting = SpooledTemporaryFile(IN_MEMORY, "w+", encoding="utf-8")  # noqa: SIM115 (closed in __exit__)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.close()

    def on_event(self, event: Event) -> None:
        """Append one event, now or when there is a run file (a listener of the runner)."""
        time = self._now()
        if self.path is None and isinstance(event, Message):
            self.early.append((time, event))
        line = json.dumps({"time": time.isoformat(timespec="milliseconds"), **described(event)}, allow_nan=False) + "\n"
        try:
            if self.path is None:
                self._waiting.write(line)
            else:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(line)
        except OSError as error:
            self._report(error)

    def begin(self, run_file: Path) -> None:
        """Take note that there is a run file: events go beside it from now on, first those that have waited."""
        self.path = run_file.with_suffix(".events.jsonl")
        try:
            self._waiting.seek(0)
            with self.path.open("a", encoding="utf-8") as file:
                shutil.copyfileobj(self._waiting, file)
        except OSError as error:
            self._report(error)

    def _report(self, error: OSError) -> None:
        if not self._has_failed:
            place = "that waits for its run file" if self.path is None else str(self.path)
            logger.warning("event log %s: %s; the run goes on without it", place, error.strerror)
        self._has_failed = True


def described(event: Event) -> dict[str, object]:
    """Return an event as JSON has it: its kind and values with units in their names, None for NaN.

    Examples
    --------
    >>> described(Notice("warning", "drift"))
    {'event': 'notice', 'level': 'warning', 'text': 'drift'}
    """
    match event:
        case StateChanged(state):
            return {"event": "state_changed", "state": state.value}
        case PointDone(row, counts, n_done, n_points):
            values = {key: _finite(value) for key, value in asdict(row).items()}
            return {
                "event": "point_done",
                "n_done": n_done,
                "n_points": n_points,
                "n_counts": int(counts.sum()),
                **values,
            }
        case Notice(level, text):
            return {"event": "notice", "level": level, "text": text}
        case GuardWaits(reason):
            return {"event": "guard_waits", "level": event.level, "text": event.text, "reason": reason}
        case GuardGoesOn(waited_s):
            return {"event": "guard_goes_on", "level": event.level, "text": event.text, "waited_s": waited_s}
        case Step(doing, is_lit):
            return {"event": "step", "doing": doing, "is_lit": is_lit}
        case RunFinished(reason, message):
            return {"event": "run_finished", "finish_reason": reason.value, "message": message}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None

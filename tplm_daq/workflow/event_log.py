"""The event log beside a run file: one line of JSON per event of the runner, for programs that follow or audit a run.

Counts are not repeated here, they are in the run file; the human-readable log is in there too. Failing to write never
harms the run: the reason goes to the program's log, once.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from tplm_daq.acquire.events import Event, Notice, PointDone, RunFinished, StateChanged, Step
from tplm_daq.store.writer import local_time

logger = logging.getLogger(__name__)


class EventLog:
    """Listens to a run and appends its events to ``<run>.events.jsonl``.

    Parameters
    ----------
    run_file : Path
        The run file; the log goes beside it.
    now : callable
        Returns the time with its zone.
    """

    def __init__(self, run_file: Path, now: Callable[[], datetime] = local_time) -> None:
        self.path = run_file.with_suffix(".events.jsonl")
        self._now = now
        self._has_failed = False

    def on_event(self, event: Event) -> None:
        """Append one event (a listener of the runner)."""
        self.append(self._now(), event)

    def append(self, time: datetime, event: Event) -> None:
        """Append an event with the time at which it came, for those that came before there was a file."""
        line = json.dumps({"time": time.isoformat(timespec="milliseconds"), **described(event)}, allow_nan=False)
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            if not self._has_failed:
                logger.warning("event log %s: %s; the run goes on without it", self.path, error.strerror)
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
        case Step(doing, is_lit):
            return {"event": "step", "doing": doing, "is_lit": is_lit}
        case RunFinished(reason, message):
            return {"event": "run_finished", "finish_reason": reason.value, "message": message}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None

"""Reads the event log beside a run file, and compares it with what listeners heard."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tplm_daq.acquire.events import Event
from tplm_daq.workflow.event_log import described


def logged(run_file: Path) -> list[dict[str, Any]]:
    """Return the lines of the event log beside a run file."""
    lines = run_file.with_suffix(".events.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def is_log_of(events: Sequence[Event], lines: Sequence[dict[str, Any]]) -> bool:
    """Tell whether lines of an event log are those of these events, whatever their times."""
    return [{**line, "time": None} for line in lines] == [{"time": None, **described(event)} for event in events]

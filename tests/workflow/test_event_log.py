"""Each event becomes one line of JSON beside the run file."""

from __future__ import annotations

import json
import logging
import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tests.store.made_runs import row
from tplm_daq.acquire.events import Event, FinishReason, Notice, PointDone, RunFinished, RunState, StateChanged, Step
from tplm_daq.workflow.event_log import EventLog

COUNTS = np.full(10, 3, dtype=np.uint32)
EVENTS: list[Event] = [
    StateChanged(RunState.RUNNING),
    PointDone(row(0, temperature_k=math.nan), COUNTS, 1, 2),
    Notice("warning", "pile-up"),
    RunFinished(FinishReason.COMPLETED, "all points taken"),
    Step("light on, looking at the sync", is_lit=True),
]


def written(tmp_path: Path) -> list[dict[str, object]]:
    log = EventLog(tmp_path / "run.h5", now=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    for event in EVENTS:
        log.on_event(event)
    return [json.loads(line) for line in log.path.read_text().splitlines()]


def test_every_event_is_a_line_in_order(tmp_path: Path) -> None:
    lines = written(tmp_path)
    assert [line["event"] for line in lines] == ["state_changed", "point_done", "notice", "run_finished", "step"]
    assert {line["time"] for line in lines} == {"2026-01-02T03:04:05.000+00:00"}
    assert lines[0]["state"] == "running"
    assert lines[2]["text"] == "pile-up"
    assert lines[3]["finish_reason"] == "completed"
    assert (lines[4]["doing"], lines[4]["is_lit"]) == ("light on, looking at the sync", True)


def test_a_point_has_its_row_and_the_number_of_its_counts(tmp_path: Path) -> None:
    point = written(tmp_path)[1]
    assert (point["n_done"], point["n_points"], point["n_counts"]) == (1, 2, 30)
    assert point["temperature_k"] is None
    assert "x_readback_nm" in point


def test_a_log_that_cannot_be_written_is_reported_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = EventLog(tmp_path / "no such folder" / "run.h5")
    with caplog.at_level(logging.WARNING):
        for event in EVENTS:
            log.on_event(event)
    assert len(caplog.records) == 1
    assert "the run goes on without it" in caplog.text

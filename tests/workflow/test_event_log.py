"""Each event becomes one line of JSON beside the run file."""

from __future__ import annotations

import logging
import math
import tracemalloc
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from tests.store.made_runs import row
from tests.workflow.logged import logged
from tplm_daq.acquire.events import (
    Event,
    FinishReason,
    GuardGoesOn,
    GuardWaits,
    Notice,
    PointDone,
    RunFinished,
    RunState,
    StateChanged,
    Step,
)
from tplm_daq.workflow.event_log import EventLog

COUNTS = np.full(10, 3, dtype=np.uint32)
EVENTS: list[Event] = [
    StateChanged(RunState.RUNNING),
    PointDone(row(0, temperature_k=math.nan), COUNTS, 1, 2),
    Notice("warning", "pile-up"),
    RunFinished(FinishReason.COMPLETED, "all points taken"),
    Step("light on, looking at the sync", is_lit=True),
    GuardWaits("temperature is 270 K"),
    GuardGoesOn(60.4),
]


NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def written(tmp_path: Path) -> list[dict[str, object]]:
    with EventLog(now=lambda: NOON) as log:
        log.begin(tmp_path / "run.h5")
        for event in EVENTS:
            log.on_event(event)
    return logged(tmp_path / "run.h5")


def test_every_event_is_a_line_in_order(tmp_path: Path) -> None:
    lines = written(tmp_path)
    assert [line["event"] for line in lines] == [
        *("state_changed", "point_done", "notice", "run_finished", "step", "guard_waits", "guard_goes_on")
    ]
    assert {line["time"] for line in lines} == {"2026-01-02T12:00:00.000+00:00"}
    assert lines[0]["state"] == "running"
    assert lines[2]["text"] == "pile-up"
    assert lines[3]["finish_reason"] == "completed"
    assert (lines[4]["doing"], lines[4]["is_lit"]) == ("light on, looking at the sync", True)
    assert (lines[5]["reason"], lines[5]["text"]) == ("temperature is 270 K", "paused: temperature is 270 K")
    assert (lines[6]["waited_s"], lines[6]["text"]) == (60.4, "goes on after a pause of 60 s")


def test_a_point_has_its_row_and_the_number_of_its_counts(tmp_path: Path) -> None:
    point = written(tmp_path)[1]
    assert (point["n_done"], point["n_points"], point["n_counts"]) == (1, 2, 30)
    assert point["temperature_k"] is None
    assert "x_readback_nm" in point


def test_a_log_that_cannot_be_written_is_reported_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with EventLog() as log, caplog.at_level(logging.WARNING):
        log.on_event(EVENTS[0])
        log.begin(tmp_path / "no such folder" / "run.h5")
        for event in EVENTS:
            log.on_event(event)
    assert len(caplog.records) == 1
    assert "the run goes on without it" in caplog.text


def test_what_comes_before_the_file_is_there_waits_for_it_with_its_time(tmp_path: Path) -> None:
    ticks = count()
    with EventLog(now=lambda: NOON + timedelta(minutes=next(ticks))) as log:
        log.on_event(Step("reference run of the detector", is_lit=False))
        log.on_event(Notice("warning", "drift"))
        assert not list(tmp_path.iterdir())
        log.begin(tmp_path / "run.h5")
        log.on_event(StateChanged(RunState.RUNNING))
    lines = logged(tmp_path / "run.h5")
    assert [line["event"] for line in lines] == ["step", "notice", "state_changed"]
    assert [str(line["time"])[11:16] for line in lines] == ["12:00", "12:01", "12:02"]


def test_the_log_of_a_resumed_run_goes_on(tmp_path: Path) -> None:
    first = written(tmp_path)
    assert written(tmp_path) == first + first


def test_a_preparation_of_many_hours_waits_on_the_disk_and_not_in_memory(tmp_path: Path) -> None:
    n_steps = 20_000
    with EventLog(now=lambda: NOON) as log:
        tracemalloc.start()
        try:
            for number in range(n_steps):
                log.on_event(Step(f"approaching 4 K, it is at {300 - 0.01 * number:.2f} K", is_lit=False))
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        log.begin(tmp_path / "run.h5")
    lines = logged(tmp_path / "run.h5")
    assert [line["doing"] for line in (lines[0], lines[-1])] == [
        "approaching 4 K, it is at 300.00 K",
        "approaching 4 K, it is at 100.01 K",
    ]
    assert len(lines) == n_steps
    assert held < (tmp_path / "run.events.jsonl").stat().st_size / 4

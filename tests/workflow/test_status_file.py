"""The status file follows the run, is always whole, and never harms it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tplm_daq.acquire.events import FinishReason, PointDone, RunFinished, RunState, StateChanged
from tplm_daq.store.layout import PointFlags, PointRow
from tplm_daq.workflow.status_file import StatusFile


def point(number: int, of: int) -> PointDone:
    row = PointRow(0, number, 100.0 * number, 0, 0, 0, 12.5, 12.5, 1, 1, 2.5e6, 1e4, 300, 10, PointFlags(0), 0, 1)
    return PointDone(row, np.zeros(4, dtype=np.uint32), number, of)


class Time:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_it_says_how_far_the_run_is_and_when_it_will_end(tmp_path: Path) -> None:
    time = Time()
    status = StatusFile(tmp_path / "run.h5", lambda: None, time)
    status.on_event(StateChanged(RunState.RUNNING))
    time.now_s += 30.0
    status.on_event(point(3, 10))
    found = json.loads(status.path.read_text())
    assert status.path == tmp_path / "run.status.json"
    assert (found["state"], found["n_done"], found["n_points"], found["x_nm"]) == ("running", 3, 10, 300.0)
    assert found["eta_s"] == 70.0
    status.on_event(RunFinished(FinishReason.ABORTED, "enough"))
    found = json.loads(status.path.read_text())
    assert (found["finish_reason"], found["message"], found["eta_s"]) == ("aborted", "enough", 0.0)


def test_points_that_come_fast_are_written_once_a_second(tmp_path: Path) -> None:
    time = Time()
    status = StatusFile(tmp_path / "run.h5", lambda: None, time)
    status.on_event(point(1, 100))
    for number in range(2, 50):
        time.now_s += 0.01
        status.on_event(point(number, 100))
    assert json.loads(status.path.read_text())["n_done"] == 1
    status.on_event(point(100, 100))
    assert json.loads(status.path.read_text())["n_done"] == 100


def test_a_folder_that_is_gone_is_only_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    status = StatusFile(tmp_path / "gone" / "run.h5", lambda: None)
    status.on_event(StateChanged(RunState.RUNNING))
    assert "status file" in caplog.text

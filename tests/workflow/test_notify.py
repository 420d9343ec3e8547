"""The command at the end of a run gets the result, and cannot harm the run."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest

from tplm_daq.errors import RigError
from tplm_daq.workflow import notify as notifying
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.nobody import Nobody
from tplm_daq.workflow.notify import notify
from tplm_daq.workflow.scan import ScanJob

RESULT = {"diffusivity_cm2_s": 0.07, "finish_reason": "completed"}


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_the_command_gets_the_result_on_its_standard_input(tmp_path: Path) -> None:
    target = tmp_path / "told.json"
    notify(python(f"import sys; open({str(target)!r}, 'w').write(sys.stdin.read())"), RESULT)
    assert json.loads(target.read_text()) == RESULT


def test_without_a_command_nothing_happens(caplog: pytest.LogCaptureFixture) -> None:
    notify((), RESULT)
    assert not caplog.records


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["/no/such/program"], "the command /no/such/program at the end of the run failed: ["),
        (python("import sys; sys.exit('no network')"), "status 1: no network"),
        (python("import time; time.sleep(60)"), "timed out"),
    ],
    ids=["missing", "failing", "hanging"],
)
def test_a_command_that_fails_is_logged_and_nothing_else(
    command: list[str], says: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifying, "PATIENCE_S", 1.0)
    with caplog.at_level(logging.WARNING):
        notify(command, RESULT)
    assert says in caplog.text


def test_a_rig_that_cannot_be_opened_is_told_too(tmp_path: Path) -> None:
    target = tmp_path / "told.json"
    command = python(f"import sys; open({str(target)!r}, 'w').write(sys.stdin.read())")
    changes = [
        f"rig.policies.at_end_run={json.dumps(command)}",
        "rig.simulation.faults=[{device: trigger, fault: port closed}]",
    ]
    scan, rig = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", changes)
    with pytest.raises(RigError, match="trigger"):
        ScanJob(scan, rig, tmp_path, Nobody()).run()
    told = json.loads(target.read_text())
    assert "trigger" in told["error"]["message"]
    assert told["exit_status"] == 1

"""`tplm resume` and `tplm verify` as a user runs them, after `kill -9`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.end_to_end.program import (
    QUICK,
    Finished,
    kill,
    n_acknowledged,
    run_file,
    settings,
    start,
    tplm_here,
    wait_for,
)
from tplm_daq.store.reader import RunFile, open_run

QUIET = ("rig.simulation.drift=0nm/min", "rig.simulation.power_noise=0%")
LINE = ("configs/scan_line.yaml", *settings(*QUICK, *QUIET))


def killed(folder: Path, n_points: int) -> Path:
    """Return the file of a run that was killed after at least so many points."""
    folder.mkdir()
    program = start(folder, "run", *LINE, *settings("rig.simulation.speed=20"), "--json")
    wait_for(lambda: n_acknowledged(folder) >= n_points, program)
    kill(program)
    return run_file(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunFile:
    folder = tmp_path_factory.mktemp("whole")
    assert tplm_here(folder, "run", *LINE, "--json").status == 0
    return open_run(run_file(folder))


def resumed(path: Path) -> Finished:
    return tplm_here(path.parent, "resume", path.name, *settings("rig.simulation.speed=max"), "--json")


@pytest.mark.parametrize("n_points", [1, 11])
def test_a_killed_run_becomes_what_it_would_have_been(n_points: int, whole: RunFile, tmp_path: Path) -> None:
    path = killed(tmp_path / "part", n_points)
    before = open_run(path)
    assert n_points <= before.n_points < 18
    assert before.finish_reason is None
    done = resumed(path)
    assert done.status == 0, done.err
    told = done.document
    assert (Path(told["run_file"]).name, told["finish_reason"], told["n_points"]) == (path.name, "completed", 18)
    found = open_run(path)
    np.testing.assert_array_equal(found.counts(), whole.counts())
    np.testing.assert_array_equal(found.points["start_s"], whole.points["start_s"])
    assert found.defects() == []
    verified = tplm_here(tmp_path, "verify", str(path), "--json")
    assert verified.status == 0, verified.out
    assert verified.document["is_ok"] is True


def test_a_completed_run_answers_as_it_did(whole: RunFile, tmp_path: Path) -> None:
    before = whole.path.read_bytes()
    done = tplm_here(tmp_path, "resume", str(whole.path), "--json")
    assert done.status == 0
    assert f"{whole.path} is complete: nothing is left to measure." in done.err
    assert done.document["n_points"] == 18
    assert done.document["diffusivity_cm2_s"] == whole.results()[-1].values["diffusivity_cm2_s"]
    assert whole.path.read_bytes() == before


def test_a_report_of_a_completed_run_is_written_beside_it(whole: RunFile, tmp_path: Path) -> None:
    before = whole.path.read_bytes()
    done = tplm_here(tmp_path, "resume", str(whole.path), "--report", "--json")
    assert done.status == 0, done.err
    assert done.document["report_file"] == str(whole.path.with_suffix(".html"))
    assert whole.path.name in whole.path.with_suffix(".html").read_text(encoding="utf-8")
    assert whole.path.read_bytes() == before


def test_another_rig_is_bad_input(whole: RunFile, tmp_path: Path) -> None:
    done = tplm_here(tmp_path, "resume", str(whole.path), *settings("rig.simulation.seed=9"), "--json")
    assert done.status == 2
    assert "simulation.seed was 1, not 9" in done.failure["message"]

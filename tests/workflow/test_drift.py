"""A sample that drifts all night: the path follows, D stays right, and the file proves itself, resumed or not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.workflow.test_resume import Nobody, resume
from tplm_daq.acquire.events import Event, FinishReason, PointDone
from tplm_daq.errors import GuardStop
from tplm_daq.store.layout import PointFlags
from tplm_daq.store.reader import RunFile, open_run
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.outcome import ScanOutcome
from tplm_daq.workflow.scan import ScanJob
from tplm_daq.workflow.verify import verify_run

LONG = ("path.n_positions=17", "passes.dwell=60s", "passes.n_passes=8", "rig.simulation.drift=10 nm/min")
"""A quarter of an hour."""
N_SIGMA = 4.0
"""No further from the truth by chance, whatever noise is drawn."""
SHORT = ("path.n_positions=9", "passes.dwell=12s", "passes.n_passes=8", "rig.simulation.drift=50 nm/min")
"""Three minutes of a sample that drifts all the faster."""


def job(folder: Path, *changes: str, scan: Sequence[str] = SHORT) -> ScanJob:
    always = ("rig.simulation.seed=3", "rig.simulation.is_homed=true")  # seed 3 drifts along x
    scan, rig = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", [*scan, *always, *changes])
    return ScanJob(scan, rig, folder, Nobody())


def shifts_nm(run: RunFile) -> list[float]:
    """Return the shift along x of each pass, which all its points share."""
    points = run.points
    found = [set(points["x_shift_nm"][points["pass"] == number]) for number in np.unique(points["pass"])]
    assert all(len(shifts) == 1 for shifts in found)
    return [shifts.pop() for shifts in found]


def check_right(outcome: ScanOutcome) -> None:
    assert outcome.finish_reason is FinishReason.COMPLETED
    assert outcome.result is not None
    assert outcome.truth is not None
    error_cm2_s = outcome.result.diffusivity_cm2_s - outcome.truth["diffusivity_cm2_s"]  # type: ignore[operator]
    assert abs(error_cm2_s) < N_SIGMA * outcome.result.standard_error_cm2_s
    assert verify_run(outcome.run_file).exit_status == 0


def check_followed(run: RunFile, drift_nm_min: float) -> None:
    """Assert that the path went where the spot went, but for what is allowed and what a pass takes."""
    moved_nm = shifts_nm(run)
    went_nm = drift_nm_min / 60 * run.points["end_s"][-1]
    assert went_nm > 150
    assert went_nm - 100 < moved_nm[-1] < went_nm
    assert moved_nm == sorted(moved_nm)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> ScanOutcome:
    return job(tmp_path_factory.mktemp("followed")).run()


@pytest.mark.slow
def test_ten_nanometres_a_minute_are_followed_through_a_long_scan(tmp_path: Path) -> None:
    outcome = job(tmp_path, scan=LONG).run()
    check_right(outcome)
    check_followed(open_run(outcome.run_file), 10.0)


def test_the_path_follows_a_spot_that_drifts_and_d_is_right(followed: ScanOutcome) -> None:
    check_right(followed)
    run = open_run(followed.run_file)
    check_followed(run, 50.0)
    np.testing.assert_allclose(run.points["x_readback_nm"], run.points["x_nm"], atol=5.0)
    assert [text for _, level, text in run.log() if level == "warning" and "those after it follow" in text]


def test_positions_of_the_summed_map_are_relative_to_the_path(followed: ScanOutcome) -> None:
    run = open_run(followed.run_file)
    np.testing.assert_allclose(run.map().x_nm, run.header.positions_nm[:, 0], atol=5.0)
    first, *_, last = [data.x_nm.mean() for data, _ in run.passes()]
    assert last - first == pytest.approx(shifts_nm(run)[-1], abs=5.0)


def test_a_run_cut_short_within_a_moved_pass_goes_on_in_it(followed: ScanOutcome, tmp_path: Path) -> None:
    begun = job(tmp_path)
    moved_nm = shifts_nm(open_run(followed.run_file))
    n_points = 9 * next(number for number, shift_nm in enumerate(moved_nm) if shift_nm) + 5

    def stop(event: Event) -> None:
        if isinstance(event, PointDone) and event.n_done == n_points:
            begun.abort("enough")

    begun.listeners.append(stop)
    path = begun.run().run_file
    done = resume(path)
    check_right(done)
    assert done.n_points == followed.n_points
    assert shifts_nm(open_run(path)) == pytest.approx(moved_nm, abs=10.0)


def test_a_run_that_drift_has_ended_can_be_resumed_with_a_path_that_follows(tmp_path: Path) -> None:
    stopped = job(tmp_path, "rig.guards.on_drift=stop").run()
    assert isinstance(stopped.error, GuardStop)
    assert "lateral drift: the spot is x +" in str(stopped.error)
    done = resume(stopped.run_file, "rig.guards.on_drift=recentre")
    check_right(done)
    assert shifts_nm(open_run(done.run_file))[-1] > 100


def test_a_run_that_only_warns_marks_its_points(tmp_path: Path) -> None:
    outcome = job(tmp_path, "rig.guards.on_drift=warn").run()
    check_right(outcome)
    run = open_run(outcome.run_file)
    assert set(shifts_nm(run)) == {0.0}
    is_marked = (run.points["flags"] & PointFlags.POSITION) > 0
    assert not is_marked[:9].any()
    assert is_marked[-9:].all()

"""A raster in this process: where it lies, and what an abort leaves of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.workflow.test_scan import MakeJob, at_point, run
from tplm_daq.store.reader import open_run
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.nobody import Nobody
from tplm_daq.workflow.scan import ScanJob

RASTER = ("path.n_x=5", "path.n_y=6", "passes.dwell=400ms", "passes.n_passes=2", "rig.simulation.is_homed=true")


@pytest.fixture
def make_map(tmp_path: Path) -> MakeJob:
    def make(*changes: str) -> ScanJob:
        scan, rig = load_scan("configs/scan_map.yaml", "configs/rig_sim.yaml", [*RASTER, *changes])
        return ScanJob(scan, rig, tmp_path, Nobody())

    return make


def test_a_raster_is_centred_on_the_spot_along_both_axes(make_map: MakeJob) -> None:
    outcome = run(make_map("rig.simulation.seed=5"))
    assert outcome.truth is not None
    points = open_run(outcome.run_file).points
    middle_nm = [points["x_nm"].mean(), points["y_nm"].mean()]
    assert middle_nm == pytest.approx(outcome.truth["centre_nm"], abs=30)
    assert (np.ptp(points["x_nm"]), np.ptp(points["y_nm"])) == pytest.approx((1440, 1440))
    assert outcome.n_positions == 30
    assert outcome.n_points == len(points) == 60


def test_a_raster_with_its_centre_given_looks_for_nothing(make_map: MakeJob) -> None:
    points = open_run(run(make_map("path.centre=[40 nm, -70 nm]")).run_file).points
    assert (points["x_nm"].mean(), points["y_nm"].mean()) == pytest.approx((40.0, -70.0))
    searched = open_run(run(make_map()).run_file).points
    assert points["start_s"][0] < searched["start_s"][0] - 18 * 0.1


def test_a_raster_aborted_in_its_first_pass_keeps_its_points(make_map: MakeJob) -> None:
    job = make_map()
    job.listeners.append(at_point(13, lambda: job.abort("enough")))
    outcome = run(job)
    assert outcome.exit_status == 3
    data = open_run(outcome.run_file).map()
    assert len(data.x_nm) == 13
    assert len(np.unique(np.round(data.y_nm))) == 3

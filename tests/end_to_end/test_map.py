"""The shipped raster, from recipe to image."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from silx.io import nxdata

from tests.end_to_end.program import settings, tplm_here
from tplm_daq.store.reader import open_run

FEW = ("path.n_x=9", "path.n_y=7", "passes.dwell=2s", "rig.simulation.is_homed=true")


def test_a_raster_ends_with_a_file_an_image_and_the_truth_of_both_axes(tmp_path: Path) -> None:
    done = tplm_here(tmp_path, "run", "configs/scan_map.yaml", "--report", "--json", *settings(*FEW))
    assert done.status == 0, done.err
    answer = done.document
    assert (answer["finish_reason"], answer["n_points"], answer["n_positions"]) == ("completed", 126, 63)
    truth = answer["truth"]
    assert len(truth["centre_nm"]) == 2
    assert abs(answer["diffusivity_cm2_s"] - truth["diffusivity_cm2_s"]) < 4 * answer["standard_error_cm2_s"]

    path = tmp_path / answer["run_file"]
    run = open_run(path)
    assert run.points["x_nm"].mean() == pytest.approx(truth["centre_nm"][0], abs=30)
    assert run.points["y_nm"].mean() == pytest.approx(truth["centre_nm"][1], abs=30)
    assert np.abs(np.diff(run.points["y_nm"])).max() == pytest.approx(1440 / 6)
    with h5py.File(path) as file:
        plot = nxdata.get_default(file)
        assert plot.is_valid
        assert plot.signal.shape == (7, 9, 1250)
        image = plot.signal[()].sum(axis=2)
        row, column = np.unravel_index(np.argmax(image), image.shape)
        brightest_nm = plot.axes[1][()][column], plot.axes[0][()][row]
    assert brightest_nm == pytest.approx(truth["centre_nm"], abs=1440 / 6)
    assert image.sum() == run.counts().sum()

    page = (tmp_path / answer["report_file"]).read_text(encoding="utf-8")
    assert "photons at 63 positions. (a) All delays" in page
    assert "Cross: fitted centre" in page


def test_check_knows_what_a_raster_takes(tmp_path: Path) -> None:
    done = tplm_here(tmp_path, "check", "configs/scan_map.yaml", "--json")
    assert done.status == 0, done.err
    found = done.document
    assert (found["n_points"], found["n_positions"], found["precision"]) == (1058, 529, [])
    assert found["time_s"] > found["dwell_s"] == 1058.0
    assert any("not for a raster" in text for text in found["warnings"])
    assert json.dumps(found, allow_nan=False)


BAD_MAPS = {
    "unknown shape": (["path.shape=spiral"], "shape: line or shape: raster"),
    "too few": (["path.n_x=3"], "path.n_x is 3: must be greater than or equal to 5"),
    "beyond the travel": (["path.half_height=40um"], "detector_y: -40000 nm"),
}


@pytest.mark.parametrize("name", BAD_MAPS)
def test_a_bad_raster_is_answered_with_what_to_write(name: str, tmp_path: Path) -> None:
    changes, says = BAD_MAPS[name]
    done = tplm_here(tmp_path, "run", "configs/scan_map.yaml", *settings(*changes))
    assert done.status == 2, done.err
    assert says in done.err.replace("\n", " ")
    assert "Traceback" not in done.err
    assert not list(tmp_path.glob("runs/*.h5"))

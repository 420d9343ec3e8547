"""Positions and passes of a scan."""

from __future__ import annotations

import numpy as np

from tplm_daq.acquire.passes import UpAndDown
from tplm_daq.acquire.path import line_positions
from tplm_daq.recipes.scan import LinePath


def line(axis: str) -> LinePath:
    return LinePath.model_validate({"shape": "line", "axis": axis, "half_width": "1 um", "n_positions": 5})


def test_a_line_runs_along_its_axis_through_the_centre() -> None:
    along_x = line_positions(line("x"), (30.0, -40.0))
    assert along_x[:, 0].tolist() == [-970.0, -470.0, 30.0, 530.0, 1030.0]
    assert set(along_x[:, 1]) == {-40.0}
    along_y = line_positions(line("y"), (30.0, -40.0))
    assert along_y[:, 1].tolist() == [-1040.0, -540.0, -40.0, 460.0, 960.0]
    assert set(along_y[:, 0]) == {30.0}


def test_up_and_down_cancels_a_linear_drift_over_pairs_of_passes() -> None:
    planner = UpAndDown(np.zeros((7, 2)), dwell_s=1.0, n_passes=4)
    visits = []
    while (points := planner.next_pass(None)) is not None:
        visits += [point.index for point in points]
    mean_time = [np.mean([when for when, index in enumerate(visits) if index == i]) for i in range(7)]
    assert np.ptp(mean_time) == 0
    assert planner.n_points == len(visits) == 28

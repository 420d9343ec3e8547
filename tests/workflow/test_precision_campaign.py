"""Stopping when the error is small enough leaves the interval of D what it says.

The scans use the planner, the analysis and the stopping rule of the program, and counts of an independent generator.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.workflow.measured_on_paper import QUICK, PaperRig
from tplm_daq.acquire.events import FinishReason

CELLS = {
    "5 % of 0.05": (0.05, "passes.target_precision=5 %"),
    "10 % of 0.01": (0.01, "passes.target_precision=10 %"),
    "20 % of 0.01": (0.01, "passes.target_precision=20 %"),
}
"""D in cm2/s, and what is asked for; the largest target stops on the noisiest estimates."""

N_SCANS = 1000


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("cell", CELLS)
def test_the_interval_of_a_thousand_scans_that_stopped_themselves_covers_the_truth(cell: str) -> None:
    d_cm2_s, target = CELLS[cell]
    rig = PaperRig(replace(QUICK, diffusivity_cm2_s=d_cm2_s), target)
    scans = [rig.scan(seed) for seed in range(N_SCANS)]
    found = np.array([scan.diffusivity_cm2_s for scan in scans])
    covered = np.mean([scan.ci95_cm2_s[0] <= d_cm2_s <= scan.ci95_cm2_s[1] for scan in scans])
    mean = [f"{key} {np.mean([getattr(scan, key) for scan in scans]):.1f}" for key in ("dwell_s", "time_s", "n_passes")]
    print(f"{cell}: coverage {covered:.1%}, bias {found.mean() / d_cm2_s - 1:+.2%}, mean {', '.join(mean)}")
    assert {scan.reason for scan in scans} == {FinishReason.TARGET_REACHED}
    assert 0.93 <= covered <= 0.97

"""The promise of the whole chain: over many seeds D is right, and its interval says how right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.nobody import Nobody
from tplm_daq.workflow.scan import ScanJob

N_SEEDS = 40


@pytest.mark.slow
def test_d_of_forty_simulated_scans_is_unbiased_with_honest_intervals(tmp_path: Path) -> None:
    deviations, n_covered = [], 0
    for seed in range(301, 301 + N_SEEDS):
        scan, rig = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", [f"rig.simulation.seed={seed}"])
        outcome = ScanJob(scan, rig, tmp_path, Nobody()).run()
        assert outcome.result is not None
        assert outcome.truth is not None
        truth = float(str(outcome.truth["diffusivity_cm2_s"]))
        low, high = outcome.result.ci95_cm2_s
        deviations.append((outcome.result.diffusivity_cm2_s - truth) / outcome.result.standard_error_cm2_s)
        n_covered += low <= truth <= high
    # 95 % of 40 is 38 with a standard deviation of 1.4; the mean has one of 0.16
    assert n_covered >= 34
    assert abs(np.mean(deviations)) < 0.5
    assert 0.7 < np.std(deviations, ddof=1) < 1.4

"""Run files of line scans with a known diffusivity, drawn without the rig: several passes, drift, power."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.analysis.synthetic import Scene, expected_counts
from tests.store.made_runs import header, row
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.recipes.load import dump_yaml
from tplm_daq.store.reader import open_run
from tplm_daq.store.writer import RunWriter
from tplm_daq.workflow.analyse import analyse_run
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.outcome import POINTS_FITTED, scalars_of

SCENE = Scene(dead_time_ns=None, bin_width_ns=0.1, span_ns=20.0)
N_PASSES = 4


@cache
def expectation(drift_nm: float, number: int) -> NDArray[np.float64]:
    n = len(SCENE.position_nm)
    shift_nm = drift_nm * (number + np.arange(n) / n) / N_PASSES
    return expected_counts(replace(SCENE, position_nm=SCENE.position_nm - shift_nm, dwell_s=20.0 / N_PASSES))


def scanned_run(
    path: Path,
    drift_nm: float = 0.0,
    relative_power: NDArray[np.float64] | None = None,
    off_nm: float = 0.0,
) -> Path:
    """Write one-way passes while the spot drifts; positions are `off_nm` from where they were asked to be."""
    rng, n = np.random.default_rng(1), len(SCENE.position_nm)
    relative_power = np.ones((N_PASSES, n)) if relative_power is None else relative_power
    scan, _ = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", [])
    made = header(
        delay_ns=(np.arange(SCENE.n_bins) + 0.5) * SCENE.bin_width_ns,
        recipe_text=dump_yaml(scan),
        rig_text="simulation: {sample: ola-oa}\n",
        pixel_nm=(101.0, 101.0),
        dead_time_ns=1e-3,
        positions_nm=np.column_stack([SCENE.position_nm, np.zeros(n)]),
        truth={"diffusivity_cm2_s": SCENE.diffusivity_cm2_s},
    )
    with RunWriter.create(path, made) as writer:
        for number in range(N_PASSES):
            light = expectation(drift_nm, number) * relative_power[number][:, None]
            for index, x_nm in enumerate(SCENE.position_nm):
                start_s = 6.0 * (number * n + index)
                point = row(
                    0,
                    pass_index=number,
                    index=index,
                    x_nm=x_nm - off_nm,
                    x_readback_nm=x_nm,
                    live_s=5.0,
                    power_nw=10.0 * relative_power[number][index],
                    start_s=start_s,
                    end_s=start_s + 5.0,
                )
                writer.append(point, rng.poisson(light[index]).astype(np.uint32))
        writer.finish("completed")
    return path


def analysed_run(path: Path) -> Path:
    """Write a run that has everything a finished one has: a result, settings of a device, and a line in its log."""
    result = analyse_run(open_run(scanned_run(path)), AnalysisRecipe())
    with RunWriter.reopen(path) as writer:
        writer.snapshot("laser", "start", {"power_nw": 10.0})
        writer.log("2026-03-01T12:00:00+01:00", "info", "begun")
        writer.finish("completed")
        scalars = {**scalars_of(result), POINTS_FITTED: 1}
        writer.write_result(result.method, scalars, result.arrays(), dump_yaml(AnalysisRecipe()))
    return path

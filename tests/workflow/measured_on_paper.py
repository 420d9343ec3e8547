"""Scans that follow the estimate, without a rig: counts of an independent generator, analysed after each pass."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tests.analysis.synthetic import Scene, as_map, expected_counts
from tplm_daq.acquire.events import FinishReason
from tplm_daq.acquire.passes import Done
from tplm_daq.acquire.path import scan_positions
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.errors import FitError
from tplm_daq.workflow.allocation import estimate_of
from tplm_daq.workflow.forecast import Costs
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.precision import planner_for

QUICK = Scene(bin_width_ns=0.05, span_ns=12.0)
"""The simulated rig at 20 kcps, with wide bins over a short span so that many scans take little time."""


@dataclass(frozen=True)
class PaperScan:
    """How a scan went: why it ended, its passes, time counted and time in all, D with its interval."""

    reason: FinishReason
    n_passes: int
    n_points: int
    dwell_s: float
    time_s: float
    diffusivity_cm2_s: float
    standard_error_cm2_s: float
    ci95_cm2_s: tuple[float, float]


class PaperRig:
    """Draws counts at the rates of a scene.

    Parameters
    ----------
    scene : Scene
        What is measured.
    changes : str
        Of configs/scan_precision.yaml, and with the prefix rig. of configs/rig_sim.yaml.
    """

    def __init__(self, scene: Scene, *changes: str) -> None:
        self.recipe, self.rig = load_scan("configs/scan_precision.yaml", "configs/rig_sim.yaml", changes)
        self.positions_nm = scan_positions(self.recipe.path, (0.0, 0.0))
        self.scene = replace(scene, position_nm=self.positions_nm[:, 0])
        self.counts_per_s = expected_counts(replace(self.scene, dwell_s=1.0))

    def scan(self, seed: int) -> PaperScan:
        """Measure until the planner has enough."""
        rng = np.random.default_rng(seed)
        costs = Costs.of(self.recipe, self.rig)
        clock_s, n_passes, n_points = 0.0, 0, 0
        counts = np.zeros(self.counts_per_s.shape, dtype=np.int64)
        dwell_s = np.zeros(len(counts))
        planner = planner_for(self.recipe, self.rig, self.positions_nm, lambda: clock_s)
        estimate = None
        while not isinstance(points := planner.next_pass(estimate), Done):
            for point in points:
                counts[point.index] += rng.poisson(self.counts_per_s[point.index] * point.dwell_s)
                dwell_s[point.index] += point.dwell_s
            n_passes, n_points, clock_s = n_passes + 1, n_points + len(points), clock_s + costs.pass_s(points)
            seen = dwell_s > 0
            line = replace(self.scene, position_nm=self.scene.position_nm[seen])
            data = as_map(line, counts[seen], dwell_s=dwell_s[seen])
            estimate = estimate_of(data, self.recipe.analysis)
        try:
            result = analyse(data, self.recipe.analysis)
        except FitError:
            d_cm2_s, error_cm2_s, ci95_cm2_s = np.nan, np.nan, (np.nan, np.nan)
        else:
            d_cm2_s, error_cm2_s, ci95_cm2_s = result.diffusivity_cm2_s, result.standard_error_cm2_s, result.ci95_cm2_s
        return PaperScan(
            points.reason, n_passes, n_points, float(dwell_s.sum()), clock_s, d_cm2_s, error_cm2_s, ci95_cm2_s
        )

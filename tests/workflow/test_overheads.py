"""What a scan takes beside counting and moving, in the simulated rig's own time, and whether the planner knows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.faults.rehearsal import bench_with
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.store.reader import open_run
from tplm_daq.workflow.forecast import Costs
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.nobody import Nobody
from tplm_daq.workflow.scan import ScanJob

HOMED = ("rig.simulation.is_homed=true", "path.centre=0 nm")


def scanned(folder: Path, name: str, *changes: str) -> tuple[ScanRecipe, RigRecipe, np.recarray]:
    """Run a scan; return recipe, rig and its points."""
    recipe, rig = load_scan(f"configs/{name}.yaml", "configs/rig_sim.yaml", [*HOMED, *changes])
    outcome = ScanJob(recipe, rig, folder, Nobody()).run()
    assert outcome.error is None
    return recipe, rig, open_run(outcome.run_file).points


@pytest.mark.parametrize(("visit_s", "highest"), [(20, 1.006), (2, 1.05)])
def test_a_scan_takes_hardly_more_than_its_dwell_and_its_motion(visit_s: int, highest: float, tmp_path: Path) -> None:
    changes = ("path.n_positions=11", "passes.n_passes=1", f"passes.dwell={visit_s}s")
    recipe, rig, points = scanned(tmp_path, "scan_line", *changes)
    places_nm = np.column_stack([points.x_nm, points.y_nm])
    needed_s = points.dwell_s[:-1].sum() + Costs.of(recipe, rig).moves_s(places_nm)
    taken_s = points.start_s[-1] - points.start_s[0]
    assert needed_s < taken_s <= highest * needed_s
    orders_s = (taken_s - needed_s) / 10 - rig.policies.settle_s
    assert orders_s < 0.015, "what is left beside settling are orders and replies"


def test_a_point_asks_its_devices_only_what_is_not_known_yet(tmp_path: Path) -> None:
    asked = []
    for n_passes in (1, 2):
        with bench_with([]) as benches:
            changes = ("path.n_positions=7", f"passes.n_passes={n_passes}", f"passes.dwell={n_passes}s")
            scanned(tmp_path, "scan_line", *changes)
        lines = {role: server.line for role, server in benches[0].servers.items()} | {
            "counter": benches[0].counter.line
        }
        asked.append({role: line.n_transactions for role, line in lines.items()})
    more = {role: asked[1][role] - asked[0][role] for role in asked[0]}
    assert more["detector_x"] <= 6 * 4 + 2, "sound?, go, there?, where? of six moves; the first point is where it was"
    assert more["detector_y"] <= 7, "where?"
    assert more["thermostat"] <= 7
    assert more["trigger"] == more["gate"] == more["stage"] == 0
    assert more["counter"] <= 7 * 16


@pytest.mark.parametrize("light", ["on", "off"])
def test_the_planner_of_a_scan_for_precision_knows_what_its_visits_cost(light: str, tmp_path: Path) -> None:
    recipe, rig, points = scanned(
        tmp_path, "scan_precision", "passes.target_precision=3 %", f"light.between_points={light}"
    )
    costs = Costs.of(recipe, rig)
    places_nm = np.column_stack([points.x_nm, points.y_nm])
    told_s = costs.moves_s(places_nm) + points.dwell_s[1:].sum() + costs.visit_s * (len(points) - 1)
    assert len(set(points["pass"])) > 1, "with moves from one pass to the next"
    assert told_s == pytest.approx(points.end_s[-1] - points.end_s[0], rel=0.01)

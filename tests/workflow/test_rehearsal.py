"""Scans gone through on paper: their sums, and whether real planners with noisy estimates keep to them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.workflow.measured_on_paper import QUICK, PaperRig
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.rehearsal import Rehearsal, Spot, disk_mb, homing_time_s, rehearse, relative_error

SPOT = Spot(0.05, 20e3)


def rehearsal(*changes: str, recipe: str = "scan_line", spot: Spot | None = None) -> Rehearsal:
    return rehearse(*load_scan(f"configs/{recipe}.yaml", "configs/rig_sim.yaml", changes), spot)


def test_a_fixed_scan_is_the_sum_of_its_passes() -> None:
    scan = rehearsal()
    assert (scan.n_points, scan.n_passes, scan.longest_s) == (410, 10, 2.0)
    np.testing.assert_allclose(scan.counted_s, 20.0)
    assert scan.light_s == scan.time_s > 820.0


@pytest.mark.parametrize("n_passes", [1, 2, 3, 7])
def test_odd_numbers_of_passes_are_counted_right(n_passes: int) -> None:
    scan = rehearsal(f"passes.n_passes={n_passes}", "passes.dwell=21 s")
    assert (scan.n_points, scan.n_passes) == (41 * n_passes, n_passes)
    np.testing.assert_allclose(scan.counted_s, 21.0)


def test_light_off_between_points_is_less_light_and_more_time() -> None:
    on, off = rehearsal(), rehearsal("light.between_points=off")
    assert off.time_s - on.time_s == pytest.approx((410 + 18) * 0.2)
    assert off.light_s < off.time_s


def test_references_are_counted_where_they_are() -> None:
    scan = rehearsal("passes.reference_every=10")
    assert scan.n_points == 10 * (41 + 4 * 3)
    assert scan.counted_s[20] == pytest.approx(5 * 20.0)


def test_orders_differ_in_their_moves_only() -> None:
    times_s = {order: rehearsal(f"passes.order={order}").time_s for order in ("up-and-down", "interleaved", "shuffled")}
    assert times_s["up-and-down"] < times_s["shuffled"]
    assert times_s["interleaved"] < times_s["shuffled"]


def test_a_scan_for_precision_of_which_nothing_is_known_takes_all_its_time() -> None:
    scan = rehearsal("passes.max_time=30 min", recipe="scan_precision")
    assert 1750.0 < scan.time_s < 1800.0 + 60.0
    assert scan.n_points > 200


@pytest.mark.parametrize("allocation", ["equal", "optimal"])
@pytest.mark.parametrize(("d_cm2_s", "target"), [(0.05, "5 %"), (0.01, "10 %")])
def test_scans_take_about_as_long_as_the_rehearsal(d_cm2_s: float, target: str, allocation: str) -> None:
    changes = (f"passes.target_precision={target}", f"passes.allocation={allocation}")
    predicted = rehearsal(*changes, recipe="scan_precision", spot=Spot(d_cm2_s, 20e3))
    rig = PaperRig(replace(QUICK, diffusivity_cm2_s=d_cm2_s), *changes)
    taken_s = [rig.scan(seed).dwell_s for seed in range(8)]
    # the error is estimated as well as D itself, and the dwell goes with its square
    spread = 2.0 * float(target.removesuffix(" %")) / 100.0 / np.sqrt(len(taken_s))
    assert np.mean(taken_s) == pytest.approx(predicted.counted_s.sum(), rel=4.0 * spread)


def test_a_scan_for_precision_reaches_its_target_on_paper() -> None:
    recipe, rig = load_scan("configs/scan_precision.yaml", "configs/rig_sim.yaml", [])
    scan = rehearse(recipe, rig, SPOT)
    assert 0.9 * 0.05 < relative_error(recipe, rig, SPOT, scan.counted_s) <= 0.05
    assert scan.counted_s.sum() < 18.0


def test_optimal_allocation_of_a_given_dwell_makes_d_better_known() -> None:
    errors = {}
    for allocation in ("equal", "optimal"):
        recipe, rig = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", [f"passes.allocation={allocation}"])
        scan = rehearse(recipe, rig, SPOT)
        assert scan.counted_s.sum() == pytest.approx(820.0, rel=1e-3)
        errors[allocation] = relative_error(recipe, rig, SPOT, scan.counted_s)
    assert (errors["equal"] / errors["optimal"]) ** 2 > 1.4


def test_room_and_homing() -> None:
    recipe, rig = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", [])
    scan = rehearsal()
    assert disk_mb(recipe, rig, scan) == pytest.approx(scan.n_points * 3750 * 0.5e-6)
    assert homing_time_s(rig) == pytest.approx(49.0)

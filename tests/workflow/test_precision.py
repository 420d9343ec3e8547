"""Passes that follow the estimate: how long they are, where the time goes, and when it is enough."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.rig.conftest import Nobody
from tests.workflow.measured_on_paper import QUICK, PaperRig
from tplm_daq.acquire.events import FinishReason
from tplm_daq.acquire.passes import Done, FixedPasses, Itinerary, Pass, PassPlanner
from tplm_daq.acquire.path import scan_positions
from tplm_daq.store.reader import open_run
from tplm_daq.workflow.allocation import Estimate
from tplm_daq.workflow.forecast import Costs
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.precision import LONGEST_PASS_S, MARGIN, SHORTEST_PASS, planner_for
from tplm_daq.workflow.scan import ScanJob

POOR = Estimate(0.05, 0.02, centre_nm=0.0, sigma0_nm=250.0, peak_cps=20e3)
GOOD = replace(POOR, standard_error_cm2_s=0.0024)


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def now(self) -> float:
        return self.now_s


def planner(*changes: str, clock: Clock | None = None) -> PassPlanner:
    recipe, rig = load_scan("configs/scan_precision.yaml", "configs/rig_sim.yaml", changes)
    return planner_for(recipe, rig, scan_positions(recipe.path, (0.0, 0.0)), (clock or Clock()).now)


def counted_s(points: Pass | Done) -> float:
    assert not isinstance(points, Done)
    return sum(point.dwell_s for point in points)


EQUAL = "passes.allocation=equal"


def test_the_scan_ends_when_d_is_known_well_enough() -> None:
    plan = planner()
    plan.next_pass(None)
    done = plan.next_pass(GOOD)
    assert done == Done(FinishReason.TARGET_REACHED, "D is known to 4.80%, 5.00% were asked for")


def test_without_an_estimate_the_passes_are_even_and_each_as_long_as_all_before() -> None:
    plan = planner()
    lengths_s = [counted_s(plan.next_pass(None)) for _ in range(5)]
    np.testing.assert_allclose(np.diff(lengths_s[1:]), lengths_s[1:-1], rtol=0.01)
    assert lengths_s[0] == pytest.approx(lengths_s[1], rel=0.01)
    fresh = planner()
    first = fresh.next_pass(None)
    assert not isinstance(first, Done)
    assert len(first) == 20
    assert np.ptp([point.dwell_s for point in first]) < 2e-3
    assert set(np.diff([point.index for point in first])) <= {2, 3}


def test_no_pass_is_longer_than_drift_allows() -> None:
    plan = planner("passes.max_time=10 h")
    lengths_s = [counted_s(plan.next_pass(None)) for _ in range(9)]
    assert max(lengths_s) == pytest.approx(LONGEST_PASS_S, rel=0.01)


def test_the_next_pass_takes_the_time_that_is_missing() -> None:
    plan = planner(EQUAL)
    first_s = counted_s(plan.next_pass(None))
    estimate = replace(POOR, standard_error_cm2_s=1.2 * 0.05 * POOR.diffusivity_cm2_s)
    assert counted_s(plan.next_pass(estimate)) == pytest.approx(MARGIN * (1.2**2 - 1) * first_s, rel=0.01)


def test_optimal_allocation_needs_less_time_for_the_same() -> None:
    estimate = replace(POOR, standard_error_cm2_s=1.3 * 0.05 * POOR.diffusivity_cm2_s)
    missing_s = {}
    for allocation in ("equal", "optimal"):
        plan = planner(f"passes.allocation={allocation}")
        plan.next_pass(None)
        missing_s[allocation] = counted_s(plan.next_pass(estimate))
    assert 1.4 < missing_s["equal"] / missing_s["optimal"] < 1.8


def test_a_target_just_missed_does_not_cost_a_sweep_for_nothing() -> None:
    plan = planner()
    first_s = counted_s(plan.next_pass(None))
    nearly = replace(POOR, standard_error_cm2_s=1.001 * 0.05 * POOR.diffusivity_cm2_s)
    assert counted_s(plan.next_pass(nearly)) == pytest.approx(SHORTEST_PASS * first_s, rel=0.02)


@pytest.mark.parametrize("diffusivity_cm2_s", [-0.01, 0.0, 1e-9])
def test_a_spot_that_does_not_seem_to_spread_is_measured_on(diffusivity_cm2_s: float) -> None:
    plan = planner()
    first_s = counted_s(plan.next_pass(None))
    estimate = replace(POOR, diffusivity_cm2_s=diffusivity_cm2_s)
    assert counted_s(plan.next_pass(estimate)) == pytest.approx(first_s, rel=0.01)


def test_after_an_estimate_time_goes_to_the_centre_and_the_flanks_and_no_visit_is_not_worth_its_move() -> None:
    plan = planner("passes.target_precision=0.5 %")
    recipe, rig = load_scan("configs/scan_precision.yaml", "configs/rig_sim.yaml", [])
    shortest_s = Costs.of(recipe, rig).mean_visit_s(Itinerary(scan_positions(recipe.path, (0.0, 0.0))))
    spot = replace(POOR, centre_nm=100.0)
    for _ in range(3):
        points = plan.next_pass(spot)
        assert not isinstance(points, Done)
        assert min(point.dwell_s for point in points) >= shortest_s - 1e-3
    distance_nm = np.array([abs(point.x_nm - 100.0) for point in points])
    dwell_s = np.array([point.dwell_s for point in points])
    useful = (distance_nm < 60) | (np.abs(distance_nm - 2.5 * 250.0) < 110)
    assert dwell_s[useful].sum() > 0.7 * dwell_s.sum()


def test_visits_are_longer_where_moves_are() -> None:
    first = {order: planner(f"passes.order={order}").next_pass(None) for order in ("up-and-down", "shuffled")}
    visit_s = {order: counted_s(points) / 20 for order, points in first.items()}
    assert 0.5 < visit_s["up-and-down"] < 0.7
    assert visit_s["shuffled"] > 2 * visit_s["up-and-down"]


def test_the_scan_ends_when_its_time_is_over_and_says_how_far_it_came() -> None:
    clock = Clock()
    plan = planner("passes.max_time=3 min", clock=clock)
    recipe, rig = load_scan("configs/scan_precision.yaml", "configs/rig_sim.yaml", [])
    costs = Costs.of(recipe, rig)
    while not isinstance(points := plan.next_pass(POOR), Done):
        clock.now_s += costs.pass_s(points)
    assert 280.0 - 20.0 < clock.now_s <= 280.0
    assert points == Done(FinishReason.MAX_TIME, "180 s are over; D is known to 40.00%, 5.00% were asked for")


def test_time_for_nothing_is_said_at_once() -> None:
    done = planner("passes.max_time=100 ms").next_pass(None)
    assert done == Done(FinishReason.MAX_TIME, "0.1 s are over; nothing is known of D, 5.00% were asked for")


def test_a_short_first_pass_does_not_end_the_scan_early() -> None:
    clock = Clock()
    plan = planner("passes.max_time=4 s", clock=clock)
    assert counted_s(plan.next_pass(None)) < 4.0
    clock.now_s += 0.1
    nearly = replace(POOR, standard_error_cm2_s=1.001 * 0.05 * POOR.diffusivity_cm2_s)
    assert counted_s(plan.next_pass(nearly)) > 0.5


def test_the_number_of_points_grows_with_what_is_known_to_be_missing() -> None:
    plan = planner("passes.target_precision=1 %")
    assert plan.n_points == 0
    points = plan.next_pass(None)
    assert not isinstance(points, Done)
    assert plan.n_points == 2 * len(points)
    plan.next_pass(POOR)
    assert plan.n_points > 4 * len(points)


FIXED = ("passes.target_precision=null", "passes.max_time=null", "passes.dwell=8 s", "passes.n_passes=4")


def test_a_given_dwell_can_be_shared_by_the_estimate() -> None:
    plan = planner(*FIXED)
    passes = [plan.next_pass(None), *(plan.next_pass(POOR) for _ in range(3))]
    assert [counted_s(points) for points in passes] == pytest.approx([82.0] * 4, rel=1e-3)
    assert plan.next_pass(POOR) == Done(FinishReason.COMPLETED, "all points taken")
    first, *later = [points for points in passes if not isinstance(points, Done)]
    assert len(first) == 41
    assert plan.n_points == len(first) + sum(map(len, later))
    assert max(point.dwell_s for point in later[0]) > 10.0


def test_a_table_gives_each_position_its_part() -> None:
    table = "passes.table=[0, 1, 2, 1, 0.5]"
    plan = planner(*FIXED, "passes.allocation=table", table, "path.n_positions=5")
    assert isinstance(plan, FixedPasses)
    points = plan.next_pass(None)
    assert not isinstance(points, Done)
    assert {point.index: point.dwell_s for point in points} == pytest.approx({1: 2.222, 2: 4.444, 3: 2.222, 4: 1.111})


def test_centre_and_flanks_are_the_references() -> None:
    points = planner(*FIXED, EQUAL, "passes.reference_every=20").next_pass(None)
    assert not isinstance(points, Done)
    assert [point.index for point in points[20:23]] == [20, 13, 27]
    assert len(points) == 41 + 6


@pytest.mark.parametrize(("target", "d_cm2_s", "dwell_s"), [("10 %", 0.01, 120.0), ("5 %", 0.05, 30.0)])
def test_scans_on_paper_keep_to_the_time_and_the_interval(target: str, d_cm2_s: float, dwell_s: float) -> None:
    rig = PaperRig(replace(QUICK, diffusivity_cm2_s=d_cm2_s), f"passes.target_precision={target}")
    scans = [rig.scan(seed) for seed in range(12)]
    assert {scan.reason for scan in scans} == {FinishReason.TARGET_REACHED}
    assert np.mean([scan.dwell_s for scan in scans]) < 0.7 * dwell_s
    # 95 % of 12 is 11.4 with a standard deviation of 0.75
    assert sum(scan.ci95_cm2_s[0] <= d_cm2_s <= scan.ci95_cm2_s[1] for scan in scans) >= 9


JUDGED = {
    "D = 0.01 to 10 %": (["light.average_power=1nW", "rig.simulation.brightness=10"], "10 %", 120.0),
    "D = 0.05 to 5 %": (["light.average_power=6.65nW", "rig.simulation.brightness=1.504"], "5 %", 30.0),
}
"""Powers at which the simulated film has this diffusivity, and the brightness that gives 20 kcps at the centre."""


@pytest.mark.parametrize("name", JUDGED)
def test_a_scan_of_the_simulated_rig_ends_by_itself_within_its_dwell(name: str, tmp_path: Path) -> None:
    changes, target, most_s = JUDGED[name]
    steady = ["rig.simulation.is_homed=true", "rig.simulation.spot_variation=0%", f"passes.target_precision={target}"]
    recipe, rig = load_scan("configs/scan_precision.yaml", "configs/rig_sim.yaml", [*changes, *steady])
    outcome = ScanJob(recipe, rig, tmp_path, Nobody()).run()
    assert outcome.finish_reason is FinishReason.TARGET_REACHED
    assert outcome.exit_status == 0
    assert outcome.dwell_s <= most_s
    assert outcome.result is not None
    relative = outcome.result.standard_error_cm2_s / outcome.result.diffusivity_cm2_s
    assert relative <= 1.05 * recipe.passes.target_precision  # the last fit takes the drift between passes out, too
    run = open_run(outcome.run_file)
    assert run.finish_reason == "target_reached"
    assert outcome.dwell_s == pytest.approx(run.points["dwell_s"].sum(), rel=1e-3)

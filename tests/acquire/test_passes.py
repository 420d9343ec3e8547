"""Which positions are visited, in which order, for how long."""

from __future__ import annotations

import numpy as np
import pytest

from tplm_daq.acquire.events import FinishReason
from tplm_daq.acquire.passes import Done, FixedPasses, Itinerary, Order, Pass, PassPlanner, thin_out
from tplm_daq.acquire.path import scan_positions
from tplm_daq.recipes.scan import RasterPath

PLACES_NM = np.column_stack([np.linspace(-300.0, 300.0, 7), np.full(7, 20.0)])


def passes(planner: PassPlanner) -> list[Pass]:
    found: list[Pass] = []
    while not isinstance(points := planner.next_pass(None), Done):
        found.append(points)
    return found


def order_of(order: Order, n_passes: int = 4, seed: int = 1) -> list[list[int]]:
    planner = FixedPasses(Itinerary(PLACES_NM, order, seed), np.ones(7), n_passes)
    return [[point.index for point in points] for points in passes(planner)]


def test_a_point_knows_its_pass_its_place_and_its_dwell() -> None:
    first, second = passes(FixedPasses(Itinerary(PLACES_NM), np.linspace(1.0, 2.0, 7), 2))
    assert [(point.pass_index, point.index) for point in second[:2]] == [(1, 6), (1, 5)]
    assert (first[2].x_nm, first[2].y_nm) == (-100.0, 20.0)
    assert first[2].dwell_s == pytest.approx(1.333)


def test_the_end_is_said_again_and_again() -> None:
    planner = FixedPasses(Itinerary(PLACES_NM), np.ones(7), 1)
    planner.next_pass(None)
    assert planner.next_pass(None) == planner.next_pass(None) == Done(FinishReason.COMPLETED, "all points taken")


@pytest.mark.parametrize("order", ["up-and-down", "interleaved", "shuffled"])
def test_every_order_visits_every_position_once_in_every_pass(order: Order) -> None:
    assert all(sorted(indices) == list(range(7)) for indices in order_of(order))


def test_up_and_down_cancels_a_linear_drift_over_pairs_of_passes() -> None:
    order = np.concatenate(order_of("up-and-down"))
    assert np.ptp([np.flatnonzero(order == i).mean() for i in range(7)]) == 0


def test_interleaved_takes_the_positions_left_out_on_the_way_back() -> None:
    assert order_of("interleaved", 1) == [[0, 2, 4, 6, 5, 3, 1]]


def test_a_shuffled_order_is_another_in_every_pass_and_the_same_for_the_same_seed() -> None:
    assert order_of("shuffled") == order_of("shuffled")
    assert order_of("shuffled") != order_of("shuffled", seed=2)
    first, second, *_ = order_of("shuffled")
    assert first != second


def test_the_second_pass_of_a_raster_goes_back_the_way_of_the_first() -> None:
    raster = RasterPath.model_validate(
        {"shape": "raster", "half_width": "200 nm", "half_height": "600 nm", "n_x": 5, "n_y": 7}
    )
    planner = FixedPasses(Itinerary(scan_positions(raster, (0.0, 0.0))), np.ones(35), 3)
    order = [point.index for points in passes(planner) for point in points]
    assert order == [*range(35), *reversed(range(35)), *range(35)]


def test_reference_positions_come_again_after_every_few_points() -> None:
    itinerary = Itinerary(PLACES_NM, references=(3, 1), reference_every=3)
    planner = FixedPasses(itinerary, np.array([1.0, 1.0, 2.0, 2.0, 2.0, 1.0, 1.0]), 2)
    first, second = passes(planner)
    assert [point.index for point in first] == [0, 1, 2, 3, 1, 3, 4, 5, 3, 1, 6]
    assert first[3].dwell_s == first[4].dwell_s == pytest.approx(10 / 7, abs=1e-3)
    assert planner.n_points == len(first) + len(second)


def test_a_position_that_is_due_less_than_a_millisecond_is_left_out() -> None:
    planner = FixedPasses(Itinerary(PLACES_NM), np.array([1.0, 0.0, 4e-4, 0.0012, 1.0, 1.0, 1.0]), 1)
    (points,) = passes(planner)
    assert [point.index for point in points] == [0, 3, 4, 5, 6]
    assert points[1].dwell_s == 0.001
    assert Itinerary(PLACES_NM).lay_out(0, np.zeros(7)) == ()


@pytest.mark.parametrize("shortest_s", [0.05, 0.3, 1.0, 100.0])
@pytest.mark.parametrize("phase", [0.0, 0.4, 0.999])
def test_thinning_keeps_the_time_and_makes_no_visit_too_short(shortest_s: float, phase: float) -> None:
    dwell_s = np.random.default_rng(3).gamma(0.5, 0.4, 41)
    thinned_s = thin_out(dwell_s, shortest_s, phase)
    assert thinned_s.sum() == pytest.approx(dwell_s.sum())
    if shortest_s < dwell_s.sum():
        assert np.all(thinned_s[thinned_s > 0] >= shortest_s * (1 - 1e-9))


def test_thinning_gives_every_position_its_share_in_the_long_run() -> None:
    dwell_s = np.array([0.1, 0.2, 5.0, 0.05, 0.3, 0.15])
    mean_s = np.mean([thin_out(dwell_s, 0.4, (i * 0.618034) % 1.0) for i in range(2000)], axis=0)
    np.testing.assert_allclose(mean_s, dwell_s, rtol=0.02)


def test_thinning_leaves_long_visits_and_nothing_at_all_alone() -> None:
    np.testing.assert_array_equal(thin_out(np.full(5, 2.0), 0.5, 0.3), np.full(5, 2.0))
    np.testing.assert_array_equal(thin_out(np.zeros(5), 0.5, 0.3), np.zeros(5))


def test_time_too_short_for_a_visit_goes_to_those_that_are_made() -> None:
    np.testing.assert_allclose(thin_out(np.array([0.05, 0.3, 0.3]), 0.2, 0.5), [0.0, 0.325, 0.325])
    np.testing.assert_array_equal(thin_out(np.array([0.05, 0.1]), 0.2, 0.5), [0.05, 0.1])

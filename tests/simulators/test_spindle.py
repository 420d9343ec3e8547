"""Paths known in advance, and the spindle that follows them with an error of its own."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.spindle import N_REMEMBERED, Spindle
from simulators.trajectory import NS_PER_S, Trajectory, at_rest


def trapezoid(start_ns: int = 0, start_mm: float = 0.0, target_mm: float = 3.0) -> Trajectory:
    return at_rest(start_ns, start_mm).then_to(target_mm, velocity_mm_s=1.5, acceleration_mm_s2=1.0)


@pytest.mark.parametrize("target_mm", [3.0, -3.0, 0.5, -1e-6])
def test_position_and_velocity_have_no_jumps(target_mm: float) -> None:
    path = trapezoid(target_mm=target_mm)
    step_ns = max(path.end_ns // 2000, 1)
    times_ns = range(0, path.end_ns + 10 * step_ns, step_ns)
    positions, velocities = ([f(t) for t in times_ns] for f in (path.position_at, path.velocity_at))
    step_s = step_ns / NS_PER_S
    assert np.abs(np.diff(velocities)).max() <= 1.0 * step_s * 1.001 + 1e-9
    assert np.abs(np.diff(positions)).max() <= np.abs(velocities).max() * step_s * 1.001 + 2e-9
    assert positions[-1] == target_mm
    assert velocities[-1] == 0.0


def test_a_path_to_where_one_is_takes_no_time() -> None:
    assert trapezoid(start_ns=5, start_mm=2.0, target_mm=2.0) == at_rest(5, 2.0)


@pytest.mark.parametrize("time_s", [0.7, 2.0, 3.1])
def test_stopping_goes_on_smoothly_from_where_one_is(time_s: float) -> None:
    path, time_ns = trapezoid(), round(time_s * NS_PER_S)
    stopping = path.stopped(time_ns, 2.0)
    assert stopping.position_at(time_ns) == path.position_at(time_ns)
    assert stopping.velocity_at(time_ns) == path.velocity_at(time_ns)
    way_mm = path.velocity_at(time_ns) ** 2 / (2 * 2.0)
    assert stopping.position_at(stopping.end_ns) == pytest.approx(path.position_at(time_ns) + way_mm)


@pytest.mark.parametrize("bound_mm", [0.2, 1.125, 1.5, 2.9])
def test_a_bound_ends_a_path_where_and_when_it_is_met(bound_mm: float) -> None:
    path = trapezoid()
    for whole, part, sign in ((path, path.until(-5.0, bound_mm), 1), (trapezoid(target_mm=-3.0), None, -1)):
        bounded = part or whole.until(-bound_mm, 5.0)
        assert bounded.position_at(bounded.end_ns) == sign * bound_mm
        assert whole.position_at(bounded.end_ns) == pytest.approx(sign * bound_mm, abs=3e-9)
        assert bounded.position_at(bounded.end_ns // 2) == whole.position_at(bounded.end_ns // 2)


def test_a_path_within_its_bounds_is_left_alone() -> None:
    assert trapezoid().until(0.0, 3.0) == trapezoid()


def test_on_a_bound_outward_is_no_way_and_inward_is_free() -> None:
    assert trapezoid(start_mm=0.0, target_mm=-1.0).until(0.0, 5.0).end_ns == 0
    assert trapezoid(start_mm=0.0, target_mm=1.0).until(0.0, 5.0) == trapezoid(target_mm=1.0)


def next_path(spindle: Spindle, target_mm: float) -> Trajectory:
    """Return the path of a move ordered as soon as the last one has ended."""
    return at_rest(spindle.path.end_ns, spindle.path.legs[-1].position_mm).then_to(target_mm, 1.5, 1.0)


def errors_mm(seed: int, n_moves: int, repeatability_mm: float) -> list[float]:
    """Return where a spindle really stops after moves to places of their own, less where it was sent."""
    spindle, found = Spindle(0.0, seed, repeatability_mm), []
    for number in range(n_moves):
        path = next_path(spindle, 1.0 + 0.01 * number)
        spindle.follow(path)
        found.append(spindle.position_mm_at(path.end_ns) - path.legs[-1].position_mm)
    return found


def test_errors_scatter_as_asked() -> None:
    n_moves, sigma_mm = 500, 50e-6
    errors = np.array(errors_mm(1, n_moves, sigma_mm))
    assert abs(errors.mean()) < 4 * sigma_mm / n_moves**0.5
    assert abs(errors.std() / sigma_mm - 1) < 4 / (2 * n_moves) ** 0.5


def test_errors_follow_from_seed_and_place_alone() -> None:
    spindle, found = Spindle(0.0, 1, 1e-4), []
    for target_mm in (1.0, 2.0, 5.0, 1.0, 0.5, 2.0):
        spindle.follow(next_path(spindle, target_mm))
        found.append(spindle.position_mm_at(spindle.path.end_ns))
    assert (found[0], found[1]) == (found[3], found[5])
    assert errors_mm(1, 10, 1e-4) != errors_mm(2, 10, 1e-4)


def test_without_repeatability_the_spindle_stops_exactly() -> None:
    assert errors_mm(1, 5, 0.0) == [0.0] * 5


def test_a_stop_draws_no_new_error() -> None:
    spindle = Spindle(0.0, 1, 1e-3)
    spindle.follow(trapezoid())
    half_way_ns = spindle.path.end_ns // 2
    before_mm = spindle.position_mm_at(half_way_ns)
    spindle.stop(half_way_ns, float("inf"))
    assert spindle.position_mm_at(half_way_ns) == pytest.approx(before_mm, abs=1e-12)
    assert spindle.n_moves == 1


def test_moves_long_past_are_forgotten_with_a_reason() -> None:
    spindle = Spindle(0.0, 1, 0.0)
    for number in range(N_REMEMBERED + 1):
        spindle.follow(next_path(spindle, 1.0 + number % 2))
    with pytest.raises(ValueError, match="0 ns lies before the last 4096 moves of the spindle; ask for a later time"):
        spindle.position_mm_at(0)


@pytest.mark.parametrize(("target_mm", "low_mm", "high_mm"), [(7.0, 2.0, 4.999), (3.0, 5.001, 8.0), (7.0, 2.0, 5.0)])
def test_an_axis_beyond_its_bounds_goes_no_further_but_comes_back(
    target_mm: float, low_mm: float, high_mm: float
) -> None:
    outward = at_rest(0, 5.0).then_to(target_mm, 1.5, 1.0).until(low_mm, high_mm)
    assert (outward.end_ns, outward.position_at(outward.end_ns)) == (0, 5.0)
    inside_mm = 10.0 - target_mm
    inward = at_rest(0, 5.0).then_to(inside_mm, 1.5, 1.0).until(low_mm, high_mm)
    assert inward.position_at(inward.end_ns) == inside_mm

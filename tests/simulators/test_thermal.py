"""The closed forms against a numerical integration of the same two equations."""

from math import inf, isclose

import pytest
from scipy.integrate import solve_ivp

from simulators.thermal import Leg, Trajectory, clipped_ramp

RAMP_DOWN = Trajectory(300.0, 299.0, clipped_ramp(300.0, 200.0, 5 / 60, 4.0, 329.0), 20.0, 5.0)


@pytest.mark.parametrize("time_s", [1.0, 100.0, 1199.0, 1300.0])
def test_both_nodes_agree_with_a_numerical_integration(time_s):
    def slopes(moment_s, nodes_k):
        return [(RAMP_DOWN.drive_k(moment_s) - nodes_k[0]) / 20.0, (nodes_k[0] - nodes_k[1]) / 5.0]

    solution = solve_ivp(slopes, (0.0, time_s), [300.0, 299.0], max_step=1.0, rtol=1e-9, atol=1e-9)
    assert RAMP_DOWN.at(time_s) == pytest.approx(solution.y[:, -1], abs=1e-5)


def test_a_jump_is_an_exponential_approach():
    jump = Trajectory(300.0, 300.0, clipped_ramp(300.0, 310.0, inf, 4.0, 400.0), 20.0, 5.0)
    assert jump.at(20.0)[0] == pytest.approx(310.0 - 10.0 / 2.718281828)


def test_a_ramp_is_held_at_the_limits_of_its_drive():
    legs = clipped_ramp(2.0, 400.0, 1.0, low_k=4.0, high_k=350.0)
    assert legs == (Leg(2.0, 4.0, 0.0), Leg(346.0, 4.0, 1.0), Leg(inf, 350.0, 0.0))


@pytest.mark.parametrize("node, lag_s", [(0, 20.0), (1, 25.0)])
def test_a_limit_is_crossed_one_lag_after_the_drive_crosses_it(node, lag_s):
    heating = Trajectory(300.0, 300.0, clipped_ramp(300.0, 400.0, 0.1, 4.0, 1000.0), 20.0, 5.0)
    assert heating.first_above(350.0, node) == pytest.approx(500.0 + lag_s, abs=1e-3)


def test_a_limit_that_is_never_reached_is_never_crossed():
    heating = Trajectory(300.0, 300.0, clipped_ramp(300.0, 340.0, 0.1, 4.0, 1000.0), 20.0, 5.0)
    assert heating.first_above(341.0, 0) is None


def test_a_drive_that_ends_is_an_error():
    with pytest.raises(ValueError, match="must have no end"):
        Trajectory(1.0, 1.0, (Leg(5.0, 1.0, 0.0),), 20.0, 5.0).drive_k(6.0)


def test_the_end_of_a_leg_joins_the_beginning_of_the_next():
    before, after = RAMP_DOWN.at(1200.0 - 1e-6), RAMP_DOWN.at(1200.0 + 1e-6)
    assert all(isclose(a, b, abs_tol=1e-5) for a, b in zip(before, after, strict=True))

"""Optimal dwell against published gains, and against moving time elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tplm_daq.analysis.design import PlannedScan, expected_standard_error
from tplm_daq.analysis.dwell import optimal_shares
from tplm_daq.errors import FitError

LINE_NM = np.linspace(-1000.0, 1000.0, 41)
PLAN = PlannedScan(LINE_NM, np.full(41, 20.0), (101.0, 101.0), sigma0_nm=250.3, peak_cps=20e3)


def relative_error(plan: PlannedScan, diffusivity_cm2_s: float) -> float:
    return expected_standard_error(plan, diffusivity_cm2_s) / diffusivity_cm2_s


@pytest.mark.parametrize(("diffusivity_cm2_s", "gain"), [(0.01, 2.0), (0.05, 1.8), (0.15, 1.5)])
def test_optimal_shares_gain_what_an_independent_calculation_found(diffusivity_cm2_s: float, gain: float) -> None:
    """That one had a spot of 212 nm and found 2.3, 2.0 and 1.5 against equal dwell over the same line."""
    shares = optimal_shares(PLAN, diffusivity_cm2_s)
    best = replace(PLAN, dwell_s=np.maximum(shares, 1e-9) * PLAN.dwell_s.sum())
    found = (relative_error(PLAN, diffusivity_cm2_s) / relative_error(best, diffusivity_cm2_s)) ** 2
    assert found == pytest.approx(gain, rel=0.07)
    assert shares[20] == pytest.approx(0.2, abs=0.06)
    assert np.sum(shares * np.abs(LINE_NM)) / np.sum(shares[np.abs(LINE_NM) > 300]) == pytest.approx(
        2.6 * PLAN.sigma0_nm, rel=0.15
    )


def test_moving_time_elsewhere_makes_nothing_better() -> None:
    """The directional derivatives of the variance, by differences instead of the formula that finds the optimum."""
    few = replace(PLAN, position_nm=LINE_NM[::4], dwell_s=np.full(11, 20.0))
    shares = 0.98 * optimal_shares(few, 0.05) + 0.02 / 11
    total_s = few.dwell_s.sum()
    variance = relative_error(replace(few, dwell_s=shares * total_s), 0.05) ** 2
    for i in range(11):
        moved = 0.98 * shares + 0.02 * np.eye(11)[i]
        assert relative_error(replace(few, dwell_s=moved * total_s), 0.05) ** 2 > 0.995 * variance


def test_shares_do_not_depend_on_the_dwell_before() -> None:
    uneven = replace(PLAN, dwell_s=np.linspace(1.0, 39.0, 41))
    np.testing.assert_allclose(optimal_shares(uneven, 0.05), optimal_shares(PLAN, 0.05))


def test_shares_of_a_single_position_are_refused() -> None:
    plan = replace(PLAN, position_nm=np.array([0.0]), dwell_s=np.array([20.0]))
    with pytest.raises(FitError, match="do not determine D"):
        optimal_shares(plan, 0.05)

"""Where time is best spent, by what is known so far: the estimate after each pass, and the shares of the positions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.design import PlannedScan, expected_standard_error
from tplm_daq.analysis.dwell import optimal_shares
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.errors import FitError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.recipes.analysis import AnalysisRecipe

FloatArray = NDArray[np.float64]

OPTIMAL_SHARE = 0.75
"""Time spent where it tells most about D; the rest is spread evenly, for a spot that is not quite what is believed."""


@dataclass(frozen=True)
class Estimate:
    """What a planner wants to know of the points so far.

    Attributes
    ----------
    diffusivity_cm2_s, standard_error_cm2_s : float
        D and its standard error.
    centre_nm, sigma0_nm : float
        Of the spot, along the line (along x on a map).
    peak_cps : float
        Counts per second at the position nearest to the centre.
    """

    diffusivity_cm2_s: float
    standard_error_cm2_s: float
    centre_nm: float
    sigma0_nm: float
    peak_cps: float

    @property
    def relative_error(self) -> float:
        """Standard error relative to D; infinite where D is not above zero."""
        if self.diffusivity_cm2_s <= 0:
            return math.inf
        return self.standard_error_cm2_s / self.diffusivity_cm2_s


def estimate_of(data: TimePositionMap, recipe: AnalysisRecipe) -> Estimate | None:
    """Fit the points so far; None if they do not determine D yet."""
    try:
        result = analyse(data, recipe)
    except FitError:
        return None
    along_nm = data.y_nm if result.axis == "y" else data.x_nm
    distance_nm = np.abs(along_nm - result.centre_nm)
    if result.centre_xy_nm is not None:
        distance_nm = np.hypot(distance_nm, data.y_nm - result.centre_xy_nm[1])
    nearest = int(np.argmin(distance_nm))
    dwell_s = 1.0 if data.dwell_s is None else float(data.dwell_s[nearest])
    return Estimate(
        result.diffusivity_cm2_s,
        result.standard_error_cm2_s,
        result.centre_nm,
        result.sigma0_nm,
        float(data.counts[nearest].sum()) / dwell_s,
    )


class Allocation(Protocol):
    """How time is shared among the positions."""

    def shares(self, estimate: Estimate | None) -> FloatArray:
        """Return the share of each position, float64 (n_position,) with sum 1."""

    def gain(self, estimate: Estimate, spent_s: FloatArray) -> float:
        """Return how much more a second tells about D with these shares than with the dwell spent so far."""


class GivenShares:
    """The same shares in every pass, float64 (n_position,) with sum 1."""

    def __init__(self, shares: FloatArray) -> None:
        self._shares = shares

    def shares(self, estimate: Estimate | None) -> FloatArray:
        """Return the shares given."""
        del estimate
        return self._shares

    def gain(self, estimate: Estimate, spent_s: FloatArray) -> float:
        """Return 1: nothing changes."""
        del estimate, spent_s
        return 1.0


class OptimalShares:
    """Most time where it tells most about D by the latest estimate; evenly while that says nothing.

    Parameters
    ----------
    line : PlannedScan
        The line as the analysis will see it; spot and rate are replaced by those estimated.
    along_nm : ndarray of float64, shape (n_position,)
        Positions along the line in nm.
    """

    def __init__(self, line: PlannedScan, along_nm: FloatArray) -> None:
        self._line = line
        self._along_nm = along_nm
        self._known: tuple[tuple[float, ...], FloatArray] = ((), np.zeros(0))

    def shares(self, estimate: Estimate | None) -> FloatArray:
        """Return the shares; the last ones again for the same spot."""
        even = np.full(len(self._along_nm), 1.0 / len(self._along_nm))
        if estimate is None:
            return even
        diffusivity_cm2_s = _believable_diffusivity(estimate)
        spot = (diffusivity_cm2_s, estimate.centre_nm, estimate.sigma0_nm, estimate.peak_cps)
        if self._known[0] != spot:
            try:
                best = optimal_shares(self._plan(estimate, np.ones(len(even))), diffusivity_cm2_s)
            except FitError:  # a spot that these positions cannot tell from none
                best = even
            self._known = (spot, OPTIMAL_SHARE * best + (1.0 - OPTIMAL_SHARE) * even)
        return self._known[1]

    def gain(self, estimate: Estimate, spent_s: FloatArray) -> float:
        """Return the ratio of the variances of D for the same time, 1 where there is no telling."""
        spent, best = self._plan(estimate, spent_s), self._plan(estimate, spent_s.sum() * self.shares(estimate))
        try:
            errors = [expected_standard_error(plan, _believable_diffusivity(estimate)) for plan in (spent, best)]
        except FitError:
            return 1.0
        return (errors[0] / errors[1]) ** 2

    def _plan(self, estimate: Estimate, dwell_s: FloatArray) -> PlannedScan:
        visited = dwell_s > 0
        return replace(
            self._line,
            position_nm=self._along_nm[visited] - estimate.centre_nm,
            dwell_s=dwell_s[visited],
            sigma0_nm=estimate.sigma0_nm,
            peak_cps=estimate.peak_cps,
        )


def _believable_diffusivity(estimate: Estimate) -> float:
    """Return a diffusivity above zero to plan with, also where the estimate is not."""
    return max(estimate.diffusivity_cm2_s, estimate.standard_error_cm2_s)

"""Temperatures of a heated platform and the sample on it, in closed form.

Two nodes in a row: the platform follows a piecewise linear drive with one time constant, the sample
follows the platform with another. Between two changes of the drive both temperatures are sums of a
straight line and exponentials, so they are evaluated at any moment from the last change alone; how the
time in between was cut into steps leaves no trace. No radiation, no temperature-dependent heat
capacity, no overshoot: numbers that a controller's client can wait for, not a model of a cryostat.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf

import numpy as np

SEARCH_POINTS = 512
"""Moments per leg at which `Trajectory.first_above` looks for the crossing before it closes in."""


@dataclass(frozen=True)
class Leg:
    """One straight piece of the drive.

    Attributes
    ----------
    duration_s : float
        Length of the piece, ``inf`` for the last one.
    start_k, slope_k_s : float
        Drive at the beginning of the piece, in K, and its slope, in K/s.
    """

    duration_s: float
    start_k: float
    slope_k_s: float


@dataclass(frozen=True)
class Trajectory:
    """Temperatures after a change of the drive at time zero.

    Attributes
    ----------
    platform_k, sample_k : float
        Temperatures at time zero, in K.
    legs : tuple of Leg
        The drive from time zero on; the last leg has no end.
    platform_lag_s, sample_lag_s : float
        Time constants of the two nodes, in s; they must differ.
    """

    platform_k: float
    sample_k: float
    legs: tuple[Leg, ...]
    platform_lag_s: float
    sample_lag_s: float

    def at(self, time_s: float) -> tuple[float, float]:
        """Return the temperatures of platform and sample, in K, `time_s` after the change."""
        platform_k, sample_k = self.platform_k, self.sample_k
        for leg in self.legs:
            step_s = min(time_s, leg.duration_s)
            platform_k, sample_k = self._follow(leg, platform_k, sample_k, step_s)
            time_s -= step_s
            if time_s <= 0:
                break
        return platform_k, sample_k

    def drive_k(self, time_s: float) -> float:
        """Return the drive, in K, `time_s` after the change."""
        for leg in self.legs:
            if time_s < leg.duration_s:
                return leg.start_k + leg.slope_k_s * time_s
            time_s -= leg.duration_s
        raise ValueError("the last leg of a drive must have no end")

    def first_above(self, limit_k: float, node: int) -> float | None:
        """Return when a node first exceeds a limit.

        Parameters
        ----------
        limit_k : float
            Limit in K.
        node : int
            0 for the platform, 1 for the sample.

        Returns
        -------
        float or None
            Seconds after the change, None if the limit is never exceeded.
        """
        settled_s = 30.0 * (self.platform_lag_s + self.sample_lag_s)
        start_s = 0.0
        for leg in self.legs:
            length_s = settled_s if leg.duration_s == inf else leg.duration_s
            moments_s = start_s + np.linspace(0.0, length_s, SEARCH_POINTS)
            for early_s, late_s in pairwise(moments_s):
                if self.at(float(late_s))[node] > limit_k:
                    return self._close_in(float(early_s), float(late_s), limit_k, node)
            start_s += leg.duration_s
        return None

    def _close_in(self, early_s: float, late_s: float, limit_k: float, node: int) -> float:
        while late_s - early_s > 1e-6:
            middle_s = 0.5 * (early_s + late_s)
            if self.at(middle_s)[node] > limit_k:
                late_s = middle_s
            else:
                early_s = middle_s
        return late_s

    def _follow(self, leg: Leg, platform_k: float, sample_k: float, step_s: float) -> tuple[float, float]:
        """Solve ``P' = (u - P) / a`` and ``S' = (P - S) / b`` for the drive ``u = u0 + r t``."""
        a, b, slope = self.platform_lag_s, self.sample_lag_s, leg.slope_k_s
        fast = platform_k - leg.start_k + slope * a
        mixed = fast * a / (a - b)
        own = sample_k - leg.start_k + slope * (a + b) - mixed
        line = leg.start_k + slope * (step_s - a)
        decay = exp(-step_s / a)
        return line + fast * decay, line - slope * b + mixed * decay + own * exp(-step_s / b)


def clipped_ramp(start_k: float, target_k: float, rate_k_s: float, low_k: float, high_k: float) -> tuple[Leg, ...]:
    """Return the legs of a linear ramp that is held between two limits.

    Parameters
    ----------
    start_k, target_k : float
        Ends of the ramp, in K.
    rate_k_s : float
        Rate, in K/s; ``inf`` jumps to the target.
    low_k, high_k : float
        Lowest and highest value of the drive, in K.

    Returns
    -------
    tuple of Leg
        Legs without gaps, the last one constant and without end.

    Examples
    --------
    >>> clipped_ramp(300.0, 290.0, 1.0, low_k=295.0, high_k=400.0)
    (Leg(duration_s=5.0, start_k=300.0, slope_k_s=-1.0), Leg(duration_s=inf, start_k=295.0, slope_k_s=0.0))
    """
    slope = rate_k_s if target_k > start_k else -rate_k_s
    end_s = 0.0 if rate_k_s == inf else abs(target_k - start_k) / rate_k_s
    corners = [0.0, end_s]
    if end_s:
        corners += [(limit - start_k) / slope for limit in (low_k, high_k) if 0.0 < (limit - start_k) / slope < end_s]
    corners.sort()
    legs = []
    for early_s, late_s in pairwise(corners):
        first_k, last_k = (min(max(start_k + slope * t, low_k), high_k) for t in (early_s, late_s))
        if late_s > early_s and first_k != last_k:
            legs.append(Leg(late_s - early_s, first_k, (last_k - first_k) / (late_s - early_s)))
        elif late_s > early_s:
            legs.append(Leg(late_s - early_s, first_k, 0.0))
    final_k = min(max(target_k, low_k), high_k)
    if legs and legs[-1].slope_k_s == 0.0:
        legs.pop()
    return (*legs, Leg(inf, final_k, 0.0))

"""How fast the nanocrystals forget that they were excited: D against the time between two excitations.

``D(t_exc) = D_inf + (D_0 - D_inf) exp(-t_exc / tau)`` (Science Advances 10, eadj2630 (2024)). For any one tau the
rest is linear, so the least chi-square is a function of tau alone: it is scanned over the decades the data
can speak of, then refined, and the interval is read from it (profile likelihood). One tau may be shared
by several series of different diffusivities. Where the data say no upper or lower limit of tau, the interval
ends at infinity or zero; where they say nothing about tau, there is no fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.special import chdtrc, chdtri

from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

FEWEST_POINTS = 4
"""Three parameters need a fourth point to be tested."""

BEYOND_DATA = 30.0
"""Relaxation times are sought from the shortest t_exc divided by this to the longest multiplied by it."""

INSIGNIFICANT = 0.05
"""Probability of the fit's gain by chance, above which D cannot be said to depend on t_exc."""

_N_GRID = 400
_RISE_68 = 1.0
_RISE_95 = 3.8414588206941236


@dataclass(frozen=True)
class EnhancementSeries:
    """Diffusivity against the time between excitations, of one sample at one temperature.

    Attributes
    ----------
    t_exc_us : ndarray of float64, shape (n_point,)
        Mean time between two excitations of a nanocrystal, in us.
    diffusivity_cm2_s, standard_error_cm2_s : ndarray of float64, shape (n_point,)
        Diffusivities and their standard errors, in cm2/s.
    name : str
        For messages.
    """

    t_exc_us: FloatArray
    diffusivity_cm2_s: FloatArray
    standard_error_cm2_s: FloatArray
    name: str = "series"


@dataclass(frozen=True)
class Relaxation:
    """Result of `fit_relaxation`.

    Attributes
    ----------
    tau_us, tau_error_us : float
        Relaxation time and its standard error: half the length of the 68 % profile interval.
    tau_ci95_us : tuple of float
        95 % profile interval; 0 or infinity where the data set no limit.
    d_0_cm2_s, d_inf_cm2_s : ndarray of float64, shape (n_series,)
        Diffusivity for frequent and for rare excitation.
    d_0_error_cm2_s, d_inf_error_cm2_s : ndarray of float64, shape (n_series,)
        Standard errors, the uncertainty of tau included.
    chi_square : float
        Of all series together.
    n_dof : int
        Degrees of freedom.
    p_value : float
        Probability of a worse fit by chance.
    """

    tau_us: float
    tau_error_us: float
    tau_ci95_us: tuple[float, float]
    d_0_cm2_s: FloatArray
    d_inf_cm2_s: FloatArray
    d_0_error_cm2_s: FloatArray
    d_inf_error_cm2_s: FloatArray
    chi_square: float
    n_dof: int
    p_value: float

    def curve(self, t_exc_us: FloatArray, series: int = 0) -> FloatArray:
        """Return the fitted diffusivity in cm2/s at times in us, for one of the series."""
        return enhancement(t_exc_us, self.d_0_cm2_s[series], self.d_inf_cm2_s[series], self.tau_us)


def enhancement(t_exc_us: FloatArray, d_0_cm2_s: float, d_inf_cm2_s: float, tau_us: float) -> FloatArray:
    """Return the diffusivity at a time between excitations.

    Examples
    --------
    >>> np.round(enhancement(np.array([0.0, 6.0, 100.0]), 0.15, 0.01, 6.0), 3)
    array([0.15 , 0.062, 0.01 ])
    """
    return np.asarray(d_inf_cm2_s + (d_0_cm2_s - d_inf_cm2_s) * np.exp(-t_exc_us / tau_us))


def fit_relaxation(*series: EnhancementSeries) -> Relaxation:
    """Fit the relaxation time, shared by all series given, and each series' two diffusivities.

    Parameters
    ----------
    *series : EnhancementSeries
        One or more.

    Returns
    -------
    Relaxation
        Estimates with intervals, and the goodness of the fit.

    Raises
    ------
    FitError
        If a series is unusable, D does not depend on t_exc beyond its errors, or all points lie on one side of tau.

    Examples
    --------
    >>> t_exc_us = np.array([2.5, 5.0, 10.0, 20.0, 50.0])
    >>> exact = EnhancementSeries(t_exc_us, enhancement(t_exc_us, 0.15, 0.01, 6.0), np.full(5, 0.002))
    >>> fit = fit_relaxation(exact)
    >>> round(fit.tau_us, 3), [round(limit, 2) for limit in fit.tau_ci95_us]
    (6.0, [5.25, 6.86])
    """
    if not series:
        raise FitError("No series given.")
    for one in series:
        _check(one)

    def profile(log_tau: float) -> float:
        return sum(_linear_fit(one, log_tau)[1] for one in series)

    shortest = np.log(min(_shortest_positive(one) for one in series) / BEYOND_DATA)
    longest = np.log(max(float(one.t_exc_us.max()) for one in series) * BEYOND_DATA)
    grid = np.linspace(shortest, longest, _N_GRID)
    values = np.array([profile(log_tau) for log_tau in grid])
    best = int(np.argmin(values))
    _require_dependence(series, float(values[best]))
    if best in (0, _N_GRID - 1):
        side, missing = ("above", "higher") if best == 0 else ("below", "lower")
        raise FitError(f"The relaxation time cannot be placed: all t_exc are {side} it. Add points at {missing} power.")
    refined = minimize_scalar(
        profile, bounds=(grid[best - 1], grid[best + 1]), method="bounded", options={"xatol": 1e-9}
    )
    log_tau, least = float(refined.x), float(refined.fun)
    low_68, high_68 = _interval(profile, grid, values, log_tau, least + _RISE_68)
    low_95, high_95 = _interval(profile, grid, values, log_tau, least + _RISE_95)
    n_dof = sum(len(one.t_exc_us) for one in series) - 2 * len(series) - 1
    linear, errors = _diffusivities(series, log_tau)
    return Relaxation(
        tau_us=float(np.exp(log_tau)),
        tau_error_us=0.5 * (high_68 - low_68),
        tau_ci95_us=(low_95, high_95),
        d_0_cm2_s=linear.sum(axis=1),
        d_inf_cm2_s=linear[:, 0],
        d_0_error_cm2_s=errors[:, 1],
        d_inf_error_cm2_s=errors[:, 0],
        chi_square=least,
        n_dof=n_dof,
        p_value=float(chdtrc(n_dof, least)),
    )


def _check(series: EnhancementSeries) -> None:
    name, n_point = series.name, len(series.t_exc_us)
    if not n_point == len(series.diffusivity_cm2_s) == len(series.standard_error_cm2_s):
        raise FitError(f"{name}: t_exc, D and standard errors must have one entry per point.")
    if not np.all(np.isfinite(series.t_exc_us) & (series.t_exc_us >= 0)):
        raise FitError(f"{name}: t_exc must be finite and not negative; leave out points without light.")
    if not np.all(np.isfinite(series.diffusivity_cm2_s)):
        raise FitError(f"{name}: some diffusivity is not a finite number; leave such points out.")
    if not np.all(np.isfinite(series.standard_error_cm2_s) & (series.standard_error_cm2_s > 0)):
        raise FitError(f"{name}: every diffusivity needs a standard error above zero.")
    n_distinct = len(np.unique(series.t_exc_us))
    if n_distinct < FEWEST_POINTS:
        raise FitError(f"{name}: {n_distinct} different t_exc; the relaxation needs at least {FEWEST_POINTS}.")


def _shortest_positive(series: EnhancementSeries) -> float:
    return float(series.t_exc_us[series.t_exc_us > 0].min())


def _linear_fit(series: EnhancementSeries, log_tau: float) -> tuple[FloatArray, float]:
    """Return D_inf and D_0 - D_inf for one tau, and chi-square."""
    weight = 1.0 / series.standard_error_cm2_s
    decay = np.exp(-series.t_exc_us * np.exp(-log_tau))
    design = weight[:, None] * np.column_stack([np.ones_like(decay), decay])
    target = weight * series.diffusivity_cm2_s
    solution = np.linalg.lstsq(design, target, rcond=None)[0]
    return solution, float(np.sum((target - design @ solution) ** 2))


def _require_dependence(series: Sequence[EnhancementSeries], least: float) -> None:
    """Raise FitError if constant diffusivities describe the data as well."""
    constant = 0.0
    for one in series:
        weight = one.standard_error_cm2_s**-2
        mean = np.average(one.diffusivity_cm2_s, weights=weight)
        constant += float(np.sum(weight * (one.diffusivity_cm2_s - mean) ** 2))
    n_extra = len(series) + 1
    chance = float(chdtrc(n_extra, max(constant - least, 0.0)))
    if chance > INSIGNIFICANT:
        raise FitError(
            f"D does not depend on t_exc beyond its errors (p = {chance:.2g}; chi-square gains {constant - least:.1f}, "
            f"{chdtri(n_extra, INSIGNIFICANT):.1f} needed). Measure longer, or over a wider range of powers."
        )


def _interval(
    profile: Callable[[float], float], grid: FloatArray, values: FloatArray, log_tau: float, level: float
) -> tuple[float, float]:
    """Return where the profile crosses a level on both sides, in us; 0 or infinity where it does not."""
    above_left = np.flatnonzero((values > level) & (grid < log_tau))
    above_right = np.flatnonzero((values > level) & (grid > log_tau))

    def crossing(outside: float) -> float:
        return float(np.exp(brentq(lambda x: profile(x) - level, outside, log_tau, xtol=1e-10)))

    low = crossing(float(grid[above_left[-1]])) if len(above_left) else 0.0
    high = crossing(float(grid[above_right[0]])) if len(above_right) else float(np.inf)
    return low, high


def _diffusivities(series: Sequence[EnhancementSeries], log_tau: float) -> tuple[FloatArray, FloatArray]:
    """Return D_inf and D_0 - D_inf per series, and the standard errors of D_inf and D_0, with tau free."""
    n_parameter = 2 * len(series) + 1
    information = np.zeros((n_parameter, n_parameter))
    linear = np.empty((len(series), 2))
    for i, one in enumerate(series):
        linear[i], _ = _linear_fit(one, log_tau)
        scaled = one.t_exc_us * np.exp(-log_tau)
        decay = np.exp(-scaled)
        jacobian = np.column_stack([1.0 - decay, decay, (linear[i, 1] * scaled * decay)])
        jacobian /= one.standard_error_cm2_s[:, None]
        rows = [2 * i, 2 * i + 1, n_parameter - 1]
        information[np.ix_(rows, rows)] += jacobian.T @ jacobian
    try:
        variances = np.diag(np.linalg.inv(information))
    except np.linalg.LinAlgError as exc:
        raise FitError("Some series does not tell D_0 and D_inf apart; add points, or omit it.") from exc
    return linear, np.sqrt(variances[:-1]).reshape(-1, 2)

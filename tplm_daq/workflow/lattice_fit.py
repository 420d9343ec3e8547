"""Rates and relaxation time of the lattice from measured diffusivities: D(t_exc) by interpolation over a grid.

The grid is simulated once, for pairs of hopping probabilities and for one relaxation time. Others need no simulation:
at one alpha nothing changes if relaxation time and pulse spacing are both taken x times as long, so D depends on
t_exc / tau_relax. On alpha itself it depends weakly: in steady state by 0.005 cm2/s at most between 0.01 and 0.16.

Chi-square is worked out at all points of a finer grid, which is then narrowed down around the minimum, and each
parameter's interval is read off its profile (the least chi-square over the other two).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.special import chdtrc

from tplm_daq.analysis.relaxation import EnhancementSeries
from tplm_daq.errors import FitError, InputError
from tplm_daq.kmc.simulate import Condition
from tplm_daq.kmc.sweep import Job
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.workflow.kmc import SweepProgress, run_jobs

FloatArray = NDArray[np.float64]

P_SLOW = (0.001, 0.003, 0.01, 0.03, 0.1)
P_FAST = (0.2, 0.35, 0.55, 0.75, 1.0)

N_FINE = (31, 31, 61)
"""Points at which chi-square is worked out, along hopping to slow, hopping to fast, and relaxation time."""

N_TIMES = 241
"""Points of the finer axis of time."""

ZOOMS, WORTH_A_LOOK = 2, 30.0
"""How often the search is narrowed down to where chi-square is at most so much above its minimum."""

FEWEST_POINTS = 4
RISE_95 = 3.8414588206941236


@dataclass(frozen=True)
class LatticeGrid:
    """Diffusivities of the lattice.

    Attributes
    ----------
    k_slow_per_ns, k_fast_per_ns : ndarray of float64, shape (n_slow,) and (n_fast,)
        Attempts to hop to slow and to fast sites that succeed, per ns; ascending.
    t_exc_per_tau : ndarray of float64, shape (n_time,)
        Time between excitations over relaxation time; ascending.
    diffusivity_cm2_s, standard_error_cm2_s : ndarray of float64, shape (n_slow, n_fast, n_time)
        Per axis.
    """

    k_slow_per_ns: FloatArray
    k_fast_per_ns: FloatArray
    t_exc_per_tau: FloatArray
    diffusivity_cm2_s: FloatArray
    standard_error_cm2_s: FloatArray


@dataclass(frozen=True)
class Fitted:
    """A parameter with its 95 % profile interval, which ends at 0 or infinity where the grid sets no limit."""

    value: float
    ci95: tuple[float, float]


@dataclass(frozen=True)
class LatticeFit:
    """Result of `fit_lattice`.

    Attributes
    ----------
    k_slow_per_ns, k_fast_per_ns, tau_relax_us : Fitted
        The parameters.
    t_exc_us, diffusivity_cm2_s : ndarray of float64, shape (n_point,)
        The fitted curve at the measured times between excitations.
    chi_square : float
        Of the fit, the grid's own statistical errors included.
    n_dof : int
        Degrees of freedom.
    p_value : float
        Probability of a worse fit by chance.
    """

    k_slow_per_ns: Fitted
    k_fast_per_ns: Fitted
    tau_relax_us: Fitted
    t_exc_us: FloatArray
    diffusivity_cm2_s: FloatArray
    chi_square: float
    n_dof: int
    p_value: float


def simulate_grid(
    recipe: KmcRecipe,
    folder: Path | None = None,
    n_workers: int | None = None,
    scheduler: str | None = None,
    on_progress: Callable[[SweepProgress], None] | None = None,
    p_slow: Sequence[float] = P_SLOW,
    p_fast: Sequence[float] = P_FAST,
) -> LatticeGrid:
    """Simulate the grid, or what its files lack: one file per pair of probabilities.

    Parameters
    ----------
    recipe : KmcRecipe
        Lattice, one alpha, and the pulse spacings; shipped as ``configs/kmc_fit.yaml``.
    folder, n_workers, scheduler, on_progress
        As for `run_jobs`.
    p_slow, p_fast : sequence of float
        Probabilities to hop to slow and to fast sites, ascending; at least two each.

    Raises
    ------
    InputError
        The recipe or the probabilities make no grid.
    """
    tau_pulse_ns = sorted(recipe.tau_pulse_ns)
    if len(recipe.alpha) != 1 or min(len(tau_pulse_ns), len(p_slow), len(p_fast)) < 2:
        raise InputError(
            f"kmc: a grid needs one alpha and at least two values of tau_pulse, p_slow and p_fast; there are "
            f"{len(recipe.alpha)}, {len(tau_pulse_ns)}, {len(p_slow)} and {len(p_fast)}."
        )
    if max(p_slow) > min(p_fast):
        raise InputError(f"kmc: p_slow of {max(p_slow):g} is larger than p_fast of {min(p_fast):g} in the same grid.")
    recipes = [
        recipe.model_copy(update={"lattice": recipe.lattice.model_copy(update={"p_slow": slow, "p_fast": fast})})
        for slow in p_slow
        for fast in p_fast
    ]
    jobs = [Job(each, Condition(recipe.alpha[0], tau_ns)) for each in recipes for tau_ns in tau_pulse_ns]
    points = run_jobs(jobs, folder, n_workers, scheduler, on_progress).points
    shape = (len(p_slow), len(p_fast), len(tau_pulse_ns))
    rates = np.array([each.lattice.p_hop for each in recipes]).reshape(*shape[:2], -1) * 1e3 / recipe.lattice.step_ps
    return LatticeGrid(
        k_slow_per_ns=rates[:, 0, 0],
        k_fast_per_ns=rates[0, :, 1],
        t_exc_per_tau=np.array(tau_pulse_ns) / (recipe.alpha[0] * recipe.lattice.tau_relax_ns),
        diffusivity_cm2_s=np.array([point.d_sim_cm2_s for point in points]).reshape(shape),
        standard_error_cm2_s=np.array([point.standard_error_cm2_s for point in points]).reshape(shape),
    )


def fit_lattice(series: EnhancementSeries, grid: LatticeGrid) -> LatticeFit:
    """Fit both hopping rates and the relaxation time of the lattice to measured diffusivities.

    Parameters
    ----------
    series : EnhancementSeries
        Diffusivities against time between excitations; `SeriesTable.enhancement` makes one.
    grid : LatticeGrid
        From `simulate_grid`.

    Returns
    -------
    LatticeFit
        Estimates with intervals, and the goodness of the fit.

    Raises
    ------
    FitError
        There are too few points, or the relaxation time lies outside what the grid covers.
    """
    error_cm2_s = series.standard_error_cm2_s
    values = (series.t_exc_us, series.diffusivity_cm2_s, error_cm2_s)
    if len(np.unique(series.t_exc_us)) < FEWEST_POINTS or not all(np.all(np.isfinite(column)) for column in values):
        raise FitError(f"{series.name}: at least {FEWEST_POINTS} different t_exc with finite D and errors are needed.")
    if np.any(error_cm2_s <= 0) or np.any(series.t_exc_us <= 0):
        raise FitError(f"{series.name}: every point needs a t_exc and a standard error above zero.")
    axes = _widest(series, grid)
    for zoom in range(ZOOMS + 1):
        curves = _refined(grid, *axes[:2])
        chi_square = np.zeros(N_FINE)
        for t_exc_us, d_cm2_s, sd_cm2_s in zip(series.t_exc_us, series.diffusivity_cm2_s, error_cm2_s, strict=True):
            chi_square += ((_at(curves, grid, t_exc_us / axes[2]) - d_cm2_s) / sd_cm2_s) ** 2
        best = np.unravel_index(int(np.argmin(chi_square)), chi_square.shape)
        if zoom < ZOOMS:
            _require_inside(series, axes[2], int(best[2]))
            error_cm2_s = np.hypot(series.standard_error_cm2_s, _grid_error(grid, series.t_exc_us / axes[2][best[2]]))
            axes = tuple(_narrowed(chi_square, axes, along) for along in range(3))
    slow, fast, tau = (_profiled(chi_square, axes, along) for along in range(3))
    least, n_dof = float(chi_square[best]), len(series.t_exc_us) - 3
    return LatticeFit(
        k_slow_per_ns=slow,
        k_fast_per_ns=fast,
        tau_relax_us=tau,
        t_exc_us=series.t_exc_us,
        diffusivity_cm2_s=_at(curves, grid, series.t_exc_us / axes[2][best[2]])[best[0], best[1]],
        chi_square=least,
        n_dof=n_dof,
        p_value=float(chdtrc(n_dof, least)),
    )


def _widest(series: EnhancementSeries, grid: LatticeGrid) -> tuple[FloatArray, ...]:
    """Return all rates of the grid, and the relaxation times for which it covers the point of shortest t_exc."""
    rates = (grid.k_slow_per_ns, grid.k_fast_per_ns)
    tau_us = series.t_exc_us.min() / grid.t_exc_per_tau[::-1]
    return tuple(_spaced(axis[0], axis[-1], n) for axis, n in zip((*rates, tau_us), N_FINE, strict=True))


def _spaced(first: float, last: float, n: int) -> FloatArray:
    return np.clip(np.geomspace(first, last, n), first, last)


def _require_inside(series: EnhancementSeries, tau_us: FloatArray, best: int) -> None:
    if best in (0, len(tau_us) - 1):
        raise FitError(
            f"{series.name}: the relaxation time lies outside {tau_us[0]:.3g} to {tau_us[-1]:.3g} us, where it is "
            "sought. Add points at other powers, or simulate a grid with more tau_pulse."
        )


def _narrowed(chi_square: FloatArray, axes: tuple[FloatArray, ...], along: int) -> FloatArray:
    """Return an axis that ends one point beyond where a look is worth while."""
    profile = chi_square.min(axis=tuple({0, 1, 2} - {along}))
    worth = np.flatnonzero(profile < profile.min() + WORTH_A_LOOK)
    first, last = max(int(worth[0]) - 1, 0), min(int(worth[-1]) + 1, len(profile) - 1)
    return _spaced(axes[along][first], axes[along][last], len(profile))


def _refined(grid: LatticeGrid, k_slow_per_ns: FloatArray, k_fast_per_ns: FloatArray) -> FloatArray:
    """Return D at some rates and at `N_TIMES` times, spaced evenly in the logarithm, without overshoot."""
    logs = np.log(grid.t_exc_per_tau)
    values = PchipInterpolator(grid.k_slow_per_ns, grid.diffusivity_cm2_s, axis=0)(k_slow_per_ns)
    values = PchipInterpolator(grid.k_fast_per_ns, values, axis=1)(k_fast_per_ns)
    return np.asarray(PchipInterpolator(logs, values, axis=2)(np.linspace(logs[0], logs[-1], N_TIMES)))


def _at(curves: FloatArray, grid: LatticeGrid, t_exc_per_tau: FloatArray) -> FloatArray:
    """Return D in cm2/s at some times, shape (n_slow, n_fast, n); beyond the grid's longest time nothing changes."""
    first, last = np.log(grid.t_exc_per_tau[[0, -1]])
    place = np.clip((np.log(t_exc_per_tau) - first) / (last - first) * (N_TIMES - 1), 0.0, N_TIMES - 1.000001)
    before = place.astype(int)
    fraction = place - before
    return np.asarray(curves[:, :, before] * (1.0 - fraction) + curves[:, :, before + 1] * fraction)


def _grid_error(grid: LatticeGrid, t_exc_per_tau: FloatArray) -> FloatArray:
    """Return the grid's standard error at some times, in cm2/s: that of a typical pair of rates."""
    return np.interp(t_exc_per_tau, grid.t_exc_per_tau, np.median(grid.standard_error_cm2_s, axis=(0, 1)))


def _profiled(chi_square: FloatArray, axes: tuple[FloatArray, ...], along: int) -> Fitted:
    """Return where the least chi-square over the other axes has its minimum, and where it is 3.84 above it."""
    profile = chi_square.min(axis=tuple({0, 1, 2} - {along}))
    logs, best = np.log(axes[along]), int(np.argmin(profile))
    value, least = float(logs[best]), float(profile[best])
    if 0 < best < len(logs) - 1:
        before, at, after = profile[best - 1 : best + 2]
        shift = 0.5 * (before - after) / (before - 2.0 * at + after)
        value += shift * float(logs[1] - logs[0])
        least = at - 0.25 * (before - after) * shift
    outside = profile > least + RISE_95
    low, high = 0.0, np.inf
    if outside[:best].any():
        edge = int(np.flatnonzero(outside[:best])[-1])
        low = float(np.exp(np.interp(least + RISE_95, profile[[edge + 1, edge]], logs[[edge + 1, edge]])))
    if outside[best:].any():
        edge = best + int(np.flatnonzero(outside[best:])[0])
        high = float(np.exp(np.interp(least + RISE_95, profile[[edge - 1, edge]], logs[[edge - 1, edge]])))
    return Fitted(float(np.exp(value)), (low, high))

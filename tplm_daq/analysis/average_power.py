"""Does D depend on the average power only? Its partial dependence on repetition rate and <N>.

The enhancement of D lasts for microseconds, so that pulses add up: at the same average power, that is, at the
same time between two excitations of a nanocrystal, neither the rate nor the excitons per pulse should matter
(Science Advances 10, eadj2630 (2024)). If that holds the p-values are uniform; if not, the partial exponent says by
how much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc, stdtrit

from tplm_daq.analysis.series_table import SAME_LIGHT, SIGNIFICANCE, SeriesTable, require_runs
from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

FEWEST_COMPARISONS = 3
"""Runs are compared within groups of the same power if there are this many pairs of rates at the same power, and if at
least half of the runs are in such groups."""

N_PERMUTATIONS = 1999
POLYNOMIAL_DEGREE = 3
LEAST_SCATTER = 1e-9


@dataclass(frozen=True)
class AveragePowerOnly:
    """Whether D depends on the repetition rate, and so on <N>, at the same average power.

    At a given average power <N> is inversely proportional to the rate, so their partial exponents are opposite
    and one test answers for both.

    Attributes
    ----------
    rate_exponent, excitons_exponent : float
        Partial derivatives of log D with respect to log f and to log <N>, at the same t_exc.
    exponent_error : float
        Standard error of either, from the scatter of the data.
    exponent_half_interval : float
        Half width of their 95 % interval.
    f_statistic : float
        With 1 and `n_dof` degrees of freedom.
    n_dof : int
        Degrees of freedom left.
    p_value : float
        Of the F-test.
    permutation_p_value : float
        Of the same statistic with residuals permuted (Freedman and Lane, The Statistician 32, 292 (1983)).
    chi_square : float
        Scatter left in units of the standard errors given, with `n_dof` degrees of freedom.
    is_grouped : bool
        Whether runs were compared within groups of the same average power; otherwise a cubic of log t_exc
        describes how D depends on it.
    verdict : str
        One sentence.
    """

    rate_exponent: float
    excitons_exponent: float
    exponent_error: float
    exponent_half_interval: float
    f_statistic: float
    n_dof: int
    p_value: float
    permutation_p_value: float
    chi_square: float
    is_grouped: bool
    verdict: str


def average_power_only(table: SeriesTable, n_permutations: int = N_PERMUTATIONS, seed: int = 0) -> AveragePowerOnly:
    """Test whether the repetition rate matters once the average power is taken into account.

    A weighted regression of log D on log f, with one level per average power if most powers are shared by
    several rates, and otherwise with a cubic of log t_exc.

    Parameters
    ----------
    table : SeriesTable
        Runs at several repetition rates, at one temperature.
    n_permutations : int
        Number of permutations.
    seed : int
        Seed of the permutations.

    Returns
    -------
    AveragePowerOnly
        Test and verdict.

    Raises
    ------
    FitError
        If a diffusivity is not positive, the rates do not vary at the same power, or too few runs are given.

    Examples
    --------
    >>> from tplm_daq.analysis.series_table import series_table
    >>> rates_hz = np.tile([0.625e6, 2.5e6, 10e6], 3)
    >>> powers_nw = np.repeat([1.0, 4.0, 16.0], 3)
    >>> d_cm2_s = np.array([11.0, 11.4, 11.1, 26.8, 27.5, 28.0, 97.1, 95.0, 96.3]) / 1000
    >>> result = average_power_only(series_table(powers_nw, rates_hz, d_cm2_s, 0.02 * d_cm2_s))
    >>> round(result.rate_exponent, 3), round(result.exponent_error, 3), result.p_value > 0.05
    (0.005, 0.005, True)
    """
    require_runs(table, 4)
    if np.any(table.diffusivity_cm2_s <= 0):
        raise FitError("Log axes need every D above zero; measure the runs at low power longer, or leave them out.")
    y = np.log(table.diffusivity_cm2_s)
    root_weight = table.diffusivity_cm2_s / table.standard_error_cm2_s
    nuisance, is_grouped = _light_dependence(table)
    remove = _annihilator(root_weight[:, None] * nuisance)
    scaled_rate = root_weight * np.log(table.repetition_rate_hz)
    rate = remove @ scaled_rate
    lever = float(rate @ rate)
    if lever < 1e-9 * float(scaled_rate @ scaled_rate):
        raise FitError("The repetition rate does not vary at the same average power; add runs at another rate.")
    n_dof = round(float(np.trace(remove))) - 1
    if n_dof < 2:
        raise FitError(f"{len(table)} runs leave {max(n_dof, 0)} degree of freedom; at least 2 are needed. Add runs.")
    rest = remove @ (root_weight * y)
    exponent = float(rate @ rest) / lever
    chi_square = float(rest @ rest) - exponent**2 * lever
    if chi_square < LEAST_SCATTER:
        raise FitError("The runs scatter next to nothing compared with their standard errors; give measured values.")
    error = float(np.sqrt(chi_square / n_dof / lever))
    f_statistic = (exponent / error) ** 2
    p_value = float(fdtrc(1, n_dof, f_statistic))
    permuted = _permuted_f(remove, rate, rest, n_dof, n_permutations, seed)
    half_interval = error * float(stdtrit(n_dof, 0.975))
    return AveragePowerOnly(
        rate_exponent=exponent,
        excitons_exponent=-exponent,
        exponent_error=error,
        exponent_half_interval=half_interval,
        f_statistic=f_statistic,
        n_dof=n_dof,
        p_value=p_value,
        permutation_p_value=(1.0 + float(np.count_nonzero(permuted >= f_statistic))) / (1.0 + n_permutations),
        chi_square=chi_square,
        is_grouped=is_grouped,
        verdict=_power_verdict(exponent, half_interval, p_value),
    )


def _light_dependence(table: SeriesTable) -> tuple[FloatArray, bool]:
    """Return columns that can describe any dependence on the average power alone, and whether they are groups."""
    log_t = np.log(table.t_exc_us)
    order = np.argsort(log_t)
    group = np.empty(len(table), np.int64)
    group[order] = np.concatenate([[0], np.cumsum(np.diff(log_t[order]) > np.log1p(SAME_LIGHT))])
    n_group = int(group.max()) + 1
    n_rates = np.array([len(np.unique(table.repetition_rate_hz[group == each])) for each in range(n_group)])
    n_shared = np.count_nonzero(n_rates[group] > 1)
    if 2 * n_shared >= len(table) and np.sum(n_rates - 1) >= FEWEST_COMPARISONS:
        return np.eye(n_group)[group], True
    centred = (log_t - log_t.mean()) / max(float(np.std(log_t)), 1e-6)
    return np.vander(centred, POLYNOMIAL_DEGREE + 1), False


def _annihilator(design: FloatArray) -> FloatArray:
    """Return the matrix that removes everything the columns of a design can describe."""
    return np.asarray(np.eye(len(design)) - design @ np.linalg.pinv(design))


def _permuted_f(
    remove: FloatArray, rate: FloatArray, rest: FloatArray, n_dof: int, n_permutations: int, seed: int
) -> FloatArray:
    """Return the F statistic for residuals in random order."""
    shuffled = np.random.default_rng(seed).permuted(np.tile(rest, (n_permutations, 1)), axis=1) @ remove
    explained = (shuffled @ rate) ** 2 / float(rate @ rate)
    left = np.sum(shuffled**2, axis=1) - explained
    return np.divide(explained * n_dof, left, out=np.full_like(left, np.inf), where=left > 0)


def _power_verdict(exponent: float, half_interval: float, p_value: float) -> str:
    told = f"at the same average power D goes as f^({exponent:+.3f} ± {half_interval:.3f}) (95 %, p = {p_value:.2g})"
    if p_value < SIGNIFICANCE:
        return f"D depends on the repetition rate too, not on the average power only: {told}."
    return f"Nothing speaks against the average power alone: {told}."

"""Fisher scoring with bounds: the one optimiser behind every likelihood fit of this program.

Newton's method with the expected instead of the observed curvature. For Poisson counts it needs first
derivatives only, its matrix is positive definite, and its inverse is the covariance that the fit
reports. Steps are damped (Levenberg-Marquardt) whenever the likelihood would fall, so it climbs from
any start inside the domain; it finds the nearest maximum, not the global one: good starting values
are the caller's task.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

NORMAL_95 = 1.959963984540054
"""Half width of the central 95 % of a normal distribution, in standard deviations."""

MAX_STEPS = 100
"""Tried steps before giving up; a fit that is going to converge needs 4 to 20."""

DECREMENT = 1e-13
"""Promised gain in log-likelihood below which the fit has converged: less than a millionth of a standard error."""

GOOD_DECREMENT = 1e-5
"""Promised gain that is accepted when the steps are used up: a three-hundredth of a standard error. It happens where
height and width of a faint tail of earlier pulses pull each other along a curved ridge."""

ROUNDING = 1e-12
LOST_GAIN = 1e-6
"""Gains that may be lost in rounding, relative to the log-likelihood and at least: from there on only the gradient is
believed, as long as the promised gain falls."""

MEASURE_MORE = "Measure longer, or at more positions across the spot."
"""What helps where the counts do not determine a spot."""

_TINY_DAMPING = 1e-10
_FIRST_DAMPING = 1e-3
_MAX_DAMPING = 1e12


@dataclass(frozen=True)
class Evaluation:
    """Log-likelihood at one point, with its first derivatives and the Fisher information.

    Attributes
    ----------
    log_likelihood : float
        Up to a constant; minus infinity outside the domain.
    gradient : ndarray of float64, shape (n_parameter,)
        Derivatives of the log-likelihood.
    information : ndarray of float64, shape (n_parameter, n_parameter)
        Expected negative second derivatives.
    """

    log_likelihood: float
    gradient: FloatArray
    information: FloatArray


@dataclass(frozen=True)
class Maximum:
    """Where the likelihood is greatest.

    Attributes
    ----------
    parameters : ndarray of float64, shape (n_parameter,)
        The estimate.
    covariance : ndarray of float64, shape (n_parameter, n_parameter)
        Inverse Fisher information of the free parameters; zero for fixed ones.
    log_likelihood : float
        There.
    n_steps : int
        Steps tried.
    """

    parameters: FloatArray
    covariance: FloatArray
    log_likelihood: float
    n_steps: int


def maximise(
    evaluate: Callable[[FloatArray], Evaluation],
    start: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    free: NDArray[np.bool_],
    what: str,
    advice: str = MEASURE_MORE,
) -> Maximum:
    """Climb to the maximum of a likelihood.

    Parameters
    ----------
    evaluate : callable
        Returns the `Evaluation` at a parameter vector.
    start, lower, upper : ndarray of float64, shape (n_parameter,)
        Start and bounds; infinite bounds are allowed.
    free : ndarray of bool, shape (n_parameter,)
        Parameters that are fitted; the others stay at `start`.
    what : str
        Name of the fit for error messages, such as "decay fit".
    advice : str
        What helps if the data do not determine the parameters: a sentence for error messages.

    Returns
    -------
    Maximum
        Estimate and covariance. A parameter that ends on a bound counts as free in the covariance.

    Raises
    ------
    FitError
        If the start is outside the domain, the fit does not converge, or the data do not determine
        the parameters.
    """
    parameters = np.clip(start, lower, upper)
    here = evaluate(parameters)
    if not np.isfinite(here.log_likelihood):
        raise FitError(f"{what}: the starting values do not describe the data at all; check delays and positions.")
    damping, previous = _FIRST_DAMPING, np.inf
    for n_steps in range(1, MAX_STEPS + 1):
        moving = free & ~_held_by_bound(parameters, here.gradient, lower, upper)
        decrement = float(here.gradient @ _step(here, moving, _TINY_DAMPING))
        is_rounded = decrement < max(ROUNDING * abs(here.log_likelihood), LOST_GAIN)
        if decrement < DECREMENT or (is_rounded and decrement >= previous):
            return _maximum(parameters, here, free, what, advice, n_steps)
        previous = decrement
        trial = np.clip(parameters + _step(here, moving, damping), lower, upper)
        there = evaluate(trial)
        kept_promise = (there.log_likelihood - here.log_likelihood) / _promised_gain(here, trial - parameters)
        if is_rounded and np.isfinite(there.log_likelihood):
            kept_promise = 1.0
        if kept_promise >= 0.0:
            parameters, here = trial, there
        damping = _next_damping(damping, kept_promise)
        if damping > _MAX_DAMPING:
            break
    if decrement < GOOD_DECREMENT:
        return _maximum(parameters, here, free, what, advice, n_steps)
    raise FitError(f"{what} did not converge in {n_steps} steps. {advice}")


def _maximum(
    parameters: FloatArray, here: Evaluation, free: NDArray[np.bool_], what: str, advice: str, n_steps: int
) -> Maximum:
    covariance = _covariance(here.information, free, what, advice)
    return Maximum(parameters, covariance, here.log_likelihood, n_steps)


def poisson_log_likelihood(counts: FloatArray, expected: FloatArray) -> float:
    """Return the Poisson log-likelihood relative to a perfect fit: minus half the deviance.

    Parameters
    ----------
    counts, expected : ndarray of float64, same shape
        Counts observed and expected; expected counts are positive.

    Returns
    -------
    float
        Zero for a perfect fit, otherwise negative.

    Examples
    --------
    >>> poisson_log_likelihood(np.array([4.0, 0.0]), np.array([4.0, 1.5]))
    -1.5
    """
    ratio = np.divide(expected, counts, out=np.ones_like(expected), where=counts > 0)
    return float(np.sum(counts * np.log(ratio) - expected + counts))


def _held_by_bound(
    parameters: FloatArray, gradient: FloatArray, lower: FloatArray, upper: FloatArray
) -> NDArray[np.bool_]:
    return np.asarray(((parameters <= lower) & (gradient <= 0)) | ((parameters >= upper) & (gradient >= 0)))


def _step(here: Evaluation, moving: NDArray[np.bool_], damping: float) -> FloatArray:
    """Return the damped scoring step; parameters that are held, or do nothing here, get zero."""
    step = np.zeros(len(moving))
    moving = moving & (np.diag(here.information) > 0)
    matrix = here.information[np.ix_(moving, moving)]
    scale = 1.0 / np.sqrt(np.diag(matrix))
    scaled = matrix * scale[:, None] * scale
    scaled[np.diag_indices_from(scaled)] += damping
    step[moving] = scale * np.linalg.solve(scaled, scale * here.gradient[moving])
    return step


def _promised_gain(here: Evaluation, step: FloatArray) -> float:
    """Return the gain in log-likelihood of a step if the information were the curvature; never zero."""
    return max(float(here.gradient @ step - 0.5 * step @ here.information @ step), 1e-300)


def _next_damping(damping: float, kept_promise: float) -> float:
    """Damp less when the likelihood gained what was promised, more when it did not or when the step went too far."""
    if kept_promise > 0.75:
        return max(0.1 * damping, _TINY_DAMPING)
    if kept_promise > 0.25:
        return damping
    return max(10.0 * damping, _FIRST_DAMPING)


def _covariance(information: FloatArray, free: NDArray[np.bool_], what: str, advice: str) -> FloatArray:
    """Invert the information of the free parameters, in units in which its diagonal is one."""
    matrix = information[np.ix_(free, free)]
    diagonal = np.diag(matrix)
    if not (np.all(np.isfinite(matrix)) and np.all(diagonal > 0)):
        raise FitError(f"{what}: the data carry no information on some parameter. {advice}")
    scale = 1.0 / np.sqrt(diagonal)
    try:
        inverse = np.linalg.inv(matrix * scale[:, None] * scale)
    except np.linalg.LinAlgError as exc:
        raise FitError(f"{what}: the parameters cannot be told apart. {advice}") from exc
    covariance = np.zeros_like(information)
    covariance[np.ix_(free, free)] = inverse * scale[:, None] * scale
    if np.any(np.diag(covariance)[free] <= 0):
        raise FitError(f"{what}: the parameters cannot be told apart. {advice}")
    return covariance

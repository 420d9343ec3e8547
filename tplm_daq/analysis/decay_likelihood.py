"""Poisson likelihood of a decay: a law under the response, light of earlier pulses, a level, live time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.decay import RESPONSE_LOG_SPREAD, USUAL_RESPONSE_FWHM_NS
from tplm_daq.analysis.decay_laws import DecayLaw, counted_light, earlier_light
from tplm_daq.analysis.fitting import NORMAL_95, Evaluation, maximise, poisson_log_likelihood
from tplm_daq.analysis.models import FWHM_PER_SIGMA
from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

QUIET_FWHM = 4.0
"""The level before the pulse is taken up to this many response widths before it."""

ADVICE = "Measure longer, or fit a simpler law."
"""What helps where the counts do not determine a law."""

FEWEST_COUNTS = 50
FEWEST_BINS = 8

_SIGMA_LIMITS_NS = (0.005, 1.0)
_SMALLEST_LEVEL = 1e-9


@dataclass(frozen=True)
class LawFit:
    """One law fitted to one decay.

    Attributes
    ----------
    law : str
        Name of the law.
    parameters : tuple of str
        Names with units: t0_ns, response_sigma_ns, those of the law, height_counts_per_bin (rate at age zero,
        for the power law at 3 ns), level_counts_per_bin.
    values, errors : ndarray of float64, shape (n_parameter,)
        Estimates and standard errors; the error of what was held is zero.
    at_limit : tuple of str
        Parameters, height and level apart, that ended at a limit of what is allowed; their errors mean nothing.
    n_free, n_bins : int
        Fitted parameters and delay bins.
    log_likelihood : float
        Relative to a perfect fit: minus half the deviance.
    chi_square : float
        Pearson's, with `n_bins - n_free` degrees of freedom.
    age_ns, counts, model : ndarray of float64, shape (n_bins,)
        Bin centres after the pulse, counts, and the fitted decay.
    """

    law: str
    parameters: tuple[str, ...]
    values: FloatArray
    errors: FloatArray
    at_limit: tuple[str, ...]
    n_free: int
    n_bins: int
    log_likelihood: float
    chi_square: float
    age_ns: FloatArray
    counts: FloatArray
    model: FloatArray

    def value(self, parameter: str) -> float:
        """Return the estimate of a parameter."""
        return float(self.values[self.parameters.index(parameter)])

    def error(self, parameter: str) -> float:
        """Return the standard error of a parameter."""
        return float(self.errors[self.parameters.index(parameter)])

    def ci95(self, parameter: str) -> tuple[float, float]:
        """Return the 95 % interval of a parameter."""
        value, half = self.value(parameter), NORMAL_95 * self.error(parameter)
        return value - half, value + half

    @property
    def aic(self) -> float:
        """Akaike's information criterion, up to a constant of the data."""
        return 2.0 * self.n_free - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Bayesian information criterion, up to a constant of the data."""
        return self.n_free * float(np.log(self.n_bins)) - 2.0 * self.log_likelihood


@dataclass(frozen=True)
class DecayProblem:
    """What is fitted, apart from the counts.

    Attributes
    ----------
    law : DecayLaw
        Law of the decay.
    inside : slice
        Recorded bins between the first and the last that is fitted.
    edges_ns : ndarray of float64, shape (n_inside + 1,)
        Their edges, in ns.
    used : ndarray of bool, shape (n_inside,)
        Those among them that are fitted.
    live, bright, faint : ndarray of float64, shape (n_inside,)
        What multiplies the level, the light of the pulse, and that of earlier pulses: live fraction, and live fraction
        times the part of the light that is collected.
    is_tail : bool
        Whether the span begins after the rising edge, which then cannot place the pulse.
    period_ns : float or None
        Time between pulses.
    """

    law: DecayLaw
    inside: slice
    edges_ns: FloatArray
    used: NDArray[np.bool_]
    live: FloatArray
    bright: FloatArray
    faint: FloatArray
    is_tail: bool
    period_ns: float | None


def decay_problem(
    delay_ns: FloatArray,
    live: FloatArray,
    collected: FloatArray | None,
    law: DecayLaw,
    span_ns: tuple[float, float],
    pulse_ns: float,
    sigma_ns: float,
    repetition_rate_hz: float | None,
) -> DecayProblem:
    """Choose the bins of a span of ages, and those before the pulse if it begins later.

    Parameters
    ----------
    delay_ns, live : ndarray of float64, shape (n_bin,)
        Centres of the bins in ns, and live fraction.
    collected : ndarray of float64, shape (n_bin,), or None
        Part of the light collected at each delay; that of earlier pulses is collected as at the last delay.
    law : DecayLaw
        Law of the decay.
    span_ns : tuple of float
        First and last age in ns.
    pulse_ns, sigma_ns : float
        Centre of the pulse and standard deviation of the response, in ns.
    repetition_rate_hz : float or None
        Pulse rate, if light of earlier pulses shall be counted.

    Returns
    -------
    DecayProblem
        Input of `solve`.

    Raises
    ------
    FitError
        If the span is not within the delays or holds next to no bins.
    """
    if delay_ns[-1] - pulse_ns < span_ns[1]:
        raise FitError(
            f"The span ends {span_ns[1]:g} ns after the pulse at {pulse_ns:.4g} ns, but the delays end at "
            f"{delay_ns[-1]:.4g} ns. Measure a longer span, or fit fewer ages."
        )
    quiet_ns = QUIET_FWHM * FWHM_PER_SIGMA * sigma_ns
    age_ns = delay_ns - pulse_ns
    is_tail = span_ns[0] > quiet_ns
    used = (age_ns > span_ns[0]) & (age_ns < span_ns[1])
    if is_tail:
        used |= age_ns < -quiet_ns
    chosen = np.flatnonzero(used)
    if len(chosen) < FEWEST_BINS:
        raise FitError(f"Only {len(chosen)} bins in the span of ages; at least {FEWEST_BINS} are needed.")
    inside = slice(int(chosen[0]), int(chosen[-1]) + 1)
    width_ns = float((delay_ns[-1] - delay_ns[0]) / (len(delay_ns) - 1))
    centres_ns = delay_ns[inside]
    edges_ns = np.append(centres_ns - 0.5 * width_ns, centres_ns[-1] + 0.5 * width_ns)
    period_ns = None if repetition_rate_hz is None else 1e9 / repetition_rate_hz
    ready = live[inside]
    bright, faint = (ready, ready) if collected is None else (ready * collected[inside], ready * collected[-1])
    return DecayProblem(law, inside, edges_ns, used[inside], ready, bright, faint, is_tail, period_ns)


def solve(
    problem: DecayProblem,
    all_counts: NDArray[np.integer] | FloatArray,
    start: FloatArray,
    is_t0_free: bool,
    is_response_free: bool,
) -> LawFit:
    """Maximise the likelihood.

    Parameters
    ----------
    problem : DecayProblem
        What is fitted.
    all_counts : ndarray, shape (n_bin,)
        The whole decay as recorded.
    start : ndarray of float64, shape (2 + n_parameter,)
        Starting values of t0, response and law; those of height and level are found here.
    is_t0_free, is_response_free : bool
        Whether centre and response are fitted; everything else always is.

    Returns
    -------
    LawFit
        Estimates, errors and the curve.

    Raises
    ------
    FitError
        If there are next to no counts, or they do not determine the parameters.
    """
    law, counts = problem.law, np.asarray(all_counts[problem.inside][problem.used], np.float64)
    if counts.sum() < FEWEST_COUNTS:
        raise FitError(f"Only {counts.sum():.0f} counts in the span; a decay needs at least {FEWEST_COUNTS}.")
    usual_ns = USUAL_RESPONSE_FWHM_NS / FWHM_PER_SIGMA

    def evaluate(parameters: FloatArray) -> Evaluation:
        expected, jacobian = _expected_counts(problem, parameters)
        weighted = jacobian / expected
        gradient, information = weighted @ (counts - expected), weighted @ jacobian.T
        log_likelihood = float(np.sum(counts * np.log(expected) - expected))
        if is_response_free:
            off = np.log(parameters[1] / usual_ns) / RESPONSE_LOG_SPREAD
            log_likelihood -= 0.5 * off**2
            gradient[1] -= off / (RESPONSE_LOG_SPREAD * parameters[1])
            information[1, 1] += 1.0 / (RESPONSE_LOG_SPREAD * parameters[1]) ** 2
        return Evaluation(log_likelihood, gradient, information)

    whole_start = np.concatenate([start, _height_and_level(problem, counts, start)])
    lower = np.array([problem.edges_ns[0], _SIGMA_LIMITS_NS[0], *law.lower, _SMALLEST_LEVEL, _SMALLEST_LEVEL])
    upper = np.array([problem.edges_ns[-1], _SIGMA_LIMITS_NS[1], *law.upper, np.inf, np.inf])
    is_free = np.array([is_t0_free, is_response_free, *(True for _ in law.parameters), True, True])
    lower, upper = np.where(is_free, lower, whole_start), np.where(is_free, upper, whole_start)
    best = maximise(evaluate, whole_start, lower, upper, is_free, f"fit of the {law.name}", ADVICE)
    model = _expected_counts(problem, best.parameters)[0]
    ended = is_free & ((best.parameters <= lower) | (best.parameters >= upper))
    names = ("t0_ns", "response_sigma_ns", *law.parameters, "height_counts_per_bin", "level_counts_per_bin")
    centres_ns = 0.5 * (problem.edges_ns[1:] + problem.edges_ns[:-1])[problem.used]
    return LawFit(
        law=law.name,
        parameters=names,
        values=best.parameters,
        errors=np.sqrt(np.diag(best.covariance)),
        at_limit=tuple(name for name, is_at in zip(names[:-2], ended[:-2], strict=True) if is_at),
        n_free=int(np.count_nonzero(is_free)),
        n_bins=len(counts),
        log_likelihood=poisson_log_likelihood(counts, model),
        chi_square=float(np.sum((counts - model) ** 2 / model)),
        age_ns=centres_ns - best.parameters[0],
        counts=counts,
        model=model,
    )


def _expected_counts(problem: DecayProblem, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return expected counts, shape (n_bin,), and their derivatives, shape (n_parameter, n_bin)."""
    t0_ns, sigma_ns, *law_parameters, height, level = parameters
    since_ns, own = problem.edges_ns - t0_ns, np.array(law_parameters)
    light = problem.bright * np.diff(counted_light(problem.law, own, since_ns, sigma_ns), axis=1)
    if problem.period_ns is not None:
        light += problem.faint * np.diff(earlier_light(problem.law, own, since_ns, problem.period_ns), axis=1)
    light = light[:, problem.used] / (problem.edges_ns[1] - problem.edges_ns[0])
    live = problem.live[problem.used]
    return height * light[0] + level * live, np.concatenate([height * light[1:], [light[0], live]])


def _height_and_level(problem: DecayProblem, counts: FloatArray, start: FloatArray) -> FloatArray:
    """Return starting values: weighted least squares, both kept positive."""
    shape = _expected_counts(problem, np.append(start, [1.0, 0.0]))[1][-2:]
    weight = 1.0 / (counts + 1.0)
    solution = np.linalg.solve((shape * weight) @ shape.T + 1e-12 * np.eye(2), (shape * weight) @ counts)
    return np.asarray(np.maximum(solution, 1e-3))

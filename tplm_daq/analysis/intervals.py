"""95 % intervals of the diffusivity: from the information, from the likelihood's profile, from drawn scans.

The first is exact for many photons and costs nothing. The second follows the likelihood where it is
not a parabola (MINOS of iminuit): it is lopsided for few photons. The third draws scans from the fitted
model and fits them again; it needs no theory, but takes a second.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from iminuit import Minuit  # type: ignore[import-untyped]
from numpy.typing import NDArray

from tplm_daq.analysis.diffusion import DiffusionFit
from tplm_daq.analysis.fitting import NORMAL_95, maximise
from tplm_daq.analysis.shapes import Parameter
from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

_LARGEST_SHARE_FAILED = 0.1


def fisher_interval(fit: DiffusionFit) -> tuple[float, float]:
    """Return the interval of a normal distribution with the standard error of the fit, in nm^2/ns."""
    value, error = fit.value(Parameter.DIFFUSIVITY), fit.error(Parameter.DIFFUSIVITY)
    return value - NORMAL_95 * error, value + NORMAL_95 * error


def profile_interval(fit: DiffusionFit) -> tuple[float, float]:
    """Return where the likelihood, greatest over all other parameters, falls by half of 1.96 squared.

    Parameters
    ----------
    fit : DiffusionFit
        The maximum.

    Returns
    -------
    low, high : float
        In nm^2/ns.

    Raises
    ------
    FitError
        If MINOS finds no end on one side.
    """
    problem = fit.problem
    free = np.flatnonzero(problem.free)
    scale = np.sqrt(np.diag(fit.covariance)[free])

    def full(steps: FloatArray) -> FloatArray:
        parameters = fit.parameters.copy()
        parameters[free] += scale * steps
        return np.asarray(np.clip(parameters, problem.lower, problem.upper))

    def cost(steps: FloatArray) -> float:
        fall = fit.log_likelihood - problem.likelihood.evaluate(full(steps)).log_likelihood
        return float(min(fall, 1e12))

    def slope(steps: FloatArray) -> FloatArray:
        return np.asarray(-scale * problem.likelihood.evaluate(full(steps)).gradient[free])

    minuit = Minuit(cost, np.zeros(len(free)), grad=slope)
    minuit.errordef = Minuit.LIKELIHOOD
    lower, upper = ((bound[free] - fit.parameters[free]) / scale for bound in (problem.lower, problem.upper))
    minuit.limits = list(zip(lower, upper, strict=True))
    minuit.migrad()
    place = minuit.parameters[int(np.searchsorted(free, Parameter.DIFFUSIVITY))]
    try:
        minuit.minos(place, cl=0.95)
    except RuntimeError as exc:
        raise FitError(f"The likelihood has no profile interval ({exc}). Take interval fisher or bootstrap.") from exc
    ends = minuit.merrors[place]
    if not ends.is_valid:
        raise FitError("MINOS found no end of the profile interval. Take interval fisher or bootstrap.")
    value, error = fit.value(Parameter.DIFFUSIVITY), fit.error(Parameter.DIFFUSIVITY)
    at = minuit.values[place]
    return value + error * (at + ends.lower), value + error * (at + ends.upper)


def bootstrap_interval(fit: DiffusionFit, n_draws: int, seed: int) -> tuple[float, float]:
    """Return the interval from fits to scans drawn from the fitted model.

    The quantiles of the deviations are reflected at the estimate (basic bootstrap).

    Parameters
    ----------
    fit : DiffusionFit
        The maximum.
    n_draws, seed : int
        Number of scans, and seed of the generator.

    Returns
    -------
    low, high : float
        In nm^2/ns.

    Raises
    ------
    FitError
        If more than a tenth of the drawn scans cannot be fitted.
    """
    rng = np.random.default_rng(seed)
    problem = fit.problem
    expected = problem.likelihood.expectation(fit.parameters).counts
    found = []
    for _ in range(n_draws):
        drawn = replace(problem.likelihood, counts=rng.poisson(expected).astype(np.float64))
        try:
            best = maximise(drawn.evaluate, fit.parameters, problem.lower, problem.upper, problem.free, "Bootstrap")
        except FitError:
            continue
        found.append(best.parameters[Parameter.DIFFUSIVITY])
    if len(found) < (1.0 - _LARGEST_SHARE_FAILED) * n_draws:
        raise FitError(f"Only {len(found)} of {n_draws} drawn scans could be fitted. Measure longer.")
    low, high = np.quantile(found, [0.025, 0.975])
    value = fit.value(Parameter.DIFFUSIVITY)
    return 2.0 * value - float(high), 2.0 * value - float(low)

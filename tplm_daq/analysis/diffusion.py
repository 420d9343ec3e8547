"""The methods `poisson` and `convolution`: one diffusivity from the global likelihood of a scan.

The likelihood is that of `tplm_daq.analysis.likelihood`; here are the starting values and bounds for a Gaussian spot,
and the conditions under which the maximum means anything; other shapes are in `tplm_daq.analysis.shape_fits`. The
standard error comes from the Fisher information and includes that centre, width, background, shape and every amplitude
had to be estimated too. What follows from a poor fit is decided in `tplm_daq.analysis.choice`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.binning import FitData
from tplm_daq.analysis.ellipse import CENTRE_Y, VARIANCE_Y, EllipticalSpot
from tplm_daq.analysis.fitting import maximise, poisson_log_likelihood
from tplm_daq.analysis.likelihood import Prior, ScanLikelihood, tail_prior
from tplm_daq.analysis.shapes import GaussianSpot, Parameter, SpotShape
from tplm_daq.analysis.spot import require_centre_inside
from tplm_daq.analysis.starting import bounds, starting_values
from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

WORST_VARIANCE_ERROR = 0.5
"""Relative standard error of the spot's variance above which no diffusivity is quoted."""

_HARDLY_OUTSIDE = 0.3
_LARGEST_GAIN_ERROR = 0.9


@dataclass(frozen=True)
class Problem:
    """A likelihood with everything the climb to its maximum needs.

    Attributes
    ----------
    likelihood : ScanLikelihood
        What is maximised.
    start, lower, upper : ndarray of float64, shape (n_parameter,)
        Starting values and bounds.
    free : ndarray of bool, shape (n_parameter,)
        Parameters that are fitted.
    """

    likelihood: ScanLikelihood
    start: FloatArray
    lower: FloatArray
    upper: FloatArray
    free: NDArray[np.bool_]


@dataclass(frozen=True)
class DiffusionFit:
    """The maximum of a likelihood; variances do not contain the pixel.

    Attributes
    ----------
    problem : Problem
        What was fitted.
    parameters : ndarray of float64, shape (n_parameter,)
        Those of `Parameter`, those of the shape, and the gains less one, if each position has one.
    covariance : ndarray of float64, shape (n_parameter, n_parameter)
        Of the parameters; zero for those that were not fitted.
    amplitude : ndarray of float64, shape (n_row,)
        Height of the spot in each bin, in counts per recorded bin at mean dwell.
    model, background : ndarray of float64, shape (n_position, n_row)
        Expected counts in the window, and the part of them that is not the spot.
    log_likelihood : float
        At the maximum, prior included.
    deviance_per_dof : float
        Deviance per degree of freedom; near 1 for a good fit with more than a few counts per cell.
    misfit_sd : float
        Standard deviations by which Pearson's chi-square exceeds its mean; valid at any number of counts.
    profile_misfit_sd : float
        The same for the counts of each position summed over the window: the shape of the spot alone.
    """

    problem: Problem
    parameters: FloatArray
    covariance: FloatArray
    amplitude: FloatArray
    model: FloatArray
    background: FloatArray
    log_likelihood: float
    deviance_per_dof: float
    misfit_sd: float
    profile_misfit_sd: float

    @property
    def gain(self) -> FloatArray:
        """What multiplies the light at each position, shape (n_position, 1)."""
        if not self.problem.likelihood.has_gains:
            return np.ones((len(self.model), 1))
        return np.asarray(1.0 + self.parameters[self.shape.n_parameters :, None])

    @property
    def shape(self) -> SpotShape:
        """The shape of the spot."""
        return self.problem.likelihood.shape

    def value(self, parameter: int) -> float:
        """Return the estimate of one parameter."""
        return float(self.parameters[parameter])

    def error(self, parameter: int) -> float:
        """Return the standard error of one parameter."""
        return float(np.sqrt(self.covariance[parameter, parameter]))


def fit_diffusion(data: FitData) -> DiffusionFit:
    """Estimate the diffusivity by maximum likelihood from a Gaussian spot: on a line, or of any ellipticity on a map.

    Parameters
    ----------
    data : FitData
        Counts in the window and before the pulse.

    Returns
    -------
    DiffusionFit
        Estimates with their covariance.

    Raises
    ------
    FitError
        If the positions do not show a spot whose width can be determined.
    """
    return solve(data, _elliptical(data) if data.is_map else _gaussian(data))


def solve(data: FitData, problem: Problem) -> DiffusionFit:
    """Climb to the maximum of a problem; raise FitError if what is there is not a spot."""
    problem = _with_gains(data, problem)
    likelihood = problem.likelihood
    what = "Fit of the diffusivity"
    best = maximise(likelihood.evaluate, problem.start, problem.lower, problem.upper, problem.free, what)
    _require_spot(data, problem, best.parameters, best.covariance)
    expected = likelihood.expectation(best.parameters)
    n_free = round(problem.free.sum() - np.sum(best.covariance * likelihood.prior.information))
    n_dof = expected.counts.size - n_free - int(np.count_nonzero(expected.amplitude))
    if n_dof < 1:
        raise FitError("There are fewer counts than parameters. Measure more positions across the spot.")
    window = likelihood.has_spot
    model = expected.counts[:, window]
    return DiffusionFit(
        problem=problem,
        parameters=best.parameters,
        covariance=best.covariance,
        amplitude=expected.amplitude[window],
        model=model,
        background=expected.background[:, window],
        log_likelihood=best.log_likelihood,
        deviance_per_dof=float(-2.0 * poisson_log_likelihood(likelihood.counts, expected.counts) / n_dof),
        misfit_sd=_excess_sd(likelihood.counts, expected.counts, n_dof),
        profile_misfit_sd=_excess_sd(data.counts.sum(axis=1), model.sum(axis=1), max(len(model) - n_free, 1)),
    )


def _with_gains(data: FitData, problem: Problem) -> Problem:
    """Give each position a gain if the light may differ between them."""
    if data.gain_spread == 0.0:
        return problem
    n, n_gains = problem.likelihood.shape.n_parameters, len(data.counts)
    prior = problem.likelihood.prior
    information = np.zeros((n + n_gains, n + n_gains))
    information[:n, :n] = prior.information
    information[n:, n:] = np.eye(n_gains) / data.gain_spread**2
    prior = Prior(np.append(prior.mean, np.zeros(n_gains)), information)
    return Problem(
        replace(problem.likelihood, prior=prior, has_gains=True),
        np.append(problem.start, np.zeros(n_gains)),
        np.append(problem.lower, np.full(n_gains, -_LARGEST_GAIN_ERROR)),
        np.append(problem.upper, np.full(n_gains, _LARGEST_GAIN_ERROR)),
        np.append(problem.free, np.full(n_gains, True)),
    )


def _excess_sd(counts: FloatArray, expected: FloatArray, n_dof: int) -> float:
    """Return the standard deviations by which Pearson's chi-square exceeds its mean."""
    chi2 = np.sum((counts - expected) ** 2 / expected)
    return float((chi2 - n_dof) / np.sqrt(2.0 * n_dof + np.sum(1.0 / expected)))


def _gaussian(data: FitData) -> Problem:
    """Return the problem of a Gaussian on a line."""
    start = starting_values(data, data.position_nm, data.pixel_nm)
    shape = GaussianSpot(data.position_nm, data.pixel_nm)
    prior = tail_prior(shape.n_parameters, float(start[Parameter.VARIANCE]))
    lower, upper = bounds(data.position_nm, start)
    free = np.array([True, True, True, True, data.is_tail_fitted, data.is_tail_fitted])
    return Problem(ScanLikelihood.of(data, shape, prior), start, lower, upper, free)


def _elliptical(data: FitData) -> Problem:
    """Return the problem of an elliptical Gaussian on a map."""
    x = starting_values(data, data.position_nm, data.pixel_nm)
    y = starting_values(data, data.across_nm, data.pixel_across_nm)
    start = np.append(x, [y[Parameter.VARIANCE], y[Parameter.CENTRE], 0.0])
    shape = EllipticalSpot(data.position_nm, data.across_nm, (data.pixel_nm, data.pixel_across_nm))
    prior = tail_prior(shape.n_parameters, float(x[Parameter.VARIANCE]))
    (lower_x, upper_x), (lower_y, upper_y) = bounds(data.position_nm, x), bounds(data.across_nm, y)
    own = [Parameter.VARIANCE, Parameter.CENTRE]
    lower, upper = np.concatenate([lower_x, lower_y[own], [-np.inf]]), np.concatenate([upper_x, upper_y[own], [np.inf]])
    free = np.array([True] * 4 + [data.is_tail_fitted] * 2 + [True] * 3)
    return Problem(ScanLikelihood.of(data, shape, prior), start, lower, upper, free)


def _require_spot(data: FitData, problem: Problem, parameters: FloatArray, covariance: FloatArray) -> None:
    """Raise FitError unless centre and width of the spot are determined by the positions measured."""
    axes = [("x" if data.is_map else "", data.position_nm, int(Parameter.CENTRE), int(Parameter.VARIANCE))]
    if data.is_map:
        axes.append(("y", data.across_nm, CENTRE_Y, VARIANCE_Y))
    for axis, position_nm, centre, variance in axes:
        if not problem.free[variance]:
            continue
        variance_nm2, range_nm = float(parameters[variance]), float(np.ptp(position_nm))
        margin_nm = _HARDLY_OUTSIDE * np.sqrt(variance_nm2)
        require_centre_inside(position_nm, float(parameters[centre]), axis, margin_nm)
        if variance_nm2 > range_nm**2:
            raise FitError(
                f"The spot seems wider (standard deviation {np.sqrt(variance_nm2):.0f} nm) than the range measured "
                f"({axis}{' ' if axis else ''}{range_nm:.0f} nm). Is there a spot? If so, measure a wider range."
            )
        relative_error = float(np.sqrt(covariance[variance, variance])) / variance_nm2
        if relative_error > WORST_VARIANCE_ERROR:
            raise FitError(
                f"The spot's variance is known to {100 * relative_error:.0f} % only ({100 * WORST_VARIANCE_ERROR:.0f} "
                "% is the limit); no diffusivity follows from it. Measure longer, or at more positions across the spot."
            )

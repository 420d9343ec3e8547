"""The method `poisson`: one diffusivity from the global likelihood of a line scan, with an honest error.

The likelihood is that of `tplm_daq.analysis.likelihood`; here are its starting values, its bounds, and
the conditions under which its maximum means anything. The standard error comes from the Fisher
information and includes that centre, width, background and every amplitude had to be estimated too.
Nothing is done about spots that are not Gaussian; the misfit says when they are not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.binning import FitData
from tplm_daq.analysis.fitting import maximise, poisson_log_likelihood
from tplm_daq.analysis.likelihood import TAIL_VARIANCE_RATIO, Parameter, ScanLikelihood
from tplm_daq.analysis.spot import rough_spot
from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

WORST_VARIANCE_ERROR = 0.5
"""Relative standard error of the spot's variance above which no diffusivity is quoted."""

_TAIL_RANGE = 4.0
_SMALLEST_LEVEL = 1e-9


@dataclass(frozen=True)
class DiffusionFit:
    """Result of `fit_diffusion`; variances do not contain the pixel.

    Attributes
    ----------
    parameters : ndarray of float64, shape (6,)
        In the order of `Parameter`.
    covariance : ndarray of float64, shape (6, 6)
        Of the parameters; zero for those that were not fitted.
    amplitude : ndarray of float64, shape (n_row,)
        Height of the spot in each bin, in counts per recorded bin at mean dwell.
    model, background : ndarray of float64, shape (n_position, n_row)
        Expected counts in the window, and the part of them that is not the spot.
    deviance_per_dof : float
        Deviance per degree of freedom; near 1 for a good fit with more than a few counts per cell.
    misfit_sd : float
        Standard deviations by which Pearson's chi-square exceeds its mean; valid at any number of counts.
    """

    parameters: FloatArray
    covariance: FloatArray
    amplitude: FloatArray
    model: FloatArray
    background: FloatArray
    deviance_per_dof: float
    misfit_sd: float

    def value(self, parameter: Parameter) -> float:
        """Return the estimate of one parameter."""
        return float(self.parameters[parameter])

    def error(self, parameter: Parameter) -> float:
        """Return the standard error of one parameter."""
        return float(np.sqrt(self.covariance[parameter, parameter]))


def fit_diffusion(data: FitData) -> DiffusionFit:
    """Estimate the diffusivity of a line scan by maximum likelihood.

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
    start = _starting_values(data)
    likelihood = ScanLikelihood.of(data, float(start[Parameter.VARIANCE]))
    lower, upper = _bounds(data, start)
    free = np.array([True, True, True, True, data.has_prepulse, data.has_prepulse])
    best = maximise(likelihood.evaluate, start, lower, upper, free, "Fit of the diffusivity")
    _require_spot(data, best.parameters, best.covariance)
    expected = likelihood.expectation(best.parameters)
    n_dof = expected.counts.size - int(free.sum()) - np.count_nonzero(expected.amplitude)
    if n_dof < 1:
        raise FitError("There are fewer counts than parameters. Measure more positions across the spot.")
    chi2_sd = np.sqrt(2.0 * n_dof + np.sum(1.0 / expected.counts))
    chi2 = np.sum((likelihood.counts - expected.counts) ** 2 / expected.counts)
    window = likelihood.has_spot
    return DiffusionFit(
        parameters=best.parameters,
        covariance=best.covariance,
        amplitude=expected.amplitude[window],
        model=expected.counts[:, window],
        background=expected.background[:, window],
        deviance_per_dof=-2.0 * poisson_log_likelihood(likelihood.counts, expected.counts) / n_dof,
        misfit_sd=float((chi2 - n_dof) / chi2_sd),
    )


def _starting_values(data: FitData) -> FloatArray:
    """Return parameters from the shape of the counts in the first and in the second half of the window."""
    exposed = float(data.prepulse_exposure.sum())
    level = float(data.prepulse_counts.sum()) / exposed if exposed else 0.0
    signal = (data.counts - level * data.exposure) / data.exposure.mean(axis=1, keepdims=True)
    late = data.age_ns > 0.5 * data.age_ns[-1]
    centre_nm, early_nm2 = rough_spot(data.position_nm, signal[:, ~late].sum(axis=1), data.pixel_nm)
    _, late_nm2 = rough_spot(data.position_nm, signal[:, late].sum(axis=1), data.pixel_nm)
    age_between_ns = data.age_ns[late].mean() - data.age_ns[~late].mean()
    diffusivity_nm2_ns = max(late_nm2 - early_nm2, 0.0) / (2.0 * age_between_ns)
    level = max(level, 1e-6)
    log_tail = np.log(TAIL_VARIANCE_RATIO * early_nm2)
    return np.array([diffusivity_nm2_ns, early_nm2, centre_nm, 0.7 * level, 0.5 * level, log_tail])


def _bounds(data: FitData, start: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return bounds that only keep the climb on solid ground; a fit that ends on them is refused later."""
    low_nm, high_nm = float(data.position_nm.min()), float(data.position_nm.max())
    range_nm = high_nm - low_nm
    log_tail = start[Parameter.LOG_TAIL_VARIANCE]
    lower = np.array([-np.inf, 1.0, low_nm - range_nm, _SMALLEST_LEVEL, 0.0, log_tail - _TAIL_RANGE])
    upper = np.array([np.inf, 100.0 * range_nm**2, high_nm + range_nm, np.inf, np.inf, log_tail + _TAIL_RANGE])
    return lower, upper


def _require_spot(data: FitData, parameters: FloatArray, covariance: FloatArray) -> None:
    """Raise FitError unless centre and width of the spot are determined by the positions measured."""
    low_nm, high_nm = float(data.position_nm.min()), float(data.position_nm.max())
    centre_nm = float(parameters[Parameter.CENTRE])
    if not low_nm <= centre_nm <= high_nm:
        raise FitError(
            f"The spot's centre seems to be at {centre_nm:.0f} nm, outside the positions measured ({low_nm:.0f} to "
            f"{high_nm:.0f} nm). Measure on both sides of the spot."
        )
    variance_nm2 = float(parameters[Parameter.VARIANCE])
    if variance_nm2 > (high_nm - low_nm) ** 2:
        raise FitError(
            f"The spot seems wider (standard deviation {np.sqrt(variance_nm2):.0f} nm) than the range measured "
            f"({high_nm - low_nm:.0f} nm). Is there a spot? If so, measure a wider range."
        )
    relative_error = float(np.sqrt(covariance[Parameter.VARIANCE, Parameter.VARIANCE])) / variance_nm2
    if relative_error > WORST_VARIANCE_ERROR:
        raise FitError(
            f"The spot's variance is known to {100 * relative_error:.0f} % only ({100 * WORST_VARIANCE_ERROR:.0f} % is "
            "the limit); no diffusivity follows from it. Measure longer, or at more positions across the spot."
        )

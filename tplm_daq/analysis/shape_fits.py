"""Fits of the diffusivity with a spot that is no single Gaussian: with a halo, and of any shape.

Both start from the fit of a Gaussian. On a line a halo is round, and a spot of any shape a row of narrow Gaussians;
on a map the halo is as elliptical as the spot, and a spot of any shape a lattice of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.binning import FitData
from tplm_daq.analysis.diffusion import DiffusionFit, Problem, solve
from tplm_daq.analysis.ellipse import CENTRE_Y, COVARIANCE, VARIANCE_Y, EllipticalSpot
from tplm_daq.analysis.likelihood import ScanLikelihood, tail_prior
from tplm_daq.analysis.map_shapes import EllipticalHalo, MixtureOnMap
from tplm_daq.analysis.mixture import KERNEL_WIDTH, MixtureSpot
from tplm_daq.analysis.shapes import HaloSpot, Parameter, SpotShape
from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

HALO_START = (0.05, np.log(6.0))
HALO_LIMITS = ((0.0, 1.0), (np.log(1.5), np.log(50.0)))
"""Height of a halo, and logarithm of the ratio of the variances: where the fit starts, and its bounds."""

HALO_LOG_SPREAD = 1.0
"""Standard deviation of that logarithm in the prior; it matters only where there is no halo to speak of."""

MOST_CELLS = 20_000_000
"""Narrow Gaussians of a spot of any shape on a map, times positions, times columns: they take memory and time."""

COLUMNS_FIRST = 15
"""Columns to which the window is summed while the heights of such a spot are found."""

_HEIGHT_RANGE = 30.0


def fit_halo(data: FitData, gaussian: DiffusionFit) -> DiffusionFit:
    """Estimate the diffusivity from two concentric Gaussians, round on a line, starting from the fit of one."""
    shape: HaloSpot | EllipticalHalo = HaloSpot(data.position_nm, data.pixel_nm, data.pixel_across_nm)
    if isinstance(gaussian.shape, EllipticalSpot):
        shape = EllipticalHalo(gaussian.shape)
    lower, upper = np.transpose(HALO_LIMITS)
    problem = _extended(data, gaussian, shape, np.array(HALO_START), lower, upper)
    prior = problem.likelihood.prior
    prior.mean[shape.log_ratio] = HALO_START[1]
    prior.information[shape.log_ratio, shape.log_ratio] = 1.0 / HALO_LOG_SPREAD**2
    return solve(data, problem)


def fit_convolution(data: FitData, gaussian: DiffusionFit) -> DiffusionFit:
    """Estimate the diffusivity from a spot of any shape, starting from the fit of a Gaussian."""
    if isinstance(gaussian.shape, EllipticalSpot):
        return _fit_convolution_on_map(data, gaussian, gaussian.shape)
    variance_nm2, centre_nm = gaussian.value(Parameter.VARIANCE), gaussian.value(Parameter.CENTRE)
    kernel_nm2 = KERNEL_WIDTH**2 * variance_nm2
    shape = MixtureSpot.around(data.position_nm, data.pixel_nm, centre_nm, float(np.sqrt(kernel_nm2)))
    heights = shape.gaussian_heights(centre_nm, variance_nm2 - kernel_nm2)
    problem = _extended(data, gaussian, shape, heights, heights - _HEIGHT_RANGE, heights + _HEIGHT_RANGE)
    problem.start[Parameter.VARIANCE] = kernel_nm2
    problem.free[[Parameter.VARIANCE, Parameter.CENTRE, len(Parameter) + int(np.argmax(heights))]] = False
    return solve(data, _smooth(problem, shape.smoothness()))


def _fit_convolution_on_map(data: FitData, gaussian: DiffusionFit, spot: EllipticalSpot) -> DiffusionFit:
    """Fit a lattice of kernels: with few wide bins first, for the many heights take their time, then with all."""
    parameters = gaussian.parameters[: spot.n_parameters].copy()
    kernel_nm2 = KERNEL_WIDTH**2 * spot.smallest_variance_nm2(parameters)
    shape = MixtureOnMap.around(spot, (parameters[Parameter.CENTRE], parameters[CENTRE_Y]), float(np.sqrt(kernel_nm2)))
    if shape.n_parameters * data.counts.size > MOST_CELLS:
        raise FitError(
            f"A spot of any shape needs {shape.n_parameters} narrow Gaussians on this map of {len(data.counts)} "
            f"positions and {data.counts.shape[1]} bins, too many to fit. Take the method poisson, set bin_width to "
            "0.2 ns, or measure fewer positions."
        )
    heights = shape.gaussian_heights(parameters, kernel_nm2)
    fixed: list[int] = [
        Parameter.VARIANCE,
        Parameter.CENTRE,
        VARIANCE_Y,
        CENTRE_Y,
        COVARIANCE,
        shape.first + int(np.argmax(heights)),
    ]
    found = heights
    for each in (data.joined(COLUMNS_FIRST), data):
        problem = _extended(each, gaussian, shape, found, heights - _HEIGHT_RANGE, heights + _HEIGHT_RANGE)
        problem.start[: shape.first] = parameters
        problem.start[[Parameter.VARIANCE, VARIANCE_Y, COVARIANCE]] = kernel_nm2, kernel_nm2, 0.0
        problem.free[fixed] = False
        fit = solve(each, _smooth(problem, shape.smoothness()))
        parameters, found = fit.parameters[: shape.first], fit.parameters[shape.first : shape.n_parameters]
    return fit


def _smooth(problem: Problem, smoothness: FloatArray) -> Problem:
    """Add the information of a prior that wants the heights of a mixture smooth."""
    prior = problem.likelihood.prior
    smooth = replace(prior, information=prior.information + smoothness)
    return replace(problem, likelihood=replace(problem.likelihood, prior=smooth))


def _extended(
    data: FitData, gaussian: DiffusionFit, shape: SpotShape, start: FloatArray, lower: FloatArray, upper: FloatArray
) -> Problem:
    """Return the problem of a shape with more parameters than a Gaussian, which are given."""
    before, n = gaussian.problem, gaussian.shape.n_parameters
    prior = tail_prior(shape.n_parameters, float(before.start[Parameter.VARIANCE]))
    return Problem(
        ScanLikelihood.of(data, shape, prior),
        np.append(gaussian.parameters[:n], start),
        np.append(before.lower[:n], lower),
        np.append(before.upper[:n], upper),
        np.append(before.free[:n], np.full(len(start), True)),
    )

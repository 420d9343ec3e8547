"""A Gaussian spot in counts alone, without delays: on a line, or on a raster with any orientation.

Fitted with the Poisson likelihood and a flat background, for alignment; the diffusivity is no business of this
module. The pixel is treated as what it adds to the variance, width^2 / 12 along each axis, which is good to a
thousandth while it is narrower than the spot.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.fitting import Evaluation, maximise, poisson_log_likelihood
from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

SIGNIFICANCE = 5.0
"""Standard errors by which the height of a spot must exceed zero."""
_PART_OF_PEAK = 0.3
_STEP = 1e-4


@dataclass(frozen=True)
class SpotFit:
    """A Gaussian spot.

    Attributes
    ----------
    centre_nm, centre_error_nm : tuple of float
        Along each axis that was fitted.
    variance_nm2, variance_error_nm2 : float
        Without the pixel; on a raster the mean of the two axes.
    peak_cps, background_cps : float
        Height above the background, and the background.
    ellipticity, ellipticity_error : float
        Long over short axis, minus one; 0 on a line.
    tilt_deg, tilt_error_deg : float
        Direction of the long axis from x towards y, -90 to 90 degrees; 0 on a line.
    """

    centre_nm: tuple[float, ...]
    centre_error_nm: tuple[float, ...]
    variance_nm2: float
    variance_error_nm2: float
    peak_cps: float
    background_cps: float
    ellipticity: float = 0.0
    ellipticity_error: float = 0.0
    tilt_deg: float = 0.0
    tilt_error_deg: float = 0.0

    @property
    def sigma_nm(self) -> float:
        """Standard deviation without the pixel; 0 if the spot is not wider than the pixel."""
        return math.sqrt(max(self.variance_nm2, 0.0))


def fit_line(
    position_nm: FloatArray, counts: FloatArray, dwell_s: FloatArray, pixel_nm: float, what: str = "spot"
) -> SpotFit:
    """Fit a spot to the counts along a line.

    Parameters
    ----------
    position_nm, counts, dwell_s : ndarray of float64, shape (n_position,)
        Positions in nm, photons counted there, and for how long in s.
    pixel_nm : float
        Width of the pixel along the line.
    what : str
        Name of the line, for messages.

    Raises
    ------
    FitError
        No spot stands out, or it does not lie among the positions.
    """
    best, covariance = _fit_gaussian(position_nm[:, None], counts, dwell_s, what)
    variance_nm2 = 1.0 / best[2]
    error_nm2 = math.sqrt(covariance[2, 2]) * variance_nm2**2
    return SpotFit(
        centre_nm=(float(best[1]),),
        centre_error_nm=(math.sqrt(covariance[1, 1]),),
        variance_nm2=float(variance_nm2 - pixel_nm**2 / 12.0),
        variance_error_nm2=float(error_nm2),
        peak_cps=float(best[0]),
        background_cps=float(best[-1]),
    )


def fit_raster(
    position_nm: FloatArray, counts: FloatArray, dwell_s: FloatArray, pixel_nm: tuple[float, float]
) -> SpotFit:
    """Fit an elliptical spot of any orientation to the counts on a raster.

    Parameters
    ----------
    position_nm : ndarray of float64, shape (n_position, 2)
        x and y in nm.
    counts, dwell_s : ndarray of float64, shape (n_position,)
        Photons, and for how long they were counted in s.
    pixel_nm : tuple of float
        Width of the pixel along x and y.

    Raises
    ------
    FitError
        No spot stands out, or it does not lie among the positions.
    """
    best, covariance = _fit_gaussian(position_nm, counts, dwell_s, "spot")

    def shape(parameters: FloatArray) -> FloatArray:
        matrix_nm2 = np.linalg.inv(_symmetric(parameters[3:6]))
        matrix_nm2 = matrix_nm2 - np.diag(np.square(pixel_nm)) / 12.0
        mean_nm2 = 0.5 * np.trace(matrix_nm2)
        half_nm2 = math.hypot(0.5 * (matrix_nm2[0, 0] - matrix_nm2[1, 1]), matrix_nm2[0, 1])
        ratio = math.sqrt((mean_nm2 + half_nm2) / max(mean_nm2 - half_nm2, 1e-9 * mean_nm2)) - 1.0
        tilt = 0.5 * math.atan2(2.0 * matrix_nm2[0, 1], matrix_nm2[0, 0] - matrix_nm2[1, 1])
        return np.array([mean_nm2, ratio, math.degrees(tilt)])

    values, errors = shape(best), _propagated(shape, best, covariance)
    return SpotFit(
        centre_nm=(float(best[1]), float(best[2])),
        centre_error_nm=(math.sqrt(covariance[1, 1]), math.sqrt(covariance[2, 2])),
        variance_nm2=float(values[0]),
        variance_error_nm2=float(errors[0]),
        peak_cps=float(best[0]),
        background_cps=float(best[-1]),
        ellipticity=float(values[1]),
        ellipticity_error=float(errors[1]),
        tilt_deg=float(values[2]),
        tilt_error_deg=float(min(errors[2], 90.0)),
    )


def _fit_gaussian(
    position_nm: FloatArray, counts: FloatArray, dwell_s: FloatArray, what: str
) -> tuple[FloatArray, FloatArray]:
    """Return height, centre, inverse covariance (upper triangle) and background with their covariance matrix.

    Positions are float64 (n_position, n_axis); height and background come in counts per second.
    """
    start = _starting_values(position_nm, counts / dwell_s)
    n_axis = position_nm.shape[1]
    lower = np.full(len(start), -np.inf)
    lower[0], lower[-1] = 0.0, 1e-6 * max(float(start[0]), 1.0)

    def evaluate(parameters: FloatArray) -> Evaluation:
        inverse = _symmetric(parameters[1 + n_axis : -1])
        if np.any(np.linalg.eigvalsh(inverse) <= 0.0):
            return Evaluation(-math.inf, np.zeros(len(start)), np.eye(len(start)))
        off_nm = position_nm - parameters[1 : 1 + n_axis]
        pull = off_nm @ inverse
        light = np.exp(-0.5 * (off_nm * pull).sum(axis=1))
        expected = dwell_s * (parameters[0] * light + parameters[-1])
        rows = [light, *(parameters[0] * light * pull.T)]
        for i, j in zip(*np.triu_indices(n_axis), strict=True):
            rows.append(-parameters[0] * light * off_nm[:, i] * off_nm[:, j] * (0.5 if i == j else 1.0))
        jacobian = dwell_s * np.stack([*rows, np.ones(len(light))])
        weighted = jacobian / expected
        log_likelihood = poisson_log_likelihood(counts, expected)
        return Evaluation(log_likelihood, weighted @ (counts - expected), weighted @ jacobian.T)

    try:
        best = maximise(evaluate, start, lower, np.full(len(start), np.inf), np.ones(len(start), dtype=bool), what)
    except FitError as error:
        raise _not_found(position_nm, counts / dwell_s, what) from error
    if not _is_spot(best.parameters, best.covariance, position_nm):
        raise _not_found(position_nm, counts / dwell_s, what)
    return best.parameters, best.covariance


def _starting_values(position_nm: FloatArray, rates: FloatArray) -> FloatArray:
    """Guess the parameters from the moments of the upper part of the rates."""
    background = float(np.quantile(rates, 0.1))
    height = float(rates.max()) - background
    weights = np.clip(rates - background - _PART_OF_PEAK * height, 0.0, None)
    if not weights.sum() > 0.0:
        raise FitError(f"no spot: all positions have the same {rates.max():.0f} counts/s. Check light and detector.")
    n_axis = position_nm.shape[1]
    centre_nm = np.average(position_nm, axis=0, weights=weights)
    spread_nm2 = np.average((position_nm - centre_nm) ** 2, axis=0, weights=weights)
    steps_nm = np.ptp(position_nm, axis=0) / (len(position_nm) ** (1.0 / n_axis) - 1.0)
    inverse = np.diag(1.0 / np.maximum(2.0 * spread_nm2, (0.5 * steps_nm) ** 2))
    return np.array([height, *centre_nm, *inverse[np.triu_indices(n_axis)], max(background, 0.01 * height)])


def _is_spot(best: FloatArray, covariance: FloatArray, position_nm: FloatArray) -> bool:
    """Tell whether a spot stands out, lies among the positions, and is not wider than they reach."""
    n_axis = position_nm.shape[1]
    low_nm, high_nm = position_nm.min(axis=0), position_nm.max(axis=0)
    centre_nm = best[1 : 1 + n_axis]
    widest_nm2 = np.linalg.eigvalsh(np.linalg.inv(_symmetric(best[1 + n_axis : -1])))[-1]
    is_clear = best[0] > SIGNIFICANCE * math.sqrt(covariance[0, 0])
    is_inside = np.all((low_nm < centre_nm) & (centre_nm < high_nm))
    return bool(is_clear and is_inside and widest_nm2 < np.max(high_nm - low_nm) ** 2)


def _not_found(position_nm: FloatArray, rates: FloatArray, what: str) -> FitError:
    low_nm, high_nm = position_nm.min(axis=0), position_nm.max(axis=0)
    ends = " and ".join(f"{low:.0f} to {high:.0f} nm" for low, high in zip(low_nm, high_nm, strict=True))
    return FitError(
        f"no {what} found within {ends}: rates run from {rates.min():.0f} to {rates.max():.0f} counts/s. Check that "
        "light reaches the detector, look elsewhere (centre), further (half_width) or longer (dwell)."
    )


def _symmetric(triangle: FloatArray) -> FloatArray:
    """Return the symmetric matrix whose upper triangle is given row by row."""
    n_axis = 1 if len(triangle) == 1 else 2
    matrix = np.zeros((n_axis, n_axis))
    matrix[np.triu_indices(n_axis)] = triangle
    return matrix + np.triu(matrix, 1).T


def _propagated(function: Callable[[FloatArray], FloatArray], at: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return standard errors of functions of the parameters, by differences a small part of their errors wide."""
    steps = _STEP * np.sqrt(np.diag(covariance))
    slopes = np.stack(
        [(function(at + step) - function(at - step)) / (2.0 * step[i]) for i, step in enumerate(np.diag(steps))], axis=1
    )
    return np.asarray(np.sqrt(np.einsum("ij,jk,ik->i", slopes, covariance, slopes)))

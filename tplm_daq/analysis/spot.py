"""Gaussian spots in single delay bins: quick guess, Poisson fit with known background.

These serve the eye (mean squared displacement against age) and the starting values of the global fit;
the diffusivity itself comes from `tplm_daq.analysis.diffusion`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.amplitudes import best_amplitudes
from tplm_daq.analysis.shapes import SpotShape
from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

_N_STEPS = 25
_LARGEST_CHANGE = 0.5
_TOLERANCE = 1e-5
_GOOD_ENOUGH = 1e-2
_PART_OF_PEAK = 0.2


def rough_spot(position_nm: FloatArray, signal: FloatArray, pixel_nm: float) -> tuple[float, float]:
    """Guess centre and variance of a spot from the parabola through the logarithm of its upper part.

    Parameters
    ----------
    position_nm, signal : ndarray of float64, shape (n_position,)
        Positions in nm, and counts above the background.
    pixel_nm : float
        Width of the pixel in nm, whose variance is taken off.

    Returns
    -------
    centre_nm, variance_nm2 : float
        Guess; where the upper part has no maximum, the mean and the variance of the range.

    Examples
    --------
    >>> x_nm = np.linspace(-1000.0, 1000.0, 41)
    >>> centre_nm, variance_nm2 = rough_spot(x_nm, 900 * np.exp(-((x_nm - 80.0) ** 2) / (2 * 250.0**2)), 101.0)
    >>> round(centre_nm), round(np.sqrt(variance_nm2 + 101.0**2 / 12))
    (80, 250)
    """
    peak_nm = float(position_nm[np.argmax(signal)])
    upper = signal > _PART_OF_PEAK * signal.max()
    if np.count_nonzero(upper) >= 3 and signal.max() > 0:
        offset_nm = position_nm[upper] - peak_nm
        curve = np.polynomial.polynomial.polyfit(offset_nm, np.log(signal[upper]), 2, w=signal[upper])
        if curve[2] < 0:
            variance_nm2 = -0.5 / curve[2]
            centre_nm = peak_nm + curve[1] * variance_nm2
            if abs(centre_nm - peak_nm) < np.ptp(position_nm):
                return float(centre_nm), float(max(variance_nm2 - pixel_nm**2 / 12.0, (0.5 * pixel_nm) ** 2))
    return peak_nm, float(max(np.ptp(position_nm) ** 2 / 16.0, (0.5 * pixel_nm) ** 2))


def require_centre_inside(position_nm: FloatArray, centre_nm: float, axis: str = "", margin_nm: float = 0.0) -> None:
    """Raise FitError, which names the axis of a map, unless a centre is among the positions or hardly outside."""
    low_nm, high_nm = float(position_nm.min()), float(position_nm.max())
    if not low_nm - margin_nm <= centre_nm <= high_nm + margin_nm:
        raise FitError(
            f"The spot's centre seems to be at {axis}{' = ' if axis else ''}{centre_nm:.0f} nm, outside the positions "
            f"measured ({low_nm:.0f} to {high_nm:.0f} nm). Measure on both sides of the spot."
        )


def fit_broadening(
    counts: FloatArray,
    exposure: FloatArray,
    background: FloatArray,
    shape: SpotShape,
    parameters: FloatArray,
    start_nm2: FloatArray,
    limits_nm2: tuple[float, float],
) -> tuple[FloatArray, FloatArray]:
    """Fit the growth of the spot's variance in each delay bin, with its amplitude free and all else known.

    Parameters
    ----------
    counts, exposure, background : ndarray of float64, shape (n_position, n_row)
        Counts, what multiplies their expectation, and the expected background in counts.
    shape : SpotShape
        The spot.
    parameters : ndarray of float64, shape (n_parameter,)
        Its parameters at the pulse.
    start_nm2 : ndarray of float64, shape (n_row,)
        Starting values in nm^2.
    limits_nm2 : tuple of float
        Smallest and largest variance of the spot's narrowest part that is believed, in nm^2.

    Returns
    -------
    broadening_nm2, error_nm2 : ndarray of float64, shape (n_row,)
        Estimates and standard errors; NaN in bins that do not determine a width.
    """
    zero_nm2 = shape.smallest_variance_nm2(parameters)
    variance_nm2 = np.clip(zero_nm2 + start_nm2, *limits_nm2)
    change, information = np.zeros_like(variance_nm2), np.zeros_like(variance_nm2)
    for _ in range(_N_STEPS):
        spot = shape.spread(parameters, variance_nm2 - zero_nm2)
        profile = exposure * spot.value
        amplitude = best_amplitudes(counts, profile, background)
        expected = amplitude * profile + background
        slope = amplitude * exposure * spot.d_broadening
        shared, own = (slope * profile / expected).sum(axis=0), (profile**2 / expected).sum(axis=0)
        lost = np.divide(shared**2, own, out=np.zeros_like(own), where=own > 0)
        information = (slope**2 / expected).sum(axis=0) - lost
        score = (slope * (counts / expected - 1.0)).sum(axis=0)
        step = np.divide(score, information, out=np.full_like(score, np.nan), where=information > 0)
        change = np.clip(step / variance_nm2, -_LARGEST_CHANGE, _LARGEST_CHANGE)
        variance_nm2 = np.clip(variance_nm2 * (1.0 + change), *limits_nm2)
        if np.nanmax(np.abs(change), initial=0.0) < _TOLERANCE:
            break
    good = (np.abs(change) < _GOOD_ENOUGH) & (variance_nm2 > limits_nm2[0]) & (variance_nm2 < limits_nm2[1])
    error_nm2 = np.sqrt(1.0 / np.where(good, information, np.nan))
    return np.where(good, variance_nm2 - zero_nm2, np.nan), error_nm2

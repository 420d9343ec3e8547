"""Gaussian spots in single delay bins: quick guess, Poisson fit with known background.

These serve the eye (mean squared displacement against age) and the starting values of the global fit;
the diffusivity itself comes from `tplm_daq.analysis.diffusion`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.likelihood import best_amplitudes
from tplm_daq.analysis.models import pixel_profile

FloatArray = NDArray[np.float64]

_N_STEPS = 25
_LARGEST_CHANGE = 0.5
_TOLERANCE = 1e-5
_GOOD_ENOUGH = 1e-2
_NARROWEST_PIXELS = 0.2
_WIDEST_RANGES = 5.0
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


def fit_variances(
    counts: FloatArray,
    exposure: FloatArray,
    background: FloatArray,
    position_nm: FloatArray,
    pixel_nm: float,
    centre_nm: float,
    start_nm2: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Fit the variance of the spot in each delay bin, with its amplitude free and all else known.

    Parameters
    ----------
    counts, exposure, background : ndarray of float64, shape (n_position, n_row)
        Counts, what multiplies their expectation, and the expected background in counts.
    position_nm : ndarray of float64, shape (n_position,)
        Pixel centres in nm.
    pixel_nm, centre_nm : float
        Width of the pixel and centre of the spot in nm.
    start_nm2 : ndarray of float64, shape (n_row,)
        Starting values in nm^2.

    Returns
    -------
    variance_nm2, error_nm2 : ndarray of float64, shape (n_row,)
        Estimates and standard errors; NaN in bins that do not determine a width.
    """
    variance_nm2 = np.array(start_nm2, dtype=np.float64)
    change, information = np.zeros_like(variance_nm2), np.zeros_like(variance_nm2)
    low_nm2, high_nm2 = (_NARROWEST_PIXELS * pixel_nm) ** 2, (_WIDEST_RANGES * float(np.ptp(position_nm))) ** 2
    for _ in range(_N_STEPS):
        spot = pixel_profile(position_nm[:, None], centre_nm, variance_nm2, pixel_nm)
        profile = exposure * spot.value
        amplitude = best_amplitudes(counts, profile, background)
        expected = amplitude * profile + background
        slope = amplitude * exposure * spot.d_variance
        shared, own = (slope * profile / expected).sum(axis=0), (profile**2 / expected).sum(axis=0)
        lost = np.divide(shared**2, own, out=np.zeros_like(own), where=own > 0)
        information = (slope**2 / expected).sum(axis=0) - lost
        score = (slope * (counts / expected - 1.0)).sum(axis=0)
        step = np.divide(score, information, out=np.full_like(score, np.nan), where=information > 0)
        change = np.clip(step / variance_nm2, -_LARGEST_CHANGE, _LARGEST_CHANGE)
        variance_nm2 = np.clip(variance_nm2 * (1.0 + change), low_nm2, high_nm2)
        if np.nanmax(np.abs(change), initial=0.0) < _TOLERANCE:
            break
    good = (np.abs(change) < _GOOD_ENOUGH) & (variance_nm2 > low_nm2) & (variance_nm2 < high_nm2)
    error_nm2 = np.sqrt(1.0 / np.where(good, information, np.nan))
    return np.where(good, variance_nm2, np.nan), error_nm2

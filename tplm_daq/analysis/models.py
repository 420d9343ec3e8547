"""What the detector sees: Gaussian spot under a square pixel, decay under the response, age of the excitons.

The spot stays Gaussian while the excitons spread, with variance ``s2(0) + 2 D t`` along each axis. The
detector pixel averages it over its width; the average over a Gaussian is a difference of error
functions, so nothing is approximated here. Along a line scan the other axis only changes the
amplitude of each delay, and amplitudes are free, so one axis is enough.

The system response mixes excitons of different age into one delay. With a Gaussian response (standard
deviation ``s``) and a decay ``exp(-u / tau)`` that starts at ``t0``, the ages seen at delay ``t`` are a
Gaussian around ``m = t - t0 - s**2 / tau`` cut off at zero, whose mean is closed: `mean_age`. The
variance of the spot is linear in the *mean age*, rising edge included.

All functions are pure; units are ns and nm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, log_ndtr, ndtr

FloatArray = NDArray[np.float64]

FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))
"""Full width at half maximum of a Gaussian of unit standard deviation."""

NM2_PER_NS_PER_CM2_PER_S = 1e5
"""1 cm2/s = 1e14 nm2 / 1e9 ns."""

_SQRT_2 = np.sqrt(2.0)
_SQRT_HALF_PI = np.sqrt(0.5 * np.pi)
_LOG_SQRT_2PI = 0.5 * np.log(2.0 * np.pi)
_QUADRATURE_NODES, _QUADRATURE_WEIGHTS = np.polynomial.legendre.leggauss(8)


@dataclass(frozen=True)
class PixelProfile:
    """A Gaussian of unit height averaged over the pixel, with its derivatives.

    Attributes
    ----------
    value : ndarray of float64
        The average itself, between 0 and 1.
    d_centre : ndarray of float64
        Derivative with respect to the centre, in 1/nm.
    d_variance : ndarray of float64
        Derivative with respect to the variance, in 1/nm^2.
    """

    value: FloatArray
    d_centre: FloatArray
    d_variance: FloatArray


def pixel_profile(
    position_nm: FloatArray, centre_nm: float, variance_nm2: FloatArray | float, pixel_nm: float
) -> PixelProfile:
    """Average a Gaussian of unit height over a pixel.

    Parameters
    ----------
    position_nm : ndarray of float64
        Centres of the pixel, in nm; broadcast against `variance_nm2`.
    centre_nm : float
        Centre of the Gaussian, in nm.
    variance_nm2 : ndarray of float64 or float
        Variance of the Gaussian before averaging, in nm^2; positive.
    pixel_nm : float
        Width of the pixel, in nm; positive.

    Returns
    -------
    PixelProfile
        Average and derivatives, in the broadcast shape.

    Examples
    --------
    >>> float(np.round(pixel_profile(np.zeros(1), 0.0, 250.0**2, 101.0).value[0], 4))
    0.9932
    """
    sigma_nm = np.sqrt(variance_nm2)
    low_nm = position_nm - (centre_nm + 0.5 * pixel_nm)
    high_nm = low_nm + pixel_nm
    scale = 1.0 / (_SQRT_2 * sigma_nm)
    z_low, z_high = low_nm * scale, high_nm * scale
    height_low, height_high = np.exp(-z_low * z_low), np.exp(-z_high * z_high)
    value = (_SQRT_HALF_PI / pixel_nm) * sigma_nm * (erf(z_high) - erf(z_low))
    d_centre = (height_low - height_high) / pixel_nm
    d_variance = (value - (high_nm * height_high - low_nm * height_low) / pixel_nm) / (2.0 * variance_nm2)
    return PixelProfile(value, d_centre, d_variance)


def collected_light(
    position_nm: FloatArray,
    centre_nm: float,
    variance_nm2: FloatArray,
    pixel_nm: float,
    pixel_across_nm: float,
    dwell: FloatArray | None = None,
) -> FloatArray:
    """Return how much of the light of a round spot the positions of a line collect, relative to any one variance.

    The line runs through the centre. As the spot spreads, light moves off the line, so the counts fall
    faster than the excitons decay.

    Parameters
    ----------
    position_nm : ndarray of float64, shape (n_position,)
        Pixel centres along the line, in nm.
    centre_nm : float
        Centre of the spot, in nm.
    variance_nm2 : ndarray of float64, shape (n_bin,)
        Variance of the spot, in nm^2.
    pixel_nm, pixel_across_nm : float
        Width of the pixel along and across the line, in nm.
    dwell : ndarray of float64, shape (n_position,), optional
        How long each position was counted, in any unit; without it all were counted alike.

    Returns
    -------
    ndarray of float64, shape (n_bin,)
        Light summed over the positions for a spot of constant total light, one where it is greatest.

    Examples
    --------
    >>> x_nm = np.linspace(-5000.0, 5000.0, 401)
    >>> np.round(collected_light(x_nm, 0.0, np.array([250.0**2, 500.0**2]), 10.0, 10.0), 3)
    array([1. , 0.5])
    """
    weight = np.ones(len(position_nm)) if dwell is None else dwell
    along = weight @ pixel_profile(position_nm[:, None], centre_nm, variance_nm2, pixel_nm).value
    across = pixel_profile(np.zeros(1), 0.0, variance_nm2, pixel_across_nm).value
    light = along * across / variance_nm2
    return np.asarray(light / light.max())


def mean_age(delay_ns: FloatArray, sigma_ns: float, lifetime_ns: float) -> FloatArray:
    """Return the mean age of the excitons seen at a delay.

    Parameters
    ----------
    delay_ns : ndarray of float64
        Delay after the centre of the pulse, in ns.
    sigma_ns : float
        Standard deviation of the system response, in ns; positive.
    lifetime_ns : float
        Lifetime of the excitons, in ns.

    Returns
    -------
    ndarray of float64
        Mean age in ns, positive, in the shape of `delay_ns`.

    Examples
    --------
    Long after the pulse the response hardly matters; before it only the youngest are seen:

    >>> np.round(mean_age(np.array([-0.03, 0.0, 1.0]), 0.034, 2.0), 4)
    array([0.0186, 0.0269, 0.9994])
    """
    middle_ns = delay_ns - sigma_ns**2 / lifetime_ns
    z = middle_ns / sigma_ns
    inverse_mills = np.exp(-0.5 * z * z - _LOG_SQRT_2PI - log_ndtr(z))
    return np.asarray(middle_ns + sigma_ns * inverse_mills)


def bin_mean_age(edges_ns: FloatArray, t0_ns: float, sigma_ns: float, lifetime_ns: float) -> FloatArray:
    """Average `mean_age` over delay bins, weighted with the light in each part of the bin.

    Parameters
    ----------
    edges_ns : ndarray of float64, shape (n_bin + 1,)
        Edges of adjacent delay bins, in ns.
    t0_ns : float
        Delay of the centre of the pulse, in ns.
    sigma_ns, lifetime_ns : float
        As for `mean_age`.

    Returns
    -------
    ndarray of float64, shape (n_bin,)
        Mean age in ns.
    """
    half_ns = 0.5 * np.diff(edges_ns)[:, None]
    delay_ns = edges_ns[:-1, None] + half_ns * (1.0 + _QUADRATURE_NODES) - t0_ns
    log_light = sigma_ns**2 / (2.0 * lifetime_ns**2) - delay_ns / lifetime_ns
    log_light += log_ndtr(delay_ns / sigma_ns - sigma_ns / lifetime_ns)
    light = np.exp(log_light - log_light.max(axis=1, keepdims=True)) * _QUADRATURE_WEIGHTS
    age_ns = mean_age(delay_ns, sigma_ns, lifetime_ns)
    return np.asarray((light * age_ns).sum(axis=1) / light.sum(axis=1))


@dataclass(frozen=True)
class CumulativeDecay:
    """Light of an exponential decay under the response, accumulated up to a delay, with derivatives.

    Attributes
    ----------
    value : ndarray of float64
        Accumulated light in ns: the integral of a decay of unit initial height.
    d_t0, d_sigma, d_lifetime : ndarray of float64
        Derivatives with respect to the three parameters, dimensionless.
    """

    value: FloatArray
    d_t0: FloatArray
    d_sigma: FloatArray
    d_lifetime: FloatArray


def cumulative_decay(delay_ns: FloatArray, t0_ns: float, sigma_ns: float, lifetime_ns: float) -> CumulativeDecay:
    """Integrate ``exp(-(t - t0) / lifetime)`` under a Gaussian response from the far past to a delay.

    Parameters
    ----------
    delay_ns : ndarray of float64
        Delays up to which the light is accumulated, in ns.
    t0_ns, sigma_ns, lifetime_ns : float
        Centre of the pulse, standard deviation of the response and lifetime, in ns.

    Returns
    -------
    CumulativeDecay
        Value and derivatives in the shape of `delay_ns`.

    Examples
    --------
    >>> float(np.round(cumulative_decay(np.array([100.0]), 5.0, 0.034, 2.3).value[0], 6))
    2.3
    """
    since_ns = delay_ns - t0_ns
    z = since_ns / sigma_ns
    ratio = sigma_ns / lifetime_ns
    light = np.exp(0.5 * ratio * ratio - since_ns / lifetime_ns + log_ndtr(z - ratio))
    response = np.exp(-0.5 * z * z - _LOG_SQRT_2PI)
    started = ndtr(z)
    value = lifetime_ns * (started - light)
    d_lifetime = started - light * (1.0 + since_ns / lifetime_ns - ratio * ratio) - ratio * response
    return CumulativeDecay(value, -light, response - ratio * light, d_lifetime)

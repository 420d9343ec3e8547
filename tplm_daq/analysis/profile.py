"""Least-squares Gaussian in every delay bin: what most people fit, made fast.

Each bin is fitted on its own with ``height * exp(-(x - centre)**2 / (2 variance))`` and equal weights, by
Levenberg-Marquardt with analytic derivatives. There is no offset and no pixel: the variance contains
the pixel's ``width**2 / 12``. The methods `lsq` and `paper` are built on it; `poisson` is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tplm_daq.analysis.spot import rough_spot

FloatArray = NDArray[np.float64]

MOST_STEPS = 60
"""Tried steps per bin; 4 to 11 are usual."""

RELATIVE_TOLERANCE = 1e-8
"""Relative change of the variance at which a bin has converged; the error left is some ten times less."""


@dataclass(frozen=True)
class GaussianFits:
    """Gaussians fitted to the profiles of all delay bins; NaN where a fit failed.

    Attributes
    ----------
    height : ndarray of float64, shape (n_bin,)
        In the unit of the values fitted.
    centre_nm : ndarray of float64, shape (n_bin,)
        Centre, in nm.
    variance_nm2 : ndarray of float64, shape (n_bin,)
        Variance including the pixel, in nm^2.
    """

    height: FloatArray
    centre_nm: FloatArray
    variance_nm2: FloatArray

    def model(self, position_nm: FloatArray) -> FloatArray:
        """Return the fitted profiles, shape (n_position, n_bin)."""
        offset_nm = position_nm[:, None] - self.centre_nm
        return np.asarray(self.height * np.exp(-(offset_nm**2) / (2.0 * self.variance_nm2)))


def fit_gaussians(position_nm: FloatArray, values: FloatArray) -> GaussianFits:
    """Fit a Gaussian to the profile of every delay bin by unweighted least squares.

    Parameters
    ----------
    position_nm : ndarray of float64, shape (n_position,)
        Positions, in nm.
    values : ndarray of float64, shape (n_position, n_bin)
        Counts or rates, background subtracted if there is any to speak of.

    Returns
    -------
    GaussianFits
        NaN in bins whose fit did not converge to a spot within three times the range measured.

    Examples
    --------
    >>> x_nm = np.linspace(-1000.0, 1000.0, 41)
    >>> fits = fit_gaussians(x_nm, 50.0 * np.exp(-((x_nm - 20.0) ** 2) / (2 * 240.0**2))[:, None])
    >>> round(float(fits.centre_nm[0]), 6), round(float(np.sqrt(fits.variance_nm2[0])), 6)
    (20.0, 240.0)
    """
    centre_nm, variance_nm2 = rough_spot(position_nm, values.sum(axis=1), 0.0)
    scale_nm = float(np.sqrt(variance_nm2))
    result = np.full((3, values.shape[1]), np.nan)
    by_bin = np.ascontiguousarray(values.T, dtype=np.float64)
    _fit_all((position_nm - centre_nm) / scale_nm, by_bin, MOST_STEPS, RELATIVE_TOLERANCE, result)
    reach = 3.0 * float(np.ptp(position_nm)) / scale_nm
    lost = ~((np.abs(result[1]) < reach) & (result[2] < reach**2))
    result[:, lost] = np.nan
    return GaussianFits(result[0], centre_nm + scale_nm * result[1], scale_nm**2 * result[2])


@njit(cache=True, nogil=True, error_model="numpy")
def _fit_all(x, values, most_steps, tolerance, result):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Fit every row of `values`; `result` (3, n_bin) receives height, centre and variance where it converges."""
    for i in range(values.shape[0]):
        y = values[i]
        above, below = 0.0, 0.0
        for k in range(x.size):
            g = np.exp(-0.5 * x[k] * x[k])
            above += g * y[k]
            below += g * g
        if above <= 0.0:
            continue
        height, centre, variance, damping = above / below, 0.0, 1.0, 1e-3
        now = _normal_equations(x, y, height, centre, variance)
        for _ in range(most_steps):
            d_height, d_centre, d_variance = _solve(now, damping)
            trial = (height + d_height, centre + d_centre, variance + d_variance)
            if trial[2] <= 0.05 * variance:
                damping = 10.0 * damping + 1e-3
                continue
            there = _normal_equations(x, y, trial[0], trial[1], trial[2])
            if there[0] <= now[0] * (1.0 + 1e-12):
                height, centre, variance = trial
                now = there
                damping *= 0.03
                if abs(d_variance) <= tolerance * variance and abs(d_centre) ** 2 <= tolerance * variance:
                    result[0, i], result[1, i], result[2, i] = height, centre, variance
                    break
            else:
                damping = 10.0 * damping + 1e-3


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def _normal_equations(x, y, height, centre, variance):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return the sum of squares, the six different elements of J'J, and the three of J'r."""
    squares = aa = ac = av = cc = cv = vv = ra = rc = rv = 0.0
    inverse = 1.0 / variance
    for k in range(x.size):
        u = x[k] - centre
        q = u * inverse
        da = _exp_minus(0.5 * u * q)
        dc = height * da * q
        dv = 0.5 * dc * q
        r = y[k] - height * da
        squares += r * r
        aa += da * da
        ac += da * dc
        av += da * dv
        cc += dc * dc
        cv += dc * dv
        vv += dv * dv
        ra += da * r
        rc += dc * r
        rv += dv * r
    return squares, aa, ac, av, cc, cv, vv, ra, rc, rv


@njit(cache=True, nogil=True, error_model="numpy")
def _solve(equations, damping):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Solve the damped 3 x 3 normal equations by Cholesky decomposition."""
    _, aa, ac, av, cc, cv, vv, ra, rc, rv = equations
    grown = 1.0 + damping
    l11 = np.sqrt(aa * grown)
    l21, l31 = ac / l11, av / l11
    l22 = np.sqrt(cc * grown - l21 * l21)
    l32 = (cv - l21 * l31) / l22
    l33 = np.sqrt(vv * grown - l31 * l31 - l32 * l32)
    z1 = ra / l11
    z2 = (rc - l21 * z1) / l22
    z3 = (rv - l31 * z1 - l32 * z2) / l33
    s3 = z3 / l33
    s2 = (z2 - l32 * s3) / l22
    return (z1 - l21 * s2 - l31 * s3) / l11, s2, s3


@njit(cache=True, inline="always")
def _exp_minus(z):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Return exp(-z) for z >= 0 as the 1024th power of a short series: 1e-12 accurate, and loops over it vectorise."""
    t = min(z, 100.0) * (-1.0 / 1024.0)
    s = 1.0 + t * (1.0 + t * (1.0 / 2 + t * (1.0 / 6 + t * (1.0 / 24 + t * (1.0 / 120 + t * (1.0 / 720))))))
    s *= s
    s *= s
    s *= s
    s *= s
    s *= s
    s *= s
    s *= s
    s *= s
    s *= s
    return s * s

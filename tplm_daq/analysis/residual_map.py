"""Residuals of a line scan over position and delay: where the fitted spot does not describe the counts.

The model is rebuilt from the numbers of a result: a Gaussian averaged over the pixel, whose variance grows by
``2 D t``, on a flat level. The height is free at each delay, as in the fit, so that the decay does not matter.
Response, earlier pulses and dead time are left out: this is for looking at; `deviance_per_dof` judges the fit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.models import NM2_PER_NS_PER_CM2_PER_S, pixel_profile
from tplm_daq.analysis.result import Result

FloatArray = NDArray[np.float64]


def residual_map(
    counts: NDArray[np.integer],
    position_nm: FloatArray,
    age_ns: FloatArray,
    dwell_s: FloatArray,
    level: float,
    pixel_nm: float,
    result: Result,
) -> FloatArray:
    """Compare the counts of a line scan with the fitted spot.

    Parameters
    ----------
    counts : ndarray, shape (n_position, n_bin)
        Counts.
    position_nm : ndarray of float64, shape (n_position,)
        Positions along the line, in nm.
    age_ns : ndarray of float64, shape (n_bin,)
        Centres of the bins after the pulse, in ns.
    dwell_s : ndarray of float64, shape (n_position,)
        Time counted at each position, in s.
    level : float
        Counts of the flat background per bin at mean dwell.
    pixel_nm : float
        Width of the detector pixel along the line, in nm.
    result : Result
        Centre, width and diffusivity.

    Returns
    -------
    ndarray of float64, shape (n_position, n_bin)
        (counts - model) / sqrt(model), standard deviations; NaN where nothing was counted for any time.
    """
    spread_nm2 = 2.0 * result.diffusivity_cm2_s * NM2_PER_NS_PER_CM2_PER_S * np.maximum(age_ns, 0.0)
    smallest_nm2 = (0.1 * result.sigma0_nm) ** 2
    variance_nm2 = np.maximum(result.sigma0_nm**2 + spread_nm2, smallest_nm2)
    exposure = dwell_s / dwell_s[dwell_s > 0].mean()
    spot = pixel_profile(position_nm[:, None], result.centre_nm, variance_nm2[None, :], pixel_nm).value
    spot = spot * exposure[:, None]
    background = level * exposure[:, None]
    height = np.maximum((counts - background).sum(axis=0) / spot.sum(axis=0), 0.0)
    model = height * spot + background
    visited = (exposure > 0)[:, None] & (model > 0)
    return np.divide(counts - model, np.sqrt(model), out=np.full(model.shape, np.nan), where=visited)

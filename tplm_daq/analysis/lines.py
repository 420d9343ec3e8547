"""Straight lines through variances: the methods `lsq` and `paper`.

`lsq` fits an unweighted Gaussian per summed bin and a line with free intercept. It needs no model of the
counts, but it wastes two thirds of the information, and its 95 % interval covers the truth in about
91 % of the cases.

`paper` is the estimator of Science Advances 10, eadj2630 (2024): a Gaussian per recorded bin, variance at
time zero subtracted, error bar of a point = standard deviation of its 25 neighbours, line through the
origin, 95 % confidence interval of that regression. Subtracting one noisy variance shifts all points
together, which the regression does not know: its interval covers the truth in 5 to 30 % of the cases.
It is here for comparison with published numbers, and deliberately not improved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from tplm_daq.analysis.binning import FitData
from tplm_daq.analysis.profile import GaussianFits, fit_gaussians
from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

N_NEIGHBOURS = 25
"""Points whose standard deviation is the error bar of the one in the middle (paper, Materials and Methods)."""

FIRST_100PS_NS = 0.1

_SMALLEST_SHARE_FITTED = 0.5
_FEWEST_POINTS = 4


@dataclass(frozen=True)
class LineFit:
    """A diffusivity from a straight line through variances.

    Attributes
    ----------
    diffusivity_nm2_ns, error_nm2_ns : float
        Half the slope and its standard error, in nm^2/ns.
    half_interval_nm2_ns : float
        Half width of the 95 % interval of the regression.
    variance_nm2, variance_error_nm2 : float
        Variance of the spot at time zero, without the pixel, and its standard error.
    fits : GaussianFits
        The Gaussians, one per point.
    delay_ns, time_ns : ndarray of float64, shape (n_row,)
        Centres of the bins after the pulse, and times of the points, in ns.
    msd_nm2, msd_error_nm2 : ndarray of float64, shape (n_row,)
        Mean squared displacement and the error bar of each point, in nm^2; NaN where the Gaussian failed.
    values : ndarray of float64, shape (n_position, n_row)
        What the Gaussians were fitted to.
    counts, expected : ndarray of float64, shape (n_position, n_row)
        The counts behind the values, and those that the Gaussians expect; NaN where one failed.
    """

    diffusivity_nm2_ns: float
    error_nm2_ns: float
    half_interval_nm2_ns: float
    variance_nm2: float
    variance_error_nm2: float
    fits: GaussianFits
    delay_ns: FloatArray
    time_ns: FloatArray
    msd_nm2: FloatArray
    msd_error_nm2: FloatArray
    values: FloatArray
    counts: FloatArray
    expected: FloatArray


def fit_lsq(data: FitData) -> LineFit:
    """Fit unweighted Gaussians and an unweighted line with free intercept.

    The level of each position before the pulse is subtracted, live time and dwell are divided out,
    and the abscissa is the mean age of the excitons.

    Parameters
    ----------
    data : FitData
        Summed bins.

    Returns
    -------
    LineFit
        Estimate; the error bars of the points are the scatter around the line.

    Raises
    ------
    FitError
        If too few bins can be fitted.
    """
    after = data.delay_ns >= 0.0
    all_ages_ns, counts, exposure = data.age_ns[after], data.counts[:, after], data.exposure[:, after]
    values = counts / exposure
    if data.has_prepulse:
        values = values - (data.prepulse_counts / data.prepulse_exposure)[:, None]
    fits = fit_gaussians(data.position_nm, values)
    good = _fitted(fits)
    age_ns, variance_nm2 = all_ages_ns[good], fits.variance_nm2[good]
    mean_age_ns = float(age_ns.mean())
    spread = float(np.sum((age_ns - mean_age_ns) ** 2))
    slope = float(np.sum((age_ns - mean_age_ns) * variance_nm2) / spread)
    intercept_nm2 = float(variance_nm2.mean() - slope * mean_age_ns)
    n_dof = len(age_ns) - 2
    scatter_nm2 = float(np.sqrt(np.sum((variance_nm2 - intercept_nm2 - slope * age_ns) ** 2) / n_dof))
    error = scatter_nm2 / float(np.sqrt(spread))
    return LineFit(
        diffusivity_nm2_ns=0.5 * slope,
        error_nm2_ns=0.5 * error,
        half_interval_nm2_ns=0.5 * error * float(stdtrit(n_dof, 0.975)),
        variance_nm2=_without_pixel(intercept_nm2, data.pixel_nm),
        variance_error_nm2=scatter_nm2 * float(np.sqrt(1.0 / len(age_ns) + mean_age_ns**2 / spread)),
        fits=fits,
        delay_ns=data.delay_ns[after],
        time_ns=all_ages_ns,
        msd_nm2=fits.variance_nm2 - intercept_nm2,
        msd_error_nm2=np.full(len(all_ages_ns), scatter_nm2),
        values=values,
        counts=counts,
        expected=counts + exposure * (fits.model(data.position_nm) - values),
    )


def fit_paper(data: FitData, sigma0: str) -> LineFit:
    """Apply the estimator of the paper exactly.

    Parameters
    ----------
    data : FitData
        Bins as recorded. Dead time is not corrected and no background subtracted, as in the paper.
    sigma0 : str
        ``first_bin`` or ``first_100ps``: what is taken as the variance at time zero.

    Returns
    -------
    LineFit
        Estimate; its interval is the regression's and is not calibrated.

    Raises
    ------
    FitError
        If too few bins can be fitted.
    """
    after = data.delay_ns >= 0.0
    time_ns, counts, dwell = data.delay_ns[after], data.counts[:, after], data.dwell[:, None]
    fits = fit_gaussians(data.position_nm, counts / dwell)
    good = _fitted(fits)
    first = np.flatnonzero(good)[:1]
    at_zero = good & (time_ns < FIRST_100PS_NS) if sigma0 == "first_100ps" else np.isin(np.arange(len(good)), first)
    if not at_zero.any():
        raise FitError("No Gaussian could be fitted in the first 100 ps. Measure longer, or take first_bin.")
    zero_nm2 = float(fits.variance_nm2[at_zero].mean())
    msd_nm2 = fits.variance_nm2 - zero_nm2
    error_nm2 = np.full_like(msd_nm2, np.nan)
    error_nm2[good] = neighbour_sd(msd_nm2[good])
    x, y, weight = time_ns[good], msd_nm2[good], 1.0 / error_nm2[good] ** 2
    lever = float(np.sum(weight * x * x))
    slope = float(np.sum(weight * x * y) / lever)
    n_dof = len(x) - 1
    error = float(np.sqrt(np.sum(weight * (y - slope * x) ** 2) / n_dof / lever))
    return LineFit(
        diffusivity_nm2_ns=0.5 * slope,
        error_nm2_ns=0.5 * error,
        half_interval_nm2_ns=0.5 * error * float(stdtrit(n_dof, 0.975)),
        variance_nm2=_without_pixel(zero_nm2, data.pixel_nm),
        variance_error_nm2=float(error_nm2[at_zero].mean() / np.sqrt(np.count_nonzero(at_zero))),
        fits=fits,
        delay_ns=time_ns,
        time_ns=time_ns,
        msd_nm2=msd_nm2,
        msd_error_nm2=error_nm2,
        values=counts / dwell,
        counts=counts,
        expected=dwell * fits.model(data.position_nm),
    )


def neighbour_sd(values: FloatArray) -> FloatArray:
    """Return the standard deviation of the 25 points around each point, fewer at the ends.

    Parameters
    ----------
    values : ndarray of float64, shape (n_point,)
        At least two points.

    Returns
    -------
    ndarray of float64, shape (n_point,)
        Sample standard deviations.

    Examples
    --------
    >>> neighbour_sd(np.array([1.0, 2.0, 3.0]))
    array([1., 1., 1.])
    """
    half = N_NEIGHBOURS // 2
    windows = [values[max(0, i - half) : i + half + 1] for i in range(len(values))]
    return np.array([window.std(ddof=1) for window in windows])


def _fitted(fits: GaussianFits) -> NDArray[np.bool_]:
    """Return which bins could be fitted; raise FitError if they are too few."""
    good = np.isfinite(fits.variance_nm2)
    n_good = int(np.count_nonzero(good))
    if n_good < max(_FEWEST_POINTS, _SMALLEST_SHARE_FITTED * len(good)):
        raise FitError(
            f"A Gaussian could be fitted in only {n_good} of {len(good)} delay bins. Measure longer, or use the method "
            "poisson, which fits all bins together."
        )
    return np.asarray(good)


def _without_pixel(variance_nm2: float, pixel_nm: float) -> float:
    spot_nm2 = variance_nm2 - pixel_nm**2 / 12.0
    if spot_nm2 <= 0:
        raise FitError(
            f"The spot's variance, {variance_nm2:.0f} nm^2, is less than that of the pixel alone, "
            f"{pixel_nm**2 / 12.0:.0f} nm^2. Check pixel_nm and the positions."
        )
    return spot_nm2

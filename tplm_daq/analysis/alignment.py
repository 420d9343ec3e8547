"""Fits of the alignment procedures: the focus, the step of the stage, the rising edge of the decay."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.decay import fit_decay
from tplm_daq.errors import FitError
from tplm_daq.photons.deadtime import live_fraction

FloatArray = NDArray[np.float64]

N_DRAWS = 25
"""Decays drawn from the model to learn the standard errors of an edge; good to a seventh of themselves."""
SIGNIFICANCE = 5.0
"""Standard errors by which the width must change with height."""


@dataclass(frozen=True)
class FocusFit:
    """Where a spot is narrowest: height and its standard error, width there, and in what depth it grows by 41 %."""

    z_nm: float
    z_error_nm: float
    sigma_nm: float
    depth_nm: float


@dataclass(frozen=True)
class StepFit:
    """Image over stage: ratio along each axis of the image with standard error, and the angle between the two."""

    ratio_x: float
    ratio_x_error: float
    ratio_y: float
    ratio_y_error: float
    rotation_deg: float


@dataclass(frozen=True)
class EdgeFit:
    """The pulse as the counter sees it.

    Attributes
    ----------
    t0_ns, t0_error_ns : float
        Delay at which the centre of the pulse arrives.
    response_fwhm_ns, response_fwhm_error_ns : float
        Width of the response.
    lifetime_ns : float
        Effective lifetime after the pulse.
    delay_ns, counts, model : ndarray of float64, shape (n_bin,)
        What was fitted, and the fit.
    """

    t0_ns: float
    t0_error_ns: float
    response_fwhm_ns: float
    response_fwhm_error_ns: float
    lifetime_ns: float
    delay_ns: FloatArray
    counts: FloatArray
    model: FloatArray


def fit_edge(
    counts: NDArray[np.integer],
    delay_ns: FloatArray,
    live_s: float,
    repetition_rate_hz: float,
    dead_time_ns: float,
    window_ns: float,
) -> EdgeFit:
    """Fit arrival of the pulse and width of the response to the rising edge of a decay.

    Parameters
    ----------
    counts : ndarray, shape (n_bin,)
        Photons at one position.
    delay_ns : ndarray of float64, shape (n_bin,)
        Centres of the bins.
    live_s : float
        Time counted.
    repetition_rate_hz, dead_time_ns : float
        For the live fraction of the detection.
    window_ns : float
        How much of the decay after the pulse is used, as one exponential.

    Raises
    ------
    FitError
        No pulse stands out, or it does not lie within the delays.
    """
    width_ns = float(np.diff(delay_ns).mean())
    rows, n_pulses = counts[None, :], np.array([live_s * repetition_rate_hz])
    level = np.array([float(np.quantile(counts, 0.05))])
    live = live_fraction(rows, width_ns, n_pulses, 1e9 / repetition_rate_hz, dead_time_ns, level)[0]
    fit = fit_decay(counts, delay_ns, live, window_ns)
    inside = np.searchsorted(delay_ns, fit.delay_ns)
    generator = np.random.default_rng(0)
    drawn = [fit_decay(generator.poisson(fit.model), fit.delay_ns, live[inside], window_ns) for _ in range(N_DRAWS)]
    t0_error_ns, fwhm_error_ns = np.std([(each.t0_ns, each.response_fwhm_ns) for each in drawn], axis=0, ddof=1)
    return EdgeFit(
        t0_ns=fit.t0_ns,
        t0_error_ns=float(t0_error_ns),
        response_fwhm_ns=fit.response_fwhm_ns,
        response_fwhm_error_ns=float(fwhm_error_ns),
        lifetime_ns=fit.lifetime_ns,
        delay_ns=fit.delay_ns,
        counts=fit.counts,
        model=fit.model,
    )


def fit_focus(z_nm: FloatArray, variance_nm2: FloatArray, error_nm2: FloatArray) -> FocusFit:
    """Fit the parabola that the variance of a Gaussian beam follows with height.

    Parameters
    ----------
    z_nm, variance_nm2, error_nm2 : ndarray of float64, shape (n_height,)
        Height of the stage, variance of the spot there, and its standard error.

    Raises
    ------
    FitError
        The spot is narrowest at an end of the range, or its width does not change.

    Examples
    --------
    >>> z_nm = np.linspace(-2000.0, 2000.0, 9)
    >>> focus = fit_focus(z_nm, 250.0**2 * (1 + ((z_nm - 300.0) / 800.0) ** 2), np.full(9, 100.0))
    >>> round(focus.z_nm), round(focus.sigma_nm), round(focus.depth_nm)
    (300, 250, 800)
    """
    middle_nm, scale_nm = float(z_nm.mean()), float(np.ptp(z_nm)) / 2.0
    design = np.vander((z_nm - middle_nm) / scale_nm, 3, increasing=True) / error_nm2[:, None]
    covariance = np.linalg.inv(design.T @ design)
    level, slope, curvature = covariance @ design.T @ (variance_nm2 / error_nm2)
    place = -0.5 * slope / curvature
    low_nm, high_nm = float(z_nm.min()), float(z_nm.max())
    smallest_nm2 = level + 0.5 * slope * place
    if curvature < SIGNIFICANCE * math.sqrt(covariance[2, 2]) or not -1.0 < place < 1.0 or smallest_nm2 <= 0.0:
        best_nm = float(z_nm[np.argmin(variance_nm2)])
        raise FitError(
            f"no focus between {low_nm:.0f} and {high_nm:.0f} nm: the narrowest spot was seen at {best_nm:.0f} nm. "
            "Move the stage there and look again, or give a larger half_range."
        )
    gradient = np.array([0.0, -0.5 / curvature, 0.5 * slope / curvature**2])
    return FocusFit(
        z_nm=float(middle_nm + scale_nm * place),
        z_error_nm=float(scale_nm * math.sqrt(gradient @ covariance @ gradient)),
        sigma_nm=math.sqrt(smallest_nm2),
        depth_nm=float(scale_nm * math.sqrt(smallest_nm2 / curvature)),
    )


def fit_steps(stage_nm: FloatArray, image_nm: FloatArray) -> StepFit:
    """Fit how far the image moves, along each of its axes, when the stage moves.

    Parameters
    ----------
    stage_nm, image_nm : ndarray of float64, shape (n_place, 2)
        x and y of stage and image in nm, the image converted with the magnification that is assumed.

    Returns
    -------
    StepFit
        Ratios above one mean that the true magnification is larger than the one assumed. Errors are from the scatter.

    Raises
    ------
    FitError
        The image does not follow the stage, or moves against it.
    """
    design = np.column_stack([np.ones(len(stage_nm)), stage_nm - stage_nm.mean(axis=0)])
    solution, *_ = np.linalg.lstsq(design, image_nm)
    matrix = solution[1:].T
    free = max(len(stage_nm) - 3, 1)
    scatter_nm2 = ((image_nm - design @ solution) ** 2).sum(axis=0) / free
    inverse = np.linalg.inv(design.T @ design)[1:, 1:]
    ratios = np.hypot(matrix[:, 0], matrix[:, 1])
    if np.any(ratios < 0.5):
        raise FitError(
            f"the image moves by {ratios[0]:.3f} and {ratios[1]:.3f} of the stage's way along x and y. A film's image "
            "stays where the laser is: take an isolated emitter under even illumination, and check the stage."
        )
    if matrix[0, 0] < 0 or matrix[1, 1] < 0:
        axes = " and ".join(axis for axis, along in zip("xy", np.diag(matrix), strict=True) if along < 0)
        raise FitError(
            f"along {axes} the image moves against the stage. Check `direction` of the detector's axes in the rig file."
        )
    errors = [math.sqrt(scatter_nm2[i] * (matrix[i] @ inverse @ matrix[i])) / ratios[i] for i in range(2)]
    rotation = math.atan2(matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1])
    return StepFit(float(ratios[0]), errors[0], float(ratios[1]), errors[1], math.degrees(rotation))

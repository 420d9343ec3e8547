"""How far a diffusivity may be shifted: the known contributions to its systematic error.

The sizes of the effects are those found on synthetic scans of known diffusivity (Gaussian spot, 101 nm
pixel, 80 ps response, exponential then power-law decay), or follow from geometry; they are orders of
magnitude for other samples. Annihilation cannot be seen in one scan and is not in the budget: a series
over the power shows it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tplm_daq.analysis.result import BiasTerm, Figure

PILE_UP_BIAS_CM2_S = 0.018
"""Bias of D per blind fraction, uncorrected, at small D: +9 % of 0.01 cm2/s at 5 %."""

PILE_UP_BIAS_RELATIVE = 0.28
"""The same, part proportional to D: together +3 % of 0.05 and +2 % of 0.15 cm2/s at 5 %."""

WRAPPED_TAIL_BIAS_CM2_S = 0.022
"""Bias of D left after modelling, per height of the wrapped tail relative to the peak: 0.0002 at 40 MHz."""

TIME_AXIS_BIAS_RELATIVE = 2e-4
"""Bias of D left by the time axis when t0 or the response are wrong by up to 50 ps."""

DEAD_TIME_ERROR = 0.1
"""Part of the pile-up bias that is left after the correction: dead times are known to about this."""

CLEAR_GAIN = 2.0
"""Difference of two logarithms of the likelihood from which the counts are said to tell."""

CLEAR_CHANGE_SD = 3.5
"""Significance from which the diffusivity is said to change within the window."""


@dataclass(frozen=True)
class Circumstances:
    """What the size of a bias depends on.

    Attributes
    ----------
    method : str
        Estimator used.
    diffusivity_cm2_s, standard_error_cm2_s : float
        Its answer.
    half_interval_cm2_s : float
        Half width of its 95 % interval.
    magnification_error : float
        Relative standard error of the magnification.
    ellipticity : float
        By how much the axes of the spot may differ, at 45 degrees to a line; 0 on a map, where it is fitted.
    relative_drift : float
        Drift of the spot during the scan relative to the range.
    shape_doubt_cm2_s : float
        How much the answer depends on the spot's shape.
    shape_reason : str
        Why another shape than a Gaussian was taken; empty if none was.
    blind_fraction : float or None
        Greatest fraction of pulses for which the detection was blind, None if not known.
    is_dead_time_corrected, has_prepulse : bool
        Whether dead time is in the model, and whether there are delays before the pulse.
    dead_time_gain : float or None
        By how much the log-likelihood is greater with the assumed dead time than without; None if not compared.
    dead_time_doubt_cm2_s : float
        How much the answer depends on that.
    wrapped_ratio : float
        Height of the wrapped tail relative to the peak.
    window_ns : float
        Length of the fit window.
    decay_break : Figure or None
        Where the decay turns from an exponential into a power law, if it is seen.
    change : Figure or None
        Diffusivity in the later half of the window less that in the earlier one, in cm2/s.
    change_sd : float
        Its significance in standard errors.
    n_photons, n_positions : int
        Counts in the window, and positions.
    reach_sigma : float
        Distance of the nearer end of the scan from the centre, in standard deviations of the spot at the end of
        the window.
    misfit_sd : float or None
        Standard deviations of chi-square above its mean.
    """

    method: str
    diffusivity_cm2_s: float
    standard_error_cm2_s: float
    half_interval_cm2_s: float
    magnification_error: float
    ellipticity: float
    relative_drift: float
    shape_doubt_cm2_s: float
    shape_reason: str
    blind_fraction: float | None
    is_dead_time_corrected: bool
    dead_time_gain: float | None
    dead_time_doubt_cm2_s: float
    has_prepulse: bool
    wrapped_ratio: float
    window_ns: float
    decay_break: Figure | None
    change: Figure | None
    change_sd: float
    n_photons: int
    n_positions: int
    reach_sigma: float
    misfit_sd: float | None


def bias_budget(seen: Circumstances) -> tuple[BiasTerm, ...]:
    """Return the known contributions to the systematic error.

    Parameters
    ----------
    seen : Circumstances
        The scan and its fit.

    Returns
    -------
    tuple of BiasTerm
        Standard errors in cm2/s, to be added in quadrature.
    """
    calibration = BiasTerm("magnification", 2.0 * seen.magnification_error * abs(seen.diffusivity_cm2_s))
    return (calibration, *expected_biases(seen))


def expected_biases(seen: Circumstances) -> list[BiasTerm]:
    """Return what may shift this run beyond the calibration of the microscope, in cm2/s."""
    diffusivity = abs(seen.diffusivity_cm2_s)
    terms = [BiasTerm("time axis: t0 and response", TIME_AXIS_BIAS_RELATIVE * diffusivity)]
    if seen.blind_fraction is not None:
        pile_up = pile_up_bias_cm2_s(seen.blind_fraction, diffusivity)
        left = DEAD_TIME_ERROR if seen.is_dead_time_corrected else 1.0
        if seen.dead_time_gain is None or seen.dead_time_gain > -CLEAR_GAIN:
            terms.append(BiasTerm(f"pile-up, {'' if seen.is_dead_time_corrected else 'not '}corrected", left * pile_up))
        if seen.dead_time_gain is not None and abs(seen.dead_time_gain) > CLEAR_GAIN:
            terms.append(BiasTerm("whether there is pile-up", seen.dead_time_doubt_cm2_s))
    if seen.wrapped_ratio > 0:
        terms.append(BiasTerm("tail of earlier pulses", WRAPPED_TAIL_BIAS_CM2_S * seen.wrapped_ratio))
    if seen.ellipticity > 0:
        terms.append(BiasTerm("elliptical spot", ellipse_bias(seen.ellipticity) * diffusivity))
    if seen.relative_drift > 0:
        terms.append(BiasTerm("drift during the scan", 2.0 * seen.relative_drift * diffusivity))
    if seen.shape_doubt_cm2_s > 0:
        terms.append(BiasTerm("shape of the spot", seen.shape_doubt_cm2_s))
    if seen.change is not None and abs(seen.change_sd) > CLEAR_CHANGE_SD:
        terms.append(BiasTerm("change within the window", 0.5 * abs(seen.change.value)))
    return terms


def pile_up_bias_cm2_s(blind_fraction: float, diffusivity_cm2_s: float) -> float:
    """Return the bias of D that pile-up causes if it is not corrected, in cm2/s.

    Examples
    --------
    >>> round(pile_up_bias_cm2_s(0.05, 0.05), 4)
    0.0016
    """
    return blind_fraction * (PILE_UP_BIAS_CM2_S + PILE_UP_BIAS_RELATIVE * abs(diffusivity_cm2_s))


def ellipse_bias(ellipticity: float) -> float:
    """Return the relative bias of D on a line at 45 degrees to the axes of a spot: Sxy^2 / (Sxx Syy).

    Parameters
    ----------
    ellipticity : float
        Excess of the long axis over the short one.

    Examples
    --------
    >>> round(ellipse_bias(0.2), 4)
    0.0325
    """
    squared = (1.0 + ellipticity) ** 2
    return ((squared - 1.0) / (squared + 1.0)) ** 2


def in_quadrature(terms: tuple[BiasTerm, ...]) -> float:
    """Return the root of the sum of squares, in cm2/s.

    Examples
    --------
    >>> in_quadrature((BiasTerm("a", 3.0), BiasTerm("b", 4.0)))
    5.0
    """
    return float(np.sqrt(sum(term.error_cm2_s**2 for term in terms)))

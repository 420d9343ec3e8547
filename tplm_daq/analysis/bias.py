"""How far a diffusivity can be trusted: systematic error, warnings, and one lamp.

The sizes of the effects are those found on synthetic scans of known diffusivity (Gaussian spot, 101 nm
pixel, 80 ps response, exponential then power-law decay); they are orders of magnitude for other
samples. What cannot be seen in a line scan (annihilation, an elliptical spot at 45 degrees to the line,
drift during a pass) is not in the budget.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tplm_daq.analysis.result import BiasTerm, Lamp

PILE_UP_BIAS_CM2_S = 0.018
"""Bias of D per blind fraction, uncorrected, at small D: +9 % of 0.01 cm2/s at 5 %."""

PILE_UP_BIAS_RELATIVE = 0.28
"""The same, part proportional to D: together +3 % of 0.05 and +2 % of 0.15 cm2/s at 5 %."""

WRAPPED_TAIL_BIAS_CM2_S = 0.022
"""Bias of D left after modelling, per height of the wrapped tail relative to the peak: 0.0002 at 40 MHz."""

TIME_AXIS_BIAS_RELATIVE = 2e-4
"""Bias of D left by the time axis when t0 or the response are wrong by up to 50 ps."""

LONGEST_SAFE_WINDOW_NS = 3.0
"""Later the spreading is sublinear (Science Advances 10, eadj2630 (2024))."""

POOR_FIT_SD = 5.0
BAD_FIT_SD = 30.0
"""Standard deviations of chi-square above its mean at which the lamp turns amber, and red."""

NOTICEABLE_BLIND_FRACTION = 1e-3
LARGE_BLIND_FRACTION = 0.05
NOTICEABLE_WRAPPED_TAIL = 1e-3
FEWEST_PHOTONS = 1000
FEWEST_GOOD_POSITIONS = 7
SAFE_REACH_SIGMA = 2.0


@dataclass(frozen=True)
class Circumstances:
    """What the size of a bias depends on.

    Attributes
    ----------
    method : str
        Estimator used.
    diffusivity_cm2_s, standard_error_cm2_s : float
        Its answer.
    magnification_error : float
        Relative standard error of the magnification.
    blind_fraction : float or None
        Greatest fraction of pulses for which the detection was blind, None if not known.
    is_dead_time_corrected, has_prepulse : bool
        Whether dead time is in the model, and whether there are delays before the pulse.
    wrapped_ratio : float
        Height of the wrapped tail relative to the peak.
    window_ns : float
        Length of the fit window.
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
    magnification_error: float
    blind_fraction: float | None
    is_dead_time_corrected: bool
    has_prepulse: bool
    wrapped_ratio: float
    window_ns: float
    n_photons: int
    n_positions: int
    reach_sigma: float
    misfit_sd: float | None


@dataclass(frozen=True)
class Reason:
    """Why a lamp is not green."""

    lamp: Lamp
    text: str


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
    diffusivity = abs(seen.diffusivity_cm2_s)
    terms = [
        BiasTerm("magnification", 2.0 * seen.magnification_error * diffusivity),
        BiasTerm("time axis", TIME_AXIS_BIAS_RELATIVE * diffusivity),
    ]
    if seen.blind_fraction is not None and not seen.is_dead_time_corrected:
        pile_up = seen.blind_fraction * (PILE_UP_BIAS_CM2_S + PILE_UP_BIAS_RELATIVE * diffusivity)
        terms.append(BiasTerm("pile-up, not corrected", pile_up))
    if seen.wrapped_ratio > 0:
        terms.append(BiasTerm("tail of earlier pulses", WRAPPED_TAIL_BIAS_CM2_S * seen.wrapped_ratio))
    return tuple(terms)


def in_quadrature(terms: tuple[BiasTerm, ...]) -> float:
    """Return the root of the sum of squares, in cm2/s.

    Examples
    --------
    >>> in_quadrature((BiasTerm("a", 3.0), BiasTerm("b", 4.0)))
    5.0
    """
    return float(np.sqrt(sum(term.error_cm2_s**2 for term in terms)))


def reasons(seen: Circumstances) -> list[Reason]:
    """Return everything that keeps the lamp from being green, worst first."""
    found = [*_light_reasons(seen), *_scan_reasons(seen), *_fit_reasons(seen)]
    return sorted(found, key=lambda reason: reason.lamp != "red")


def lamp(found: list[Reason]) -> Lamp:
    """Return the colour of the worst reason, green if there is none.

    Examples
    --------
    >>> lamp([]), lamp([Reason("amber", "few photons")])
    ('green', 'amber')
    """
    colours = {reason.lamp for reason in found}
    return "red" if "red" in colours else "amber" if "amber" in colours else "green"


def _light_reasons(seen: Circumstances) -> list[Reason]:
    found = []
    blind = seen.blind_fraction
    if blind is None:
        found.append(Reason("amber", "Pile-up is not known: the map has no dwell or no repetition rate."))
    elif not seen.is_dead_time_corrected and blind > NOTICEABLE_BLIND_FRACTION:
        why = "the method paper does not" if seen.method == "paper" else "dead_time_ns is not given"
        found.append(Reason("amber", f"Pile-up of {100 * blind:.2g} % is not corrected: {why}."))
    elif blind > LARGE_BLIND_FRACTION:
        found.append(
            Reason(
                "amber",
                f"The detection was blind for {100 * blind:.2g} % of the pulses; above "
                f"{100 * LARGE_BLIND_FRACTION:.0f} % the correction relies on an exact dead time. Attenuate the light.",
            )
        )
    if not seen.has_prepulse:
        found.append(Reason("amber", "No delays before the pulse: the background rests on the outer positions alone."))
    if seen.wrapped_ratio > NOTICEABLE_WRAPPED_TAIL:
        found.append(
            Reason(
                "amber",
                f"The tail of earlier pulses is {100 * seen.wrapped_ratio:.2g} % of the peak; a lower repetition rate "
                "avoids it.",
            )
        )
    if seen.n_photons < FEWEST_PHOTONS:
        found.append(Reason("amber", f"Only {seen.n_photons} photons in the window; {FEWEST_PHOTONS} is little."))
    return found


def _scan_reasons(seen: Circumstances) -> list[Reason]:
    found = []
    if seen.reach_sigma < SAFE_REACH_SIGMA:
        found.append(
            Reason(
                "amber" if seen.reach_sigma > 0.5 * SAFE_REACH_SIGMA else "red",
                f"The scan ends {seen.reach_sigma:.2g} standard deviations of the spot from its centre; measure "
                f"{SAFE_REACH_SIGMA:g} on both sides.",
            )
        )
    if seen.n_positions < FEWEST_GOOD_POSITIONS:
        found.append(Reason("amber", f"{seen.n_positions} positions cannot show whether the spot is Gaussian."))
    return found


def _fit_reasons(seen: Circumstances) -> list[Reason]:
    found = []
    if seen.method == "paper":
        found.append(Reason("amber", "The 95 % interval of the method paper is not calibrated: it is far too narrow."))
    if seen.window_ns > LONGEST_SAFE_WINDOW_NS:
        found.append(
            Reason(
                "amber",
                f"The window of {seen.window_ns:g} ns is longer than {LONGEST_SAFE_WINDOW_NS:g} ns; later the "
                "spreading may be sublinear and D too low.",
            )
        )
    if seen.misfit_sd is not None and seen.misfit_sd > POOR_FIT_SD:
        found.append(
            Reason(
                "amber" if seen.misfit_sd < BAD_FIT_SD else "red",
                f"The model misses the counts by {seen.misfit_sd:.1f} standard deviations of chi-square: the spot is "
                "not Gaussian, moved, or changed during the scan.",
            )
        )
    if seen.diffusivity_cm2_s < -3.0 * seen.standard_error_cm2_s:
        found.append(Reason("red", "The diffusivity is negative beyond its error: the spot shrinks. Check for drift."))
    elif seen.diffusivity_cm2_s < 2.0 * seen.standard_error_cm2_s:
        found.append(Reason("amber", "The diffusivity does not differ from zero; read the interval as a limit."))
    return found

"""How far a result can be trusted, as one lamp with its reasons.

Red where the bias to expect is larger than the statistical interval, or where the fit means nothing;
amber where something should be known before the number is used.
"""

from __future__ import annotations

from dataclasses import dataclass

from tplm_daq.analysis.bias import CLEAR_CHANGE_SD, CLEAR_GAIN, Circumstances, expected_biases
from tplm_daq.analysis.pile_up import USUAL_DEAD_TIME_NS
from tplm_daq.analysis.result import Lamp

LONGEST_SAFE_WINDOW_NS = 3.0
"""Later the spreading is sublinear (Science Advances 10, eadj2630 (2024))."""

BREAK_MARGIN_NS = 0.5
"""The window may end this long after the break in the decay."""

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
class Reason:
    """Why a lamp is not green."""

    lamp: Lamp
    text: str


def reasons(seen: Circumstances) -> list[Reason]:
    """Return everything that keeps the lamp from being green, worst first."""
    found = [*_bias_reasons(seen), *_light_reasons(seen), *_scan_reasons(seen), *_shape_reasons(seen)]
    found += [*_window_reasons(seen), *_answer_reasons(seen)]
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
    elif seen.dead_time_gain is not None:
        found.append(Reason("amber", _verdict(seen.dead_time_gain, blind)))
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


def _verdict(gain: float, blind: float) -> str:
    """Return what was made of a dead time that is not given, and by how much the counts prefer that."""
    if abs(gain) <= CLEAR_GAIN:
        return (
            f"Pile-up of {100 * blind:.2g} % is not corrected: dead_time_ns is not given, and the counts do not show "
            "whether there was any."
        )
    if gain < 0.0:
        return (
            f"{100 * blind:.2g} % of the pulses gave a count and dead_time_ns is not given; the counts are likelier "
            f"without pile-up (by {-gain:.1f} in the logarithm), so none is corrected."
        )
    return (
        f"dead_time_ns is not given; the usual {USUAL_DEAD_TIME_NS:g} ns are assumed for the pile-up of "
        f"{100 * blind:.2g} %: that makes the counts likelier (by {gain:.1f} in the logarithm)."
    )


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


def _bias_reasons(seen: Circumstances) -> list[Reason]:
    """Name the bias that is larger than the statistical interval, if there is one."""
    worst = max(expected_biases(seen), key=lambda term: term.error_cm2_s)
    if worst.error_cm2_s <= seen.half_interval_cm2_s or seen.method == "paper":
        return []
    return [
        Reason(
            "red",
            f"The bias to expect from one cause ({worst.name}: {worst.error_cm2_s:.2g} cm2/s) is larger than the "
            f"interval (+-{seen.half_interval_cm2_s:.2g} cm2/s).",
        )
    ]


def _shape_reasons(seen: Circumstances) -> list[Reason]:
    found = []
    if seen.shape_reason:
        found.append(Reason("amber", seen.shape_reason))
    if seen.misfit_sd is not None and seen.misfit_sd > POOR_FIT_SD:
        found.append(
            Reason(
                "amber" if seen.misfit_sd < BAD_FIT_SD else "red",
                f"The model misses the counts by {seen.misfit_sd:.1f} standard deviations of chi-square: the spot is "
                "not Gaussian, moved, or changed during the scan.",
            )
        )
    return found


def _window_reasons(seen: Circumstances) -> list[Reason]:
    found = []
    limit_ns, why = LONGEST_SAFE_WINDOW_NS, "later the spreading may be sublinear"
    if seen.decay_break is not None and seen.decay_break.ci95[1] > limit_ns:
        limit_ns, why = seen.decay_break.ci95[1], "there the decay turns into a power law"
    if seen.window_ns > limit_ns:
        found.append(
            Reason(
                "amber", f"The window of {seen.window_ns:g} ns is longer than {limit_ns:.3g} ns; {why} and D too low."
            )
        )
    elif seen.decay_break is not None and seen.window_ns > seen.decay_break.ci95[1] + BREAK_MARGIN_NS:
        found.append(
            Reason(
                "amber",
                f"The decay turns into a power law at {seen.decay_break.value:.2g} ns, within the window of "
                f"{seen.window_ns:g} ns; shorten the window.",
            )
        )
    if seen.change is not None and abs(seen.change_sd) > CLEAR_CHANGE_SD:
        found.append(
            Reason(
                "amber",
                f"D is not constant in the window: it {'rises' if seen.change_sd > 0 else 'falls'} by "
                f"{abs(seen.change.value):.2g} cm2/s in its later half ({abs(seen.change_sd):.1f} standard errors).",
            )
        )
    return found


def _answer_reasons(seen: Circumstances) -> list[Reason]:
    found = []
    if seen.method == "paper":
        found.append(Reason("amber", "The 95 % interval of the method paper is not calibrated: it is far too narrow."))
    if seen.diffusivity_cm2_s < -3.0 * seen.standard_error_cm2_s:
        found.append(Reason("red", "The diffusivity is negative beyond its error: the spot shrinks. Check for drift."))
    elif seen.diffusivity_cm2_s < 2.0 * seen.standard_error_cm2_s:
        found.append(Reason("amber", "The diffusivity does not differ from zero; read the interval as a limit."))
    return found

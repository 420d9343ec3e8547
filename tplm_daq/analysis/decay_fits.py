"""Laws fitted to the decay of the photoluminescence: Poisson likelihood, response, earlier pulses, intervals.

One decay (counts summed over the positions, or of one position) is fitted over a span of ages together with
the level before the pulse; light of earlier pulses and a flat level are part of the model. Where the pulse
is and how wide the response is are fitted too, unless given. `tplm_daq.analysis.decay` finds them for the
time axis of the diffusivity; the fits here are about the decay itself: the lifetime over 0 to 3 ns, the
power law over 3 to 20 ns, and both joined (Science Advances 10, eadj2630 (2024)).

As the spot spreads, light leaves a line scan sideways and a single position either way; for the sum over
positions `collected` corrects that, at a single position the decay is that of the light found there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.decay import RISE_MARGIN_NS, fit_decay
from tplm_daq.analysis.decay_laws import JOINED, POWER_LAW, DecayLaw
from tplm_daq.analysis.decay_likelihood import FEWEST_BINS, LawFit, decay_problem, solve
from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

PROMPT_SPAN_NS = (-RISE_MARGIN_NS, 3.0)
TAIL_SPAN_NS = (3.0, 20.0)
WHOLE_SPAN_NS = (-RISE_MARGIN_NS, 20.0)
"""Ages over which the exponential, the power law and both are fitted (Science Advances 10, eadj2630 (2024))."""

YOUNGEST_TAIL_NS = 0.5
"""A power law alone can be fitted from this age on."""


@dataclass(frozen=True)
class PositionFits:
    """One law fitted at every position.

    Attributes
    ----------
    law : str
        Name of the law.
    parameters : tuple of str
        As in `LawFit`.
    values, errors : ndarray of float64, shape (n_position, n_parameter)
        NaN where the fit failed.
    failures : dict of int to str
        Positions that could not be fitted, with the reason.
    summed : LawFit
        Fit to the sum of all positions, whose pulse and response are held at every position.
    """

    law: str
    parameters: tuple[str, ...]
    values: FloatArray
    errors: FloatArray
    failures: dict[int, str]
    summed: LawFit


def fit_law(
    counts: NDArray[np.integer] | FloatArray,
    delay_ns: FloatArray,
    law: DecayLaw = JOINED,
    span_ns: tuple[float, float] = WHOLE_SPAN_NS,
    *,
    live: FloatArray | None = None,
    collected: FloatArray | None = None,
    t0_ns: float | None = None,
    response_fwhm_ns: float | None = None,
    repetition_rate_hz: float | None = None,
) -> LawFit:
    """Fit a law to a decay with the Poisson likelihood.

    Parameters
    ----------
    counts : ndarray, shape (n_bin,)
        Decay as recorded.
    delay_ns : ndarray of float64, shape (n_bin,)
        Centres of equally wide bins, in ns.
    law : DecayLaw
        Law of the decay.
    span_ns : tuple of float
        Ages that are fitted, in ns. If the span begins after the pulse, the level before the pulse is fitted too,
        and pulse and response are held at what an exponential over the first 3 ns gives.
    live : ndarray of float64, shape (n_bin,), optional
        Live fraction of the detection.
    collected : ndarray of float64, shape (n_bin,), optional
        Relative part of the light that is collected at each delay, for a sum over positions as of
        `tplm_daq.analysis.models.collected_light`.
    t0_ns, response_fwhm_ns : float, optional
        Known centre of the pulse and width of the response; held if given.
    repetition_rate_hz : float, optional
        Counts the light of earlier pulses if given.

    Returns
    -------
    LawFit
        Estimates, errors and the curve.

    Raises
    ------
    FitError
        If there is no pulse, the span is not within the delays, or the counts do not determine the parameters.
    """
    _check(counts, delay_ns, span_ns, repetition_rate_hz)
    _check_shares(len(counts), live=live, collected=collected)
    if law is POWER_LAW and span_ns[0] < YOUNGEST_TAIL_NS:
        raise FitError(f"A power law has no beginning; fit it from {YOUNGEST_TAIL_NS:g} ns on, not {span_ns[0]:g} ns.")
    ready = np.ones(len(delay_ns)) if live is None else live
    rough = fit_decay(counts, delay_ns, ready, PROMPT_SPAN_NS[1], t0_ns, response_fwhm_ns, collected)
    problem = decay_problem(delay_ns, ready, collected, law, span_ns, rough.t0_ns, rough.sigma_ns, repetition_rate_hz)
    start = np.array([rough.t0_ns, rough.sigma_ns, *law.start(rough.lifetime_ns)])
    is_placed = not problem.is_tail
    return solve(problem, counts, start, is_placed and t0_ns is None, is_placed and response_fwhm_ns is None)


def fit_law_per_position(
    counts: NDArray[np.integer] | FloatArray,
    delay_ns: FloatArray,
    law: DecayLaw = JOINED,
    span_ns: tuple[float, float] = WHOLE_SPAN_NS,
    *,
    live: FloatArray | None = None,
    t0_ns: float | None = None,
    response_fwhm_ns: float | None = None,
    repetition_rate_hz: float | None = None,
) -> PositionFits:
    """Fit a law to the sum of all positions, then to each position with pulse and response held.

    Parameters
    ----------
    counts : ndarray, shape (n_position, n_bin)
        Decays as recorded.
    live : ndarray of float64, shape (n_position, n_bin), optional
        Live fraction of the detection.
    delay_ns, law, span_ns, t0_ns, response_fwhm_ns, repetition_rate_hz
        As for `fit_law`.

    Returns
    -------
    PositionFits
        Estimates and errors per position, and the fit to the sum.

    Raises
    ------
    FitError
        If the sum cannot be fitted; a position that cannot is listed in the result.
    """
    if counts.ndim != 2:
        raise FitError(f"counts must have the shape (n_position, n_bin), not {counts.shape}.")
    ready = np.ones(counts.shape) if live is None else live
    if ready.shape != counts.shape or not np.all((ready > 0) & (ready <= 1)):
        raise FitError("live must be one fraction above 0 and at most 1 per position and bin.")
    if not (np.all(np.isfinite(counts)) and np.all(counts >= 0)):
        raise FitError("counts must be finite and not negative; pass them as recorded, without background subtracted.")
    total = counts.sum(axis=0)
    summed_live = np.divide((counts * ready).sum(axis=0), total, out=ready.mean(axis=0), where=total > 0)
    summed = fit_law(
        total,
        delay_ns,
        law,
        span_ns,
        live=summed_live,
        t0_ns=t0_ns,
        response_fwhm_ns=response_fwhm_ns,
        repetition_rate_hz=repetition_rate_hz,
    )
    start = summed.values[:-2]
    values = np.full((len(counts), len(summed.parameters)), np.nan)
    errors, failures = np.full_like(values, np.nan), dict[int, str]()
    for position, (own, own_live) in enumerate(zip(counts, ready, strict=True)):
        problem = decay_problem(delay_ns, own_live, None, law, span_ns, start[0], start[1], repetition_rate_hz)
        try:
            fit = solve(problem, own, start, is_t0_free=False, is_response_free=False)
        except FitError as exc:
            failures[position] = str(exc)
            continue
        if fit.at_limit:
            failures[position] = f"{' and '.join(fit.at_limit)} cannot be told from {fit.counts.sum():.0f} counts."
            continue
        values[position], errors[position] = fit.values, fit.errors
    return PositionFits(law.name, summed.parameters, values, errors, failures, summed)


def _check(
    counts: NDArray[np.integer] | FloatArray,
    delay_ns: FloatArray,
    span_ns: tuple[float, float],
    repetition_rate_hz: float | None,
) -> None:
    if counts.ndim != 1 or len(counts) != len(delay_ns):
        raise FitError(f"counts {counts.shape} and delay_ns {delay_ns.shape} must be one number per bin.")
    if not (np.all(np.isfinite(counts)) and np.all(counts >= 0)):
        raise FitError("counts must be finite and not negative; pass them as recorded, without background subtracted.")
    steps_ns = np.diff(delay_ns)
    if len(delay_ns) < FEWEST_BINS or not np.all(steps_ns > 0) or np.ptp(steps_ns) > 0.01 * steps_ns.mean():
        raise FitError(f"delay_ns must be at least {FEWEST_BINS} ascending, equally spaced bin centres.")
    if not span_ns[0] < span_ns[1]:
        raise FitError(f"The span must ascend, but goes from {span_ns[0]:g} to {span_ns[1]:g} ns.")
    if repetition_rate_hz is not None:
        period_ns = 1e9 / repetition_rate_hz if repetition_rate_hz > 0 else 0.0
        if delay_ns[-1] - delay_ns[0] > period_ns:
            raise FitError(
                f"The delays span {delay_ns[-1] - delay_ns[0]:g} ns, more than the {period_ns:g} ns between pulses. "
                "Check repetition_rate_hz."
            )


def _check_shares(n_bin: int, **shares: FloatArray | None) -> None:
    for name, share in shares.items():
        if share is not None and (share.shape != (n_bin,) or not np.all((share > 0) & (share <= 1))):
            raise FitError(f"{name} must be one fraction above 0 and at most 1 per bin.")

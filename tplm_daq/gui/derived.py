"""What the live view shows beside the fit of D: two laws for the decay, and the residuals of the spot.

Worked out in a thread of its own, at its leisure, from copies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.decay_fits import PROMPT_SPAN_NS, TAIL_SPAN_NS, fit_law
from tplm_daq.analysis.decay_laws import EXPONENTIAL, POWER_LAW, DecayLaw
from tplm_daq.analysis.decay_likelihood import LawFit
from tplm_daq.analysis.residuals import FittedCounts
from tplm_daq.analysis.result import Result
from tplm_daq.errors import FitError
from tplm_daq.gui.growing import GrownMap
from tplm_daq.report.numbers import value_with_error

FloatArray = NDArray[np.float64]

N_DECAY_POINTS = 160
"""Per decay curve drawn, evenly spaced on a logarithmic axis."""
YOUNGEST_NS = 0.02
"""Left end of the logarithmic axis."""
RESIDUAL_COLUMN_NS = 0.1
"""Residuals are of counts joined to about this, so that single photons do not look like structure."""


@dataclass(frozen=True)
class Curve:
    """A decay to be drawn.

    Attributes
    ----------
    age_ns : ndarray of float64, shape (n_point,)
        After the pulse, above zero.
    counts : ndarray of float64, shape (n_point,)
        Counts per recorded bin.
    label : str
        What it is, with its number and error if it is a fit.
    """

    age_ns: FloatArray
    counts: FloatArray
    label: str


@dataclass(frozen=True)
class Derived:
    """What follows from map and result.

    Attributes
    ----------
    decay : Curve
        As measured.
    laws : tuple of Curve
        Those that can be fitted yet.
    residuals : FittedCounts or None
        Counts and model at every position of the path in columns of `RESIDUAL_COLUMN_NS`; None without a fit.
    """

    decay: Curve
    laws: tuple[Curve, ...]
    residuals: FittedCounts | None


def derive(grown: GrownMap, result: Result | None, repetition_rate_hz: float) -> Derived:
    """Work out decay, laws and residuals.

    Parameters
    ----------
    grown : GrownMap
        What has been counted.
    result : Result or None
        Its pulse arrival sets the zero; without it the fullest bin does.
    repetition_rate_hz : float
        Of the laser.
    """
    delay_ns = np.asarray((np.arange(len(grown.decay)) + 0.5) * grown.bin_width_ns, dtype=np.float64)
    t0_ns = pulse_arrival_ns(grown, result)
    decay = _thinned(delay_ns - t0_ns, grown.decay.astype(np.float64), "measured")
    if result is None:
        return Derived(decay, (), None)
    fits = []
    for law, span_ns in ((EXPONENTIAL, PROMPT_SPAN_NS), (POWER_LAW, TAIL_SPAN_NS)):
        try:
            fit = fit_law(
                grown.decay,
                delay_ns,
                law,
                span_ns,
                response_fwhm_ns=result.response_fwhm_ns,
                repetition_rate_hz=repetition_rate_hz,
            )
        except FitError:
            continue
        if not fit.at_limit:
            fits.append(_law_curve(fit, law, span_ns))
    return Derived(decay, tuple(fits), result.fitted.joined(RESIDUAL_COLUMN_NS).placed(grown.x_nm, grown.y_nm))


def pulse_arrival_ns(grown: GrownMap, result: Result | None) -> float:
    """Return the delay at which the pulse arrives, in ns: as fitted, or that of the fullest bin."""
    return (int(np.argmax(grown.decay)) + 0.5) * grown.bin_width_ns if result is None else result.t0_ns


def _thinned(age_ns: FloatArray, values: FloatArray, label: str) -> Curve:
    """Average what falls between evenly spaced edges on a logarithmic axis."""
    edges = np.geomspace(YOUNGEST_NS, max(float(age_ns[-1]), 2 * YOUNGEST_NS), N_DECAY_POINTS + 1)
    place = np.searchsorted(edges, age_ns)
    inside = (place > 0) & (place < len(edges)) & np.isfinite(values)
    number = np.bincount(place[inside], minlength=len(edges))
    filled = number > 0
    means = [np.bincount(place[inside], each[inside], len(edges))[filled] / number[filled] for each in (age_ns, values)]
    return Curve(means[0], means[1], label)


def _law_curve(fit: LawFit, law: DecayLaw, span_ns: tuple[float, float]) -> Curve:
    """Return the fitted part of a law with its number in the label."""
    name, unit = ("lifetime_ns", " ns") if law is EXPONENTIAL else ("exponent", "")
    symbol = "τ" if law is EXPONENTIAL else "−exponent"
    text = f"{law.name}, {symbol} = {value_with_error(fit.value(name), fit.error(name))}{unit}"
    inside = (fit.age_ns >= span_ns[0]) & (fit.age_ns <= span_ns[1])
    return _thinned(fit.age_ns[inside], fit.model[inside], text)

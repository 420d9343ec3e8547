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
from tplm_daq.analysis.residual_map import residual_map
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
class Residuals:
    """Deviations from the fitted spot in standard deviations, float64 (n_position, n_column); ages in ns."""

    age_ns: FloatArray
    deviation: FloatArray


@dataclass(frozen=True)
class Derived:
    """What follows from map and result; `laws` lack what cannot be fitted yet, `residuals` are None for a raster."""

    decay: Curve
    laws: tuple[Curve, ...]
    residuals: Residuals | None


def derive(grown: GrownMap, result: Result | None, pixel_nm: float, repetition_rate_hz: float) -> Derived:
    """Work out decay, laws and residuals.

    Parameters
    ----------
    grown : GrownMap
        What has been counted.
    result : Result or None
        Its pulse arrival sets the zero; without it the fullest bin does.
    pixel_nm : float
        Width of the detector pixel along the line, in nm.
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
    is_line = grown.layout.axis != "xy"
    return Derived(decay, tuple(fits), _residuals(grown, result, t0_ns, pixel_nm) if is_line else None)


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


def _residuals(grown: GrownMap, result: Result, t0_ns: float, pixel_nm: float) -> Residuals:
    last_ns = t0_ns + float(np.nanmax(result.msd.age_ns))
    window = grown.columns(t0_ns, last_ns)
    n_join = max(1, round(RESIDUAL_COLUMN_NS / grown.column_ns))
    n_columns = max(1, (window.stop - window.start) // n_join)
    window = slice(
        window.start, window.start + n_columns * n_join if n_columns * n_join <= window.stop else window.stop
    )
    counts = grown.counts[:, window].reshape(len(grown.counts), n_columns, -1).sum(axis=2)
    age_ns = (grown.delay_ns[window] - t0_ns).reshape(n_columns, -1).mean(axis=1)
    level = result.background_counts_per_bin * counts_per_column(grown, (window.stop - window.start) / n_columns)
    return Residuals(age_ns, residual_map(counts, grown.along_nm, age_ns, grown.dwell_s, level, pixel_nm, result))


def counts_per_column(grown: GrownMap, n_columns: float) -> float:
    """Return how many recorded bins are in so many joined ones."""
    return n_columns * grown.column_ns / grown.bin_width_ns

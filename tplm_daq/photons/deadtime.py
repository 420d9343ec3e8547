"""Live fraction of a photon counter behind each laser pulse, and what dead time did to a histogram.

After a recorded photon the detection is blind for the dead time, and photons that arrive meanwhile do
not prolong it (non-paralysable). Two recorded photons are therefore never closer than the dead time,
so the probability of being blind at a delay *equals* the expected number of photons recorded in the
dead time before it, per pulse. This needs no iteration and no small-rate assumption, and holds
whether the dead time is shorter or longer than the laser period; the classical correction of Coates
(J. Phys. E 1, 878 (1968)) is its limit for one photon per period.

The expected number is taken from the histogram itself. It is the mean number of recorded counts that
is divided by the live fraction; a fit multiplies its model by it instead, which keeps Poisson counts
Poisson. Afterpulses are not treated.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def live_fraction(
    counts: NDArray[np.integer] | FloatArray,
    bin_width_ns: float,
    n_pulses: FloatArray,
    period_ns: float,
    dead_time_ns: float,
    gap_counts_per_bin: FloatArray,
) -> FloatArray:
    """Return the fraction of pulses after which the detection is ready, at each position and delay.

    Parameters
    ----------
    counts : ndarray, shape (n_position, n_bin)
        Recorded photons; the bins follow each other without gap and cover at most one period.
    bin_width_ns : float
        Width of a bin in ns.
    n_pulses : ndarray of float64, shape (n_position,)
        Laser pulses during which each position was measured.
    period_ns : float
        Time between two laser pulses in ns.
    dead_time_ns : float
        Time for which the detection is blind after a recorded photon, in ns.
    gap_counts_per_bin : ndarray of float64, shape (n_position,)
        Counts per bin assumed for the part of the period that the bins do not cover; the level
        before the pulse is the natural choice.

    Returns
    -------
    ndarray of float64, shape (n_position, n_bin)
        Live fraction averaged over each bin, between 0 and 1.

    Raises
    ------
    ValueError
        If the bins cover more than one period, a number of pulses is not positive, or the counts
        are more than the dead time allows.

    Examples
    --------
    One photon in every tenth pulse, all in the first of four bins, blind for the two bins after it:

    >>> live = live_fraction(np.array([[10, 0, 0, 0]]), 1.0, np.array([100.0]), 4.0, 2.0, np.zeros(1))
    >>> np.round(live, 3)
    array([[0.95, 0.9 , 0.95, 1.  ]])
    """
    n_bin = counts.shape[1]
    if n_bin * bin_width_ns > period_ns + 0.5 * bin_width_ns:
        raise ValueError(
            f"the delay bins cover {n_bin * bin_width_ns:g} ns, more than the laser period of {period_ns:g} ns; "
            "fold the histogram into one period first"
        )
    if not np.all(n_pulses > 0):
        raise ValueError("every position needs a positive number of laser pulses; leave out positions with no dwell")
    cumulative = _cumulative_per_pulse(counts, bin_width_ns, n_pulses, period_ns, gap_counts_per_bin)
    edges_ns = bin_width_ns * np.arange(n_bin + 1)
    blind_at_edge = cumulative[:, :-1] - _periodic(cumulative, edges_ns - dead_time_ns, bin_width_ns, period_ns)
    live = 1.0 - 0.5 * (blind_at_edge[:, 1:] + blind_at_edge[:, :-1])
    if live.min() <= 0.0:
        raise ValueError(
            f"{1.0 - live.min():.3g} recorded photons per {dead_time_ns:g} ns dead time are more than the one that is "
            "possible; check dwell, repetition rate and dead time"
        )
    return live


def _cumulative_per_pulse(
    counts: NDArray[np.integer] | FloatArray,
    bin_width_ns: float,
    n_pulses: FloatArray,
    period_ns: float,
    gap_counts_per_bin: FloatArray,
) -> FloatArray:
    """Return photons per pulse recorded before each bin edge, and before the period's end as last column."""
    n_position, n_bin = counts.shape
    cumulative = np.zeros((n_position, n_bin + 2))
    np.cumsum(counts, axis=1, out=cumulative[:, 1:-1])
    n_gap_bins = max(period_ns / bin_width_ns - n_bin, 0.0)
    cumulative[:, -1] = cumulative[:, -2] + n_gap_bins * gap_counts_per_bin
    cumulative /= n_pulses[:, None]
    return cumulative


def _periodic(cumulative: FloatArray, time_ns: FloatArray, bin_width_ns: float, period_ns: float) -> FloatArray:
    """Evaluate the cumulative number of photons at any time, continued over earlier and later periods."""
    n_bin = cumulative.shape[1] - 2
    n_periods, within_ns = np.divmod(time_ns, period_ns)
    knots_ns = np.append(bin_width_ns * np.arange(n_bin + 1), max(period_ns, n_bin * bin_width_ns))
    left = np.clip(np.searchsorted(knots_ns, within_ns, side="right") - 1, 0, n_bin)
    step_ns = knots_ns[left + 1] - knots_ns[left]
    weight = np.divide(within_ns - knots_ns[left], step_ns, out=np.zeros_like(within_ns), where=step_ns > 0)
    inside = np.take(cumulative, left, axis=1) * (1.0 - weight) + np.take(cumulative, left + 1, axis=1) * weight
    return np.asarray(inside + n_periods * cumulative[:, -1:])

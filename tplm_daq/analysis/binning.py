"""From a map of counts to what the estimators fit: wide bins in the window, live time, level before the pulse.

Delay bins are summed to about 50 ps, the live fraction of the detection is worked out for them, the
pulse is found in the summed decay, and the bins after it become the fit window. All counts before
the pulse are kept as one number per position: they are the dark counts and the late tail of earlier
pulses, on which the window stands as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.checks import CheckedScan, require_sharp_response
from tplm_daq.analysis.decay import DecayFit, find_rising_edge, fit_decay
from tplm_daq.analysis.models import bin_mean_age
from tplm_daq.errors import FitError
from tplm_daq.photons.deadtime import live_fraction
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.recipes.analysis import Corrections

FloatArray = NDArray[np.float64]

PREPULSE_MARGIN_FWHM = 4.0
"""The level before the pulse is taken up to this many response widths before it."""

RISE_INCLUDED_FWHM = 0.5
"""The window starts this many response widths before the pulse; earlier light is next to nothing."""

FEWEST_ROWS = 4
"""Summed bins in the window that are needed to follow the spreading of the spot."""

TAIL_EXPONENT = 1.6
"""Power law of the late decay; 1.5 to 1.7 (Science Advances 10, eadj2630 (2024))."""

LATE_END_NS, LATE_GROWTH = 20.0, 1.25
"""The counts after the window are summed up to this delay, in bins of which each is wider than the one before."""

_N_EARLIER_PULSES = 20


@dataclass(frozen=True)
class LateCounts:
    """Counts after the fit window, in bins that widen with the delay.

    Attributes
    ----------
    age_ns : ndarray of float64, shape (n_row,)
        Middle of the bins after the pulse, in ns; n_row is 0 if the delays end with the window.
    counts, exposure : ndarray of float64, shape (n_position, n_row)
        As in the window.
    """

    age_ns: FloatArray
    counts: FloatArray
    exposure: FloatArray


@dataclass(frozen=True)
class FitData:
    """Counts in the fit window and before the pulse, with everything known that multiplies a model of them.

    Attributes
    ----------
    position_nm, across_nm : ndarray of float64, shape (n_position,)
        Pixel centres along the line and across it, in nm; x and y on a map.
    pixel_nm, pixel_across_nm : float
        Width of the pixel along the same axes, in nm.
    is_map : bool
        Whether the positions spread along both axes.
    dwell : ndarray of float64, shape (n_position,)
        Dwell of each position relative to the mean.
    counts : ndarray of float64, shape (n_position, n_row)
        Counts in the summed bins of the window.
    exposure : ndarray of float64, shape (n_position, n_row)
        Live fraction, times relative dwell, times recorded bins per summed bin.
    delay_ns, age_ns : ndarray of float64, shape (n_row,)
        Delay after the pulse of the bin centres, and mean age of the excitons seen there, in ns.
    prepulse_counts, prepulse_exposure : ndarray of float64, shape (n_position,)
        Counts before the pulse, and their exposure in the same sense; 0 if nothing precedes the pulse.
    wrapped : ndarray of float64, shape (n_row,)
        Tail of the earlier pulses relative to its mean before the pulse.
    is_tail_fitted : bool
        Whether light of earlier pulses is modelled.
    late : LateCounts
        What follows the window.
    decay : DecayFit
        Where the pulse is.
    summed_live : ndarray of float64, shape (n_bin,)
        Live fraction seen by the counts summed over positions, in the recorded bins.
    blind : float or None
        Greatest fraction of pulses for which the detection was blind, or, without dead time, that gave a count; None
        if the number of pulses is not known.
    dead_time_ns : float or None
        Dead time whose live fraction is part of `exposure`; None if that is not corrected.
    gain_spread : float
        By how much the light may differ between positions (rms), relatively.
    """

    position_nm: FloatArray
    across_nm: FloatArray
    pixel_nm: float
    pixel_across_nm: float
    is_map: bool
    dwell: FloatArray
    counts: FloatArray
    exposure: FloatArray
    delay_ns: FloatArray
    age_ns: FloatArray
    prepulse_counts: FloatArray
    prepulse_exposure: FloatArray
    wrapped: FloatArray
    is_tail_fitted: bool
    late: LateCounts
    decay: DecayFit
    summed_live: FloatArray
    blind: float | None
    dead_time_ns: float | None
    gain_spread: float = 0.0

    @property
    def has_prepulse(self) -> bool:
        """Whether there are bins before the pulse."""
        return bool(self.prepulse_exposure.max() > 0)

    def joined(self, n_columns: int) -> FitData:
        """Return the window summed to about so many columns, each with the mean age of its counts."""
        n_row = len(self.age_ns)
        first = np.unique(np.linspace(0, n_row, min(n_columns, n_row), endpoint=False).astype(int))
        light = self.counts.sum(axis=0) + 1.0
        weight = np.add.reduceat(light, first)
        return replace(
            self,
            counts=np.add.reduceat(self.counts, first, axis=1),
            exposure=np.add.reduceat(self.exposure, first, axis=1),
            delay_ns=np.add.reduceat(light * self.delay_ns, first) / weight,
            age_ns=np.add.reduceat(light * self.age_ns, first) / weight,
            wrapped=np.add.reduceat(light * self.wrapped, first) / weight,
        )


def bin_for_fit(
    scan: CheckedScan, window_ns: float, bin_width_ns: float, corrections: Corrections | None = None
) -> FitData:
    """Sum bins, find the pulse, and cut out the fit window.

    Parameters
    ----------
    scan : CheckedScan
        The checked map.
    window_ns : float
        Length of the fit window after the pulse, in ns.
    bin_width_ns : float
        Width of the summed bins, in ns; rounded to a whole number of recorded bins, at least one.
    corrections : Corrections, optional
        What is corrected; everything by default.

    Returns
    -------
    FitData
        Input of the estimators.

    Raises
    ------
    FitError
        If no pulse is found or the window is not within the delays.
    """
    corrections = corrections or Corrections()
    data = scan.data if corrections.dead_time else replace(scan.data, dead_time_ns=None)
    n_summed = max(1, round(bin_width_ns / data.bin_width_ns))
    n_row = data.counts.shape[1] // n_summed
    counts = _sum_bins(data.counts, n_summed)
    width_ns = n_summed * data.bin_width_ns
    edges_ns = data.delay_ns[0] - 0.5 * data.bin_width_ns + width_ns * np.arange(n_row + 1)
    summed = data.counts.sum(axis=0)
    rough_t0_ns = find_rising_edge(summed, data.delay_ns) if data.t0_ns is None else data.t0_ns
    _require_window(data.delay_ns, rough_t0_ns, window_ns)
    live, blind = _live(data, counts, edges_ns, rough_t0_ns)
    summed_live = _live_of_sum(counts, live, data.delay_ns, edges_ns)
    require_sharp_response(data.response_fwhm_ns, window_ns)
    decay = fit_decay(summed, data.delay_ns, summed_live, window_ns, data.t0_ns, data.response_fwhm_ns)
    _require_window(data.delay_ns, decay.t0_ns, window_ns)
    window, before = _regions(edges_ns, decay, window_ns)
    exposure = live * (n_summed * scan.dwell[:, None])
    if not corrections.background_prior:
        before = slice(0, 0)
    row_edges_ns = edges_ns[window.start : window.stop + 1]
    delay_ns = 0.5 * (row_edges_ns[1:] + row_edges_ns[:-1]) - decay.t0_ns
    age_ns = bin_mean_age(row_edges_ns, decay.t0_ns, decay.sigma_ns, decay.lifetime_ns)
    return FitData(
        position_nm=scan.position_nm,
        across_nm=scan.across_nm,
        pixel_nm=scan.pixel_nm,
        pixel_across_nm=scan.pixel_across_nm,
        is_map=scan.is_map,
        dwell=scan.dwell,
        counts=counts[:, window],
        exposure=exposure[:, window],
        delay_ns=delay_ns,
        age_ns=age_ns if corrections.response else np.maximum(delay_ns, 0.0),
        prepulse_counts=counts[:, before].sum(axis=1),
        prepulse_exposure=exposure[:, before].sum(axis=1),
        wrapped=_wrapped_tail(edges_ns - decay.t0_ns, window, before, data.repetition_rate_hz),
        is_tail_fitted=corrections.wrap_around and before.stop > 0,
        late=_late(edges_ns - decay.t0_ns, counts, exposure, window.stop),
        decay=decay,
        summed_live=summed_live,
        blind=blind,
        dead_time_ns=None if blind is None else data.dead_time_ns,
    )


def _sum_bins(counts: NDArray[np.integer], n_summed: int) -> FloatArray:
    """Sum groups of bins; an incomplete last group is left out."""
    n_position, n_row = len(counts), counts.shape[1] // n_summed
    groups = counts[:, : n_row * n_summed].reshape(n_position, n_row, n_summed)
    return groups.sum(axis=2).astype(np.float64)


def _require_window(delay_ns: FloatArray, t0_ns: float, window_ns: float) -> None:
    last_ns = float(delay_ns[-1])
    if t0_ns + window_ns > last_ns:
        longest_ns = max(np.floor(10.0 * (last_ns - t0_ns)) / 10.0, 0.0)
        raise FitError(
            f"The fit window ends {window_ns:g} ns after the pulse at {t0_ns:.4g} ns, but the delays end at "
            f"{last_ns:.4g} ns. Measure a longer span, or set window to at most {longest_ns:g} ns."
        )


def _live(
    data: TimePositionMap, counts: FloatArray, edges_ns: FloatArray, t0_ns: float
) -> tuple[FloatArray, float | None]:
    """Return the live fraction of each summed bin, and how blind the detection was at worst, if it is known."""
    if data.dwell_s is None or data.repetition_rate_hz is None:
        return np.ones_like(counts), None
    n_pulses = data.dwell_s * data.repetition_rate_hz
    if data.dead_time_ns is None:
        return np.ones_like(counts), float(np.max(counts.sum(axis=1) / n_pulses))
    width_ns = float(edges_ns[1] - edges_ns[0])
    before = edges_ns[1:] < t0_ns - 0.5
    gap = counts[:, before if before.any() else slice(-10, None)].mean(axis=1)
    period_ns = 1e9 / data.repetition_rate_hz
    try:
        live = live_fraction(counts, width_ns, n_pulses, period_ns, data.dead_time_ns, gap)
    except ValueError as exc:
        raise FitError(f"Dead time cannot be corrected: {exc}.") from exc
    return live, float(1.0 - live.min())


def _live_of_sum(counts: FloatArray, live: FloatArray, delay_ns: FloatArray, edges_ns: FloatArray) -> FloatArray:
    """Return the live fraction that the counts summed over positions saw, in the recorded bins."""
    seen = counts.sum(axis=1) @ live / counts.sum()
    return np.interp(delay_ns, 0.5 * (edges_ns[1:] + edges_ns[:-1]), seen)


def _regions(edges_ns: FloatArray, decay: DecayFit, window_ns: float) -> tuple[slice, slice]:
    """Return the summed bins whose centres are in the window, and those that end well before the pulse."""
    since_pulse_ns = 0.5 * (edges_ns[1:] + edges_ns[:-1]) - decay.t0_ns
    start_ns = -RISE_INCLUDED_FWHM * decay.response_fwhm_ns
    first, last = (int(place) for place in np.searchsorted(since_pulse_ns, [start_ns, window_ns]))
    if last - first < FEWEST_ROWS:
        raise FitError(
            f"Only {last - first} bins of {edges_ns[1] - edges_ns[0]:g} ns fit into the window of {window_ns:g} ns; "
            f"at least {FEWEST_ROWS} are needed. Lower bin_width or raise window."
        )
    quiet_ns = decay.t0_ns - PREPULSE_MARGIN_FWHM * decay.response_fwhm_ns
    n_before = int(np.searchsorted(edges_ns, quiet_ns, side="right")) - 1
    return slice(first, last), slice(0, max(n_before, 0))


def _late(since_pulse_ns: FloatArray, counts: FloatArray, exposure: FloatArray, first: int) -> LateCounts:
    """Sum the bins after the window over delays that grow by a constant factor."""
    start_ns = float(since_pulse_ns[first])
    end_ns = min(float(since_pulse_ns[-1]), LATE_END_NS)
    n_rows = int(np.log(max(end_ns / start_ns, 1.0)) / np.log(LATE_GROWTH))
    edges_ns = start_ns * LATE_GROWTH ** np.arange(n_rows + 1)
    places = np.searchsorted(since_pulse_ns, edges_ns)
    is_filled = bool(np.all(np.diff(places) > 0)) and n_rows > 0
    if not is_filled:
        return LateCounts(np.zeros(0), counts[:, :0], exposure[:, :0])
    rows = [slice(low, high) for low, high in pairwise(places)]
    return LateCounts(
        np.sqrt(edges_ns[1:] * edges_ns[:-1]),
        np.column_stack([counts[:, row].sum(axis=1) for row in rows]),
        np.column_stack([exposure[:, row].sum(axis=1) for row in rows]),
    )


def _wrapped_tail(edges_ns: FloatArray, window: slice, before: slice, repetition_rate_hz: float | None) -> FloatArray:
    """Return the tail of all earlier pulses in the window relative to its mean before the pulse."""
    since_pulse_ns = 0.5 * (edges_ns[1:] + edges_ns[:-1])
    if repetition_rate_hz is None or before.stop == 0:
        return np.ones(window.stop - window.start)
    pulse_ns = (1e9 / repetition_rate_hz) * np.arange(1, _N_EARLIER_PULSES + 1)
    tail = np.sum((since_pulse_ns[:, None] + pulse_ns) ** -TAIL_EXPONENT, axis=1)
    return np.asarray(tail[window] / tail[before].mean())

"""Is this a scan that can be fitted at all? Says why not before any number is made of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tplm_daq.errors import FitError
from tplm_daq.photons.histogram import TimePositionMap

FloatArray = NDArray[np.float64]

FEWEST_POSITIONS = 5
"""On a line: four tell height, centre, width and background of a spot, and the fifth that it is one."""

FEWEST_POSITIONS_ON_MAP = 7
"""Two widths, their covariance and two coordinates of the centre beside height and background."""

FEWEST_PER_AXIS = 3
"""Different coordinates along each axis of a map."""

FEWEST_LIT = 3
"""Positions with counts, below which there is no width."""

FEWEST_BINS = 8
"""Delay bins, below which neither the pulse nor a level before it can be seen."""

_THINNEST_MAP = 0.05


@dataclass(frozen=True)
class CheckedScan:
    """Positions that were measured, with their counts.

    Attributes
    ----------
    data : TimePositionMap
        The map, without positions at which nothing was measured.
    axis : str
        Axis of a line, or "xy" for a map.
    position_nm, across_nm : ndarray of float64, shape (n_position,)
        Position along that axis and along the other one, in nm; x and y on a map.
    pixel_nm, pixel_across_nm : float
        Width of the detector pixel along the same axes, in nm.
    dwell : ndarray of float64, shape (n_position,)
        Dwell of each position relative to the mean.
    """

    data: TimePositionMap
    axis: Literal["x", "y", "xy"]
    position_nm: FloatArray
    across_nm: FloatArray
    pixel_nm: float
    pixel_across_nm: float
    dwell: FloatArray

    @property
    def is_map(self) -> bool:
        """Whether positions spread along both axes."""
        return self.axis == "xy"


def checked_scan(data: TimePositionMap) -> CheckedScan:
    """Check a scan, leave out positions without dwell, and find the axis of a line.

    Parameters
    ----------
    data : TimePositionMap
        The scan as measured; it may still be incomplete.

    Returns
    -------
    CheckedScan
        What can be fitted.

    Raises
    ------
    FitError
        With the reason why the scan cannot be fitted.
    """
    _check_shapes(data)
    _check_delays(data)
    measured = _without_dwell_left_out(data)
    _check_numbers(measured)
    axis = _axis(measured)
    along, across = (measured.x_nm, measured.pixel_nm[0]), (measured.y_nm, measured.pixel_nm[1])
    if axis == "y":
        along, across = across, along
    if axis == "xy" and _is_tilted_line(measured):
        axis, along, across = _along_tilted_line(measured)
    _check_positions(axis, along[0], across[0])
    _check_counts(measured)
    dwell_s = measured.dwell_s
    dwell = np.ones(len(along[0])) if dwell_s is None else dwell_s / dwell_s.mean()
    return CheckedScan(measured, axis, along[0], across[0], along[1], across[1], dwell)


def require_sharp_response(response_fwhm_ns: float | None, window_ns: float) -> None:
    """Raise FitError if the response is given and longer than the fit window."""
    if response_fwhm_ns is not None and response_fwhm_ns > window_ns:
        raise FitError(
            f"response_fwhm_ns is {response_fwhm_ns:g} ns, longer than the fit window of {window_ns:g} ns: no "
            "spreading can be seen under it. Check its unit, or leave it out and let it be estimated."
        )


def _check_shapes(data: TimePositionMap) -> None:
    if data.counts.ndim != 2:
        raise FitError(f"counts must have the shape (n_position, n_bin), not {data.counts.shape}.")
    n_position, n_bin = data.counts.shape
    lengths = {"x_nm": len(data.x_nm), "y_nm": len(data.y_nm)}
    if data.dwell_s is not None:
        lengths["dwell_s"] = len(data.dwell_s)
    for name, length in lengths.items():
        if length != n_position:
            raise FitError(f"{name} has {length} entries for {n_position} rows of counts; give one per position.")
    if len(data.delay_ns) != n_bin:
        raise FitError(f"delay_ns has {len(data.delay_ns)} entries for {n_bin} bins of counts; give one per bin.")
    if n_bin < FEWEST_BINS:
        raise FitError(f"{n_bin} delay bins are too few; at least {FEWEST_BINS} are needed.")


def _check_delays(data: TimePositionMap) -> None:
    steps_ns = np.diff(data.delay_ns)
    if not (np.all(np.isfinite(data.delay_ns)) and np.all(steps_ns > 0)):
        raise FitError("delay_ns must ascend from bin to bin and be finite; sort the bins first.")
    worst = float(np.max(np.abs(steps_ns / data.bin_width_ns - 1.0)))
    if worst > 0.01:
        raise FitError(
            f"delay_ns must be equally spaced: one step differs by {100 * worst:.3g} % from the mean of "
            f"{data.bin_width_ns:g} ns (1 % is allowed)."
        )


def _without_dwell_left_out(data: TimePositionMap) -> TimePositionMap:
    """Return the map without positions of zero dwell."""
    if data.dwell_s is None:
        return data
    if not np.all(np.isfinite(data.dwell_s) & (data.dwell_s >= 0)):
        raise FitError("dwell_s must be finite and not negative at every position.")
    kept = data.dwell_s > 0
    if kept.all():
        return data
    return replace(
        data, counts=data.counts[kept], x_nm=data.x_nm[kept], y_nm=data.y_nm[kept], dwell_s=data.dwell_s[kept]
    )


def _check_numbers(data: TimePositionMap) -> None:
    bad = np.flatnonzero(~(np.isfinite(data.x_nm) & np.isfinite(data.y_nm)))
    if len(bad):
        raise FitError(f"Position {bad[0]} is not a finite number ({len(bad)} in all); leave such points out.")
    if not np.all(np.isfinite(data.counts)):
        raise FitError("counts must be finite numbers; leave positions out whose counts are not known.")
    if data.counts.size and data.counts.min() < 0:
        raise FitError("counts must not be negative; pass the counts as recorded, without background subtracted.")
    for name in ("repetition_rate_hz", "response_fwhm_ns", "dead_time_ns"):
        value = getattr(data, name)
        if value is not None and not (np.isfinite(value) and value > 0):
            raise FitError(f"{name} is {value:g}; it must be positive, or left out if it is not known.")
    first_ns, last_ns = float(data.delay_ns[0]), float(data.delay_ns[-1])
    if data.t0_ns is not None and not first_ns <= data.t0_ns <= last_ns:
        raise FitError(f"t0_ns is {data.t0_ns:g} ns, outside the delays measured ({first_ns:g} to {last_ns:g} ns).")


def _axis(data: TimePositionMap) -> Literal["x", "y", "xy"]:
    """Return the axis along which the positions spread, "xy" if they do along both."""
    if len(data.x_nm) < FEWEST_POSITIONS:
        raise FitError(
            f"{len(data.x_nm)} of at least {FEWEST_POSITIONS} positions have been measured; a width needs more."
        )
    span_x_nm, span_y_nm = float(np.ptp(data.x_nm)), float(np.ptp(data.y_nm))
    if 0.0 < max(span_x_nm, span_y_nm) < min(data.pixel_nm):
        raise FitError(
            f"The positions span {max(span_x_nm, span_y_nm):.3g} nm only, less than the detector pixel of "
            f"{min(data.pixel_nm):g} nm; no width can be seen. Are they in nm?"
        )
    if min(span_x_nm, span_y_nm) > 0.5 * min(data.pixel_nm):
        return "xy"
    return "x" if span_x_nm >= span_y_nm else "y"


def _check_positions(axis: str, along_nm: FloatArray, across_nm: FloatArray) -> None:
    n_along, n_across = len(np.unique(along_nm)), len(np.unique(across_nm))
    if axis != "xy":
        if n_along < FEWEST_POSITIONS:
            raise FitError(f"The scan has only {n_along} different positions; at least {FEWEST_POSITIONS} needed.")
        return
    n_places = len(np.unique(np.column_stack([along_nm, across_nm]), axis=0))
    if min(n_along, n_across) < FEWEST_PER_AXIS or n_places < FEWEST_POSITIONS_ON_MAP:
        raise FitError(
            f"The positions spread along x and y, but are only {n_places} with {n_along} different x and {n_across} "
            f"different y; a map needs {FEWEST_POSITIONS_ON_MAP}, with {FEWEST_PER_AXIS} along each axis."
        )


def _is_tilted_line(data: TimePositionMap) -> bool:
    """Tell whether the positions spread along both axes, but lie on one line."""
    offset_nm = np.column_stack([data.x_nm - data.x_nm.mean(), data.y_nm - data.y_nm.mean()])
    spread_nm = np.sqrt(np.abs(np.linalg.eigvalsh(offset_nm.T @ offset_nm / len(offset_nm))))
    return bool(spread_nm[0] < _THINNEST_MAP * spread_nm[1])


def _along_tilted_line(
    data: TimePositionMap,
) -> tuple[Literal["x", "y"], tuple[FloatArray, float], tuple[FloatArray, float]]:
    """Return the axis nearest to a tilted line, and positions and pixel width along and across it.

    A turned pixel has the variance of an upright one; the rest of its shape is lost in that of the spot.
    """
    place_nm = np.column_stack([data.x_nm, data.y_nm])
    offset_nm = place_nm - place_nm.mean(axis=0)
    across, along = np.linalg.eigh(offset_nm.T @ offset_nm)[1].T
    along = along * np.sign(along[np.argmax(np.abs(along))])
    axis: Literal["x", "y"] = "x" if abs(along[0]) >= abs(along[1]) else "y"
    width_nm = [float(np.hypot(*(unit * data.pixel_nm))) for unit in (along, across)]
    return axis, (place_nm @ along, width_nm[0]), (place_nm @ across, width_nm[1])


def _check_counts(data: TimePositionMap) -> None:
    per_position = data.counts.sum(axis=1)
    n_lit = int(np.count_nonzero(per_position))
    if n_lit == 0:
        raise FitError("There are no counts. Check that the light is on and the detector is open.")
    if n_lit < FEWEST_LIT:
        raise FitError(f"Only {n_lit} positions have counts; at least {FEWEST_LIT} are needed to see a width.")
    if data.counts.min() == data.counts.max():
        raise FitError(
            f"All counts are equal ({data.counts.flat[0]:g}): no pulse and no spot can be seen. Check the file."
        )

"""From points to positions: what several passes counted at the same place, added up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.store.layout import PointFlags


@dataclass(frozen=True)
class SummedPositions:
    """Counts per position, positions in the order of their index along the path.

    Attributes
    ----------
    index : ndarray of int32, shape (n_position,)
        Index of each position along the path.
    x_nm, y_nm : ndarray of float64, shape (n_position,)
        Mean read-back position, weighted by dwell; in passes that followed the spot, less the shift of their path.
    dwell_s : ndarray of float64, shape (n_position,)
        Live time in s, summed.
    counts : ndarray of int64, shape (n_position, n_bin)
        Photons, summed.
    """

    index: NDArray[np.int32]
    x_nm: NDArray[np.float64]
    y_nm: NDArray[np.float64]
    dwell_s: NDArray[np.float64]
    counts: NDArray[np.int64]


def sum_positions(
    points: NDArray[np.void],
    read_counts: Callable[[int], NDArray[np.uint32]],
    n_bin: int,
    leave_out: PointFlags = PointFlags.GOOD,
) -> SummedPositions:
    """Add up the points that share an index.

    Where the rig reads no position back (NaN), the position asked for stands in.

    Parameters
    ----------
    points : ndarray of layout.POINT_DTYPE, shape (n_point,)
        Rows of the run.
    read_counts : callable
        Takes a row's number, returns its histogram, uint32 (n_bin,).
    n_bin : int
        Number of delay bins.
    leave_out : PointFlags
        Points with any of these flags are not added.

    Returns
    -------
    SummedPositions
        One entry per index that occurs.
    """
    rows = np.flatnonzero((points["flags"] & np.uint32(leave_out)) == 0)
    kept = points[rows]
    index, position_of_row = np.unique(kept["index"], return_inverse=True)
    counts = np.zeros((len(index), n_bin), np.int64)
    for row, position in zip(rows, position_of_row, strict=True):
        counts[position] += read_counts(int(row))
    weight = np.bincount(position_of_row, kept["dwell_s"])
    x_nm, y_nm = (
        np.bincount(position_of_row, kept["dwell_s"] * (best_known(kept, axis) - kept[f"{axis}_shift_nm"])) / weight
        for axis in ("x", "y")
    )
    live_s = np.bincount(position_of_row, kept["live_s"]).astype(np.float64)
    return SummedPositions(index, x_nm, y_nm, live_s, counts)


def best_known(points: NDArray[np.void], axis: str) -> NDArray[np.float64]:
    """Return the position read back, and where there is none the one asked for, in nm."""
    readback = points[f"{axis}_readback_nm"]
    return np.where(np.isnan(readback), points[f"{axis}_nm"], readback)

"""The plot with which viewers open a finished run: counts over position and delay, of a raster over y, x and delay.

NeXus says which axis belongs to which dimension (NXdata: `@signal`, `@axes`, `@<axis>_indices`); "." stands for a
dimension without an axis, which is what a raster cut short in its first pass has: it is written as a list.
"""

from __future__ import annotations

import h5py
import numpy as np
from numpy.typing import NDArray

from tplm_daq.store import layout
from tplm_daq.store.columns import read_points
from tplm_daq.store.header import child
from tplm_daq.store.summing import sum_positions
from tplm_daq.store.tree import write_value


def write_default_plot(entry: h5py.Group) -> None:
    """Write `/entry/data` from the points in the file.

    Parameters
    ----------
    entry : h5py.Group
        Entry of a run file with at least one point.
    """
    points, counts = read_points(entry), entry[layout.COUNTS]
    summed = sum_positions(points, counts.__getitem__, counts.shape[1])
    position_axis = str(entry[layout.POINTS].attrs[layout.POSITION_AXIS])
    grid = grid_of(points) if position_axis == "xy" else None
    data = child(entry, layout.DATA, "NXdata")
    if grid is None:
        axis = "." if position_axis == "xy" else f"{position_axis}_nm"
        _write_counts(data, summed.counts, summed.dwell_s)
        _write_axes(data, {"x_nm": summed.x_nm, "y_nm": summed.y_nm}, {"x_nm": 0, "y_nm": 0})
        axes = [axis, layout.DELAY]
    else:
        _write_counts(data, summed.counts[grid], summed.dwell_s[grid])
        middle = {"y_nm": summed.y_nm[grid].mean(axis=1), "x_nm": summed.x_nm[grid].mean(axis=0)}
        _write_axes(data, middle, {"y_nm": 0, "x_nm": 1})
        axes = ["y_nm", "x_nm", layout.DELAY]
    data[layout.DELAY] = entry[layout.DELAY]
    data.attrs.update(signal=layout.COUNTS, axes=axes, title=entry[layout.TITLE].asstr()[()])


def grid_of(points: NDArray[np.void]) -> NDArray[np.intp] | None:
    """Return which position stands where on the grid that a raster was asked to scan.

    Parameters
    ----------
    points : ndarray of layout.POINT_DTYPE, shape (n_point,)
        Rows of the run.

    Returns
    -------
    ndarray of intp, shape (n_y, n_x), or None
        Place of each position among those that were visited, in the order of their index; None if they do not fill
        a grid of at least two rows and two columns.
    """
    _, first = np.unique(points["index"], return_index=True)
    x_nm, column = np.unique(layout.on_path_nm(points, "x")[first], return_inverse=True)
    y_nm, row = np.unique(layout.on_path_nm(points, "y")[first], return_inverse=True)
    cell = row * len(x_nm) + column
    if min(len(x_nm), len(y_nm)) < 2 or not np.array_equal(np.sort(cell), np.arange(len(x_nm) * len(y_nm))):
        return None
    return np.argsort(cell).reshape(len(y_nm), len(x_nm))


def _write_counts(data: h5py.Group, counts: NDArray[np.int64], dwell_s: NDArray[np.float64]) -> None:
    """Write counts (..., n_bin) with their errors, and the dwell (...)."""
    for name, values, long_name in (
        (layout.COUNTS, counts, "photons"),
        (f"{layout.COUNTS}_errors", np.sqrt(counts).astype(np.float32), "square root of photons"),
    ):
        image = data.create_dataset(name, data=values, compression="gzip", compression_opts=1, shuffle=True)
        image.attrs.update(units="counts", long_name=long_name)
    write_value(data, layout.DWELL, dwell_s)
    data.attrs[f"{layout.DWELL}_indices"] = list(range(dwell_s.ndim))


def _write_axes(data: h5py.Group, values: dict[str, NDArray[np.float64]], dimensions: dict[str, int]) -> None:
    """Write positions, and the dimension of the counts along which they lie."""
    for name, positions_nm in values.items():
        write_value(data, name, positions_nm)
        data.attrs[f"{name}_indices"] = dimensions[name]

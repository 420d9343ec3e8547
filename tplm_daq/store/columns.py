"""Growing tables: a group of equally long columns, one chunked dataset each.

Columns instead of one compound dataset, because every viewer plots a column. A row exists once the
group's `@n_rows` says so. That number is raised in a flush of its own, after the row's; a process
killed before leaves a row that nobody reads and that the next one overwrites.
"""

from __future__ import annotations

from collections.abc import Mapping

import h5py
import numpy as np
from h5py import h5d, h5s
from numpy.typing import NDArray

from tplm_daq.store import layout
from tplm_daq.store.units import unit_of

ONE_VALUE = h5s.create_simple((1,))
"""What a column takes in at a time."""


def create_columns(group: h5py.Group, dtypes: Mapping[str, np.dtype[np.generic]]) -> None:
    """Make an empty table of a group, or give a table the columns that it lacks, filled with zeros.

    Parameters
    ----------
    group : h5py.Group
        Where to.
    dtypes : mapping of str to dtype
        Column name to dtype.
    """
    n_rows = int(group.attrs.setdefault(layout.N_ROWS, np.int64(0)))
    for name, dtype in dtypes.items():
        if name in group:
            continue
        column = group.create_dataset(name, shape=(n_rows,), maxshape=(None,), chunks=(layout.CHUNK_ROWS,), dtype=dtype)
        unit = unit_of(name)
        if unit is not None:
            column.attrs["units"] = unit


class Appender:
    """Adds rows to a table of an open file; by HDF5's own calls, for h5py's convenience takes five times as long.

    Parameters
    ----------
    group : h5py.Group
        The table.
    """

    def __init__(self, group: h5py.Group) -> None:
        self._group = group
        self._columns: dict[str, tuple[h5d.DatasetID, np.dtype[np.generic]]] = {}

    def append(self, n_rows: int, values: Mapping[str, object]) -> None:
        """Add a row behind those that are acknowledged, flushed but not yet synced to the disk.

        Parameters
        ----------
        n_rows : int
            Rows acknowledged; what stands behind them, such as a row that the disk refused, is overwritten.
        values : mapping
            Column name to value.
        """
        group = self._group
        place = h5s.create_simple((n_rows + 1,))
        place.select_hyperslab((n_rows,), (1,))
        for name, value in values.items():
            if name not in self._columns:
                self._columns[name] = (group[name].id, group[name].dtype)
            column, dtype = self._columns[name]
            column.set_extent((n_rows + 1,))
            column.write(ONE_VALUE, place, np.array([value], dtype))
        group.file.flush()
        group.attrs.modify(layout.N_ROWS, np.int64(n_rows + 1))
        group.file.flush()


def count_rows(group: h5py.Group) -> int:
    """Return the number of rows that exist.

    Parameters
    ----------
    group : h5py.Group
        The table.

    Returns
    -------
    int
        Rows, each complete.
    """
    return int(group.attrs[layout.N_ROWS])


def read_points(entry: h5py.Group) -> NDArray[np.void]:
    """Return the acknowledged rows of `/entry/points`.

    Parameters
    ----------
    entry : h5py.Group
        Entry of a run file.

    Returns
    -------
    recarray of layout.POINT_DTYPE, shape (n_point,)
        One record per point: `points.x_nm` and `points["x_nm"]` are a column.
    """
    group = entry[layout.POINTS]
    points = np.empty(count_rows(group), layout.POINT_DTYPE)
    for name in layout.POINT_COLUMNS:
        points[name] = 0 if name in layout.LATER_COLUMNS - set(group) else group[name][: len(points)]
    return points.view(np.recarray)

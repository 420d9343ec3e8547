"""What a run file gets when the run ends: why, when, and the plot with which viewers open it."""

from __future__ import annotations

import h5py
import numpy as np

from tplm_daq.store import layout
from tplm_daq.store.columns import count_rows, create_columns, read_points
from tplm_daq.store.default_plot import write_default_plot
from tplm_daq.store.tree import write_value


def write_end(entry: h5py.Group, end_time: str, finish_reason: str) -> None:
    """Write end and reason, and the counts summed per position if there are any.

    Parameters
    ----------
    entry : h5py.Group
        Entry of a run file.
    end_time : str
        ISO 8601 with zone.
    finish_reason : str
        Why the run ended.
    """
    take_back_end(entry)
    if count_rows(entry[layout.POINTS]):
        write_default_plot(entry)
        entry.attrs["default"] = layout.DATA
    write_value(entry, layout.END_TIME, end_time)
    write_value(entry, layout.FINISH_REASON, finish_reason)


def size_of_data(entry: h5py.Group) -> int:
    """Return the most that `write_end` may add to the file.

    Parameters
    ----------
    entry : h5py.Group
        Entry of a run file.

    Returns
    -------
    int
        Bytes, as if nothing could be compressed.
    """
    n_position = len(np.unique(read_points(entry)["index"]))
    return n_position * len(entry[layout.DELAY]) * (np.dtype(np.int64).itemsize + np.dtype(np.float32).itemsize)


def take_back_end(entry: h5py.Group) -> None:
    """Take out an earlier end because the run goes on, and rows never acknowledged; add columns that are newer.

    Parameters
    ----------
    entry : h5py.Group
        Entry of a run file.
    """
    entry.attrs["default"] = layout.POINTS
    for name in {layout.FINISH_REASON, layout.END_TIME, layout.DATA} & set(entry):
        del entry[name]
    n_points = count_rows(entry[layout.POINTS])
    offsets = [entry[layout.WORDS][name] for name in (layout.FIRST, layout.NUMBER)] if layout.WORDS in entry else []
    for table in (entry[layout.COUNTS], *entry[layout.POINTS].values(), *offsets):
        if len(table) > n_points:
            table.resize(n_points, axis=0)
    create_columns(entry[layout.POINTS], layout.POINT_COLUMNS)


def is_for_more_points(entry: h5py.Group) -> bool:
    """Tell whether a file takes points as it is, or `take_back_end` comes first."""
    return layout.END_TIME not in entry and len(entry[layout.POINTS]) >= len(layout.POINT_COLUMNS)

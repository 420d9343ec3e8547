"""A run at a glance: its time–position map, or the image of a raster, as a few thousand grey levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tplm_daq.photons.histogram import TimePositionMap

SPAN_NS = 6.0
N_COLUMNS = 96
"""At most; fewer if the map has fewer bins."""
DECADES = 2.5
"""Of the logarithmic scale."""


def thumbnail(data: TimePositionMap) -> NDArray[np.uint8]:
    """Return the counts on a logarithmic scale: rows are positions and columns delays, or y and x of a raster.

    Parameters
    ----------
    data : TimePositionMap
        What was measured.

    Returns
    -------
    ndarray of uint8, shape (n_rows, n_columns)
        0 is the least that is shown, 255 the most that there is.
    """
    if min(np.ptp(data.x_nm), np.ptp(data.y_nm)) > 0.5 * min(data.pixel_nm):
        return _levels(_raster(data))
    along_nm = data.x_nm if np.ptp(data.x_nm) >= np.ptp(data.y_nm) else data.y_nm
    return _levels(_columns(data)[np.argsort(along_nm)])


def _columns(data: TimePositionMap) -> NDArray[np.float64]:
    """Join delay bins from just before the pulse on."""
    peak = int(np.argmax(data.counts.sum(axis=0)))
    n_bins = max(1, min(data.counts.shape[1], round(SPAN_NS / data.bin_width_ns)))
    first = max(0, min(peak - n_bins // 10, data.counts.shape[1] - n_bins))
    kept = data.counts[:, first : first + n_bins]
    starts = np.unique(np.linspace(0, n_bins, min(N_COLUMNS, n_bins), endpoint=False).astype(np.intp))
    return np.add.reduceat(kept, starts, axis=1).astype(np.float64)


def _raster(data: TimePositionMap) -> NDArray[np.float64]:
    n_cells = max(2, int(np.sqrt(len(data.x_nm))))
    image, _, _ = np.histogram2d(data.y_nm, data.x_nm, bins=n_cells, weights=data.counts.sum(axis=1))
    return np.asarray(image[::-1], dtype=np.float64)


def _levels(counts: NDArray[np.float64]) -> NDArray[np.uint8]:
    most = counts.max(initial=0.0)
    if most <= 0:
        return np.zeros(counts.shape, dtype=np.uint8)
    relative = np.log10(np.maximum(counts / most, 10.0**-DECADES)) / DECADES + 1.0
    return np.asarray(np.round(255 * relative), dtype=np.uint8)

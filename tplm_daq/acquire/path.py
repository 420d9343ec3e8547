"""Detector positions of a scan, in the sample plane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tplm_daq.recipes.scan import LinePath


def line_positions(path: LinePath, centre_nm: tuple[float, float]) -> NDArray[np.float64]:
    """Lay out a line of equidistant positions through the centre.

    Parameters
    ----------
    path : LinePath
        Axis, half width and number of positions.
    centre_nm : tuple of float
        Centre of the spot (x, y) in nm.

    Returns
    -------
    ndarray of float64, shape (n_position, 2)
        x and y of each position in nm, ascending along the axis.
    """
    offsets_nm = np.linspace(-path.half_width_nm, path.half_width_nm, path.n_positions)
    positions_nm = np.tile(np.asarray(centre_nm, dtype=np.float64), (path.n_positions, 1))
    positions_nm[:, "xy".index(path.axis)] += offsets_nm
    return positions_nm

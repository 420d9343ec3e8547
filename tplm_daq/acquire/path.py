"""Detector positions in the sample plane: those of the scan, and those at which the spot is looked for before it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tplm_daq.recipes.scan import LinePath, RasterPath, ScanPath

FloatArray = NDArray[np.float64]
Centre = tuple[float, float]
"""x and y in nm."""

N_SEARCHED = 9
"""Positions on a line along which the spot is looked for."""
LEAST_SEARCHED_NM = 500.0
"""How far to each side the spot is looked for at least: the flanks of a spot of 500 nm FWHM must be seen."""


@dataclass(frozen=True)
class Extent:
    """Equidistant positions along one axis on either side of a centre.

    Attributes
    ----------
    axis : str
        "x" or "y".
    half_width_nm : float
        Distance of the outermost positions from the centre.
    n_positions : int
        Number of positions, both ends included.
    """

    axis: str
    half_width_nm: float
    n_positions: int

    @property
    def step_nm(self) -> float:
        """Distance of neighbouring positions, in nm."""
        return 2.0 * self.half_width_nm / (self.n_positions - 1)

    def positions(self, centre_nm: Centre) -> FloatArray:
        """Return the positions of a line along the axis through a centre, ascending: x and y in nm, (n_position, 2)."""
        positions_nm = np.tile(np.asarray(centre_nm, dtype=np.float64), (self.n_positions, 1))
        positions_nm[:, "xy".index(self.axis)] += np.linspace(-self.half_width_nm, self.half_width_nm, self.n_positions)
        return positions_nm


def extents(path: ScanPath) -> tuple[Extent, ...]:
    """Return the extent of a path along each axis that it scans, x first."""
    if isinstance(path, LinePath):
        return (Extent(path.axis, path.half_width_nm, path.n_positions),)
    return Extent("x", path.half_width_nm, path.n_x), Extent("y", path.half_height_nm, path.n_y)


def scan_positions(path: ScanPath, centre_nm: Centre) -> FloatArray:
    """Lay out the positions of a path in the order of its first pass.

    Parameters
    ----------
    path : LinePath or RasterPath
        Its extents.
    centre_nm : tuple of float
        Centre of the spot (x, y) in nm.

    Returns
    -------
    ndarray of float64, shape (n_position, 2)
        x and y of each position in nm. A line ascends along its axis. A raster ascends from row to row, and runs
        along x forwards and backwards in turn, so that no move is longer than a step.
    """
    first, *second = extents(path)
    return raster_positions(first, second[0], centre_nm) if second else first.positions(centre_nm)


def raster_positions(along_x: Extent, along_y: Extent, centre_nm: Centre) -> FloatArray:
    """Return the positions of a raster as `scan_positions` orders them: x and y in nm, float64 (n_position, 2)."""
    row_nm = along_x.positions(centre_nm)
    y_nm = along_y.positions(centre_nm)[:, 1]
    rows = [np.column_stack([row_nm[:: 1 - 2 * (i % 2), 0], np.full(len(row_nm), y)]) for i, y in enumerate(y_nm)]
    return np.concatenate(rows)


def assumed_centre(path: ScanPath, seen_nm: Centre | None = None) -> Centre:
    """Return the centre of the spot as far as the recipe tells; beyond that where it was last seen, or on the axis."""
    x_nm, y_nm = seen_nm or (0.0, 0.0)
    if path.centre_nm == "auto":
        return x_nm, y_nm
    if isinstance(path, RasterPath):
        return path.centre_nm
    return (path.centre_nm, y_nm) if path.axis == "x" else (x_nm, path.centre_nm)


def search_lines(path: ScanPath) -> tuple[Extent, ...]:
    """Return the lines that find what the recipe does not tell of the centre, in their order.

    They reach as far as the path, and at least `LEAST_SEARCHED_NM`: a narrow path would see the top of the spot only. A
    line scan needs the coordinate across it in any case.
    """
    searched = [
        replace(extent, half_width_nm=max(extent.half_width_nm, LEAST_SEARCHED_NM), n_positions=N_SEARCHED)
        for extent in extents(path)
    ]
    if isinstance(path, LinePath):
        across = replace(searched[0], axis="y" if path.axis == "x" else "x")
        return (across, *searched) if path.centre_nm == "auto" else (across,)
    return tuple(reversed(searched)) if path.centre_nm == "auto" else ()

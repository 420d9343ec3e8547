"""The map as it grows: joins delay bins as points arrive, so that drawing takes no longer for more of them.

Points are added in the runner's thread, which takes microseconds; the window takes copies of what is small.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.acquire.path import scan_positions
from tplm_daq.recipes.scan import RasterPath, ScanRecipe

FloatArray = NDArray[np.float64]

COLUMN_NS = 0.05
"""Recorded bins are joined to about this, as the analysis does by default."""
MOST_COLUMNS = 4096
MOST_CELLS = 2_000_000
"""Of the whole map; a large raster gets wider columns."""
PLACE_NM = 1.0
"""Coordinates of a raster's rows and columns are told apart to this."""


@dataclass(frozen=True)
class Layout:
    """Where the positions of a path are relative to its centre.

    Attributes
    ----------
    axis : str
        "x", "y", or "xy" of a raster.
    offset_nm : ndarray of float64, shape (n_position, 2)
        x and y of each position, in nm.
    shape : tuple of int
        Rows and columns of a raster; (n_position, 1) of a line.
    cell : ndarray of intp, shape (n_position,)
        Place of each position in the flattened raster.
    """

    axis: str
    offset_nm: FloatArray
    shape: tuple[int, int]
    cell: NDArray[np.intp]

    @property
    def is_raster(self) -> bool:
        """Whether the positions have rows and columns."""
        return self.axis == "xy"


@dataclass(frozen=True)
class GrownMap:
    """What has been counted so far, ready to be drawn.

    Attributes
    ----------
    layout : Layout
        Where the positions are.
    x_nm, y_nm : ndarray of float64, shape (n_position,)
        Positions asked for, in nm.
    delay_ns : ndarray of float64, shape (n_column,)
        Centres of the joined bins, in ns.
    counts : ndarray of uint32, shape (n_position, n_column)
        Photons in the joined bins.
    dwell_s : ndarray of float64, shape (n_position,)
        Time counted, in s.
    decay : ndarray of int64, shape (n_bin,)
        Photons summed over the positions in the bins as recorded.
    bin_width_ns : float
        Width of a recorded bin, in ns.
    """

    layout: Layout
    x_nm: FloatArray
    y_nm: FloatArray
    delay_ns: FloatArray
    counts: NDArray[np.uint32]
    dwell_s: FloatArray
    decay: NDArray[np.int64]
    bin_width_ns: float

    @property
    def along_nm(self) -> FloatArray:
        """Positions along the axis of a line, along x of a raster, in nm."""
        return self.y_nm if self.layout.axis == "y" else self.x_nm

    @property
    def column_ns(self) -> float:
        """Width of a joined bin, in ns."""
        return float(self.delay_ns[1] - self.delay_ns[0])

    @property
    def n_photons(self) -> int:
        """Photons counted in all."""
        return int(self.decay.sum())

    @property
    def rate_cps(self) -> FloatArray:
        """Counts per second in each joined bin, float64 (n_position, n_column); NaN where nothing was counted yet."""
        dwell_s = np.where(self.dwell_s > 0, self.dwell_s, np.nan)
        return np.asarray(self.counts / dwell_s[:, None])

    def image(self, values: FloatArray) -> FloatArray:
        """Return values, float64 (n_position,), as rows and columns of a raster."""
        image = np.full(self.layout.shape[0] * self.layout.shape[1], np.nan)
        image[self.layout.cell] = values
        return image.reshape(self.layout.shape)

    def columns(self, low_ns: float, high_ns: float) -> slice:
        """Return the joined bins whose centres are between two delays; at least the one nearest to their middle."""
        first, last = np.searchsorted(self.delay_ns, [low_ns, high_ns])
        if first < last:
            return slice(int(first), int(last))
        nearest = int(np.argmin(np.abs(self.delay_ns - 0.5 * (low_ns + high_ns))))
        return slice(nearest, nearest + 1)


class GrowingMap:
    """Sums points as they come.

    Parameters
    ----------
    recipe : ScanRecipe
        Its path and bin width lay the map out.
    """

    def __init__(self, recipe: ScanRecipe) -> None:
        self._layout = layout_of(recipe)
        self._bin_width_ns = recipe.counter.bin_width_ps * 1e-3
        self._lock = threading.Lock()
        self._latest: GrownMap | None = None
        self._n_join = 1
        self._counts = np.zeros((0, 0), dtype=np.uint32)
        self._decay = np.zeros(0, dtype=np.int64)
        self._dwell_s = np.zeros(len(self._layout.offset_nm))
        self._centre_nm = np.zeros(2)

    def add(self, index: int, place_nm: tuple[float, float], live_s: float, counts: NDArray[np.uint32]) -> None:
        """Add the histogram of a point, uint32 (n_bin,), that was asked to be at x and y in nm; from any thread."""
        with self._lock:
            if not len(self._decay):
                self._begin(len(counts))
                self._centre_nm = np.asarray(place_nm) - self._layout.offset_nm[index]
            n_columns = self._counts.shape[1]
            self._counts[index] += (
                counts[: n_columns * self._n_join].reshape(n_columns, -1).sum(axis=1, dtype=np.uint32)
            )
            self._decay += counts
            self._dwell_s[index] += live_s
            self._latest = None

    def latest(self) -> GrownMap | None:
        """Return the sum so far, the same object until a point is added; None before the first point."""
        with self._lock:
            if self._latest is None and len(self._decay):
                x_nm, y_nm = (self._layout.offset_nm + self._centre_nm).T
                width_ns = self._n_join * self._bin_width_ns
                self._latest = GrownMap(
                    layout=self._layout,
                    x_nm=x_nm,
                    y_nm=y_nm,
                    delay_ns=np.asarray((np.arange(self._counts.shape[1]) + 0.5) * width_ns, dtype=np.float64),
                    counts=self._counts.copy(),
                    dwell_s=self._dwell_s.copy(),
                    decay=self._decay.copy(),
                    bin_width_ns=self._bin_width_ns,
                )
            return self._latest

    def _begin(self, n_bins: int) -> None:
        n_positions = len(self._dwell_s)
        most = min(MOST_COLUMNS, MOST_CELLS // n_positions)
        self._n_join = max(round(COLUMN_NS / self._bin_width_ns), -(-n_bins // most), 1)
        self._n_join = min(self._n_join, max(n_bins // 2, 1))
        self._counts = np.zeros((n_positions, n_bins // self._n_join), dtype=np.uint32)
        self._decay = np.zeros(n_bins, dtype=np.int64)


def layout_of(recipe: ScanRecipe) -> Layout:
    """Return where the positions of a scan are.

    Parameters
    ----------
    recipe : ScanRecipe
        Line or raster.
    """
    path = recipe.path
    offset_nm = scan_positions(path, (0.0, 0.0))
    n_positions = len(offset_nm)
    if not isinstance(path, RasterPath):
        return Layout(path.axes, offset_nm, (n_positions, 1), np.arange(n_positions))
    columns, rows = (np.unique(np.round(along / PLACE_NM), return_inverse=True)[1] for along in offset_nm.T)
    return Layout(path.axes, offset_nm, (path.n_y, path.n_x), rows * path.n_x + columns)

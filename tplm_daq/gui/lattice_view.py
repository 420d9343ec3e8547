"""The lattice as a picture: slow and fast sites as squares, excitons as dots."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtGui import QColor

from tplm_daq.gui.plots import Cursors, Plot
from tplm_daq.gui.theme import Theme
from tplm_daq.kmc.simulate import Snapshot

HALF_WIDTH_SITES = 40
"""Sites shown on each side of the centre."""
N_SITES = 2 * HALF_WIDTH_SITES + 1


class LatticeView(Plot):
    """Sites around the spot.

    Parameters
    ----------
    spacing_nm : float
        Distance of neighbouring sites.
    """

    def __init__(self, spacing_nm: float) -> None:
        super().__init__("Lattice: ■ slow and ■ fast sites, ● excitons", "x (nm)", "y (nm)", Cursors())
        self._spacing_nm = spacing_nm
        self._is_fast = np.zeros((N_SITES, N_SITES), dtype=np.uint8)
        self._image: Any = pg.ImageItem(axisOrder="row-major")
        self._excitons: Any = pg.ScatterPlotItem(size=7)
        half_nm = (HALF_WIDTH_SITES + 0.5) * spacing_nm
        self._image.setImage(self._is_fast, levels=(0, 1), autoLevels=False)
        self._image.setRect(-half_nm, -half_nm, 2 * half_nm, 2 * half_nm)
        self.item.addItem(self._image)
        self.item.addItem(self._excitons)
        self.item.setAspectLocked(True)
        self.item.setRange(xRange=(-half_nm, half_nm), yRange=(-half_nm, half_nm), padding=0)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        super().set_theme(theme)
        rgb = [QColor(colour).getRgb()[:3] for colour in (theme.line, theme.model)]
        self._image.setLookupTable(np.array(rgb, dtype=np.uint8))
        self._excitons.setBrush(theme.text)
        self._excitons.setPen(pg.mkPen(theme.ground, width=1))
        self.set_heading(
            f"Lattice: <span style='color:{theme.line}'>■</span> slow and "
            f"<span style='color:{theme.model}'>■</span> fast sites, ● excitons"
        )

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the lattice at one moment."""
        self._is_fast = fast_sites(snapshot.fast_nm, self._spacing_nm)
        self._image.setImage(self._is_fast, levels=(0, 1), autoLevels=False)
        half_nm = (HALF_WIDTH_SITES + 0.5) * self._spacing_nm
        inside = np.all(np.abs(snapshot.exciton_nm) <= half_nm, axis=1)
        self._excitons.setData(pos=snapshot.exciton_nm[inside])

    def describe(self, x: float, y: float) -> str:
        """Return the site under the mouse."""
        column, row = (round(place / self._spacing_nm) + HALF_WIDTH_SITES for place in (x, y))
        if not (0 <= column < N_SITES and 0 <= row < N_SITES):
            return ""
        return f"x {x:.0f} nm, y {y:.0f} nm: {'fast' if self._is_fast[row, column] else 'slow'}"


def fast_sites(fast_nm: NDArray[np.float64], spacing_nm: float) -> NDArray[np.uint8]:
    """Return 1 where there is a fast site, rows along y, the centre in the middle.

    Examples
    --------
    >>> np.argwhere(fast_sites(np.array([[0.0, 0.0], [10.0, -20.0], [9e9, 0.0]]), 10.0)).tolist()
    [[38, 41], [40, 40]]
    """
    image = np.zeros((N_SITES, N_SITES), dtype=np.uint8)
    places = np.round(fast_nm / spacing_nm).astype(np.int64) + HALF_WIDTH_SITES
    inside = np.all((places >= 0) & (places < N_SITES), axis=1)
    columns, rows = places[inside].T
    image[rows, columns] = 1
    return image

"""Residuals of the fitted spot over age and position, of a raster as an image at the cursor.

Structure here is what the model does not describe.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QRectF

from tplm_daq.analysis.residuals import FittedCounts
from tplm_daq.gui.growing import GrownMap
from tplm_daq.gui.live_map import IMAGE_NS, image_span
from tplm_daq.gui.picture import Picture
from tplm_daq.gui.plots import Cursors, Plot, map_rect, tiles_rect
from tplm_daq.gui.theme import RESIDUAL_COLOUR_MAP, Theme

FloatArray = NDArray[np.float64]

LARGEST_SD = 4.0
"""Colours end here."""


class ResidualPlot(Plot):
    """Deviations in standard deviations."""

    def __init__(self, cursors: Cursors) -> None:
        super().__init__("Residuals", "age after the pulse (ns)", "position (nm)", cursors)
        self._picture = Picture()
        self._shown: FittedCounts | None = None
        self._deviation = np.zeros((0, 0))
        self._rect = QRectF()
        self._image: Any = pg.ImageItem(axisOrder="row-major")
        self.item.addItem(self._image)
        self._bar: Any = pg.ColorBarItem(
            values=(-LARGEST_SD, LARGEST_SD), colorMap=RESIDUAL_COLOUR_MAP, width=12, interactive=False
        )
        self._bar.setImageItem(self._image, insert_in=self.item)
        self._bar.setLabel("right", "standard deviations")
        self._age_line, self._position_line = self.add_age_line(), self.add_position_line(0)
        cursors.age_moved.connect(self._show_other_image)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        super().set_theme(theme)
        self._bar.axis.setPen(theme.faint)
        self._bar.axis.setTextPen(theme.text)

    def draw(self, picture: Picture) -> None:
        """Show this state of the run."""
        self._picture = picture
        residuals = None if picture.derived is None else picture.derived.residuals
        is_raster = picture.grown is not None and picture.grown.layout.is_raster
        self._age_line.setVisible(residuals is not None and not is_raster)
        self._position_line.setVisible(residuals is not None)
        self.item.setAspectLocked(is_raster)
        if residuals is None or picture.grown is None:
            self._shown, self._rect = None, QRectF()
            self._image.clear()
            self.item.setXRange(0.0, picture.window_ns, padding=0)
            self.set_heading("Residuals")
        elif is_raster:
            self._draw_image(picture.grown, residuals)
        else:
            self._draw_map(picture.grown, residuals)

    def describe(self, x: float, y: float) -> str:
        """Return place and deviation."""
        shown, grown = self._shown, self._picture.grown
        if shown is None or grown is None:
            return ""
        if grown.layout.is_raster:
            place = int(np.argmin(np.hypot(shown.x_nm - x, shown.y_nm - y)))
            return f"x {shown.x_nm[place]:.0f} nm · y {shown.y_nm[place]:.0f} nm · {_sd(self._deviation[place, 0])}"
        row = int(np.argmin(np.abs(grown.along_nm - y)))
        column = int(np.argmin(np.abs(shown.age_ns - x)))
        return f"{x:.2f} ns · {grown.along_nm[row]:+.0f} nm · {_sd(self._deviation[row, column])}"

    def _draw_map(self, grown: GrownMap, residuals: FittedCounts) -> None:
        self.set_label("bottom", "age after the pulse (ns)")
        self.set_label("left", f"position {grown.layout.axis} (nm)")
        deviation = residuals.deviation
        self._show(residuals, deviation, deviation, map_rect(grown.along_nm, residuals.age_ns), "Residuals")

    def _draw_image(self, grown: GrownMap, residuals: FittedCounts) -> None:
        shown = residuals.around(self.cursors.age_ns, IMAGE_NS)
        self.set_label("bottom", "x (nm)")
        self.set_label("left", "y (nm)")
        deviation = shown.deviation
        what = f"Residuals, {image_span(self.cursors.age_ns)}"
        self._show(shown, deviation, grown.image(deviation[:, 0]), tiles_rect(grown), what)

    def _show(self, shown: FittedCounts, deviation: FloatArray, image: FloatArray, rect: QRectF, what: str) -> None:
        """Turn deviations, as an image float64 (n_row, n_column), into colours within a rectangle."""
        self._shown, self._deviation = shown, deviation
        self._image.setImage(image.astype(np.float32), autoLevels=False)
        self._bar.setLevels((-LARGEST_SD, LARGEST_SD))
        self._image.setRect(rect)
        if rect != self._rect:
            self.item.enableAutoRange()  # else the operator may have zoomed
            self._rect = rect
        known = image[np.isfinite(image)]
        spread = float(known.std()) if known.size else float("nan")
        self.set_heading(f"{what}: rms {spread:.2f} sd, 1 expected")

    def _show_other_image(self, _: float) -> None:
        if self._shown is not None and self._picture.grown is not None and self._picture.grown.layout.is_raster:
            self.draw(self._picture)


def _sd(deviation: float) -> str:
    return f"{deviation:+.1f} sd" if np.isfinite(deviation) else "not measured"

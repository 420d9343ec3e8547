"""Residuals of the fitted spot over age and position: structure here is what the model does not describe."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF

from tplm_daq.gui.derived import Residuals
from tplm_daq.gui.picture import Picture
from tplm_daq.gui.plots import Cursors, Plot
from tplm_daq.gui.theme import RESIDUAL_COLOUR_MAP, Theme

LARGEST_SD = 4.0
"""Colours end here."""


class ResidualPlot(Plot):
    """Deviations in standard deviations."""

    def __init__(self, cursors: Cursors) -> None:
        super().__init__("Residuals", "age after the pulse (ns)", "position (nm)", cursors)
        self._residuals: Residuals | None = None
        self._position_nm = np.zeros(0)
        self._image: Any = pg.ImageItem(axisOrder="row-major")
        self.item.addItem(self._image)
        self._bar: Any = pg.ColorBarItem(
            values=(-LARGEST_SD, LARGEST_SD), colorMap=RESIDUAL_COLOUR_MAP, width=12, interactive=False
        )
        self._bar.setImageItem(self._image, insert_in=self.item)
        self._bar.setLabel("right", "standard deviations")
        self._cursors_shown = (self.add_age_line(), self.add_position_line(0))

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        super().set_theme(theme)
        self._bar.axis.setPen(theme.faint)
        self._bar.axis.setTextPen(theme.text)

    def draw(self, picture: Picture) -> None:
        """Show this state of the run."""
        residuals = None if picture.derived is None else picture.derived.residuals
        self._residuals = residuals
        for line in self._cursors_shown:
            line.setVisible(residuals is not None)
        if residuals is None or picture.grown is None:
            self._image.clear()
            self.item.setXRange(0.0, picture.window_ns, padding=0)
            is_raster = picture.grown is not None and picture.grown.layout.axis == "xy"
            self.set_heading("Residuals: of lines only" if is_raster else "Residuals")
            return
        self.item.enableAutoRange()
        self._position_nm = picture.grown.along_nm
        deviation = residuals.deviation
        self._image.setImage(deviation.astype(np.float32), autoLevels=False)
        self._bar.setLevels((-LARGEST_SD, LARGEST_SD))
        column_ns = float(np.ptp(residuals.age_ns)) / max(len(residuals.age_ns) - 1, 1)
        step_nm = float(self._position_nm[1] - self._position_nm[0])
        left_ns, bottom_nm = residuals.age_ns[0] - column_ns / 2, self._position_nm[0] - step_nm / 2
        self._image.setRect(QRectF(left_ns, bottom_nm, column_ns * deviation.shape[1], step_nm * deviation.shape[0]))
        self.set_label("left", f"position {picture.grown.layout.axis} (nm)")
        known = deviation[np.isfinite(deviation)]
        spread = float(known.std()) if known.size else float("nan")
        self.set_heading(f"Residuals: rms {spread:.2f} sd, 1 expected")

    def describe(self, x: float, y: float) -> str:
        """Return place and deviation."""
        if self._residuals is None:
            return ""
        row = int(np.argmin(np.abs(self._position_nm - y)))
        column = int(np.argmin(np.abs(self._residuals.age_ns - x)))
        return f"{x:.2f} ns · {self._position_nm[row]:+.0f} nm · {self._residuals.deviation[row, column]:+.1f} sd"

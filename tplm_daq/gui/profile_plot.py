"""The spot at the age marked by the cursor, with a Gaussian fitted to it; of a raster the row at the cursor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray

from tplm_daq.analysis.profile import fit_gaussians
from tplm_daq.gui.growing import GrownMap
from tplm_daq.gui.picture import Picture
from tplm_daq.gui.plots import Cursors, Plot, nearest_value
from tplm_daq.gui.theme import Theme

FloatArray = NDArray[np.float64]

PROFILE_NS = 0.2
"""The profile is summed over so long around the cursor, as in the report."""
FEWEST_POINTS = 5
"""Of a profile that is fitted."""
N_CURVE = 200


class ProfilePlot(Plot):
    """Counts against position around the chosen age."""

    def __init__(self, cursors: Cursors) -> None:
        super().__init__("Profile", "position (nm)", "counts/s", cursors)
        self._picture = Picture()
        self._along_nm = np.zeros(0)
        self._rate_cps = np.zeros(0)
        self._errors: Any = pg.ErrorBarItem(x=np.zeros(0), y=np.zeros(0), height=np.zeros(0))
        self._points: Any = pg.ScatterPlotItem(size=6, pxMode=True)
        self._curve: Any = pg.PlotDataItem()
        for each in (self._errors, self._points, self._curve):
            self.item.addItem(each)
        self.explain("A Gaussian fitted by least squares; its width σ contains the detector pixel")
        self._position_line = self.add_position_line(90)
        cursors.age_moved.connect(lambda _: self.draw(self._picture))
        cursors.position_moved.connect(self._show_other_row)
        fit_gaussians(np.arange(9.0), np.exp(-((np.arange(9.0) - 4) ** 2))[:, None])  # compiled before it is watched

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        super().set_theme(theme)
        self._errors.setData(pen=pg.mkPen(theme.data))
        self._points.setPen(None)
        self._points.setBrush(theme.data)
        self._curve.setPen(pg.mkPen(theme.model, width=2))

    def draw(self, picture: Picture) -> None:
        """Show this state of the run."""
        self._picture = picture
        if picture.grown is None:
            for each in (self._points, self._curve):
                each.clear()
            self._errors.setData(x=np.zeros(0), y=np.zeros(0), height=np.zeros(0))
            self._along_nm = self._rate_cps = np.zeros(0)
            self.set_heading("Profile")
            return
        self._draw(picture, picture.grown)

    def describe(self, x: float, y: float) -> str:
        """Return position and rate of the nearest point."""
        if not len(self._along_nm):
            return ""
        place_nm, rate_cps = (nearest_value(x, self._along_nm, each) for each in (self._along_nm, self._rate_cps))
        return f"{place_nm:+.0f} nm · {rate_cps:.4g} counts/s"

    def _draw(self, picture: Picture, grown: GrownMap) -> None:
        middle_ns = picture.t0_ns + self.cursors.age_ns
        columns = grown.columns(middle_ns - PROFILE_NS / 2, middle_ns + PROFILE_NS / 2)
        rows = self._rows(grown)
        rows = rows[np.argsort(grown.along_nm[rows])]
        counts, dwell_s = grown.counts[rows, columns].sum(axis=1), grown.dwell_s[rows]
        self._along_nm, self._rate_cps = grown.along_nm[rows], counts / dwell_s
        error_cps = np.sqrt(np.maximum(counts, 1)) / dwell_s
        self._errors.setData(x=self._along_nm, y=self._rate_cps, height=2 * error_cps)
        self._points.setData(self._along_nm, self._rate_cps)
        self._position_line.setVisible(not grown.layout.is_raster)
        self.set_label("bottom", f"position {grown.layout.axis[0]} (nm)")
        width_ns = (columns.stop - columns.start) * grown.column_ns
        self.set_label("left", f"counts/s in {1e3 * width_ns:.0f} ps")
        self._fit(picture, width_ns)

    def _rows(self, grown: GrownMap) -> NDArray[np.intp]:
        """Return the positions visited; of a raster those of the row nearest to the cursor."""
        is_wanted = grown.dwell_s > 0
        if grown.layout.is_raster and is_wanted.any():
            distance_nm = np.abs(grown.y_nm - self.cursors.position_nm)
            is_wanted &= distance_nm <= distance_nm[is_wanted].min() + 1.0
        return np.flatnonzero(is_wanted)

    def _fit(self, picture: Picture, width_ns: float) -> None:
        """Fit a Gaussian above the level before the pulse, and name its width."""
        age_text = f"Profile at {self.cursors.age_ns:.2f} ns"
        self._curve.clear()
        result, grown = picture.result, picture.grown
        if len(self._along_nm) < FEWEST_POINTS or self._rate_cps.sum() <= 0 or grown is None:
            self.set_heading(age_text)
            return
        per_bin = 0.0 if result is None else result.background_counts_per_bin
        level_cps = per_bin * width_ns / grown.bin_width_ns / max(float(grown.dwell_s[grown.dwell_s > 0].mean()), 1e-9)
        fits = fit_gaussians(self._along_nm, (self._rate_cps - level_cps)[:, None])
        variance_nm2 = float(fits.variance_nm2[0])
        if not np.isfinite(variance_nm2):
            self.set_heading(f"{age_text}: no Gaussian")
            return
        x_nm = np.linspace(self._along_nm[0], self._along_nm[-1], N_CURVE)
        self._curve.setData(x_nm, fits.model(x_nm)[:, 0] + level_cps)
        self.set_heading(f"{age_text}: σ = {np.sqrt(variance_nm2):.1f} nm")

    def _show_other_row(self, _: float) -> None:
        if self._picture.grown is not None and self._picture.grown.layout.is_raster:
            self.draw(self._picture)

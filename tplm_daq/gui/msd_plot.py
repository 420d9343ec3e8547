"""Mean squared displacement against age: points with errors, the line of D and its 95 % band."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtGui import QColor

from tplm_daq.analysis.models import NM2_PER_NS_PER_CM2_PER_S
from tplm_daq.gui.picture import Picture
from tplm_daq.gui.plots import Cursors, Plot, nearest_value
from tplm_daq.gui.theme import Theme

NM2_SHOWN = 1e3
"""The axis counts thousands of nm²."""


class MsdPlot(Plot):
    """How far the excitons have moved."""

    def __init__(self, cursors: Cursors) -> None:
        super().__init__("Mean squared displacement", "mean age of the excitons (ns)", "MSD (10³ nm²)", cursors)
        self._age_ns = self._msd = self._error = np.zeros(0)
        self._low: Any = pg.PlotDataItem()
        self._high: Any = pg.PlotDataItem()
        self._band: Any = pg.FillBetweenItem(self._low, self._high)
        self._errors: Any = pg.ErrorBarItem(x=np.zeros(0), y=np.zeros(0), height=np.zeros(0))
        self._points: Any = pg.ScatterPlotItem(size=5)
        self._line: Any = pg.PlotDataItem()
        for each in (self._low, self._high, self._band, self._errors, self._points, self._line):
            self.item.addItem(each)
        self.explain("Points with standard errors, the line of D, and its 95 % band")
        self.add_age_line()

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        super().set_theme(theme)
        shade = QColor(theme.model)
        shade.setAlpha(80)
        self._band.setBrush(shade)
        for edge in (self._low, self._high):
            edge.setPen(None)
        self._errors.setData(pen=pg.mkPen(theme.data))
        self._points.setPen(None)
        self._points.setBrush(theme.data)
        self._line.setPen(pg.mkPen(theme.model, width=2))

    def draw(self, picture: Picture) -> None:
        """Show this state of the run."""
        result = picture.result
        if result is None:
            self._age_ns = self._msd = self._error = np.zeros(0)
            span_ns = band = np.zeros((2, 0))[0]
            low, high = band, band
            self._line.clear()
            self.set_heading("Mean squared displacement")
        else:
            msd = result.msd
            known = np.isfinite(msd.msd_nm2) & np.isfinite(msd.error_nm2)
            self._age_ns = msd.age_ns[known]
            self._msd, self._error = msd.msd_nm2[known] / NM2_SHOWN, msd.error_nm2[known] / NM2_SHOWN
            span_ns = np.array([0.0, float(np.nanmax(msd.age_ns))])
            per_d = 2 * NM2_PER_NS_PER_CM2_PER_S / NM2_SHOWN * span_ns
            low, high = (end * per_d for end in result.ci95_cm2_s)
            self._line.setData(span_ns, result.diffusivity_cm2_s * per_d)
            self.set_heading("Mean squared displacement, 2 D t")
        self._low.setData(span_ns, low)
        self._high.setData(span_ns, high)
        self._band.setVisible(result is not None)  # without data it would keep its last shape
        self._errors.setData(x=self._age_ns, y=self._msd, height=2 * self._error)
        self._points.setData(self._age_ns, self._msd)
        self._keep_in_view()

    def describe(self, x: float, y: float) -> str:
        """Return age, value and error of the nearest point."""
        if not len(self._age_ns):
            return ""
        age_ns, value, error = (nearest_value(x, self._age_ns, each) for each in (self._age_ns, self._msd, self._error))
        return f"{age_ns:.3f} ns · ({value:.2f} ± {error:.2f}) ×10³ nm²"

    def _keep_in_view(self) -> None:
        """Let single wild points at the start of a run not squeeze the rest."""
        if len(self._msd) and self.item.vb.autoRangeEnabled()[1]:
            bottom, top = np.percentile(np.concatenate([self._msd - self._error, self._msd + self._error]), [3, 97])
            margin = 0.1 * max(float(top - bottom), 1e-3)
            self.item.vb.setRange(yRange=(min(bottom, 0.0) - margin, top + margin), padding=0, disableAutoRange=False)

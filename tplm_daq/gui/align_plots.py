"""The plots of an alignment: where was counted, and what the result follows from, each procedure in its own way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtGui import QColor

from tplm_daq.gui.align_watch import AlignPicture
from tplm_daq.gui.picture import Picture
from tplm_daq.gui.plots import Cursors, Plot, add_legend
from tplm_daq.gui.theme import COLOUR_MAPS, Theme

FloatArray = NDArray[np.float64]
NOTHING = np.zeros(0)
KILO, RATE_LABEL = 1e-3, "10³ counts/s"
"""Of the colour bar, whose numbers must be short."""


class PlacesPlot(Plot):
    """Where was counted; the colour of a point is its count rate."""

    def __init__(self) -> None:
        super().__init__("Where was counted", "x (nm)", "y (nm)", Cursors())
        self._picture = AlignPicture("", "")
        self._points: Any = pg.ScatterPlotItem(size=9, pxMode=True, pen=None)
        self.item.addItem(self._points)
        self.item.setAspectLocked(True)
        self._map = pg.colormap.get(COLOUR_MAPS[0])
        self._bar: Any = pg.ColorBarItem(values=(0, 1), width=12, interactive=False, colorMap=self._map)
        self._key: Any = pg.ImageItem(np.zeros((1, 1)))
        self._bar.setImageItem(self._key, insert_in=self.item)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        super().set_theme(theme)
        self._bar.axis.setPen(theme.faint)
        self._bar.axis.setTextPen(theme.text)

    def draw(self, picture: Picture) -> None:
        """Show nothing of a scan: an alignment is drawn by `show_picture`."""

    def show_picture(self, picture: AlignPicture) -> None:
        """Show this state of an alignment."""
        self._picture = picture
        highest = max(float(np.nanmax(picture.rate_cps, initial=0.0)), 1.0)
        colours = self._map.map(np.nan_to_num(picture.rate_cps) / highest, mode="qcolor")
        self._points.setData(picture.x_nm, picture.y_nm, brush=colours)
        self._bar.setLevels((0.0, highest * KILO))
        if self._bar.axis.labelText != RATE_LABEL:
            self._bar.setLabel("right", RATE_LABEL)

    def describe(self, x: float, y: float) -> str:
        """Return place and rate of the nearest point."""
        shown = self._picture
        if not len(shown.x_nm):
            return ""
        nearest = int(np.argmin(np.hypot(shown.x_nm - x, shown.y_nm - y)))
        return (
            f"x {shown.x_nm[nearest]:.0f} nm · y {shown.y_nm[nearest]:.0f} nm · {shown.rate_cps[nearest]:.4g} counts/s"
        )


class EvidencePlot(Plot):
    """Count rates as they come; at the end what the result follows from."""

    def __init__(self) -> None:
        super().__init__("Count rates", "point", "counts/s", Cursors())
        self._x = self._y = NOTHING
        self._legend: Any = add_legend(self.item)
        self._errors: Any = pg.ErrorBarItem(x=NOTHING, y=NOTHING, height=NOTHING)
        self._points: Any = pg.PlotDataItem(pen=None, symbol="o", symbolSize=6, symbolPen=None)
        self._others: Any = pg.PlotDataItem(pen=None, symbol="s", symbolSize=6, symbolPen=None)
        self._line: Any = pg.PlotDataItem()
        self._mark: Any = pg.InfiniteLine(angle=90)
        for each in (self._errors, self._line, self._points, self._others):
            self.item.addItem(each)
        self.item.addItem(self._mark, ignoreBounds=True)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        super().set_theme(theme)
        self._errors.setData(pen=pg.mkPen(theme.data))
        self._points.setSymbolBrush(QColor(theme.data))
        self._others.setSymbolBrush(QColor(theme.second))
        self._line.setPen(pg.mkPen(theme.model, width=2))
        self._mark.setPen(pg.mkPen(theme.model, width=1.5))
        self._legend.setLabelTextColor(theme.text)

    def draw(self, picture: Picture) -> None:
        """Show nothing of a scan: an alignment is drawn by `show_picture`."""

    def show_picture(self, picture: AlignPicture) -> None:
        """Show this state of an alignment."""
        self._legend.clear()
        for item in (self._points, self._others, self._line):
            item.setData(NOTHING, NOTHING)
        self._errors.setData(x=NOTHING, y=NOTHING, height=NOTHING)
        self._mark.hide()
        show = {"focus": self._show_focus, "response": self._show_response, "magnification": self._show_steps}
        if picture.measured and picture.procedure in show:
            show[picture.procedure](picture)
        elif picture.measured and picture.procedure == "dark":
            self._show("Rates in the dark", "reading", "counts/s", NOTHING, picture.measured["dark_cps"])
        else:
            self._show("Count rates", "point", "counts/s", NOTHING, picture.rate_cps)

    def describe(self, x: float, y: float) -> str:
        """Return the nearest point."""
        if not len(self._x):
            return ""
        nearest = int(np.argmin(np.abs(self._x - x)))
        return f"{self._x[nearest]:.5g} · {self._y[nearest]:.5g}"

    def _show(self, heading: str, x_label: str, y_label: str, x: FloatArray, y: FloatArray) -> None:
        """Draw points, numbered from 1 unless they have an abscissa."""
        self.set_heading(heading)
        self.set_label("bottom", x_label)
        self.set_label("left", y_label)
        self._x, self._y = x if len(x) else np.arange(1.0, len(y) + 1), y
        self._points.setData(self._x, self._y)
        self.item.enableAutoRange()

    def _show_focus(self, picture: AlignPicture) -> None:
        z_nm, variance_nm2, error_nm2 = (
            picture.measured[name] for name in ("z_nm", "variance_nm2", "variance_error_nm2")
        )
        sigma_nm = np.sqrt(np.maximum(variance_nm2, 0.0))
        self._show("Width of the spot", "height of the stage (µm)", "σ of the spot (nm)", z_nm * 1e-3, sigma_nm)
        self._errors.setData(x=self._x, y=sigma_nm, height=error_nm2 / np.maximum(sigma_nm, 1e-9))
        self._mark.setValue(picture.found["z_nm"] * 1e-3)
        self._mark.show()

    def _show_response(self, picture: AlignPicture) -> None:
        delay_ns, counts, model = (picture.measured[name] for name in ("delay_ns", "counts", "model"))
        self._show("Rising edge", "delay (ns)", "counts per bin", delay_ns, counts)
        self._line.setData(delay_ns, model)
        self._mark.setValue(picture.found["t0_ns"])
        self._mark.show()
        self._name({"measured": self._points, "fit": self._line})

    def _show_steps(self, picture: AlignPicture) -> None:
        stage_x, stage_y, image_x, image_y = (
            picture.measured[name] * 1e-3 for name in ("stage_x_nm", "stage_y_nm", "image_x_nm", "image_y_nm")
        )
        heading = "The image follows the stage"
        along_x = np.abs(stage_x - np.median(stage_x)) >= np.abs(stage_y - np.median(stage_y))
        self._show(heading, "stage (µm)", "image (µm)", stage_x[along_x], image_x[along_x])
        self._others.setData(stage_y[~along_x], image_y[~along_x])
        self._name({"along x": self._points, "along y": self._others})

    def _name(self, items: dict[str, Any]) -> None:
        for name, item in items.items():
            self._legend.addItem(item, name)

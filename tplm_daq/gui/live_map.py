"""The time-position map as it is counted: linear, logarithmic, or each delay by its maximum; images of rasters."""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray

from tplm_daq.analysis.models import NM2_PER_NS_PER_CM2_PER_S
from tplm_daq.gui.growing import GrownMap
from tplm_daq.gui.picture import Picture
from tplm_daq.gui.plots import Cursors, Plot, map_rect, tiles_rect
from tplm_daq.gui.theme import Theme

FloatArray = NDArray[np.float64]

FALLOFF_DECADES = 4.0
"""Range of the logarithmic colours below the maximum."""
BEFORE_NS, WINDOWS_SHOWN = 0.5, 2.0
"""At first the map begins so long before the pulse, and ends after so many fit windows."""
IMAGE_NS = 0.2
"""A raster's image is the sum over so long around the cursor."""
N_SIGMA = 60
"""Points of the line that marks the width of the spot."""


class Scale(Enum):
    """How counts become colours."""

    LOGARITHMIC = "Logarithmic"
    LINEAR = "Linear"
    NORMALISED = "Each delay scaled to its maximum"


def image_span(age_ns: float) -> str:
    """Return over which ages the image at the cursor is summed, as text."""
    return f"{age_ns - IMAGE_NS / 2:.2f} to {age_ns + IMAGE_NS / 2:.2f} ns"


class LiveMap(Plot):
    """Counts over delay and position with the fitted width of the spot; of a raster the image at the cursor."""

    def __init__(self, cursors: Cursors) -> None:
        super().__init__("Time–position map", "delay after the pulse (ns)", "position (nm)", cursors)
        self._scale = Scale.LOGARITHMIC
        self._picture = Picture()
        self._shown: FloatArray | None = None
        self._is_placed = False
        self._image: Any = pg.ImageItem(axisOrder="row-major")
        self.item.addItem(self._image)
        self._sigma: Any = pg.PlotDataItem(connect="finite")
        self.item.addItem(self._sigma)
        self._bar: Any = pg.ColorBarItem(values=(0, 1), width=12, interactive=False)
        self._bar.setImageItem(self._image, insert_in=self.item)
        self._age_line = self.add_age_line()
        self._position_line = self.add_position_line(0)
        cursors.age_moved.connect(self._show_other_image)
        self.set_colour_map("viridis")

    @property
    def scale(self) -> Scale:
        """How counts become colours."""
        return self._scale

    def set_scale(self, scale: Scale) -> None:
        """Draw with another scale."""
        self._scale = scale
        self.draw(self._picture)

    def set_colour_map(self, name: str) -> None:
        """Draw with another colour map."""
        self._bar.setColorMap(pg.colormap.get(name))

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        super().set_theme(theme)
        self._sigma.setPen(pg.mkPen("white", width=1.2))
        self._bar.axis.setPen(theme.faint)
        self._bar.axis.setTextPen(theme.text)

    def reset_view(self) -> None:
        """Show the fit window, or the whole raster."""
        self._is_placed = False
        self.draw(self._picture)

    def draw(self, picture: Picture) -> None:
        """Show this state of the run."""
        self._picture = picture
        if picture.grown is None:
            self._image.clear()
            self._sigma.clear()
            self._shown, self._is_placed = None, False
            return
        if picture.grown.layout.is_raster:
            self._draw_image(picture, picture.grown)
        else:
            self._draw_map(picture, picture.grown)

    def describe(self, x: float, y: float) -> str:
        """Return place, rate and counts under the mouse."""
        grown = self._picture.grown
        if grown is None:
            return ""
        if grown.layout.is_raster:
            place = int(np.argmin(np.hypot(grown.x_nm - x, grown.y_nm - y)))
            n_counts = int(grown.counts[place, self._image_columns(grown)].sum())
            return f"x {x:.0f} nm · y {y:.0f} nm · {n_counts} counts"
        row = int(np.argmin(np.abs(grown.along_nm - y)))
        column = int(np.argmin(np.abs(grown.delay_ns - self._picture.t0_ns - x)))
        n_counts = int(grown.counts[row, column])
        rate = n_counts / grown.dwell_s[row] if grown.dwell_s[row] > 0 else np.nan
        return f"{x:.3f} ns · {grown.along_nm[row]:+.0f} nm · {n_counts} counts · {rate:.3g} counts/s"

    def _draw_map(self, picture: Picture, grown: GrownMap) -> None:
        self.set_heading(f"Time–position map in bins of {1e3 * grown.column_ns:.3g} ps")
        self.set_label("bottom", "delay after the pulse (ns)")
        self.set_label("left", f"position {grown.layout.axis} (nm)")
        self._age_line.show()
        self._colour(grown.rate_cps)
        position_nm, age_ns = grown.along_nm, grown.delay_ns - picture.t0_ns
        rect = map_rect(position_nm, age_ns)
        self._image.setRect(rect)
        self._mark_spot(picture)
        if not self._is_placed:
            right_ns = min(WINDOWS_SHOWN * picture.window_ns, float(age_ns[-1]))
            self.item.setAspectLocked(False)
            self.item.setXRange(-BEFORE_NS, max(right_ns, 0.0), padding=0)
            self.item.setYRange(rect.top(), rect.bottom(), padding=0)
            self.cursors.move_position(float(position_nm[len(position_nm) // 2]))
            self._is_placed = True

    def _draw_image(self, picture: Picture, grown: GrownMap) -> None:
        self.set_heading(f"Image, {image_span(self.cursors.age_ns)} after the pulse")
        self.set_label("bottom", "x (nm)")
        self.set_label("left", "y (nm)")
        self._age_line.hide()
        self._sigma.clear()
        self._colour(grown.image(grown.rate_cps[:, self._image_columns(grown)].sum(axis=1)))
        rect = tiles_rect(grown)
        self._image.setRect(rect)
        if not self._is_placed:
            self.item.setAspectLocked(True)
            self.item.setRange(rect, padding=0.02)
            self._is_placed = True

    def _image_columns(self, grown: GrownMap) -> slice:
        middle_ns = self._picture.t0_ns + self.cursors.age_ns
        return grown.columns(middle_ns - IMAGE_NS / 2, middle_ns + IMAGE_NS / 2)

    def _show_other_image(self, _: float) -> None:
        grown = self._picture.grown
        if grown is not None and grown.layout.is_raster:
            self._draw_image(self._picture, grown)

    def _colour(self, rate_cps: FloatArray) -> None:
        """Turn rates into colours and name the scale."""
        highest = float(np.nanmax(rate_cps, initial=0.0)) or 1.0
        if self._scale is Scale.LOGARITHMIC:
            top = np.log10(highest)
            values = np.log10(np.maximum(rate_cps, highest * 10.0**-FALLOFF_DECADES))
            levels, label = (top - FALLOFF_DECADES, top), "log₁₀ (counts/s)"
        elif self._scale is Scale.LINEAR:
            values, levels, label = rate_cps, (0.0, highest), "counts/s"
        else:
            peak = np.nanmax(rate_cps, axis=0, initial=0.0)
            values = np.divide(rate_cps, peak, out=np.zeros_like(rate_cps), where=peak > 0)
            levels, label = (0.0, 1.0), "share of maximum"
        self._image.setImage(values.astype(np.float32), autoLevels=False)
        self._bar.setLevels(levels)
        if self._bar.axis.labelText != label:
            self._bar.setLabel("right", label)
            self._bar.axis.resizeEvent()  # or the label stays where the old one, or none, would have its middle

    def _mark_spot(self, picture: Picture) -> None:
        """Draw the fitted standard deviation of the spot on either side of its centre."""
        result = picture.result
        if result is None:
            self._sigma.clear()
            return
        age_ns = np.linspace(0.0, picture.window_ns, N_SIGMA)
        spread_nm2 = 2 * result.diffusivity_cm2_s * NM2_PER_NS_PER_CM2_PER_S * age_ns
        sigma_nm = np.sqrt(np.maximum(result.sigma0_nm**2 + spread_nm2, 0.0))
        x_ns = np.concatenate([age_ns, [np.nan], age_ns])
        self._sigma.setData(x_ns, result.centre_nm + np.concatenate([sigma_nm, [np.nan], -sigma_nm]))

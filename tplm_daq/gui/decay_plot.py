"""The decay of all positions on logarithmic axes: the exponential of its beginning, the power law of its tail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor

from tplm_daq.gui.derived import Curve
from tplm_daq.gui.picture import Picture
from tplm_daq.gui.plots import Cursors, Plot, add_legend, nearest_value
from tplm_daq.gui.theme import Theme

SEEN_THROUGH = 190
"""Of 255: how much of a curve the ground of the legend covers, so that the numbers on it can be read."""


class DecayPlot(Plot):
    """Counts against age."""

    def __init__(self, cursors: Cursors) -> None:
        super().__init__(
            "Decay, all positions", "age after the pulse (ns)", "counts per bin", cursors, log_sides=("bottom", "left")
        )
        self._curve: Curve | None = None
        self._legend = add_legend(self.item, offset=(6, -6))
        self._measured: Any = self.item.plot([], [], name="measured")
        self._laws: list[Any] = [self.item.plot([], []) for _ in range(2)]
        self.add_age_line(log=True)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        super().set_theme(theme)
        self._measured.setPen(pg.mkPen(theme.data, width=1.5))
        for line, colour, style in zip(
            self._laws, (theme.model, theme.second), (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine), strict=True
        ):
            line.setPen(pg.mkPen(colour, width=2, style=style))
        self._legend.setLabelTextColor(theme.text)
        ground = QColor(theme.ground)
        ground.setAlpha(SEEN_THROUGH)
        self._legend.setBrush(ground)

    def draw(self, picture: Picture) -> None:
        """Show this state of the run."""
        derived = picture.derived
        self._curve = None if derived is None else derived.decay
        _set(self._measured, self._curve)
        self._legend.clear()
        self._legend.addItem(self._measured, "measured")
        laws = () if derived is None else derived.laws
        for line, law in zip(self._laws, [*laws, None, None], strict=False):
            _set(line, law)
            if law is not None:
                self._legend.addItem(line, law.label)
        if picture.grown is not None:
            self.set_label("left", f"counts per {1e3 * picture.grown.bin_width_ns:.3g} ps")

    def describe(self, x: float, y: float) -> str:
        """Return age and counts."""
        if self._curve is None:
            return ""
        age_ns = 10.0**x
        counts = nearest_value(x, np.log10(self._curve.age_ns), self._curve.counts)
        return f"{age_ns:.3g} ns · {counts:.4g} counts per bin"


def _set(line: Any, curve: Curve | None) -> None:
    if curve is None:
        line.setData([], [])
        return
    seen = curve.counts > 0
    line.setData(curve.age_ns[seen], curve.counts[seen])

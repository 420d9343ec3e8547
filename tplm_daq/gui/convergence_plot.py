"""How D converges: the estimate with its 95 % interval against photons, the target, and the bias lamp."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor

from tplm_daq.gui.picture import Picture
from tplm_daq.gui.plots import SIDE, Cursors, Plot, add_legend, nearest_value
from tplm_daq.gui.theme import LAMP_WORDS, Theme, lamp_colour

NORMAL_95 = 1.96
FARTHEST = 4.0
"""The axis ends where the latest D lies within so many of the interval's half-widths of half of the history."""


BAR = (0.9, 1.1)
"""Ends of the bar of a single estimate, in its photons."""


class ConvergencePlot(Plot):
    """D against photons."""

    def __init__(self, cursors: Cursors) -> None:
        super().__init__("D", "photons in the fit window", "D (cm²/s)", cursors, log_sides=("bottom",))
        self._n_photons = self._d = self._half = np.zeros(0)
        self._low: Any = self.item.plot([], [])
        self._high: Any = self.item.plot([], [])
        self._band: Any = pg.FillBetweenItem(self._low, self._high)
        self.item.addItem(self._band)
        self._line: Any = self.item.plot([], [])
        self._targets: list[Any] = [pg.InfiniteLine(angle=0) for _ in range(2)]
        self._truth: Any = pg.InfiniteLine(angle=0)
        self._legend = add_legend(self.item)
        for line in (*self._targets, self._truth):
            line.hide()
            self.item.addItem(line, ignoreBounds=True)
        self._keys = {name: pg.PlotDataItem() for name in ("95 % interval", "target", "truth (simulated)")}

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        super().set_theme(theme)
        shade = QColor(theme.data)
        shade.setAlpha(90)
        self._band.setBrush(shade)
        pens = {
            "95 % interval": pg.mkPen(shade, width=6),
            "target": pg.mkPen(theme.doubtful, width=1.5, style=Qt.PenStyle.DashLine),
            "truth (simulated)": pg.mkPen(theme.second, width=1.5, style=Qt.PenStyle.DotLine),
        }
        for name, pen in pens.items():
            self._keys[name].setPen(pen)
        for edge in (self._low, self._high):
            edge.setPen(None)
        self._line.setPen(pg.mkPen(theme.data, width=2))
        for line in self._targets:
            line.setPen(pens["target"])
        self._truth.setPen(pens["truth (simulated)"])
        self._legend.setLabelTextColor(theme.text)

    def draw(self, picture: Picture) -> None:
        """Show this state of the run."""
        steps = picture.history
        self._n_photons = np.array([step.n_photons for step in steps], dtype=np.float64)
        self._d = np.array([step.diffusivity_cm2_s for step in steps])
        low, high = (np.array([step.ci95_cm2_s[side] for step in steps]) for side in (0, 1))
        self._half = 0.5 * (high - low)
        n_photons = self._n_photons
        if len(steps) == 1:  # of a file the last estimate only is known: a bar, where a line has no length
            n_photons, low, high = np.outer(n_photons, BAR).ravel(), np.repeat(low, 2), np.repeat(high, 2)
        self._low.setData(n_photons, low)
        self._high.setData(n_photons, high)
        self._band.setVisible(len(steps) > 0)  # without data it would keep its last shape
        self._line.setData(n_photons, np.repeat(self._d, 2) if len(steps) == 1 else self._d)
        self._mark(picture)
        self._head(picture)
        self._keep_in_view()

    def describe(self, x: float, y: float) -> str:
        """Return photons, D and half the interval of the nearest step."""
        if not len(self._d):
            return ""
        n_photons = np.log10(np.maximum(self._n_photons, 1.0))
        exponent, d, half = (nearest_value(x, n_photons, each) for each in (n_photons, self._d, self._half))
        return f"{10.0**exponent:.3g} photons · D {d:.4f} ± {half:.4f} cm²/s"

    def _mark(self, picture: Picture) -> None:
        """Show target and truth, where there are any, and name what is shown."""
        target, has_steps = picture.target_precision, len(self._d) > 0
        for side, line in zip((-1, 1), self._targets, strict=True):
            line.setVisible(target is not None and has_steps)
            if target is not None and has_steps:
                line.setValue(self._d[-1] * (1 + side * NORMAL_95 * target))
        self._truth.setVisible(picture.truth_cm2_s is not None)
        if picture.truth_cm2_s is not None:
            self._truth.setValue(picture.truth_cm2_s)
        self._legend.clear()
        shown = {
            "95 % interval": has_steps,
            "target": target is not None and has_steps,
            "truth (simulated)": picture.truth_cm2_s is not None,
        }
        for name, is_shown in shown.items():
            if is_shown:
                self._legend.addItem(self._keys[name], name)

    def _head(self, picture: Picture) -> None:
        """Say how far to trust D, in words and in colour."""
        result = picture.result
        if result is None:
            reason = "" if picture.live is None else f": {picture.live.reason}"
            room = self.width() - 2 * SIDE
            self.set_heading(self._heading.fontMetrics().elidedText(f"D{reason}", Qt.TextElideMode.ElideRight, room))
            self.explain(reason)
            return
        lamp = result.bias_lamp
        colour = lamp_colour(self.theme, lamp)
        self.set_heading(f'D <span style="color:{colour}">● {lamp}</span>: {LAMP_WORDS[lamp]}')
        self.explain("\n".join((f"Bias lamp {lamp}: {LAMP_WORDS[lamp]}", *result.warnings)))

    def _keep_in_view(self) -> None:
        """Let the wild start of a run not squeeze what came of it."""
        if len(self._d) and self.item.vb.autoRangeEnabled()[1]:
            half = FARTHEST * float(max(np.nanmedian(self._half), 0.02 * abs(self._d[-1]), 1e-6))
            self.item.vb.setRange(yRange=(self._d[-1] - half, self._d[-1] + half), padding=0, disableAutoRange=False)

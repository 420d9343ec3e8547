"""What all plots of the live view share: heading, read-out under the mouse, units on every axis, and linked cursors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QObject, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from tplm_daq.gui.growing import GrownMap
from tplm_daq.gui.picture import Picture
from tplm_daq.gui.theme import DARK, Theme

FloatArray = NDArray[np.float64]


SIDE, GAP = 6, 12
"""Beside heading and read-out, and between them, in pixels."""
DIGITS_NAMED: tuple[tuple[float, Sequence[int]], ...] = ((0.4, range(1, 10)), (1.7, (1, 2, 5)), (math.inf, (1,)))
"""Which ticks of a logarithmic axis are named if it is shorter than so many decades."""
MARGINS = (1, 6, 8, 1)
"""Left, top, right, bottom of a plot in pixels: so that half a number fits beyond the end of an axis."""
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Cursors(QObject):
    """The age and the position that all plots mark.

    Attributes
    ----------
    age_moved, position_moved : signal (float)
        The new age in ns, or position in nm.
    """

    age_moved = pyqtSignal(float)
    position_moved = pyqtSignal(float)

    def __init__(self) -> None:
        super().__init__()
        self._age_ns = 1.0
        self._position_nm = 0.0

    @property
    def age_ns(self) -> float:
        """Age of the excitons, in ns after the pulse."""
        return self._age_ns

    @property
    def position_nm(self) -> float:
        """Position along the scan, in nm."""
        return self._position_nm

    def move_age(self, age_ns: float) -> None:
        """Mark another age."""
        if age_ns != self._age_ns:
            self._age_ns = age_ns
            self.age_moved.emit(age_ns)

    def move_position(self, position_nm: float) -> None:
        """Mark another position."""
        if position_nm != self._position_nm:
            self._position_nm = position_nm
            self.position_moved.emit(position_nm)


class LogAxis(pg.AxisItem):
    """A logarithmic axis that names as many of its ticks as there is room for."""

    def logTickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Return the text of each tick, empty for those that are not named."""
        n_decades = self.range[1] - self.range[0]
        named = next(digits for most, digits in DIGITS_NAMED if n_decades < most)
        return [log_tick(value, named) for value in values]


class Plot(QWidget):
    """A plot with a heading on the left and what is under the mouse on the right.

    Parameters
    ----------
    heading : str
        What is shown; also the name for assistive technology.
    x_label, y_label : str
        Names of the axes with their units.
    cursors : Cursors
        Shared by all plots.
    log_sides : sequence of str
        Sides whose axis is logarithmic, "bottom" or "left".

    Attributes
    ----------
    item : pyqtgraph.PlotItem
        Where to draw.
    theme : Theme
        Colours to draw with.
    """

    def __init__(
        self, heading: str, x_label: str, y_label: str, cursors: Cursors, log_sides: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.cursors = cursors
        self.theme = DARK
        self._heading = QLabel(heading)
        self._heading.setProperty("role", "title")
        self._read_out = QLabel("")
        self._read_out.setProperty("role", "read-out")
        self._read_out.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._read_out.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._read_out.setAccessibleName(f"{heading}: values under the mouse")
        self.canvas = pg.PlotWidget(axisItems={side: LogAxis(side) for side in log_sides})
        self.canvas.setAccessibleName(heading)
        self.canvas.setAccessibleDescription(f"{y_label} against {x_label}")
        self.item: Any = self.canvas.getPlotItem()
        self.item.setLogMode(x="bottom" in log_sides, y="left" in log_sides)
        self.item.hideButtons()
        self.item.setMenuEnabled(False)
        self.item.layout.setContentsMargins(*MARGINS)
        self._labels = {"bottom": x_label, "left": y_label}
        for side, text in self._labels.items():
            axis = self.item.getAxis(side)
            axis.enableAutoSIPrefix(False)
            axis.setLabel(text)
        self.canvas.scene().sigMouseMoved.connect(self._tell)
        self._lines: list[Any] = []
        self._lay_out()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(SIDE, 2, SIDE, 0)
        top.addWidget(self._heading)
        top.addWidget(self._read_out, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.canvas, 1)
        self.setMinimumSize(150, 110)

    def set_heading(self, text: str) -> None:
        """Change the heading, but not the name."""
        if self._heading.text() != text:
            self._heading.setText(text)

    def explain(self, text: str) -> None:
        """Say more where the mouse rests on the heading; over the plot it would cover what is measured there."""
        self._heading.setToolTip(text)

    def show_numbers(self, is_shown: bool) -> None:
        """Name the ticks, or leave them without numbers while there is nothing to measure with them."""
        for axis in map(self.item.getAxis, self._labels):
            if axis.style["showValues"] != is_shown:
                axis.setStyle(showValues=is_shown)  # has the whole plot painted anew

    def set_label(self, side: str, text: str) -> None:
        """Name the axis at the "bottom" or on the "left", with its unit."""
        if self._labels[side] != text:
            self._labels[side] = text
            self.item.getAxis(side).setLabel(text)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.theme = theme
        self.canvas.setBackground(theme.ground)
        for side in ("bottom", "left"):
            axis = self.item.getAxis(side)
            axis.setPen(theme.faint)
            axis.setTextPen(theme.text)
        for line in self._lines:
            line.setPen(pg.mkPen(theme.second, width=1.5, style=Qt.PenStyle.DashLine))
            line.setHoverPen(pg.mkPen(theme.doubtful, width=3))

    def reset_view(self) -> None:
        """Show everything."""
        self.item.enableAutoRange()

    def draw(self, picture: Picture) -> None:
        """Show this state of a run."""
        raise NotImplementedError

    def describe(self, x: float, y: float) -> str:
        """Return the values at a place, with units."""
        raise NotImplementedError

    def add_age_line(self, log: bool = False) -> Any:
        """Add the vertical cursor of the age, on a logarithmic axis if so asked; it follows and moves the others."""
        line = pg.InfiniteLine(angle=90, movable=True)
        line.setZValue(20)

        def show(age_ns: float) -> None:
            value = np.log10(max(age_ns, 1e-3)) if log else age_ns
            if line.value() != value:
                line.setValue(value)

        line.sigDragged.connect(lambda: self.cursors.move_age(float(10 ** line.value() if log else line.value())))
        self.cursors.age_moved.connect(show)
        show(self.cursors.age_ns)
        return self._add_line(line)

    def add_position_line(self, angle: int) -> Any:
        """Add the cursor of the position, horizontal (0) or vertical (90); it follows and moves the others."""
        line = pg.InfiniteLine(angle=angle, movable=True)
        line.setZValue(20)

        def show(position_nm: float) -> None:
            if line.value() != position_nm:
                line.setValue(position_nm)

        line.sigDragged.connect(lambda: self.cursors.move_position(float(line.value())))
        self.cursors.position_moved.connect(show)
        return self._add_line(line)

    def _add_line(self, line: Any) -> Any:
        self._lines.append(line)
        self.item.addItem(line, ignoreBounds=True)
        return line

    def leaveEvent(self, event: QEvent | None) -> None:
        """Show no values where there is no mouse."""
        super().leaveEvent(event)
        self._show_read_out("")

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Give heading and read-out the room that there is now."""
        super().resizeEvent(event)
        self._show_read_out("")

    def _show_read_out(self, text: str) -> None:
        """Show values whole: where there is no room for both, the heading steps aside while the mouse is there."""
        metrics = self._read_out.fontMetrics()
        room = self.width() - 2 * SIDE - GAP
        self._heading.setVisible(not text or self._heading.sizeHint().width() + metrics.horizontalAdvance(text) <= room)
        self._read_out.setText(metrics.elidedText(text, Qt.TextElideMode.ElideRight, room))

    def _tell(self, place: Any) -> None:
        """Show the values under the mouse."""
        text = ""
        if self.item.sceneBoundingRect().contains(place):
            there = self.item.vb.mapSceneToView(place)
            text = self.describe(float(there.x()), float(there.y()))
        self._show_read_out(text)


def log_tick(exponent: float, named: Sequence[int]) -> str:
    """Return a power of ten as text if its leading digit is among those named.

    Examples
    --------
    >>> log_tick(-1.0, (1,)), log_tick(5.30103, (1, 2, 5)), log_tick(5.30103, (1,))
    ('0.1', '2·10⁵', '')
    """
    decade = math.floor(exponent + 1e-6)
    digit = round(10.0 ** (exponent - decade))
    if digit not in named or abs(10.0 ** (exponent - decade) - digit) > 0.01:
        return ""
    if -3 < decade < 4:
        return f"{digit * 10.0**decade:g}"
    power = "10" + str(decade).translate(SUPERSCRIPTS)
    return power if digit == 1 else f"{digit}·{power}"


def nearest_value(x: float, along: FloatArray, values: FloatArray) -> float:
    """Return the value whose coordinate is nearest to `x`; NaN if there is none."""
    return float(values[np.argmin(np.abs(along - x))]) if len(along) else float("nan")


def map_rect(position_nm: FloatArray, age_ns: FloatArray) -> QRectF:
    """Return the rectangle that the cells of a time-position map fill, in ns and nm; both axes are evenly spaced."""
    step_nm = float(position_nm[1] - position_nm[0])
    column_ns = float(np.ptp(age_ns)) / max(len(age_ns) - 1, 1)
    left_ns, bottom_nm = float(age_ns[0]) - column_ns / 2, float(position_nm[0]) - step_nm / 2
    return QRectF(left_ns, bottom_nm, column_ns * len(age_ns), step_nm * len(position_nm))


def tiles_rect(grown: GrownMap) -> QRectF:
    """Return the rectangle that a raster's tiles fill, in nm."""
    width_nm, height_nm = float(np.ptp(grown.x_nm)), float(np.ptp(grown.y_nm))
    n_rows, n_columns = grown.layout.shape
    step_x_nm, step_y_nm = width_nm / max(n_columns - 1, 1), height_nm / max(n_rows - 1, 1)
    left_nm, bottom_nm = float(grown.x_nm.min()) - step_x_nm / 2, float(grown.y_nm.min()) - step_y_nm / 2
    return QRectF(left_nm, bottom_nm, width_nm + step_x_nm, height_nm + step_y_nm)


def add_legend(item: Any, offset: tuple[int, int] = (-4, 2)) -> Any:
    """Add a small legend in a corner; negative offsets in pixels are from the right and the bottom."""
    legend = item.addLegend(offset=offset, labelTextSize="8pt", verSpacing=-4)
    legend.setBrush(None)
    return legend

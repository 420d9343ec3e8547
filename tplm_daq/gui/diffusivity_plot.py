"""Points of D against what was varied, with curves: of runs that are compared, and of a series as it grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray

from tplm_daq.analysis.relaxation import Relaxation
from tplm_daq.analysis.series_table import SeriesTable
from tplm_daq.gui.picture import Picture
from tplm_daq.gui.plots import Cursors, Plot, add_legend
from tplm_daq.gui.theme import Theme
from tplm_daq.kmc.observe import Observation
from tplm_daq.workflow.comparison import ComparedRuns

FloatArray = NDArray[np.float64]

Z95 = 1.959964
"""Half a 95 % interval in standard errors."""
N_CURVE = 200


@dataclass(frozen=True)
class Abscissa:
    """What D is drawn against: name, unit, and the column with its factor; no column stands for the order."""

    name: str
    unit: str = ""
    column: str = ""
    factor: float = 1.0

    @property
    def label(self) -> str:
        """What stands at the axis."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def of(self, table: SeriesTable) -> FloatArray:
        """Return the values of a table, in the unit of the label."""
        if not self.column:
            return np.arange(1.0, len(table) + 1.0)
        return np.asarray(table.columns()[self.column] * self.factor)


T_EXC = Abscissa("time between excitations t_exc", "µs", "t_exc_us")
POWER = Abscissa("average power", "nW", "power_nw")
RATE = Abscissa("repetition rate", "MHz", "repetition_rate_hz", 1e-6)
TEMPERATURE = Abscissa("temperature", "K", "temperature_k")
ORDER = Abscissa("order of measurement")
ABSCISSAE = (T_EXC, POWER, RATE, TEMPERATURE, ORDER)
OF_VARIED = {
    frozenset({"average_power"}): POWER,
    frozenset({"repetition_rate"}): RATE,
    frozenset({"temperature"}): TEMPERATURE,
    frozenset({"average_power", "repetition_rate"}): T_EXC,
}
"""What a series is drawn against while it grows, by what is varied; anything else against the order."""


class DiffusivityPlot(Plot):
    """Points of D with 95 % intervals, and curves."""

    def __init__(self) -> None:
        super().__init__("Diffusivity", T_EXC.label, "D (cm²/s)", Cursors())
        self._x = self._d = self._error = np.zeros(0)
        self._labels_of_runs: tuple[str, ...] = ()
        self._unit = T_EXC.unit
        self._is_log = False
        self._errors: Any = pg.ErrorBarItem(x=np.zeros(0), y=np.zeros(0), height=np.zeros(0))
        self._lattice_errors: Any = pg.ErrorBarItem(x=np.zeros(0), y=np.zeros(0), height=np.zeros(0))
        self._legend: Any = add_legend(self.item)
        self._points: Any = pg.PlotDataItem(symbol="o", symbolSize=8)
        self._truth: Any = pg.PlotDataItem(symbol="d", symbolSize=11)
        self._lattice: Any = pg.PlotDataItem(symbol="s", symbolSize=8)
        self._fit: Any = pg.PlotDataItem()
        for each in (self._errors, self._lattice_errors, self._fit, self._truth, self._lattice, self._points):
            self.item.addItem(each)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        super().set_theme(theme)
        self._legend.setLabelTextColor(theme.text)
        for item, errors, colour in (
            (self._points, self._errors, theme.data),
            (self._lattice, self._lattice_errors, theme.second),
        ):
            item.setPen(None)
            item.setSymbolPen(None)
            item.setSymbolBrush(colour)
            errors.setData(pen=pg.mkPen(colour))
        self._truth.setPen(None)
        self._truth.setSymbolBrush(None)
        self._truth.setSymbolPen(pg.mkPen(theme.text, width=1.5))
        self._fit.setPen(pg.mkPen(theme.model, width=2))
        self._name()

    def show_runs(self, runs: ComparedRuns, abscissa: Abscissa) -> None:
        """Draw measured runs."""
        self.set_label("bottom", abscissa.label)
        self._unit = abscissa.unit
        x = np.zeros(0) if runs.table is None else abscissa.of(runs.table)
        d = np.zeros(0) if runs.table is None else runs.table.diffusivity_cm2_s
        error = np.zeros(0) if runs.table is None else runs.table.standard_error_cm2_s
        known = np.isfinite(x) & np.isfinite(d)
        self._x, self._d, self._error = x[known], d[known], np.nan_to_num(error[known])
        self._labels_of_runs = tuple(label for label, is_known in zip(runs.labels, known, strict=True) if is_known)
        self._points.setData(self._x, self._d)
        self._errors.setData(x=self._shown(self._x), y=self._d, height=2 * Z95 * self._error)
        self._truth.setData(x[known], runs.truth_cm2_s[known])
        self._fit.clear()
        corner = (1, 0) if abscissa is T_EXC else (0, 0)
        self._legend.anchor(corner, corner, offset=(-4 if abscissa is T_EXC else 4, 2))
        self._name()

    def show_lattice(self, points: Sequence[Observation]) -> None:
        """Draw D_sim; only where the axis is t_exc."""
        t_exc_us = np.array([point.t_exc_us for point in points])
        d, error = (
            np.array([getattr(point, name) for point in points]) for name in ("d_sim_cm2_s", "standard_error_cm2_s")
        )
        self._lattice.setData(t_exc_us, d)
        self._lattice_errors.setData(x=self._shown(t_exc_us), y=d, height=2 * Z95 * error)
        self._name()

    def show_fit(self, fit: Relaxation | None) -> None:
        """Draw the relaxation over the range of the points."""
        self._fit.clear()
        if fit is not None and len(self._x):
            t_exc_us = np.geomspace(self._x.min() / 1.3, self._x.max() * 1.3, N_CURVE)
            self._fit.setData(t_exc_us, fit.curve(t_exc_us))
        self._name()

    def set_log(self, is_log: bool) -> None:
        """Draw the abscissa logarithmically."""
        self._is_log = is_log
        self.item.setLogMode(x=is_log, y=False)
        self._errors.setData(x=self._shown(self._x), y=self._d, height=2 * Z95 * self._error)
        t_exc_us, d = self._lattice.getOriginalDataset()
        if t_exc_us is not None:
            self._lattice_errors.setData(x=self._shown(t_exc_us), y=d)

    def describe(self, x: float, y: float) -> str:
        """Return the run nearest along the abscissa."""
        if not len(self._x):
            return f"{10**x if self._is_log else x:.4g} {self._unit} · {y:.4g} cm²/s"
        i = int(np.argmin(np.abs(self._shown(self._x) - x)))
        interval = f"{self._d[i]:.4f} ± {Z95 * self._error[i]:.4f} cm²/s"
        return f"{self._x[i]:.4g} {self._unit} · {interval} · {self._labels_of_runs[i]}"

    def _name(self) -> None:
        """Name what is drawn, and nothing else."""
        self._legend.clear()
        named = {"relaxation fit": self._fit, "truth (simulated)": self._truth, "lattice (KMC)": self._lattice}
        for name, item in {**named, "measured, 95 %": self._points}.items():
            y = item.getOriginalDataset()[1]
            if y is not None and np.isfinite(y).any():
                self._legend.addItem(item, name)

    def _shown(self, x: FloatArray) -> FloatArray:
        """Return where values are on the axis; error bars do not know of logarithms."""
        return np.log10(x) if self._is_log else x


class GrowingSeries(DiffusivityPlot):
    """The conditions of the series under way that are measured already."""

    def draw(self, picture: Picture) -> None:
        """Show this state of the series; hidden where there is none."""
        self.setVisible(picture.series is not None)
        if picture.series is None:
            return
        abscissa = OF_VARIED.get(frozenset(picture.series.varied), ORDER)
        self.set_heading(f"Series, {picture.series.place}")
        self.show_runs(picture.series.runs, abscissa)

"""D against what was varied: measured runs, the relaxation fit, and lattice and simulated truth beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from tplm_daq.analysis.relaxation import FEWEST_POINTS, Relaxation, fit_relaxation
from tplm_daq.analysis.series_table import SeriesTable, require_runs
from tplm_daq.gui.background import LatestJob
from tplm_daq.gui.buttons import push_button
from tplm_daq.gui.plots import Cursors, Plot, add_legend
from tplm_daq.gui.theme import Theme
from tplm_daq.kmc.observe import Observation
from tplm_daq.workflow.comparison import ComparedRuns

FloatArray = NDArray[np.float64]

Z95 = 1.959964
"""Half a 95 % interval in standard errors."""
N_CURVE = 200
NOTHING = ComparedRuns((), (), None, np.zeros(0), ())


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
ABSCISSAE = (
    T_EXC,
    Abscissa("average power", "nW", "power_nw"),
    Abscissa("repetition rate", "MHz", "repetition_rate_hz", 1e-6),
    Abscissa("temperature", "K", "temperature_k"),
    Abscissa("order of measurement"),
)


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
        self._points: Any = pg.PlotDataItem(name="measured, 95 %", symbol="o", symbolSize=8)
        self._truth: Any = pg.PlotDataItem(name="truth of the simulated rig", symbol="d", symbolSize=11)
        self._lattice: Any = pg.PlotDataItem(name="lattice (KMC)", symbol="s", symbolSize=8)
        self._fit: Any = pg.PlotDataItem(name="relaxation fit")
        for each in (self._errors, self._lattice_errors, self._fit, self._truth, self._lattice, self._points):
            self.item.addItem(each)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        super().set_theme(theme)
        for _, label in self._legend.items:
            label.setText(label.text, color=theme.text)
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

    def show_lattice(self, points: Sequence[Observation]) -> None:
        """Draw D_sim; only where the axis is t_exc."""
        t_exc_us = np.array([point.t_exc_us for point in points])
        d, error = (
            np.array([getattr(point, name) for point in points]) for name in ("d_sim_cm2_s", "standard_error_cm2_s")
        )
        self._lattice.setData(t_exc_us, d)
        self._lattice_errors.setData(x=self._shown(t_exc_us), y=d, height=2 * Z95 * error)

    def show_fit(self, fit: Relaxation | None) -> None:
        """Draw the relaxation over the range of the points."""
        if fit is None or not len(self._x):
            self._fit.clear()
            return
        t_exc_us = np.geomspace(self._x.min() / 1.3, self._x.max() * 1.3, N_CURVE)
        self._fit.setData(t_exc_us, fit.curve(t_exc_us))

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
        return f"{self._labels_of_runs[i]} · {self._x[i]:.4g} {self._unit} · {interval}"

    def _shown(self, x: FloatArray) -> FloatArray:
        """Return where values are on the axis; error bars do not know of logarithms."""
        return np.log10(x) if self._is_log else x


class SeriesPlot(QWidget):
    """The plot with its choice of abscissa, the fit in words, and the way into a picture file."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = NOTHING
        self._lattice: tuple[Observation, ...] = ()
        self.plot = DiffusivityPlot()
        self._abscissa = QComboBox()
        self._abscissa.setAccessibleName("What D is drawn against")
        self._abscissa.addItems([each.label for each in ABSCISSAE])
        self._log = QCheckBox("logarithmic")
        self._log.setAccessibleName("Logarithmic abscissa")
        self._said = QLabel()
        self._said.setWordWrap(True)
        self._said.setAccessibleName("Relaxation fit")
        self._said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._picture = push_button("Picture…", "Save the plot as a picture", self._ask_picture)
        self._abscissa.currentIndexChanged.connect(lambda: self._draw())
        self._log.toggled.connect(self.plot.set_log)
        self._job = LatestJob("relaxation", self)
        self._job.done.connect(self._show_fit)
        self._lay_out()

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.plot.set_theme(theme)

    def set_runs(self, runs: ComparedRuns) -> None:
        """Draw these runs."""
        self._runs = runs
        self._draw()

    def set_lattice(self, points: Sequence[Observation]) -> None:
        """Draw these points of the lattice beside them."""
        self._lattice = tuple(points)
        if self._chosen() is T_EXC:
            self.plot.show_lattice(self._lattice)

    def save_picture(self, path: Path) -> bool:
        """Save what is drawn; tells whether that worked."""
        return self.plot.canvas.grab().save(str(path))

    def _chosen(self) -> Abscissa:
        return ABSCISSAE[self._abscissa.currentIndex()]

    def _draw(self) -> None:
        abscissa = self._chosen()
        self.plot.show_runs(self._runs, abscissa)
        self.plot.show_lattice(self._lattice if abscissa is T_EXC else ())
        self.plot.reset_view()
        self._said.setText("\n".join(self._runs.left_out))
        table = self._table_to_fit()
        if table is not None:
            self._job.start(lambda: _fit(table))

    def _table_to_fit(self) -> SeriesTable | None:
        """Return the runs if the relaxation can be seen in what is drawn."""
        table = self._runs.table
        return table if self._chosen() is T_EXC and table is not None and len(table) >= FEWEST_POINTS else None

    def _show_fit(self, outcome: object) -> None:
        if self._table_to_fit() is None:
            return
        fit = outcome if isinstance(outcome, Relaxation) else None
        self.plot.show_fit(fit)
        words = relaxation_text(fit) if fit is not None else f"No relaxation fit. {outcome}"
        self._said.setText("\n".join([words, *self._runs.left_out]))

    def _ask_picture(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save the plot", "series.png", "Pictures (*.png *.jpg)")
        if name and not self.save_picture(Path(name)):
            self._said.setText(f"{name}: cannot be written. Choose another folder, and a name that ends in .png.")

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(QLabel("against"))
        top.addWidget(self._abscissa)
        top.addWidget(self._log)
        top.addStretch(1)
        top.addWidget(self._picture)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self._said)


def relaxation_text(fit: Relaxation) -> str:
    """Return a fit in words.

    Examples
    --------
    >>> one = np.array([0.15])
    >>> relaxation_text(Relaxation(6.0, 0.4, (5.2, np.inf), one, one / 10, one / 50, one / 50, 3.1, 2, 0.21))
    'τ = 6 ± 0.4 µs (95 %: 5.2 to ∞ µs), D if excited often 0.15 ± 0.003, rarely 0.015 ± 0.003 cm²/s; p = 0.21'
    """
    low, high = (f"{end:.3g}" if np.isfinite(end) else "∞" for end in fit.tau_ci95_us)
    return (
        f"τ = {fit.tau_us:.3g} ± {fit.tau_error_us:.2g} µs (95 %: {low} to {high} µs), "
        f"D if excited often {fit.d_0_cm2_s[0]:.3g} ± {fit.d_0_error_cm2_s[0]:.2g}, "
        f"rarely {fit.d_inf_cm2_s[0]:.3g} ± {fit.d_inf_error_cm2_s[0]:.2g} cm²/s; p = {fit.p_value:.2g}"
    )


def _fit(table: SeriesTable) -> Relaxation:
    """Fit the relaxation; FitError says why it cannot be done."""
    require_runs(table, FEWEST_POINTS)
    return fit_relaxation(table.enhancement())

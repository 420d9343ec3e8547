"""D against what was varied: measured runs, the relaxation fit, and lattice and simulated truth beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from tplm_daq.analysis.relaxation import FEWEST_POINTS, Relaxation, fit_relaxation
from tplm_daq.analysis.series_table import SeriesTable, require_runs
from tplm_daq.gui.background import LatestJob
from tplm_daq.gui.buttons import push_button
from tplm_daq.gui.diffusivity_plot import ABSCISSAE, T_EXC, Abscissa, DiffusivityPlot
from tplm_daq.gui.file_question import SAVES, ask_for_file
from tplm_daq.gui.theme import Theme
from tplm_daq.kmc.observe import Observation
from tplm_daq.report.numbers import value_with_error
from tplm_daq.workflow.comparison import ComparedRuns

NOTHING = ComparedRuns((), (), None, np.zeros(0), ())


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
        self._head()

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
            self._head()

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
        self._head()
        table = self._table_to_fit()
        if table is not None:
            self._job.start(lambda: _fit(table))

    def _head(self) -> None:
        is_empty = self._runs.table is None and not self._lattice
        self.plot.set_heading("Diffusivity: choose runs, or sweep the lattice" if is_empty else "Diffusivity")
        self.plot.show_numbers(not is_empty)

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
        ask_for_file(self, "Save the plot", "series.png", self._save_or_tell, SAVES, "Pictures (*.png *.jpg)")

    def _save_or_tell(self, path: Path) -> None:
        if self.save_picture(path):
            self._said.setText(f"Saved as {path}.")
        else:
            self._said.setText(f"{path}: cannot be written. Choose another folder, and a name that ends in .png.")

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
    'τ = 6.00 ± 0.40 µs (95 %: 5.2 to ∞ µs), D if excited often 0.1500 ± 0.0030, rarely 0.0150 ± 0.0030 cm²/s; p = 0.21'
    """
    low, high = (f"{end:.3g}" if np.isfinite(end) else "∞" for end in fit.tau_ci95_us)
    return (
        f"τ = {value_with_error(fit.tau_us, fit.tau_error_us)} µs (95 %: {low} to {high} µs), "
        f"D if excited often {value_with_error(fit.d_0_cm2_s[0], fit.d_0_error_cm2_s[0])}, "
        f"rarely {value_with_error(fit.d_inf_cm2_s[0], fit.d_inf_error_cm2_s[0])} cm²/s; p = {fit.p_value:.2g}"
    )


def _fit(table: SeriesTable) -> Relaxation:
    """Fit the relaxation; FitError says why it cannot be done."""
    require_runs(table, FEWEST_POINTS)
    return fit_relaxation(table.enhancement())

"""The lattice beside the microscope: excitons hopping under the light of the recipe, and D_sim against t_exc."""

from __future__ import annotations

import math

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QHideEvent, QShowEvent
from PyQt6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from tplm_daq.errors import Aborted, InputError, TplmError
from tplm_daq.gui.background import LatestJob
from tplm_daq.gui.buttons import push_button
from tplm_daq.gui.excitation import SEED, Excitation, excitation_of, film_lattice, sweep_recipe
from tplm_daq.gui.lattice_film import LatticeFilm
from tplm_daq.gui.lattice_view import LatticeView
from tplm_daq.gui.series_plot import SeriesPlot
from tplm_daq.gui.theme import Theme
from tplm_daq.kmc.observe import Observation
from tplm_daq.recipes.kmc import Lattice
from tplm_daq.workflow.comparison import ComparedRuns
from tplm_daq.workflow.kmc import SweepOutcome, SweepProgress, run_sweep
from tplm_daq.workflow.load import AnyRecipe

FRAME_MS = 40
NO_RECIPE = "There is no recipe whose light could be simulated; the recipe panel says why."


class KmcPanel(QWidget):
    """Shows the lattice while it is visible, and sweeps t_exc when asked to.

    Attributes
    ----------
    swept : signal (object)
        Tuple of `Observation`: the points of the sweep so far, whenever one is added.
    """

    swept = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._excitation: Excitation | None = None
        self._film: LatticeFilm | None = None
        self._points: tuple[Observation, ...] = ()
        self._sweep_number = 0
        self.lattice = LatticeView(Lattice().spacing_nm)
        self.series = SeriesPlot()
        self._light = _label("Excitation that is simulated")
        self._said = _label("State of the simulation")
        self._time_lapse = QCheckBox("time lapse")
        self._time_lapse.setAccessibleName("Show pulse after pulse instead of excitons on their way")
        self._time_lapse.toggled.connect(lambda: self._restart())
        self._hold = push_button("&Hold", "Hold the film, or go on", self._restart)
        self._hold.setCheckable(True)
        self._sweep = push_button("&Sweep t_exc", "Simulate D at several times between excitations", self.sweep)
        self._job = LatestJob("kmc-sweep", self)
        self._job.done.connect(self._show_ending)
        self.swept.connect(self._show_points)
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self._show_frame)
        self._lay_out()
        self.set_recipe(None)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.lattice.set_theme(theme)
        self.series.set_theme(theme)

    def set_recipe(self, recipe: AnyRecipe | None) -> None:
        """Simulate under the light of this recipe, or its lattice; None if there is none."""
        self._excitation = None if recipe is None else excitation_of(recipe)
        self._sweep.setEnabled(recipe is not None)
        self._light.setText(NO_RECIPE if self._excitation is None else self._excitation.text)
        self._restart()

    def show_sweep(self, points: tuple[Observation, ...]) -> None:
        """Draw the points of a sweep that runs elsewhere, in place of those of this panel."""
        if points and points != self._points:
            self._sweep_number += 1
            self._points = points
            self.swept.emit(points)

    def set_runs(self, runs: ComparedRuns) -> None:
        """Draw measured runs, and the truth where there is one, beside D_sim."""
        self.series.set_runs(runs)

    def sweep(self) -> None:
        """Simulate D at several t_exc around the recipe's, instead of a sweep under way."""
        if self._excitation is None:
            return
        self._sweep_number += 1
        number = self._sweep_number
        try:
            recipe = sweep_recipe(self._excitation)
        except InputError as error:
            self._said.setText(str(error))
            return
        self._points = ()
        self._said.setText("simulating …")

        def take_note(progress: SweepProgress) -> None:
            if number != self._sweep_number:
                raise Aborted("another sweep was begun")
            self._points = (*self._points, progress.latest)
            self.swept.emit(self._points)

        self._job.start(lambda: run_sweep(recipe, n_workers=1, on_progress=take_note))

    def stop(self) -> None:
        """End film and sweep; the condition under way is finished in the background."""
        self._sweep_number += 1
        self._end_film()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Run the film."""
        super().showEvent(event)
        self._restart()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Let the processor rest."""
        super().hideEvent(event)
        self._end_film()

    def _restart(self) -> None:
        self._end_film()
        excitation = self._excitation
        if excitation is None or not self.isVisible() or self._hold.isChecked() or excitation.condition.alpha > 1.0:
            return
        lattice = film_lattice(excitation.lattice)
        self._film = LatticeFilm(lattice, excitation.condition, SEED, self._time_lapse.isChecked())
        self._timer.start()

    def _end_film(self) -> None:
        self._timer.stop()
        if self._film is not None:
            self._film.close()
            self._film = None

    def _show_frame(self) -> None:
        frame = None if self._film is None else self._film.latest
        if frame is None:
            return
        snapshot = frame.snapshot
        self.lattice.show_snapshot(snapshot)
        d_sim = "…" if math.isnan(frame.d_sim_cm2_s) else f"{frame.d_sim_cm2_s:.3f} cm²/s"
        self._said.setText(
            f"pulse {frame.n_pulses}, {snapshot.time_ns:.1f} ns after it: {len(snapshot.exciton_nm)} excitons, "
            f"{len(snapshot.fast_nm)} fast sites; D_sim of these pulses {d_sim}"
        )

    def _show_points(self, points: tuple[Observation, ...]) -> None:
        self.series.set_lattice(points)

    def _show_ending(self, outcome: object) -> None:
        if isinstance(outcome, SweepOutcome):
            self._said.setText(f"{len(outcome.points)} conditions in {outcome.seconds:.1f} s")
        elif isinstance(outcome, TplmError) and not isinstance(outcome, Aborted):
            self._said.setText(str(outcome))

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._light, 1)
        for widget in (self._time_lapse, self._hold, self._sweep):
            top.addWidget(widget)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.lattice)
        split.addWidget(self.series)
        split.setSizes([500, 600])
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(split, 1)
        layout.addWidget(self._said)


def _label(name: str) -> QLabel:
    label = QLabel()
    label.setAccessibleName(name)
    label.setWordWrap(True)
    return label

"""The live view: six plots of one run with linked cursors, and of the series it belongs to; or of a file.

A tick draws the map and at most one other plot, so that no tick is long however much has changed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSplitter, QVBoxLayout, QWidget

from tplm_daq.gui.convergence_plot import ConvergencePlot
from tplm_daq.gui.decay_plot import DecayPlot
from tplm_daq.gui.diffusivity_plot import GrowingSeries
from tplm_daq.gui.live_map import LiveMap, Scale
from tplm_daq.gui.msd_plot import MsdPlot
from tplm_daq.gui.one_line import OneLine
from tplm_daq.gui.picture import Picture
from tplm_daq.gui.plots import Cursors, Plot
from tplm_daq.gui.profile_plot import ProfilePlot
from tplm_daq.gui.residual_plot import ResidualPlot
from tplm_daq.gui.theme import COLOUR_MAPS, Theme
from tplm_daq.report.numbers import value_with_error

AGE_STEP_NS = 0.05
POSITION_STEPS = 40
"""Key presses from one end of the path to the other."""
PARTS: dict[str, tuple[str, ...]] = {
    "grown": ("profile",),
    "live": ("profile", "msd"),
    "history": ("convergence",),
    "truth_cm2_s": ("convergence",),
    "target_precision": ("convergence",),
    "derived": ("decay", "residuals"),
    "series": ("series",),
}
"""Which plots show which part of a picture, the map apart."""


class LiveView(QWidget):
    """The plots of a run and what chooses how they are drawn.

    Attributes
    ----------
    closed : signal ()
        The operator wants to see the run again instead of a file.
    cursors : Cursors
        Age and position marked in all plots.
    map : LiveMap
        The time-position map.
    plots : dict of str to Plot
        The other plots by name.
    """

    closed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.cursors = Cursors()
        self.map = LiveMap(self.cursors)
        self.plots: dict[str, Plot] = {
            "profile": ProfilePlot(self.cursors),
            "msd": MsdPlot(self.cursors),
            "decay": DecayPlot(self.cursors),
            "convergence": ConvergencePlot(self.cursors),
            "residuals": ResidualPlot(self.cursors),
            "series": GrowingSeries(),
        }
        self.plots["series"].hide()
        self._picture = Picture()
        self._is_map_due = False
        self._due: deque[str] = deque()
        self._nothing = "No run yet"
        self.title = OneLine(self._nothing)
        self.title.setAccessibleName("Run shown")
        self.back = QPushButton("Back to the run")
        self.back.setToolTip("Show the run under way, or the last one, instead of the file")
        self.back.clicked.connect(self.closed)
        self.back.hide()
        self.scale = _choice("Scale of the map", [scale.value for scale in Scale])
        self.scale.currentTextChanged.connect(lambda text: self.map.set_scale(Scale(text)))
        self.colours = _choice("Colour map", list(COLOUR_MAPS))
        self.colours.currentTextChanged.connect(self.map.set_colour_map)
        self.whole = QPushButton("Whole view")
        self.whole.setToolTip("Undo zooming in all plots (R)")
        self.whole.clicked.connect(self.reset_views)
        self.splitters = self._lay_out()
        self._show_numbers()

    def _lay_out(self) -> list[QSplitter]:
        top = QHBoxLayout()
        top.setContentsMargins(6, 2, 6, 2)
        top.addWidget(self.title, 1)
        top.addWidget(self.back)
        for text, box in (("Map:", self.scale), ("Colours:", self.colours)):
            label = QLabel(text)
            label.setBuddy(box)
            top.addWidget(label)
            top.addWidget(box)
        top.addWidget(self.whole)
        rows = [
            _split(Qt.Orientation.Horizontal, [self.map, self.plots["profile"], self.plots["msd"]], (5, 3, 3)),
            _split(
                Qt.Orientation.Horizontal,
                [self.plots[name] for name in ("decay", "convergence", "residuals", "series")],
                (1, 1, 1, 1),
            ),
        ]
        whole = _split(Qt.Orientation.Vertical, rows, (6, 5))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(whole, 1)
        return [whole, *rows]

    @property
    def picture(self) -> Picture:
        """What is shown, or about to be."""
        return self._picture

    def show_picture(self, picture: Picture, is_file: bool = False) -> None:
        """Take over what is to be drawn; `tick` draws it."""
        old, self._picture = self._picture, picture
        if picture is old:
            return
        self.title.setText((picture.title or self._nothing) + (_found(picture) if is_file else ""))
        self.back.setVisible(is_file)
        self._show_numbers()
        for part, names in PARTS.items():
            if getattr(picture, part) is not getattr(old, part):
                if part in ("grown", "live"):
                    self._is_map_due = True
                self._due.extend(name for name in names if name not in self._due)

    def _show_numbers(self) -> None:
        for plot in (self.map, *self.plots.values()):
            plot.show_numbers(self._picture.grown is not None)

    def propose(self, title: str) -> None:
        """Say what can be done as long as nothing is shown."""
        run = f"F5 runs “{title}”" if title else "The recipe is not complete"
        self._nothing = f"No run yet. {run}; Ctrl+R opens a run file."
        if not self._picture.title:
            self.title.setText(self._nothing)

    def tick(self) -> None:
        """Draw the map if it has changed, and one of the other plots that have."""
        if not self.isVisible():
            return
        if self._is_map_due:
            self._is_map_due = False
            self.map.draw(self._picture)
        if self._due:
            self.plots[self._due.popleft()].draw(self._picture)

    def draw_all(self) -> None:
        """Draw everything at once."""
        for plot in (self.map, *self.plots.values()):
            plot.draw(self._picture)
        self._is_map_due = False
        self._due.clear()

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        for plot in (self.map, *self.plots.values()):
            plot.set_theme(theme)
        self.draw_all()

    def reset_views(self) -> None:
        """Undo zooming in all plots."""
        for plot in (self.map, *self.plots.values()):
            plot.reset_view()
        self.draw_all()

    def next_scale(self) -> None:
        """Draw the map on the next scale."""
        self.scale.setCurrentIndex((self.scale.currentIndex() + 1) % self.scale.count())

    def age_back(self) -> None:
        """Move the cursor to an earlier age."""
        self._step_age(-AGE_STEP_NS)

    def age_on(self) -> None:
        """Move the cursor to a later age."""
        self._step_age(AGE_STEP_NS)

    def position_back(self) -> None:
        """Move the cursor of the position backwards along the path."""
        self._step_position(-1)

    def position_on(self) -> None:
        """Move the cursor of the position forwards along the path."""
        self._step_position(1)

    def _step_age(self, step_ns: float) -> None:
        self.cursors.move_age(max(0.0, round(self.cursors.age_ns + step_ns, 6)))

    def _step_position(self, n_steps: int) -> None:
        grown = self._picture.grown
        if grown is not None:
            along_nm = grown.y_nm if "y" in grown.layout.axis else grown.x_nm
            step_nm = float(along_nm.max() - along_nm.min()) / POSITION_STEPS
            self.cursors.move_position(self.cursors.position_nm + n_steps * step_nm)


def _found(picture: Picture) -> str:
    """Return D with its standard error as text, nothing without a fit."""
    result = picture.result
    if result is None:
        return ""
    d = value_with_error(result.diffusivity_cm2_s, result.standard_error_cm2_s)
    return f" — D {d} cm²/s (standard error)"


def _choice(name: str, texts: list[str]) -> QComboBox:
    box = QComboBox()
    box.addItems(texts)
    box.setAccessibleName(name)
    box.setToolTip(name)
    return box


def _split(orientation: Qt.Orientation, widgets: Sequence[QWidget], shares: tuple[int, ...]) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setChildrenCollapsible(False)
    for place, (widget, share) in enumerate(zip(widgets, shares, strict=True)):
        splitter.addWidget(widget)
        splitter.setStretchFactor(place, share)
    splitter.setSizes([1000 * share for share in shares])
    return splitter

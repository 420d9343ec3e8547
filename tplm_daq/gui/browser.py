"""What has been measured: the runs of a folder with their pictures and D, to open, compare, export and report on.

Files are only read, in threads; a run that is going on is not disturbed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QIcon, QImage, QPixmap, QShowEvent
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from tplm_daq.errors import InputError, NothingLeft
from tplm_daq.gui.background import Job, LatestJob
from tplm_daq.gui.buttons import push_button
from tplm_daq.gui.file_question import FOLDER, ask_for_file
from tplm_daq.gui.run_table import RunTable
from tplm_daq.gui.series_plot import NOTHING, SeriesPlot
from tplm_daq.gui.theme import COLOUR_MAPS, Theme
from tplm_daq.gui.thumbnail import thumbnail
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.store.catalog import Catalogue
from tplm_daq.store.reader import open_run
from tplm_daq.workflow.comparison import ComparedRuns, compare_runs
from tplm_daq.workflow.files import export_run, list_runs, report_runs
from tplm_daq.workflow.resume import rest_of, rig_to_go_on

RESUME = "Measure the rest of a run or series that was cut short"


class RunBrowser(QWidget):
    """Lists the runs of a folder.

    Parameters
    ----------
    folder : Path
        Where to look first; it need not exist yet.
    rig : RigRecipe
        The microscope on which runs can be resumed.

    Attributes
    ----------
    open_requested : signal (Path)
        A run to show in the live view.
    resume_requested : signal (Path)
        A run file, or the folder of a series, whose rest somebody wants.
    compared : signal (object)
        `ComparedRuns` of the selection.
    """

    open_requested = pyqtSignal(Path)
    resume_requested = pyqtSignal(Path)
    compared = pyqtSignal(object)

    def __init__(self, folder: Path, rig: RigRecipe, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rig = rig
        self._is_busy = False
        self._rest: Path | None = None
        self._catalogue = Catalogue(folder, (), ())
        self._is_writing = False
        self._says = {"written": "", "runs": ""}
        self.table = RunTable()
        self.series = SeriesPlot()
        self._folder = QLineEdit(str(folder))
        self._folder.setAccessibleName("Folder with run files")
        self._search = QLineEdit()
        self._search.setAccessibleName("Part of title or sample")
        self._search.setPlaceholderText("part of title or sample")
        self._message = QLabel()
        self._message.setWordWrap(True)
        self._message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # of any path
        self._message.setAccessibleName("Messages about the runs")
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._reading = self._job("catalogue", self._show_catalogue)
        self._drawing = self._job("thumbnail", self._show_thumbnail)
        self._comparing = self._job("comparison", self._show_comparison)
        self._writing = self._job("export", self._show_written)
        self._asking = self._job("resumable", self._show_resumable)
        self._buttons = self._make_buttons()
        self._folder.returnPressed.connect(self.refresh)
        self._search.textChanged.connect(lambda: self._show_runs())
        self.table.chosen.connect(self._on_choice)
        self.table.opened.connect(self.open_requested)
        self._lay_out()
        self._on_choice()

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.table.set_theme(theme)
        self.series.set_theme(theme)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Read the folder when it is looked at."""
        super().showEvent(event)
        self.refresh()

    def set_folder(self, folder: Path) -> None:
        """List the runs of another folder."""
        self._folder.setText(str(folder))
        self.refresh()

    def set_busy(self, is_busy: bool) -> None:
        """Resume nothing while a job is under way."""
        self._is_busy = is_busy
        self._enable()

    def refresh(self) -> None:
        """Read the folder anew."""
        folder = Path(self._folder.text()).expanduser()
        self._say("runs", "reading …")
        self._reading.start(lambda: list_runs(folder))

    def export(self, to: str) -> None:
        """Write the data of the chosen runs as "npz" or "csv" beside them."""
        paths = self.table.chosen_paths()
        self._write(lambda: [export_run(path, to) for path in paths])

    def report(self) -> None:
        """Write one page about the chosen runs beside the first one."""
        paths = self.table.chosen_paths()
        self._write(lambda: [report_runs(paths)])

    def _show_catalogue(self, outcome: object) -> None:
        if not isinstance(outcome, Catalogue):
            self._say("runs", str(outcome))
            outcome = Catalogue(Path(self._folder.text()), (), ())
        else:
            unreadable = [f"⚠ {file.path.name}: {file.reason}" for file in outcome.unreadable]
            n_runs = "1 run" if len(outcome.runs) == 1 else f"{len(outcome.runs)} runs"
            self._say("runs", "\n".join([n_runs, *unreadable]))
        self._catalogue = outcome
        self._show_runs()

    def _show_runs(self) -> None:
        runs = self._catalogue.select(self._search.text()).runs[::-1]
        self.table.show_runs(runs)
        self._draw_next()

    def _draw_next(self) -> None:
        """Draw one thumbnail after the other, the newest first."""
        path = self.table.next_without_picture()
        if path is not None:
            self._drawing.start(lambda: (path, _levels(path)))

    def _show_thumbnail(self, outcome: object) -> None:
        if isinstance(outcome, tuple):
            path, levels = outcome
            self.table.show_picture(path, icon_of(levels))
        self._draw_next()

    def _on_choice(self) -> None:
        paths = self.table.chosen_paths()
        self._rest = None
        self._buttons["resume"].setToolTip(RESUME)
        self._enable()
        if len(paths) == 1:
            self._asking.start(lambda: _resumable(paths[0], self._rig))
        self._comparing.start(lambda: compare_runs(paths) if paths else NOTHING)

    def _show_resumable(self, outcome: object) -> None:
        """Allow to resume the chosen run, or say why it cannot be."""
        if not isinstance(outcome, tuple) or self.table.chosen_paths() != outcome[:1]:
            return
        _, self._rest, refusal = outcome
        self._buttons["resume"].setToolTip(RESUME if refusal is None else str(refusal))
        if refusal is not None and not isinstance(refusal, NothingLeft):
            self._say("runs", str(refusal))
        self._enable()

    def _show_comparison(self, outcome: object) -> None:
        if isinstance(outcome, ComparedRuns):
            self.series.set_runs(outcome)
            self.compared.emit(outcome)
        else:
            self._say("runs", str(outcome))

    def _say(self, about: str, text: str) -> None:
        """Say something about what is "written", which stays in view until more is, or about the "runs"."""
        self._says[about] = text
        self._message.setText("\n".join(filter(None, self._says.values())))

    def _enable(self) -> None:
        """Allow what can be done with what is chosen; one thing is written after the other."""
        n_chosen = len(self.table.chosen_paths())
        for name, button in self._buttons.items():
            button.setEnabled(n_chosen == 1 if name == "open" else n_chosen > 0 and not self._is_writing)
        self._buttons["resume"].setEnabled(self._rest is not None and not self._is_busy)

    def _write(self, job: Job) -> None:
        self._is_writing = True
        self._say("written", "writing …")
        self._enable()
        self._writing.start(job)

    def _show_written(self, outcome: object) -> None:
        self._is_writing = False
        is_written = isinstance(outcome, Sequence) and not isinstance(outcome, str)
        text = "written: " + ", ".join(map(str, outcome)) if is_written else str(outcome)  # type: ignore[call-overload]
        self._say("written", text)
        self._enable()

    def _ask_folder(self) -> None:
        ask_for_file(self, "Folder with run files", self._folder.text(), self.set_folder, FOLDER)

    def _open(self) -> None:
        if len(paths := self.table.chosen_paths()) == 1:
            self.open_requested.emit(paths[0])

    def _resume(self) -> None:
        if self._rest is not None:
            self.resume_requested.emit(self._rest)

    def _job(self, name: str, show: Callable[[object], None]) -> LatestJob:
        job = LatestJob(name, self)
        job.done.connect(show)
        return job

    def _make_buttons(self) -> dict[str, QPushButton]:
        return {
            "open": push_button("&Open", "Open the run in the live view, read only", self._open),
            "resume": push_button("Res&ume", RESUME, self._resume),
            "report": push_button("&Report", "Write a page about the chosen runs", self.report),
            "npz": push_button("&npz", "Export the data of the chosen runs as npz", partial(self.export, "npz")),
            "csv": push_button("&csv", "Export the data of the chosen runs as csv", partial(self.export, "csv")),
        }

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._folder, 2)
        top.addWidget(push_button("Folder…", "Choose another folder", self._ask_folder))
        top.addWidget(push_button("Refresh", "Read the folder anew", self.refresh))
        top.addWidget(self._search, 1)
        for button in self._buttons.values():
            top.addWidget(button)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(self.series)
        split.setSizes([300, 300])
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(split, 1)
        layout.addWidget(self._message)


def _resumable(path: Path, rig: RigRecipe) -> tuple[Path, Path | None, InputError | None]:
    """Return a run, what is resumed to complete it, and why nothing can be."""
    rest = rest_of(path)
    try:
        rig_to_go_on(rest, rig)
    except InputError as error:
        return path, None, error
    return path, rest, None


def _levels(path: Path) -> NDArray[np.uint8]:
    """Return the thumbnail of a run; a run without counts is dark."""
    try:
        return thumbnail(open_run(path).map())
    except InputError:
        return np.zeros((1, 1), dtype=np.uint8)


def icon_of(levels: NDArray[np.uint8]) -> QIcon:
    """Return a picture in the colours of the maps."""
    colours = pg.colormap.get(COLOUR_MAPS[0]).getLookupTable(nPts=256)
    pixels = np.ascontiguousarray(colours[levels][..., :3].astype(np.uint8))
    height, width = levels.shape
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    return QIcon(QPixmap.fromImage(image).scaled(QSize(96, 48), Qt.AspectRatioMode.IgnoreAspectRatio))

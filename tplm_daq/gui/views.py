"""The tabs of the window, and how they feed one another."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QStackedWidget, QTabWidget

from tplm_daq.gui.align_view import AlignView
from tplm_daq.gui.align_watch import AlignPicture
from tplm_daq.gui.browser import RunBrowser
from tplm_daq.gui.device_panel import DevicePanel
from tplm_daq.gui.kmc_panel import KmcPanel
from tplm_daq.gui.live_view import LiveView
from tplm_daq.gui.queue_panel import QueuePanel
from tplm_daq.gui.recipe_panel import RecipePanel
from tplm_daq.gui.status import Status
from tplm_daq.gui.theme import Theme
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.recipes.series import SeriesRecipe
from tplm_daq.workflow.load import AnyRecipe
from tplm_daq.workflow.session import RigSession


class Views(QTabWidget):
    """Live view, recipe, queue, devices, lattice, and runs.

    Parameters
    ----------
    rig : RigRecipe
        The microscope.
    session : RigSession
        Its devices outside a scan.
    folder : Path
        Where run files go.

    Attributes
    ----------
    run_requested : signal (object, object)
        A recipe and the `RigRecipe` to run, from the form or the queue.
    open_requested : signal (Path)
        A run file to show in the live view.
    resume_requested : signal (Path)
        A run file, or the folder of a series, whose rest is to be measured.
    """

    run_requested = pyqtSignal(object, object)
    open_requested = pyqtSignal(Path)
    resume_requested = pyqtSignal(Path)

    def __init__(self, rig: RigRecipe, session: RigSession, folder: Path) -> None:
        super().__init__()
        self.live = LiveView()
        self.alignment = AlignView()
        self._shown_live = QStackedWidget()
        for page in (self.live, self.alignment):
            self._shown_live.addWidget(page)
        self.recipe = RecipePanel(rig, folder)
        self.queue = QueuePanel()
        self.devices = DevicePanel(session)
        self.kmc = KmcPanel()
        self.browser = RunBrowser(folder, rig)
        names = ("Live", "Recipe", "Queue", "Devices", "Lattice", "Runs and series")
        views = (self._shown_live, self.recipe, self.queue, self.devices, self.kmc, self.browser)
        for name, view in zip(names, views, strict=True):
            self.addTab(view, name)
        self._connect()

    def set_theme(self, theme: Theme) -> None:
        """Give all views these colours."""
        for view in (self.live, self.alignment, self.recipe, self.devices, self.kmc, self.browser):
            view.set_theme(theme)

    def set_busy(self, is_busy: bool, uses_rig: bool = True) -> None:
        """Allow no second job while one is under way, and no other use of the rig if that uses it."""
        for view in (self.recipe, self.queue, self.browser):
            view.set_busy(is_busy)
        self.devices.set_busy(is_busy and uses_rig)

    def show_status(self, status: Status) -> None:
        """Show what the latest point tells of the devices."""
        if status.row is not None and status.is_busy:
            self.devices.show_point(status.row)

    def run_ended(self, reason: str) -> None:
        """Take note that a run is over, and why if it failed: the next in the queue may begin."""
        self.set_busy(False)
        self.browser.refresh()
        self.queue.run_ended(reason)

    def show_live(self) -> None:
        """Show the live view of a scan, and let its keys work."""
        self._shown_live.setCurrentWidget(self.live)
        self.setCurrentWidget(self._shown_live)
        self.live.map.canvas.setFocus()

    def show_alignment(self, picture: AlignPicture | None) -> None:
        """Show how an alignment goes, if there is one."""
        if picture is not None:
            self.alignment.show_picture(picture)

    def follow(self, recipe: AnyRecipe) -> None:
        """Show the view in which a recipe that begins is watched."""
        match recipe:
            case KmcRecipe():
                self.setCurrentWidget(self.kmc)
            case ScanRecipe() | SeriesRecipe():
                self.show_live()
            case _:
                self._shown_live.setCurrentWidget(self.alignment)
                self.setCurrentWidget(self._shown_live)
                self.alignment.places.canvas.setFocus()

    def show_next(self, by: int) -> None:
        """Show the view so many places further on, and let its keys work."""
        self.setCurrentIndex((self.currentIndex() + by) % self.count())
        if self.currentWidget() is self._shown_live:
            is_scan = self._shown_live.currentWidget() is self.live
            (self.live.map if is_scan else self.alignment.places).canvas.setFocus()

    def what_would_be_lost(self) -> str:
        """Return what is kept nowhere and lost when the window closes, as half a sentence; empty if nothing is."""
        n_runs, unsaved = len(self.queue.runs), self.recipe.unsaved
        lost = ["1 run of the queue" if n_runs == 1 else f"{n_runs} runs of the queue"] if n_runs else []
        if unsaved:
            lost.append(f"what was changed in the form ({', '.join(unsaved)}) and not saved")
        return f"{' and '.join(lost)} will be lost" if lost else ""

    def show_named(self, name: str) -> None:
        """Show the view of this name."""
        self.setCurrentIndex(next(i for i in range(self.count()) if self.tabText(i) == name))

    def _connect(self) -> None:
        self.recipe.run_requested.connect(self.run_requested)
        self.recipe.queue_requested.connect(self.queue.add)
        self.recipe.recipe_changed.connect(lambda: self.kmc.set_recipe(self.recipe.recipe()))
        self.queue.run_requested.connect(self.run_requested)
        self.queue.changed.connect(self._count_queue)
        self.queue.edit_requested.connect(self._edit)
        self.browser.open_requested.connect(self.open_requested)
        self.browser.resume_requested.connect(self.resume_requested)
        self.browser.compared.connect(self.kmc.set_runs)
        self.kmc.swept.connect(self.browser.series.set_lattice)
        self.kmc.set_recipe(self.recipe.recipe())

    def _count_queue(self, n_runs: int) -> None:
        self.setTabText(self.indexOf(self.queue), f"Queue ({n_runs})" if n_runs else "Queue")

    def _edit(self, recipe: AnyRecipe) -> None:
        self.recipe.set_recipe(recipe)
        self.setCurrentWidget(self.recipe)

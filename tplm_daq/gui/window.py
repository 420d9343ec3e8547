"""The operator's window: puts the parts together, connects what steers, and draws what has changed."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QSettings, Qt, QTimer
from PyQt6.QtGui import QCloseEvent, QShowEvent
from PyQt6.QtWidgets import QDialog, QMainWindow

from tplm_daq.errors import InputError, TplmError
from tplm_daq.gui.background import LatestJob
from tplm_daq.gui.bridge import Bridge
from tplm_daq.gui.crash_dialog import Crashes
from tplm_daq.gui.endings import AnyOutcome, reason_of
from tplm_daq.gui.file_question import ask_for_file
from tplm_daq.gui.frame import lay_out
from tplm_daq.gui.help import HelpDialog, TourDialog, connect_keys, show_once
from tplm_daq.gui.layout_memory import bring_back, remember
from tplm_daq.gui.log_panel import LogPanel
from tplm_daq.gui.message_bar import MessageBar
from tplm_daq.gui.picture import Picture, picture_of_file
from tplm_daq.gui.questions import Questions
from tplm_daq.gui.recipe_kinds import is_measured
from tplm_daq.gui.recipe_panel import YAML_FILES
from tplm_daq.gui.resuming import Resumable, Resuming
from tplm_daq.gui.run_bar import RunBar
from tplm_daq.gui.theme import DARK, LIGHT, THEMES, Theme, apply_theme
from tplm_daq.gui.views import Views
from tplm_daq.recipes.load import shipped_configs
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.workflow.load import AnyRecipe
from tplm_daq.workflow.nobody import Nobody
from tplm_daq.workflow.session import RigSession

TICK_MS = 33


class Window(QMainWindow):
    """The window of one rig.

    Parameters
    ----------
    rig : RigRecipe
        The microscope.
    settings : QSettings
        Where layout and theme are remembered.
    folder : Path
        Where run files go.
    """

    def __init__(self, rig: RigRecipe, settings: QSettings, folder: Path) -> None:
        super().__init__()
        self._rig = rig
        self._settings = settings
        self._folder = folder
        self._theme = THEMES.get(settings.value("theme"), DARK)
        apply_theme(self._theme)
        self._file: Picture | None = None
        self._is_closing = False
        self.bridge = Bridge()
        self.crashes = Crashes(self, folder)
        self.session = RigSession(rig, Nobody())
        self.questions = Questions(self)
        self.opener = LatestJob("opening", self)
        self.resuming = Resuming(rig, self)
        self.run_bar = RunBar()
        self.messages = MessageBar()
        self.views = Views(rig, self.session, folder)
        self.live = self.views.live
        self.log = LogPanel()
        self._timer = QTimer(self)
        self._lay_out()
        self._connect()
        self._restore()
        self._timer.start(TICK_MS)

    @property
    def is_occupied(self) -> bool:
        """Whether a job is under way, or about to go on."""
        return self.bridge.is_busy or self.resuming.is_busy

    def open_recipe_file(self, name: str | Path) -> None:
        """Edit a recipe; say what is wrong with it if something is."""
        try:
            self.views.recipe.set_recipe(name)
        except InputError as error:
            self.messages.tell("bad", str(error))

    def show_run(self, path: Path) -> None:
        """Read a run file in the background and show it in the live view, until the run is wanted again."""
        self.opener.start(lambda: picture_of_file(path))

    def run_recipe(self) -> None:
        """Start the recipe."""
        recipe, refusal = self.views.recipe.recipe(), self.views.recipe.refusal
        if recipe is None or refusal:
            self.messages.tell("doubtful", f"Nothing was started: {refusal.rstrip('.')}.")
            self.views.setCurrentWidget(self.views.recipe)
        else:
            self._run(recipe, self._rig)

    def resume_run(self, path: Path) -> None:
        """Measure the rest of a run file, or of the series in a folder."""
        if not self.is_occupied:
            self.messages.hide()
            self.views.set_busy(True)
            self.resuming.start(path)

    def pause_or_go_on(self) -> None:
        """Hold the scan, or go on."""
        if self.bridge.status().is_held:
            self.bridge.resume()
        else:
            self.bridge.pause()

    def finish_pass(self) -> None:
        """End the scan after the pass under way."""
        self.bridge.finish_pass()

    def abort(self) -> None:
        """End the scan now."""
        self.bridge.abort()

    def light_off(self) -> None:
        """Put the light out, whatever else goes on."""
        self.bridge.light_off()

    def open_recipe(self) -> None:
        """Ask for a recipe file."""
        ask_for_file(self, "Open a recipe", shipped_configs(), self.open_recipe_file, kinds=YAML_FILES)

    def open_run(self) -> None:
        """Ask for a run file."""
        ask_for_file(self, "Open a run file", self._folder, self.show_run, kinds="Run files (*.h5)")

    def show_help(self) -> None:
        """Show the keys."""
        show_once(self, HelpDialog, lambda dialog: dialog.tour.clicked.connect(self.show_tour))

    def show_tour(self) -> None:
        """Show what is where."""
        show_once(self, TourDialog, lambda dialog: dialog.turned.connect(self.views.show_named))

    def next_theme(self) -> None:
        """Change between dark and light."""
        self.set_theme(LIGHT if self._theme is DARK else DARK)

    def full_screen(self) -> None:
        """Fill the screen, or give it back."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def next_view(self) -> None:
        """Show the next view."""
        self.views.show_next(1)

    def view_before(self) -> None:
        """Show the view before."""
        self.views.show_next(-1)

    def end_and_close(self) -> None:
        """End the scan, if there is one, and close the window once the rig is safe."""
        self._is_closing = True
        self.bridge.abort()
        if not self.bridge.is_busy:
            self.close()

    def set_theme(self, theme: Theme) -> None:
        """Give everything these colours."""
        self._theme = theme
        apply_theme(theme)
        for part in (self.run_bar, self.messages, self.views, self.log):
            part.set_theme(theme)

    def tick(self) -> None:
        """Show what has changed."""
        status, picture = self.bridge.status(), self.bridge.picture()
        self.run_bar.show_status(status)
        self.messages.show_waiting(status.waiting)
        self.run_bar.show_result(picture)
        self.views.show_status(status)
        self.views.show_alignment(self.bridge.alignment())
        self.views.kmc.show_sweep(self.bridge.swept())
        self.live.show_picture(picture if self._file is None else self._file, is_file=self._file is not None)
        self.live.tick()
        self.log.refresh()
        self.questions.close_answered()

    def showEvent(self, event: QShowEvent | None) -> None:
        """At the first start, welcome the operator, once the window stands behind the tour."""
        super().showEvent(event)
        if self._settings.value("is_toured") is None:
            self._settings.setValue("is_toured", True)
            QTimer.singleShot(0, self.show_tour)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Ask while a scan is under way; remember the layout, and leave nothing behind."""
        assert event is not None
        if self.bridge.is_busy:
            event.ignore()
            if not self._is_closing:
                self.questions.ask_to_end(self.end_and_close)
            return
        if not self._is_closing and (lost := self.views.what_would_be_lost()):
            event.ignore()
            self.questions.ask_to_lose(lost, self.end_and_close)
            return
        remember(self._settings, self, self.live.splitters)
        self._settings.setValue("theme", self._theme.name)
        self._timer.stop()
        self.questions.close()
        for dialog in self.findChildren(QDialog):
            dialog.close()
        self.resuming.stop()
        self.bridge.close()
        self.views.kmc.stop()
        self.session.release()
        self.log.stop()
        self.crashes.uninstall()
        event.accept()

    def _lay_out(self) -> None:
        self.run_bar.set_rig(self._rig)
        lay_out(self, self._rig, (self.run_bar, self.messages, self.views), self.log)

    def _connect(self) -> None:
        self.run_bar.connect_to(self)
        connect_keys(self, self.live)
        self.bridge.before_scan.append(self.session.release)
        self.bridge.light_paths.append(self.session.put_light_out)
        self.bridge.ended.connect(self._tell_ending)
        self.bridge.asked.connect(self.questions.ask)
        self.bridge.light_answered.connect(lambda is_out, text: self.messages.tell("good" if is_out else "bad", text))
        self.views.run_requested.connect(self._run)
        self.views.open_requested.connect(self.show_run)
        for asker in (self.views, self.messages):
            asker.resume_requested.connect(self.resume_run)
        self.resuming.ready.connect(self._go_on)
        self.resuming.refused.connect(self._refuse)
        self.views.recipe.recipe_changed.connect(self._propose)
        self._propose()
        self.opener.done.connect(self._show_file)
        self.live.closed.connect(self._show_live)
        self.crashes.install()
        self._timer.timeout.connect(self.tick)

    def _restore(self) -> None:
        """Bring back how the window was left."""
        settings = self._settings
        self.resize(1366, 740)
        bring_back(settings, self, self.live.splitters)
        self.set_theme(self._theme)

    def _propose(self) -> None:
        """Say what F5 would run."""
        recipe = self.views.recipe.recipe()
        self.run_bar.propose("" if recipe is None else recipe.title)
        self.live.propose("" if recipe is None else recipe.title)

    def _run(self, recipe: AnyRecipe, rig: RigRecipe) -> None:
        if not self.is_occupied:
            self._make_way(recipe)
            self.bridge.start(recipe, rig, self._folder)

    def _go_on(self, resumable: Resumable) -> None:
        self._make_way(resumable.recipe)
        self.bridge.start_rest(resumable)

    def _refuse(self, reason: str) -> None:
        self.messages.tell("bad", reason)
        self.views.run_ended("")

    def _make_way(self, recipe: AnyRecipe) -> None:
        self.messages.hide()
        self.log.take_error()
        self._show_live()
        self.views.follow(recipe)
        self.views.set_busy(True, is_measured(recipe))

    def _tell_ending(self, ending: AnyOutcome | BaseException) -> None:
        if isinstance(ending, BaseException) and not isinstance(ending, TplmError):
            self.crashes.show(ending)
        else:
            self.messages.tell_ending(ending, self.log.take_error())
        if self._is_closing:
            self.close()
            return
        self.views.run_ended(reason_of(ending))

    def _show_file(self, outcome: object) -> None:
        if isinstance(outcome, Picture):
            self._file = outcome
            self.views.show_live()
            self.live.reset_views()
        else:
            self.messages.tell("bad", str(outcome))

    def _show_live(self) -> None:
        self._file = None

"""Between the window and the jobs: starts and steers one, and hands out consistent views of how it goes.

A job runs in a thread of its own, which owns the devices; so do the figures that are worked out beside the fit, and
putting the light out. The window's thread only ever reads what is there already. What goes wrong in a thread reaches
the window as a value: a `TplmError` that says what to do, or an unforeseen exception for the crash dialog.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from tplm_daq.errors import LightMayBeOnError, TplmError
from tplm_daq.gui.align_watch import AlignPicture
from tplm_daq.gui.asking import WindowOperator
from tplm_daq.gui.endings import AnyOutcome, error_of, words_of
from tplm_daq.gui.picture import Picture
from tplm_daq.gui.resuming import Resumable
from tplm_daq.gui.scene import Scene
from tplm_daq.gui.status import Light, Status
from tplm_daq.kmc.observe import Observation
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.workflow.align_job import AlignJob
from tplm_daq.workflow.jobs import make_job
from tplm_daq.workflow.load import AnyRecipe
from tplm_daq.workflow.resume_run import ResumeJob
from tplm_daq.workflow.scan import ScanJob
from tplm_daq.workflow.series import SeriesJob
from tplm_daq.workflow.sweep_job import SweepJob

logger = logging.getLogger(__name__)

AnyJob = ScanJob | SeriesJob | ResumeJob | AlignJob | SweepJob
FIGURES_EVERY_S = 0.5
LEVELS = {"good": logging.INFO, "doubtful": logging.WARNING, "bad": logging.ERROR}

NOBODY_ASKED = (
    "No device is connected, so nobody was asked to put the light out. "
    "If the laser is on, turn its key switch off by hand."
)


class Bridge(QObject):
    """Starts, steers and watches one job at a time.

    Attributes
    ----------
    ended : signal (object)
        What came of a job, or the exception that kept it from having an outcome.
    asked : signal (object)
        A `Question` for the operator.
    light_answered : signal (bool, str)
        Whether the light is out, and what to tell the operator.
    before_scan : list of callable
        Called in the job's thread before the rig is opened: whoever holds the rig lets go of it.
    light_paths : list of callable
        Put the light out where a rig is open outside a job; they return whether there was anybody to ask, and raise
        TplmError if nobody confirms.
    """

    ended = pyqtSignal(object)
    asked = pyqtSignal(object)
    light_answered = pyqtSignal(bool, str)

    def __init__(self) -> None:
        super().__init__()
        self.before_scan: list[Callable[[], None]] = []
        self.light_paths: list[Callable[[], bool]] = []
        self._job: AnyJob | None = None
        self._scene: Scene | None = None
        self._light = Light.UNKNOWN
        self._threads: list[threading.Thread] = []

    @property
    def is_busy(self) -> bool:
        """Whether a job is under way."""
        return self._scene is not None and self._scene.is_busy

    def start(self, recipe: AnyRecipe, rig: RigRecipe, folder: Path) -> None:
        """Begin what a recipe asks for; files go into `folder`. The window must not be busy."""
        scene = Scene(recipe, rig, self.status(), self.picture() if isinstance(recipe, KmcRecipe) else Picture())
        self._begin(self._make_job(recipe, rig, folder, scene), scene)

    def start_rest(self, resumable: Resumable) -> None:
        """Go on with a run or a series that was cut short. The window must not be busy."""
        scene = Scene(resumable.recipe, resumable.rig, self.status(), Picture())
        self._begin(resumable.job(self._operator(resumable.operator)), scene)

    def pause(self) -> None:
        """Hold the scan before its next point, if what is under way can be held."""
        if self.status().can_pause:
            self._steer(lambda job: job.pause())

    def resume(self) -> None:
        """Go on after a pause."""
        self._steer(lambda job: job.resume())

    def finish_pass(self) -> None:
        """End the scan after the pass under way, if what is under way has passes."""
        if self.status().has_passes:
            self._steer(lambda job: job.finish_pass())

    def abort(self) -> None:
        """End the job as soon as possible; what is measured is kept."""
        self._steer(lambda job: job.abort("ended by the operator"))

    def light_off(self) -> None:
        """Put the light out at once, over connections of its own, and end the job; returns at once."""
        self._spawn("light-off", self._put_light_out)

    def status(self) -> Status:
        """Return where the job is."""
        if self._scene is None or self._job is None:
            return Status(light=self._light)
        return replace(self._scene.status(), is_held=self._job.is_held, is_last_pass=self._job.is_last_pass)

    def picture(self) -> Picture:
        """Return what is to be drawn; parts that have not changed are the same objects as before."""
        if self._scene is None or self._job is None:
            return Picture()
        return self._scene.picture(self._job.latest)

    def alignment(self) -> AlignPicture | None:
        """Return what is to be drawn of an alignment, None if the latest job is none."""
        return None if self._scene is None else self._scene.alignment()

    def swept(self) -> tuple[Observation, ...]:
        """Return the points of a lattice sweep, none if the latest job is none."""
        return () if self._scene is None else self._scene.points

    def close(self) -> None:
        """End everything and wait for it; the rig is safe when this returns."""
        self.abort()
        for thread in self._threads:
            thread.join()

    def _make_job(self, recipe: AnyRecipe, rig: RigRecipe, folder: Path, scene: Scene) -> AnyJob:
        if isinstance(recipe, KmcRecipe):
            return SweepJob(recipe, folder, scene.on_sweep)
        return make_job(recipe, rig, folder, self._operator(recipe.operator), with_report=False)

    def _operator(self, name: str) -> WindowOperator:
        return WindowOperator(name or "somebody at the window", self.asked.emit, self._is_unwanted)

    def _begin(self, job: AnyJob, scene: Scene) -> None:
        job.listeners.append(scene.on_event)
        if isinstance(job, SeriesJob):
            job.on_condition.append(scene.on_condition)
        if isinstance(job, ResumeJob):
            job.on_past.append(scene.on_past)
        self._job, self._scene = job, scene
        self._spawn("runner", lambda: self._run(job, scene))

    def _steer(self, act: Callable[[AnyJob], None]) -> None:
        if self._job is not None and self.is_busy:
            act(self._job)

    def _is_unwanted(self) -> bool:
        return self._job is not None and self._job.abort_message is not None

    def _spawn(self, name: str, work: Callable[[], None]) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=work, name=name)
        self._threads.append(thread)
        thread.start()

    def _run(self, job: AnyJob, scene: Scene) -> None:
        stopped = threading.Event()
        figures = threading.Thread(target=_work_out, args=(job, scene, stopped), name="figures")
        figures.start()
        ending: AnyOutcome | BaseException
        is_measured = not isinstance(job, SweepJob)
        logger.info("%s begins", job.recipe.title)
        try:
            for release in self.before_scan if is_measured else ():
                release()
            ending = job.run()
            scene.finish(ending)
        except TplmError as error:
            ending = error
        except Exception as error:  # the window shows it, with its trace, and goes on
            logger.exception("the job ended in a way that nobody foresaw")
            ending = error
        stopped.set()
        figures.join()
        light = Light.MAY_BE_ON if isinstance(error_of(ending), LightMayBeOnError) else Light.OUT
        kind, text = words_of(ending)
        logger.log(LEVELS[kind], "%s: %s", job.recipe.title, text)
        scene.end(light if is_measured else None, kind)
        self.ended.emit(ending)

    def _put_light_out(self) -> None:
        """Try every open rig; several failures are told together."""
        failed: list[str] = []
        told: list[str] = []
        paths = list(self.light_paths)
        if self._job is not None and self.is_busy and not isinstance(self._job, SweepJob):
            paths.insert(0, partial(_put_out, self._job, told))
        is_anybody_asked = False
        for put_out in paths:
            try:
                is_anybody_asked |= put_out()
            except TplmError as error:
                failed.append(str(error))
        if failed:
            self._set_light(Light.MAY_BE_ON)
            logger.error("light off: %s", "; ".join(failed))
            self.light_answered.emit(False, "\n".join(failed))
            return
        if not is_anybody_asked:
            self.light_answered.emit(False, NOBODY_ASKED)
            return
        self._set_light(Light.OUT)
        text = "The light is out." + (f" Not confirmed by every path: {'; '.join(told)}" if told else "")
        logger.warning("light off by the operator: %s", text)
        self.light_answered.emit(True, text)

    def _set_light(self, light: Light) -> None:
        self._light = light
        if self._scene is not None:
            self._scene.set_light(light)


def _work_out(job: AnyJob, scene: Scene, stopped: threading.Event) -> None:
    while not stopped.wait(FIGURES_EVERY_S):
        scene.work_out(job.latest)


def _put_out(job: ScanJob | SeriesJob | ResumeJob | AlignJob, told: list[str]) -> bool:
    """Put the light of a job out, and add what failed on the way to `told`; tell whether there was anybody to ask."""
    is_asked = job.has_light
    told.extend(job.put_light_out())
    return is_asked

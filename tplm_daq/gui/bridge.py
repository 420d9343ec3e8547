"""Between the window and the runner: starts and steers a scan, and hands out consistent views of how it goes.

The scan runs in a thread of its own, which owns the devices; so do the figures that are worked out beside the fit, and
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

from tplm_daq.acquire.events import Event, Notice, PointDone, RunState, StateChanged
from tplm_daq.errors import LightMayBeOnError, TplmError
from tplm_daq.gui.asking import WindowOperator
from tplm_daq.gui.derived import derive
from tplm_daq.gui.growing import GrowingMap
from tplm_daq.gui.picture import History, Picture, conditions
from tplm_daq.gui.status import Light, Status, StopWatch
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.workflow.live import LiveResult
from tplm_daq.workflow.outcome import ScanOutcome
from tplm_daq.workflow.scan import ScanJob

logger = logging.getLogger(__name__)

FIGURES_EVERY_S = 0.5
LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


NOBODY_ASKED = (
    "No device is connected, so nobody was asked to put the light out. "
    "If the laser is on, turn its key switch off by hand."
)


class Bridge(QObject):
    """Starts, steers and watches one scan at a time.

    Attributes
    ----------
    ended : signal (object)
        A `ScanOutcome`, or the exception that kept the scan from having one.
    asked : signal (object)
        A `Question` for the operator.
    light_answered : signal (bool, str)
        Whether the light is out, and what to tell the operator.
    before_scan : list of callable
        Called in the scan's thread before the rig is opened: whoever holds the rig lets go of it.
    light_paths : list of callable
        Put the light out where a rig is open outside a scan; they return whether there was anybody to ask, and raise
        TplmError if nobody confirms.
    """

    ended = pyqtSignal(object)
    asked = pyqtSignal(object)
    light_answered = pyqtSignal(bool, str)

    def __init__(self) -> None:
        super().__init__()
        self.before_scan: list[Callable[[], None]] = []
        self.light_paths: list[Callable[[], bool]] = []
        self._lock = threading.Lock()
        self._status = Status()
        self._picture = Picture()
        self._job: ScanJob | None = None
        self._growing: GrowingMap | None = None
        self._history = History()
        self._watch = StopWatch()
        self._threads: list[threading.Thread] = []

    @property
    def is_busy(self) -> bool:
        """Whether a scan is under way."""
        return self._status.is_busy

    def start(self, recipe: ScanRecipe, rig: RigRecipe, folder: Path) -> None:
        """Begin a scan; its run file goes into `folder`. The window must not be busy."""
        operator = WindowOperator(
            recipe.session.operator or "somebody at the window", self.asked.emit, self._is_unwanted
        )
        job = ScanJob(recipe, rig, folder, operator, listeners=[self._on_event])
        self._growing, self._history, self._watch = GrowingMap(recipe), History(), StopWatch()
        target = recipe.passes.target_precision
        with self._lock:
            self._job = job
            self._status = Status(is_busy=True, light=Light.OUT)
            self._picture = Picture(recipe.title, recipe.analysis.window_ns, target_precision=target)
        self._spawn("runner", lambda: self._run(job, self._growing_now()))

    def pause(self) -> None:
        """Hold the scan before its next point."""
        self._steer(ScanJob.pause)

    def resume(self) -> None:
        """Go on after a pause."""
        self._steer(ScanJob.resume)

    def finish_pass(self) -> None:
        """End the scan after the pass under way."""
        self._steer(ScanJob.finish_pass)

    def abort(self) -> None:
        """End the scan as soon as possible; what is measured is kept."""
        self._steer(lambda job: job.abort("ended by the operator"))

    def light_off(self) -> None:
        """Put the light out at once, over connections of its own, and end the scan; returns at once."""
        self._spawn("light-off", self._put_light_out)

    def status(self) -> Status:
        """Return where the scan is."""
        with self._lock:
            return replace(self._status, left_s=self._watch.left_s(self._status.n_done, self._status.n_points))

    def picture(self) -> Picture:
        """Return what is to be drawn; parts that have not changed are the same objects as before."""
        with self._lock:
            if self._job is not None and self._growing is not None and self._status.is_busy:
                grown, live = self._growing.latest(), self._job.latest
                if live is not None and live is not self._picture.live and live.result is not None:
                    self._history.add(live.result)
                self._picture = replace(self._picture, grown=grown, live=live, history=self._history.steps)
            return self._picture

    def close(self) -> None:
        """End everything and wait for it; the rig is safe when this returns."""
        self.abort()
        for thread in self._threads:
            thread.join()

    def _growing_now(self) -> GrowingMap:
        assert self._growing is not None
        return self._growing

    def _steer(self, act: Callable[[ScanJob], None]) -> None:
        if self._job is not None and self.is_busy:
            act(self._job)

    def _is_unwanted(self) -> bool:
        return self._job is not None and self._job.abort_message is not None

    def _spawn(self, name: str, work: Callable[[], None]) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=work, name=name)
        self._threads.append(thread)
        thread.start()

    def _run(self, job: ScanJob, growing: GrowingMap) -> None:
        stopped = threading.Event()
        figures = threading.Thread(target=self._work_out, args=(job, growing, stopped), name="figures")
        figures.start()
        ending: ScanOutcome | BaseException
        final: Picture | None = None
        try:
            for release in self.before_scan:
                release()
            ending = job.run()
            final = self._final_picture(job, growing, ending)
        except TplmError as error:
            ending = error
        except Exception as error:  # the window shows it, with its trace, and goes on
            logger.exception("the scan ended in a way that nobody foresaw")
            ending = error
        stopped.set()
        figures.join()
        reason = ending.error if isinstance(ending, ScanOutcome) else ending
        light = Light.MAY_BE_ON if isinstance(reason, LightMayBeOnError) else Light.OUT
        with self._lock:
            self._picture = final or self._picture
            self._status = replace(self._status, state=RunState.FINISHED, is_busy=False, light=light)
        self.ended.emit(ending)

    def _work_out(self, job: ScanJob, growing: GrowingMap, stopped: threading.Event) -> None:
        pixel = conditions(job.recipe, job.rig_recipe.optics.pixel_nm)
        drawn = None
        while not stopped.wait(FIGURES_EVERY_S):
            grown, live = growing.latest(), job.latest
            if grown is not None and grown is not drawn:
                derived = derive(grown, None if live is None else live.result, *pixel)
                with self._lock:
                    self._picture = replace(self._picture, derived=derived)
                drawn = grown

    def _final_picture(self, job: ScanJob, growing: GrowingMap, outcome: ScanOutcome) -> Picture:
        """Return the picture with the final fit in place of the live one."""
        picture, grown, result = self.picture(), growing.latest(), outcome.result
        if grown is None:
            return picture
        if result is not None:
            self._history.add(result)
        truth = (outcome.truth or {}).get("diffusivity_cm2_s")
        return replace(
            picture,
            grown=grown,
            live=LiveResult(result, outcome.n_points, outcome.fit_error or ""),
            history=self._history.steps,
            derived=derive(grown, result, *conditions(job.recipe, job.rig_recipe.optics.pixel_nm)),
            truth_cm2_s=float(truth) if isinstance(truth, int | float) else None,
        )

    def _put_light_out(self) -> None:
        """Try every open rig; several failures are told together."""
        failed: list[str] = []
        told: list[str] = []
        paths = list(self.light_paths)
        if self._job is not None and self.is_busy:
            job = self._job
            paths.insert(0, partial(_put_out, job, told))
        is_anybody_asked = False
        for put_out in paths:
            try:
                is_anybody_asked |= put_out()
            except TplmError as error:
                failed.append(str(error))
        if failed:
            with self._lock:
                self._status = replace(self._status, light=Light.MAY_BE_ON)
            logger.error("light off: %s", "; ".join(failed))
            self.light_answered.emit(False, "\n".join(failed))
            return
        if not is_anybody_asked:
            self.light_answered.emit(False, NOBODY_ASKED)
            return
        with self._lock:
            self._status = replace(self._status, light=Light.OUT)
        text = "The light is out." + (f" Not confirmed by every path: {'; '.join(told)}" if told else "")
        logger.warning("light off by the operator: %s", text)
        self.light_answered.emit(True, text)

    def _on_event(self, event: Event) -> None:
        """Take note of what happened (in the runner's thread)."""
        if isinstance(event, Notice):
            logger.log(LEVELS[event.level], "%s", event.text)
            return
        with self._lock:
            if isinstance(event, StateChanged):
                self._watch.enter(event.state)
                light = Light.ON if event.state in (RunState.RUNNING, RunState.PAUSED) else self._status.light
                self._status = replace(self._status, state=event.state, light=light)
            elif isinstance(event, PointDone):
                self._status = replace(self._status, row=event.row, n_done=event.n_done, n_points=event.n_points)
        if isinstance(event, PointDone):
            row = event.row
            self._growing_now().add(row.index, row.path_nm, row.live_s, event.counts)


def _put_out(job: ScanJob, told: list[str]) -> bool:
    """Put the light of a scan out; add what failed on the way to `told`."""
    told.extend(job.put_light_out())
    return True

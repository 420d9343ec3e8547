"""What is known of one job of any kind: events come in from its threads, consistent views go out to the window."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

from tplm_daq.acquire.events import Event, GuardGoesOn, GuardWaits, Message, PointDone, RunState, StateChanged, Step
from tplm_daq.gui.align_watch import AlignPicture, AlignWatch
from tplm_daq.gui.endings import Kind
from tplm_daq.gui.picture import Picture, SeriesSoFar
from tplm_daq.gui.recipe_kinds import is_measured
from tplm_daq.gui.scan_watch import ScanWatch
from tplm_daq.gui.status import Light, Status, StopWatch
from tplm_daq.kmc.observe import Observation
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.recipes.series import SeriesRecipe
from tplm_daq.workflow.align_job import AlignOutcome
from tplm_daq.workflow.comparison import compare_runs
from tplm_daq.workflow.kmc import SweepProgress
from tplm_daq.workflow.live import LiveResult
from tplm_daq.workflow.load import AnyRecipe
from tplm_daq.workflow.outcome import ScanOutcome
from tplm_daq.workflow.past import Past
from tplm_daq.workflow.series import SeriesProgress
from tplm_daq.workflow.series_outcome import SeriesOutcome, SeriesPoint

logger = logging.getLogger(__name__)

LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
VERBS: dict[str, str] = {"align": "ALIGNING", "kmc": "SIMULATING"}


class Scene:
    """Status and pictures of one job.

    Parameters
    ----------
    recipe, rig : AnyRecipe, RigRecipe
        What is done, and on which microscope.
    before : Status
        How things were before: a lattice sweep changes nothing about the light.
    picture : Picture
        What is drawn until there is something newer.
    """

    def __init__(self, recipe: AnyRecipe, rig: RigRecipe, before: Status, picture: Picture) -> None:
        self._lock = threading.Lock()
        self._watch = StopWatch()
        self._varied = (
            tuple(key for each in recipe.vary for key in each.values) if isinstance(recipe, SeriesRecipe) else ()
        )
        self._condition: SeriesProgress | None = None
        self._picture = picture
        self._scan = ScanWatch(recipe) if isinstance(recipe, ScanRecipe) else None
        self._alignment = None
        if not isinstance(recipe, ScanRecipe | SeriesRecipe | KmcRecipe):
            self._alignment = AlignWatch(recipe)
        self._points: tuple[Observation, ...] = ()
        self._is_lit_while_held = _is_lit_between_points(recipe)
        self._status = Status(
            is_busy=True,
            light=Light.OUT if is_measured(recipe) else before.light,
            verb=VERBS.get(recipe.kind, "SCANNING"),
            can_pause=is_measured(recipe),
            has_passes=isinstance(recipe, ScanRecipe | SeriesRecipe),
        )

    @property
    def is_busy(self) -> bool:
        """Whether the job is under way."""
        return self._status.is_busy

    @property
    def points(self) -> tuple[Observation, ...]:
        """Points of a lattice sweep so far."""
        return self._points

    def status(self) -> Status:
        """Return where the job is."""
        with self._lock:
            return replace(self._status, left_s=self._watch.left_s(self._status.share))

    def picture(self, live: LiveResult | None) -> Picture:
        """Return what is to be drawn of the scan; parts that have not changed are the same objects as before."""
        with self._lock:
            if self._scan is not None and self.is_busy:
                self._picture = self._scan.picture(live)
            return self._picture

    def alignment(self) -> AlignPicture | None:
        """Return what is to be drawn of an alignment, None if it is none."""
        return None if self._alignment is None else self._alignment.picture()

    def work_out(self, live: LiveResult | None) -> None:
        """Work out what is drawn beside the fit; takes its time."""
        if self._scan is not None:
            self._scan.work_out(live)

    def set_light(self, light: Light) -> None:
        """Take note of what is known of the light."""
        with self._lock:
            self._status = replace(self._status, light=light)

    def on_event(self, event: Event) -> None:
        """Take note of what happened (in the runner's thread)."""
        if isinstance(event, Message):
            logger.log(LEVELS[event.level], "%s", event.text)
            self._hear(event)
        elif isinstance(event, StateChanged):
            self._enter(event.state)
        elif isinstance(event, Step):
            self._begin(event)
        elif isinstance(event, PointDone):
            before, share = (self._share(n / max(event.n_points, 1)) for n in (event.n_done - 1, event.n_done))
            with self._lock:
                self._watch.begin(before)
                self._status = replace(
                    self._status, row=event.row, n_done=event.n_done, n_points=event.n_points, share=share
                )
            for watch in (self._scan, self._alignment):
                if watch is not None:
                    watch.add(event)

    def on_condition(self, progress: SeriesProgress) -> None:
        """Take note that another condition of a series begins (in the runner's thread)."""
        place = f"condition {progress.number} of {progress.n_conditions}"
        label = progress.planned.condition.label
        series = self._series(f"{place}: {label}", progress.points)
        scan = ScanWatch(progress.planned.scan, series)
        self._scan, self._condition = scan, progress
        if progress.past is not None:
            self.on_past(progress.past)
        with self._lock:
            self._status = replace(
                self._status, before=f"{place} · ", n_done=0, n_points=0, row=None, share=self._share(0.0)
            )

    def on_past(self, past: Past) -> None:
        """Draw what is there already of a scan that is resumed (in the runner's thread)."""
        if self._scan is not None:
            for event in past.events():
                self._scan.add(event)

    def on_sweep(self, progress: SweepProgress) -> None:
        """Take note of a finished condition of a lattice sweep (in its thread)."""
        self._points = (*self._points, progress.latest)
        with self._lock:
            self._status = replace(
                self._status, n_done=progress.n_done, n_points=progress.n_points, share=progress.share
            )

    def finish(self, ending: object) -> None:
        """Put the final fit in place of the live one, or show what an alignment found."""
        scan, final = self._scan, None
        if isinstance(ending, ScanOutcome) and scan is not None:
            final = scan.finish(ending)
        elif isinstance(ending, SeriesOutcome) and scan is not None and ending.points:
            series, last = self._series("all conditions", ending.points), ending.points[-1].outcome
            final = replace(self._picture, series=series) if last is None else scan.finish(last, series)
        elif isinstance(ending, AlignOutcome) and self._alignment is not None:
            self._alignment.finish(ending)
        if final is not None:
            with self._lock:
                self._scan, self._picture = None, final

    def end(self, light: Light | None, kind: Kind) -> None:
        """Take note that the job is over, how, and what is known of the light; None changes nothing about that."""
        with self._lock:
            known = self._status.light if light is None else light
            self._status = replace(self._status, state=RunState.FINISHED, is_busy=False, light=known, ended=kind)

    def _enter(self, state: RunState) -> None:
        light = {RunState.RUNNING: Light.ON, RunState.PAUSED: Light.ON if self._is_lit_while_held else Light.OUT}
        with self._lock:
            self._watch.enter(state)
            known = light.get(state, self._status.light) if self._status.can_pause else self._status.light
            self._status = replace(self._status, state=state, light=known, doing="", waiting="")

    def _hear(self, message: Message) -> None:
        """Take note that a guard waits, or no longer does."""
        with self._lock:
            if isinstance(message, GuardWaits):
                self._status = replace(self._status, waiting=message.reason, light=Light.MOSTLY_DARK)
            elif isinstance(message, GuardGoesOn):
                self._status = replace(self._status, waiting="", light=Light.ON)

    def _begin(self, step: Step) -> None:
        """Take note of what is done before the first point; the log has it once, without the figures that follow."""
        name = step.doing.split(",")[0]
        with self._lock:
            if not self._status.doing.startswith(name):
                logger.info("%s", name)
            light = Light.ON if step.is_lit else Light.OUT
            self._status = replace(self._status, doing=step.doing, light=light)

    def _share(self, of_the_scan: float) -> float:
        """Return the share of the whole job: the conditions of a series count alike."""
        if self._condition is None:
            return of_the_scan
        return (self._condition.number - 1 + of_the_scan) / self._condition.n_conditions

    def _series(self, place: str, points: tuple[SeriesPoint, ...]) -> SeriesSoFar:
        files = [point.outcome.run_file for point in points if point.outcome is not None and point.outcome.result]
        return SeriesSoFar(place, self._varied, compare_runs(files))


def _is_lit_between_points(recipe: AnyRecipe) -> bool:
    """Tell whether a recipe leaves the light on where no point is taken."""
    measured = recipe.scan if isinstance(recipe, SeriesRecipe) else recipe
    return not isinstance(measured, KmcRecipe) and measured.light.between_points == "on"

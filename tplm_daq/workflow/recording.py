"""Recording: the part of a scan during which the rig is open, from preparation to a closed run file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tplm_daq.acquire import guards
from tplm_daq.acquire.events import Event, FinishReason, Message, Step
from tplm_daq.acquire.path import scan_positions
from tplm_daq.acquire.point import PointSettings
from tplm_daq.acquire.prepare import Prepared, prepare
from tplm_daq.acquire.references import ReferenceRates
from tplm_daq.acquire.runner import Plan, Runner
from tplm_daq.errors import StoreError, TplmError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.recipes.load import dump_yaml
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.rig.microscope import Rig
from tplm_daq.store.layout import RunHeader
from tplm_daq.store.writer import RunWriter, local_time
from tplm_daq.workflow.align import find_centre
from tplm_daq.workflow.allocation import Estimate, estimate_of
from tplm_daq.workflow.event_log import EventLog
from tplm_daq.workflow.following import FollowedSpot, Surveyed
from tplm_daq.workflow.live import LiveAnalysis, LiveResult
from tplm_daq.workflow.outcome import Recorded
from tplm_daq.workflow.past import Past
from tplm_daq.workflow.precision import planner_for, references_of
from tplm_daq.workflow.rehearsal import disk_mb, rehearse
from tplm_daq.workflow.replay import RunTime, repeat_past
from tplm_daq.workflow.status_file import StatusFile
from tplm_daq.workflow.steering import Steering

FloatArray = NDArray[np.float64]


class Recording:
    """One scan on an opened rig: from its preparation to a closed run file.

    Parameters
    ----------
    rig : Rig
        The opened rig; it is left in its safe state, and open.
    recipe, rig_recipe : ScanRecipe, RigRecipe
        What is wanted, and on which microscope.
    path : Path
        The run file to make or to resume.
    steering : Steering
        Whoever may end or hold the scan from other threads, and who listens.
    events : EventLog
        Keeps the events; may have heard some already.
    past : Past or None
        What the file holds already, if the run is resumed.

    Attributes
    ----------
    runner : Runner
        Takes the points.
    """

    def __init__(
        self,
        rig: Rig,
        recipe: ScanRecipe,
        rig_recipe: RigRecipe,
        path: Path,
        steering: Steering,
        events: EventLog,
        past: Past | None = None,
    ) -> None:
        self._rig = rig
        self._recipe = recipe
        self._rig_recipe = rig_recipe
        self._path = path
        self._steering = steering
        self._events = events
        self._past = past
        self._writer: RunWriter | None = None
        self._live: LiveAnalysis | None = None
        self.runner = Runner(rig, self._estimate)
        self.runner.listen(self._log)
        for listener in (events.on_event, *steering.listeners):
            self.runner.listen(listener)
        steering.take_over(self)

    @property
    def latest(self) -> LiveResult | None:
        """The latest live fit."""
        return None if self._live is None else self._live.latest

    def put_light_out(self) -> tuple[str, ...]:
        """Put the light out over connections of its own, from any thread."""
        return self._rig.put_light_out()

    def run(self) -> Recorded:
        """Take all points and close the file; errors that come after its creation are part of the answer."""
        error = None
        try:
            self.runner.run(self._prepare)
        except TplmError as reason:
            if self._writer is None:
                raise
            error = reason
        finally:
            if self._live is not None:
                self._live.close()
            finish_reason = self.runner.status.finish_reason or FinishReason.FAILED
            if self._writer is not None:
                failure = self._close(self._writer, finish_reason)
                if failure is not None and error is None:
                    finish_reason, error = FinishReason.FAILED, failure
        return Recorded(self._path, finish_reason, error, self.runner.status.finish_message)

    def _prepare(self) -> Plan:
        recipe, runner, start = self._recipe, self.runner, local_time()
        self._check_disk()
        prepared = prepare(self._rig, recipe, self._rig_recipe, runner.checkpoint, runner.tell)
        if self._past is None or not self._past.run.n_points:
            seen_nm = self._rig_recipe.optics.spot_nm
            runner.tell(Step("looking where the spot is", is_lit=True))
            centre_nm = find_centre(self._rig, recipe.path, prepared.settings, runner.checkpoint, runner.tell, seen_nm)
            header = self._header(prepared, scan_positions(recipe.path, centre_nm))
        if self._past is None:
            self._writer = RunWriter.create(self._path, header, start=start)
        else:
            self._past.require_same_delays(prepared.delay_ns)
            header = self._past.run.header
            self._writer = RunWriter.reopen(self._path)
        with self._writer.in_one_step():
            self._keep_snapshot(self._writer, "start")
            for time, message in self._events.early:
                self._writer.log(time.isoformat(), message.level, message.text)
        self._events.begin(self._path)
        return self._plan(header, prepared.settings, self._writer)

    def _plan(self, header: RunHeader, settings: PointSettings, writer: RunWriter) -> Plan:
        """Put together who plans the passes, and who learns of the points: of those that are there, and of the rest."""
        recipe, rig_recipe, past, time = self._recipe, self._rig_recipe, self._past, RunTime(self._rig.clock)
        references = ReferenceRates(references_of(recipe, rig_recipe, header.positions_nm), rig_recipe.guards)
        shifts_nm = {} if past is None else past.shifts_nm()
        planned = planner_for(recipe, rig_recipe, header.positions_nm, time.now)
        spot = FollowedSpot(planned, self._surveyed(header), self.runner.warn, shifts_nm)
        self._live = LiveAnalysis(_empty_map(header), recipe.analysis)
        learning = [self._live.on_event, references.on_event, spot.on_event]
        settings = replace(settings, other_guards=(self._judge_reserve, references.judge, spot.judge))
        for listener in (*learning, StatusFile(self._path, lambda: self.latest).on_event):
            self.runner.listen(listener)
        if past is None:
            return Plan(self._steering.until_asked(spot), settings, writer)
        remaining = repeat_past(past, spot, time, self._estimate, learning)
        references.begin_anew()
        settings = past.come_back(self._rig, recipe, settings, self.runner)
        return Plan(self._steering.until_asked(remaining), settings, writer, past.run.n_points)

    def _surveyed(self, header: RunHeader) -> Surveyed:
        rig_recipe, axes = self._rig_recipe, header.position_axis
        reach_nm, pixel_nm = self._rig.detector.limits_nm, rig_recipe.optics.pixel_nm
        is_centred = self._recipe.path.centre_nm == "auto"
        return Surveyed(header.positions_nm, axes, pixel_nm, reach_nm, rig_recipe.guards, is_centred)

    def _estimate(self) -> Estimate | None:
        """Fit all points so far, if the next pass follows from that."""
        data = None if self._live is None or not self._recipe.passes.is_adaptive else self._live.measured()
        return None if data is None else estimate_of(data, self._recipe.analysis)

    def _judge_reserve(self) -> guards.Verdict:
        """Judge whether the disk still has its reserve, which other programs may use up."""
        return guards.judge_disk(self._path.parent, 0.0, self._rig_recipe.guards)

    def _check_disk(self) -> None:
        scan = rehearse(self._recipe, self._rig_recipe, None)
        needed_mb = disk_mb(self._recipe, self._rig_recipe, scan)
        verdict = guards.judge_disk(self._path.parent, needed_mb, self._rig_recipe.guards)
        guards.heed([verdict], self.runner.tell)

    def _header(self, prepared: Prepared, positions_nm: FloatArray) -> RunHeader:
        recipe, rig = self._recipe, self._rig_recipe
        response_ps = rig.optics.response_fwhm_ps
        return RunHeader(
            title=recipe.title,
            recipe_text=dump_yaml(recipe),
            rig_text=dump_yaml(rig),
            session=recipe.session.model_dump(),
            delay_ns=prepared.delay_ns,
            repetition_rate_hz=recipe.light.repetition_rate_hz,
            response_fwhm_ns=None if response_ps is None else response_ps * 1e-3,
            t0_ns=rig.optics.t0_ns,
            pixel_nm=rig.optics.pixel_nm,
            dead_time_ns=self._rig.counter.dead_time_ns,
            position_axis=recipe.path.axes,
            positions_nm=positions_nm,
            clock_zero_s=prepared.settings.zero_s,
            tag_source=self._rig.counter.tag_source if recipe.counter.keep_words else None,
            truth=self._truth(),
        )

    def _truth(self) -> dict[str, object] | None:
        """Return what is true of a simulated sample, its centre along the axes scanned; None on a real rig."""
        if self._rig.truth is None:
            return None
        light, axes = self._recipe.light, self._recipe.path.axes
        truth = self._rig.truth(light.average_power_nw, light.repetition_rate_hz)
        centre_nm = [truth["centre_nm"]["xy".index(axis)] for axis in axes]
        return {**truth, "centre_nm": centre_nm if len(axes) == 2 else centre_nm[0]}

    def _keep_snapshot(self, writer: RunWriter, when: str) -> None:
        for device, found in self._rig.snapshot().items():
            if isinstance(found, str):
                writer.snapshot(device, when, error=found)
            else:
                writer.snapshot(device, when, found)

    def _close(self, writer: RunWriter, reason: FinishReason) -> StoreError | None:
        """Write the end into the file; return what prevents that, for the points are safe without it."""
        try:
            with writer, writer.in_one_step():
                if not self._steering.is_in_a_hurry:
                    self._keep_snapshot(writer, "end")
                writer.finish(reason.value)
        except StoreError as failure:
            return failure
        return None

    def _log(self, event: Event) -> None:
        """Put a message into the run file; the event log keeps those from before there is one."""
        if self._writer is not None and isinstance(event, Message):
            self._writer.log(local_time().isoformat(), event.level, event.text)


def _empty_map(header: RunHeader) -> TimePositionMap:
    """Return the map before its first point."""
    x_nm, y_nm = header.positions_nm.T
    return header.map_of(np.zeros((len(x_nm), len(header.delay_ns)), dtype=np.int64), x_nm, y_nm, None)

"""One scan from recipe to result: the place where recipe, rig, runner, run file and analysis meet."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from tplm_daq.acquire import guards
from tplm_daq.acquire.events import Event, FinishReason, Listener, Notice
from tplm_daq.acquire.passes import UpAndDown
from tplm_daq.acquire.path import line_positions
from tplm_daq.acquire.prepare import Prepared, prepare
from tplm_daq.acquire.runner import Plan, Runner
from tplm_daq.errors import InputError, LightMayBeOnError, TplmError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.recipes.load import dump_yaml
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.rig.lock import RigLock
from tplm_daq.rig.microscope import Rig
from tplm_daq.rig.open import open_rig
from tplm_daq.roles import Operator
from tplm_daq.store.layout import RunHeader
from tplm_daq.store.writer import RunWriter
from tplm_daq.workflow.align import find_centre
from tplm_daq.workflow.check import require_feasible
from tplm_daq.workflow.forecast import BYTES_PER_BIN
from tplm_daq.workflow.live import LiveAnalysis, LiveResult
from tplm_daq.workflow.outcome import Recorded, ScanOutcome, conclude
from tplm_daq.workflow.status_file import StatusFile


@dataclass
class ScanJob:
    """A scan that may be watched and aborted from other threads while `run` works.

    Attributes
    ----------
    recipe, rig_recipe : ScanRecipe, RigRecipe
        What is wanted, and on which microscope.
    folder : Path
        Where the run file goes; made if absent.
    operator : Operator
        Who turns knobs.
    with_report : bool
        Whether a report page is written beside the run file.
    listeners : list of callable
        Receive the runner's events in its thread.
    """

    recipe: ScanRecipe
    rig_recipe: RigRecipe
    folder: Path
    operator: Operator
    with_report: bool = False
    listeners: list[Listener] = field(default_factory=list)
    _recording: _Recording | None = None
    _abort_message: str | None = None
    _is_in_a_hurry: bool = False

    @property
    def latest(self) -> LiveResult | None:
        """The latest live fit, None before the first point."""
        return None if self._recording is None else self._recording.latest

    def abort(self, message: str) -> None:
        """End the scan as soon as possible, whatever it is doing; what is measured is kept."""
        self._abort_message = message
        if self._recording is not None:
            self._recording.runner.abort(message)

    def hurry(self) -> None:
        """Skip the analysis and the report at the end."""
        self._is_in_a_hurry = True

    def run(self) -> ScanOutcome:
        """Open the rig, scan, make it safe, analyse, write the report if wanted.

        Raises
        ------
        TplmError
            There is no run file (the rig could not be opened or prepared, the file not be created), or the result
            could not be added to it.
        """
        began_s = time.monotonic()
        require_feasible(self.recipe, self.rig_recipe)
        make_folder(self.folder)
        recorded = self._record()
        wall_s = time.monotonic() - began_s
        return conclude(recorded, self.recipe, wall_s, self.with_report, not self._is_in_a_hurry)

    def _record(self) -> Recorded:
        recorded = None
        try:
            with RigLock(self.rig_recipe.real_addresses), open_rig(self.rig_recipe, self.operator) as rig:
                self._recording = _Recording(self, rig)
                if self._abort_message is not None:
                    self._recording.runner.abort(self._abort_message)
                recorded = self._recording.run()
        except LightMayBeOnError as error:
            if recorded is None:
                raise
            return Recorded(recorded.path, recorded.finish_reason, error)
        return recorded


class _Recording:
    """The part of a scan during which the rig is open."""

    def __init__(self, job: ScanJob, rig: Rig) -> None:
        self._job = job
        self._rig = rig
        self._path = _new_path(job.folder, job.recipe.title)
        self._writer: RunWriter | None = None
        self._live: LiveAnalysis | None = None
        self.runner = Runner(rig, lambda: self.latest)
        self.runner.listen(self._log)
        for listener in job.listeners:
            self.runner.listen(listener)

    @property
    def latest(self) -> LiveResult | None:
        """The latest live fit."""
        return None if self._live is None else self._live.latest

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
                self._close(self._writer, finish_reason)
        return Recorded(self._path, finish_reason, error)

    def _prepare(self) -> Plan:
        recipe, runner = self._job.recipe, self.runner
        self._check_disk()
        prepared = prepare(self._rig, recipe, self._job.rig_recipe, runner.checkpoint, runner.warn)
        centre_nm = find_centre(self._rig, recipe.path, prepared.settings, runner.checkpoint, runner.warn)
        positions_nm = line_positions(recipe.path, centre_nm)
        header = self._header(prepared)
        self._writer = RunWriter.create(self._path, header)
        self._keep_snapshot(self._writer, "start")
        self._live = LiveAnalysis(_empty_map(header, positions_nm), recipe.analysis)
        runner.listen(self._live.on_event)
        runner.listen(StatusFile(self._path, lambda: self.latest).on_event)
        planner = UpAndDown(positions_nm, recipe.passes.dwell_per_point_s, recipe.passes.n_passes)
        return Plan(planner, prepared.settings, self._writer)

    def _check_disk(self) -> None:
        counter = self._job.recipe.counter
        n_bins = self._job.recipe.n_points * counter.span_ns * 1e3 / counter.bin_width_ps
        verdict = guards.judge_disk(self._job.folder, n_bins * BYTES_PER_BIN / 1e6, self._job.rig_recipe.guards)
        guards.heed([verdict], self.runner.warn)

    def _header(self, prepared: Prepared) -> RunHeader:
        recipe, rig = self._job.recipe, self._job.rig_recipe
        response_ps = rig.optics.response_fwhm_ps
        return RunHeader(
            title=recipe.title,
            recipe_text=dump_yaml(recipe),
            rig_text=dump_yaml(rig),
            session=recipe.session.model_dump(),
            delay_ns=prepared.delay_ns,
            repetition_rate_hz=recipe.light.repetition_rate_hz,
            response_fwhm_ns=None if response_ps is None else response_ps * 1e-3,
            t0_ns=None,
            pixel_nm=rig.optics.pixel_nm,
            dead_time_ns=self._rig.counter.dead_time_ns,
            position_axis=recipe.path.axis,
            truth=self._truth(),
        )

    def _truth(self) -> dict[str, object] | None:
        """Return what is true of a simulated sample, with the spot's centre along the scan; None on a real rig."""
        if self._rig.truth is None:
            return None
        light = self._job.recipe.light
        truth = self._rig.truth(light.average_power_nw, light.repetition_rate_hz)
        x_nm, y_nm = truth["centre_nm"]
        return {**truth, "centre_nm": x_nm if self._job.recipe.path.axis == "x" else y_nm}

    def _keep_snapshot(self, writer: RunWriter, when: str) -> None:
        for device, found in self._rig.snapshot().items():
            if isinstance(found, str):
                writer.snapshot(device, when, error=found)
            else:
                writer.snapshot(device, when, found)

    def _close(self, writer: RunWriter, reason: FinishReason) -> None:
        with writer, writer.in_one_step():
            self._keep_snapshot(writer, "end")
            writer.finish(reason.value)

    def _log(self, event: Event) -> None:
        if self._writer is not None and isinstance(event, Notice):
            self._writer.log(datetime.now().astimezone().isoformat(), event.level, event.text)


def _empty_map(header: RunHeader, positions_nm: np.ndarray) -> TimePositionMap:
    """Return the map before its first point."""
    counts = np.zeros((len(positions_nm), len(header.delay_ns)), dtype=np.int64)
    return header.map_of(counts, positions_nm[:, 0], positions_nm[:, 1], None)


def make_folder(folder: Path) -> None:
    """Make the folder for run files before anything is switched on."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--out {folder}: the folder cannot be made ({error.strerror}). Choose another one."
        ) from error
    if not os.access(folder, os.W_OK):
        raise InputError(f"--out {folder}: nothing can be written there. Choose another folder or change its rights.")


def _new_path(folder: Path, title: str) -> Path:
    """Name a run file after now and the title; a name that exists is counted on, never used again."""
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "run"
    stem = f"{datetime.now():%Y%m%d-%H%M%S}_{slug}"
    for number in range(1, 10_000):
        path = folder / (f"{stem}.h5" if number == 1 else f"{stem}_{number}.h5")
        if not path.exists():
            return path
    raise InputError(f"{folder} holds 10 000 run files of this second; choose another folder with --out.")

"""Resuming a run in its file.

Recipe and rig come from the file. What could make the rest of the data differ from the beginning is refused with the
reason: a changed recipe, wrong indices, another rig in anything but addresses, policies, guards and speed.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tplm_daq.acquire.events import FinishReason, Listener
from tplm_daq.errors import Aborted, FitError, InputError, LightMayBeOnError
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.recipes.load import validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.rig.lock import RigLock
from tplm_daq.rig.open import open_rig
from tplm_daq.roles import Operator
from tplm_daq.store.reader import RunFile, open_run
from tplm_daq.store.rescue import require_growable, rescue_run
from tplm_daq.store.writer import RunWriter
from tplm_daq.workflow.analyse import analyse_run
from tplm_daq.workflow.event_log import EventLog
from tplm_daq.workflow.notify import notify, telling_failure
from tplm_daq.workflow.outcome import Recorded, ScanOutcome, calibrations_of, conclude, write_run_report
from tplm_daq.workflow.past import Past
from tplm_daq.workflow.recording import Recording
from tplm_daq.workflow.same_rig import changed_rig
from tplm_daq.workflow.series_index import GOOD_ENDS
from tplm_daq.workflow.steering import Steering

PREPARATION_S = 300.0
"""Simulated time before the last point at which the doubles begin: enough to home and to look for the spot."""


@dataclass(frozen=True)
class ResumableRun:
    """A run file with the recipe and the rig with which it may go on.

    Attributes
    ----------
    run : RunFile
        The file.
    recipe : ScanRecipe
        As stored.
    rig : RigRecipe
        As stored, with the changes asked for.
    damaged : Path or None
        The file from which the points had to be rescued.
    """

    run: RunFile
    recipe: ScanRecipe
    rig: RigRecipe
    damaged: Path | None = None

    @property
    def operator(self) -> str:
        """Name of the operator."""
        return self.recipe.session.operator

    @property
    def folder(self) -> Path:
        """Folder of the run file."""
        return self.run.path.parent

    @property
    def is_complete(self) -> bool:
        """Whether the run has ended as planned."""
        return self.run.finish_reason in GOOD_ENDS

    @property
    def past(self) -> Past:
        """What the file holds, for the recording that goes on."""
        return Past(self.run, self.rig, self.damaged)

    def job(self, operator: Operator, with_report: bool = False, listeners: Iterable[Listener] = ()) -> ResumeJob:
        """Return the job that measures the rest; nothing is opened before it runs."""
        return ResumeJob(self, operator, with_report, listeners)


class ResumeJob(Steering):
    """The rest of a scan, which may be watched and steered from other threads while `run` works.

    Parameters
    ----------
    resumable : ResumableRun
        What is to go on.
    operator : Operator
        Who turns knobs.
    with_report : bool
        Whether a report page is written beside the run file.
    listeners : iterable of callable
        Receive the runner's events in its thread.

    Attributes
    ----------
    on_past : list of callable
        Told of what is there before anything is opened, in the thread of `run`.
    """

    def __init__(
        self,
        resumable: ResumableRun,
        operator: Operator,
        with_report: bool = False,
        listeners: Iterable[Listener] = (),
    ) -> None:
        super().__init__()
        self.resumable = resumable
        self.recipe = resumable.recipe
        self.operator = operator
        self.with_report = with_report
        self.listeners.extend(listeners)
        self.on_past: list[Callable[[Past], None]] = []

    def run(self) -> ScanOutcome:
        """Take the points that are missing, make the rig safe, analyse, write the report if wanted.

        A completed run is only looked at.

        Raises
        ------
        TplmError
            The rig could not be opened or prepared, or another program holds the file.
        """
        run, recipe = self.resumable.run, self.resumable.recipe
        if self.resumable.is_complete:
            return self._of_complete()
        began_s = time.monotonic()
        RunWriter.reopen(run.path).close()
        for tell in self.on_past:
            tell(self.resumable.past)
        self.require_wanted("before the rig was opened")
        with telling_failure(self.resumable.rig.policies.at_end_run):
            recorded = self._record()
        self.measured()
        wall_s = time.monotonic() - began_s
        outcome = conclude(recorded, recipe, wall_s, self.with_report, lambda: self.is_in_a_hurry)
        if outcome.error is None and self.abort_message is not None:
            outcome = replace(outcome, error=Aborted(f"{self.abort_message}, after the last point"))
        notify(self.resumable.rig.policies.at_end_run, outcome.to_dict())
        return outcome

    def _of_complete(self) -> ScanOutcome:
        run, outcome = self.resumable.run, outcome_of(self.resumable.run, self.resumable.recipe)
        if not self.with_report:
            return outcome
        return replace(outcome, report_file=write_run_report(run, outcome.result, outcome.fit_error))

    def _record(self) -> Recorded:
        run, recipe, rig_recipe = self.resumable.run, self.resumable.recipe, self.resumable.rig
        opened = rig_recipe.beginning_at(clock_before([run]))
        recorded = None
        try:
            with (
                RigLock(rig_recipe.real_addresses),
                open_rig(opened, self.operator, self.checkpoint) as rig,
                EventLog() as events,
            ):
                recorded = Recording(rig, recipe, rig_recipe, run.path, self, events, self.resumable.past).run()
        except LightMayBeOnError as error:
            if recorded is None:
                raise
            return replace(recorded, error=error)
        return recorded


def load_run(path: Path, assignments: Sequence[str]) -> ResumableRun:
    """Read a run file that is to go on; a damaged one is first copied point by point.

    Parameters
    ----------
    path : Path
        The run file.
    assignments : sequence of str
        ``rig.KEY=VALUE`` changes of the rig.

    Raises
    ------
    InputError
        The file cannot be read or contradicts itself, or a change would make the data differ.
    """
    run, damaged = _open(path)
    if defects := run.defects():
        raise InputError(
            f"{run.path}: cannot be resumed: {'; '.join(defects)}. More points would only hide that. "
            "`tplm analyse` fits what is there; measure anew."
        )
    return ResumableRun(run, scan_of(run), changed_rig(rig_of(run), assignments, path), damaged)


def scan_of(run: RunFile) -> ScanRecipe:
    """Return the recipe of a run; raises InputError if this version does not know all of it."""
    where = f"{run.path}, recipe"
    return validate(ScanRecipe, parse_mapping(run.header.recipe_text, where), where)


def rig_of(run: RunFile) -> RigRecipe:
    """Return the rig of a run; raises InputError if this version does not know all of it."""
    where = f"{run.path}, rig"
    return validate(RigRecipe, parse_mapping(run.header.rig_text, where), where)


def clock_before(runs: Sequence[RunFile]) -> float:
    """Return the simulated time at which the doubles begin, so that they are ready where the last of these runs ended.

    Parameters
    ----------
    runs : sequence of RunFile
        What has been measured on this rig; without any, its time begins at 0.
    """
    ends_s = [run.header.clock_zero_s + (float(run.points["end_s"][-1]) if run.n_points else 0.0) for run in runs]
    return max(0.0, max(ends_s, default=0.0) - PREPARATION_S)


def outcome_of(run: RunFile, recipe: ScanRecipe) -> ScanOutcome:
    """Return what came of a run that has ended as planned; nothing is written."""
    result, fit_error = None, None
    try:
        result = analyse_run(run, recipe.analysis)
    except FitError as error:
        fit_error = str(error)
    ends = [datetime.fromisoformat(text) for text in (run.start_time, run.end_time) if text]
    return ScanOutcome(
        run_file=run.path,
        finish_reason=FinishReason(run.finish_reason),
        result=result,
        truth=run.truth(),
        n_points=run.n_points,
        n_positions=recipe.path.n_positions,
        dwell_s=float(run.points["live_s"].sum()),
        wall_s=(ends[-1] - ends[0]).total_seconds(),
        fit_error=fit_error,
        calibrations=calibrations_of(run),
    )


def _open(path: Path) -> tuple[RunFile, Path | None]:
    """Open a run file whose counts can be read and which takes more: this one, or what could be rescued of it."""
    try:
        run = open_run(path)
        deque(run.rows(), maxlen=0)
        if run.finish_reason is None:
            require_growable(path)
    except InputError as error:
        return open_run(rescue_run(path, error)), path
    return run, None

"""Resuming: a run that was cut short goes on in its file, a series in its folder.

Recipe and rig come from the file. What could make the rest of the data differ from the beginning is refused with the
reason: a changed recipe, wrong indices, another rig in anything but addresses, policies, guards and speed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from tplm_daq.acquire.events import FinishReason, Listener
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.errors import Aborted, FitError, InputError, LightMayBeOnError
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.recipes.load import apply_overrides, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.rig.lock import RigLock
from tplm_daq.rig.open import open_rig
from tplm_daq.roles import Operator
from tplm_daq.store.reader import RunFile, open_run
from tplm_daq.store.rescue import rescue_run
from tplm_daq.store.writer import RunWriter
from tplm_daq.workflow.load import RIG_PREFIX
from tplm_daq.workflow.notify import notify
from tplm_daq.workflow.outcome import Recorded, ScanOutcome, conclude
from tplm_daq.workflow.past import Past
from tplm_daq.workflow.recording import Recording
from tplm_daq.workflow.series_index import GOOD_ENDS
from tplm_daq.workflow.steering import Steering

PREPARATION_S = 300.0
"""Simulated time before the last point at which the doubles begin: enough to home and to look for the spot."""

FREE_TO_CHANGE = ("name", "policies", "guards", "simulation.speed", "simulation.start", "simulation.faults")
FREE_OF_DEVICES = ("address", "serial")
"""Keys of a rig file, and of each of its devices, on which the data do not depend."""


@dataclass(frozen=True)
class ResumableRun:
    """A run file with the recipe and the rig with which it may go on.

    Attributes
    ----------
    run : RunFile
        The file.
    recipe, rig_recipe : ScanRecipe, RigRecipe
        As stored, the rig with the changes asked for.
    rescued_from : Path or None
        The damaged file whose points were copied to `run`.
    """

    run: RunFile
    recipe: ScanRecipe
    rig_recipe: RigRecipe
    rescued_from: Path | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the run has ended as planned."""
        return self.run.finish_reason in GOOD_ENDS


class ResumeJob(Steering):
    """The rest of a scan, which may be watched and steered from other threads while `run` works.

    Parameters
    ----------
    resumable : ResumableRun
        From `load_run`.
    operator : Operator
        Who turns knobs.
    with_report : bool
        Whether a report page is written beside the run file.
    listeners : iterable of callable
        Receive the runner's events in its thread.
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
        self.operator = operator
        self.with_report = with_report
        self.listeners.extend(listeners)

    def run(self) -> ScanOutcome:
        """Take the points that are missing, make the rig safe, analyse; a completed run is only looked at.

        Raises
        ------
        TplmError
            The rig could not be opened or prepared, or another program holds the file; the file is as it was.
        """
        resumable = self.resumable
        if resumable.is_complete:
            return outcome_of(resumable.run, resumable.recipe)
        began_s = time.monotonic()
        RunWriter.reopen(resumable.run.path).close()
        self.require_wanted("before the rig was opened")
        recorded = self._record()
        self.measured()
        wall_s = time.monotonic() - began_s
        outcome = conclude(recorded, resumable.recipe, wall_s, self.with_report, lambda: self.is_in_a_hurry)
        if outcome.error is None and self.abort_message is not None:
            outcome = replace(outcome, error=Aborted(f"{self.abort_message}, after the last point"))
        notify(resumable.rig_recipe.policies.at_end_run, outcome.to_dict())
        return outcome

    def _record(self) -> Recorded:
        run, recipe, rig_recipe = self.resumable.run, self.resumable.recipe, self.resumable.rig_recipe
        past, recorded = Past(run, rig_recipe.simulation is not None), None
        try:
            with (
                RigLock(rig_recipe.real_addresses),
                open_rig(beginning_before(rig_recipe, run), self.operator) as rig,
            ):
                recorded = Recording(rig, recipe, rig_recipe, run.path, self, past).run()
        except LightMayBeOnError as error:
            if recorded is None:
                raise
            return Recorded(recorded.path, recorded.finish_reason, error)
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
    run, rescued_from = _open(path)
    recipe = validate(ScanRecipe, parse_mapping(run.header.recipe_text, f"{path}, recipe"), f"{path}, recipe")
    stored = validate(RigRecipe, parse_mapping(run.header.rig_text, f"{path}, rig"), f"{path}, rig")
    require_sound(run)
    return ResumableRun(run, recipe, changed_rig(stored, assignments, path), rescued_from)


def require_sound(run: RunFile) -> None:
    """Raise InputError if a run file contradicts itself: points added to it would only hide that."""
    if defects := run.defects():
        raise InputError(
            f"{run.path}: cannot be resumed, for {'; '.join(defects)}. Its points can still be analysed with "
            "`tplm analyse`; measure anew."
        )


def changed_rig(stored: RigRecipe, assignments: Sequence[str], path: Path) -> RigRecipe:
    """Return the rig of a run with changes that do not touch the data.

    Raises
    ------
    InputError
        A change is none of the rig, is not allowed, or concerns what the data depend on.
    """
    foreign = [text for text in assignments if not text.startswith(RIG_PREFIX)]
    if foreign:
        raise InputError(
            f"--set {foreign[0]}: the recipe of a run that has begun cannot be changed, only the rig's addresses, "
            f"policies and guards (--set {RIG_PREFIX}KEY=VALUE). Begin a new run with `tplm run`."
        )
    before = stored.model_dump(mode="json")
    changed = validate(
        RigRecipe, apply_overrides(before, [text.removeprefix(RIG_PREFIX) for text in assignments]), f"{path}, rig"
    )
    require_same_rig(stored, changed, path)
    return changed


def require_same_rig(before: RigRecipe, now: RigRecipe, path: Path) -> None:
    """Raise InputError, naming every key, if two rigs differ in what the data depend on."""
    was, is_now = _what_matters(before), _what_matters(now)
    differing = [key for key in sorted({*was, *is_now}) if was.get(key) != is_now.get(key)]
    if differing:
        changes = "; ".join(f"{key} was {was.get(key)}, not {is_now.get(key)}" for key in differing)
        raise InputError(
            f"{path}: was measured with another rig: {changes}. The rest of its points would not fit the first. "
            "Resume it with the rig as it was, or begin a new run."
        )


def beginning_before(rig: RigRecipe, run: RunFile) -> RigRecipe:
    """Return a simulated rig whose time begins some minutes before the end of a run; a real rig as it is."""
    return beginning_at(rig, max(0.0, end_on_clock_s(run) - PREPARATION_S))


def beginning_at(rig: RigRecipe, clock_s: float) -> RigRecipe:
    """Return a simulated rig whose time begins at `clock_s`; a real rig as it is."""
    if rig.simulation is None:
        return rig
    return rig.model_copy(update={"simulation": rig.simulation.model_copy(update={"start_s": clock_s})})


def end_on_clock_s(run: RunFile) -> float:
    """Return what the clock of the rig showed after the last point of a run."""
    return run.header.clock_zero_s + (float(run.points["end_s"][-1]) if run.n_points else 0.0)


def outcome_of(run: RunFile, recipe: ScanRecipe) -> ScanOutcome:
    """Return what came of a run that has ended as planned; nothing is written."""
    result, fit_error = None, None
    try:
        result = analyse(run.map(), recipe.analysis)
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
    )


def _open(path: Path) -> tuple[RunFile, Path | None]:
    """Open a run file; if it is damaged, a copy of what can be read of it."""
    try:
        run = open_run(path)
        run.counts_can_be_read()
    except InputError as error:
        rescued = rescue_run(path, error)
        return open_run(rescued), path
    return run, None


def _what_matters(rig: RigRecipe) -> dict[str, Any]:
    """Return the values on which data depend, by dotted key."""
    found = dict(_flat(rig.model_dump(mode="json")))
    return {key: value for key, value in found.items() if not _is_free(key)}


def _is_free(key: str) -> bool:
    parts = key.split(".")
    is_of_device = parts[0] == "devices" and parts[-1] in FREE_OF_DEVICES
    return is_of_device or any(key == free or key.startswith(f"{free}.") for free in FREE_TO_CHANGE)


def _flat(tree: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value

"""A series: one scan after another under varied conditions, on a rig that stays open between them.

A condition that fails is recorded, and the series goes on or stops as its recipe says. After a device has failed the
rig is opened anew.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tplm_daq.acquire.events import Listener
from tplm_daq.errors import Aborted, InputError, LightMayBeOnError, TplmError
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.recipes.load import apply_overrides, dump_yaml, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.recipes.series import PLACES, Condition, SeriesRecipe
from tplm_daq.rig.lock import RigLock
from tplm_daq.rig.microscope import Rig
from tplm_daq.rig.open import open_rig
from tplm_daq.roles import Operator
from tplm_daq.store.writer import local_time
from tplm_daq.workflow.align_job import align_first
from tplm_daq.workflow.calibrated import calibrated_as, with_calibrations
from tplm_daq.workflow.check import require_feasible
from tplm_daq.workflow.event_log import EventLog
from tplm_daq.workflow.load import RIG_PREFIX
from tplm_daq.workflow.notify import notify
from tplm_daq.workflow.outcome import conclude
from tplm_daq.workflow.past import EarlierPart, Past
from tplm_daq.workflow.places import make_folder, new_path
from tplm_daq.workflow.recording import Recording
from tplm_daq.workflow.series_index import RECIPE_NAME, RIG_NAME, append_line
from tplm_daq.workflow.series_outcome import SeriesOutcome, SeriesPoint
from tplm_daq.workflow.series_result import is_series, series_summary
from tplm_daq.workflow.steering import Steering


@dataclass(frozen=True)
class PlannedScan:
    """What one condition asks for."""

    condition: Condition
    scan: ScanRecipe
    rig: RigRecipe


@dataclass(frozen=True)
class SeriesProgress:
    """How far a series is when a condition begins.

    Attributes
    ----------
    number, n_conditions : int
        Which condition begins, from 1, of how many.
    planned : PlannedScan
        What it asks for.
    points : tuple of SeriesPoint
        What came of those before it.
    past : Past or None
        What is there of it, if its run is resumed.
    """

    number: int
    n_conditions: int
    planned: PlannedScan
    points: tuple[SeriesPoint, ...]
    past: Past | None = None


class SeriesJob(Steering):
    """A series that may be watched and steered from other threads while `run` works.

    Parameters
    ----------
    recipe, rig_recipe : SeriesRecipe, RigRecipe
        What is wanted, and on which microscope.
    folder : Path
        Where the folder of the series goes; made if absent.
    operator : Operator
        Who turns knobs.
    with_report : bool
        Whether a report page is written beside each run file, and one about the series.
    listeners : iterable of callable
        Receive the runner's events of all scans in its thread.
    earlier : EarlierPart or None
        What is there already, if the series is resumed; its folder is used then.

    Attributes
    ----------
    on_condition : list of callable
        Told of every condition that begins, in the thread of `run`.
    """

    def __init__(
        self,
        recipe: SeriesRecipe,
        rig_recipe: RigRecipe,
        folder: Path,
        operator: Operator,
        with_report: bool = False,
        listeners: Iterable[Listener] = (),
        earlier: EarlierPart | None = None,
    ) -> None:
        super().__init__()
        self.recipe = recipe
        self.rig_recipe = rig_recipe
        self.folder = folder
        self.operator = operator
        self.with_report = with_report
        self.listeners.extend(listeners)
        self.earlier = earlier
        self.on_condition: list[Callable[[SeriesProgress], None]] = []

    def run(self) -> SeriesOutcome:
        """Measure every condition in turn.

        Raises
        ------
        InputError
            A condition asks for something that the rig cannot do; every reason is listed, nothing was opened.
        RigError
            Another program drives the rig.
        """
        began_s = time.monotonic()
        planned = plan_series(self.recipe, self.rig_recipe)
        make_folder(self.folder)
        self.require_wanted("before the rig was opened")
        home = self._new_home() if self.earlier is None else self.earlier.home
        clock_s = 0.0 if self.earlier is None else self.earlier.clock_s
        points: list[SeriesPoint] = []
        error: TplmError | None = None
        try:
            with RigLock(self.rig_recipe.real_addresses), _OpenRig(self.operator, clock_s, self.checkpoint) as opened:
                error = self._measure(planned, home, opened, points)
        except LightMayBeOnError as failure:
            error = failure
        report_file = _write_report(home) if self.with_report and is_series(home) and not self.is_in_a_hurry else None
        wall_s = time.monotonic() - began_s
        outcome = SeriesOutcome(home, tuple(points), len(planned), wall_s, error, report_file)
        notify(self.rig_recipe.policies.at_end_run, outcome.to_dict())
        return outcome

    def _new_home(self) -> Path:
        home = new_path(self.folder, self.recipe.title, "")
        make_folder(home)
        (home / RECIPE_NAME).write_text(dump_yaml(self.recipe), encoding="utf-8")
        (home / RIG_NAME).write_text(dump_yaml(self.rig_recipe), encoding="utf-8")
        return home

    def _measure(
        self, planned: Sequence[PlannedScan], home: Path, opened: _OpenRig, points: list[SeriesPoint]
    ) -> TplmError | None:
        """Add what came of each condition to `points`; return the error that ended the series early."""
        for number, each in enumerate(planned, start=1):
            if self.earlier is not None and (kept := self.earlier.kept.get(each.condition.index)) is not None:
                points.append(SeriesPoint(each.condition, kept, None))
                continue
            past = None if self.earlier is None else self.earlier.begun.get(each.condition.index)
            for tell in self.on_condition:
                tell(SeriesProgress(number, len(planned), each, tuple(points), past))
            self.next_scan()
            point = self._measure_one(each, home, opened, past)
            points.append(point)
            append_line(home, {"time": local_time().isoformat(timespec="seconds"), **point.to_dict()})
            failure = point.error
            if isinstance(failure, Aborted | LightMayBeOnError) or (failure and self.recipe.on_failure == "stop"):
                return failure
            if failure is not None:
                opened.close()
        return None

    def _measure_one(self, planned: PlannedScan, home: Path, opened: _OpenRig, past: Past | None) -> SeriesPoint:
        try:
            self.require_wanted("between two conditions of the series")
            began_s = time.monotonic()
            with EventLog() as events:
                if past is None:
                    path = new_path(home, planned.scan.title)
                    rig = opened.rig(with_calibrations(planned.rig, self.folder))
                    rig_recipe = align_first(rig, planned.scan, planned.rig, self.folder, self, events.on_event)
                else:
                    path, rig_recipe = past.run.path, calibrated_as(planned.rig, past.rig)
                    rig = opened.rig(rig_recipe)
                recorded = Recording(rig, planned.scan, rig_recipe, path, self, events, past).run()
        except TplmError as error:
            return SeriesPoint(planned.condition, None, error)
        wall_s = time.monotonic() - began_s
        outcome = conclude(recorded, planned.scan, wall_s, self.with_report, lambda: self.is_in_a_hurry)
        return SeriesPoint(planned.condition, outcome, outcome.error)


class _OpenRig:
    """The rig of a series: opened when it is first needed, and again after a failure or for another rig recipe.

    Simulated time goes on from where it was when the rig was closed.
    """

    def __init__(self, operator: Operator, clock_s: float, checkpoint: Callable[[], None]) -> None:
        self._operator = operator
        self._checkpoint = checkpoint
        self._stack = ExitStack()
        self._rig: Rig | None = None
        self._recipe: RigRecipe | None = None
        self._clock_s = clock_s

    def __enter__(self) -> _OpenRig:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def rig(self, recipe: RigRecipe) -> Rig:
        """Return the opened rig of this recipe."""
        if self._rig is not None and recipe == self._recipe:
            return self._rig
        self.close()
        self._rig = self._stack.enter_context(
            open_rig(recipe.beginning_at(self._clock_s), self._operator, self._checkpoint)
        )
        self._recipe = recipe
        return self._rig

    def close(self) -> None:
        """Make the rig safe and close it (harmless when repeated)."""
        if self._rig is not None:
            self._clock_s = self._rig.clock.now()
        self._rig = None
        self._stack.close()


def _write_report(home: Path) -> Path:
    """Write the page about the series; matplotlib is loaded only for those who want one."""
    from tplm_daq.report.series_page import write_series_report

    path = new_path(home, "series", ".html")
    write_series_report(path, series_summary(home))
    return path


def plan_series(recipe: SeriesRecipe, rig: RigRecipe) -> tuple[PlannedScan, ...]:
    """Return what each condition of a series asks for, checked against the rig.

    Raises
    ------
    InputError
        One or more conditions are not possible; every reason is listed with its condition.
    """
    planned: list[PlannedScan] = []
    problems: dict[str, list[str]] = {}
    for condition in recipe.conditions:
        try:
            each = _planned(condition, recipe, rig)
            require_feasible(each.scan, each.rig)
        except InputError as error:
            for line in str(error).splitlines():
                problems.setdefault(line, []).append(condition.label)
        else:
            planned.append(each)
    if problems:
        raise InputError("\n".join(_at_once(line, where, recipe) for line, where in problems.items()))
    return tuple(planned)


def _at_once(problem: str, labels: Sequence[str], recipe: SeriesRecipe) -> str:
    """Say a problem once, with the conditions that have it."""
    is_everywhere = len(labels) == len(recipe.conditions) > 1
    return f"{'every condition' if is_everywhere else ', '.join(dict.fromkeys(labels))}: {problem}"


def _planned(condition: Condition, recipe: SeriesRecipe, rig: RigRecipe) -> PlannedScan:
    changes = [f"{PLACES[key]}={json.dumps(value)}" for key, value in condition.values]
    title = f"title={json.dumps(f'{recipe.title}, {condition.label}')}"
    of_the_rig = [change.removeprefix(RIG_PREFIX) for change in changes if change.startswith(RIG_PREFIX)]
    of_the_scan = [title, *(change for change in changes if not change.startswith(RIG_PREFIX))]
    if of_the_rig and rig.simulation is None:
        raise InputError("sample: presets belong to a simulated rig, and this one has no section `simulation`")
    scan = apply_overrides(parse_mapping(dump_yaml(recipe.scan), "the scan of the series"), of_the_scan)
    changed_rig = apply_overrides(parse_mapping(dump_yaml(rig), "the rig"), of_the_rig)
    return PlannedScan(
        condition, validate(ScanRecipe, scan, "the scan of the series"), validate(RigRecipe, changed_rig, "the rig")
    )

"""Resuming what was cut short: a run goes on in its file, a series in its folder.

Of a series, conditions with a good end are kept, one whose run was cut short goes on in its file, the rest is measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tplm_daq.acquire.events import Listener
from tplm_daq.errors import InputError, NothingLeft
from tplm_daq.recipes.load import dump_yaml, read_yaml, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.series import SeriesRecipe
from tplm_daq.roles import Operator
from tplm_daq.store.reader import RunFile, open_run
from tplm_daq.workflow.outcome import ScanOutcome
from tplm_daq.workflow.past import EarlierPart, Past
from tplm_daq.workflow.resume_run import ResumableRun, clock_before, load_run, outcome_of, rig_of, scan_of
from tplm_daq.workflow.same_rig import changed_rig, present_rig
from tplm_daq.workflow.series import PlannedScan, SeriesJob, plan_series
from tplm_daq.workflow.series_index import GOOD_ENDS, INDEX_NAME, RECIPE_NAME, RIG_NAME, read_index


@dataclass(frozen=True)
class ResumableSeries:
    """The folder of a series with the recipe and the rig with which it may go on.

    Attributes
    ----------
    earlier : EarlierPart
        What is there.
    recipe : SeriesRecipe
        As stored.
    rig : RigRecipe
        As stored, with the changes asked for.
    """

    earlier: EarlierPart
    recipe: SeriesRecipe
    rig: RigRecipe

    @property
    def operator(self) -> str:
        """Name of the operator."""
        return self.recipe.scan.session.operator

    @property
    def folder(self) -> Path:
        """Folder of the series."""
        return self.earlier.home

    @property
    def around(self) -> Path:
        """Folder in which that of the series was made, with the calibrations."""
        return self.folder.resolve().parent

    @property
    def is_complete(self) -> bool:
        """Whether every condition has ended as planned."""
        return len(self.earlier.kept) == len(self.recipe.conditions)

    def job(self, operator: Operator, with_report: bool = False, listeners: Iterable[Listener] = ()) -> SeriesJob:
        """Return the job that measures the rest; nothing is opened before it runs."""
        return SeriesJob(self.recipe, self.rig, self.around, operator, with_report, listeners, self.earlier)


def load_resume(path: Path, assignments: Sequence[str]) -> ResumableRun | ResumableSeries:
    """Read what is to go on: a run file, the folder of a series, or the index in it.

    Parameters
    ----------
    path : Path
        Run file, folder or index.
    assignments : sequence of str
        ``rig.KEY=VALUE`` changes of the rig.

    Raises
    ------
    InputError
        It cannot be read or contradicts itself, or a change would make the data differ.
    """
    path = Path(path)
    if path.name == INDEX_NAME:
        return load_series(path.parent, assignments)
    return load_series(path, assignments) if path.is_dir() else load_run(path, assignments)


def rest_of(run_file: Path) -> Path:
    """Return what is resumed to measure all that is missing: the folder of the series of a run, or else its file."""
    return run_file.parent if (run_file.parent / RECIPE_NAME).is_file() else run_file


def rig_to_go_on(path: Path, rig: RigRecipe) -> RigRecipe:
    """Return the rig on which an unfinished run or series goes on, without reading counts.

    Parameters
    ----------
    path : Path
        Run file, or folder of a series.
    rig : RigRecipe
        The rig that is there, whose addresses, policies, guards and speed are taken.

    Raises
    ------
    NothingLeft
        It is complete.
    InputError
        It was measured on another rig, or this version cannot read it.
    """
    if path.is_dir():
        recipe, stored = _recipes_of(path)
        index = _index_of(path)
        is_complete = all(_is_good(index, each.index) for each in recipe.conditions)
    else:
        run = open_run(path)
        scan_of(run)
        stored, is_complete = rig_of(run), run.finish_reason in GOOD_ENDS
    if is_complete:
        raise NothingLeft(path)
    return present_rig(stored, rig, path)


def load_on_rig(path: Path, rig: RigRecipe) -> ResumableRun | ResumableSeries:
    """Read a run or series that is to go on on a rig that is there.

    Raises
    ------
    InputError
        As `rig_to_go_on` and `load_resume`.
    """
    present = rig_to_go_on(path, rig)
    return replace(load_resume(path, ()), rig=present)


def load_series(folder: Path, assignments: Sequence[str]) -> ResumableSeries:
    """Read the folder of a series that is to go on.

    Raises
    ------
    InputError
        It is no such folder, or a change would make the data differ.
    """
    if not (folder / RECIPE_NAME).is_file():
        raise InputError(
            f"{folder}: holds no {RECIPE_NAME}, so it is not the folder of a series. Name a run file, or the folder "
            "that `tplm run` made for a series."
        )
    recipe, rig = _recipes_of(folder)
    rig = changed_rig(rig, assignments, folder / RIG_NAME)
    return ResumableSeries(_earlier_part(folder, plan_series(recipe, rig), assignments), recipe, rig)


def _recipes_of(folder: Path) -> tuple[SeriesRecipe, RigRecipe]:
    recipe = validate(SeriesRecipe, read_yaml(folder / RECIPE_NAME), folder / RECIPE_NAME)
    return recipe, validate(RigRecipe, read_yaml(folder / RIG_NAME), folder / RIG_NAME)


def _index_of(folder: Path) -> dict[int, dict[str, object]]:
    """Return the lines of the index, none if the program died before the first."""
    return read_index(folder) if (folder / INDEX_NAME).exists() else {}


def _is_good(index: Mapping[int, Mapping[str, object]], number: int) -> bool:
    """Tell whether a condition need not be measured again."""
    return number in index and bool(index[number]["run_file"]) and index[number]["finish_reason"] in GOOD_ENDS


def _earlier_part(folder: Path, planned: Sequence[PlannedScan], assignments: Sequence[str]) -> EarlierPart:
    index = _index_of(folder)
    named = {number: folder / Path(str(line["run_file"])).name for number, line in index.items() if line["run_file"]}
    unnamed = [path for path in sorted(folder.glob("*.h5")) if path not in named.values()]
    runs: list[RunFile] = []
    kept: dict[int, ScanOutcome] = {}
    begun: dict[int, Past] = {}
    for each in planned:
        number = each.condition.index
        if _is_good(index, number):
            runs.append(open_run(named[number]))
            kept[number] = outcome_of(runs[-1], each.scan)
        elif (path := named.get(number) or _first_of(unnamed, each)) is not None:
            found = load_run(path, assignments)
            runs.append(found.run)
            begun[number] = found.past
    return EarlierPart(folder, kept, begun, clock_before(runs))


def _first_of(paths: list[Path], planned: PlannedScan) -> Path | None:
    """Take the first run of this scan from files that no line of the index names: the program died before it."""
    for path in paths:
        try:
            text = open_run(path).header.recipe_text
        except InputError:
            continue
        if text == dump_yaml(planned.scan):
            paths.remove(path)
            return path
    return None

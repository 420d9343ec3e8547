"""Verifying: a run file proves itself when its parts agree and its stored results can be made again from its counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from tplm_daq.errors import FitError, InputError
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.recipes.load import validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.store.catalog import run_files
from tplm_daq.store.opening import SweepError
from tplm_daq.store.reader import RunFile, open_run
from tplm_daq.store.results import StoredResult
from tplm_daq.workflow.analyse import analyse_run
from tplm_daq.workflow.outcome import POINTS_FITTED, scalars_of

TOLERANCE = 1e-9
"""Relative difference of two fits of the same counts; they are the same program on perhaps another processor."""

QUOTED = ("diffusivity_cm2_s", "standard_error_cm2_s", "ci95_cm2_s", "sigma0_nm", "lifetime_ns", "n_photons")
"""Numbers that are told first if a fit made anew gives others."""
N_TOLD = 3


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, whether it is well, and what was found."""

    name: str
    is_ok: bool
    detail: str


@dataclass(frozen=True)
class VerifyReport:
    """What `tplm verify` found in a run file."""

    run_file: Path
    checks: tuple[Check, ...]

    @property
    def exit_status(self) -> int:
        """Status with which the program ends: 1 if anything does not agree."""
        return int(not all(check.is_ok for check in self.checks))

    def to_dict(self) -> dict[str, object]:
        """Return what `tplm verify --json` prints."""
        return {
            "run_file": str(self.run_file),
            "is_ok": self.exit_status == 0,
            "checks": [asdict(check) for check in self.checks],
        }


def verify_files(path: Path) -> Iterator[VerifyReport]:
    """Check a run file, or one after the other all those in a folder and the folders in it.

    Parameters
    ----------
    path : Path
        Run file or folder; files of lattice simulations in it are passed over.

    Yields
    ------
    VerifyReport
        Of each file; one in a folder that cannot be read has a single check, with the reason.

    Raises
    ------
    InputError
        There is no such file or folder, no run in it, or the one file named cannot be read.
    """
    if not path.is_dir():
        yield verify_run(path)
        return
    n_runs = 0
    for file in run_files(path):
        try:
            yield verify_run(file)
        except SweepError:
            continue
        except InputError as error:
            yield VerifyReport(file, (Check("file", False, str(error).removeprefix(f"{file}: ")),))
        n_runs += 1
    if not n_runs:
        raise InputError(f"{path}: there are no run files in this folder. Name a run file, or a folder with some.")


def verify_run(path: Path) -> VerifyReport:
    """Check a run file against itself, and its stored results against fits made anew.

    Parameters
    ----------
    path : Path
        The run file; it is only read.

    Returns
    -------
    VerifyReport
        Recipes and hashes, indices and positions, counts against the plot, and every stored analysis.

    Raises
    ------
    InputError
        The file cannot be read at all.
    """
    run = open_run(path)
    structure = [_told(name, found, well) for name, found, well in _structure(run)]
    return VerifyReport(path, (*structure, *(_refitted(run, stored) for stored in run.results())))


def _structure(run: RunFile) -> Iterator[tuple[str, list[str], str]]:
    """Yield the name of each check, what contradicts itself, and what to say if nothing does."""
    yield "recipes", [*run.changed_notes(), *_unreadable_recipes(run)], "recipe and rig are those of the run"
    yield "points", run.misplaced_points(), f"{run.n_points} points lie where their indices say"
    if run.header.tag_source is not None:
        yield "records", run.wrong_words(), f"{run.n_points} points have the counts that their records give"
    yield "counts", run.wrong_sums(), f"{int(run.counts().sum()):,} photons" if run.n_points else "no points"


def _unreadable_recipes(run: RunFile) -> Iterator[str]:
    try:
        validate(ScanRecipe, parse_mapping(run.header.recipe_text, "recipe"), "recipe")
        validate(RigRecipe, parse_mapping(run.header.rig_text, "rig"), "rig")
    except InputError as error:
        yield str(error)


def _told(name: str, found: list[str], well: str) -> Check:
    return Check(name, not found, "; ".join(found) if found else well)


def _refitted(run: RunFile, stored: StoredResult) -> Check:
    """Fit the counts as the stored analysis recipe says and compare every number."""
    try:
        source = f"{run.path}, {stored.name}"
        recipe = validate(AnalysisRecipe, parse_mapping(stored.recipe_text, source), source)
        n_points = stored.values.get(POINTS_FITTED, run.n_points)
        result = analyse_run(replace(run, points=run.points[:n_points]), recipe)
    except (InputError, FitError) as error:
        return Check(stored.name, False, f"cannot be made again: {error}")
    made = {**scalars_of(result), **result.arrays(), POINTS_FITTED: n_points}
    pairs = {key: (stored.values.get(key), made.get(key)) for key in sorted({*made, *stored.values})}
    differing = {key: pair for key, pair in pairs.items() if not _agree(*pair)}
    if differing:
        return Check(stored.name, False, _told_apart(differing))
    return Check(stored.name, True, f"{stored.method}: {len(made)} numbers and curves made again")


def _agree(stored: object, made: object) -> bool:
    """Compare numbers to the tolerance, all else exactly; nothing and an empty list are the same in a run file."""
    if isinstance(made, dict) and isinstance(stored, dict):
        return {*made} == {*stored} and all(_agree(stored[key], made[key]) for key in made)
    if made is None or stored is None or isinstance(made, str | bool):
        return made == stored
    first, second = np.asarray(stored), np.asarray(made)
    if first.size == second.size == 0:
        return True
    if first.dtype.kind in "biuf" and second.dtype.kind in "biuf" and first.shape == second.shape:
        return bool(np.allclose(first, second, rtol=TOLERANCE, atol=0.0, equal_nan=True))
    return bool(first.tolist() == second.tolist())


def _told_apart(differing: Mapping[str, tuple[object, object]]) -> str:
    """Say which numbers were stored and what they become, those that are quoted first, and name the rest."""
    order = sorted(differing, key=lambda key: (QUOTED.index(key) if key in QUOTED else len(QUOTED), key))
    changes = [
        f"{key} is {_shown(differing[key][0])} and becomes {_shown(differing[key][1])}" for key in order[:N_TOLD]
    ]
    rest = [f"and {len(order) - N_TOLD} more differ: {', '.join(order[N_TOLD:])}"] if order[N_TOLD:] else []
    return "; ".join(changes + rest)


def _shown(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)[:60]

"""From file names and ``--set`` options to checked recipes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from tplm_daq.errors import InputError
from tplm_daq.recipes.align import AlignRecipe, alignment_model
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.recipes.load import apply_overrides, find_config, read_yaml, resolve_references, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.recipes.series import SeriesRecipe

RIG_PREFIX = "rig."
OF_THE_RIG = RigRecipe.model_fields.keys() - {"kind", "name"}
"""Sections of a rig file, none of which a recipe has."""
DEFAULT_ANALYSIS = "configs/analysis_default.yaml"


Measurement: TypeAlias = ScanRecipe | SeriesRecipe | AlignRecipe
"""What can be measured."""

AnyRecipe: TypeAlias = Measurement | KmcRecipe
"""What can be measured or simulated."""

MODELS: dict[str, type[Measurement]] = {"scan": ScanRecipe, "series": SeriesRecipe}
"""Kinds of recipes that `tplm run` and `tplm check` take."""


def load_measurement(recipe: str, rig: str, assignments: Sequence[str]) -> tuple[Measurement, RigRecipe]:
    """Read a recipe of any kind that can be measured, and the rig it runs on, with changes from the command line.

    Parameters
    ----------
    recipe, rig : str
        File names; shipped ones are found from anywhere.
    assignments : sequence of str
        ``KEY=VALUE``; keys that begin with ``rig.`` change the rig.

    Raises
    ------
    InputError
        A file cannot be found or read, or holds something that is not allowed.
    """
    ours = [text for text in assignments if not text.startswith(RIG_PREFIX)]
    for text in ours:
        if text.split(".")[0].split("=")[0] in OF_THE_RIG:
            raise InputError(f"--set {text}: this is a value of the rig. Write --set {RIG_PREFIX}{text}")
    path = find_config(recipe)
    data = resolve_references(read_yaml(path), path.parent, ["scan", "analysis"])
    wanted = validate(_model_of(data, path), apply_overrides(data, ours), path)
    return wanted, load_rig(rig, [text for text in assignments if text.startswith(RIG_PREFIX)])


def load_recipe(name: str | Path) -> tuple[Path, AnyRecipe]:
    """Read a recipe of a measurement or of a lattice, and return it with its file; shipped ones are found by name.

    Raises
    ------
    InputError
        The file cannot be found or read, or holds something that is not allowed.
    """
    path = find_config(name)
    data = resolve_references(read_yaml(path), path.parent, ["scan", "analysis"])
    if data.get("kind") == "kmc":
        return path, validate(KmcRecipe, data, path)
    return path, validate(_model_of(data, path), data, path)


def load_scan(recipe: str, rig: str, assignments: Sequence[str]) -> tuple[ScanRecipe, RigRecipe]:
    """Read a scan recipe and its rig as `load_measurement` does; InputError if it is of another kind."""
    wanted, rig_recipe = load_measurement(recipe, rig, assignments)
    if not isinstance(wanted, ScanRecipe):
        raise InputError(f"{recipe}: this is a {wanted.kind}, and a scan is wanted here.")
    return wanted, rig_recipe


def load_alignment(recipe: str, rig: str, assignments: Sequence[str]) -> tuple[AlignRecipe, RigRecipe]:
    """Read an alignment recipe and its rig as `load_measurement` does; InputError if it is of another kind."""
    wanted, rig_recipe = load_measurement(recipe, rig, assignments)
    if isinstance(wanted, ScanRecipe | SeriesRecipe):
        raise InputError(f"{recipe}: this is a {wanted.kind}, and an alignment is wanted here.")
    return wanted, rig_recipe


def _model_of(data: dict[str, Any], path: Path) -> type[Measurement]:
    """Return the model of a recipe's kind; a recipe without one is read as a scan, whose check says what is missing."""
    kind = str(data.get("kind", "scan"))
    if kind == "align":
        return alignment_model(data, path)
    if kind in MODELS:
        return MODELS[kind]
    hint = {
        "kmc": f"Simulate it with `tplm kmc {path}`",
        "rig": f"Give it with --rig {path}, and a recipe beside it",
        "analysis": "It belongs under the key analysis of a scan, or to `tplm analyse --set`",
    }.get(kind, f"Write one of {', '.join(MODELS)}, align")
    raise InputError(f"{path}: kind is {kind}, which cannot be measured. {hint}.")


def load_rig(rig: str, assignments: Sequence[str]) -> RigRecipe:
    """Read a rig file with changes from the command line, whose keys may begin with ``rig.``.

    Raises
    ------
    InputError
        The file cannot be found or read, or holds something that is not allowed.
    """
    path = find_config(rig)
    changes = [text.removeprefix(RIG_PREFIX) for text in assignments]
    return validate(RigRecipe, apply_overrides(read_yaml(path), changes, RIG_PREFIX), path)


def load_analysis(method: str | None, assignments: Sequence[str]) -> AnalysisRecipe:
    """Return the default analysis recipe with a method and changes from the command line.

    Raises
    ------
    InputError
        A key, method or value is not allowed.
    """
    path = find_config(DEFAULT_ANALYSIS)
    data = apply_overrides(read_yaml(path), assignments)
    if method is not None:
        data["method"] = method
    return validate(AnalysisRecipe, data, "analysis" if assignments or method is not None else path)

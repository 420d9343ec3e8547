"""From file names and ``--set`` options to checked recipes."""

from __future__ import annotations

from collections.abc import Sequence

from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.recipes.load import apply_overrides, find_config, read_yaml, resolve_references, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe

RIG_PREFIX = "rig."
DEFAULT_ANALYSIS = "configs/analysis_default.yaml"


def load_scan(recipe: str, rig: str, assignments: Sequence[str]) -> tuple[ScanRecipe, RigRecipe]:
    """Read a scan recipe and the rig it runs on, with changes from the command line.

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
    recipe_path = find_config(recipe)
    data = resolve_references(read_yaml(recipe_path), recipe_path.parent, ["analysis"])
    scan = validate(ScanRecipe, apply_overrides(data, ours), recipe_path)
    return scan, load_rig(rig, [text for text in assignments if text.startswith(RIG_PREFIX)])


def load_rig(rig: str, assignments: Sequence[str]) -> RigRecipe:
    """Read a rig file with changes from the command line, whose keys may begin with ``rig.``.

    Raises
    ------
    InputError
        The file cannot be found or read, or holds something that is not allowed.
    """
    path = find_config(rig)
    changes = [text.removeprefix(RIG_PREFIX) for text in assignments]
    return validate(RigRecipe, apply_overrides(read_yaml(path), changes), path)


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
    return validate(AnalysisRecipe, data, path)

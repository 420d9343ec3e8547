"""Whether a run may go on with a rig file that was changed: what its data depend on must be as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tplm_daq.errors import InputError
from tplm_daq.recipes.load import apply_overrides, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.workflow.calibrated import calibrated_as
from tplm_daq.workflow.load import RIG_PREFIX

FREE_TO_CHANGE = ("name", "policies", "guards", "simulation.speed", "simulation.start", "simulation.faults")
FREE_OF_DEVICES = ("address", "serial")
"""Keys of a rig file, and of each of its devices, on which the data do not depend."""


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
        RigRecipe,
        apply_overrides(before, [text.removeprefix(RIG_PREFIX) for text in assignments], RIG_PREFIX),
        f"{path}, rig",
    )
    require_same_rig(stored, changed, path)
    return changed


def present_rig(stored: RigRecipe, now: RigRecipe, path: Path) -> RigRecipe:
    """Return the rig on which a run goes on: its devices as they can be reached now, calibrated as they were.

    Parameters
    ----------
    stored : RigRecipe
        As the run has it.
    now : RigRecipe
        The rig that is there, as its rig file has it; addresses, policies, guards and speed are taken from it.
    path : Path
        Of the run.

    Raises
    ------
    InputError
        It is another rig, by name or in something that the data depend on.
    """
    if stored.name != now.name:
        raise InputError(
            f"{path}: was measured on the rig {stored.name}, and this is {now.name}. Go on with the rig file of that "
            "one, or measure anew."
        )
    rig = calibrated_as(now, stored)
    require_same_rig(stored, rig, path)
    return rig


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

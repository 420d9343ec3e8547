"""Reading recipes and rig files: strict YAML, references to other files, overrides.

The order of the steps::

    path = find_config("scan_line.yaml")
    data = resolve_references(read_yaml(path), path.parent, ["analysis"])
    data = apply_overrides(data, ["passes.dwell=2s"])
    recipe = validate(ScanRecipe, data, path)
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import ValidationError

from tplm_daq.errors import InputError
from tplm_daq.recipes.base import Model, nearest
from tplm_daq.recipes.dialect import Dumper, parse_mapping, parse_value
from tplm_daq.recipes.explain import explain, show

AnyModel = TypeVar("AnyModel", bound=Model)

MAX_BYTES = 1_000_000

KINDS = ("scan", "series", "align", "kmc", "rig", "analysis")
"""What a file may be."""


def shipped_configs() -> Path:
    """Return the folder of the recipes and rig files that come with the program.

    An installed package carries them in ``tplm_daq/_configs``; a checkout has them in ``configs``.
    """
    package = Path(__file__).parents[1]
    installed = package / "_configs"
    return installed if installed.is_dir() else package.parent / "configs"


def find_config(name: str | Path, base_dir: Path | None = None) -> Path:
    """Return the file of this name: as given, seen from `base_dir` or the current folder, else as shipped.

    Raises
    ------
    InputError
        There is no such file; the message lists where it was looked for, and the shipped name nearest to it.
    """
    asked, shipped = Path(name).expanduser(), shipped_configs()
    below = Path(*asked.parts[1:]) if asked.parts[:1] == ("configs",) else asked
    places = list(dict.fromkeys([((base_dir or Path.cwd()) / asked), shipped / below]))
    for place in places:
        if place.is_file():
            return place
    if places[0].is_dir():
        found = sorted(file.name for file in places[0].glob("*.yaml"))
        raise InputError(f"{name}: is a folder. Name a file in it{f', such as {found[0]}' if found else ''}.")
    meant = nearest(asked.stem, sorted(file.stem for file in shipped.glob("*.yaml")))
    advice = f'Did you mean "{meant}.yaml"?' if meant else "Check the name, or give the whole path."
    raise InputError(f"{name}: there is no such file; looked for {' and '.join(map(str, places))}. {advice}")


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a file of keys and values, strictly.

    Returns
    -------
    dict
        Only dict, list, str, int, float, bool and None, with text as keys.

    Raises
    ------
    InputError
        The file is missing, unreadable, no text, no YAML, or holds no keys; with line and column where there are any.
    """
    if Path(path).is_dir():
        raise InputError(f"{Path(path).absolute()}: cannot be read: is a directory. Name a file in it.")
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"{Path(path).absolute()}: cannot be read: {reason}. Check name and rights.") from error
    if len(content) > MAX_BYTES:
        raise InputError(f"{path}: larger than {MAX_BYTES} bytes, so no recipe. To analyse data use `tplm analyse`.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}, line {line}: not UTF-8 text. Save it as UTF-8; if it is a data file, use `tplm analyse`."
        ) from error
    return parse_mapping(text, str(path))


def resolve_references(
    data: dict[str, Any], base_dir: Path, keys: Sequence[str], opened: tuple[Path, ...] = ()
) -> dict[str, Any]:
    """Return `data` with file names under `keys` replaced by what the files hold, at any depth of references.

    Names are looked for in the folder of the file that refers to them first, then among the shipped files.
    `opened` are the files that led here.

    Raises
    ------
    InputError
        A file is missing or unusable, or files refer to each other in a circle.
    """
    resolved = dict(data)
    for key in keys:
        value = data.get(key)
        if isinstance(value, dict):
            resolved[key] = resolve_references(value, base_dir, keys, opened)
        elif isinstance(value, str):
            try:
                path = find_config(value, base_dir).resolve()
            except InputError as error:
                raise InputError(f"{key}: {error}") from error
            if path in opened:
                circle = " -> ".join(file.name for file in (*opened, path))
                raise InputError(f"{path}: {key} refers back to a file that led here: {circle}. Break the circle.")
            resolved[key] = resolve_references(read_yaml(path), path.parent, keys, (*opened, path))
    return resolved


def apply_overrides(data: dict[str, Any], assignments: Sequence[str], prefix: str = "") -> dict[str, Any]:
    """Return a copy of `data` in which each ``KEY=VALUE`` has been set.

    Parameters
    ----------
    data : dict
        As from `read_yaml`.
    assignments : sequence of str
        Dotted keys, with indices from 0 for lists, and YAML values: ``vary.0.average_power.1=3nW``.
    prefix : str
        What stands before a key on the command line, for messages.

    Raises
    ------
    InputError
        An assignment has no ``=``, its value is no YAML, or its key leads nowhere.

    Examples
    --------
    >>> apply_overrides({"passes": {"dwell": "20 s"}}, ["passes.dwell=2s", "passes.n_passes=3"])
    {'passes': {'dwell': '2s', 'n_passes': 3}}
    """
    changed = copy.deepcopy(data)
    for assignment in assignments:
        source = f"--set {prefix}{assignment}"
        dotted, equals, text = assignment.partition("=")
        keys = dotted.strip().split(".")
        if not equals or not all(keys):
            raise InputError(f"{source}: write KEY=VALUE with dots between keys, such as --set passes.dwell=2s")
        value = parse_value(text, source)
        if "#" in text and "#" not in show(value, limit=None):
            raise InputError(
                f"{source}: # begins a comment. Put the value in quotes: --set '{prefix}{dotted}=\"{text}\"'"
            )
        node: Any = changed
        for depth, key in enumerate(keys):
            place = _place(node, keys[:depth], key, source, prefix, is_last=depth == len(keys) - 1)
            if depth == len(keys) - 1:
                node[place] = value
            else:
                node = node[place]
    return changed


def validate(model_type: type[AnyModel], data: dict[str, Any], source: str | Path) -> AnyModel:
    """Return the model that `data` describes.

    Raises
    ------
    InputError
        One line per problem, every problem: file, key, value, rule, and what to write instead.
    """
    wanted = get_args(model_type.model_fields["kind"].annotation) if "kind" in model_type.model_fields else ()
    kind = data.get("kind")
    if wanted and kind in KINDS and kind not in wanted:
        raise InputError(
            f"{source}: its kind is {kind}, and one of kind {wanted[0]} is wanted here. Name another file."
        )
    try:
        # As JSON, because there a list may become a tuple even in strict mode.
        return model_type.model_validate_json(json.dumps(data), by_alias=True, by_name=False)
    except ValidationError as error:
        problems = explain(model_type, error)
        raise InputError("\n".join(f"{source}: {problem}" for problem in problems)) from error


def dump_yaml(model: Model) -> str:
    """Return the model as text that `read_yaml` and `validate` turn into an equal model; keys in their order."""
    return yaml.dump(
        model.model_dump(mode="json"), None, Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None
    )


def _place(node: Any, above: list[str], key: str, source: str, prefix: str, *, is_last: bool) -> str | int:
    """Return `key` as key or index of `node`, which is found at the keys `above`."""
    here = ".".join(above) or "the file"
    if isinstance(node, list):
        if key in map(str, range(len(node))):
            return int(key)
        raise InputError(
            f"{source}: {here} is a list of {len(node)}, and {key} is none of its indices. "
            + (
                f"Write {'0' if len(node) == 1 else f'0 to {len(node) - 1}'}."
                if node
                else f"Set it whole: --set '{prefix}{here}=[...]'."
            )
        )
    if not isinstance(node, dict):
        raise InputError(
            f"{source}: {here} is {show(node)} and has no keys. Set it whole: --set '{prefix}{here}={{...}}'."
        )
    if is_last or key in node:
        return key
    below = [name for name, section in node.items() if isinstance(section, dict) and key in section]
    meant = f"{below[0]}.{key}" if below else nearest(key, list(node))
    known = f'Did you mean "{meant}"?' if meant else f"Keys there: {', '.join(node) or 'none'}."
    whole = ".".join([*above, key])
    raise InputError(
        f"{source}: there is no {key} in {here}. {known} Set a new section whole: --set '{prefix}{whole}={{...}}'."
    )

"""Reading recipes and rig files: strict YAML, references to other files, overrides.

The order of the steps::

    path = find_config("scan_line.yaml")
    data = resolve_references(read_yaml(path), path.parent, ["analysis"])
    data = apply_overrides(data, ["passes.dwell=2s"])
    recipe = validate(ScanRecipe, data, path)

YAML 1.1 reads ``1:30`` as 90, ``010`` as 8, ``off`` as false and ``1e3`` as text, keeps the last of two equal keys,
and lets a few lines of aliases grow without end. Here plain words are read as in the core schema of YAML 1.2.2
(section 10.3.2) without octal, hexadecimal and infinite numbers, which stay text and are refused where a number
belongs; equal keys, aliases and tags are errors.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from tplm_daq.errors import InputError
from tplm_daq.recipes.base import Model, nearest
from tplm_daq.recipes.explain import explain, show

AnyModel = TypeVar("AnyModel", bound=Model)

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
_PLAIN_WORDS = {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?(?:0|[1-9][0-9]{0,17})",
    "float": r"[-+]?(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+|(?:0|[1-9][0-9]*)(?=[eE]))(?:[eE][-+]?[0-9]+)?",
}
_HINTS = {
    "\\t": "Indent with spaces, not with tabs",
    "mapping values": "Put quotes around a text that contains a colon, or align the key with the keys above",
    "expected ':'": "Write a colon and a space after each key",
    "cannot start any token": "Put quotes around a text that begins with a special character",
    "<block end>": "Align the key with its neighbours",
    "',' or": "Close the bracket or brace, or separate the entries by commas",
    "end of stream": "Close the quotation mark",
    "another document": "Remove the second document, which starts after ---",
}


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
    meant = nearest(asked.name, sorted(file.name for file in shipped.glob("*.yaml")))
    advice = f'Did you mean "{meant}"?' if meant else "Check the name, or give the whole path."
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
    data = _parse(text, str(path))
    if not isinstance(data, dict):
        found = "it is empty" if data is None else f"it holds {show(data)}"
        raise InputError(f"{path}: a file of keys and values is needed, but {found}. Begin with a line like kind: scan")
    return data


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
            path = find_config(value, base_dir).resolve()
            if path in opened:
                circle = " -> ".join(file.name for file in (*opened, path))
                raise InputError(f"{path}: {key} refers back to a file that led here: {circle}. Break the circle.")
            resolved[key] = resolve_references(read_yaml(path), path.parent, keys, (*opened, path))
    return resolved


def apply_overrides(data: dict[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """Return a copy of `data` in which each ``KEY=VALUE`` has been set.

    Parameters
    ----------
    data : dict
        As from `read_yaml`.
    assignments : sequence of str
        Dotted keys, with indices from 0 for lists, and YAML values: ``vary.0.average_power.1=3nW``.

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
        source = f"--set {assignment}"
        dotted, equals, text = assignment.partition("=")
        keys = dotted.strip().split(".")
        if not equals or not all(keys):
            raise InputError(f"{source}: write KEY=VALUE with dots between keys, such as --set passes.dwell=2s")
        value = _parse(text, source)
        if "#" in text and "#" not in show(value, limit=None):
            raise InputError(f"{source}: # begins a comment. Put the value in quotes: --set '{dotted}=\"{text}\"'")
        node: Any = changed
        for depth, key in enumerate(keys):
            place = _place(node, keys[:depth], key, source, is_last=depth == len(keys) - 1)
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
    try:
        # As JSON, because there a list may become a tuple even in strict mode.
        return model_type.model_validate_json(json.dumps(data), by_alias=True, by_name=False)
    except ValidationError as error:
        problems = explain(model_type, error)
        raise InputError("\n".join(f"{source}: {problem}" for problem in problems)) from error


def dump_yaml(model: Model) -> str:
    """Return the model as text that `read_yaml` and `validate` turn into an equal model; keys in their order."""
    return yaml.dump(
        model.model_dump(mode="json"), None, _Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None
    )


def _place(node: Any, above: list[str], key: str, source: str, *, is_last: bool) -> str | int:
    """Return `key` as key or index of `node`, which is found at the keys `above`."""
    here = ".".join(above) or "the file"
    if isinstance(node, list):
        if key in map(str, range(len(node))):
            return int(key)
        raise InputError(
            f"{source}: {here} is a list of {len(node)}, and {key} is none of its indices. "
            + (f"Write 0 to {len(node) - 1}." if node else f"Set it whole: --set '{here}=[...]'.")
        )
    if not isinstance(node, dict):
        raise InputError(f"{source}: {here} is {show(node)} and has no keys. Set it whole: --set '{here}={{...}}'.")
    if is_last or key in node:
        return key
    meant = nearest(key, list(node))
    known = f'Did you mean "{meant}"?' if meant else f"Keys there: {', '.join(node) or 'none'}."
    whole = ".".join([*above, key])
    raise InputError(
        f"{source}: there is no {key} in {here}. {known} Set a new section whole: --set '{whole}={{...}}'."
    )


def _parse(text: str, source: str) -> Any:
    """Parse one YAML document."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        problem, where = error.problem or error.context or "this is no YAML", ""
        if error.problem_mark is not None:
            line, column = error.problem_mark.line, error.problem_mark.column
            written = (text.splitlines() or [""])[line : line + 1]
            where = f", line {line + 1}, column {column + 1}" + (f' ("{written[0].strip()[:60]}")' if written else "")
        hint = next((hint for part, hint in _HINTS.items() if part in problem), "Check indents, quotes and brackets")
        raise InputError(f"{source}{where}: {problem}. {hint}.") from error
    except (yaml.reader.ReaderError, ValueError, OverflowError) as error:  # the last two: an escape such as \UFFFFFFFF
        raise InputError(f"{source}: holds a character that is no text ({error}). Remove it.") from error


class _Loader(yaml.SafeLoader):
    """Builds dict, list, str, int, float, bool and None, and nothing else."""

    yaml_implicit_resolvers = {}
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose a node; aliases, anchors, tags and deep nesting are refused."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _refusal("aliases and anchors (* and &) are not allowed; write the value out", event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise _refusal("tags (!) are not allowed; write the value without", event.start_mark)
        if self.depth >= MAX_DEPTH:
            raise _refusal(f"nested more than {MAX_DEPTH} levels deep", event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Construct a mapping; its keys are text, and no key stands twice."""
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.tag != "tag:yaml.org,2002:str":
                written = key.value if isinstance(key, yaml.ScalarNode) else "a list or mapping"
                raise _refusal(f"the key {written} is not text; put it in quotes", key.start_mark)
            if key.value in lines:
                first = lines[key.value]
                raise _refusal(f'the key "{key.value}" stands twice, first in line {first}; keep one', key.start_mark)
            lines[key.value] = line
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Quotes every text that either YAML 1.1 or our loader would read as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal values out, since aliases cannot be read back."""
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Escape unusual line breaks, which plain and single-quoted text would lose."""
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if data.isprintable() else '"')


_Dumper.add_representer(str, _Dumper.represent_str)
for _name, _pattern in _PLAIN_WORDS.items():
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(rf"^(?:{_pattern})$"), None)


def _refusal(problem: str, mark: yaml.Mark) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(problem=problem, problem_mark=mark)

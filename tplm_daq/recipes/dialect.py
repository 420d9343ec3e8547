"""The YAML of recipes and rig files: what is read, what is refused, and how it is written.

YAML 1.1 reads ``1:30`` as 90, ``010`` as 8, ``off`` as false and ``1e3`` as text, keeps the last of two equal keys,
and lets a few lines of aliases grow without end. Here plain words are read as in the core schema of YAML 1.2.2
(section 10.3.2) without octal, hexadecimal and infinite numbers, which stay text and are refused where a number
belongs; equal keys, aliases and tags are errors.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from tplm_daq.errors import InputError
from tplm_daq.recipes.explain import show

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


def parse_value(text: str, source: str) -> Any:
    """Return what one YAML document holds; InputError, naming `source`, line and column, if it is none."""
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


def parse_mapping(text: str, source: str) -> dict[str, Any]:
    """Return the keys and values that a text holds; InputError, naming `source`, if it holds anything else."""
    data = parse_value(text, source)
    if not isinstance(data, dict):
        found = "it is empty" if data is None else f"it holds {show(data)}"
        raise InputError(
            f"{source}: a file of keys and values is needed, but {found}. Begin with a line like kind: scan"
        )
    return data


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


class Dumper(yaml.SafeDumper):
    """Quotes every text that either YAML 1.1 or our loader would read as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal values out, since aliases cannot be read back."""
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Escape unusual line breaks, which plain and single-quoted text would lose."""
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if data.isprintable() else '"')


Dumper.add_representer(str, Dumper.represent_str)
for _name, _pattern in _PLAIN_WORDS.items():
    for _class in (_Loader, Dumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(rf"^(?:{_pattern})$"), None)


def _refusal(problem: str, mark: yaml.Mark) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(problem=problem, problem_mark=mark)

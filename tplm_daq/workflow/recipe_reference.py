"""Every key of every file, as the page `docs/recipes.md`: written from the models, so that it cannot differ from them.

Each model is described once, where it is met first; later places link there. Rules between several keys are in none
of the tables; `tplm check` knows them. To write the page anew::

    python -m tplm_daq.workflow.recipe_reference > docs/recipes.md
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from tplm_daq.recipes.align import PROCEDURES, Alignment
from tplm_daq.recipes.base import Model, Quantity, file_key
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.recipes.series import SeriesRecipe
from tplm_daq.workflow.schema import MODELS

_OPENING = """\
# Every key of every file

Written by `python -m tplm_daq.workflow.recipe_reference` from the models that read the files. Do not edit this page: a
test compares the two.

Files are YAML. A key that is not in these tables is refused, with the key that was probably meant. `--set KEY=VALUE`
changes one value: `--set passes.dwell=2s`, in a list with its number (`--set vary.0.average_power.1=3nW`), in the rig
file with `rig.` before it (`--set rig.simulation.seed=3`). Rules between several keys, such as a span that is longer
than the laser's period, are checked when a file is read; the message says what to write instead.

A bare number where a unit belongs is refused. These are the kinds of quantities:

"""
_SIGNS = {"gt": "> {}", "lt": "< {}", "ge": "at least {}", "le": "at most {}"}
"""The stricter first."""
_WORDS: dict[Any, str] = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`"}


@dataclass
class _Page:
    """What has been described so far, and where."""

    anchors: dict[type[Model], str] = field(default_factory=dict)
    quantities: dict[str, Quantity] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)


def recipe_reference() -> str:
    """Return the page as Markdown.

    Raises
    ------
    ValueError
        A key has no description.

    Examples
    --------
    >>> print(next(line for line in recipe_reference().splitlines() if line.startswith("| `bin_width`")))
    | `bin_width` | delay, > 0 ps | required | Width of a delay bin; one that the counter has. |
    """
    page = _Page()
    _describe(page, "scan", ScanRecipe)
    _describe(page, "series", SeriesRecipe)
    _describe(page, "align", Alignment)
    for name, procedure in PROCEDURES.items():
        _describe(page, f"align: procedure {name}", procedure, own_only=True)
    for kind, model in MODELS.items():
        if model not in page.anchors:
            _describe(page, kind, model)
    return _OPENING + _quantities(page) + "\n" + "\n".join(page.parts)


def _describe(page: _Page, place: str, model: type[Model], own_only: bool = False) -> None:
    """Add the table of a model (of a kind, if its place is a single word), then those of new sections below it."""
    is_kind = place.isalpha()
    page.anchors[model] = _anchor(f"kind: {place}" if is_kind else place)
    page.parts.append(f"## kind: {place}\n" if is_kind else f"### {place}\n")
    rows, sections = [], []
    for name, info in model.model_fields.items():
        if own_only and name not in model.__annotations__:
            continue
        below = [(f"{_below(place)}{file_key(name)}{which}", part) for which, part in _sections(info)]
        for heading, part in below:
            page.anchors.setdefault(part, _anchor(heading))
        sections += [(heading, part) for heading, part in below if page.anchors[part] == _anchor(heading)]
        rows.append(_row(page, model, name, info))
    table = "| key | value | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    page.parts += [_prose(inspect.getdoc(model) or "") + "\n", table]
    for heading, part in sections:
        _describe(page, heading, part)


def _row(page: _Page, model: type[Model], name: str, info: FieldInfo) -> str:
    meaning = info.description or _sentence(info) or _fixed(info)
    if not meaning:
        raise ValueError(f"{model.__name__}.{name} has no description; write a docstring below the field")
    annotation = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    default = "required" if info.is_required() else _default(info.get_default(call_default_factory=True), annotation)
    cells = (f"`{info.alias or file_key(name)}`", _value(page, annotation), default, _prose(meaning, in_line=True))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _sentence(info: FieldInfo) -> str:
    """Return the first sentence about a section, whose own table says more."""
    models = [model for _, model in _sections(info)]
    return (inspect.getdoc(models[0]) or "").split("\n\n")[0] if len(models) == 1 else ""


def _fixed(info: FieldInfo) -> str:
    """Return what is to be said of a key that can have one value only."""
    is_fixed = get_origin(info.annotation) is Literal and len(get_args(info.annotation)) == 1
    return "Says what this file or section is." if is_fixed else ""


def _value(page: _Page, annotation: Any) -> str:
    """Return what may stand behind a key, with its range."""
    base, metadata = _bare(annotation)
    quantity = next((item for item in metadata if isinstance(item, Quantity)), None)
    limits = _limits(metadata, quantity)
    if quantity is not None:
        page.quantities.setdefault(quantity.kind, quantity)
        return ", ".join([_kind(quantity), *limits])
    origin, arguments = get_origin(base), get_args(base)
    if origin is Literal:
        return " or ".join(f"`{word}`" for word in arguments)
    if origin in (Union, UnionType):
        return " or ".join(_value(page, argument) for argument in arguments if argument is not NoneType)
    if origin is tuple:
        return ", ".join([_list(page, arguments), *limits])
    if isinstance(base, type) and issubclass(base, Model):
        return f"[section](#{page.anchors[base]})"
    return ", ".join([_WORDS[base], *limits])


def _list(page: _Page, arguments: tuple[Any, ...]) -> str:
    if arguments[-1] is Ellipsis:
        return f"list, each: {_value(page, arguments[0])}"
    return "[" + ", ".join(_value(page, argument) for argument in arguments) + "]"


def _bare(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type without its `Annotated`, and everything that annotated it, as single items."""
    found: list[Any] = []
    while get_origin(annotation) is Annotated:
        annotation, *metadata = get_args(annotation)
        for item in metadata:
            found += item.metadata if isinstance(item, FieldInfo) else [item]
    return annotation, tuple(found)


def _limits(metadata: tuple[Any, ...], quantity: Quantity | None) -> Iterator[str]:
    """Give the strictest lower limit, the strictest upper one, and the most entries of a list or letters of a text."""
    for is_lower, names in ((True, ("gt", "ge")), (False, ("lt", "le"))):
        limits = [(getattr(item, name), name) for item in metadata for name in names if hasattr(item, name)]
        if limits:
            strictest = max if is_lower else min
            limit = strictest(value for value, _ in limits)
            sign = next(sign for name, sign in _SIGNS.items() if (limit, name) in limits)
            yield sign.format(quantity.format(limit) if quantity else f"{limit:g}" if limit < 1e6 else limit)
    for item in metadata:
        if hasattr(item, "max_length"):
            yield f"at most {item.max_length} long"


def _sections(info: FieldInfo) -> list[tuple[str, type[Model]]]:
    """Return the models that a key may hold; of several, each with the words that tell it from the others."""
    models = list(_models(info.annotation))
    return [("", models[0])] if len(models) == 1 else [(f", {_tag(model)}", model) for model in models]


def _tag(model: type[Model]) -> str:
    """Return the key of one possible value, with that value, such as ``shape line``."""
    choices = ((key, get_args(info.annotation)) for key, info in model.model_fields.items())
    return next(f"{key} {choice[0]}" for key, choice in choices if len(choice) == 1)


def _models(annotation: Any) -> Iterator[type[Model]]:
    base, _ = _bare(annotation)
    if isinstance(base, type) and issubclass(base, Model):
        yield base
    for argument in get_args(base):
        yield from _models(argument)


def _default(value: object, annotation: Any) -> str:
    """Return a default as a file would say it."""
    if value is None or value == ():
        return "none"
    if isinstance(value, Model):
        return "as in its table"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    quantity = next(_all_quantities(annotation), None)
    if isinstance(value, tuple):
        return "`[" + ", ".join(quantity.format(item) if quantity else str(item) for item in value) + "]`"
    if isinstance(value, float) and quantity is not None:
        return f"`{quantity.format(value)}`"
    return f"`{value}`" if value != "" else "empty"


def _all_quantities(annotation: Any) -> Iterator[Quantity]:
    base, metadata = _bare(annotation)
    yield from (item for item in metadata if isinstance(item, Quantity))
    for argument in get_args(base):
        yield from _all_quantities(argument)


def _quantities(page: _Page) -> str:
    rows = [
        f"| {_kind(quantity)} | {', '.join(quantity.shown)} | `{quantity.example}` |"
        for quantity in page.quantities.values()
    ]
    return "| kind | units | for example |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _kind(quantity: Quantity) -> str:
    return quantity.kind.split(maxsplit=1)[1]


def _below(place: str) -> str:
    return f"{place}: " if place.isalpha() else f"{place}."


def _prose(text: str, in_line: bool = False) -> str:
    text = text.replace("``", "`")
    return " ".join(text.split()) if in_line else text


def _anchor(heading: str) -> str:
    """Return the anchor that a renderer gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


if __name__ == "__main__":
    sys.stdout.write(recipe_reference())

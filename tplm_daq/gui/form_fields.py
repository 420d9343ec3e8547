"""What a form asks for: the fields of a recipe model, with help, unit, range, default and choices, as plain data.

Everything is read from the model itself: descriptions are its docstrings, units its quantities, ranges its limits. A
field that is added to a recipe is in the form without a line here. No widget is made here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tplm_daq.errors import InputError
from tplm_daq.recipes.base import Model, Quantity, file_key
from tplm_daq.recipes.dialect import parse_value

Path = tuple[str, ...]
"""Keys from the top of the file."""

RANGE_WORDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}


@dataclass(frozen=True)
class Entry:
    """One value.

    Attributes
    ----------
    path : Path
        Where it stands in the file.
    kind : str
        "tick" (true or false), "choice" (one of `choices`), "text" (as typed), "yaml" (numbers and lists).
    help : str
        What it is for, its unit and its range.
    example : str
        What could be written.
    default : object
        What holds if nothing is written, as in a file; None if nothing does.
    is_required : bool
        Whether something must be written.
    choices : tuple
        The choices, as in a file: words or numbers.
    """

    path: Path
    kind: Literal["tick", "choice", "text", "yaml"]
    help: str
    example: str
    default: object
    is_required: bool
    choices: tuple[str | int, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The choices as one reads them."""
        return tuple(map(str, self.choices))

    def value_of(self, text: str) -> object:
        """Return what a typed or chosen text means in a file; what cannot be read stays text, to be refused."""
        if self.choices:
            return next((choice for choice in self.choices if str(choice) == text), text)
        if self.kind != "yaml":
            return text
        try:
            return parse_value(text, ".".join(self.path))
        except InputError:
            return text


@dataclass(frozen=True)
class Section:
    """Values and sections under one key, or those of the whole file; `fixed` are words that cannot be changed."""

    path: Path
    help: str
    parts: tuple[Part, ...]
    fixed: dict[str, str]


@dataclass(frozen=True)
class Items:
    """A list of sections of one kind under one key."""

    path: Path
    help: str
    model: type[Model]

    def item(self, number: int) -> Section:
        """Return what one of them asks for."""
        return describe(self.model, (*self.path, str(number)))


@dataclass(frozen=True)
class Alternatives:
    """A section whose key `tag` decides which keys it has."""

    path: Path
    tag: str
    sections: dict[str, Section]


Part = Entry | Section | Items | Alternatives


def describe(model: type[Model], path: Path = ()) -> Section:
    """Return what a model asks for.

    Examples
    --------
    >>> from tplm_daq.recipes.scan import LightSettings
    >>> [(entry.path[-1], entry.kind, entry.example) for entry in describe(LightSettings).parts]
    [('repetition_rate', 'text', '2.5 MHz'), ('average_power', 'text', '10 nW'), ('between_points', 'choice', 'on')]
    """
    words = {name: _words(_types(field)) for name, field in model.model_fields.items()}
    fixed = {file_key(name): str(only[0]) for name, only in words.items() if len(only) == 1}
    parts = (_part(name, field, path) for name, field in model.model_fields.items() if file_key(name) not in fixed)
    return Section(path, " ".join((model.__doc__ or "").split()), tuple(parts), fixed)


def text_of(value: object) -> str:
    """Return a value of a file as one types it.

    Examples
    --------
    >>> text_of(["0 nm", "1 um"]), text_of(None), text_of(41), text_of("auto")
    ('[0 nm, 1 um]', '', '41', 'auto')
    """
    if value is None:
        return ""
    return f"[{', '.join(map(_item_text, value))}]" if isinstance(value, list) else str(value)


def _item_text(value: object) -> str:
    """Return an item of a list, in quotes if it would be read as something else without."""
    text = text_of(value)
    return json.dumps(text, ensure_ascii=False) if isinstance(value, str) and _read(f"[{text}]") != [value] else text


def _read(text: str) -> object:
    try:
        return parse_value(text, "item")
    except InputError:
        return None


def _part(name: str, field: FieldInfo, above: Path) -> Part:
    path, types = (*above, file_key(name)), _types(field)
    models = [each for each in types if isinstance(each, type) and issubclass(each, Model)]
    if models and isinstance(field.discriminator, str):
        tag = field.discriminator
        sections = [describe(model, path) for model in models]
        return Alternatives(path, tag, {section.fixed[tag]: section for section in sections})
    if models:
        return describe(models[0], path)
    if (model := _item_model(types)) is not None:
        return Items(path, _help(field, types), model)
    is_required = field.default is PydanticUndefined
    return Entry(
        path=path,
        kind=_kind(types),
        help=_help(field, types),
        example=next(filter(None, map(_example, types)), ""),
        default=None if is_required else _default(field.default, types),
        is_required=is_required,
        choices=_words(types),
    )


def _item_model(types: list[Any]) -> type[Model] | None:
    """Return the model of which there is a list; None if there is no such list."""
    items = [item for each in types if get_origin(each) is tuple for item in _choices(get_args(each)[0])]
    return next((each for each in items if isinstance(each, type) and issubclass(each, Model)), None)


def _types(field: FieldInfo) -> list[Any]:
    return list(_choices(Annotated[(field.annotation, *field.metadata, "field")]))


def _words(types: list[Any]) -> tuple[str | int, ...]:
    """Return the words or numbers of a choice; none if anything else may be written too."""
    if not all(get_origin(each) is Literal for each in types):
        return ()
    return tuple(word for each in types for word in get_args(each))


def _kind(types: list[Any]) -> Literal["tick", "choice", "text", "yaml"]:
    if types == [bool]:
        return "tick"
    if _words(types):
        return "choice"
    return "text" if any(each is str or isinstance(each, Quantity) for each in types) else "yaml"


def _default(default: object, types: list[Any]) -> object:
    """Return a default as a file writes it."""
    if isinstance(default, tuple):
        items = [item for each in types if get_origin(each) is tuple for item in _choices(get_args(each)[0])]
        return [_default(value, items) for value in default]
    quantity = next((each for each in types if isinstance(each, Quantity)), None)
    if quantity is not None and isinstance(default, int | float):
        return quantity.format(float(default))
    return default


def _help(field: FieldInfo, types: list[Any]) -> str:
    quantity = next((each for each in types if isinstance(each, Quantity)), None)
    sentences = [" ".join(field.description.split())] if field.description else []
    if quantity is not None:
        sentences.append(f"{quantity.kind[0].upper()}{quantity.kind[1:]}, such as {quantity.example}.")
    elif lists := [each for each in types if get_origin(each) is tuple and _example(each) != "[]"]:
        sentences.append(f"A list, such as {_example(lists[0])}.")
    if bounds := ", ".join(_bounds(field, quantity)):
        sentences.append(f"{bounds[0].upper()}{bounds[1:]}.")
    return " ".join(sentences)


def _bounds(field: FieldInfo, quantity: Quantity | None) -> Iterator[str]:
    for constraint in _constraints(field.annotation, field.metadata):
        for name, word in RANGE_WORDS.items():
            if (limit := getattr(constraint, name, None)) is not None:
                yield f"{word} {quantity.format(float(limit)) if quantity else f'{limit:g}'}"


def _constraints(annotation: Any, metadata: list[Any]) -> Iterator[Any]:
    """Yield the limits of a field, those inside a choice of types included."""
    for part in metadata:
        yield from part.metadata if isinstance(part, FieldInfo) else [part]
    if get_origin(annotation) is Annotated:
        yield from _constraints(annotation.__origin__, list(annotation.__metadata__))
    elif get_origin(annotation) in (Union, UnionType):
        for argument in get_args(annotation):
            yield from _constraints(argument, [])


def _example(allowed: Any) -> str:
    if isinstance(allowed, Quantity):
        return allowed.example
    if get_origin(allowed) is Literal:
        return str(get_args(allowed)[0])
    if get_origin(allowed) is tuple:
        return f"[{', '.join(_example(next(_choices(each))) for each in get_args(allowed) if each is not ...)}]"
    return {int: "3", float: "0.5"}.get(allowed, "")


def _choices(annotation: Any) -> Iterator[Any]:
    """Take unions and constraints apart; a quantity stands for its float, and None is left out."""
    if get_origin(annotation) is Annotated:
        quantities = [part for part in annotation.__metadata__ if isinstance(part, Quantity)]
        yield from quantities or _choices(annotation.__origin__)
    elif get_origin(annotation) in (Union, UnionType):
        for argument in get_args(annotation):
            yield from _choices(argument)
    elif annotation is not type(None):
        yield annotation

"""What is wrong with a recipe, in sentences: pydantic's errors turned into key, value, rule, and what to write instead.

Pydantic reports a choice of types (``auto`` or two lengths) as one error per type that was tried, and mixes the
names of these types into the location of the error. Here they become one problem per key of the file: the
type that came furthest speaks, and if none got further than the others, their rules are joined by "or".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from tplm_daq.recipes.base import Quantity, nearest

_RULES = {
    "bool_type": ("must be true or false", "Write true or false without quotes"),
    "int_type": ("must be a whole number", "Write digits without leading zeros, unit and quotes"),
    "int_from_float": ("must be a whole number", "Write digits without a decimal point"),
    "float_type": ("must be a number", "Write it without unit and quotes, such as 0.5"),
    "string_type": ("must be text", "Put it in quotes"),
    "list_type": ("must be a list", "Write [first, second]"),
    "tuple_type": ("must be a list", "Write [first, second]"),
    "model_type": ("must be a section of its own", "Write its keys below it, indented"),
    "dict_type": ("must be a section of its own", "Write its keys below it, indented"),
}
_EXAMPLES = {str: "a text", int: "3", float: "0.5", bool: "true"}
_LIMITS = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}


@dataclass(frozen=True)
class Place:
    """Where in a recipe a pydantic error points.

    Attributes
    ----------
    keys : tuple of str or int
        The keys as in the file.
    types : list
        What the model allows there: types, and `Quantity` objects in place of the floats they describe. For an
        unknown key, the models that do not know it.
    branches : tuple
        For each choice of types on the way, its keys and the name pydantic has for the type that was tried.
    """

    keys: tuple[str | int, ...]
    types: list[Any]
    branches: tuple[tuple[tuple[str | int, ...], str | int], ...] = ()


def explain(model_type: type[BaseModel], error: ValidationError) -> list[str]:
    """List the problems of a recipe, one sentence or two for each key that has one.

    Parameters
    ----------
    model_type : type of BaseModel
        The model that refused the recipe.
    error : ValidationError
        What it said.

    Returns
    -------
    list of str
        Such as ``passes.dwell is 20: a time needs its unit. Write "20 s" or "20000 ms".``
    """
    return list(explain_by_key(model_type, error).values())


def explain_by_key(model_type: type[BaseModel], error: ValidationError) -> dict[tuple[str | int, ...], str]:
    """Return the sentences of `explain` by the keys that they are about; no keys stand for the whole recipe."""
    found = [(_locate(model_type, details), details) for details in error.errors(include_url=False)]
    by_key: dict[tuple[str | int, ...], list[tuple[Place, ErrorDetails]]] = {}
    for place, details in found:
        if not any(_is_further(other, place) for other, _ in found):
            by_key.setdefault(place.keys, []).append((place, details))
    return {keys: _sentence(keys, problems) for keys, problems in by_key.items()}


def show(value: Any, limit: int | None = 60) -> str:
    """Return a value as it would stand in a file, in at most `limit` characters."""
    text = json.dumps(value, ensure_ascii=False)
    return text if limit is None or len(text) <= limit else text[: limit - 3] + "..."


def _locate(model_type: type[BaseModel], details: ErrorDetails) -> Place:
    """Follow the location of an error, which mixes keys of the file with names of types."""
    place = Place((), [model_type])
    for depth, name in enumerate(details["loc"], start=1):
        below = [found for allowed in place.types for found in _below(allowed, name)]
        if below:
            place = Place((*place.keys, name), below, place.branches)
        elif details["type"] == "extra_forbidden" and depth == len(details["loc"]):
            place = Place((*place.keys, name), place.types, place.branches)
        else:
            meant = [allowed for allowed in place.types if _is_model(allowed) and _answers_to(allowed, name)]
            place = Place(place.keys, meant or place.types, (*place.branches, (place.keys, name)))
    return place


def _is_further(other: Place, place: Place) -> bool:
    """Tell whether another type of the same choice got further into the value than this one."""
    apart = any(there == here and tried != type_ for there, tried in other.branches for here, type_ in place.branches)
    return apart and len(other.keys) > len(place.keys)


def _sentence(keys: Sequence[str | int], problems: list[tuple[Place, ErrorDetails]]) -> str:
    first = problems[0][1]
    name = ".".join(map(str, keys))
    if first["type"] == "missing":
        return f"{name} is missing. {_rule(*problems[0])[1]}."
    if not isinstance(first["input"], dict):
        name += f" is {show(first['input'])}"
    said = [_rule(place, details) for place, details in problems]
    rules = ", or ".join(dict.fromkeys(rule for rule, _ in said if rule))
    first_advice, *others = dict.fromkeys(advice for _, advice in said if advice) or [""]
    advice = ", or ".join([first_advice, *(other[0].lower() + other[1:] for other in others)])
    return ": ".join(filter(None, [name, ". ".join(filter(None, [rules, advice]))])) + "."


def _rule(place: Place, details: ErrorDetails) -> tuple[str, str]:
    """Return the rule that was broken, and what to write instead."""
    kind, context = details["type"], details.get("ctx", {})
    quantity = next((allowed for allowed in place.types if isinstance(allowed, Quantity)), None)
    if kind == "quantity":
        return context["rule"], context["advice"]
    if kind == "missing":
        return "", f"Write {place.keys[-1]}: {_example(place.types)}"
    if kind == "extra_forbidden":
        known = [key for model in place.types if _is_model(model) for key in _fields(model)]
        meant = nearest(str(place.keys[-1]), known)
        return "there is no such key", f'Write "{meant}" instead' if meant else f"The keys here are {', '.join(known)}"
    if kind == "literal_error":
        words = [word for allowed in place.types if get_origin(allowed) is Literal for word in get_args(allowed)]
        meant = nearest(str(details["input"]), [word for word in words if isinstance(word, str)])
        return f"must be {' or '.join(map(show, words))}", f"Write {meant}" if meant else ""
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return f"its {context['discriminator']} decides which keys there are", f"Write {_tags(place.types, context)}"
    if kind in _LIMITS and quantity is not None:
        limit = quantity.format(context[_LIMITS[kind]])
        return f"must be {kind.replace('_', ' ').replace('equal', 'or equal to')} {limit}", ""
    if kind in _RULES:
        return _RULES[kind]
    if kind == "string_too_long":
        return f"must have at most {context['max_length']} characters", "Shorten it"
    return details["msg"].removeprefix("Value error, ").replace("Input should be", "must be"), ""


def _tags(types: Sequence[Any], context: Mapping[str, Any]) -> str:
    """List what may be written for the key that chooses between models."""
    key = context["discriminator"].strip("'")
    models = [each for each in types if _is_model(each)]  # not None, where a section may be left out
    words = [word for model in models for word in get_args(_fields(model)[key].annotation)]
    return " or ".join(f"{key}: {word}" for word in words)


def _example(types: Sequence[Any]) -> str:
    """Return what a missing key could be set to."""
    for allowed in types:
        if isinstance(allowed, Quantity):
            return allowed.example
        if get_origin(allowed) is Literal:
            return " or ".join(map(str, get_args(allowed)))
    return _EXAMPLES.get(types[0], "...") if types else "..."


def _is_model(allowed: Any) -> bool:
    return isinstance(allowed, type) and issubclass(allowed, BaseModel)


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a model by their keys in the file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _answers_to(model: type[BaseModel], tag: str | int) -> bool:
    """Tell whether this is the model of a union that pydantic calls `tag`."""
    return tag == model.__name__ or any(tag in get_args(field.annotation) for field in model.model_fields.values())


def _below(allowed: Any, key: str | int) -> list[Any]:
    """List the types allowed at a key of a value of this type; none if it has no such key."""
    if _is_model(allowed):
        field = _fields(allowed).get(str(key))
        return [] if field is None else _choices(Annotated[(field.annotation, *field.metadata, "field")])
    inner = [choice for argument in get_args(allowed) for choice in _choices(argument)]
    if get_origin(allowed) in (list, tuple) and isinstance(key, int):
        return inner
    return inner[1:] if get_origin(allowed) is dict and isinstance(key, str) else []


def _choices(annotation: Any) -> list[Any]:
    """Take unions and constraints apart; a quantity stands for its float."""
    if get_origin(annotation) is Annotated:
        quantities = [part for part in annotation.__metadata__ if isinstance(part, Quantity)]
        return quantities or _choices(annotation.__origin__)
    if get_origin(annotation) in (Union, UnionType):
        return [choice for argument in get_args(annotation) for choice in _choices(argument)]
    return [annotation]

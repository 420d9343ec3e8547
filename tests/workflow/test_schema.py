"""The JSON Schema for editors: agrees with the shipped files and with what the program itself accepts."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tplm_daq.errors import InputError
from tplm_daq.recipes.load import find_config, read_yaml, shipped_configs, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.workflow.schema import MODELS, Kind, json_schema

SHIPPED = sorted(path.name for path in shipped_configs().glob("*.yaml"))
TYPES = {"string": str, "integer": int, "number": int | float, "boolean": bool, "array": list, "object": dict}


def problems(value: Any, schema: dict[str, Any], root: dict[str, Any], where: str = "") -> list[str]:
    """Check a value as an editor would, as far as our schemas go."""
    if "$ref" in schema:
        return problems(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, where)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        found = [problems(value, choice, root, where) for choice in choices]
        return [] if [] in found else [line for lines in found for line in lines]
    wrong = []
    kind = schema.get("type")
    if kind == "null":
        return [] if value is None else [f"{where}: {value!r} is not null"]
    if kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return [f"{where}: {value!r} is no {kind}"]
    if "const" in schema and value != schema["const"]:
        wrong.append(f"{where}: {value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        wrong.append(f"{where}: {value!r} is none of {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        wrong.append(f"{where}: {value!r} does not match")
    if "exclusiveMinimum" in schema and not value > schema["exclusiveMinimum"]:
        wrong.append(f"{where}: {value!r} is too small")
    if "minimum" in schema and not value >= schema["minimum"]:
        wrong.append(f"{where}: {value!r} is too small")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        wrong += [f"{where}: {key} is missing" for key in schema.get("required", []) if key not in value]
        for key, part in value.items():
            if key in known:
                wrong += problems(part, known[key], root, f"{where}.{key}")
            elif schema.get("additionalProperties") is False:
                wrong.append(f"{where}: there is no {key}")
    return wrong


def of_kind(kind: str) -> list[str]:
    return [name for name in SHIPPED if read_yaml(find_config(name)).get("kind") == kind]


@pytest.mark.parametrize("name", [name for kind in (*MODELS, "align") for name in of_kind(kind)])
def test_shipped_files_are_valid_as_they_are_written(name: str) -> None:
    data = read_yaml(find_config(name))
    schema = json_schema(data["kind"])
    assert problems(data, schema, schema) == []


@pytest.mark.parametrize("kind", MODELS)
def test_it_is_a_document_that_says_what_it_is(kind: Kind) -> None:
    schema = json.loads(json.dumps(json_schema(kind)))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == f"tplm {kind}"
    assert schema["properties"]["kind"]["const"] == kind
    assert schema["additionalProperties"] is False


def defaults(schema: dict[str, Any]) -> list[tuple[str, Any, dict[str, Any]]]:
    sections = {"": schema, **schema.get("$defs", {})}
    return [
        (f"{section}.{key}", part["default"], part)
        for section, model in sections.items()
        for key, part in model["properties"].items()
        if "default" in part
    ]


@pytest.mark.parametrize("kind", MODELS)
def test_every_default_may_be_written_as_it_stands(kind: Kind) -> None:
    schema = json_schema(kind)
    assert defaults(schema)
    wrong = [line for where, value, part in defaults(schema) for line in problems(value, part, schema, where)]
    assert wrong == []


def test_quantities_are_described_with_their_units() -> None:
    schema = json_schema("scan")
    power = schema["$defs"]["LightSettings"]["properties"]["average_power"]
    assert power["examples"] == ["10 nW"]
    assert re.search(power["pattern"], "3.5 uW")
    assert not re.search(power["pattern"], "3.5")
    counter = json_schema("rig")["$defs"]["CounterDevice"]["properties"]
    assert counter["sync_level"]["default"] == "100 mV"
    assert counter["dead_time"]["default"] == "95 ns"


MISTAKES = {
    "bare number": ("optics", {"detector_width": 0.05}, "is no string"),
    "misspelt key": ("optics", {"magnificaton_x": 495.0}, "there is no magnificaton_x"),
    "wrong choice": ("policies", {"temperature_at_end": "off"}, "is none of"),
    "too small": ("guards", {"free_disk_mb": 0}, "is too small"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_editor_and_program_refuse_the_same_mistakes(name: str) -> None:
    section, change, says = MISTAKES[name]
    data, schema = read_yaml(find_config("configs/rig_sim.yaml")), json_schema("rig")
    data[section] = {**data[section], **change}
    assert any(says in line for line in problems(data, schema, schema))
    with pytest.raises(InputError):
        validate(RigRecipe, data, "rig_sim.yaml")


def test_a_section_may_be_a_file_name_or_written_out() -> None:
    data, schema = read_yaml(find_config("configs/scan_line.yaml")), json_schema("scan")
    assert data["analysis"] == "analysis_default.yaml"
    assert problems({**data, "analysis": {"kind": "analysis", "window": "2 ns"}}, schema, schema) == []
    assert problems({**data, "analysis": {"windows": "2 ns"}}, schema, schema)

"""JSON Schema of recipes and rig files, so that an editor completes keys and marks mistakes while one types.

The schema speaks of the files as they are written: quantities are text with a unit, defaults included, and where a
file name may stand for a section, both are allowed. Rules between several keys (a span longer than the laser's
period) are beyond it; `tplm check` knows them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from tplm_daq.recipes.align import AlignRecipe
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.recipes.base import Model
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.recipes.series import SeriesRecipe

Kind = Literal["rig", "scan", "series", "align", "kmc", "analysis"]

MODELS: dict[Kind, type[Model]] = {
    "rig": RigRecipe,
    "scan": ScanRecipe,
    "series": SeriesRecipe,
    "kmc": KmcRecipe,
    "analysis": AnalysisRecipe,
}
ALIGNMENTS: TypeAdapter[Any] = TypeAdapter(Annotated[AlignRecipe, Field(discriminator="procedure")])
"""Alignment recipes: one model per procedure."""
REFERENCES = {"scan", "analysis"}
"""Keys whose section may be given as the name of a file."""


def json_schema(kind: Kind) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one kind of file.

    Parameters
    ----------
    kind : str
        ``rig``, ``scan``, ``series``, ``align``, ``kmc`` or ``analysis``.

    Examples
    --------
    >>> json_schema("scan")["properties"]["kind"]["const"]
    'scan'
    """
    written = ALIGNMENTS if kind == "align" else TypeAdapter(MODELS[kind])
    schema = written.json_schema(schema_generator=_AsWritten)
    for key in REFERENCES & schema.get("properties", {}).keys():
        section = schema["properties"][key]
        schema["properties"][key] = {"anyOf": [section, {"type": "string", "description": "Name of a file."}]}
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "title": f"tplm {kind}"}


class _AsWritten(GenerateJsonSchema):
    """Writes the defaults of quantities with their unit, as a file would."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema of a field that has a default."""
        made = super().default_schema(schema)
        write = _serializer(schema["schema"])
        if write is not None and isinstance(schema.get("default"), float):
            made["default"] = write(schema["default"])
        return made


def _serializer(schema: Any) -> Any:
    """Return the function that writes a value of this core schema as text, None if it is written as it stands."""
    while "serialization" not in schema and "schema" in schema:
        schema = schema["schema"]
    return schema.get("serialization", {}).get("function")

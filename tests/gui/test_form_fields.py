"""What a form asks for follows from the recipe's model alone."""

from __future__ import annotations

import pytest

from tplm_daq.gui.form_fields import Alternatives, Entry, Section, describe, text_of
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.recipes.scan import Passes, ScanRecipe


def entries(part: Section | Alternatives | Entry) -> dict[str, Entry]:
    if isinstance(part, Entry):
        return {".".join(part.path): part}
    below = part.parts if isinstance(part, Section) else part.sections.values()
    return {key: entry for each in below for key, entry in entries(each).items()}


SCAN = entries(describe(ScanRecipe))


@pytest.mark.parametrize(
    ("key", "kind", "example", "default"),
    [
        ("title", "text", "", None),
        ("light.repetition_rate", "text", "2.5 MHz", None),
        ("light.between_points", "choice", "on", "on"),
        ("passes.n_passes", "yaml", "3", None),
        ("passes.table", "yaml", "[0.5]", None),
        ("temperature", "text", "295 K", None),
        ("spot", "yaml", "[500 nm, 500 nm]", None),
        ("analysis.corrections.drift", "tick", "", True),
        ("analysis.magnification_error", "text", "5 %", "1 %"),
    ],
)
def test_each_field_is_asked_for_as_its_type_wants(key: str, kind: str, example: str, default: object) -> None:
    entry = SCAN[key]
    assert (entry.kind, entry.example, entry.default) == (kind, example, default)


def test_docstrings_ranges_and_units_are_the_help() -> None:
    assert SCAN["passes.max_time"].help == (
        "From the first point, moves included; the scan ends then even if the target is not reached. "
        "A time, such as 20 s. Above 0 s, at most 604800 s."
    )
    assert "At least 5, at most 101." in SCAN["path.n_x"].help


def test_only_what_has_no_default_is_required() -> None:
    assert SCAN["light.average_power"].is_required
    assert not SCAN["passes.dwell"].is_required
    assert not SCAN["analysis.method"].is_required


def test_words_that_cannot_be_changed_are_no_fields() -> None:
    scan = describe(ScanRecipe)
    assert scan.fixed == {"kind": "scan"}
    assert describe(AnalysisRecipe).fixed == {"kind": "analysis"}
    path = next(part for part in scan.parts if isinstance(part, Alternatives))
    assert (path.tag, list(path.sections)) == ("shape", ["line", "raster"])
    assert path.sections["raster"].fixed == {"shape": "raster"}


def test_every_key_of_the_model_is_there() -> None:
    keys = {part.path[-1] for part in describe(Passes).parts}
    assert keys == {field.alias for field in Passes.model_fields.values()}


@pytest.mark.parametrize(
    ("typed", "value"),
    [("41", 41), ("[1, 2.5]", [1, 2.5]), ("{", "{"), ("4e1", 40.0), ("auto", "auto"), ("010", "010")],
)
def test_numbers_and_lists_are_read_as_in_a_file_and_nonsense_stays_text(typed: str, value: object) -> None:
    assert SCAN["passes.n_passes"].value_of(typed) == value


def test_a_text_that_looks_like_a_number_stays_a_text() -> None:
    assert SCAN["title"].value_of("2026") == "2026"


@pytest.mark.parametrize("value", [None, 3, 0.5, "20 s", ["0 nm", "1 um"], []])
def test_what_is_shown_is_read_back(value: object) -> None:
    text = text_of(value)
    assert (SCAN["passes.table"].value_of(text) if text else None) == value

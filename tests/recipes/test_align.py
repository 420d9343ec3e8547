"""Alignment recipes: one model per procedure, and sentences for what is none."""

from __future__ import annotations

from typing import Any

import pytest

from tplm_daq.errors import InputError
from tplm_daq.recipes.align import PROCEDURES, alignment_model
from tplm_daq.recipes.load import dump_yaml, find_config, read_yaml, validate


def data(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "align",
        "title": "try",
        "light": {"repetition_rate": "2.5 MHz", "average_power": "10 nW"},
        "counter": {"bin_width": "32 ps", "span": "60 ns"},
        **changes,
    }


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_a_procedure_needs_no_more_than_light_and_counting_and_is_shipped_with_what_it_has_by_itself(
    procedure: str,
) -> None:
    recipe = validate(PROCEDURES[procedure], data(procedure=procedure), "it")
    assert recipe.procedure == procedure
    assert recipe.n_points > 0
    assert min(recipe.reach_nm) >= 0.0
    path = find_config(f"align_{procedure}.yaml")
    shipped = validate(PROCEDURES[procedure], read_yaml(path), path)
    said = {"title", "counter"}
    assert shipped.model_dump(exclude=said) == recipe.model_dump(exclude=said)


def test_times_may_be_hours_and_days() -> None:
    recipe = validate(PROCEDURES["spot"], data(procedure="spot", valid_for="2 h"), "it")
    assert recipe.valid_for_s == 7200.0
    assert "valid_for: 7200 s" in dump_yaml(recipe)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"procedure": "fokus"}, r"it: procedure: \"fokus\" is none that there is\. Write focus\."),
        ({}, r"it: procedure: .* Write one of spot, focus, response, dark, magnification"),
        ({"procedure": ["spot"]}, r"it: procedure: .* is none that there is"),
        ({"procedure": "focus", "half_range": 3}, r"half_range is 3: a length needs its unit\. Write \"3 nm\""),
        ({"procedure": "dark", "n_heights": 9}, r"n_heights"),
        ({"procedure": "response", "dwell": "0 s"}, r"dwell"),
        ({"procedure": "spot", "n_positions": 3}, r"n_positions is 3: must be greater than or equal to 5"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        validate(alignment_model(data(**changes), "it"), data(**changes), "it")

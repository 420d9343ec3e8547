"""The page with every key: it is the one in docs/, and says what a reader looks for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest

from tplm_daq.recipes.base import Model, Nanometres
from tplm_daq.workflow import recipe_reference as reference
from tplm_daq.workflow.schema import MODELS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "recipes.md"


@pytest.fixture(scope="module")
def page() -> str:
    return reference.recipe_reference()


def test_the_page_in_docs_is_what_the_models_say(page: str) -> None:
    assert PAGE.read_text(encoding="utf-8") == page, (
        "write it anew: python -m tplm_daq.workflow.recipe_reference > docs/recipes.md"
    )


def test_every_kind_and_every_key_is_there(page: str) -> None:
    for kind, model in MODELS.items():
        assert f"## kind: {kind}\n" in page or f"### scan: {kind}\n" in page
        for name, info in model.model_fields.items():
            assert f"| `{info.alias or name}` | " in page


@pytest.mark.parametrize(
    "row",
    [
        "| `n_positions` | whole number, at least 5, at most 2001 | required | Evenly spaced, both ends included. |",
        "| `x_range` | [length, length] | `[0 nm, 5 mm]` | Lowest and highest position of the axis",
        "| `p_fast` | number, > 0, at most 1 | `0.7` |",
        "| `magnification_error` | fraction, at least -20 %, at most 20 % | `0 %` |",
        "| `thermostat` | [section](#rig-devicesthermostat-model-lakeshore335) or [section](",
        "| `between_points` | `on` or `off` | `on` |",
    ],
)
def test_a_row_gives_kind_range_default_and_meaning(page: str, row: str) -> None:
    assert f"\n{row}" in page


def test_no_heading_stands_twice_and_no_cell_is_empty(page: str) -> None:
    headings = re.findall(r"^#+ .*$", page, re.M)
    assert len(headings) == len(set(headings))
    assert "|  |" not in page


def test_a_key_without_a_description_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bare(Model):
        """A model."""

        kind: Literal["bare"]
        height_nm: Nanometres

    monkeypatch.setattr(reference, "ScanRecipe", Bare)
    with pytest.raises(ValueError, match=r"Bare\.height_nm has no description; write a docstring below the field"):
        reference.recipe_reference()

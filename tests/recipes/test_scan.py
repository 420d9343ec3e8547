"""What a scan recipe may say of its path and its passes."""

from __future__ import annotations

from typing import Any

import pytest

from tplm_daq.errors import InputError
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.recipes.load import dump_yaml, find_config, read_yaml, resolve_references, validate
from tplm_daq.recipes.scan import LinePath, RasterPath, ScanRecipe

RASTER = {"shape": "raster", "half_width": "600 nm", "half_height": "0.4 um", "n_x": 13, "n_y": 9}


LINE = {"shape": "line", "half_width": "1 um", "n_positions": 5}


def recipe(path: dict[str, Any], passes: dict[str, Any] | None = None) -> ScanRecipe:
    file = find_config("configs/scan_line.yaml")
    data = resolve_references(read_yaml(file), file.parent, ["analysis"])
    return validate(ScanRecipe, {**data, "path": path, "passes": passes or data["passes"]}, "my.yaml")


def test_a_raster_has_its_extent_and_numbers_along_both_axes() -> None:
    path = recipe(RASTER).path
    assert isinstance(path, RasterPath)
    assert (path.centre_nm, path.half_width_nm, path.half_height_nm) == ("auto", 600.0, 400.0)
    assert (path.n_x, path.n_y, path.n_positions, path.axes) == (13, 9, 117, "xy")


def test_the_shape_decides_which_path_it_is() -> None:
    line = recipe({"shape": "line", "axis": "y", "half_width": "1 um", "n_positions": 41}).path
    assert isinstance(line, LinePath)
    assert line.axes == "y"


def test_the_centre_of_a_raster_is_a_pair_and_survives_a_round_trip() -> None:
    made = recipe({**RASTER, "centre": ["-0.2 um", "50 nm"]})
    assert made.path.centre_nm == (-200.0, 50.0)
    assert recipe(parse_mapping(dump_yaml(made), "dumped")["path"]).path == made.path


REFUSED = {
    "unknown shape": ({**RASTER, "shape": "circle"}, r"path: its 'shape' decides .*shape: line or shape: raster"),
    "no shape": ({"half_width": "1 um", "n_positions": 41}, r"path: its 'shape' decides"),
    "too few columns": ({**RASTER, "n_x": 4}, r"path\.n_x is 4: must be greater than or equal to 5"),
    "too few rows": ({**RASTER, "n_y": 1}, r"path\.n_y is 1: must be greater than or equal to 5"),
    "too many": ({**RASTER, "n_y": 102}, r"path\.n_y is 102: must be less than or equal to 101"),
    "no height": ({key: RASTER[key] for key in RASTER if key != "half_height"}, r"path\.half_height is missing"),
    "flat": ({**RASTER, "half_height": "0 nm"}, r"path\.half_height is \"0 nm\": must be greater than 0 nm"),
    "one coordinate": (
        {**RASTER, "centre": "50 nm"},
        r"path\.centre is \"50 nm\": must be \"auto\", or must be a list",
    ),
    "no unit": ({**RASTER, "centre": ["5 nm", 3]}, r"path\.centre\.1 is 3: a length needs its unit"),
    "key of a line": ({**RASTER, "n_positions": 41}, r"path\.n_positions is 41: there is no such key.*n_x, n_y"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_path_cannot_be_is_refused_with_the_key(name: str) -> None:
    path, says = REFUSED[name]
    with pytest.raises(InputError, match=says):
        recipe(path)


def test_a_dwell_is_split_over_ten_passes_unless_said_otherwise() -> None:
    passes = recipe(LINE, {"dwell": "20 s"}).passes
    assert (passes.n_fixed_passes, passes.dwell_per_point_s, passes.is_adaptive) == (10, 2.0, False)
    assert recipe(LINE, {"dwell": "1 s", "n_passes": 3}).passes.dwell_per_point_s == 0.333


@pytest.mark.parametrize(
    "passes",
    [
        {"allocation": "optimal", "target_precision": "5 %", "max_time": "20 min"},
        {"dwell": "20 s", "allocation": "table", "table": [0, 1, 2.5, 1, 0], "order": "shuffled", "seed": 7},
        {"dwell": "20 s", "n_passes": 4, "order": "interleaved", "reference_every": 3},
    ],
)
def test_passes_survive_a_round_trip(passes: dict[str, Any]) -> None:
    made = recipe(LINE, passes)
    assert recipe(LINE, parse_mapping(dump_yaml(made), "dumped")["passes"]) == made


def test_shares_are_equal_or_those_of_the_table() -> None:
    assert recipe(LINE, {"dwell": "20 s"}).passes.shares(5) == (0.2,) * 5
    table = {"dwell": "20 s", "allocation": "table", "table": [0, 1, 2, 1, 0]}
    assert recipe(LINE, table).passes.shares(5) == (0.0, 0.25, 0.5, 0.25, 0.0)


TARGET = {"target_precision": "5 %", "max_time": "20 min"}
REFUSED_PASSES = {
    "neither": ({"order": "shuffled"}, r"either dwell .* or target_precision .*give one of them"),
    "both": ({"dwell": "20 s", **TARGET}, r"either dwell .* or target_precision"),
    "no end": ({"target_precision": "5 %"}, r"target_precision and max_time go together"),
    "an end of a fixed scan": ({"dwell": "20 s", "max_time": "1 min"}, r"target_precision and max_time go together"),
    "passes of an open scan": ({**TARGET, "n_passes": 3}, r"with target_precision the passes follow from the data"),
    "a bare target": ({**TARGET, "target_precision": 5}, r'target_precision is 5.*Write "5 %"'),
    "no target": ({**TARGET, "target_precision": "0 %"}, r"target_precision .*greater than 0"),
    "a month": ({**TARGET, "max_time": "31 d"}, r"max_time .*less than or equal to"),
    "short points": ({"dwell": "4 ms"}, r"leaves 0.0004 s a point, .*less than 1 ms"),
    "table without allocation": ({"dwell": "1 s", "table": [1, 1, 1, 1, 1]}, r"go together; give both or neither"),
    "allocation without table": ({"dwell": "1 s", "allocation": "table"}, r"go together; give both or neither"),
    "short table": (
        {"dwell": "1 s", "allocation": "table", "table": [1, 2]},
        r"passes.table has 2 values for 5 positions",
    ),
    "empty table": ({"dwell": "1 s", "allocation": "table", "table": [0, 0, 0, 0, 0]}, r"gives no position any time"),
    "negative": ({"dwell": "1 s", "allocation": "table", "table": [1, -1, 1, 1, 1]}, r"greater than or equal to 0"),
}


@pytest.mark.parametrize("name", REFUSED_PASSES)
def test_what_passes_cannot_be_is_refused_with_what_to_do(name: str) -> None:
    passes, says = REFUSED_PASSES[name]
    with pytest.raises(InputError, match=says):
        recipe(LINE, passes)


def test_optimal_allocation_of_a_raster_is_refused() -> None:
    with pytest.raises(InputError, match=r"worked out for lines only; write equal"):
        recipe(RASTER, {**TARGET, "allocation": "optimal"})
    assert recipe(RASTER, TARGET).passes.is_adaptive

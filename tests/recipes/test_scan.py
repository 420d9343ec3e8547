"""What a scan recipe may say of its path."""

from __future__ import annotations

from typing import Any

import pytest

from tplm_daq.errors import InputError
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.recipes.load import dump_yaml, find_config, read_yaml, resolve_references, validate
from tplm_daq.recipes.scan import LinePath, RasterPath, ScanRecipe

RASTER = {"shape": "raster", "half_width": "600 nm", "half_height": "0.4 um", "n_x": 13, "n_y": 9}


def recipe(path: dict[str, Any]) -> ScanRecipe:
    file = find_config("configs/scan_line.yaml")
    data = resolve_references(read_yaml(file), file.parent, ["analysis"])
    return validate(ScanRecipe, {**data, "path": path}, "my.yaml")


def test_a_raster_has_its_extent_and_numbers_along_both_axes() -> None:
    path = recipe(RASTER).path
    assert isinstance(path, RasterPath)
    assert (path.centre_nm, path.half_width_nm, path.half_height_nm) == ("auto", 600.0, 400.0)
    assert (path.n_x, path.n_y, path.n_positions, path.axes) == (13, 9, 117, "xy")


def test_a_raster_counts_its_points() -> None:
    assert recipe(RASTER).n_points == 117 * 10


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

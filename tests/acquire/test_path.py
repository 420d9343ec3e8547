"""Positions of a scan, and those at which the spot is looked for."""

from __future__ import annotations

import numpy as np
import pytest

from tplm_daq.acquire.path import (
    LEAST_SEARCHED_NM,
    N_SEARCHED,
    Extent,
    assumed_centre,
    extents,
    scan_positions,
    search_lines,
)
from tplm_daq.recipes.scan import LinePath, RasterPath


def line(axis: str, centre: str = "auto") -> LinePath:
    return LinePath.model_validate(
        {"shape": "line", "axis": axis, "centre": centre, "half_width": "1 um", "n_positions": 5}
    )


def raster(centre: str | tuple[str, str] = "auto", n_x: int = 5, n_y: int = 7) -> RasterPath:
    return RasterPath.model_validate(
        {"shape": "raster", "centre": centre, "half_width": "200 nm", "half_height": "600 nm", "n_x": n_x, "n_y": n_y}
    )


def test_a_line_runs_along_its_axis_through_the_centre() -> None:
    along_x = scan_positions(line("x"), (30.0, -40.0))
    assert along_x[:, 0].tolist() == [-970.0, -470.0, 30.0, 530.0, 1030.0]
    assert set(along_x[:, 1]) == {-40.0}
    along_y = scan_positions(line("y"), (30.0, -40.0))
    assert along_y[:, 1].tolist() == [-1040.0, -540.0, -40.0, 460.0, 960.0]
    assert set(along_y[:, 0]) == {30.0}


def test_a_raster_visits_every_place_of_its_grid_once() -> None:
    positions_nm = scan_positions(raster(), (30.0, -40.0))
    assert positions_nm.shape == (35, 2)
    assert sorted(set(positions_nm[:, 0])) == [-170.0, -70.0, 30.0, 130.0, 230.0]
    assert sorted(set(positions_nm[:, 1])) == [-640.0, -440.0, -240.0, -40.0, 160.0, 360.0, 560.0]
    assert len({tuple(place) for place in positions_nm.tolist()}) == 35


@pytest.mark.parametrize("n_y", [6, 7])
def test_a_raster_never_flies_back(n_y: int) -> None:
    positions_nm = scan_positions(raster(n_y=n_y), (0.0, 0.0))
    assert positions_nm[0].tolist() == [-200.0, -600.0]
    assert positions_nm[:6, 0].tolist() == [-200.0, -100.0, 0.0, 100.0, 200.0, 200.0]
    moves_nm = np.abs(np.diff(positions_nm, axis=0))
    assert np.all(np.count_nonzero(moves_nm, axis=1) == 1)
    assert moves_nm[:, 0].max() == 100.0
    assert moves_nm[:, 1].max() == pytest.approx(1200.0 / (n_y - 1))


def test_an_extent_knows_its_step() -> None:
    assert extents(raster()) == (Extent("x", 200.0, 5), Extent("y", 600.0, 7))
    assert [extent.step_nm for extent in extents(raster())] == [100.0, 200.0]
    assert extents(line("y")) == (Extent("y", 1000.0, 5),)


def test_the_spot_is_looked_for_along_what_the_recipe_does_not_tell() -> None:
    def axes(path: LinePath | RasterPath) -> list[tuple[str, float]]:
        return [(extent.axis, extent.half_width_nm) for extent in search_lines(path)]

    assert axes(line("x")) == [("y", 1000.0), ("x", 1000.0)]
    assert axes(line("y", "50 nm")) == [("x", 1000.0)]
    assert axes(raster()) == [("y", 600.0), ("x", LEAST_SEARCHED_NM)]
    assert axes(raster(("0 nm", "50 nm"))) == []
    assert {extent.n_positions for extent in search_lines(raster())} == {N_SEARCHED}


def test_the_search_begins_where_the_recipe_says() -> None:
    assert assumed_centre(line("y", "50 nm")) == (0.0, 50.0)
    assert assumed_centre(line("x", "50 nm")) == (50.0, 0.0)
    assert assumed_centre(raster(("-1 um", "50 nm"))) == (-1000.0, 50.0)
    assert assumed_centre(raster()) == assumed_centre(line("x")) == (0.0, 0.0)

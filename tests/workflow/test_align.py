"""The search for the spot, on rates of a spot whose place is known."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tplm_daq.acquire.passes import PlannedPoint
from tplm_daq.errors import FitError
from tplm_daq.recipes.scan import LinePath, RasterPath
from tplm_daq.workflow import align

LINE = {"shape": "line", "axis": "x", "half_width": "1 um", "n_positions": 41}
RASTER = {"shape": "raster", "half_width": "700 nm", "half_height": "500 nm", "n_x": 15, "n_y": 11}


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[tuple[float, float], list[PlannedPoint]]]:
    """Return a search that sees a spot of 250 nm and 20 kcps, and says what it visited."""
    visited: list[PlannedPoint] = []
    spot: dict[str, float] = {}
    generator = np.random.default_rng(1)

    def count(_: object, planned: PlannedPoint, *__: object) -> tuple[Any, np.ndarray, None]:
        visited.append(planned)
        off_nm2 = (planned.x_nm - spot["x_nm"]) ** 2 + (planned.y_nm - spot["y_nm"]) ** 2
        expected = planned.dwell_s * (20e3 * np.exp(-off_nm2 / (2 * 250.0**2)) + 50.0)
        return SimpleNamespace(live_s=planned.dwell_s), generator.poisson(expected / 10, 10), None

    monkeypatch.setattr(align, "begin_move", lambda _, planned: planned)
    monkeypatch.setattr(align, "acquire_point", count)

    def search(
        path: LinePath | RasterPath, x_nm: float, y_nm: float, seen_nm: tuple[float, float] | None = None
    ) -> Any:
        spot.update(x_nm=x_nm, y_nm=y_nm)
        nothing: Any = None
        return align.find_centre(nothing, path, nothing, nothing, nothing, seen_nm), visited

    return search


@pytest.mark.parametrize("place_nm", [(0.0, 0.0), (-120.0, 200.0), (310.0, -250.0)])
def test_a_raster_finds_both_coordinates(find: Any, place_nm: tuple[float, float]) -> None:
    centre_nm, visited = find(RasterPath.model_validate(RASTER), *place_nm)
    assert centre_nm == pytest.approx(place_nm, abs=25)
    assert len(visited) == 18
    along_y, along_x = visited[:9], visited[9:]
    assert {point.x_nm for point in along_y} == {0.0}
    assert (along_y[0].y_nm, along_y[-1].y_nm) == (-500.0, 500.0)
    assert {point.y_nm for point in along_x} == {centre_nm[1]}
    assert (along_x[0].x_nm, along_x[-1].x_nm) == (-700.0, 700.0)


def test_a_given_centre_of_a_raster_is_believed(find: Any) -> None:
    path = RasterPath.model_validate({**RASTER, "centre": ("30 nm", "-20 nm")})
    assert find(path, 500.0, 500.0) == ((30.0, -20.0), [])


def test_a_line_with_its_centre_given_looks_across_it_only(find: Any) -> None:
    path = LinePath.model_validate({**LINE, "centre": "100 nm"})
    centre_nm, visited = find(path, 100.0, -60.0)
    assert centre_nm == (100.0, pytest.approx(-60.0, abs=25))
    assert {point.x_nm for point in visited} == {100.0}


@pytest.mark.parametrize("recipe", [LINE, RASTER])
def test_the_search_begins_where_the_spot_was_last_seen(find: Any, recipe: dict[str, object]) -> None:
    path = LinePath.model_validate(recipe) if recipe is LINE else RasterPath.model_validate(recipe)
    centre_nm, _ = find(path, 3100.0, -1800.0, seen_nm=(3000.0, -2000.0))
    assert centre_nm == pytest.approx((3100.0, -1800.0), abs=25)


def test_a_given_centre_counts_more_than_where_it_was_seen(find: Any) -> None:
    path = LinePath.model_validate({**LINE, "centre": "100 nm"})
    centre_nm, _ = find(path, 100.0, 940.0, seen_nm=(3000.0, 1000.0))
    assert centre_nm == (100.0, pytest.approx(940.0, abs=25))


@pytest.mark.parametrize(
    ("place_nm", "says"),
    [
        ((0.0, 1100.0), r"no spot found along y between -500 and 500 nm: rates run from \d+ to \d+ counts/s"),
        ((-1300.0, 0.0), r"no spot found along x between -700 and 700 nm: .*or give path\.centre"),
    ],
)
def test_a_spot_beyond_reach_is_not_invented(find: Any, place_nm: tuple[float, float], says: str) -> None:
    with pytest.raises(FitError, match=says):
        find(RasterPath.model_validate(RASTER), *place_nm)

"""What a report shows of a raster."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from tests.report.drawn_runs import example_map, example_result, example_view
from tplm_daq.analysis.models import NM2_PER_NS_PER_CM2_PER_S
from tplm_daq.analysis.result import Result
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.report.figures import draw_msd, draw_profiles
from tplm_daq.report.images import draw_images, is_raster, places_along
from tplm_daq.report.page import write_report

N_X, N_Y = 7, 5
CENTRE_NM = (-40.0, 60.0)
T0_NS = 1.0


@functools.cache
def raster() -> TimePositionMap:
    """Return a serpentine raster of a spot whose light is 100 counts in each of 50 bins of 0.1 ns after 1 ns."""
    x_nm = np.concatenate([np.linspace(-300, 300, N_X)[:: 1 - 2 * (row % 2)] for row in range(N_Y)])
    y_nm = np.repeat(np.linspace(-300, 300, N_Y), N_X)
    jitter_nm = np.random.default_rng(1).normal(0, 0.5, (2, N_X * N_Y))
    spot = np.exp(-((x_nm - CENTRE_NM[0]) ** 2 + (y_nm - CENTRE_NM[1]) ** 2) / (2 * 250.0**2))
    delay_ns = 0.1 * (np.arange(50) + 0.5)
    counts = np.round(100 * spot)[:, None] * (delay_ns > T0_NS)
    return TimePositionMap(counts.astype(np.int64), x_nm + jitter_nm[0], y_nm + jitter_nm[1], delay_ns)


def raster_result() -> Result:
    """Return a result with the numbers of a line scan and the spot of a raster."""
    return dataclasses.replace(
        example_result(), axis="xy", t0_ns=T0_NS, centre_xy_nm=CENTRE_NM, sigma0_xy_nm=(250.0, 240.0)
    )


def tiles_of(figure: Figure) -> list[PolyCollection]:
    return [each for axes in figure.axes for each in axes.collections if isinstance(each, PolyCollection)][:4]


def test_a_raster_spreads_along_both_axes() -> None:
    assert is_raster(raster())
    assert not is_raster(example_map())


def test_columns_are_told_apart_from_the_scatter_of_the_read_back() -> None:
    x_nm, column = places_along(raster().x_nm)
    np.testing.assert_allclose(x_nm, np.linspace(-300, 300, N_X), atol=1.0)
    assert np.bincount(column).tolist() == [N_Y] * N_X
    np.testing.assert_allclose(x_nm[column], raster().x_nm, atol=2.5)


def test_every_position_is_a_tile_where_it_was_measured() -> None:
    tiles = tiles_of(draw_images(raster(), None))[0]
    middles_nm = np.array([path.vertices[:4].mean(axis=0) for path in tiles.get_paths()])
    np.testing.assert_allclose(middles_nm, np.column_stack([raster().x_nm, raster().y_nm]))
    widths_nm = np.array([np.ptp(path.vertices, axis=0) for path in tiles.get_paths()])
    np.testing.assert_allclose(widths_nm, [[100.0, 150.0]] * (N_X * N_Y), atol=1.5)


def test_the_parts_of_the_window_share_its_counts() -> None:
    figure = draw_images(raster(), raster_result())
    data = raster()
    brightest = np.argmax(data.counts.sum(axis=1))
    shown = [text.get_text() for axes in figure.axes for text in axes.texts]
    n_all = int(data.counts[brightest].sum())
    assert shown[0] == f"max {n_all:,}"
    assert [int(text.removeprefix("max ").replace(",", "")) for text in shown[1:]] == pytest.approx(
        [n_all / 4] * 3, rel=0.11
    )
    for tiles in tiles_of(figure):
        assert np.asarray(tiles.get_array()).max() == 1.0
        assert np.argmax(tiles.get_array()) == brightest


def test_positions_measured_longer_do_not_look_brighter() -> None:
    dwell_s = np.where(np.arange(N_X * N_Y) == 3, 3.0, 1.0)
    longer = dataclasses.replace(raster(), counts=(raster().counts * dwell_s[:, None]).astype(int), dwell_s=dwell_s)
    values = [np.asarray(tiles_of(draw_images(data, None))[0].get_array()) for data in (raster(), longer)]
    np.testing.assert_allclose(*values)


def test_the_fitted_spot_is_marked_and_grows_from_part_to_part() -> None:
    result = raster_result()
    axes = draw_images(raster(), result).axes[:4]
    assert all(each.lines[0].get_xydata().tolist() == [list(CENTRE_NM)] for each in axes)
    circles = [patch for each in axes for patch in each.patches if isinstance(patch, Ellipse)]
    window_ns = float(np.nanmax(result.msd.age_ns))
    for part, circle in enumerate(circles):
        age_ns = window_ns * (part + 0.5) / 3
        spread_nm2 = 2 * result.diffusivity_cm2_s * NM2_PER_NS_PER_CM2_PER_S * age_ns
        assert circle.width == pytest.approx(2 * np.sqrt(250.0**2 + spread_nm2))
        assert circle.height == pytest.approx(2 * np.sqrt(240.0**2 + spread_nm2))
    assert len(circles) == 3


@pytest.mark.parametrize("n_positions", [1, 3, N_X + 2])
def test_a_raster_cut_short_is_drawn_as_far_as_it_got(n_positions: int) -> None:
    data, kept = raster(), slice(n_positions)
    part = dataclasses.replace(data, counts=data.counts[kept], x_nm=data.x_nm[kept], y_nm=data.y_nm[kept])
    assert all(len(tiles.get_paths()) == n_positions for tiles in tiles_of(draw_images(part, None)))


def test_a_raster_without_counts_is_dark() -> None:
    dark = dataclasses.replace(raster(), counts=np.zeros_like(raster().counts))
    assert all(not np.any(tiles.get_array()) for tiles in tiles_of(draw_images(dark, None)))


def test_the_other_figures_of_a_raster_name_their_axes() -> None:
    assert draw_profiles(raster_result()).axes[0].get_xlabel() == "position x (nm)"
    assert draw_msd(raster_result()).axes[0].get_ylabel() == "MSD per axis (nm²)"


def test_no_label_of_the_images_is_cut_off() -> None:
    figure = draw_images(raster(), raster_result())
    figure.draw_without_rendering()
    whole = figure.bbox.padded(1.0)
    texts = [each for axes in figure.axes for each in (axes.xaxis.label, axes.yaxis.label, axes.title, *axes.texts)]
    texts += [axes._left_title for axes in figure.axes]  # type: ignore[attr-defined]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    assert len(boxes) > 12
    assert all(whole.x0 <= box.x0 <= box.x1 <= whole.x1 and whole.y0 <= box.y0 <= box.y1 <= whole.y1 for box in boxes)
    assert not any(box.overlaps(other) for i, box in enumerate(boxes) for other in boxes[i + 1 :])


def test_the_page_of_a_raster_begins_with_its_images_and_names_both_axes(tmp_path: Path) -> None:
    view = dataclasses.replace(example_view(), data=raster(), result=raster_result())
    write_report(tmp_path / "page.html", [view])
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert "at 35 positions. (a) All delays; (b, c, d) parts of the time after the pulse" in page
    assert "250.0 nm along x, 240.0 nm along y" in page
    assert "x -40.0 nm, y 60.0 nm" in page
    assert "per axis, along x and y" in page
    assert "Row through the spot at mean exciton ages" in page


def test_the_page_of_an_unfitted_raster_has_its_images(tmp_path: Path) -> None:
    view = dataclasses.replace(example_view(), data=raster(), result=None, fit_error="no spot")
    write_report(tmp_path / "page.html", [view])
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "No diffusivity: no spot" in page
    assert page.count("<svg") == 1
    assert "(b, c, d) parts of the time after the pulse" in page
    assert "Cross" not in page

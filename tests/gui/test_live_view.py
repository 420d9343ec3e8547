"""The live view: what is drawn, what the cursors link, what the keys do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QObject, QPointF
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.gui.grown_runs import CENTRE_NM, DIFFUSIVITY_CM2_S, picture_of, recipe_of
from tplm_daq.gui.live_map import LiveMap, Scale
from tplm_daq.gui.live_view import LiveView
from tplm_daq.gui.picture import Picture
from tplm_daq.gui.plots import Plot
from tplm_daq.gui.theme import DARK, LIGHT


@pytest.fixture(scope="module")
def line() -> Picture:
    return picture_of(recipe_of("path.n_positions=21", "passes.dwell=2s"))


@pytest.fixture(scope="module")
def raster() -> Picture:
    return picture_of(recipe_of("path.n_x=9", "path.n_y=9", name="scan_map"), n_peak=100.0)


@pytest.fixture
def view(qtbot: QtBot) -> LiveView:
    shown = LiveView()
    qtbot.addWidget(shown)
    shown.set_theme(DARK)
    shown.show()
    return shown


def draw(view: LiveView, picture: Picture) -> None:
    view.show_picture(picture)
    for _ in range(len(view.plots)):
        view.tick()


def headings(view: LiveView) -> dict[str, str]:
    return {name: plot._heading.text() for name, plot in view.plots.items()}


def test_an_empty_view_can_be_drawn(view: LiveView) -> None:
    draw(view, Picture())
    view.draw_all()
    assert view.title.text() == "No run yet"
    assert all(plot.describe(1.0, 1.0) is not None for plot in (view.map, *view.plots.values()))


def test_a_tick_draws_the_map_and_one_other_plot(
    view: LiveView, line: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Plot] = []
    for kind in {type(plot) for plot in (view.map, *view.plots.values())}:
        monkeypatch.setattr(kind, "draw", lambda plot, _: drawn.append(plot))
    view.show_picture(line)
    numbers = []
    for _ in range(6):
        view.tick()
        numbers.append(len(drawn))
        drawn.clear()
    assert numbers == [2, 1, 1, 1, 1, 0]
    view.show_picture(line)
    view.tick()
    assert not drawn


def test_a_new_map_alone_has_no_other_plot_painted(qtbot: QtBot, view: LiveView, line: Picture) -> None:
    draw(view, line)
    qtbot.wait(100)
    painted = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
            if event is not None and event.type() == QEvent.Type.Paint:
                painted.append(watched)
            return False

    watch = Watch()
    for plot in (view.map, *view.plots.values()):
        plot.canvas.viewport().installEventFilter(watch)
    assert line.grown is not None
    view.show_picture(replace(line, grown=replace(line.grown)))
    view._due.clear()
    view.tick()
    qtbot.waitUntil(lambda: bool(painted))
    qtbot.wait(100)
    assert set(painted) == {view.map.canvas.viewport()}


def test_every_plot_says_what_it_found(view: LiveView, line: Picture) -> None:
    draw(view, line)
    said = headings(view)
    assert "σ = " in said["profile"]
    assert "● green</span>: nothing known speaks against it" in said["convergence"]
    assert "rms" in said["residuals"]
    assert view.map._position_line.value() == pytest.approx(CENTRE_NM)
    described = view.plots["convergence"].describe(3.0, 0.0)
    assert float(described.split("D ")[1].split()[0]) == pytest.approx(DIFFUSIVITY_CM2_S, rel=0.2)
    for plot in view.plots.values():
        assert any(character.isdigit() for character in plot.describe(1.0, 0.0))


@pytest.mark.parametrize("scale", Scale)
def test_the_map_is_drawn_on_every_scale(view: LiveView, line: Picture, scale: Scale) -> None:
    draw(view, line)
    view.scale.setCurrentText(scale.value)
    low, high = view.map._image.levels
    image = view.map._image.image
    assert low < high
    assert np.nanmax(image) <= high * (1 + 1e-6)
    if scale is Scale.NORMALISED:
        after_pulse = view.map._picture.grown.columns(5.2, 8.0)  # type: ignore[union-attr]
        np.testing.assert_allclose(image[:, after_pulse].max(axis=0), 1.0)


def test_the_cursors_are_linked(view: LiveView, line: Picture) -> None:
    draw(view, line)
    view.map._age_line.setValue(2.0)
    view.map._age_line.sigDragged.emit(view.map._age_line)
    assert view.cursors.age_ns == 2.0
    assert "2.00 ns" in headings(view)["profile"]
    assert [plot._lines[0].value() for name, plot in view.plots.items() if name in ("msd", "residuals")] == [2.0, 2.0]
    assert view.plots["decay"]._lines[0].value() == pytest.approx(np.log10(2.0))
    view.plots["profile"]._lines[0].setValue(-200.0)
    view.plots["profile"]._lines[0].sigDragged.emit(view.plots["profile"]._lines[0])
    assert view.map._position_line.value() == -200.0


def test_the_keys_of_the_live_view_work_in_it(qtbot: QtBot, view: LiveView, line: Picture) -> None:
    draw(view, line)
    with qtbot.waitActive(view):
        view.activateWindow()
    view.map.canvas.setFocus()
    for key, moved in (("age_on", 0.05), ("age_back", -0.05)):
        before = view.cursors.age_ns
        getattr(view, key)()
        assert view.cursors.age_ns - before == pytest.approx(moved)
    before = view.cursors.position_nm
    view.position_on()
    assert view.cursors.position_nm > before
    view.position_back()
    assert view.cursors.position_nm == pytest.approx(before)
    view.next_scale()
    assert view.map.scale is Scale.LINEAR


def test_a_raster_is_an_image_at_the_cursor(view: LiveView, raster: Picture) -> None:
    draw(view, raster)
    assert view.map._heading.text().startswith("Image, 0.90 to 1.10 ns")
    assert view.map._image.image.shape == (9, 9)
    row, column = np.unravel_index(np.nanargmax(view.map._image.image), (9, 9))
    assert (row, column) == (4, 4)
    view.cursors.move_age(2.0)
    assert view.map._heading.text().startswith("Image, 1.90 to 2.10 ns")
    assert "counts" in view.map.describe(0.0, 0.0)
    residuals = view.plots["residuals"]
    assert headings(view)["residuals"].startswith("Residuals, 1.90 to 2.10 ns: rms")
    assert residuals._image.image.shape == (9, 9)  # type: ignore[attr-defined]
    assert "sd" in residuals.describe(0.0, 0.0)
    assert not residuals._age_line.isVisible()  # type: ignore[attr-defined]


def test_a_line_after_a_raster_is_a_map_again(view: LiveView, raster: Picture, line: Picture) -> None:
    draw(view, raster)
    view.reset_views()
    draw(view, line)
    view.reset_views()
    assert view.map._heading.text().startswith("Time–position map")
    assert view.plots["residuals"].item.getAxis("bottom").labelText == "age after the pulse (ns)"
    (left, right), _ = view.map.item.viewRange()
    assert (left, right) == pytest.approx((-0.5, 6.0), abs=0.01)


def test_the_target_is_drawn_around_the_latest_d(view: LiveView, line: Picture) -> None:
    draw(view, Picture(**{**vars(line), "target_precision": 0.05, "truth_cm2_s": 0.07}))
    lines = view.plots["convergence"]._targets  # type: ignore[attr-defined]
    assert all(each.isVisible() for each in lines)
    low, high = (each.value() for each in lines)
    assert (high - low) / (high + low) == pytest.approx(1.96 * 0.05)


def test_other_colours_reach_every_plot(view: LiveView, line: Picture) -> None:
    draw(view, line)
    view.set_theme(LIGHT)
    view.colours.setCurrentText("cividis")
    assert all(plot.theme is LIGHT for plot in (view.map, *view.plots.values()))


def test_what_is_under_the_mouse_is_told_with_units(qtbot: QtBot, view: LiveView, line: Picture) -> None:
    view.resize(1366, 600)
    draw(view, line)
    assert isinstance(view.map, LiveMap)
    place = view.map.item.vb.sceneBoundingRect().center()
    view.map._tell(place)
    assert view.map._read_out.text().endswith("counts/s")
    view.map._tell(view.map.item.sceneBoundingRect().bottomRight() * 3)
    assert view.map._read_out.text() == ""


def test_values_under_the_mouse_are_whole_and_go_with_it(qtbot: QtBot, view: LiveView, line: Picture) -> None:
    view.resize(1000, 600)
    draw(view, line)
    for name, plot in view.plots.items():
        if not plot.isVisible():
            continue
        x_range, y_range = plot.item.vb.viewRange()
        plot._tell(plot.item.vb.mapViewToScene(QPointF(sum(x_range) / 2, sum(y_range) / 2)))
        said = plot._read_out
        assert said.text(), name
        heading = plot._heading.sizeHint().width() if plot._heading.isVisible() else 0
        assert heading + said.fontMetrics().horizontalAdvance(said.text()) <= plot.width(), name
        QApplication.sendEvent(plot, QEvent(QEvent.Type.Leave))
        assert said.text() == ""
        assert plot._heading.isVisible()


def test_the_bands_of_a_run_go_with_it(view: LiveView, line: Picture) -> None:
    draw(view, line)
    bands = [view.plots[name]._band for name in ("msd", "convergence")]  # type: ignore[attr-defined]
    assert bands[0].isVisible()
    draw(view, Picture())
    assert not any(band.isVisible() for band in bands)
    assert all(not view.plots[name].describe(1.0, 1.0) for name in ("profile", "msd", "convergence"))


def test_an_empty_view_says_what_can_be_done(view: LiveView, line: Picture) -> None:
    view.propose("a film")
    assert "F5 runs “a film”" in view.title.text()
    draw(view, line)
    view.propose("another film")
    assert view.title.text() == line.title

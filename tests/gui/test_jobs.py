"""Series, alignments and lattice sweeps in the window: from the button to the disk, watched and ended like scans."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QTableWidget
from pytestqt.qtbot import QtBot

from simulators.bench import Bench
from tests.gui.waiting import wait_for
from tplm_daq.gui.window import Window
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.recipes.load import apply_overrides, dump_yaml, validate
from tplm_daq.store.reader import open_run
from tplm_daq.workflow.load import AnyRecipe, load_recipe
from tplm_daq.workflow.series_index import read_index

MakeWindow = Callable[..., Window]
SHORT = ("scan.path.n_positions=9", "scan.passes.dwell=2s", "scan.passes.n_passes=2", "reference_every=null")
POWERS = "vary=[{average_power: [5 nW, 10 nW, 20 nW]}]"


def recipe(name: str, *changes: str) -> AnyRecipe:
    loaded = load_recipe(f"configs/{name}.yaml")[1]
    return validate(type(loaded), apply_overrides(parse_mapping(dump_yaml(loaded), name), changes), name)


def start(window: Window, wanted: AnyRecipe) -> None:
    window.views.recipe.set_recipe(wanted)
    window.run_bar.run.click()
    assert window.bridge.is_busy


def wait_for_end(qtbot: QtBot, window: Window) -> str:
    wait_for(qtbot, lambda: not window.bridge.is_busy and window.messages.isVisible())
    wait_for(qtbot, lambda: window.run_bar.state.text() in ("DONE", "ENDED", "FAILED"))
    return window.messages.text.text()


def shown_series(window: Window) -> tuple[np.ndarray, np.ndarray]:
    x, y = window.live.plots["series"]._points.getData()  # type: ignore[attr-defined]
    return (np.zeros(0), np.zeros(0)) if x is None else (x, y)


def test_a_series_grows_condition_by_condition(qtbot: QtBot, make_window: MakeWindow, tmp_path: Path) -> None:
    window = make_window()
    assert window.live.plots["series"].isHidden()
    start(window, recipe("series_power", *SHORT, POWERS))
    wait_for(qtbot, lambda: "condition 3 of 3: 20 nW" in window.live.title.text())
    wait_for(qtbot, lambda: len(shown_series(window)[0]) == 2)
    wait_for(qtbot, lambda: window.run_bar.progress.format().startswith("condition 3 of 3"))
    said = wait_for_end(qtbot, window)
    assert "series of 3 conditions is complete" in said
    wait_for(qtbot, lambda: len(shown_series(window)[0]) == 3)
    (home,) = (path for path in (tmp_path / "runs").iterdir() if path.is_dir())
    index = read_index(home)
    x, y = shown_series(window)
    assert x.tolist() == pytest.approx([5.0, 10.0, 20.0], rel=0.02)
    assert y.tolist() == pytest.approx([index[number]["diffusivity_cm2_s"] for number in range(3)])
    assert window.live.plots["series"].isVisible()
    assert window.bridge.status().share == pytest.approx(1.0)


def test_finish_pass_ends_one_condition_and_the_others_have_all_passes(
    qtbot: QtBot, make_window: MakeWindow, tmp_path: Path
) -> None:
    window = make_window("rig.simulation.speed=40")
    start(window, recipe("series_power", *SHORT, "vary=[{average_power: [5 nW, 10 nW]}]"))
    wait_for(qtbot, lambda: window.bridge.status().n_done >= 2)
    window.run_bar.finish_pass.click()
    wait_for_end(qtbot, window)
    runs = [open_run(path) for path in sorted((tmp_path / "runs").rglob("*.h5"))]
    assert [run.n_points for run in runs] == [9, 18]
    assert [run.finish_reason for run in runs] == ["completed", "completed"]


@pytest.mark.usefixtures("short_time_outs")
def test_a_series_that_loses_a_device_says_which_conditions_are_missing(
    qtbot: QtBot, make_window: MakeWindow, bench: Callable[[], Bench]
) -> None:
    window = make_window("rig.simulation.speed=40")
    start(window, recipe("series_power", *SHORT, POWERS, "on_failure=stop"))
    wait_for(qtbot, lambda: window.bridge.status().n_done >= 2)
    bench().servers["detector_x"].close()
    said = wait_for_end(qtbot, window)
    assert "detector_x" in said
    assert window.run_bar.light.text() == "LIGHT OUT"


def test_light_off_ends_a_series(qtbot: QtBot, make_window: MakeWindow, bench: Callable[[], Bench]) -> None:
    window = make_window("rig.simulation.speed=40")
    start(window, recipe("series_power", *SHORT, POWERS))
    wait_for(qtbot, lambda: window.bridge.status().n_done >= 2)
    qtbot.keyClick(window, Qt.Key.Key_F12)
    wait_for(qtbot, lambda: bench().light().average_power_nw == 0)
    assert "light off" in wait_for_end(qtbot, window)


def picture_at_the_end(window: Window) -> Any:
    picture = window.bridge.alignment()
    assert picture is not None
    return picture


def test_an_alignment_shows_its_points_and_what_it_found(qtbot: QtBot, make_window: MakeWindow, tmp_path: Path) -> None:
    window = make_window()
    start(window, recipe("align_spot", "n_positions=7", "n_fine=7", "fine_dwell=100 ms"))
    said = wait_for_end(qtbot, window)
    assert "Aligned, spot: x " in said
    view = window.views.alignment
    assert view.isVisible()
    picture = window.bridge.alignment()
    assert picture is not None
    wait_for(qtbot, lambda: "Used by all runs" in view.kept.text())
    assert len(picture.x_nm) == 7 * 7 + 7 * 7
    (kept,) = (tmp_path / "runs" / "calibrations").glob("spot_*.yaml")
    assert str(kept) in view.kept.text()
    cells = [[view.table.item(row, column).text() for column in range(4)] for row in range(view.table.rowCount())]  # type: ignore[union-attr]
    (x_row,) = (row for row in cells if row[0] == "x")
    found, error = map(float, x_row[1].split(" ± "))
    assert x_row[2] == "nm"
    assert abs(found - picture_at_the_end(window).truth["centre_nm"][0]) < 6 * error + 5  # it has drifted since
    assert x_row[3] == ""
    x_nm, _ = view.places._points.getData()
    assert len(x_nm) == len(picture.x_nm)


@pytest.mark.parametrize(
    ("name", "changes", "axis", "column"),
    [
        ("align_focus", ["n_heights=5", "dwell=50 ms"], "height of the stage (µm)", "z_nm"),
        ("align_response", ["dwell=2 s"], "delay (ns)", "delay_ns"),
        ("align_dark", ["dwell=1 s"], "reading", "dark_cps"),
    ],
)
def test_each_alignment_shows_what_its_result_follows_from(
    qtbot: QtBot, make_window: MakeWindow, name: str, changes: list[str], axis: str, column: str
) -> None:
    window = make_window()
    start(window, recipe(name, *changes))
    wait_for_end(qtbot, window)
    evidence = window.views.alignment.evidence
    wait_for(qtbot, lambda: evidence.item.getAxis("bottom").labelText == axis)
    x, _ = evidence._points.getData()
    picture = window.bridge.alignment()
    assert picture is not None
    assert len(x) == len(picture.measured[column]) > 3
    assert evidence.describe(float(x[0]), 0.0)
    assert isinstance(window.views.alignment.table, QTableWidget)
    assert window.views.alignment.table.rowCount() > 1


def test_a_lattice_sweep_grows_beside_measured_runs_and_leaves_the_rig_alone(
    qtbot: QtBot, make_window: MakeWindow, tmp_path: Path
) -> None:
    window = make_window()
    n_swept: list[int] = []
    window.views.kmc.swept.connect(lambda points: n_swept.append(len(points)))
    start(window, recipe("kmc_quick", "n_pulses=60", "tau_pulse=[0.1 us, 0.4 us, 1.6 us]"))
    assert window.views.currentWidget() is window.views.kmc
    assert not window.run_bar.pause.isEnabled()
    said = wait_for_end(qtbot, window)
    assert "3 conditions of the lattice" in said
    wait_for(qtbot, lambda: bool(n_swept) and n_swept[-1] == 3)
    t_exc_us, _ = window.views.kmc.series.plot._lattice.getData()
    assert sorted(t_exc_us) == pytest.approx([1.25, 5.0, 20.0])
    assert window.run_bar.light.text() == "NOT CONNECTED"
    (kept,) = (tmp_path / "runs" / "lattice").glob("*.h5")
    assert str(kept) in said


def test_the_queue_takes_every_kind_and_runs_them_in_turn(
    qtbot: QtBot, make_window: MakeWindow, tmp_path: Path
) -> None:
    window = make_window()
    for each in (
        recipe("align_dark", "dwell=1 s"),
        recipe("series_power", *SHORT, "vary=[{average_power: [10 nW]}]"),
        recipe("kmc_quick", "n_pulses=60", "tau_pulse=[0.4 us]"),
    ):
        window.views.recipe.set_recipe(each)
        window.views.recipe._queue()
    assert [run.recipe.kind for run in window.views.queue.runs] == ["align", "series", "kmc"]
    window.views.queue._go_on.click()
    wait_for(qtbot, lambda: not window.views.queue.runs and not window.bridge.is_busy)
    wait_for(qtbot, lambda: bool(list((tmp_path / "runs" / "lattice").glob("*.h5"))))
    assert list((tmp_path / "runs" / "calibrations").glob("dark_*.yaml"))
    assert list((tmp_path / "runs").rglob("series.jsonl"))

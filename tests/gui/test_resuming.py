"""Going on in the window with what was cut short: by the message of its end, and from the list of runs."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from tests.gui.driving import SLOW, MakeWindow, click, run_until, wait_for_end
from tests.gui.waiting import wait_for
from tplm_daq.acquire.events import RunState
from tplm_daq.gui.status import StopWatch
from tplm_daq.gui.window import Window
from tplm_daq.recipes.load import dump_yaml, read_yaml, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.store.reader import open_run
from tplm_daq.store.writer import RunWriter
from tplm_daq.workflow.load import load_measurement
from tplm_daq.workflow.series_index import RIG_NAME, read_index

TWO = ("vary.0.average_power=[5 nW, 10 nW]", "reference_every=null", "scan.path.n_positions=9", "scan.passes.dwell=4s")


def cut_short(qtbot: QtBot, window: Window, n_points: int = 12) -> None:
    run_until(qtbot, window, n_points)
    window.abort()
    wait_for_end(qtbot, window)


def n_drawn(window: Window) -> int:
    """Return how many photons the live view has."""
    grown = window.bridge.picture().grown
    return 0 if grown is None else grown.n_photons


def resume_button(window: Window) -> QPushButton:
    buttons = window.views.browser.findChildren(QPushButton)
    return next(each for each in buttons if each.text() == "Res&ume")


def choose(qtbot: QtBot, window: Window, path: Path) -> QPushButton:
    """Choose a run in the list, wait until the window knows whether it can be resumed, and return the button."""
    window.views.show_named("Runs and series")
    table = window.views.browser.table
    wait_for(qtbot, lambda: path in [run.path for run in table._runs])
    row = next(row for row, run in enumerate(table._runs) if run.path == path)
    table.clearSelection()
    table.selectRow(row)
    button = resume_button(window)
    wait_for(qtbot, lambda: button.isEnabled() or path.name in button.toolTip() or path.parent.name in button.toolTip())
    return button


def wait_for_completion(qtbot: QtBot, window: Window) -> None:
    wait_for(qtbot, lambda: window.bridge.is_busy)
    wait_for_end(qtbot, window)
    assert window.run_bar.state.text() == "DONE", window.messages.text.text()


def test_the_rest_is_measured_once_and_seen_with_what_was_there(
    qtbot: QtBot, make_window: MakeWindow, tmp_path: Path
) -> None:
    window = make_window(SLOW)
    cut_short(qtbot, window)
    (path,) = (tmp_path / "runs").glob("*.h5")
    n_before = open_run(path).n_points
    n_photons = int(open_run(path).counts().sum())
    assert window.messages.resume.isVisible()
    begun: list[object] = []
    window.resuming.ready.connect(begun.append)
    click(qtbot, window.messages.resume)
    window.messages.resume.clicked.emit()
    assert not window.messages.isVisible()
    wait_for(qtbot, lambda: window.bridge.is_busy)
    assert not resume_button(window).isEnabled()
    assert window.views.currentIndex() == 0
    wait_for(qtbot, lambda: n_drawn(window) >= n_photons)
    wait_for(qtbot, lambda: window.bridge.status().n_done > n_before)
    assert window.bridge.status().n_points == 36
    wait_for_end(qtbot, window)
    run = open_run(path)
    assert (run.n_points, run.finish_reason, len(begun)) == (36, "completed", 1)
    assert list((tmp_path / "runs").glob("*.h5")) == [path]
    picture = window.bridge.picture()
    assert picture.grown is not None
    np.testing.assert_array_equal(picture.grown.decay, run.counts().sum(axis=0))
    assert picture.result is not None
    assert not window.messages.resume.isVisible()


def test_only_what_is_unfinished_and_of_this_rig_can_be_resumed_from_the_list(
    qtbot: QtBot, make_window: MakeWindow, tmp_path: Path
) -> None:
    window = make_window(SLOW)
    cut_short(qtbot, window)
    (path,) = (tmp_path / "runs").glob("*.h5")
    header, foreign = open_run(path).header, tmp_path / "runs" / "foreign.h5"
    RunWriter.create(foreign, replace(header, rig_text=header.rig_text.replace("seed: 1", "seed: 7"))).close()
    button = choose(qtbot, window, foreign)
    assert not button.isEnabled()
    assert "was measured with another rig: simulation.seed was 7, not 1" in button.toolTip()
    assert button.toolTip() in [label.text() for label in window.views.browser.findChildren(QLabel)]
    button = choose(qtbot, window, path)
    assert button.isEnabled()
    click(qtbot, button)
    wait_for_completion(qtbot, window)
    assert open_run(path).finish_reason == "completed"
    button = choose(qtbot, window, path)
    wait_for(qtbot, lambda: not button.isEnabled())
    assert button.toolTip() == f"{path} is complete: nothing is left to measure."
    window.views.browser.table.selectAll()
    assert not button.isEnabled()


def test_a_file_that_cannot_go_on_is_explained_and_the_window_goes_on(
    qtbot: QtBot, make_window: MakeWindow, tmp_path: Path
) -> None:
    window = make_window(SLOW)
    cut_short(qtbot, window)
    (path,) = (tmp_path / "runs").glob("*.h5")
    path.unlink()
    click(qtbot, window.messages.resume)
    wait_for(qtbot, lambda: f"{path}: no such file" in window.messages.text.text())
    assert not window.messages.resume.isVisible()
    assert not window.is_occupied
    run_until(qtbot, window, 1)


def test_a_series_goes_on_in_its_folder_by_any_of_its_runs(
    qtbot: QtBot, make_window: MakeWindow, tmp_path: Path
) -> None:
    window = make_window(SLOW)
    window.views.recipe.set_recipe(load_measurement("configs/series_power.yaml", "configs/rig_sim.yaml", TWO)[0])
    click(qtbot, window.run_bar.run)
    wait_for(qtbot, lambda: "condition 2" in window.bridge.status().before and window.bridge.status().n_done > 0)
    window.abort()
    wait_for_end(qtbot, window)
    assert window.messages.resume.isVisible()
    (home,) = (path for path in (tmp_path / "runs").iterdir() if path.is_dir())
    first, second = sorted(home.glob("*.h5"))
    before, n_photons = first.read_bytes(), int(open_run(second).counts().sum())
    click(qtbot, choose(qtbot, window, first))
    wait_for(qtbot, lambda: window.bridge.is_busy)
    wait_for(qtbot, lambda: n_drawn(window) >= n_photons)
    wait_for_end(qtbot, window)
    assert [line["finish_reason"] for line in read_index(home).values()] == ["completed", "completed"]
    assert first.read_bytes() == before
    shutil.copytree(home, tmp_path / "other")
    rig = validate(RigRecipe, read_yaml(home / RIG_NAME), "rig")
    (tmp_path / "other" / RIG_NAME).write_text(dump_yaml(rig.model_copy(update={"name": "next door"})))
    (tmp_path / "other" / "series.jsonl").unlink()
    window.resume_run(tmp_path / "other")
    wait_for(qtbot, lambda: "was measured on the rig next door" in window.messages.text.text())


@pytest.mark.parametrize(("before", "share"), [(0.0, 0.25), (0.5, 0.625)])
def test_the_time_left_follows_from_what_was_done_here(
    before: float, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [100.0]
    monkeypatch.setattr("tplm_daq.gui.status.time.monotonic", lambda: now_s[0])
    watch = StopWatch()
    watch.enter(RunState.RUNNING)
    watch.begin(before)
    now_s[0] += 10.0
    watch.begin(share)
    assert watch.left_s(share) == pytest.approx(30.0)
    assert watch.left_s(before) is None

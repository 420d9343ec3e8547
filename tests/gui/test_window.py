"""What the operator does with the window: press, watch, find the file; and what a bad day looks like."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QSettings, Qt
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QDockWidget,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QTabBar,
    QTableView,
    QWidget,
)
from pytestqt.qtbot import QtBot

import tplm_daq.acquire.runner as runner_module
from simulators.bench import Bench
from tests.gui.driving import PATIENCE_MS, SLOW, MakeWindow, click, run_to_the_end, run_until, wait_for_end
from tplm_daq.acquire.events import RunState
from tplm_daq.gui.theme import DARK, LIGHT
from tplm_daq.store.reader import open_run


def the_file(folder: Path) -> Path:
    (path,) = (folder / "runs").glob("*.h5")
    return path


def test_a_scan_goes_from_the_button_to_the_disk(qtbot: QtBot, make_window: MakeWindow, tmp_path: Path) -> None:
    window = make_window()
    assert window.run_bar.simulated.isVisible()
    run_to_the_end(qtbot, window)
    run = open_run(the_file(tmp_path))
    assert (run.n_points, run.finish_reason) == (36, "completed")
    assert str(run.path) in window.messages.text.text()
    assert window.run_bar.light.text() == "LIGHT OUT"
    picture = window.bridge.picture()
    assert picture.grown is not None
    np.testing.assert_array_equal(picture.grown.decay, run.counts().sum(axis=0))
    assert picture.result is not None
    stored = run.latest_result()
    assert stored is not None
    assert picture.result.diffusivity_cm2_s == stored.values["diffusivity_cm2_s"]
    shown = float(re.findall(r"[\d.]+", window.run_bar.diffusivity.text())[0])
    assert shown == pytest.approx(picture.result.diffusivity_cm2_s, abs=1e-4)


def test_pause_holds_the_scan_and_go_on_goes_on(qtbot: QtBot, make_window: MakeWindow) -> None:
    window = make_window(SLOW)
    run_until(qtbot, window, 2)
    click(qtbot, window.run_bar.pause)
    qtbot.waitUntil(lambda: window.run_bar.state.text() == "PAUSED", timeout=PATIENCE_MS)
    n_done = window.bridge.status().n_done
    assert window.bridge.status().left_s is None
    qtbot.keyClick(window, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: window.bridge.status().n_done > n_done, timeout=PATIENCE_MS)
    assert window.bridge.status().state is RunState.RUNNING


def test_a_pause_is_seen_at_once_and_taken_back_before_it_begins(qtbot: QtBot, make_window: MakeWindow) -> None:
    window = make_window("rig.simulation.speed=1")
    click(qtbot, window.run_bar.run)
    qtbot.waitUntil(lambda: window.bridge.status().doing != "")
    qtbot.keyClick(window, Qt.Key.Key_F6)
    assert window.bridge.status().is_held
    qtbot.keyClick(window, Qt.Key.Key_F6)
    assert not window.bridge.status().is_held


def test_a_recipe_that_the_rig_cannot_do_is_not_begun(qtbot: QtBot, make_window: MakeWindow) -> None:
    window = make_window("path.half_width=900 um")
    qtbot.waitUntil(lambda: window.views.recipe.refusal != "")
    qtbot.keyClick(window, Qt.Key.Key_F5)
    assert not window.bridge.is_busy
    assert "Nothing was started" in window.messages.text.text()
    assert "outside" in window.messages.text.text()
    assert window.views.currentWidget() is window.views.recipe


def test_abort_keeps_what_is_measured(qtbot: QtBot, make_window: MakeWindow, tmp_path: Path) -> None:
    window = make_window(SLOW)
    run_until(qtbot, window, 3)
    qtbot.keyClick(window, Qt.Key.Key_F8)
    wait_for_end(qtbot, window)
    run = open_run(the_file(tmp_path))
    assert window.run_bar.state.text() == "ENDED"
    assert run.finish_reason == "aborted"
    assert 3 <= run.n_points < 36
    assert "ended by the operator" in window.messages.text.text()


def test_finish_pass_ends_with_whole_passes(qtbot: QtBot, make_window: MakeWindow, tmp_path: Path) -> None:
    window = make_window(SLOW)
    run_until(qtbot, window, 2)
    click(qtbot, window.run_bar.finish_pass)
    wait_for_end(qtbot, window)
    run = open_run(the_file(tmp_path))
    assert run.finish_reason == "completed"
    assert run.n_points in (9, 18)
    assert re.search(r"ended after [12] passes, as the operator asked", window.messages.text.text())


def test_light_off_works_while_a_device_hangs(
    qtbot: QtBot, make_window: MakeWindow, bench: Callable[[], Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    window = make_window()
    hangs, is_released = threading.Event(), threading.Event()
    acquire = runner_module.acquire_point

    def hung(*args: object, **more: object) -> object:
        if window.bridge.status().n_done == 3:
            hangs.set()
            is_released.wait(20)
        return acquire(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(runner_module, "acquire_point", hung)
    click(qtbot, window.run_bar.run)
    qtbot.waitUntil(hangs.is_set, timeout=PATIENCE_MS)
    assert bench().light().average_power_nw > 0
    began_s = time.monotonic()
    qtbot.keyClick(window, Qt.Key.Key_F12)
    qtbot.waitUntil(lambda: bench().light().average_power_nw == 0)
    took_s = time.monotonic() - began_s
    qtbot.waitUntil(lambda: "The light is out" in window.messages.text.text())
    is_released.set()
    wait_for_end(qtbot, window)
    assert took_s < 0.5  # 0.2 s is the aim; the benchmark prints what it is
    assert "light off" in window.messages.text.text()
    assert window.run_bar.light.text() == "LIGHT OUT"


@pytest.mark.usefixtures("short_time_outs")
def test_light_off_without_any_path_says_what_to_do(
    qtbot: QtBot, make_window: MakeWindow, bench: Callable[[], Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tplm_daq.rig.watchdog.LAST_TRIES_S", 0.0)
    window = make_window(SLOW)
    run_until(qtbot, window, 2)
    for role in ("trigger", "gate"):
        bench().servers[role].close()
    with qtbot.waitSignal(window.bridge.light_answered, timeout=PATIENCE_MS) as answer:
        click(qtbot, window.run_bar.light_off)
    assert answer.args is not None
    assert answer.args[0] is False
    assert "LIGHT MAY BE ON" in answer.args[1]
    wait_for_end(qtbot, window)
    assert window.run_bar.light.text() == "LIGHT MAY BE ON"
    assert "key switch" in window.messages.text.text()


def test_light_off_without_a_connection_does_not_claim_that_the_light_is_out(
    qtbot: QtBot, make_window: MakeWindow
) -> None:
    window = make_window()
    with qtbot.waitSignal(window.bridge.light_answered, timeout=PATIENCE_MS) as answer:
        qtbot.keyClick(window, Qt.Key.Key_F12)
    assert answer.args is not None
    assert answer.args[0] is False
    assert "turn its key switch off by hand" in answer.args[1]


@pytest.mark.usefixtures("short_time_outs")
def test_a_lost_device_is_named_with_what_to_do(
    qtbot: QtBot, make_window: MakeWindow, bench: Callable[[], Bench], tmp_path: Path
) -> None:
    window = make_window(SLOW)
    run_until(qtbot, window, 2)
    bench().servers["detector_x"].close()
    wait_for_end(qtbot, window)
    assert "detector_x" in window.messages.text.text()
    assert window.run_bar.state.text() == "FAILED"
    assert window.run_bar.light.text() == "LIGHT OUT"
    assert window.run_bar.run.isEnabled()
    assert open_run(the_file(tmp_path)).finish_reason == "failed"


def test_the_theme_is_changed_and_remembered(qtbot: QtBot, make_window: MakeWindow, settings: QSettings) -> None:
    window = make_window()
    assert window.live.map.theme is DARK
    qtbot.keyClick(window, Qt.Key.Key_F9)
    assert window.live.map.theme is LIGHT
    window.close()
    assert settings.value("theme") == "light"
    assert make_window().live.map.theme is LIGHT


def test_a_recipe_that_cannot_be_read_is_explained(make_window: MakeWindow, tmp_path: Path) -> None:
    window = make_window()
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("kind: scan\ntitel: x\n")
    window.open_recipe_file(wrong)
    assert "titel" in window.messages.text.text()
    assert window.messages.isVisible()


def test_a_run_file_opens_beside_the_run(qtbot: QtBot, make_window: MakeWindow, tmp_path: Path) -> None:
    window = make_window()
    run_to_the_end(qtbot, window)
    live = window.live.picture
    window.show_run(the_file(tmp_path))
    qtbot.waitUntil(lambda: window.live.back.isVisible(), timeout=PATIENCE_MS)
    shown = window.live.picture
    assert the_file(tmp_path).name in window.live.title.text()
    assert "cm²/s" in window.live.title.text()
    assert shown.grown is not None and live.grown is not None
    np.testing.assert_array_equal(shown.grown.counts, live.grown.counts)
    assert shown.truth_cm2_s == live.truth_cm2_s
    click(qtbot, window.live.back)
    qtbot.waitUntil(lambda: not window.live.back.isVisible())


def test_every_control_has_a_name(make_window: MakeWindow) -> None:
    window = make_window()
    kinds = (QAbstractButton, QComboBox, QLineEdit, QProgressBar, QTableView, QPlainTextEdit)
    nameless = [
        control
        for control in window.findChildren(QWidget)
        if isinstance(control, kinds)
        and not control.objectName().startswith("qt_")
        and not control.accessibleName()
        and not (isinstance(control, QAbstractButton) and control.text())
        and not isinstance(control.parent(), QComboBox | QAbstractSpinBox | QTabBar | QTableView | QDockWidget)
    ]
    assert not [(type(each).__name__, type(each.parent()).__name__) for each in nameless]

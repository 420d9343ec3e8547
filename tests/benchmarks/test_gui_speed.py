"""How smoothly the window runs while a large scan does; printed by `make bench`, never a reason to fail CI.

What counts is the main thread: how often it draws, and how long anything keeps it from answering.
"""

from __future__ import annotations

import os

os.environ["PYTEST_QT_API"] = "pyqt6"
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PyQt6.QtCore import QSettings, Qt, QTimer
from pytestqt.qtbot import QtBot

import tplm_daq.acquire.runner as runner_module
import tplm_daq.rig.open as opening
from tplm_daq.gui.window import Window
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig.simulated import SimulatedWorld
from tplm_daq.workflow.load import load_scan

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LARGE = (
    "counter.bin_width=4ps",
    "counter.span=262.144ns",
    "passes.dwell=400s",
    "passes.n_passes=20",
    "path.centre=0um",
    "rig.simulation.speed=400",
    "rig.simulation.is_homed=true",
)
WATCHED_S = 15.0
BEAT_MS = 5


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    settings.setValue("is_toured", True)
    scan, rig = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", LARGE)
    shown = Window(rig, settings, tmp_path)
    shown.views.recipe.set_recipe(scan)
    with qtbot.waitActive(shown):
        shown.resize(1920, 1080)
        shown.show()
    yield shown
    shown.end_and_close()
    qtbot.waitUntil(lambda: not shown.isVisible(), timeout=60_000)
    shown.deleteLater()


def report(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print(f"\n  {text}")


class Beats(NamedTuple):
    """Beats of a timer in the main thread, all in ms: how late each was, what the thread worked, and waited for a core.

    Waiting for a core is what a busy machine does to the window; work is what the window does itself.
    """

    late_ms: np.ndarray
    work_ms: np.ndarray
    waited_ms: np.ndarray


def beats(qtbot: QtBot, seconds: float) -> Beats:
    """Watch a timer in the main thread for so long."""
    seen: list[tuple[float, float, float]] = []
    heart = QTimer()
    heart.setTimerType(Qt.TimerType.PreciseTimer)
    heart.timeout.connect(lambda: seen.append((time.perf_counter(), time.thread_time(), waited_s())))
    heart.start(BEAT_MS)
    qtbot.wait(round(1000 * seconds))
    heart.stop()
    late_ms, work_ms, waited_ms = 1e3 * np.diff(seen, axis=0).T
    return Beats(late_ms - BEAT_MS, work_ms, waited_ms)


def waited_s() -> float:
    """Return how long this thread has waited for a core so far; NaN where the system does not say."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) * 1e-9
    except OSError:
        return float("nan")


def test_the_main_thread_stays_free(qtbot: QtBot, window: Window, capsys: pytest.CaptureFixture[str]) -> None:
    draws: list[float] = []
    draw = window.live.map.draw

    def drawn(picture: object) -> None:
        began_s = time.perf_counter()
        draw(picture)  # type: ignore[arg-type]
        draws.append(time.perf_counter() - began_s)

    window.live.map.draw = drawn  # type: ignore[method-assign]
    idle = beats(qtbot, 5.0)
    window.run_recipe()
    qtbot.waitUntil(lambda: window.bridge.status().n_done > 41, timeout=120_000)
    ticks: list[float] = []
    window._timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    n_before = window.bridge.status().n_done
    draws.clear()
    busy = beats(qtbot, WATCHED_S)
    n_points = window.bridge.status().n_done - n_before
    report(
        capsys,
        f"window, 41 x 65 536 at 400 x speed: {len(ticks) / WATCHED_S:.1f} ticks/s (aim 30), "
        f"{n_points / WATCHED_S:.1f} points/s, map drawn {len(draws) / WATCHED_S:.1f} times/s "
        f"in {1e3 * np.median(draws):.1f} ms",
    )
    for name, each in (("idle", idle), ("scanning", busy)):
        report(
            capsys,
            f"main thread late, {name}: {np.median(each.late_ms):.1f} ms median, "
            f"{np.percentile(each.late_ms, 99):.0f} in 1 of 100, {each.late_ms.max():.0f} at most (aim 50); "
            f"its own work {each.work_ms.max():.0f} ms at most; "
            f"{np.nansum(each.waited_ms) / np.sum(each.late_ms + BEAT_MS):.0%} of the time waiting for a core",
        )
    assert len(busy.late_ms) > 0.02 * 1000 * WATCHED_S / BEAT_MS


def test_light_off_with_a_hung_runner(
    qtbot: QtBot, window: Window, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds: list[SimulatedWorld] = []
    start = opening.start_doubles

    def remember(recipe: RigRecipe) -> SimulatedWorld:
        worlds.append(start(recipe))
        return worlds[-1]

    monkeypatch.setattr(opening, "start_doubles", remember)
    hangs, is_released = threading.Event(), threading.Event()

    def hung(*_: object) -> None:
        hangs.set()
        is_released.wait(60)
        raise runner_module.Aborted("released")

    monkeypatch.setattr(runner_module, "acquire_point", hung)
    window.run_recipe()
    qtbot.waitUntil(hangs.is_set, timeout=60_000)
    bench = worlds[-1].library._world  # type: ignore[attr-defined]
    began_s = time.perf_counter()
    qtbot.keyClick(window, Qt.Key.Key_F12)
    qtbot.waitUntil(lambda: bench.light().average_power_nw == 0)
    took_ms = 1e3 * (time.perf_counter() - began_s)
    is_released.set()
    report(capsys, f"F12 to darkness while the runner hangs: {took_ms:.0f} ms (aim 200 ms)")


def least_memory_mb(qtbot: QtBot) -> float:
    """Return what is in use when no fit is under way, whose copies come and go."""
    samples = []
    for _ in range(40):
        qtbot.wait(50)
        samples.append(tracemalloc.get_traced_memory()[0] / 1e6)
    return min(samples)


def test_memory_stays_flat(qtbot: QtBot, window: Window, capsys: pytest.CaptureFixture[str]) -> None:
    tracemalloc.start()
    window.run_recipe()
    qtbot.waitUntil(lambda: window.bridge.status().n_done > 60, timeout=120_000)
    before_mb = least_memory_mb(qtbot)
    began = window.bridge.status().n_done
    qtbot.waitUntil(lambda: window.bridge.status().n_done >= began + 120, timeout=120_000)
    grown_mb = least_memory_mb(qtbot) - before_mb
    tracemalloc.stop()
    n_points = window.bridge.status().n_done - began
    report(capsys, f"memory after {n_points} points of 65 536 bins: {grown_mb:+.2f} MB in all")

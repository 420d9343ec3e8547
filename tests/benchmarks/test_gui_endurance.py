"""Scan after scan in one window: what it holds must not grow; `TPLM_ENDURANCE_S` says for how long it is watched.

Run as ``MALLOC_ARENA_MAX=2 TPLM_ENDURANCE_S=3600 pytest tests/benchmarks/test_gui_endurance.py -m slow -s`` it is an
hour. With an arena of glibc's for each of the doubles' threads, free memory scatters over them and is not given back.
"""

from __future__ import annotations

import os

os.environ["PYTEST_QT_API"] = "pyqt6"
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import ctypes
import gc
import threading
import time
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QObject, QSettings, QTimer
from pytestqt.qtbot import QtBot

from tplm_daq.gui.window import Window
from tplm_daq.workflow.load import load_scan

WATCHED_S = float(os.environ.get("TPLM_ENDURANCE_S", "60"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(WATCHED_S + 600)]

SCAN = (
    *("path.n_positions=21", "passes.dwell=8s", "passes.n_passes=4"),
    *("rig.simulation.speed=max", "rig.simulation.is_homed=true"),
)
WARM_UP = 12
"""Scans after which everything that is kept for good is there: each view was shown twice."""
MOST_GROWTH = 0.03
"""Of the memory, from the first to the second half of the scans."""


@dataclass(frozen=True)
class Held:
    """What the program holds between two scans: memory in MB, then numbers."""

    memory_mb: float
    n_threads: int
    n_files: int
    n_children: int
    n_timers: int


def held(window: Window) -> Held:
    """Look at what is held; memory that is free but kept by the allocator for the next scan is given back first."""
    gc.collect()
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if give_back is not None:
        give_back(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Held(
        memory_mb=pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        n_threads=threading.active_count(),
        n_files=len(list(Path("/proc/self/fd").iterdir())),
        n_children=len(window.findChildren(QObject)),
        n_timers=len(window.findChildren(QTimer)),
    )


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_what_the_window_holds_does_not_grow(qtbot: QtBot, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    settings.setValue("is_toured", True)
    scan, rig = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", SCAN)
    window = Window(rig, settings, tmp_path / "runs")
    window.views.recipe.set_recipe(scan)
    with qtbot.waitActive(window):
        window.show()
    seen: list[Held] = []
    end_s = time.monotonic() + WATCHED_S
    while time.monotonic() < end_s or len(seen) < WARM_UP + 4:
        with qtbot.waitSignal(window.bridge.ended, timeout=600_000):
            window.run_recipe()
            window.views.setCurrentIndex(len(seen) % window.views.count())
        qtbot.wait(500)
        seen.append(held(window))
        for file in (tmp_path / "runs").glob("*"):
            file.unlink(missing_ok=True)  # what grows on the disk is no leak, and the browser lists it
    window.end_and_close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=60_000)
    window.deleteLater()
    table = np.array([astuple(each) for each in seen[WARM_UP:]])
    first, second = (np.median(half, axis=0) for half in np.array_split(table, 2))
    with capsys.disabled():
        print(f"\n  {len(seen)} scans of 84 points in {WATCHED_S:.0f} s; medians of the first and the second half:")
        print("    memory in MB:", *(f"{each.memory_mb:.0f}" for each in seen))
        for name, before, after in zip(Held.__annotations__, first, second, strict=True):
            print(f"    {name:11} {before:8.1f} {after:8.1f}")
    assert second[0] < first[0] * (1 + MOST_GROWTH)
    assert (second[1:] <= first[1:]).all()

"""The real window on the simulated rig, without a screen; nothing may be left behind."""

from __future__ import annotations

import os

os.environ["PYTEST_QT_API"] = "pyqt6"
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QSettings
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import tplm_daq.rig.open as opening
from simulators.bench import Bench
from tplm_daq.gui.window import Window
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig.simulated import SimulatedWorld
from tplm_daq.workflow.load import load_scan

QUICK = ("path.n_positions=9", "passes.dwell=4s", "passes.n_passes=4", "rig.simulation.is_homed=true")
MakeWindow = Callable[..., Window]
FindBench = Callable[[], Bench]


@pytest.fixture(autouse=True)
def _no_window_is_left_behind(qapp: QApplication) -> Iterator[None]:
    yield
    qapp.processEvents()
    left = [type(widget).__name__ for widget in qapp.topLevelWidgets() if widget.isVisible()]
    assert not left, f"windows left behind: {left}"


@pytest.fixture
def settings(tmp_path: Path) -> QSettings:
    kept = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    kept.setValue("is_toured", True)
    return kept


@pytest.fixture
def make_window(qtbot: QtBot, settings: QSettings, tmp_path: Path) -> Iterator[MakeWindow]:
    """Return a function that shows a window with a short scan; changes are as for `tplm run --set`."""
    shown: list[Window] = []

    def make(*changes: str) -> Window:
        scan, rig = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", [*QUICK, *changes])
        window = Window(rig, settings, tmp_path / "runs")
        window.views.recipe.set_recipe(scan)
        shown.append(window)
        with qtbot.waitActive(window):
            window.show()
        return window

    yield make
    for window in shown:
        window.end_and_close()
        qtbot.waitUntil(lambda window=window: not window.isVisible(), timeout=20_000)
        window.deleteLater()


@pytest.fixture
def worlds(monkeypatch: pytest.MonkeyPatch) -> list[SimulatedWorld]:
    """Return the worlds behind the rigs that have been opened, a list that grows."""
    worlds: list[SimulatedWorld] = []
    start = opening.start_doubles

    def remember(recipe: RigRecipe) -> SimulatedWorld:
        worlds.append(start(recipe))
        return worlds[-1]

    monkeypatch.setattr(opening, "start_doubles", remember)
    return worlds


@pytest.fixture
def bench(worlds: list[SimulatedWorld]) -> FindBench:
    """Return a look at the bench behind the rig that was opened last."""
    return lambda: worlds[-1].library._world  # type: ignore[attr-defined]

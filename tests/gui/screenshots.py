"""Makes the pictures of the window for README and docs: ``python tests/gui/screenshots.py docs/img``.

Every view is shown during a running scan on the simulated rig, and the live view of every kind of job, in both sizes
that the window is made for: small and dark, large and light.
"""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QSettings
from PyQt6.QtWidgets import QApplication

from tplm_daq.gui.help import HelpDialog
from tplm_daq.gui.theme import DARK, LIGHT, Theme
from tplm_daq.gui.window import Window
from tplm_daq.workflow.load import load_rig

SIZES: dict[str, tuple[int, int, Theme]] = {"1366x768": (1366, 768, DARK), "2560x1440": (2560, 1440, LIGHT)}
WATCHED = (
    ("line", "configs/scan_line.yaml", 0.4),
    ("raster", "configs/scan_map.yaml", 0.4),
    ("series", "configs/series_power.yaml", 0.75),
    ("spot", "configs/align_spot.yaml", 0.9),
    ("focus", "configs/align_focus.yaml", 0.8),
)
"""Name, recipe, and the share of the job after which pictures are made."""
SPEED = "simulation.speed=60"
SPEEDS = {"configs/series_power.yaml": "simulation.speed=max", "configs/scan_map.yaml": "simulation.speed=400"}
PATIENCE_S = 300.0
SETTLE_S = 1.5


def main(folder: Path) -> None:
    """Make all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    with tempfile.TemporaryDirectory() as scratch:
        for name, recipe, begun in WATCHED:
            show(app, folder, Path(scratch) / name, name, recipe, begun)


def show(app: QApplication, folder: Path, scratch: Path, name: str, recipe: str, begun: float) -> None:
    """Make the pictures of one job: of a line in every view, of the others in theirs; of a series also at the end."""
    window = open_window(scratch, recipe)
    window.run_recipe()
    wait(app, lambda: window.bridge.status().share >= begun)
    for size, (width, height, theme) in SIZES.items():
        window.resize(width, height)
        window.set_theme(theme)
        for view in range(window.views.count()) if name == "line" else (window.views.currentIndex(),):
            window.views.setCurrentIndex(view)
            settle(app)
            title = window.views.tabText(view).lower().replace(" ", "-")
            save(window, folder / f"gui-{name}-{title}-{size}.png")
        if name == "line":
            window.views.setCurrentIndex(0)
    if name == "series":
        show_comparison(app, window, folder)
    window.light_off()
    wait(app, lambda: not window.bridge.is_busy)
    settle(app)
    if name == "line":
        save(window, folder / "gui-light-off-2560x1440.png")
        keys = HelpDialog(window)
        keys.show()
        settle(app)
        save(keys, folder / "gui-keys.png")
        keys.close()
    window.end_and_close()
    wait(app, lambda: not window.isVisible())
    window.deleteLater()


def open_window(scratch: Path, recipe: str) -> Window:
    """Show a window on the simulated rig with a recipe in its form."""
    settings = QSettings(str(scratch / "settings.ini"), QSettings.Format.IniFormat)
    settings.setValue("is_toured", True)
    rig = load_rig("configs/rig_sim.yaml", [SPEEDS.get(recipe, SPEED), "simulation.is_homed=true"])
    window = Window(rig, settings, scratch)
    window.views.recipe.set_recipe(recipe)
    window.show()
    return window


def show_comparison(app: QApplication, window: Window, folder: Path) -> None:
    """Let a series come to its end, and compare its runs with a sweep of the lattice beside them."""
    wait(app, lambda: not window.bridge.is_busy)
    window.views.setCurrentWidget(window.views.browser)
    window.resize(*SIZES["1366x768"][:2])
    window.set_theme(DARK)
    settle(app)
    window.views.browser.table.selectAll()
    window.views.kmc.sweep()
    wait(app, lambda: not window.views.kmc._job.is_working)
    settle(app)
    save(window, folder / "gui-series-runs-1366x768.png")


def save(widget: Window | HelpDialog, path: Path) -> None:
    """Write what a widget shows."""
    widget.grab().save(str(path))
    print(path)


def settle(app: QApplication) -> None:
    """Let everything be drawn."""
    end_s = time.monotonic() + SETTLE_S
    wait(app, lambda: time.monotonic() > end_s)


def wait(app: QApplication, is_done: Callable[[], bool]) -> None:
    """Run the window until something is so."""
    end_s = time.monotonic() + PATIENCE_S
    while not is_done():
        if time.monotonic() > end_s:
            raise TimeoutError(f"not done within {PATIENCE_S:g} s")
        app.processEvents()
        time.sleep(0.005)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

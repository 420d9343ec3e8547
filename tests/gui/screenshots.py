"""Makes the pictures of the window for README and docs: ``python tests/gui/screenshots.py docs/img``.

Every view is shown during a running scan on the simulated rig, in both sizes that the window is made for: small and
dark, large and light.
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
from tplm_daq.workflow.load import load_scan

SIZES: dict[str, tuple[int, int, Theme]] = {"1366x768": (1366, 768, DARK), "2560x1440": (2560, 1440, LIGHT)}
SPEED = "rig.simulation.speed=60"
PATIENCE_S = 90.0
SETTLE_S = 1.5


def main(folder: Path) -> None:
    """Make all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    with tempfile.TemporaryDirectory() as scratch:
        for name, recipe in (("line", "configs/scan_line.yaml"), ("raster", "configs/scan_map.yaml")):
            show(app, folder, Path(scratch), name, recipe)


def show(app: QApplication, folder: Path, scratch: Path, name: str, recipe: str) -> None:
    """Make the pictures of one scan: of a line in every view, of a raster in the live view."""
    settings = QSettings(str(scratch / "settings.ini"), QSettings.Format.IniFormat)
    settings.setValue("is_toured", True)
    scan, rig = load_scan(recipe, "configs/rig_sim.yaml", [SPEED, "rig.simulation.is_homed=true"])
    window = Window(rig, settings, scratch)
    window.views.recipe.set_recipe(scan)
    window.show()
    window.run_recipe()
    wait(app, lambda: window.bridge.status().n_done >= 0.4 * scan.path.n_positions * 2)
    for size, (width, height, theme) in SIZES.items():
        window.resize(width, height)
        window.set_theme(theme)
        n_views = window.views.count() if name == "line" else 1
        for view in range(n_views):
            window.views.setCurrentIndex(view)
            settle(app)
            title = window.views.tabText(view).lower().replace(" ", "-")
            save(window, folder / f"gui-{name}-{title}-{size}.png")
        window.views.setCurrentIndex(0)
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

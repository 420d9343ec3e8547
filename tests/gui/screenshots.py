"""Makes the pictures of the window for README and docs: ``python tests/gui/screenshots.py docs/img [NAME]...``.

Every view is shown during a running scan on the simulated rig, and the live view of every kind of job, in both sizes
that the window is made for: small and dark, large and light.
"""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import contextlib
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PyQt6.QtCore import QSettings
from PyQt6.QtGui import QPainter
from PyQt6.QtWidgets import QApplication

from tplm_daq.gui.help import MARGIN, HelpDialog, TourDialog
from tplm_daq.gui.theme import DARK, LIGHT, Theme
from tplm_daq.gui.window import Window
from tplm_daq.workflow.device_keeper import DeviceState
from tplm_daq.workflow.load import load_recipe, load_rig, load_scan

SIZES: dict[str, tuple[int, int, Theme]] = {"1366x768": (1366, 768, DARK), "2560x1440": (2560, 1440, LIGHT)}
WATCHED = (
    ("line", "configs/scan_line.yaml", 0.3),
    ("precision", "configs/scan_precision.yaml", 0.7),
    ("raster", "configs/scan_map.yaml", 0.4),
    ("series", "configs/series_power.yaml", 0.75),
    ("spot", "configs/align_spot.yaml", 1.0),
    ("focus", "configs/align_focus.yaml", 0.8),
)
"""Name, recipe, and the share of the job after which pictures are made; 1 is when it has ended."""
SPEED = "simulation.speed=60"
SPEEDS = {
    "configs/scan_line.yaml": "simulation.speed=20",  # all views in both sizes before it ends
    "configs/series_power.yaml": "simulation.speed=max",
    "configs/scan_map.yaml": "simulation.speed=400",
}
PRECISE = ("passes.target_precision=0.8 %", "title=OLA/OA film, until D is known to 0.8 %")
"""Of the scan for precision: so that it takes long enough to be seen."""
WAITING = ("configs/scan_map.yaml", "configs/series_power.yaml")
"""What waits in the queue during the first scan."""
BREAKS = "simulation.faults=[{device: counter, fault: port closed, at: 60 s}]"
PATIENCE_S = 300.0
SETTLE_S = 1.5


def main(folder: Path, names: Sequence[str] = ()) -> None:
    """Make all pictures, or those of the jobs that are named."""
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.absolute()
    logging.getLogger("tplm_daq").setLevel(logging.INFO)
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):  # names of files are short then
        for name, recipe, begun in WATCHED:
            if not names or name in names:
                show(app, folder, Path(name), name, recipe, begun)
        for name, show_it in (("failure", show_failure), ("tour", show_tour)):
            if not names or name in names:
                show_it(app, folder, Path(name))


def show(app: QApplication, folder: Path, scratch: Path, name: str, recipe: str, begun: float) -> None:
    """Make the pictures of one job: of a line in every view, of the others in theirs; of a series also at the end."""
    window = open_window(scratch, recipe)
    window.run_recipe()
    if name == "line":
        for waiting in WAITING:
            window.views.queue.add(load_recipe(waiting)[1], window._rig)
    wait(app, lambda: window.bridge.status().share >= begun and not (begun == 1.0 and window.bridge.is_busy))
    for size, (width, height, theme) in SIZES.items():
        window.resize(width, height)
        window.set_theme(theme)
        for view in range(window.views.count()) if name == "line" else (window.views.currentIndex(),):
            window.views.setCurrentIndex(view)
            settle(app)
            title = window.views.tabText(view).split(" (")[0].lower().replace(" ", "-")
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
    close(app, window)


def show_failure(app: QApplication, folder: Path, scratch: Path) -> None:
    """Let a device fail during a scan, and again when somebody looks after it."""
    window = open_window(scratch, "configs/scan_line.yaml", BREAKS)
    window.run_recipe()
    wait(app, lambda: not window.bridge.is_busy)
    window.views.setCurrentWidget(window.views.devices)
    window.session.open()
    wait(app, lambda: any(shown.state is DeviceState.FAILED for shown in window.session.view.devices))
    for size, (width, height, theme) in SIZES.items():
        window.resize(width, height)
        window.set_theme(theme)
        settle(app)
        save(window, folder / f"gui-failed-devices-{size}.png")
    close(app, window)


def show_tour(app: QApplication, folder: Path, scratch: Path) -> None:
    """Show how it begins for somebody who starts the window for the first time."""
    window = open_window(scratch, "configs/scan_line.yaml", is_toured=False)
    window.resize(*SIZES["1366x768"][:2])
    wait(app, lambda: any(each.isVisible() for each in window.findChildren(TourDialog)))
    (tour,) = window.findChildren(TourDialog)
    tour.next.click()
    settle(app)
    whole = window.grab()
    painter = QPainter(whole)
    corner = whole.rect().bottomRight() - tour.rect().bottomRight()
    painter.drawPixmap(corner.x() - MARGIN, corner.y() - MARGIN, tour.grab())
    painter.end()
    path = folder / "gui-tour-1366x768.png"
    whole.save(str(path))
    print(path)
    close(app, window)


def close(app: QApplication, window: Window) -> None:
    """End what goes on, and leave nothing behind."""
    window.end_and_close()
    wait(app, lambda: not window.isVisible())
    window.deleteLater()


def open_window(scratch: Path, recipe: str, *changes: str, is_toured: bool = True) -> Window:
    """Show a window on the simulated rig with a recipe in its form."""
    settings = QSettings(str(scratch / "settings.ini"), QSettings.Format.IniFormat)
    if is_toured:
        settings.setValue("is_toured", True)
    rig = load_rig("configs/rig_sim.yaml", [SPEEDS.get(recipe, SPEED), "simulation.is_homed=true", *changes])
    window = Window(rig, settings, scratch)
    window.views.recipe.set_recipe(recipe)
    if recipe == "configs/scan_precision.yaml":
        window.views.recipe.set_recipe(load_scan(recipe, "configs/rig_sim.yaml", [*PRECISE])[0])
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
    main(Path(sys.argv[1]), sys.argv[2:])

"""Starts the operator's window."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from PyQt6.QtCore import QSettings
from PyQt6.QtWidgets import QApplication

from tplm_daq.errors import InputError
from tplm_daq.gui.window import Window
from tplm_daq.recipes.load import find_config
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.workflow.load import load_rig
from tplm_daq.workflow.logs import start_logging
from tplm_daq.workflow.places import make_folder

SWITCH_S = 0.001
"""How long another thread may keep the window's waiting for its turn; Python's default is five times as long."""
COMFORTABLE_SPEED = 20
"""Of a simulated rig that would otherwise be too fast to watch."""
OPEN_QT = "from PyQt6.QtWidgets import QApplication; QApplication([])"
"""Qt ends the whole process where it cannot open a window; so another one tries first."""
SYSTEM_LIBRARIES = (
    *("libegl1", "libgl1", "libfontconfig1", "libdbus-1-3", "libxkbcommon0", "libxkbcommon-x11-0", "libxcb-cursor0"),
    *("libxcb-icccm4", "libxcb-image0", "libxcb-keysyms1", "libxcb-render-util0", "libxcb-shape0"),
)
"""What Qt needs of Debian or Ubuntu and does not bring along."""
DEFAULT_RECIPE = "configs/scan_line.yaml"


def main(recipe: str | None, rig: str, folder: Path = Path("runs")) -> int:
    """Show the window until it is closed.

    Parameters
    ----------
    recipe : str or None
        Recipe to begin with; a shipped one if none is given.
    rig : str
        Rig file.
    folder : Path
        Where run files go.

    Returns
    -------
    int
        Exit status.

    Raises
    ------
    InputError
        Rig or recipe cannot be used, or there is no screen.
    """
    require_screen()
    rig_recipe = watchable_rig(rig)
    find_config(recipe or DEFAULT_RECIPE)
    make_folder(folder)
    start_logging(folder)
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("tplm")
    app.setOrganizationName("tplm-daq")
    sys.setswitchinterval(SWITCH_S)
    window = Window(rig_recipe, QSettings(), folder)
    window.views.recipe.set_recipe(recipe or DEFAULT_RECIPE)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: window.end_and_close())
    window.show()
    return app.exec()


def require_screen() -> None:
    """Raise InputError where Qt would end the program because it finds no screen, or lacks a library for it."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return
    if os.environ.get("WAYLAND_DISPLAY"):
        return
    if not os.environ.get("DISPLAY"):
        raise InputError(
            "there is no screen for a window (neither DISPLAY nor WAYLAND_DISPLAY is set). Log in at the computer, use "
            "`ssh -X`, or measure without a window: `tplm run`."
        )
    tried = subprocess.run([sys.executable, "-c", OPEN_QT], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        lines = [line for line in tried.stderr.splitlines() if line.startswith("qt.") or "could not" in line]
        raise InputError(
            f"Qt cannot open a window here. {' '.join(lines)} Try:  sudo apt install {' '.join(SYSTEM_LIBRARIES)}"
        )


def watchable_rig(rig: str) -> RigRecipe:
    """Return the rig of a file; a simulated one whose speed is ``max`` runs at a speed that can be watched."""
    recipe = load_rig(rig, [])
    if recipe.simulation is not None and recipe.simulation.speed == "max":
        return load_rig(rig, [f"simulation.speed={COMFORTABLE_SPEED}"])
    return recipe

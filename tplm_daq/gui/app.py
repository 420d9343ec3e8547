"""Starts the operator's window."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from PyQt6.QtCore import QSettings
from PyQt6.QtWidgets import QApplication

from tplm_daq.gui.window import Window
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.workflow.load import load_rig
from tplm_daq.workflow.logs import start_logging
from tplm_daq.workflow.places import make_folder

SWITCH_S = 0.001
"""How long another thread may keep the window's waiting for its turn; Python's default is five times as long."""
COMFORTABLE_SPEED = 20
"""Of a simulated rig that would otherwise be too fast to watch."""
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
        Rig or recipe cannot be used.
    """
    rig_recipe = watchable_rig(rig)
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


def watchable_rig(rig: str) -> RigRecipe:
    """Return the rig of a file; a simulated one whose speed is ``max`` runs at a speed that can be watched."""
    recipe = load_rig(rig, [])
    if recipe.simulation is not None and recipe.simulation.speed == "max":
        return load_rig(rig, [f"simulation.speed={COMFORTABLE_SPEED}"])
    return recipe

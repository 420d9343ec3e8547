"""Starting the window: the rig it begins with, and its end by a signal during a scan."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tplm_daq.errors import InputError
from tplm_daq.gui.app import COMFORTABLE_SPEED, require_screen, watchable_rig
from tplm_daq.store.reader import open_run

START = """
import os, signal, sys
from pathlib import Path
from PyQt6.QtCore import QSettings, QTimer
from tplm_daq.gui import app
from tplm_daq.gui.window import Window

QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, sys.argv[2])
show = Window.show

def show_and_run(window):
    show(window)
    window.run_recipe()
    watch = QTimer(window)
    watch.timeout.connect(lambda: window.bridge.status().n_done >= 2 and os.kill(os.getpid(), signal.SIGTERM))
    watch.start(50)

Window.show = show_and_run
sys.exit(app.main(None, sys.argv[1], Path(sys.argv[2])))
"""


def test_a_simulated_rig_runs_at_a_speed_that_can_be_watched(tmp_path: Path) -> None:
    recipe = watchable_rig("configs/rig_sim.yaml")
    assert recipe.simulation is not None
    assert recipe.simulation.speed == COMFORTABLE_SPEED
    other = tmp_path / "rig.yaml"
    other.write_text(Path("configs/rig_sim.yaml").read_text().replace("speed: max", "speed: 3"))
    again = watchable_rig(str(other))
    assert again.simulation is not None
    assert again.simulation.speed == 3


def test_a_rig_that_does_not_exist_is_named() -> None:
    with pytest.raises(InputError, match="no_such_rig"):
        watchable_rig("no_such_rig.yaml")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process at once")
def test_a_signal_ends_the_scan_and_the_window(tmp_path: Path) -> None:
    rig = tmp_path / "rig.yaml"
    text = Path("configs/rig_sim.yaml").read_text()
    rig.write_text(text.replace("speed: max", "speed: 100\n  is_homed: true"))
    finished = subprocess.run(
        [sys.executable, "-c", START, rig, tmp_path],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    (path,) = tmp_path.glob("*.h5")
    run = open_run(path)
    assert run.finish_reason == "aborted"
    assert run.n_points >= 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a screen")
def test_without_a_screen_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match=r"there is no screen for a window .* `tplm run`"):
        require_screen()
    monkeypatch.setenv("DISPLAY", ":4711")
    with pytest.raises(InputError, match="Qt cannot open a window here"):
        require_screen()

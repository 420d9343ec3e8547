"""Waiting for what comes from threads, without sleeping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PyQt6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from tests.rig.conftest import Nobody, rig_recipe
from tplm_daq.gui.background import LatestJob
from tplm_daq.workflow.device_keeper import DeviceState, DeviceView
from tplm_daq.workflow.session import RigSession

TIMEOUT_MS = 60_000
"""Reached only if something hangs, or on a machine that has a lot else to do."""


def wait_for(qtbot: QtBot, condition: Callable[[], bool]) -> None:
    """Let the window live until a condition holds."""
    qtbot.waitUntil(condition, timeout=TIMEOUT_MS)


def wait_for_jobs(qtbot: QtBot, *jobs: LatestJob) -> None:
    """Let the window live until jobs have ended and their outcomes are shown."""
    wait_for(qtbot, lambda: not any(job.is_working for job in jobs))
    qtbot.wait(0)


def choose_file(asker: QWidget, path: Path) -> None:
    """Choose a file or folder in the dialog that is open."""
    (dialog,) = (each for each in asker.findChildren(QFileDialog) if each.isVisible())
    dialog.setDirectory(str(path.parent))
    dialog.selectFile(str(path))
    dialog.accept()


def device(session: RigSession, role: str) -> DeviceView:
    """Return the present view of one device."""
    return next(shown for shown in session.view.devices if shown.role == role)


@contextmanager
def connected_session(*changes: str) -> Iterator[RigSession]:
    """Hold a session of the simulated rig, homed and fast, and let go of it."""
    session = RigSession(rig_recipe("simulation.is_homed=true", "simulation.speed=20", *changes), Nobody())
    try:
        session.open()
        yield session
    finally:
        session.release()


def is_settled(session: RigSession) -> bool:
    """Tell whether every device is connected, or has failed to be."""
    states = {shown.state for shown in session.view.devices}
    return session.view.is_open and not states & {DeviceState.CLOSED, DeviceState.CONNECTING}

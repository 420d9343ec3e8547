"""Faults of devices while the window is open: it stays usable, says what happened and what to do; the light is out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from simulators.bench import Bench
from tests.gui.waiting import wait_for
from tplm_daq.gui.window import Window

MakeWindow = Callable[..., Window]


def fault(device: str, name: str, **more: object) -> str:
    moment = "".join(f", {key}: {value}" for key, value in more.items())
    return f"rig.simulation.faults=[{{device: {device}, fault: {name}{moment}}}]"


def run_into_it(qtbot: QtBot, window: Window) -> str:
    window.run_bar.run.click()
    wait_for(qtbot, lambda: not window.bridge.is_busy and window.messages.isVisible())
    wait_for(qtbot, lambda: window.run_bar.state.text() in ("DONE", "ENDED", "FAILED"))
    return window.messages.text.text()


@pytest.mark.parametrize(
    ("changes", "cause", "advice"),
    [
        ([fault("trigger", "silence", at="3 s")], "trigger", "power"),
        ([fault("detector_x", "stuck axis", at="3 s")], "detector_x", "not blocked, then home"),
        ([fault("counter", "port closed", at="3 s")], "counter", "USB"),
        ([fault("counter", "lost sync", at="3 s")], "no sync", "sync cable"),
        ([fault("thermostat", "garbled frame"), "temperature=290 K"], "thermostat", "address"),
    ],
    ids=["dead trigger", "stuck axis", "counter library error", "lost sync", "thermostat garbage"],
)
@pytest.mark.usefixtures("short_time_outs")
def test_a_fault_is_told_with_its_next_step_and_the_window_goes_on(
    qtbot: QtBot,
    make_window: MakeWindow,
    bench: Callable[[], Bench],
    changes: list[str],
    cause: str,
    advice: str,
) -> None:
    window = make_window(*changes)
    said = run_into_it(qtbot, window)
    assert cause in said
    assert advice in said
    assert window.crashes.dialog is None
    assert bench().light().average_power_nw == 0
    assert window.run_bar.light.text() == "LIGHT OUT"
    assert window.run_bar.run.isEnabled()
    wait_for(qtbot, lambda: any(cause in line.text for line in window.log.lines._lines))

"""What the window knows of a job: the light before and between points, and how it ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tplm_daq.acquire.events import FinishReason, GuardGoesOn, GuardWaits, Notice, RunState, StateChanged, Step
from tplm_daq.errors import Aborted
from tplm_daq.gui.endings import words_of
from tplm_daq.gui.picture import Picture
from tplm_daq.gui.scene import Scene
from tplm_daq.gui.status import Light, Status
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.outcome import ScanOutcome


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"finish_message": "ended after 5 passes, as the operator asked"}, "good", "complete: ended after 5 passes"),
        ({"finish_reason": FinishReason.MAX_TIME, "finish_message": "60 s are over"}, "doubtful", "60 s are over"),
        ({"fit_error": "too few photons"}, "doubtful", "There is no D: too few photons."),
        (
            {"error": Aborted("light off"), "finish_reason": FinishReason.ABORTED},
            "doubtful",
            "Data: run.h5; Resume, or `tplm resume run.h5`, measures the rest",
        ),
    ],
)
def test_the_end_of_a_scan_is_told_as_it_was(changes: dict[str, object], kind: str, said: str) -> None:
    outcome = ScanOutcome(Path("run.h5"), FinishReason.COMPLETED, None, None, 9, 9, 1.0, 1.0)
    found = words_of(replace(outcome, **changes))  # type: ignore[arg-type]
    assert found[0] == kind
    assert said in found[1]


@pytest.mark.parametrize(("between", "light"), [("on", Light.ON), ("off", Light.OUT)])
def test_the_light_is_told_as_it_is_before_and_between_points(between: str, light: Light) -> None:
    scan, rig = load_scan("scan_line.yaml", "rig_sim.yaml", [f"light.between_points={between}"])
    scene = Scene(scan, rig, Status(), Picture())
    seen = []
    for event in (
        StateChanged(RunState.PREPARING),
        Step("reference run of the detector", is_lit=False),
        Step("light on, looking at the sync", is_lit=True),
        StateChanged(RunState.RUNNING),
        StateChanged(RunState.PAUSED),
    ):
        scene.on_event(event)
        seen.append((scene.status().light, scene.status().doing))
    assert [lit for lit, _ in seen] == [Light.OUT, Light.OUT, Light.ON, Light.ON, light]
    assert [doing for _, doing in seen][1:4] == ["reference run of the detector", "light on, looking at the sync", ""]


def test_a_guard_that_waits_is_told_until_it_goes_on() -> None:
    scan, rig = load_scan("scan_line.yaml", "rig_sim.yaml", [])
    scene = Scene(scan, rig, Status(), Picture())
    heard = []
    for event in (
        StateChanged(RunState.RUNNING),
        GuardWaits("temperature is 270 K"),
        Notice("warning", "paused: says somebody who is no guard"),
        GuardGoesOn(60.0),
    ):
        scene.on_event(event)
        heard.append((scene.status().waiting, scene.status().light))
    waits = ("temperature is 270 K", Light.MOSTLY_DARK)
    assert heard == [("", Light.ON), waits, waits, ("", Light.ON)]

"""Steering from other threads: ending after a pass, and the light put out whatever the runner does."""

from __future__ import annotations

from typing import cast

from tplm_daq.acquire.events import FinishReason
from tplm_daq.acquire.passes import Done, Pass, PlannedPoint
from tplm_daq.acquire.runner import Runner
from tplm_daq.workflow.live import LiveResult
from tplm_daq.workflow.steering import Steering

POINT = PlannedPoint(0, 0, 0.0, 0.0, 1.0)


class ThreePasses:
    def __init__(self) -> None:
        self.n_left = 3

    @property
    def n_points(self) -> int:
        return 3

    def next_pass(self, result: object | None) -> Pass | Done:
        self.n_left -= 1
        return (POINT,) if self.n_left >= 0 else Done(FinishReason.MAX_TIME, "of itself")


class UnderWay:
    """A scan that remembers in which order it was steered."""

    latest: LiveResult | None = None

    def __init__(self) -> None:
        self.heard: list[str] = []

    @property
    def runner(self) -> Runner:
        return cast(Runner, self)

    def abort(self, message: str) -> None:
        self.heard.append(f"abort: {message}")

    def pause(self) -> None:
        self.heard.append("pause")

    def put_light_out(self) -> tuple[str, ...]:
        self.heard.append("light out")
        return ("the gate failed",)


def test_a_job_that_nobody_asks_to_end_ends_of_itself() -> None:
    planner = Steering().until_asked(ThreePasses())
    passes = [planner.next_pass(None) for _ in range(4)]
    assert passes[:3] == [(POINT,)] * 3
    assert passes[3] == Done(FinishReason.MAX_TIME, "of itself")
    assert planner.n_points == 3


def test_finish_pass_ends_the_job_as_complete_after_the_pass_under_way() -> None:
    steering = Steering()
    planner = steering.until_asked(ThreePasses())
    assert planner.next_pass(None) == (POINT,)
    steering.finish_pass()
    end = planner.next_pass(None)
    assert isinstance(end, Done)
    assert end.reason is FinishReason.COMPLETED
    assert "1 pass" in end.message


def test_asked_before_the_first_pass_one_pass_is_taken() -> None:
    steering = Steering()
    steering.finish_pass()
    planner = steering.until_asked(ThreePasses())
    assert planner.next_pass(None) == (POINT,)
    assert isinstance(planner.next_pass(None), Done)


def test_the_job_is_aborted_before_the_light_goes_out_so_that_it_stays_out() -> None:
    steering, scan = Steering(), UnderWay()
    steering.take_over(scan)
    assert steering.put_light_out() == ("the gate failed",)
    assert scan.heard == ["abort: light off", "light out"]


def test_without_a_scan_there_is_no_light_to_put_out() -> None:
    steering, scan = Steering(), UnderWay()
    assert steering.put_light_out() == ()
    assert steering.abort_message == "light off"
    steering.take_over(scan)
    steering.measured()
    assert steering.put_light_out() == ()
    assert "light out" not in scan.heard


def test_a_pause_between_two_scans_holds_the_next_one() -> None:
    steering, scan = Steering(), UnderWay()
    steering.pause()
    assert steering.is_held
    steering.take_over(scan)
    assert scan.heard == ["pause"]
    steering.take_over(after := UnderWay())
    assert after.heard == ["pause"]

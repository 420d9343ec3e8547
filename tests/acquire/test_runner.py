"""The runner's states, its effect at point boundaries, and a safe rig whatever happens."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.acquire.microscope import FakeMicroscope
from tplm_daq.acquire.events import Event, FinishReason, Notice, PointDone, RunFinished, RunState, StateChanged
from tplm_daq.acquire.passes import Done, FixedPasses, Itinerary, Pass, PlannedPoint
from tplm_daq.acquire.point import PointSettings
from tplm_daq.acquire.runner import Plan, Runner
from tplm_daq.errors import Aborted, DeviceError, DeviceTimeout, GuardStop, StoreError
from tplm_daq.readings import Histogram
from tplm_daq.recipes.rig import Guards
from tplm_daq.store.layout import PointFlags, PointRow

SETTINGS = PointSettings(
    2.5e6, 10.0, n_bins=50, settle_s=0.1, is_light_kept_on=True, temperature_k=None, guards=Guards()
)


class Sink:
    def __init__(self) -> None:
        self.rows: list[PointRow] = []
        self.fails_at: int | None = None

    def append(self, row: PointRow, counts: NDArray[np.uint32], words: NDArray[np.uint32] | None = None) -> None:
        if self.fails_at == len(self.rows):
            raise StoreError("the disk is full; points so far are safe")
        assert counts.shape == (50,)
        self.rows.append(row)


def plan(sink: Sink, n_passes: int = 2, settings: PointSettings = SETTINGS) -> Plan:
    positions_nm = np.column_stack([np.linspace(-100, 100, 5), np.zeros(5)])
    return Plan(FixedPasses(Itinerary(positions_nm), np.full(5, 0.5), n_passes), settings, sink)


def test_a_run_visits_every_point_of_every_pass_up_and_down() -> None:
    microscope, sink = FakeMicroscope(), Sink()
    runner = Runner(microscope)
    assert runner.run(lambda: plan(sink)) is FinishReason.COMPLETED
    assert [(row.pass_index, row.index) for row in sink.rows] == [
        *[(0, i) for i in range(5)],
        *[(1, i) for i in reversed(range(5))],
    ]
    assert runner.status.state is RunState.FINISHED
    assert runner.status.n_done == runner.status.n_points == 10
    assert microscope.log[-1] == "safe"


class Adaptive:
    """Two passes, the second only after an estimate of the first; then enough is known."""

    n_points = 2

    def __init__(self) -> None:
        self.heard: list[object] = []

    def next_pass(self, result: object | None) -> Pass | Done:
        self.heard.append(result)
        if len(self.heard) == 3:
            return Done(FinishReason.TARGET_REACHED, "D is known to 4.8 %")
        self.n_points = 3 * len(self.heard)
        return tuple(PlannedPoint(len(self.heard) - 1, i, 0.0, 0.0, 0.5) for i in range(3))


def test_the_planner_is_told_of_all_points_and_decides_how_the_run_ends() -> None:
    sink, planner, events = Sink(), Adaptive(), list[Event]()
    runner = Runner(FakeMicroscope(), lambda: len(sink.rows))
    runner.listen(events.append)
    assert runner.run(lambda: Plan(planner, SETTINGS, sink)) is FinishReason.TARGET_REACHED
    assert planner.heard == [0, 3, 6]
    assert [event.n_points for event in events if isinstance(event, PointDone)] == [3, 3, 3, 6, 6, 6]
    assert events[-1] == RunFinished(FinishReason.TARGET_REACHED, "D is known to 4.8 %")
    assert runner.status.finish_reason is FinishReason.TARGET_REACHED


def test_a_point_is_stored_before_anybody_hears_of_it() -> None:
    sink = Sink()
    runner = Runner(FakeMicroscope())
    n_stored_when_heard = []
    runner.listen(lambda event: n_stored_when_heard.append(len(sink.rows)) if isinstance(event, PointDone) else None)
    runner.run(lambda: plan(sink, n_passes=1))
    assert n_stored_when_heard == [1, 2, 3, 4, 5]


def test_states_follow_the_diagram() -> None:
    events: list[Event] = []
    runner = Runner(FakeMicroscope())
    runner.listen(events.append)
    runner.run(lambda: plan(Sink(), n_passes=1))
    states = [event.state for event in events if isinstance(event, StateChanged)]
    assert states == [RunState.PREPARING, RunState.RUNNING, RunState.FINISHING, RunState.FINISHED]
    assert events[-1] == RunFinished(FinishReason.COMPLETED, "all points taken")


def test_a_failing_listener_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    sink = Sink()
    runner = Runner(FakeMicroscope())

    def fail(event: Event) -> None:
        raise RuntimeError("a broken plot")

    runner.listen(fail)
    assert runner.run(lambda: plan(sink, n_passes=1)) is FinishReason.COMPLETED
    assert len(sink.rows) == 5
    assert "a listener failed" in caplog.text


def test_abort_keeps_what_is_measured_and_leaves_the_rig_safe() -> None:
    microscope, sink = FakeMicroscope(), Sink()
    runner = Runner(microscope)
    runner.listen(lambda event: runner.abort("enough") if isinstance(event, PointDone) and event.n_done == 3 else None)
    with pytest.raises(Aborted, match="enough"):
        runner.run(lambda: plan(sink))
    assert len(sink.rows) == 3
    assert runner.status.finish_reason is FinishReason.ABORTED
    assert microscope.log[-1] == "safe"


def test_abort_during_a_dwell_stops_the_counter_within_a_tenth_of_a_second() -> None:
    microscope, sink = FakeMicroscope(), Sink()
    runner = Runner(microscope)
    arm = microscope.counter.arm
    aborted_at: list[float] = []

    def arm_and_abort(dwell_s: float) -> None:
        arm(dwell_s)
        runner.abort("now")
        aborted_at.append(microscope.clock.now())

    microscope.counter.arm = arm_and_abort  # type: ignore[method-assign]
    with pytest.raises(Aborted, match="now"):
        runner.run(lambda: plan(sink))
    assert microscope.clock.now() - aborted_at[0] <= 0.1
    assert microscope.log[-2:] == ["counter stopped", "safe"]
    assert not sink.rows


def test_pause_holds_between_points_and_resume_goes_on() -> None:
    sink = Sink()
    runner = Runner(FakeMicroscope())
    is_paused = threading.Event()
    runner.listen(lambda event: runner.pause() if isinstance(event, PointDone) and event.n_done == 2 else None)
    runner.listen(lambda event: is_paused.set() if event == StateChanged(RunState.PAUSED) else None)
    thread = threading.Thread(target=runner.run, args=(lambda: plan(sink, n_passes=1),))
    thread.start()
    assert is_paused.wait(10)
    assert len(sink.rows) == 2
    assert runner.status.state is RunState.PAUSED
    runner.resume()
    thread.join(10)
    assert len(sink.rows) == 5


def test_a_paused_run_can_be_aborted() -> None:
    runner = Runner(FakeMicroscope())
    runner.pause()
    runner.listen(lambda event: runner.abort("over") if event == StateChanged(RunState.PAUSED) else None)
    with pytest.raises(Aborted, match="over"):
        runner.run(lambda: plan(Sink()))


@pytest.mark.parametrize("n_stored", [0, 4])
def test_a_full_disk_ends_the_run_with_the_rig_safe(n_stored: int) -> None:
    microscope, sink = FakeMicroscope(), Sink()
    sink.fails_at = n_stored
    runner = Runner(microscope)
    with pytest.raises(StoreError, match="disk is full"):
        runner.run(lambda: plan(sink))
    assert len(sink.rows) == n_stored
    assert runner.status.finish_reason is FinishReason.FAILED
    assert microscope.log[-1] == "safe"


def test_a_failing_preparation_leaves_the_rig_safe() -> None:
    microscope = FakeMicroscope()
    runner = Runner(microscope)

    def fail() -> Plan:
        raise GuardStop("no sync")

    with pytest.raises(GuardStop):
        runner.run(fail)
    assert microscope.log == ["safe"]
    assert runner.status.finish_reason is FinishReason.GUARD


def test_a_stuck_detector_is_named_with_where_it_is() -> None:
    microscope = FakeMicroscope()
    microscope.detector.is_stuck = True
    with pytest.raises(DeviceTimeout, match=r"detector at here: asked to move to x -100 nm.*not blocked"):
        Runner(microscope).run(lambda: plan(Sink()))


def test_a_counter_that_never_ends_is_a_time_out_not_a_hang() -> None:
    microscope = FakeMicroscope()
    microscope.counter.never_ends = True
    with pytest.raises(DeviceTimeout, match=r"a histogram of 0.5 s has not ended after 2.5 s"):
        Runner(microscope).run(lambda: plan(Sink()))
    assert microscope.log[-2:] == ["counter stopped", "safe"]
    assert microscope.counter.due_s is not None
    assert microscope.clock.now() == pytest.approx(microscope.counter.due_s - 0.5 + 2.5, abs=0.2)


def test_lost_sync_stops_the_run_before_the_next_point() -> None:
    microscope, sink = FakeMicroscope(), Sink()
    runner = Runner(microscope)

    def lose_sync(event: Event) -> None:
        if isinstance(event, PointDone):
            microscope.counter.sync_hz = 0.0

    runner.listen(lose_sync)
    with pytest.raises(GuardStop, match=r"no sync.*2.5 MHz"):
        runner.run(lambda: plan(sink))
    assert len(sink.rows) == 1


def test_detector_overload_during_a_dwell_stops_the_run() -> None:
    microscope, sink = FakeMicroscope(), Sink()
    arm = microscope.counter.arm

    def arm_under_room_light(dwell_s: float) -> None:
        arm(dwell_s)
        microscope.counter.input_cps = 9e6

    microscope.counter.arm = arm_under_room_light  # type: ignore[method-assign]
    with pytest.raises(GuardStop, match=r"detector overload: 9 Mcps, 5 Mcps is the limit"):
        Runner(microscope).run(lambda: plan(sink))
    assert microscope.log[-2:] == ["counter stopped", "safe"]


def test_an_overflowing_bin_is_flagged_and_reported() -> None:
    microscope, sink = FakeMicroscope(), Sink()
    microscope.counter.has_overflow = True
    notices: list[str] = []
    runner = Runner(microscope)
    runner.listen(lambda event: notices.append(event.text) if isinstance(event, Notice) else None)
    runner.run(lambda: plan(sink, n_passes=1))
    assert all(row.flags & PointFlags.OVERFLOW for row in sink.rows)
    assert "gave up" in notices[0]


def test_a_point_without_any_live_time_is_no_point() -> None:
    microscope, sink = FakeMicroscope(), Sink()
    nothing = Histogram(np.zeros(50, dtype=np.uint32), 0.0, True)
    microscope.counter.read_counts = lambda: nothing  # type: ignore[method-assign]
    with pytest.raises(DeviceError, match=r"counter at here: nothing was counted in 0.5 s. Lower the count rate"):
        Runner(microscope).run(lambda: plan(sink))
    assert not sink.rows


def test_light_may_be_kept_off_between_points() -> None:
    microscope = FakeMicroscope()
    settings = PointSettings(2.5e6, 10.0, 50, 0.1, is_light_kept_on=False, temperature_k=None, guards=Guards())
    Runner(microscope).run(lambda: plan(Sink(), n_passes=1, settings=settings))
    assert microscope.log[:8] == [
        "move",
        "light on",
        "armed",
        "counter stopped",
        "light off",
        "move",
        "read",
        "light on",
    ]


def test_failing_to_be_safe_is_not_hidden(tmp_path: Path) -> None:
    microscope = FakeMicroscope()

    def fail() -> None:
        raise StoreError("LIGHT MAY BE ON")

    microscope.on_safe = fail
    with pytest.raises(StoreError, match="LIGHT MAY BE ON"):
        Runner(microscope).run(lambda: plan(Sink(), n_passes=1))


def test_a_run_whose_watchdog_has_fired_ends_with_its_reason() -> None:
    microscope, sink = FakeMicroscope(), Sink()
    runner = Runner(microscope)
    fired = DeviceError("watchdog", "its own process", "put the light out", "Start again.")
    runner.listen(lambda event: setattr(microscope, "watchdog_fault", fired) if isinstance(event, PointDone) else None)
    with pytest.raises(DeviceError, match="put the light out"):
        runner.run(lambda: plan(sink))
    assert runner.status.finish_reason is FinishReason.FAILED
    assert len(sink.rows) == 1
    assert microscope.log[-1] == "safe"

"""The detector sets off for the next point while the last one is read out, and stays if the run is to be held."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acquire.microscope import FakeMicroscope
from tests.acquire.test_runner import Sink, plan
from tplm_daq.acquire.events import Event, Notice, PointDone
from tplm_daq.acquire.runner import Runner
from tplm_daq.errors import Aborted, DeviceTimeout


def test_a_histogram_is_read_while_the_detector_is_on_its_way_but_stored_before_the_next_is_begun() -> None:
    microscope, sink = FakeMicroscope(), Sink()
    store = sink.append

    def append(*point: Any) -> None:
        store(*point)
        microscope.log.append("stored")

    sink.append = append  # type: ignore[method-assign]
    Runner(microscope).run(lambda: plan(sink, n_passes=1))
    assert microscope.log[:-1] == [
        "move",
        *["armed", "counter stopped", "move", "read", "stored"] * 4,
        *["armed", "counter stopped", "read", "stored"],
    ]
    assert [row.x_readback_nm for row in sink.rows] == [row.x_nm for row in sink.rows], "read back before the move"
    assert [row.start_s for row in sink.rows[:2]] == pytest.approx([0.302, 0.302 + 0.5 + 0.302])


@pytest.mark.parametrize("wish", ["pause", "abort"])
def test_the_detector_stays_where_it_is_when_the_run_is_to_be_held(wish: str) -> None:
    microscope, sink = FakeMicroscope(), Sink()
    runner = Runner(microscope)
    stop = microscope.counter.stop

    def stop_and_wish() -> None:
        stop()
        runner.pause() if wish == "pause" else runner.abort("enough")

    def end(event: Event) -> None:
        if isinstance(event, PointDone):
            assert microscope.log.count("move") == 1
            runner.abort("enough")

    microscope.counter.stop = stop_and_wish  # type: ignore[method-assign]
    runner.listen(end)
    with pytest.raises(Aborted, match="enough"):
        runner.run(lambda: plan(sink))
    assert len(sink.rows) == 1, "what was counted is kept"


@pytest.mark.parametrize("n_failures", [1, 2])
def test_a_point_that_is_counted_is_stored_even_if_the_detector_cannot_set_off(n_failures: int) -> None:
    microscope, sink = FakeMicroscope(), Sink()
    runner, move_to, asked_nm = Runner(microscope), microscope.detector.move_to, []
    heard: list[Event] = []
    runner.listen(heard.append)

    def refuse(x_nm: float, y_nm: float) -> None:
        asked_nm.append(x_nm)
        if 1 < len(asked_nm) <= 1 + n_failures:
            assert len(sink.rows) == len(asked_nm) - 2
            raise DeviceTimeout("detector_x", "here", "no answer", "Check its cable")
        move_to(x_nm, y_nm)

    microscope.detector.move_to = refuse  # type: ignore[method-assign]
    if n_failures == 1:
        runner.run(lambda: plan(sink, n_passes=1))
        assert len(sink.rows) == 5
    else:
        with pytest.raises(DeviceTimeout, match="detector_x at here: no answer. Check its cable"):
            runner.run(lambda: plan(sink, n_passes=1))
        assert len(sink.rows) == 1
    warnings = [event.text for event in heard if isinstance(event, Notice)]
    assert len(warnings) == 1
    assert "could not set off for the next position" in warnings[0]

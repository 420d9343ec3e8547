"""Work beside the window: only the latest question is answered, and no thread stays."""

from __future__ import annotations

import threading

from pytestqt.qtbot import QtBot

from tests.gui.waiting import wait_for
from tplm_daq.errors import InputError
from tplm_daq.gui.background import LatestJob


def test_the_outcome_comes_to_the_thread_of_the_window(qtbot: QtBot) -> None:
    job = LatestJob("job")
    threads: list[str] = []
    job.done.connect(lambda _: threads.append(threading.current_thread().name))
    with qtbot.waitSignal(job.done) as done:
        job.start(lambda: threading.current_thread().name)
    assert done.args == ["job"]
    assert threads == ["MainThread"]
    wait_for(qtbot, lambda: not job.is_working)


def test_an_error_is_an_outcome(qtbot: QtBot) -> None:
    job = LatestJob("job")

    def fail() -> None:
        raise InputError("no")

    with qtbot.waitSignal(job.done) as done:
        job.start(fail)
    assert str(done.args[0]) == "no"
    with qtbot.waitSignal(job.done) as done:
        job.start(lambda: 2)
    assert done.args == [2]


def test_jobs_that_were_overtaken_are_not_run_and_their_outcomes_dropped(qtbot: QtBot) -> None:
    job, may_go, outcomes, ran = LatestJob("job"), threading.Event(), [], []
    job.done.connect(outcomes.append)

    def slow(number: int) -> int:
        may_go.wait(5.0)
        ran.append(number)
        return number

    job.start(lambda: slow(1))
    wait_for(qtbot, lambda: job.is_working and job._next is None)
    job.start(lambda: slow(2))
    job.start(lambda: slow(3))
    may_go.set()
    wait_for(qtbot, lambda: bool(outcomes))
    assert ran == [1, 3]
    assert outcomes == [3]


def test_an_outcome_for_a_widget_that_is_gone_does_no_harm(qtbot: QtBot) -> None:
    job, may_go = LatestJob("gone"), threading.Event()
    job.start(lambda: may_go.wait(5.0))
    thread = next(each for each in threading.enumerate() if each.name == "gone")
    job.deleteLater()
    qtbot.wait(1)
    may_go.set()
    thread.join(5.0)
    assert not thread.is_alive()

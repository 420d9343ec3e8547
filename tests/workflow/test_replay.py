"""What is left of planned passes when part of them has been measured."""

from __future__ import annotations

from collections import Counter

import numpy as np

from tplm_daq.acquire.passes import Done, FixedPasses, Itinerary, Pass
from tplm_daq.workflow.replay import Remaining, RunTime

PLACES_NM = np.column_stack([np.arange(4) * 100.0, np.zeros(4)])


def rest(remaining: Remaining) -> list[tuple[int, int]]:
    """Return pass and index of everything that is still to be measured."""
    found: list[tuple[int, int]] = []
    while not isinstance(points := remaining.next_pass(None), Done):
        found += [(point.pass_index, point.index) for point in points]
    return found


def planner(n_passes: int = 2, references: tuple[int, ...] = ()) -> FixedPasses:
    every = 2 if references else None
    return FixedPasses(Itinerary(PLACES_NM, references=references, reference_every=every), np.ones(4), n_passes)


def test_a_pass_goes_on_where_it_stopped() -> None:
    remaining = Remaining(planner())
    remaining.repeat(None, Counter([0, 1]))
    assert rest(remaining) == [(0, 2), (0, 3), (1, 3), (1, 2), (1, 1), (1, 0)]
    assert remaining.n_points == 8


def test_a_pass_that_is_complete_is_not_begun_again() -> None:
    remaining = Remaining(planner())
    remaining.repeat(None, Counter([0, 1, 2, 3]))
    remaining.repeat(None, Counter([3]))
    assert rest(remaining) == [(1, 2), (1, 1), (1, 0)]


def test_points_lost_from_an_earlier_pass_come_first() -> None:
    remaining = Remaining(planner())
    remaining.repeat(None, Counter([0, 1, 3]))
    remaining.repeat(None, Counter([3, 2, 1, 0]))
    assert rest(remaining) == [(0, 2)]


def test_references_are_visited_as_often_as_planned() -> None:
    remaining = Remaining(planner(1, references=(1,)))
    remaining.repeat(None, Counter([0, 1, 1]))
    assert rest(remaining) == [(0, 2), (0, 3), (0, 1)]


def test_more_than_was_planned_is_no_reason_for_more() -> None:
    remaining = Remaining(planner(1))
    remaining.repeat(None, Counter([0, 0, 1, 2, 3, 3]))
    remaining.repeat(None, Counter([5]))
    assert rest(remaining) == []


def test_a_planner_is_told_what_was_known_then() -> None:
    class Curious:
        n_points = 0

        def __init__(self) -> None:
            self.told: list[object | None] = []

        def next_pass(self, result: object | None) -> Pass | Done:
            self.told.append(result)
            return ()

    curious = Curious()
    remaining = Remaining(curious)
    remaining.repeat(None, Counter())
    remaining.repeat("estimate", Counter([1]))
    remaining.next_pass("now")
    assert curious.told == [None, "estimate", "now"]


class Clock:
    now_s = 5000.0

    def now(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def attending(self) -> object:
        raise AssertionError("not needed")


def test_interruptions_do_not_count_as_time_of_the_run() -> None:
    clock = Clock()
    time = RunTime(clock)  # type: ignore[arg-type]
    assert time.now() == 5000.0
    time.stop_at(12.0)
    clock.sleep(3600.0)
    assert time.now() == 12.0
    time.go_on()
    clock.sleep(2.5)
    assert time.now() == 14.5

"""The discrete-event clock: time waits for whoever attends, and meets the same instants at any speed."""

from __future__ import annotations

import threading
import time

import pytest

from simulators.clock import SimClock


def test_a_lone_sleeper_moves_time_at_once() -> None:
    clock = SimClock()
    began = time.monotonic()
    clock.sleep(3600.0)
    assert clock.now() == 3600.0
    assert time.monotonic() - began < 5.0


def test_sleeps_add_up_exactly() -> None:
    clock = SimClock()
    for _ in range(10_000):
        clock.sleep(0.1)
    assert clock.now_ns() == 1_000_000_000_000


def test_negative_and_zero_sleeps_return_at_once() -> None:
    clock = SimClock()
    clock.sleep(0.0)
    clock.sleep(-1.0)
    assert clock.now_ns() == 0


def test_speed_must_be_positive() -> None:
    with pytest.raises(ValueError, match="not positive"):
        SimClock(0.0)


def test_time_waits_for_everybody_who_attends() -> None:
    clock = SimClock()
    seen: list[float] = []
    both_ready = threading.Barrier(2)

    def attend(pauses: list[float]) -> None:
        with clock.attending():
            both_ready.wait()
            for pause in pauses:
                clock.sleep(pause)
                seen.append(clock.now())

    threads = [threading.Thread(target=attend, args=([1.0, 1.0, 1.0],)), threading.Thread(target=attend, args=([2.5],))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == seen == [1.0, 2.0, 2.5, 3.0]


def test_an_onlooker_neither_holds_time_up_nor_pushes_it_on() -> None:
    clock = SimClock()
    instants = []
    is_over = threading.Event()

    def look() -> None:
        while not is_over.is_set():
            clock.sleep(0.013)

    onlooker = threading.Thread(target=look)
    with clock.attending():
        onlooker.start()
        for _ in range(100):
            clock.sleep(0.1)
            instants.append(clock.now_ns())
        is_over.set()
    onlooker.join()
    assert instants == [100_000_000 * (i + 1) for i in range(100)]


def test_a_finite_speed_is_paced_against_the_wall() -> None:
    clock = SimClock(speed=100.0)
    began = time.monotonic()
    for _ in range(20):
        clock.sleep(1.0)
    elapsed = time.monotonic() - began
    assert clock.now() == 20.0
    assert elapsed > 0.19


def test_time_goes_on_without_a_thread_that_stands_aside() -> None:
    clock = SimClock()
    has_slept = threading.Event()

    def sleep_and_tell() -> None:
        clock.sleep(1.0)
        has_slept.set()

    with clock.attending():
        sleeper = threading.Thread(target=sleep_and_tell)
        sleeper.start()
        assert not has_slept.wait(0.05)
        with clock.standing_aside():
            assert has_slept.wait(5.0)
        sleeper.join()
        assert clock.now() == 1.0

"""Waiting keeps to the clock, can be interrupted, and never waits longer than it was told to."""

from __future__ import annotations

import pytest

from simulators.clock import SimClock
from tplm_daq.acquire.waiting import SLICE_S, wait, wait_until
from tplm_daq.errors import Aborted


def nothing() -> None:
    pass


def test_wait_takes_as_long_as_asked() -> None:
    clock = SimClock()
    wait(clock, 2.345, nothing)
    assert clock.now() == pytest.approx(2.345, abs=1e-9)


def test_wait_looks_up_at_least_every_slice() -> None:
    clock = SimClock()
    seen: list[float] = []
    wait(clock, 1.0, lambda: seen.append(clock.now()))
    assert max(b - a for a, b in zip(seen, seen[1:], strict=False)) <= SLICE_S + 1e-9


def test_wait_ends_when_the_checkpoint_raises() -> None:
    clock = SimClock()

    def checkpoint() -> None:
        if clock.now() > 0.5:
            raise Aborted("enough")

    with pytest.raises(Aborted):
        wait(clock, 3600.0, checkpoint)
    assert clock.now() < 0.7


def test_wait_until_returns_as_soon_as_the_condition_holds() -> None:
    clock = SimClock()
    assert wait_until(clock, lambda: clock.now() >= 1.0, timeout_s=5.0, poll_s=0.02, checkpoint=nothing)
    assert clock.now() == pytest.approx(1.0, abs=0.021)


def test_wait_until_gives_up_at_the_timeout() -> None:
    clock = SimClock()
    assert not wait_until(clock, lambda: False, timeout_s=2.0, poll_s=0.05, checkpoint=nothing)
    assert clock.now() == pytest.approx(2.0, abs=0.051)

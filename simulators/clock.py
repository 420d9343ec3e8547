"""The discrete-event clock of the simulated rig.

Simulated time stands still while any *attending* thread works and moves on only when every one of
them sleeps, then straight to the earliest wake-up. `speed` merely paces this against the wall clock,
so a scan meets the same simulated instants at 50 times real speed, at 400 and at full speed, and
gives the same file. Threads that do not attend (a panel that polls, a live fit) see time pass but
never hold it up or push it on; only when nobody attends do their own sleeps move it.

A message sent to a double just before a sleep may still be on its way when time is about to move. Whoever serves
doubles therefore hands in a `settle` callable, which returns when everything sent so far has been obeyed.

Time is whole nanoseconds inside, so that adding waits up is exact.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class SimClock:
    """Simulated time, advanced by its sleepers.

    Parameters
    ----------
    speed : float
        Simulated seconds per wall-clock second; ``inf`` does not wait at all.
    start_ns : int
        Simulated time at the beginning, in ns.

    Raises
    ------
    ValueError
        `speed` is not positive.
    """

    def __init__(self, speed: float = float("inf"), start_ns: int = 0) -> None:
        if not speed > 0:
            raise ValueError(f"clock speed: {speed} is not positive; give a factor such as 50, or inf")
        self.speed = speed
        self._now_ns = start_ns
        self._condition = threading.Condition()
        self._attending: dict[int, int] = {}
        self._sleepers: dict[object, tuple[int, int]] = {}
        self._is_pacing = False
        self._settlers: list[Callable[[], None]] = []
        self._wall_anchor_s = time.monotonic()

    def now(self) -> float:
        """Return the simulated time in s."""
        return self._now_ns * 1e-9

    def now_ns(self) -> int:
        """Return the simulated time in ns."""
        return self._now_ns

    def before_each_step(self, settle: Callable[[], None]) -> None:
        """Call `settle` whenever time is about to move; it must not sleep on this clock."""
        self._settlers.append(settle)

    @contextmanager
    def attending(self) -> Iterator[None]:
        """Let simulated time wait for this thread while the block runs (may be nested)."""
        me = threading.get_ident()
        with self._condition:
            self._attending[me] = self._attending.get(me, 0) + 1
        try:
            yield
        finally:
            with self._condition:
                self._attending[me] -= 1
                if not self._attending[me]:
                    del self._attending[me]
                self._condition.notify_all()

    @contextmanager
    def standing_aside(self) -> Iterator[None]:
        """Let simulated time go on without this thread while it waits for another one."""
        me = threading.get_ident()
        with self._condition:
            n_nested = self._attending.pop(me, 0)
            self._condition.notify_all()
        try:
            yield
        finally:
            with self._condition:
                if n_nested:
                    self._attending[me] = n_nested

    def sleep(self, seconds: float) -> None:
        """Sleep for `seconds` of simulated time; zero or less returns at once."""
        duration_ns = round(seconds * 1e9)
        if duration_ns <= 0:
            return
        token = object()
        with self._condition:
            wake_ns = self._now_ns + duration_ns
            self._sleepers[token] = (threading.get_ident(), wake_ns)
            try:
                while self._now_ns < wake_ns:
                    if not self._try_to_advance():
                        self._condition.wait()
            finally:
                del self._sleepers[token]
                self._condition.notify_all()

    def _try_to_advance(self) -> bool:
        """Move time to the earliest wake-up if everybody who counts sleeps; the lock is held."""
        asleep = {thread for thread, _ in self._sleepers.values()}
        if self._is_pacing or not asleep.issuperset(self._attending):
            return False
        deciding = [
            wake for thread, wake in self._sleepers.values() if not self._attending or thread in self._attending
        ]
        target_ns = min(deciding)
        if target_ns <= self._now_ns:
            return False  # that sleeper is due and has yet to wake up
        for settle in self._settlers:
            settle()
        self._is_pacing = True
        try:
            self._pace((target_ns - self._now_ns) * 1e-9)
        finally:
            self._is_pacing = False
        self._now_ns = target_ns
        self._condition.notify_all()
        return True

    def _pace(self, step_s: float) -> None:
        """Wait on the wall clock for a simulated step, with the lock released; lost time is not caught up."""
        if self.speed == float("inf"):
            return
        due_s = max(self._wall_anchor_s + step_s / self.speed, time.monotonic() - 0.05)
        remaining_s = due_s - time.monotonic()
        if remaining_s > 0:
            self._condition.release()
            try:
                time.sleep(remaining_s)
            finally:
                self._condition.acquire()
        self._wall_anchor_s = due_s

"""Real time for a bench that foreign programs use: nobody waits for anybody, time passes by itself.

Time stands still for as long as somebody holds the bench's lock. So everything that happens in
one exchange happens at one instant, as with the discrete-event clock, and what catches up with the present gets there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType


class RealTime:
    """Clock and lock of a bench in one.

    It is the lock: ``with real_time:`` takes it (re-entrant) and stops the clock inside.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._n_holds = 0
        self._zero_ns = time.monotonic_ns()
        self._still_ns = 0

    def __enter__(self) -> RealTime:
        """Take the lock; the time of the outermost block is that of its beginning."""
        self._lock.acquire()
        if not self._n_holds:
            self._still_ns = time.monotonic_ns() - self._zero_ns
        self._n_holds += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the lock."""
        self._n_holds -= 1
        self._lock.release()

    def now_ns(self) -> int:
        """Return the time in ns since the clock was made."""
        return self._still_ns if self._n_holds else time.monotonic_ns() - self._zero_ns

    def before_each_step(self, settle: Callable[[], None]) -> None:
        """Do nothing: real time waits for no message that is on its way."""

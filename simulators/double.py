"""What every byte-stream double is: one box, simulated at its wire, with time as an argument.

A double never looks at a clock, opens no socket and starts no thread. `server.py` tells it how much
simulated time has passed (`process`), cuts the incoming bytes into frames (`split`), hands them over
(`answer`) and sends what comes back, so the same double serves a scan, a test and a foreign program.
Time is kept in whole nanoseconds: any split of a wait into parts leaves the double in the same state.
"""

from __future__ import annotations

from collections.abc import Callable


def _nothing() -> None:
    """Stand in for a hook that nobody has set."""


class Double:
    """Base of the byte-stream doubles.

    Attributes
    ----------
    time_ns : int
        Simulated time in ns since the double was switched on.
    before_change : callable
        Called by the double *before* a command changes what reaches the detector (an output switched,
        a move begun or stopped, a level changed). The bench lets the photons up to this moment be
        counted under the old conditions. Not called for queries.
    """

    def __init__(self) -> None:
        self.time_ns = 0
        self.before_change: Callable[[], None] = _nothing
        self._buffer = bytearray()

    def process(self, dt_s: float) -> None:
        """Let `dt_s` seconds of simulated time pass."""
        self.time_ns += round(dt_s * 1e9)

    def split(self, buffer: bytearray) -> list[bytes]:
        """Take the complete frames out of `buffer` and leave an unfinished rest in it."""
        raise NotImplementedError

    def answer(self, frame: bytes) -> bytes:
        """Obey one frame and return the bytes of the reply, empty if the box would stay silent."""
        raise NotImplementedError

    def spontaneous(self) -> bytes:
        """Return, once, what the box has sent on its own since the last call."""
        return b""

    def exchange(self, data: bytes) -> bytes:
        """Feed bytes as one client would and return all that comes back (for tests without a socket)."""
        self._buffer += data
        reply = self.spontaneous()
        for frame in self.split(self._buffer):
            reply += self.answer(frame)
        return reply + self.spontaneous()

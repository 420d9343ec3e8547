"""What the counter's double must know of the world around it; the bench provides it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from simulators.emission import Emission


class World(Protocol):
    """Time, laser and light, as the counter's two cables bring them."""

    @property
    def lock(self) -> AbstractContextManager[object]:
        """One re-entrant lock for everything on the bench."""

    def now_ns(self) -> int:
        """Return the simulated time in ns."""

    def sync_rate_hz(self) -> float:
        """Return the rate of triggers at the sync input at present; 0 if there are none."""

    def emission(self, time_ns: int) -> Emission:
        """Return what reaches the detector from `time_ns` on under the present conditions, and until when.

        It must be a function of `time_ns` and the conditions alone, hold for at least 1 ns, and have a positive period
        also while there are no triggers.
        """

"""Reference positions as a witness: how bright they are now, compared with the beginning of the run.

Their rates are added up, those on both flanks of the spot included, so that a small lateral drift does not look like
a change of the light.
"""

from __future__ import annotations

import math
from collections.abc import Collection

from tplm_daq.acquire import guards
from tplm_daq.acquire.events import Event, PointDone
from tplm_daq.acquire.guards import Verdict
from tplm_daq.recipes.rig import Guards


class ReferenceRates:
    """Compares the latest visit of every reference position with its first.

    Parameters
    ----------
    indices : collection of int
        Positions that are visited again and again; none if the recipe has none.
    limits : Guards
        Thresholds, and what follows.
    """

    def __init__(self, indices: Collection[int], limits: Guards) -> None:
        self._indices = frozenset(indices)
        self._limits = limits
        self._first: dict[int, tuple[int, float]] = {}
        self._latest: dict[int, tuple[int, float]] = {}

    def on_event(self, event: Event) -> None:
        """Take note of a visit (a listener of the runner)."""
        if isinstance(event, PointDone) and event.row.index in self._indices:
            visit = int(event.counts.sum()), event.row.live_s
            known = self._latest if event.row.index in self._first else self._first
            known[event.row.index] = visit

    def begin_anew(self) -> None:
        """Forget the latest visits, which ended a run that is resumed now, but not the first ones."""
        self._latest.clear()

    def judge(self) -> Verdict:
        """Judge the latest visits; ok until every reference has been visited again."""
        if not self._indices or len(self._latest) < len(self._indices):
            return guards.OK
        expected = variance = 0.0
        for index, (n_then, then_s) in self._first.items():
            scale = self._latest[index][1] / then_s
            expected += n_then * scale
            variance += n_then * scale**2
        n_now = sum(n for n, _ in self._latest.values())
        if not expected:
            return guards.OK
        ratio = n_now / expected
        return guards.judge_reference(ratio, math.sqrt(max(n_now, 1) + ratio**2 * variance) / expected, self._limits)

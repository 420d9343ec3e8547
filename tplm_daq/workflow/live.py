"""The live fit: sums points as they come and fits the latest sum in a thread of its own.

The runner never waits for it: points are added at once, and the thread fits whatever is there when it
is free, so that results skip points rather than queue up.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace

import numpy as np

from tplm_daq.acquire.events import Event, PointDone
from tplm_daq.analysis.pipeline import Result, analyse
from tplm_daq.errors import FitError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.recipes.analysis import AnalysisRecipe

PAUSE_S = 0.1
"""Least rest between two fits (wall clock): faster than anybody can read."""
REST_PER_FIT = 4.0
"""Rest relative to how long the last fit took, so that a slow one (a raster's) does not slow a fast simulation down."""


@dataclass(frozen=True)
class LiveResult:
    """The latest fit, and after how many points it was made; `reason` says why there is none yet."""

    result: Result | None
    n_points: int
    reason: str = ""


class LiveAnalysis:
    """Fits the running sum after every point, or as often as it can.

    Parameters
    ----------
    empty : TimePositionMap
        The map before the first point: positions, delays and conditions; counts and dwell are ignored.
    recipe : AnalysisRecipe
        How to fit.
    """

    def __init__(self, empty: TimePositionMap, recipe: AnalysisRecipe) -> None:
        n_position = len(empty.x_nm)
        self._empty = empty
        self._recipe = recipe
        self._counts = np.zeros((n_position, len(empty.delay_ns)), dtype=np.int64)
        self._dwell_s = np.zeros(n_position)
        self._moment_nm = np.zeros((n_position, 2))
        self._n_points = 0
        self._latest = LiveResult(None, 0, "no points yet")
        self._changed = threading.Condition()
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._fit_what_is_there, name="live-analysis", daemon=True)
        self._thread.start()

    @property
    def latest(self) -> LiveResult:
        """The latest fit."""
        return self._latest

    def on_event(self, event: Event) -> None:
        """Add a point to the sum and wake the fit (a listener of the runner)."""
        if not isinstance(event, PointDone):
            return
        row = event.row
        with self._changed:
            self._counts[row.index] += event.counts
            self._dwell_s[row.index] += row.live_s
            place_nm = np.array([row.x_readback_nm - row.x_shift_nm, row.y_readback_nm - row.y_shift_nm])
            self._moment_nm[row.index] += place_nm * row.live_s
            self._n_points = event.n_done
            self._changed.notify()

    def measured(self) -> TimePositionMap | None:
        """Return the sum of all points so far, None before the first."""
        with self._changed:
            return self._snapshot() if self._n_points else None

    def close(self) -> None:
        """End the thread; a fit under way is finished first."""
        with self._changed:
            self._is_closed.set()
            self._changed.notify()
        self._thread.join()

    def _fit_what_is_there(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed.is_set() or self._n_points > self._latest.n_points)
                if self._is_closed.is_set():
                    return
                n_points, data = self._n_points, self._snapshot()
            began_s = time.monotonic()
            try:
                self._latest = LiveResult(analyse(data, self._recipe), n_points)
            except FitError as error:
                self._latest = LiveResult(None, n_points, str(error))
            self._is_closed.wait(max(PAUSE_S, REST_PER_FIT * (time.monotonic() - began_s)))

    def _snapshot(self) -> TimePositionMap:
        """Copy the positions visited so far; the lock is held."""
        visited = self._dwell_s > 0
        dwell_s = self._dwell_s[visited]
        x_nm, y_nm = (self._moment_nm[visited] / dwell_s[:, None]).T
        return replace(self._empty, counts=self._counts[visited], x_nm=x_nm, y_nm=y_nm, dwell_s=dwell_s)

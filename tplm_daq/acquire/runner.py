"""The runner: a small state machine that takes points one after another and leaves the rig safe.

::

    IDLE -> PREPARING -> RUNNING <-> PAUSED
                 |          |          |
                 +----------+----------+--> FINISHING -> FINISHED

One thread calls `run` and owns the devices until it returns. `pause`, `resume` and `abort` may be called from
any thread; pause takes effect between two points, abort within a tenth of a second.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tplm_daq.acquire.events import (
    Event,
    FinishReason,
    Listener,
    Notice,
    PointDone,
    RunFinished,
    RunState,
    StateChanged,
)
from tplm_daq.acquire.moving import Move, begin_move
from tplm_daq.acquire.passes import Done, Pass, PassPlanner, PlannedPoint
from tplm_daq.acquire.point import PointSettings, acquire_point
from tplm_daq.errors import Aborted, GuardStop
from tplm_daq.roles import Microscope
from tplm_daq.store.layout import PointRow

logger = logging.getLogger(__name__)


class PointSink(Protocol):
    """Where points go before anybody hears of them."""

    def append(self, row: PointRow, counts: NDArray[np.uint32], words: NDArray[np.uint32] | None = None) -> None:
        """Store a point, with its records if they are kept; when it returns the point survives a power cut."""


@dataclass(frozen=True)
class Plan:
    """What a prepared run consists of."""

    planner: PassPlanner
    settings: PointSettings
    sink: PointSink
    n_done: int = 0
    """Points that an earlier part of a resumed run has taken."""


@dataclass(frozen=True)
class RunnerStatus:
    """One consistent view of a run."""

    state: RunState
    n_done: int
    n_points: int
    finish_reason: FinishReason | None
    finish_message: str = ""


class Runner:
    """Runs one acquisition on an opened microscope.

    Parameters
    ----------
    microscope : Microscope
        The opened rig; the runner leaves it in its safe state.
    result : callable
        Returns the estimate from all points taken so far, or None; handed to the planner before each pass.
    """

    def __init__(self, microscope: Microscope, result: Callable[[], object | None] = lambda: None) -> None:
        self._microscope = microscope
        self._result = result
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()
        self._status = RunnerStatus(RunState.IDLE, 0, 0, None)
        self._may_go = threading.Event()
        self._may_go.set()
        self._abort_message: str | None = None

    @property
    def status(self) -> RunnerStatus:
        """Where the run is."""
        with self._lock:
            return self._status

    def listen(self, listener: Listener) -> None:
        """Send every event to `listener`, in the runner's thread."""
        self._listeners.append(listener)

    def pause(self) -> None:
        """Hold the run before its next point."""
        self._may_go.clear()

    def resume(self) -> None:
        """Go on after a pause."""
        self._may_go.set()

    def abort(self, message: str) -> None:
        """End the run as soon as possible; what is measured is kept."""
        self._abort_message = message

    def checkpoint(self) -> None:
        """Raise if the run is to end, by its operator or its watchdog; called wherever the acquisition waits."""
        if self._abort_message is not None:
            raise Aborted(self._abort_message)
        self._microscope.check_watchdog()

    def tell(self, event: Event) -> None:
        """Tell every listener that something happened."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:  # a listener that fails must never harm the run
                logger.exception("a listener failed on %s", type(event).__name__)

    def warn(self, text: str) -> None:
        """Tell every listener something that the operator should know."""
        self.tell(Notice("warning", text))

    def inform(self, text: str) -> None:
        """Tell every listener something that is good to know."""
        self.tell(Notice("info", text))

    def run(self, prepare: Callable[[], Plan]) -> FinishReason:
        """Prepare, take all points and make the rig safe.

        Parameters
        ----------
        prepare : callable
            Brings the rig to readiness and returns the plan; runs inside the safe state's protection.

        Returns
        -------
        FinishReason
            Why the run ended, if it ended by itself.

        Raises
        ------
        TplmError
            Why it ended otherwise; `status` tells the reason, the rig is safe, and points taken so far are stored.
        """
        reason, message = FinishReason.FAILED, "unknown"
        try:
            with self._microscope.clock.attending():
                self._enter(RunState.PREPARING)
                plan = prepare()
                done = self._take_points(plan)
                reason, message = done.reason, done.message
        except Aborted as error:
            reason, message = FinishReason.ABORTED, str(error)
            raise
        except GuardStop as error:
            reason, message = FinishReason.GUARD, str(error)
            raise
        except BaseException as error:  # recorded here whatever it is, and raised again
            reason, message = FinishReason.FAILED, str(error)
            raise
        finally:
            self._finish(reason, message)
        return reason

    def _take_points(self, plan: Plan) -> Done:
        with self._lock:
            self._status = replace(self._status, n_done=plan.n_done)
        self._enter(RunState.RUNNING, n_points=plan.planner.n_points)
        while not isinstance(points := plan.planner.next_pass(self._result()), Done):
            self._expect(plan.planner.n_points)
            self._take_pass(points, plan)
        return points

    def _take_pass(self, points: Pass, plan: Plan) -> None:
        onward: Move | None = None
        for planned, following in zip(points, (*points[1:], None), strict=True):
            self._wait_while_paused()
            move = begin_move(self._microscope, planned) if onward is None else onward
            ahead = partial(self._unless_held, following)
            point = acquire_point(self._microscope, move, plan.settings, self.checkpoint, self.tell, ahead)
            onward = point.onward
            plan.sink.append(point.row, point.counts, point.words)
            self._count_point(point.row, point.counts)

    def _unless_held(self, following: PlannedPoint | None) -> PlannedPoint | None:
        """Return the following point, or None if the run is to be held before it, or to end."""
        return following if self._may_go.is_set() and self._abort_message is None else None

    def _expect(self, n_points: int) -> None:
        with self._lock:
            self._status = replace(self._status, n_points=n_points)

    def _wait_while_paused(self) -> None:
        self.checkpoint()
        if self._may_go.is_set():
            return
        self._enter(RunState.PAUSED)
        while not self._may_go.wait(0.1):
            self.checkpoint()
        self._enter(RunState.RUNNING)

    def _count_point(self, row: PointRow, counts: NDArray[np.uint32]) -> None:
        with self._lock:
            status = RunnerStatus(self._status.state, self._status.n_done + 1, self._status.n_points, None)
            self._status = status
        self.tell(PointDone(row, counts, status.n_done, status.n_points))

    def _enter(self, state: RunState, n_points: int | None = None) -> None:
        with self._lock:
            total = self._status.n_points if n_points is None else n_points
            self._status = RunnerStatus(state, self._status.n_done, total, None)
        self.tell(StateChanged(state))

    def _finish(self, reason: FinishReason, message: str) -> None:
        self._enter(RunState.FINISHING)
        try:
            self._microscope.make_safe()
        finally:
            with self._lock:
                self._status = replace(
                    self._status, state=RunState.FINISHED, finish_reason=reason, finish_message=message
                )
            self.tell(StateChanged(RunState.FINISHED))
            self.tell(RunFinished(reason, message))

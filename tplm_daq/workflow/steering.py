"""Steering: what other threads may do to a job while it works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tplm_daq.acquire.events import FinishReason, Listener
from tplm_daq.acquire.passes import Done, Pass, PassPlanner
from tplm_daq.acquire.runner import Runner
from tplm_daq.errors import Aborted
from tplm_daq.workflow.live import LiveResult


class Steered(Protocol):
    """What is under way: its runner and its latest live fit."""

    @property
    def runner(self) -> Runner:
        """Takes the points."""

    @property
    def latest(self) -> LiveResult | None:
        """The latest live fit."""

    def put_light_out(self) -> tuple[str, ...]:
        """Put the light out over connections of its own."""


class Steering:
    """A job that may be watched, held and ended from other threads; scans, series and resumed runs are such jobs.

    Attributes
    ----------
    listeners : list of callable
        Receive the events of every runner of the job in its thread.
    on_abort : list of callable
        Called when somebody wants the job to end, for what waits elsewhere, such as a question to the operator.
    """

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self.on_abort: list[Callable[[], None]] = []
        self._under_way: Steered | None = None
        self._abort_message: str | None = None
        self._is_in_a_hurry = False
        self._is_measured = False
        self._is_last_pass = False
        self._is_held = False

    @property
    def is_last_pass(self) -> bool:
        """Whether somebody wants the scan under way to end after its pass."""
        return self._is_last_pass

    @property
    def is_held(self) -> bool:
        """Whether somebody wants the job to be held before its next point."""
        return self._is_held

    @property
    def latest(self) -> LiveResult | None:
        """The latest live fit, None before the first point."""
        return None if self._under_way is None else self._under_way.latest

    @property
    def is_in_a_hurry(self) -> bool:
        """Whether everything but the safe state is to be skipped."""
        return self._is_in_a_hurry

    @property
    def abort_message(self) -> str | None:
        """Why the job is to end, None while nobody wants that."""
        return self._abort_message

    @property
    def has_light(self) -> bool:
        """Whether a rig is open through which the light can be put out."""
        return self._under_way is not None and not self._is_measured

    def abort(self, message: str) -> None:
        """End the job as soon as possible, whatever it is doing; what is measured is kept."""
        self._abort_message = message
        if self._under_way is not None:
            self._under_way.runner.abort(message)
        for stop_waiting in self.on_abort:
            stop_waiting()
        if self._is_measured:
            self.hurry()

    def hurry(self) -> None:
        """Skip everything but the safe state: last settings, analysis, report."""
        self._is_in_a_hurry = True

    def put_light_out(self) -> tuple[str, ...]:
        """Abort, and put the light out at once, whatever the runner hangs on; from any thread.

        Returns
        -------
        tuple of str
            Paths to the light that failed although it is out.

        Raises
        ------
        LightMayBeOnError
            No path confirmed that it is out.
        """
        self.abort("light off")
        under_way = self._under_way
        return () if under_way is None or self._is_measured else under_way.put_light_out()

    def finish_pass(self) -> None:
        """End the scan after the pass under way, as complete; a series goes on with its next condition."""
        self._is_last_pass = True

    def next_scan(self) -> None:
        """Take note that another scan of the job begins, which has all its passes."""
        self._is_last_pass = False

    def pause(self) -> None:
        """Hold the job before its next point, be it that of a scan that has not begun yet."""
        self._is_held = True
        if self._under_way is not None:
            self._under_way.runner.pause()

    def resume(self) -> None:
        """Go on after a pause."""
        self._is_held = False
        if self._under_way is not None:
            self._under_way.runner.resume()

    def take_over(self, under_way: Steered) -> None:
        """Steer this from now on; an abort that came before reaches it."""
        self._under_way = under_way
        self._is_measured = False
        if self._is_held:
            under_way.runner.pause()
        if self._abort_message is not None:
            under_way.runner.abort(self._abort_message)

    def until_asked(self, planner: PassPlanner) -> PassPlanner:
        """Return a planner like this one that has no further pass once `finish_pass` was called."""
        return _UntilAsked(planner, lambda: self._is_last_pass)

    def measured(self) -> None:
        """Take note that the rig is safe and only the analysis is left, which an abort skips."""
        self._is_measured = True

    def checkpoint(self) -> None:
        """Raise Aborted if somebody wants the job to end while the rig is being opened."""
        self.require_wanted("while the rig was being opened")

    def require_wanted(self, when: str) -> None:
        """Raise Aborted, saying when, if somebody wants the job to end."""
        if self._abort_message is not None:
            raise Aborted(f"{self._abort_message}, {when}")


class _UntilAsked:
    """A planner that ends after the pass during which somebody asked for it."""

    def __init__(self, planner: PassPlanner, is_over: Callable[[], bool]) -> None:
        self._planner = planner
        self._is_over = is_over
        self._n_passes = 0

    @property
    def n_points(self) -> int:
        """Points of the whole scan, as far as is known by now."""
        return self._planner.n_points

    def next_pass(self, result: object | None) -> Pass | Done:
        """Return the next pass, or why there is none."""
        if self._n_passes and self._is_over():
            return Done(FinishReason.COMPLETED, f"ended after {self._n_passes} passes, as the operator asked")
        self._n_passes += 1
        return self._planner.next_pass(result)

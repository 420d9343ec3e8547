"""Where a scan is: what the words and bars of the window say."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum

from tplm_daq.acquire.events import RunState
from tplm_daq.gui.endings import Kind
from tplm_daq.store.layout import PointRow


class Light(Enum):
    """What is known of the light; mostly dark while a guard waits, which looks with the light on now and then."""

    UNKNOWN = "not connected"
    ON = "light on"
    MOSTLY_DARK = "mostly dark"
    OUT = "light out"
    MAY_BE_ON = "LIGHT MAY BE ON"


@dataclass(frozen=True)
class Status:
    """Where a scan is: for the words and bars of the window.

    Attributes
    ----------
    state : RunState
        Of the runner; idle if there is no scan.
    is_busy : bool
        Whether a scan is under way, its analysis included.
    n_done, n_points : int
        Points taken, and points in all as far as is known; of a sweep its conditions.
    left_s : float or None
        Wall time to the end; None before it can be told.
    row : PointRow or None
        The latest point.
    light : Light
        What is known of the light.
    before, share : str, float
        What stands before the number of points, such as the condition of a series; and the share of the whole job done.
    verb : str
        What is done while it runs.
    ended : "good", "doubtful" or "bad"
        How it ended.
    can_pause, has_passes : bool
        Whether it can be held, and ended after a pass.
    is_held, is_last_pass : bool
        Whether somebody wants it to be held before its next point, and to end after this pass.
    doing, waiting : str
        What is done before the first point, and for what a guard waits between two points, in words.
    """

    state: RunState = RunState.IDLE
    is_busy: bool = False
    n_done: int = 0
    n_points: int = 0
    left_s: float | None = None
    row: PointRow | None = None
    light: Light = Light.UNKNOWN
    before: str = ""
    share: float = 0.0
    verb: str = "SCANNING"
    ended: Kind = "good"
    can_pause: bool = True
    has_passes: bool = True
    is_held: bool = False
    is_last_pass: bool = False
    doing: str = ""
    waiting: str = ""


class StopWatch:
    """Measures how long points take, pauses left out."""

    def __init__(self) -> None:
        self._ran_s = 0.0
        self._since_s: float | None = None
        self._share: float | None = None

    def begin(self, share: float) -> None:
        """Take note of what is done before the first point, such as the past of a resumed run; heard once."""
        if self._share is None:
            self._share = share

    def enter(self, state: RunState) -> None:
        """Run while the runner does."""
        now_s = time.monotonic()
        if self._since_s is not None:
            self._ran_s += now_s - self._since_s
        self._since_s = now_s if state is RunState.RUNNING else None

    def left_s(self, share: float) -> float | None:
        """Return how long the rest takes if it goes on like this, in s; `share` of the whole is done."""
        done = share - (self._share or 0.0)
        if self._since_s is None or done <= 0:
            return None
        ran_s = self._ran_s + time.monotonic() - self._since_s
        return ran_s / done * max(1.0 - share, 0.0)

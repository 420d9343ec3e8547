"""What the runner tells the world. Listeners receive these and nothing else; one that fails is logged and ignored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tplm_daq.store.layout import PointRow


class RunState(Enum):
    """Where the runner is; the transitions are drawn in `runner.py`."""

    IDLE = "idle"
    PREPARING = "preparing"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHING = "finishing"
    FINISHED = "finished"


class FinishReason(Enum):
    """Why a run ended."""

    COMPLETED = "completed"
    TARGET_REACHED = "target_reached"
    MAX_TIME = "max_time"
    ABORTED = "aborted"
    GUARD = "guard"
    FAILED = "failed"


@dataclass(frozen=True)
class StateChanged:
    """The runner entered a state."""

    state: RunState


@dataclass(frozen=True)
class PointDone:
    """A point is safe on disk: its row, its cropped counts uint32 (n_bin,), and how many of how many are done."""

    row: PointRow
    counts: NDArray[np.uint32]
    n_done: int
    n_points: int


@dataclass(frozen=True)
class Notice:
    """Something the operator should know; `level` is "info", "warning" or "error"."""

    level: str
    text: str


@dataclass(frozen=True)
class GuardWaits:
    """A guard holds the run, with the light out, until what it judges is good again; why."""

    level: ClassVar[str] = "warning"
    reason: str

    @property
    def text(self) -> str:
        """What the operator should know of it."""
        return f"paused: {self.reason}"


@dataclass(frozen=True)
class GuardGoesOn:
    """The guard holds the run no longer, after so many seconds."""

    level: ClassVar[str] = "warning"
    waited_s: float

    @property
    def text(self) -> str:
        """What the operator should know of it."""
        return f"goes on after a pause of {self.waited_s:.0f} s"


@dataclass(frozen=True)
class Step:
    """What is being done before the first point, in words, and whether the light is on meanwhile."""

    doing: str
    is_lit: bool


@dataclass(frozen=True)
class RunFinished:
    """The run is over and the rig is safe."""

    reason: FinishReason
    message: str


Message = Notice | GuardWaits | GuardGoesOn
"""What terminal and logs repeat: `level` and `text`."""
Event = StateChanged | PointDone | Message | Step | RunFinished
Listener = Callable[[Event], None]

"""Watches jobs from the terminal: draws how they go and passes signals on; a thread of its own runs them."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tplm_daq.acquire.events import Event, Listener, Notice, PointDone, RunState, StateChanged, Step
from tplm_daq.interrupts import Signals
from tplm_daq.workflow.kmc import SweepProgress
from tplm_daq.workflow.live import LiveResult

Outcome = TypeVar("Outcome", covariant=True)

NOTICES_SHOWN = 5
"""Warnings printed while a scan runs; all of them are in the run file's log."""


class ScanDisplay:
    """Shows how a scan goes: position, photons, live D with its interval, time to go.

    Parameters
    ----------
    console : Console
        Where to draw; standard error, so that standard output stays clean for results.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._doing = RunState.IDLE.value
        self._point: PointDone | None = None
        self._n_photons = 0
        self._notices: list[Notice] = []
        self._n_notices = 0
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task: TaskID = self._progress.add_task("opening the rig", total=None)

    def on_event(self, event: Event) -> None:
        """Take note of what happened (called in the runner's thread; draws nothing)."""
        with self._lock:
            if isinstance(event, StateChanged):
                self._doing = event.state.value
            elif isinstance(event, Step):
                self._doing = event.doing
            elif isinstance(event, PointDone):
                self._point = event
                self._n_photons += int(event.counts.sum())
            elif isinstance(event, Notice):
                self._notices.append(event)

    def __enter__(self) -> ScanDisplay:
        """Start drawing."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing and leave the terminal as it was."""
        self._progress.stop()

    def refresh(self, live: LiveResult | None) -> None:
        """Draw the present state (called in the main thread)."""
        with self._lock:
            doing, point, n_photons, notices = self._doing, self._point, self._n_photons, self._notices
            self._notices = []
        for notice in notices:
            self._n_notices += 1
            if self._n_notices <= NOTICES_SHOWN:
                self._console.print(f"[yellow]{notice.level}[/yellow] {notice.text}", highlight=False)
        if point is None:
            self._progress.update(self._task, description=doing)
            return
        place = f"x {point.row.x_nm * 1e-3:+.3f}, y {point.row.y_nm * 1e-3:+.3f} µm"
        parts = [place, f"{n_photons:.3g} photons", _live_text(live)]
        self._progress.update(self._task, description=" · ".join(parts), completed=point.n_done, total=point.n_points)


class SteeredJob(Protocol[Outcome]):
    """A scan, a series or a resumed run: a `Steering` that can be run."""

    listeners: list[Listener]

    @property
    def latest(self) -> LiveResult | None:
        """The latest live fit."""

    def abort(self, message: str) -> None:
        """End it as soon as possible."""

    def hurry(self) -> None:
        """Skip everything but the safe state."""

    def run(self) -> Outcome:
        """Do it."""


class SweepDisplay:
    """Shows how far a sweep of lattice simulations is, and its latest point."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task: TaskID = self._progress.add_task("compiling, first condition", total=1.0)

    def __enter__(self) -> SweepDisplay:
        """Start drawing."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing and leave the terminal as it was."""
        self._progress.stop()

    def on_progress(self, progress: SweepProgress) -> None:
        """Draw the latest point."""
        point = progress.latest
        text = (
            f"{progress.n_done} of {progress.n_points} · t_exc {point.t_exc_us:.3g} µs · "
            f"D {point.d_sim_cm2_s:.4f} ± {1.96 * point.standard_error_cm2_s:.4f} cm²/s"
        )
        self._progress.update(self._task, description=text, completed=progress.share)


def run_watched(job: SteeredJob[Outcome], console: Console, signals: Signals) -> Outcome:
    """Run the job in a thread of its own, so that this one can draw and hear signals.

    The first signal ends the run at the next opportunity, a second one skips everything but the safe state.
    """
    display = ScanDisplay(console)
    job.listeners.append(display.on_event)
    n_heard = 0

    def abort(name: str) -> None:
        nonlocal n_heard
        n_heard += 1
        job.abort(f"ended by {name}")
        if n_heard > 1:
            job.hurry()

    signals.listen(abort)
    with display, ThreadPoolExecutor(1, thread_name_prefix="runner") as pool:
        future = pool.submit(job.run)
        while not future.done():
            wait([future], timeout=0.1)
            display.refresh(job.latest)
    return future.result()


def _live_text(live: LiveResult | None) -> str:
    if live is None or live.result is None:
        return "D …"
    d = live.result.diffusivity_cm2_s
    half_width = 1.96 * live.result.standard_error_cm2_s
    if not math.isfinite(half_width):
        return "D …"
    return f"D {d:.4f} ± {half_width:.4f} cm²/s"

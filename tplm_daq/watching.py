"""Watches jobs from the terminal: draws how they go and passes signals on; a thread of its own runs them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol, TypeVar

from rich.console import Console
from rich.markup import escape
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

from tplm_daq.acquire.events import Event, Listener, Message, Notice, PointDone, RunState, StateChanged, Step
from tplm_daq.analysis.pipeline import Result
from tplm_daq.interrupts import Signals
from tplm_daq.workflow.kmc import SweepProgress
from tplm_daq.workflow.live import LiveResult
from tplm_daq.workflow.paper.crew import Advanced, Begun, News
from tplm_daq.workflow.paper.tasks import SeriesTask
from tplm_daq.workflow.series import SeriesJob, SeriesProgress

Outcome = TypeVar("Outcome", covariant=True)

NOTICES_SHOWN = 5
"""Warnings printed while a scan runs, of a series in each condition; all of them are in the run file's log."""

WIDE = 120
"""Columns of a terminal that has room for a bar, the position and the time that has passed."""


class ScanDisplay:
    """Shows how a scan goes: position, photons, live D with its interval, time to go; of a series which condition.

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
        self._lines: list[str] = []
        self._n_notices = 0
        self._condition = ""
        self._is_another = False
        self._is_wide = console.width >= WIDE
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            *((BarColumn(bar_width=None),) if self._is_wide else ()),
            MofNCompleteColumn(),
            *((TimeElapsedColumn(),) if self._is_wide else ()),
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
            elif isinstance(event, Message):
                self._n_notices += 1
                if self._n_notices <= NOTICES_SHOWN:
                    self._lines.append(_warning(event.level, event.text))

    def on_condition(self, progress: SeriesProgress) -> None:
        """Take note that a condition of a series begins, and what came of the one before (in the runner's thread)."""
        number = f"{progress.number} of {progress.n_conditions}"
        with self._lock:
            self._condition, self._is_another = f"{number} · ", True
            self._point, self._n_photons, self._n_notices = None, 0, 0
            for point in progress.points[-1:]:
                result = None if point.outcome is None else point.outcome.result
                self._lines.append(f"    D {_of_result(result)}, {point.finish_reason}")
            self._lines.append(f"[bold]{number}[/bold]  {escape(progress.planned.condition.name)}")

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
            doing, point, n_photons, lines = self._doing, self._point, self._n_photons, self._lines
            condition, is_another = self._condition, self._is_another
            self._lines, self._is_another = [], False
        if is_another:  # else time and spinner stand still from the first condition's end
            self._progress.reset(self._task)
        for line in lines:
            self._console.print(line, highlight=False)
        if point is None:
            self._progress.update(self._task, description=f"{condition}{doing}", completed=0, total=None)
            return
        place = f"x {point.row.x_nm * 1e-3:+.3f}, y {point.row.y_nm * 1e-3:+.3f} µm"
        d = _of_result(None if live is None else live.result)
        parts = [*([place] if self._is_wide else []), f"{n_photons:.3g} photons", f"D {d}"]
        self._progress.update(
            self._task, description=condition + " · ".join(parts), completed=point.n_done, total=point.n_points
        )


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


@dataclass
class _Row:
    """A series on the board: its line, what its warnings begin with, and how many its condition has had."""

    line: TaskID
    origin: str
    n_notices: int = 0


class SeriesBoard:
    """Shows how far several series at a time are, each on a line of its own while it is under way.

    Parameters
    ----------
    console : Console
        Where to draw.
    name_of : callable
        What the lines and warnings of a series begin with.
    """

    def __init__(self, console: Console, name_of: Callable[[SeriesTask], str]) -> None:
        self._console = console
        self._name_of = name_of
        self._rows: dict[str, _Row] = {}
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), console=console, transient=True
        )

    def __enter__(self) -> SeriesBoard:
        """Start drawing."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing and leave the terminal as it was."""
        self._progress.stop()

    def on_news(self, task: SeriesTask, news: News) -> None:
        """Draw what is new of a series; print its warnings, and what failed once it is over."""
        name = self._name_of(task)
        if name not in self._rows:
            self._rows[name] = _Row(self._progress.add_task(f"{name}: opening the rig", total=None), name)
        row = self._rows[name]
        if isinstance(news, Begun):
            row.origin, row.n_notices = f"{name}, {news.condition}", 0
            text = f"{name}: {news.number} of {news.n_conditions} · {escape(news.condition)}"
            self._progress.reset(row.line, description=text)
        elif isinstance(news, Advanced):
            self._progress.update(row.line, completed=news.n_done, total=news.n_points)
        elif isinstance(news, Notice):
            row.n_notices += 1
            if row.n_notices <= NOTICES_SHOWN:
                self._print(_warning(news.level, f"{row.origin}: {news.text}"))
        else:
            self._progress.remove_task(self._rows.pop(name).line)
            for label, error in news.failures:
                self._print(f"[red]failed[/red] {escape(f'{name}, {label}: {error}')}")
            if news.n_failed and news.error is None:
                self._print(f"{name}: {news.n_failed} conditions are left out; the same command tries them again.")

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False)


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
    watched: object = job
    if isinstance(watched, SeriesJob):
        watched.on_condition.append(display.on_condition)
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


def _warning(level: str, text: str) -> str:
    """Return a warning as it is printed."""
    return f"[yellow]{level}[/yellow] {escape(text)}"


def _of_result(result: Result | None) -> str:
    """Return D with half of its interval, or dots as long as there is none."""
    if result is None or not math.isfinite(half_width := 1.96 * result.standard_error_cm2_s):
        return "…"
    return f"{result.diffusivity_cm2_s:.4f} ± {half_width:.4f} cm²/s"

"""Several series measured side by side, each in a process of its own.

A scan on a simulated rig keeps one core busy, and series do not know of one another: each has rig, doubles, clock and
seeds of its own, so that what it measures is the same whatever runs beside it. Parent and process speak over one pipe:
series and wishes to end go one way, news and lines of the log the other. Whichever of the two is killed, the other
sees the pipe closed and ends; run files and index are as after any crash.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from logging.handlers import QueueHandler
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from tplm_daq.acquire.events import Event, Message, Notice, PointDone
from tplm_daq.errors import Aborted, TplmError
from tplm_daq.interrupts import NAMES
from tplm_daq.workflow.logs import log_through
from tplm_daq.workflow.machine import machine_memory_bytes, n_cores
from tplm_daq.workflow.nobody import Nobody
from tplm_daq.workflow.paper.tasks import SeriesTask
from tplm_daq.workflow.series import SeriesJob, SeriesProgress

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

POLL_S = 0.1
"""How often a process looks for wishes of its parent, and the parent for those of its user."""
PATIENCE_S = 10.0
"""How long processes may take to end once their pipe is closed."""
MEMORY_BYTES = 0.6e9
"""What a process that measures takes (ours, measured: 0.4 GB)."""


@dataclass(frozen=True)
class Begun:
    """A condition of a series begins: which of how many, and what it is called."""

    number: int
    n_conditions: int
    condition: str


@dataclass(frozen=True)
class Advanced:
    """A point of the condition under way is measured: how many of how many."""

    n_done: int
    n_points: int


@dataclass(frozen=True)
class Ended:
    """A series is over.

    Attributes
    ----------
    n_failed : int
        How many of its conditions have no complete scan.
    failures : tuple of (str, str)
        Which conditions failed, and why.
    error : TplmError or None
        What ended it before all of them were tried.
    """

    n_failed: int
    failures: tuple[tuple[str, str], ...]
    error: TplmError | None


News = Begun | Advanced | Notice | Ended


def processes_for(tasks: Sequence[SeriesTask]) -> int:
    """Return how many processes suit some series: no more than there are series, cores, and room in memory."""
    present = machine_memory_bytes()
    room = len(tasks) if present is None else int(present / MEMORY_BYTES)
    return max(1, min(len(tasks), n_cores(), room))


def measure_side_by_side(
    tasks: Sequence[SeriesTask],
    n_processes: int,
    on_news: Callable[[SeriesTask, News], None],
    ask_for_wishes: Callable[[], Sequence[str]],
) -> None:
    """Measure what is left of some series, the longest first; after an error that ends one, the others are ended too.

    Parameters
    ----------
    tasks : sequence of SeriesTask
        What is to be measured.
    n_processes : int
        How many series are measured at a time.
    on_news : callable
        Told what the processes say, in this thread.
    ask_for_wishes : callable
        Asked every `POLL_S` for messages that came since: after the first everything ends at the next opportunity,
        after a second one it skips all but the safe state.

    Raises
    ------
    TplmError
        What ended the first series that did not come to its end, or a process died.
    Aborted
        There was a wish.
    """
    waiting = sorted(tasks, key=lambda task: task.seconds_left)
    errors: list[TplmError] = []
    wishes: list[str] = []
    with _crew(min(n_processes, len(tasks))) as crew:
        for member in crew:
            member.take(waiting.pop())
        while busy := [member for member in crew if member.task is not None]:
            ready = wait([member.pipe for member in busy], POLL_S)
            for member in (each for each in busy if each.pipe in ready):
                task, news = member.task, member.hear()
                if task is None or news is None:
                    continue
                if not isinstance(news, Ended):
                    on_news(task, news)
                    continue
                if news.error is not None:
                    errors.append(news.error)
                    _end(crew, "another series was ended by an error")
                elif waiting and not errors and not wishes:
                    member.take(waiting.pop())
                on_news(task, news)
            for wish in ask_for_wishes():
                wishes.append(wish)
                _end(crew, wish)
    if errors:
        raise errors[0]
    if wishes:
        raise Aborted(wishes[0])


class _Member:
    """A process that measures one series after the other, seen from the parent."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.task: SeriesTask | None = None
        self.process: SpawnProcess = context.Process(target=_work, args=(theirs,), name="series", daemon=True)
        self.process.start()
        theirs.close()

    def take(self, task: SeriesTask) -> None:
        """Begin with a series."""
        self.task = task
        self.tell(task)

    def tell(self, word: SeriesTask | str) -> None:
        """Hand over a series, or why the one under way is to end."""
        with suppress(OSError):  # it died: `hear` finds out
            self.pipe.send(word)

    def hear(self) -> News | None:
        """Return the next news; None after a line for the log, which is passed on."""
        try:
            heard: News | logging.LogRecord = self.pipe.recv()
        except (EOFError, OSError):
            heard = Ended(0, (), self._death())
        if isinstance(heard, logging.LogRecord):
            logging.getLogger(heard.name).handle(heard)
            return None
        if isinstance(heard, Ended):
            self.task = None
        return heard

    def _death(self) -> TplmError:
        self.process.join(PATIENCE_S)
        name = "a series" if self.task is None else self.task.item.name
        return TplmError(
            f"{name}: the process that measured it died (exit code {self.process.exitcode}), perhaps for want of "
            "memory. What is complete is kept; the same command goes on where it was."
        )


@contextmanager
def _crew(n_processes: int) -> Iterator[list[_Member]]:
    """Start processes, and see to it that they are gone in the end."""
    crew: list[_Member] = []
    try:
        crew.extend(_Member() for _ in range(n_processes))
        yield crew
    finally:
        for member in crew:
            member.pipe.close()
        for member in crew:
            member.process.join(PATIENCE_S)
            if member.process.is_alive():
                member.process.kill()


def _end(crew: Sequence[_Member], wish: str) -> None:
    for member in crew:
        if member.task is not None:
            member.tell(wish)


class _Parent:
    """The parent, seen from a process: what it is told, from any thread."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def put_nowait(self, word: News | logging.LogRecord) -> None:
        """Tell it something; nothing happens if it is gone."""
        with self._lock, suppress(OSError):
            self._pipe.send(word)

    def on_event(self, event: Event) -> None:
        """Tell it what a runner says."""
        if isinstance(event, PointDone):
            self.put_nowait(Advanced(event.n_done, event.n_points))
        elif isinstance(event, Message):
            self.put_nowait(Notice(event.level, event.text))

    def on_condition(self, progress: SeriesProgress) -> None:
        """Tell it which condition begins."""
        self.put_nowait(Begun(progress.number, progress.n_conditions, progress.planned.condition.name))


def _work(pipe: Connection) -> None:
    """Measure the series that the parent hands over, until it closes the pipe (in a process of its own)."""
    for number in NAMES.keys() - {signal.SIGTERM}:
        signal.signal(number, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal; the parent passes it on
    parent = _Parent(pipe)
    log_through(QueueHandler(parent))  # type: ignore[arg-type]  # it only puts
    with suppress(EOFError, OSError):
        while True:
            word: SeriesTask | str = pipe.recv()
            if isinstance(word, SeriesTask):  # else a wish that came too late
                parent.put_nowait(_measure(word, pipe, parent))


def _measure(task: SeriesTask, pipe: Connection, parent: _Parent) -> Ended:
    """Measure what is left of a series in a thread, so that this one can hear the parent."""
    try:
        job = task.job(Nobody())
        job.listeners.append(parent.on_event)
        job.on_condition.append(parent.on_condition)
        with ThreadPoolExecutor(1, thread_name_prefix="runner") as pool:
            future = pool.submit(job.run)
            while not future.done():
                _obey(job, pipe)
            outcome = future.result()
    except TplmError as error:
        return Ended(0, (), error)
    failed = [point for point in outcome.points if point.error not in (None, outcome.error)]
    failures = tuple((point.condition.label, str(point.error)) for point in failed)
    return Ended(outcome.n_failed, failures, outcome.error)


def _obey(job: SeriesJob, pipe: Connection) -> None:
    """Wait a moment for a wish of the parent and see to it; end as the parent did if it is gone.

    Its user may start the same command again at once, which must find nobody at work.
    """
    try:
        if not pipe.poll(POLL_S):
            return
        wish = str(pipe.recv())
    except (EOFError, OSError):
        os._exit(1)
    if job.abort_message is not None:
        job.hurry()
    job.abort(wish)

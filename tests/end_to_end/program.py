"""The program as a user runs it: in a folder of its own, in a process of its own or, many times faster, in this one."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any
from unittest import mock

from tplm_daq.cli import main

QUICK = (
    "path.n_positions=9",
    "passes.dwell=2s",
    "passes.n_passes=2",
    "rig.simulation.is_homed=true",
)
"""Changes that make the line scan a matter of a second."""


@dataclass(frozen=True)
class Finished:
    """How the program ended and what it printed."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on standard output."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def failure(self) -> dict[str, Any]:
        """What the document says of the error, which standard error says too, without a traceback."""
        assert "Traceback" not in self.err, self.err
        assert self.document["exit_status"] == self.status, self.err
        error: dict[str, Any] = self.document["error"]
        assert "".join(error["message"].split()) in "".join(self.err.split())
        return error


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tplm_daq", *arguments]


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "TPLM_RIG"} | {"COLUMNS": "200"}


def hear_signals() -> None:
    """Ignore no signal, even if these tests were started with nohup, and with them the program."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)


def start(folder: Path, *arguments: str, prepare: Callable[[], None] | None = None, **variables: str) -> Any:
    """Start the program in a folder and return it while it runs; `prepare` is called in its process before."""
    if prepare is None and sys.platform != "win32":
        prepare = hear_signals
    return subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment() | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=prepare,
    )


def finish(program: Any, timeout_s: float = 110) -> Finished:
    """Wait for the end of a program that was started."""
    try:
        out, err = program.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        program.kill()
        out, err = program.communicate()
        raise AssertionError(f"still running after {timeout_s} s: {err}") from None
    return Finished(program.returncode, out, err)


def tplm(folder: Path, *arguments: str, prepare: Callable[[], None] | None = None, **variables: str) -> Finished:
    """Run the program in a folder, with environment variables on top of the usual ones."""
    return finish(start(folder, *arguments, prepare=prepare, **variables))


@contextlib.contextmanager
def logging_of_its_own() -> Iterator[None]:
    """Begin without a log and end as before, as a process does."""
    loggers = [logging.getLogger(), logging.getLogger("tplm_daq")]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    for handler in loggers[0].handlers[:]:
        if isinstance(handler, RotatingFileHandler):
            loggers[0].removeHandler(handler)
    try:
        yield
    finally:
        for logger, level, handlers in before:
            for handler in set(logger.handlers) - set(handlers):
                handler.close()
            logger.handlers[:] = handlers
            logger.setLevel(level)


def tplm_here(folder: Path, *arguments: str, **variables: str) -> Finished:
    """Run the program's command line in this process, for what does not depend on the process: starting one is slow."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if number := getattr(signal, name, None):
                stack.callback(signal.signal, number, signal.getsignal(number))
        stack.enter_context(mock.patch.dict(os.environ, environment() | variables, clear=True))
        stack.enter_context(mock.patch("sys.argv", ["tplm", *arguments]))
        stack.enter_context(mock.patch("sys.stdin", stack.enter_context(Path(os.devnull).open())))
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(logging_of_its_own())
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Finished(status, out.getvalue(), err.getvalue())


def settings(*assignments: str) -> list[str]:
    return [word for assignment in assignments for word in ("--set", assignment)]


def wait_for(condition: Callable[[], bool], program: Any = None, timeout_s: float = 60) -> None:
    """Return once a condition holds; fail if it does not in time, or a program ends before."""
    give_up_s = time.monotonic() + timeout_s
    while not condition():
        assert program is None or program.poll() is None, program.communicate()[1]
        assert time.monotonic() < give_up_s, "it never happened"
        time.sleep(0.02)


def status_of(folder: Path) -> dict[str, Any]:
    """Return what the one status file in a folder says, nothing if there is none yet."""
    for path in folder.glob("runs/*.status.json"):
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    return {}


def kill(program: Any) -> None:
    """Kill a program that was started; its watchdog, which has the same pipes, may go on for a while."""
    program.kill()
    program.wait()
    program.stdout.close()
    program.stderr.close()


def run_file(folder: Path) -> Path:
    """Return the one run file in a folder."""
    (path,) = folder.glob("runs/*.h5")
    return path


def n_acknowledged(folder: Path) -> int:
    """Return how many points the event log in a folder reports, 0 if there is none yet."""
    lines = [line for path in folder.glob("runs/*.events.jsonl") for line in path.read_text().splitlines(keepends=True)]
    events = [json.loads(line) for line in lines if line.endswith("\n")]
    return max((event["n_done"] for event in events if event["event"] == "point_done"), default=0)

"""One scan of five positions on a bench that suffers faults, and everything that is to be said of it afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

import tplm_daq.rig.open as opening
from simulators.bench import Bench, BenchSettings
from simulators.clock import SimClock
from simulators.faults import Fault, Line
from tplm_daq.acquire.events import Event, Message, PointDone
from tplm_daq.errors import FitError, TplmError
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig.simulated import SimulatedWorld
from tplm_daq.store.reader import RunFile, open_run
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.nobody import Nobody
from tplm_daq.workflow.outcome import ScanOutcome
from tplm_daq.workflow.resume_run import ResumeJob, load_run
from tplm_daq.workflow.scan import ScanJob

N_POSITIONS = 5
SHORT = (
    f"path.n_positions={N_POSITIONS}",
    "path.centre=0 nm",
    "passes.dwell=1s",
    "passes.n_passes=1",
    "rig.simulation.is_homed=true",
)
REPLY_TIMEOUT_S = 0.1
LATE_S = 0.45
"""Later than anybody here waits."""
N_TRIES = 3
"""On a busy computer a device without a fault may miss the time-out too."""


class NoWatchdog:
    """In place of a process per run; the watchdog has tests of its own."""

    def guard(self, *arguments: object) -> None:
        pass

    check = end = abandon = guard


@dataclass
class Aftermath:
    """What a run left behind."""

    status: int
    message: str
    finish_reason: str
    power_nw: float
    wall_s: float
    n_acknowledged: int = 0
    notices: list[str] = field(default_factory=list)
    run: RunFile | None = None
    lines: dict[str, Line] = field(default_factory=dict)

    @property
    def n_stored(self) -> int:
        return 0 if self.run is None else self.run.n_points

    @property
    def is_light_out(self) -> bool:
        return self.power_nw == 0


@contextmanager
def impatient(reply_timeout_s: float = REPLY_TIMEOUT_S) -> Iterator[None]:
    """Let links wait for replies no longer than this, no watchdog be started, and nothing be fitted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tplm_daq.rig.links.REPLY_TIMEOUT_S", reply_timeout_s)
        patch.setattr("tplm_daq.rig.wiring.VISA_TIMEOUT_MS", round(reply_timeout_s * 1e3))
        patch.setattr(opening, "Watchdog", NoWatchdog)
        patch.setattr("tplm_daq.workflow.outcome._fit", lambda *arguments: (None, "not fitted here"))
        patch.setattr("tplm_daq.workflow.live.analyse", _fit_nothing)
        yield


def rehearse(folder: Path, faults: Sequence[Fault], *changes: str) -> Aftermath:
    """Scan with faults and look at the files and at the bench."""
    scan, rig = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", [*SHORT, *changes])
    job = ScanJob(scan, rig, folder, Nobody())
    heard: list[Event] = []
    job.listeners.append(heard.append)
    began_s = time.monotonic()
    with bench_with([replace(fault, late_s=LATE_S) for fault in faults]) as benches:
        outcome, error = _run(job)
        wall_s = time.monotonic() - began_s
        bench = benches[-1]
        power_nw = bench.light().average_power_nw
    reason = "no file" if outcome is None else outcome.finish_reason.value
    return Aftermath(
        status=0 if error is None else error.exit_status,
        message="" if error is None else str(error),
        finish_reason=reason,
        power_nw=power_nw,
        wall_s=wall_s,
        n_acknowledged=sum(isinstance(event, PointDone) for event in heard),
        notices=[event.text for event in heard if isinstance(event, Message)],
        run=None if outcome is None else open_run(outcome.run_file),
        lines={"counter": bench.counter.line} | {role: server.line for role, server in bench.servers.items()},
    )


@contextmanager
def bench_with(faults: Sequence[Fault]) -> Iterator[list[Bench]]:
    """Let the rigs that are opened in the block have these faults; yield their benches."""
    benches: list[Bench] = []

    class FaultyBench(Bench):
        def __init__(self, settings: BenchSettings, clock: SimClock) -> None:
            super().__init__(replace(settings, faults=(*settings.faults, *faults)), clock)
            benches.append(self)

    start = opening.start_doubles

    def start_faulty(recipe: RigRecipe) -> SimulatedWorld:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("simulators.bench.Bench", FaultyBench)
            return start(recipe)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "start_doubles", start_faulty)
        yield benches


def completes_after_resume(run: RunFile) -> bool:
    """Resume a run on a bench without faults, and tell whether its file then holds every position once."""
    for _ in range(N_TRIES):
        _, error = _run(load_run(run.path, []).job(Nobody()))
        if error is None:
            break
    found = open_run(run.path)
    return sorted(found.points["index"]) == list(range(N_POSITIONS)) and not doubts(found)


def _fit_nothing(*arguments: object) -> None:
    raise FitError("five points are not fitted")


def _run(job: ScanJob | ResumeJob) -> tuple[ScanOutcome | None, TplmError | None]:
    try:
        outcome = job.run()
    except TplmError as error:
        return None, error
    return outcome, outcome.error


def doubts(run: RunFile) -> list[str]:
    """Return what looks wrong in a file whose points are not marked as suspect."""
    points = run.points[run.points["flags"] == 0]
    looks = {
        "x": np.abs(points["x_readback_nm"] - points["x_nm"]) < 3.0,
        "y": np.abs(points["y_readback_nm"] - points["y_nm"]) < 3.0,
        "sync": points["sync_hz"] == 2.5e6,
        "live": np.abs(points["live_s"] - points["dwell_s"]) < 2e-3,
        "temperature": np.abs(points["temperature_k"] - 300) < 0.5,
        "power": points["power_nw"] == 10.0,
        "counts": run.counts()[run.points["flags"] == 0].sum(axis=1) > 20,
    }
    return [name for name, is_fine in looks.items() if not np.all(is_fine)]

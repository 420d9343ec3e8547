"""A week of series in one process, at full speed: what the process holds on to is written down after each of them.

``python -m tests.end_to_end.week --days 7`` measures a series after another on the simulated rig, each with a
failure in it, and prints a table and what it grew by. Run files are deleted once they are measured. Linux with glibc
only, for it reads /proc and has free memory given back.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tplm_daq.recipes.load import validate
from tplm_daq.recipes.series import SeriesRecipe
from tplm_daq.store.reader import open_run
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.logs import start_logging
from tplm_daq.workflow.nobody import Nobody
from tplm_daq.workflow.series import SeriesJob

DAY_S = 86_400.0
WARM_UP = 0.25
"""Share of the series after which caches are expected to be full."""
ALWAYS = ("rig.simulation.is_homed=true", "rig.policies.watchdog_timeout=10s")
"""Homed, and patient: a busy computer is no failure of a run."""
POWERS = ["8 nW", "16 nW"]
FAULT = "{{device: detector_x, fault: port closed, at: {at_s:g} s, count: 1}}"


@dataclass(frozen=True)
class Held:
    """What the process holds after a series, and what was measured by then."""

    n_runs: int
    n_failed: int
    simulated_s: float
    wall_s: float
    resident_kb: int
    n_files: int
    n_threads: int
    n_objects: int


def spend(simulated_s_asked: float, n_at_least: int, fault_at_s: float, changes: Sequence[str]) -> Iterator[Held]:
    """Measure series until the simulated time is over; yield what is held after each."""
    scan, rig = load_scan(
        "configs/scan_line.yaml",
        "configs/rig_sim.yaml",
        [f"rig.simulation.faults=[{FAULT.format(at_s=fault_at_s)}]", *ALWAYS, *changes],
    )
    data = {
        "kind": "series",
        "title": "week",
        "scan": scan.model_dump(mode="json"),
        "vary": [{"sample": ["ola-oa", "ald-alox"]}, {"average_power": POWERS}],
    }
    recipe = validate(SeriesRecipe, data, "week")
    began_s, n_runs, n_failed, simulated_s, number = time.monotonic(), 0, 0, 0.0, 0
    with tempfile.TemporaryDirectory() as place:
        start_logging(Path(place))
        while simulated_s < simulated_s_asked or number < n_at_least:
            number += 1
            folder = Path(place) / str(number)
            outcome = SeriesJob(recipe, rig, folder, Nobody(), with_report=number % 4 == 3).run()
            n_runs += len(outcome.points)
            n_failed += outcome.n_failed
            ends_s = [_end_s(point.outcome.run_file) for point in outcome.points if point.outcome is not None]
            simulated_s += max(ends_s)
            shutil.rmtree(folder)
            del outcome
            yield held(n_runs, n_failed, simulated_s, time.monotonic() - began_s)


def held(n_runs: int, n_failed: int, simulated_s: float, wall_s: float) -> Held:
    """Look at this process; memory that is free, but kept by the C library for later, is given back before."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return Held(
        n_runs,
        n_failed,
        round(simulated_s),
        round(wall_s, 1),
        int(status["VmRSS"].split()[0]),
        len(list(Path("/proc/self/fd").iterdir())),
        threading.active_count(),
        len(gc.get_objects()),
    )


def growth_per_run(seen: Sequence[Held], quantity: str) -> tuple[float, float]:
    """Return by how much a quantity grows per run after the warm-up, and the standard error of that."""
    steady = seen[int(WARM_UP * len(seen)) :]
    n_runs = np.array([each.n_runs for each in steady], dtype=float)
    values = np.array([getattr(each, quantity) for each in steady], dtype=float)
    slope, level = np.polyfit(n_runs, values, 1)
    residuals = values - slope * n_runs - level
    error = np.sqrt((residuals**2).sum() / max(len(steady) - 2, 1) / ((n_runs - n_runs.mean()) ** 2).sum())
    return float(slope), float(error)


def _end_s(path: Path) -> float:
    run = open_run(path)
    return run.header.clock_zero_s + (float(run.points["end_s"][-1]) if run.n_points else 0.0)


def main() -> None:
    """Print one line per series, and the growth per run at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=7.0, help="simulated; a day takes some three minutes")
    parser.add_argument("--at-least", type=int, default=8, help="series, however short they are")
    parser.add_argument(
        "--faults-at", type=float, default=300.0, help="simulated time of the failure in each series, s"
    )
    parser.add_argument("--set", dest="changes", action="append", default=[])
    arguments = parser.parse_args()
    seen = []
    for each in spend(DAY_S * arguments.days, arguments.at_least, arguments.faults_at, arguments.changes):
        seen.append(each)
        print(json.dumps(asdict(each)), flush=True)
    growth = {name: growth_per_run(seen, name) for name in ("resident_kb", "n_files", "n_threads", "n_objects")}
    print(json.dumps({"growth_per_run": growth}))


if __name__ == "__main__":
    main()

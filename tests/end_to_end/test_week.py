"""Runs after runs in one process: what it holds on to does not grow. A week takes half an hour; see TPLM_WEEK_DAYS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.program import environment, settings

ROOT = Path(__file__).resolve().parents[2]
SHORT = ("path.n_positions=5", "passes.dwell=1s", "passes.n_passes=1")
ONE_ARENA = {"MALLOC_ARENA_MAX": "2"}
"""glibc gives new threads heaps of their own until there are some dozens, which looks like a leak for many runs."""
LARGEST_KB_PER_RUN = 100.0
"""A hundred long runs are a week, a thousand short ones: 100 MB more would be no harm, and are far above the noise."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is read from /proc")


def spent(*arguments: str) -> list[dict[str, Any]]:
    """Run the campaign in a process of its own and return its lines; the last one is the growth per run."""
    words = [sys.executable, "-m", "tests.end_to_end.week", *arguments]
    done = subprocess.run(words, cwd=ROOT, env=environment() | ONE_ARENA, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_files_and_threads_are_given_back_after_every_series_with_a_failure_in_it() -> None:
    *seen, _ = spent("--days", "0", "--at-least", "2", "--faults-at", "4", *settings(*SHORT))
    assert [each["n_failed"] for each in seen] == [1, 2]
    assert len({(each["n_files"], each["n_threads"]) for each in seen}) == 1


@pytest.mark.slow
def test_memory_and_open_handles_stay_flat_through_a_week_of_series() -> None:
    *seen, last = spent("--days", os.environ.get("TPLM_WEEK_DAYS", "7"), *settings("passes.dwell=200s"))
    print(*seen, last, sep="\n")
    growth = last["growth_per_run"]
    assert growth["n_files"][0] == pytest.approx(0.0, abs=1e-9)
    assert growth["n_threads"][0] == pytest.approx(0.0, abs=1e-9)
    slope_kb, error_kb = growth["resident_kb"]
    assert slope_kb - 3 * error_kb < LARGEST_KB_PER_RUN
    assert seen[-1]["n_failed"] == len(seen)

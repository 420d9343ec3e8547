"""`kill -9` at random moments: the file opens, nothing acknowledged is lost, the rest is measured, the light is out."""

from __future__ import annotations

import random
import time
from functools import partial
from pathlib import Path

import pytest

from tests.end_to_end.program import kill, n_acknowledged, run_file, settings, start, tplm_here, wait_for
from tests.end_to_end.served_world import ServedWorld, served_world
from tplm_daq.store.reader import RunFile, open_run

LINE = (
    "configs/scan_line.yaml",
    *settings("path.n_positions=9", "passes.dwell=8s", "passes.n_passes=4", "rig.simulation.is_homed=true"),
    *settings("rig.policies.watchdog_timeout=10s"),  # nobody here minds the light, and a busy computer may be slow
)
SERVED = settings("path.n_positions=5", "path.half_width=300nm", "path.centre=0nm", "passes.dwell=2s")
N_POINTS = 36
LATEST_S = 1.5
"""Wall clock after the file is there up to which a kill comes; at full speed the run is over by then, or nearly so."""
LIGHT_OUT_S = 2.0
PATIENCE_S = 600.0
"""How long the program may take to begin, on a computer with much else to do."""
N_SIGMA = 5.0
"""Of 200 estimates none lies further from the truth by chance; 95 % of them lie within 1.96."""


def was_killed(folder: Path, pause_s: float, *arguments: str) -> bool:
    """Run the program, kill it some time after its file was made; return whether it was still alive."""
    folder.mkdir()
    program = start(folder, "run", *arguments, "--json")
    wait_for(lambda: bool(list(folder.glob("runs/*.events.jsonl"))), program, PATIENCE_S)
    time.sleep(pause_s)
    is_alive = program.poll() is None
    kill(program)
    return is_alive


def check_killed(folder: Path) -> RunFile:
    """Assert that the file opens and holds everything that was reported."""
    run = open_run(run_file(folder))
    assert n_acknowledged(folder) <= run.n_points <= n_acknowledged(folder) + 1
    assert run.counts().shape == (run.n_points, len(run.header.delay_ns))
    assert run.defects() == []
    return run


def check_completed(folder: Path) -> None:
    """Assert that the run can be completed, with every index once per pass and a right result."""
    done = tplm_here(folder, "resume", str(run_file(folder)), "--json")
    assert done.status == 0, done.err
    told = done.document
    run = open_run(Path(folder / told["run_file"]))
    assert run.finish_reason == "completed"
    assert run.defects() == []
    expected = {(number, index) for number in range(4) for index in range(9)}
    assert {(int(point["pass"]), int(point["index"])) for point in run.points} == expected
    assert run.n_points == N_POINTS
    error = told["diffusivity_cm2_s"] - told["truth"]["diffusivity_cm2_s"]
    assert abs(error) < N_SIGMA * told["standard_error_cm2_s"]


@pytest.mark.parametrize("n_times", [3, pytest.param(200, marks=pytest.mark.slow)])
def test_random_kills_lose_nothing_and_the_run_can_be_completed(n_times: int, tmp_path: Path) -> None:
    dice = random.Random(5)
    n_killed = 0
    for number in range(n_times):
        folder = tmp_path / str(number)
        pause_s = LATEST_S * (number + dice.random()) / n_times
        n_killed += was_killed(folder, pause_s, *LINE, *settings(f"rig.simulation.seed={number + 1}"))
        check_killed(folder)
        check_completed(folder)
    assert n_killed


def light_goes_out(world: ServedWorld) -> bool:
    return not world.is_light_on


@pytest.mark.parametrize("n_times", [1, pytest.param(200, marks=pytest.mark.slow)])
def test_the_light_is_out_soon_after_every_kill(n_times: int, tmp_path: Path) -> None:
    dice = random.Random(6)
    with served_world(tmp_path, "simulation.is_homed=true", "simulation.drift=0nm/min") as world:
        for number in range(n_times):
            folder = tmp_path / str(number)
            recipe = ("configs/scan_line.yaml", "--rig", world.rig, *SERVED)
            assert was_killed(folder, 2.0 * dice.random(), *recipe)
            killed_s = time.monotonic()
            wait_for(partial(light_goes_out, world), timeout_s=10.0)
            assert time.monotonic() - killed_s < LIGHT_OUT_S
            check_killed(folder)

"""Ctrl-C, SIGTERM and a closed terminal at any moment: one line, status 3, light out, acknowledged points on disk."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.program import QUICK, Finished, finish, settings, start, status_of, wait_for
from tests.end_to_end.served_world import ServedWorld, served_world
from tplm_daq.store.reader import open_run

ROOT = Path(__file__).resolve().parents[2]
SLOWLY = ("path.n_positions=5", "path.half_width=300nm", "passes.dwell=2s", "passes.n_passes=4")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no signals to another process")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedWorld]:
    with served_world(tmp_path_factory.mktemp("world"), "simulation.is_homed=true") as world:
        yield world


Moment = Callable[[Path, ServedWorld], bool]
MOMENTS: dict[str, tuple[Moment, signal.Signals]] = {
    "spot search": (lambda folder, world: world.is_light_on, signal.SIGINT),
    "first dwell": (lambda folder, world: status_of(folder).get("state") == "running", signal.SIGTERM),
    "after some points": (lambda folder, world: status_of(folder).get("n_done", 0) > 1, signal.SIGHUP),
}


def hears_signals(program: Any) -> bool:
    """Whether a program has got as far as to catch SIGTERM, which the interpreter alone does not (Linux tells)."""
    found = Path(f"/proc/{program.pid}/status")
    if not found.exists():
        time.sleep(0.5)
        return True
    caught = next(line for line in found.read_text().splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def check_end(done: Finished, folder: Path, name: str) -> None:
    """Assert what holds whenever a signal ended a run."""
    assert done.status == 3, done.err
    failure = done.failure
    assert failure["kind"] == "Aborted"
    assert f"ended by {name}" in failure["message"]
    files = list(folder.glob("runs/*.h5"))
    if not files:
        return
    (path,) = files
    run = open_run(path)
    assert run.n_points >= status_of(folder).get("n_done", 0)
    assert run.finish_reason in ("aborted", "completed")
    assert run.defects() == []
    assert done.document["n_points"] == run.n_points
    assert not list(folder.glob("runs/.*"))


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_signal_ends_a_run_on_served_doubles_with_the_light_out(
    moment: str, world: ServedWorld, tmp_path: Path
) -> None:
    has_come, number = MOMENTS[moment]
    names = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "the terminal being closed"}
    changes = settings(*SLOWLY, *(() if moment == "spot search" else ("path.centre=0nm",)))
    program = start(tmp_path, "run", "configs/scan_line.yaml", "--rig", world.rig, "--json", *changes)
    wait_for(lambda: has_come(tmp_path, world), program)
    assert world.is_light_on
    program.send_signal(number)
    wait_for(lambda: not world.is_light_on, timeout_s=10)  # the program then fits, and may compile for that
    done = finish(program)
    assert not world.is_light_on
    check_end(done, tmp_path, names[number])
    assert bool(list(tmp_path.glob("runs/*.h5"))) == (moment != "spot search")


def test_a_second_one_skips_everything_but_the_safe_state(world: ServedWorld, tmp_path: Path) -> None:
    changes = settings(*SLOWLY, "path.centre=0nm")
    program = start(tmp_path, "run", "configs/scan_line.yaml", "--rig", world.rig, "--json", "--report", *changes)
    wait_for(lambda: status_of(tmp_path).get("n_done", 0) > 0, program)
    program.send_signal(signal.SIGINT)
    program.send_signal(signal.SIGTERM)  # two of a kind might arrive as one
    done = finish(program)
    assert not world.is_light_on
    check_end(done, tmp_path, "")
    assert "skipped in a hurry" in done.document["fit_error"]
    assert not list(tmp_path.glob("runs/*.html"))


@pytest.mark.parametrize("state", ["preparing", "finished"])
def test_before_the_first_and_after_the_last_point(state: str, tmp_path: Path) -> None:
    if state == "preparing":  # homing in real time takes half a minute
        changes = settings(*QUICK, "rig.simulation.is_homed=false", "rig.simulation.speed=1")
        moment = (tmp_path / "runs" / "tplm.log").exists
    else:
        changes = settings(*QUICK)
        moment = lambda: status_of(tmp_path).get("state") == "finished"  # noqa: E731
    program = start(tmp_path, "run", "configs/scan_line.yaml", "--json", "--report", *changes)
    wait_for(moment, program)
    program.send_signal(signal.SIGINT)
    done = finish(program, 20)
    check_end(done, tmp_path, "Ctrl-C")
    if state == "finished":
        assert done.document["finish_reason"] == "completed"
        assert "after the last point" in done.failure["message"]


COMMANDS = {
    "analyse": ("analyse", str(ROOT / "tests/data/example_line.npz"), "--json"),
    "check": ("check", "configs/scan_line.yaml", "--json"),
    "devices": ("devices", "--json"),
    "schema": ("schema", "scan"),
    "report": ("report", str(ROOT / "tests/data/example_line.npz"), "-o", "page.html", "--json"),
    "export": ("export", str(ROOT / "tests/data/example_line.npz"), "--to", "csv", "-o", "map.csv", "--json"),
    "runs": ("runs", ".", "--json"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_ended(name: str, tmp_path: Path) -> None:
    for pause_s in (0.0, 0.3):
        program = start(tmp_path, *COMMANDS[name])
        wait_for(partial(hears_signals, program), program)
        time.sleep(pause_s)
        program.send_signal(signal.SIGINT)
        done = finish(program, 20)
        if done.status == 3:
            assert done.err == "tplm: ended by Ctrl-C\n"
            assert not list(tmp_path.iterdir())
        else:
            assert done.status == 0  # it was faster
        if "--json" in COMMANDS[name]:
            assert done.document


SWALLOWED = """
import signal
import tplm_daq.cli as cli

def build_schema(**_):
    try:
        signal.raise_signal(signal.SIGINT)
    except BaseException as error:
        raise ValueError(f"Error building a validator: {error}") from None

cli.app = build_schema
cli.main()
"""


def test_an_interruption_of_which_a_library_makes_an_error_of_its_own_is_one_all_the_same() -> None:
    done = subprocess.run([sys.executable, "-c", SWALLOWED], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (3, "tplm: ended by Ctrl-C\n")


@pytest.mark.parametrize("n_times", [6, pytest.param(200, marks=pytest.mark.slow)])
def test_random_moments(n_times: int, tmp_path: Path) -> None:
    dice = random.Random(3)
    for number in range(n_times):
        folder = tmp_path / str(number)
        folder.mkdir()
        program = start(folder, "run", "configs/scan_line.yaml", "--json", "--report", *settings(*QUICK))
        wait_for(partial(hears_signals, program), program)
        time.sleep(3.4 * (number + dice.random()) / n_times)
        program.send_signal(dice.choice([signal.SIGINT, signal.SIGTERM]))
        done = finish(program, 20)
        if done.status:
            check_end(done, folder, "")
        else:
            assert done.document["finish_reason"] == "completed"

"""`tplm serve` as its users meet it: a program of its own whose doubles a scan in another process takes for real."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import serial

from drivers.anc350 import ANC350, SILENCE_S
from drivers.kst101 import KST101
from drivers.lakeshore335 import LakeShore335
from drivers.trigger import TriggerGenerator
from tests.end_to_end.program import environment
from tests.end_to_end.served_world import NEAR
from tplm_daq.acquire.events import FinishReason
from tplm_daq.errors import InputError, RigError
from tplm_daq.recipes.load import apply_overrides, find_config, read_yaml, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig.links import open_serial
from tplm_daq.rig.open import open_rig
from tplm_daq.store.reader import open_run
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.nobody import Nobody
from tplm_daq.workflow.scan import ScanJob
from tplm_daq.workflow.serve import served_doubles

SERVE = """
import json
import sys
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.serve import serve
_, rig = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", sys.argv[1:])
serve(rig, lambda served: print(json.dumps(served.to_dict()), flush=True))
"""
QUICK = ("path.n_positions=5", "path.centre=0nm", "path.half_width=300nm", "passes.dwell=0.1s", "passes.n_passes=1")
TIMEHARP = "devices.counter={model: timeharp260, address: double}"
NANO = "devices.counter={model: timeharp260, address: double, board: nano, input: 1}"
COUNTERS: dict[str, tuple[list[str], list[str]]] = {
    "PicoHarp": ([], []),
    "TimeHarp PICO": ([TIMEHARP], ["counter.bin_width=25ps"]),
    "TimeHarp NANO, T3": ([NANO], ["counter.bin_width=250ps", "counter.mode=t3"]),
}
"""Changes of the rig file and of the recipe."""
ROLES = {"trigger", "gate", "thermostat", "stage", "detector_x", "detector_y"}


Served = tuple[subprocess.Popen[str], dict[str, Any]]
Serve = Callable[..., Served]


@pytest.fixture(scope="module")
def serve() -> Iterator[Serve]:
    """Start the program; it is told to end, and waited for, when the tests are over."""
    with ExitStack() as stack:

        def start(*others: str) -> Served:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            changes = [f"rig.{change}" for change in ("simulation.is_homed=true", *NEAR, *others)]
            command = [sys.executable, "-c", SERVE, *changes]
            program = stack.enter_context(subprocess.Popen(command, text=True, env=environment(), **pipes))
            assert program.stdout is not None
            line = program.stdout.readline()
            assert line, program.communicate()[1]
            return program, json.loads(line)

        yield start


@pytest.fixture(scope="module")
def served(serve: Serve) -> Served:
    """Return a program that several tests look at."""
    return serve()


def rig_data(document: dict[str, Any], *changes: str) -> dict[str, Any]:
    """Return the simulated rig's file, changed, with served addresses in it and without its simulation."""
    places = document["devices"]
    data = apply_overrides(
        read_yaml(find_config("configs/rig_sim.yaml")),
        [*changes, f"devices.counter.address={document['bench']}", *NEAR]
        + [f"devices.{role}.address={places[role]['address']}" for role in ("trigger", "gate", "thermostat", "stage")]
        + [f"devices.{role}.address={places[role]['url']}" for role in ("detector_x", "detector_y")],
    )
    del data["simulation"]
    return data


def test_the_first_line_says_where_everything_is(served: Served) -> None:
    _, document = served
    assert set(document) == {"devices", "bench"}
    assert set(document["devices"]) == ROLES
    for place in document["devices"].values():
        assert set(place) - {"pty"} == {"model", "address", "url"}
        port = place["url"].removeprefix("socket://127.0.0.1:")
        assert place["address"] == f"TCPIP::127.0.0.1::{port}::SOCKET"


def test_foreign_clients_find_real_boxes(served: Served) -> None:
    _, document = served
    places = document["devices"]
    boxes: list[Any] = [
        TriggerGenerator(places["trigger"]["address"], visa_library="@py"),
        LakeShore335(places["thermostat"]["address"], visa_library="@py"),
    ]
    assert ["335" in box.identify() for box in boxes] == [True, True]
    stage = ANC350(places["stage"]["address"], visa_library="@py")
    stage.start_synchronise()
    threading.Event().wait(SILENCE_S)
    stage.finish_synchronise()
    axis = KST101(open_serial(places["detector_x"]["url"], KST101.serial_settings))
    assert (axis.info.model, axis.is_homed) == ("KST101", True)
    for box in (*boxes, stage, axis):
        box.adapter.close()


@pytest.mark.skipif(sys.platform != "linux", reason="device files are for Linux")
def test_serial_boxes_have_device_files(served: Served) -> None:
    _, document = served
    places = document["devices"]
    assert {role for role, place in places.items() if "pty" in place} == {"detector_x", "detector_y", "thermostat"}
    axis = KST101(open_serial(places["detector_y"]["pty"], KST101.serial_settings))
    assert axis.info.serial == 26000002
    axis.adapter.close()
    settings = {"baudrate": 57600, "bytesize": 7, "parity": "O", "timeout": 2.0}  # Lake Shore 335 manual, section 6.3
    with serial.Serial(places["thermostat"]["pty"], **settings) as line:
        line.write(b"*IDN?\n")
        assert line.read_until(b"\n").startswith(b"LSCI,MODEL335")


@pytest.mark.parametrize(("rig_changes", "changes"), COUNTERS.values(), ids=COUNTERS)
def test_a_scan_in_this_process_uses_the_served_world(
    rig_changes: list[str], changes: list[str], serve: Serve, served: Served, tmp_path: Path
) -> None:
    _, document = serve(*rig_changes) if rig_changes else served
    rig = validate(RigRecipe, rig_data(document, *rig_changes), "served rig")
    scan, _ = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", [*QUICK, *changes])
    outcome = ScanJob(scan, rig, tmp_path, Nobody()).run()
    assert outcome.finish_reason is FinishReason.COMPLETED
    assert outcome.truth is not None
    assert outcome.truth["diffusivity_cm2_s"] > 0
    assert outcome.to_dict()["rate_cps_nw"] == pytest.approx(2e3, rel=0.1), "20 kcps at 10 nW"
    run = open_run(outcome.run_file)
    np.testing.assert_allclose(run.points["live_s"], 0.1, atol=2e-3)
    assert set(run.points["sync_hz"]) == {2.5e6}
    assert run.counts().sum(axis=1).min() > 500  # 20 kcps for 0.1 s are 2000 on the spot's centre
    trigger = TriggerGenerator(document["devices"]["trigger"]["address"], visa_library="@py")
    assert not trigger.is_output_on
    trigger.adapter.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no signals to another process")
@pytest.mark.parametrize("end", ["closed stdin", "SIGINT", "SIGTERM"])
def test_it_ends_with_clients_connected(end: str, serve: Serve) -> None:
    program, document = serve()
    with serial.serial_for_url(document["devices"]["detector_x"]["url"]):
        if end == "closed stdin":
            assert program.stdin is not None
            program.stdin.close()
        else:
            program.send_signal(signal.Signals[end])
        assert program.wait(timeout=20) == 0
    assert program.stdout is not None
    assert program.stderr is not None
    assert (program.stdout.read(), program.stderr.read()) == ("", "")


def test_the_rig_for_other_programs_can_be_had_ready_made() -> None:
    _, recipe = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", [])
    with served_doubles(recipe) as served:
        rig = served.rig(recipe)
        with open_rig(rig, Nobody()) as opened:
            assert opened.counter.snapshot()["serial"] == "1000123"
    with pytest.raises(RigError, match=r"7 of the rig's devices(?s:.*)no bench is served at bench://(?s:.*)tplm serve"):
        open_rig(rig, Nobody())


def test_a_rig_file_with_another_counter_than_the_served_one_is_told_so() -> None:
    _, recipe = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", [f"rig.{TIMEHARP}"])
    with served_doubles(recipe) as served:
        rig = validate(RigRecipe, rig_data(served.to_dict()), "served rig")
        with pytest.raises(
            RigError, match="has the library th260lib, and phlib is looked for. Write the counter's model"
        ):
            open_rig(rig, Nobody())


def test_real_boxes_cannot_be_served() -> None:
    _, lab = load_scan("configs/scan_line.yaml", "configs/rig_lab.yaml", [])
    with pytest.raises(InputError, match="no section `simulation`.*configs/rig_sim.yaml"), served_doubles(lab):
        pass


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["devices.counter.address=bench://elsewhere"], "bench://elsewhere is no bench"),
        (["devices.counter.address=bench://127.0.0.1:4711"], "detector_x at /dev/ttyUSB0.*nobody would be asked"),
    ],
)
def test_a_simulated_counter_is_not_mixed_with_real_boxes(changes: list[str], message: str) -> None:
    data = apply_overrides(read_yaml(find_config("configs/rig_lab.yaml")), changes)
    with pytest.raises(InputError, match=message):
        validate(RigRecipe, data, "rig_lab.yaml")

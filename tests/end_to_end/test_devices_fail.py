"""Devices that fail, before a run and in its middle: who, where, why, what next; data kept, light out, right status."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.end_to_end.program import QUICK, finish, settings, start, status_of, tplm, tplm_here, wait_for
from tests.end_to_end.served_world import ServedWorld, served_world
from tplm_daq.store.reader import open_run

SLOWLY = settings(
    *("path.n_positions=5", "path.half_width=100nm", "path.centre=0nm", "passes.dwell=2s", "passes.n_passes=20")
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedWorld]:
    with served_world(tmp_path_factory.mktemp("world"), "simulation.is_homed=true") as world:
        yield world


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Return a port that accepts whoever comes and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        guests: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    guests.append(listener.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for guest in guests:
            guest.close()


def rig_with(world: ServedWorld, folder: Path, **addresses: str) -> str:
    """Write the served world's rig file with other addresses of some devices."""
    rig = yaml.safe_load(Path(world.rig).read_text(encoding="utf-8"))
    for role, address in addresses.items():
        rig["devices"][role]["address"] = address
    path = folder / "rig.yaml"
    path.write_text(yaml.safe_dump(rig), encoding="utf-8")
    return str(path)


def test_every_device_that_fails_is_in_one_tree(
    world: ServedWorld, silent_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = world.devices["stage"]
    rig = rig_with(
        world,
        tmp_path,
        trigger="TCPIP::127.0.0.1::9::SOCKET",
        gate=stage["address"],
        counter="/nowhere/libph300.so",
        detector_x=f"socket://127.0.0.1:{silent_port}",
        detector_y="/dev/absent",
        thermostat=f"TCPIP::127.0.0.1::{silent_port}::SOCKET",
    )
    done = tplm(tmp_path, "run", "configs/scan_line.yaml", "--rig", rig, "--yes", "--json", *SLOWLY)
    assert done.status == 1, done.err
    assert done.failure["kind"] == "RigError"
    failures = {each["device"]: each for each in done.failure["failures"]}
    assert set(failures) == {"trigger", "gate", "counter", "detector_x", "detector_y", "thermostat"}
    for each in failures.values():
        assert len(each["cause"]) > 10
        assert each["advice"].endswith(".")
        assert f"  - {each['device']} at {each['address']}: {each['cause']}. " in done.err
    assert "/nowhere/libph300.so" in failures["counter"]["cause"]
    assert "in time" in failures["thermostat"]["cause"]
    assert not list(tmp_path.glob("runs/*.h5"))
    assert not world.is_light_on
    monkeypatch.setattr("tplm_daq.rig.links.REPLY_TIMEOUT_S", 0.3)
    monkeypatch.setattr("tplm_daq.rig.wiring.VISA_TIMEOUT_MS", 300)
    asked = tplm_here(tmp_path, "devices", "--rig", rig, "--json")
    assert asked.status == 1
    rows = {row["role"]: row for row in asked.document["devices"]}
    assert {role for role, row in rows.items() if row["status"] == "failed"} == set(failures)
    assert rows["stage"]["status"] == "ok"
    assert all(rows[role]["cause"] and rows[role]["advice"] for role in failures)


def test_a_second_program_on_the_same_rig_is_told_who_has_it(world: ServedWorld, tmp_path: Path) -> None:
    first = start(tmp_path, "run", "configs/scan_line.yaml", "--rig", world.rig, "--json", *SLOWLY)
    wait_for(lambda: status_of(tmp_path).get("state") == "running", first)
    devices = yaml.safe_load(Path(world.rig).read_text(encoding="utf-8"))["devices"].values()
    held = {device["address"] for device in devices if device and "address" in device}
    for words, extra in ((("run", "configs/scan_line.yaml"), SLOWLY), (("devices",), [])):
        second = tplm_here(tmp_path, *words, "--rig", world.rig, "--json", *extra)
        assert second.status == 1, second.err
        assert f"(process {first.pid})" in second.failure["message"]
        assert second.failure["message"].count("Wait for that run to end") == 1
        assert {each["address"] for each in second.failure["failures"]} == held
    assert world.is_light_on
    first.terminate()
    done = finish(first)
    assert done.status == 3
    assert open_run(tmp_path / done.document["run_file"]).n_points == done.document["n_points"]
    assert not world.is_light_on


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (["rig.devices.trigger.high=300mV"], "no sync"),
        (["rig.guards.detector_limit=1kcps"], "detector overload"),
        (["rig.guards.free_disk_mb=1000000000"], "disk"),
    ],
)
def test_a_guard_stops_the_run_before_its_first_point(changes: list[str], says: str, tmp_path: Path) -> None:
    done = tplm_here(tmp_path, "run", "configs/scan_line.yaml", "--json", *settings(*QUICK, *changes))
    assert done.status == 4, done.err
    assert done.failure["kind"] == "GuardStop"
    assert says in done.failure["message"]
    assert not list(tmp_path.glob("runs/*.h5"))


def test_a_light_that_somebody_switches_off_in_mid_scan_is_a_guards_stop(world: ServedWorld, tmp_path: Path) -> None:
    program = start(tmp_path, "run", "configs/scan_line.yaml", "--rig", world.rig, "--json", *SLOWLY)
    wait_for(lambda: status_of(tmp_path).get("n_done", 0) > 0, program)
    world.ask_trigger("OUTP OFF")
    done = finish(program)
    assert done.status == 4, done.err
    message = done.failure["message"]
    assert "no sync" in message or "sync rate is" in message  # of the moment in which it went off, half the pulses
    run = open_run(tmp_path / done.document["run_file"])
    assert run.finish_reason == done.document["finish_reason"] == "guard"
    assert run.n_points == done.document["n_points"] > 0
    assert not world.is_light_on


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no signals to another process")
def test_a_rig_that_dies_in_mid_scan_says_so_and_keeps_the_points(tmp_path: Path) -> None:
    with served_world(tmp_path, "simulation.is_homed=true") as world:
        program = start(tmp_path, "run", "configs/scan_line.yaml", "--rig", world.rig, "--json", *SLOWLY)
        wait_for(lambda: status_of(tmp_path).get("n_done", 0) > 1, program)
        world.program.kill()
        done = finish(program)
    assert done.status == 1, done.err
    assert done.failure["kind"] == "LightMayBeOnError"
    assert "LIGHT MAY BE ON" in done.failure["message"]
    assert "key switch" in done.failure["message"]
    run = open_run(tmp_path / done.document["run_file"])
    assert run.finish_reason == done.document["finish_reason"] == "failed"
    assert run.n_points == done.document["n_points"] > 1
    assert "error" in run.snapshots()["counter"]["end"]

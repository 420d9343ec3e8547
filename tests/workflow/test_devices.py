"""Which devices answer: each on its own, nothing switched on, and what to do about those that do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace

import pytest

import tplm_daq.rig.open as opening
import tplm_daq.rig.probe as probing
from simulators.bench import Bench
from tests.rig.conftest import Nobody, rig_recipe
from tests.rig.test_open import free_port
from tplm_daq.recipes.load import find_config, read_yaml, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig.simulated import SimulatedWorld
from tplm_daq.workflow.devices import DeviceRow, DevicesReport, probe_devices

ROLES = ["counter", "detector_x", "detector_y", "laser", "trigger", "gate", "thermostat", "stage"]


def rows(report: DevicesReport) -> dict[str, DeviceRow]:
    return {row.role: row for row in report.devices}


def probe(*changes: str) -> DevicesReport:
    return probe_devices(rig_recipe(*changes), Nobody())


@pytest.fixture
def before_asking(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Bench], None]], list[Bench]]:
    """Do something to the bench once its doubles run; returns the list that the bench is then put into."""

    def arrange(act: Callable[[Bench], None]) -> list[Bench]:
        start, benches = opening.start_doubles, []

        def start_and_act(recipe: RigRecipe) -> SimulatedWorld:
            world = start(recipe)
            benches.append(world.library._world)  # type: ignore[attr-defined]
            act(benches[0])
            return world

        monkeypatch.setattr(opening, "start_doubles", start_and_act)
        return benches

    return arrange


def test_every_device_of_the_simulated_rig_says_who_it_is() -> None:
    report = probe()
    assert [row.role for row in report.devices] == ROLES
    assert report.n_failed == 0
    found = rows(report)
    assert found["counter"].identity == "PicoHarp 300, serial 1000123, version 2.0"
    assert found["detector_y"].identity.startswith("KST101, serial 26000002")
    assert found["thermostat"].identity.startswith("LSCI,MODEL335")
    assert found["stage"].status == "ok"
    assert found["thermostat"].settings["input_a_k"] == pytest.approx(300.0, abs=0.2)
    assert found["detector_x"].settings["position_mm"] == pytest.approx(7.0, abs=0.1)


def test_the_manual_laser_cannot_be_asked() -> None:
    laser = rows(probe())["laser"]
    assert (laser.model, laser.address, laser.status) == ("pdl800d", "by hand", "manual")


def test_devices_that_the_rig_lacks_are_not_listed() -> None:
    report = probe("devices.gate=null", "devices.stage=null", "devices.thermostat=null")
    assert [row.role for row in report.devices] == ["counter", "detector_x", "detector_y", "laser", "trigger"]


def test_nothing_is_switched_on_and_nothing_moves(before_asking: Callable[..., list[Bench]]) -> None:
    changes: list[str] = []

    def watch(bench: Bench) -> None:
        for name, double in {"trigger": bench._trigger, "gate": bench._gate, **bench._axes}.items():
            double.before_change = lambda name=name: changes.append(name)

    benches = before_asking(watch)
    probe()
    assert benches[0].light().repetition_rate_hz == 0
    assert not benches[0]._trigger.is_output_on
    assert changes == []


@pytest.mark.parametrize("dead", ["trigger", "detector_x", "stage"])
def test_a_dead_device_does_not_hide_the_others(dead: str, before_asking: Callable[..., list[Bench]]) -> None:
    before_asking(lambda bench: bench.servers[dead].close())
    report = probe()
    assert [row.role for row in report.devices if row.status == "failed"] == [dead]
    row = rows(report)[dead]
    assert any(word in str(row.cause) for word in ("refused", "nobody answers"))  # Windows does not tell them apart
    assert str(row.advice).startswith("Check")
    assert report.n_failed == 1


def test_the_wrong_controller_is_a_failure_with_both_numbers() -> None:
    row = rows(probe("devices.detector_x.serial='26999999'"))["detector_x"]
    assert row.cause == "controller 26000001 (KST101) answers, not 26999999"
    assert row.advice == "Correct the port or the serial number in the rig file."


def test_a_laboratory_where_nothing_is_connected_lists_all_of_it() -> None:
    data = read_yaml(find_config("configs/rig_lab.yaml"))
    for role in ("trigger", "gate", "thermostat", "stage"):
        data["devices"][role]["address"] = f"TCPIP::127.0.0.1::{free_port()}::SOCKET"
    data["devices"]["detector_x"]["address"] = data["devices"]["detector_y"]["address"] = "/dev/absent_tty"
    data["devices"]["counter"]["address"] = "/nowhere/libph300.so"
    report = probe_devices(validate(RigRecipe, data, "rig_lab.yaml"), Nobody())
    assert report.n_failed == 7
    assert "/nowhere/libph300.so" in str(rows(report)["counter"].cause)
    assert rows(report)["detector_x"].address == "/dev/absent_tty"


def test_serial_ports_are_listed_with_their_usb_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    def port(name: str, vid: int | None, pid: int | None, serial: str | None) -> tuple[str, SimpleNamespace]:
        return name, SimpleNamespace(device=name, description=name[5:], vid=vid, pid=pid, serial_number=serial)

    ports = [port("/dev/ttyUSB0", 0x0403, 0xFAF0, "26001234")[1], port("/dev/ttyS0", None, None, None)[1]]
    monkeypatch.setattr(probing.list_ports, "comports", lambda: ports)
    found = probing.serial_ports()
    assert [(each.name, each.usb_id, each.serial) for each in found] == [
        ("/dev/ttyS0", None, None),
        ("/dev/ttyUSB0", "0403:faf0", "26001234"),
    ]


def test_the_document_is_plain_json() -> None:
    document = probe().to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert set(document) == {"rig", "devices", "serial_ports"}
    assert {"role", "model", "address", "status", "identity", "cause", "advice", "settings"} == set(
        document["devices"][0]  # type: ignore[index]
    )

"""What can be asked of a rig without running it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.rig.conftest import Nobody, rig_recipe
from tplm_daq.rig import probe


def test_serial_ports_are_listed_by_name_with_what_identifies_them(monkeypatch: pytest.MonkeyPatch) -> None:
    usb = SimpleNamespace(device="COM7", description="KST101", vid=0x0403, pid=0xFAF0, serial_number="26001234")
    plain = SimpleNamespace(device="COM1", description=None, vid=None, pid=None, serial_number=None)
    monkeypatch.setattr(probe.list_ports, "comports", lambda: [usb, plain])
    assert probe.serial_ports() == (
        probe.SerialPort("COM1", "", None, None),
        probe.SerialPort("COM7", "KST101", "0403:faf0", "26001234"),
    )


def test_a_dead_device_hides_no_other_and_a_manual_one_is_not_asked() -> None:
    fault = "simulation.faults=[{fault: port closed, device: thermostat}]"
    answers = {each.role: each for each in probe.ask_devices(rig_recipe(fault), Nobody())}
    assert (answers["laser"].address, answers["laser"].snapshot, answers["laser"].error) == ("", {}, None)
    assert str(answers["thermostat"].error).startswith("thermostat at TCPIP")
    assert answers["thermostat"].snapshot == {}
    others = [each for role, each in answers.items() if role not in ("laser", "thermostat")]
    assert all(each.error is None and each.snapshot for each in others)
    assert answers["counter"].model == "picoharp300"

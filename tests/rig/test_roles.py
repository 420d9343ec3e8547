"""Every role adapter, on the real driver and its double, does what its role promises."""

from __future__ import annotations

import math

import pytest

from tests.rig.conftest import OpenRig
from tplm_daq import roles
from tplm_daq.errors import DeviceError

ROLES = {
    "laser": roles.Laser,
    "gate": roles.LightGate,
    "counter": roles.PhotonCounter,
    "detector": roles.Positioner,
    "thermostat": roles.Thermostat,
    "stage": roles.SampleStage,
}


@pytest.mark.parametrize("role", ROLES)
def test_device_plays_its_role(role: str, open_simulated: OpenRig) -> None:
    rig, _ = open_simulated()
    device = rig.devices()[role]
    assert isinstance(device, ROLES[role])
    assert device.name
    assert device.address


@pytest.mark.parametrize("role", ROLES)
def test_snapshot_is_plain_and_complete(role: str, open_simulated: OpenRig) -> None:
    rig, _ = open_simulated()
    snapshot = rig.devices()[role].snapshot()
    assert snapshot
    assert all(isinstance(value, float | int | bool | str) for value in snapshot.values())
    assert all(key == key.lower() for key in snapshot)


@pytest.mark.parametrize("role", ROLES)
def test_making_safe_twice_is_harmless(role: str, open_simulated: OpenRig) -> None:
    rig, bench = open_simulated()
    device = rig.devices()[role]
    device.make_safe()
    device.make_safe()
    assert bench.sync_rate_hz() == 0


@pytest.mark.usefixtures("short_time_outs")
def test_a_snapshot_of_the_rig_survives_a_dead_device(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated()
    bench.servers["stage"].close()
    snapshot = rig.snapshot()
    assert "stage at TCPIP" in str(snapshot["stage"])
    assert set(snapshot) == set(ROLES)
    assert snapshot["counter"]["model"] == "PicoHarp 300"  # type: ignore[index]


def test_light_is_on_only_with_trigger_and_gate(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated()
    assert rig.gate is not None
    rig.laser.prepare(2.5e6, 10.0)
    assert bench.light().repetition_rate_hz == 0
    rig.gate.allow()
    rig.laser.turn_on()
    assert bench.light().repetition_rate_hz == 2.5e6
    assert bench.light().average_power_nw == pytest.approx(10.0, rel=1e-12)
    rig.gate.block()
    assert bench.light().average_power_nw == 0
    rig.gate.allow()
    rig.laser.turn_off()
    assert bench.light().average_power_nw == 0


def test_what_the_operator_set_is_recorded_as_declared(open_simulated: OpenRig) -> None:
    rig, _ = open_simulated()
    assert math.isnan(rig.laser.average_power_nw())
    rig.laser.prepare(5e6, 2.0)
    assert rig.laser.average_power_nw() == 2.0
    snapshot = rig.laser.snapshot()
    assert snapshot["declared_average_power_nw"] == 2.0
    assert snapshot["declared_by"] == "operator's double"
    assert snapshot["repetition_rate_hz"] == 5e6


def test_the_counter_meters_the_sync_that_the_trigger_gives(open_simulated: OpenRig) -> None:
    rig, _ = open_simulated()
    assert rig.gate is not None
    rig.counter.configure(16.0, 2.5e6)
    rig.laser.prepare(2.5e6, 10.0)
    rig.gate.allow()
    rig.laser.turn_on()
    rig.clock.sleep(0.3)
    assert rig.counter.rates().sync_hz == 2.5e6


def test_the_temperature_comes_from_the_sample_input(open_simulated: OpenRig) -> None:
    rig, _ = open_simulated()
    assert rig.thermostat is not None
    assert rig.thermostat.temperature_k() == pytest.approx(300.0, abs=0.1)
    rig.thermostat.set_temperature(301.0)
    assert rig.thermostat.snapshot()["is_ramping"] is True


@pytest.mark.parametrize("role", ROLES)
def test_closing_ends_the_connection_and_leaves_the_light_to_others(role: str, open_simulated: OpenRig) -> None:
    rig, bench = open_simulated()
    rig.laser.prepare(2.5e6, 10.0)
    rig.laser.turn_on()
    device = rig.devices()[role]
    device.close()
    with pytest.raises(DeviceError, match=f"{role}|trigger"):
        device.snapshot()
    assert bench._trigger.is_output_on
    rig.make_safe()
    assert not bench._trigger.is_output_on

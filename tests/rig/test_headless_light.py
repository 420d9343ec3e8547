"""A rig with wheel and meter sets its power without a hand; a Cryostation plays the thermostat as a Lake Shore does."""

from __future__ import annotations

from math import isnan

import pytest

from tests.rig.conftest import Nobody, OpenRig, rig_recipe
from tplm_daq.errors import DeviceError, InputError
from tplm_daq.rig.probe import ask_devices

DENSITIES = "devices.attenuator={model: fw102c, address: double, densities: [0, 1, 2, 3, 3.43, 4]}"
METER = "devices.power_meter={model: pm100d, address: double, sample_per_meter: 0.2}"
CRYOSTATION = "devices.thermostat={model: cryostation, address: double}"


def test_the_power_is_set_and_measured_when_the_light_comes_on(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated(DENSITIES, METER)
    assert rig.gate is not None
    rig.laser.prepare(2.5e6, 10.0)
    assert bench.light().average_power_nw == 0
    rig.gate.allow()
    rig.laser.turn_on()
    assert bench.light().average_power_nw == pytest.approx(9.955, rel=1e-3)
    assert rig.laser.average_power_nw() == pytest.approx(bench.light().average_power_nw, rel=0.01)
    snapshot = rig.laser.snapshot()
    assert snapshot["attenuator_position"] == 5
    assert snapshot["declared_by"] == "power_meter, trigger generator"


def test_the_power_is_measured_again_when_the_last_reading_is_old(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated(DENSITIES, METER, "simulation.power_noise=20 %")
    assert rig.gate is not None
    rig.laser.prepare(2.5e6, 10.0)
    assert isnan(rig.laser.average_power_nw())
    rig.gate.allow()
    rig.laser.turn_on()
    first_nw = rig.laser.average_power_nw()
    rig.clock.sleep(20.0)
    assert rig.laser.measured_power_nw(30.0) == first_nw
    rig.clock.sleep(20.0)
    later_nw = rig.laser.measured_power_nw(30.0)
    assert later_nw == rig.laser.average_power_nw() != first_nw
    assert later_nw == pytest.approx(bench.light().average_power_nw, rel=0.01)


def test_missing_sync_pulses_are_explained_by_a_trigger_that_somebody_switched_off(open_simulated: OpenRig) -> None:
    rig, _ = open_simulated()
    rig.laser.prepare(2.5e6, 10.0)
    assert "the watchdog or another program" in rig.laser.explain_sync(0.0)
    rig.laser.turn_on()
    assert rig.laser.explain_sync(0.0) == ""


def test_without_a_meter_nothing_measures_the_power(open_simulated: OpenRig) -> None:
    rig, _ = open_simulated()
    rig.laser.prepare(2.5e6, 10.0)
    assert rig.laser.measured_power_nw(0.0) is None
    assert rig.laser.average_power_nw() == 10.0


def test_light_goes_off_and_on_again_without_another_search(open_simulated: OpenRig) -> None:
    rig, _ = open_simulated(DENSITIES, METER)
    assert rig.gate is not None
    rig.laser.prepare(2.5e6, 10.0)
    rig.gate.allow()
    rig.laser.turn_on()
    before_s = rig.clock.now()
    rig.laser.turn_off()
    rig.laser.turn_on()
    assert rig.clock.now() == before_s
    assert rig.laser.is_on()


def test_a_power_that_no_filter_gives_leaves_no_light(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated(DENSITIES, METER)
    assert rig.gate is not None
    rig.laser.prepare(2.5e6, 50.0)
    rig.gate.allow()
    with pytest.raises(DeviceError, match=r"power_meter at TCPIP.*\(OD 3\) gives 26.8 nW .* 50 nW .*Ask for one of"):
        rig.laser.turn_on()
    assert bench.light().average_power_nw == 0


def test_a_blocked_gate_is_found_by_the_meter(open_simulated: OpenRig) -> None:
    rig, _ = open_simulated(DENSITIES, METER)
    assert rig.gate is not None
    rig.gate.block()
    rig.laser.prepare(2.5e6, 10.0)
    with pytest.raises(DeviceError, match="no light through the brightest filter .* the gate is open"):
        rig.laser.turn_on()


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        ((DENSITIES,), "attenuator needs power_meter beside it"),
        ((METER,), "power_meter needs attenuator beside it"),
        (
            (DENSITIES, METER, "guards.power_tolerance=5 %"),
            r"guards.power_tolerance of 5% must be above the 10% of devices.power_meter.tolerance",
        ),
        ((DENSITIES.replace("4]", "4, 5]"), METER), "densities has 7 values, but a fw102c has 6 positions"),
    ],
)
def test_half_of_an_attenuator_is_refused(assignments: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        rig_recipe(*assignments)


def test_a_cryostation_in_place_of_the_lake_shore(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated(CRYOSTATION)
    assert rig.thermostat is not None
    rig.thermostat.set_temperature(250.0)
    rig.clock.sleep(600.0)
    assert rig.thermostat.is_settled()
    assert rig.thermostat.temperature_k() == pytest.approx(250.0, abs=0.01)
    assert bench._conditions(bench.light()).temperature_k == pytest.approx(250.0, abs=0.01)


def test_the_gate_may_be_the_second_output_of_its_generator(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated("devices.gate.channel=2")
    assert rig.gate is not None
    rig.laser.prepare(2.5e6, 10.0)
    rig.gate.allow()
    rig.laser.turn_on()
    assert bench.light().repetition_rate_hz == 2.5e6
    rig.gate.block()
    assert bench.light().average_power_nw == 0


def test_every_device_tells_who_it_is_on_its_own() -> None:
    answers = {answer.role: answer for answer in ask_devices(rig_recipe(DENSITIES, METER, CRYOSTATION), Nobody())}
    assert {role for role, answer in answers.items() if answer.error is not None} == set()
    assert "FW102C" in str(answers["attenuator"].snapshot["model"])
    assert "PM100D" in str(answers["power_meter"].snapshot["model"])
    assert "Cryostation" in str(answers["thermostat"].snapshot["model"])

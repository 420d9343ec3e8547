"""The thermostat role on real drivers and their doubles: limits, faults, settling, and two threads at once."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator

import pytest

from drivers.cryostation import Cryostation
from drivers.lakeshore335 import MINIMUM_GAP_S, LakeShore335
from simulators.clock import SimClock
from simulators.cryostation import Cryostation as CryostationDouble
from simulators.lakeshore335 import LakeShore335 as LakeShoreDouble
from simulators.server import DoubleServer
from tplm_daq import roles
from tplm_daq.errors import DeviceError, DeviceTimeout, LimitError
from tplm_daq.recipes.devices import ThermostatDevice
from tplm_daq.recipes.rig import Limits
from tplm_daq.rig.links import Link, PacedAdapter
from tplm_daq.rig.thermostat import CryostationThermostat, LakeShoreThermostat

LIMITS = Limits(highest_temperature_k="310 K", temperature_rate_k_min="10 K/min")


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


@pytest.fixture
def box() -> LakeShoreDouble:
    return LakeShoreDouble()


@pytest.fixture
def lakeshore(box: LakeShoreDouble, clock: SimClock) -> Iterator[LakeShoreThermostat]:
    server = DoubleServer(box, clock)
    clock.before_each_step(server.catch_up)
    driver = LakeShore335(server.visa_address, timeout=500)
    driver.adapter = PacedAdapter(driver.adapter, clock, MINIMUM_GAP_S)
    driver.identify()
    device = ThermostatDevice(model="lakeshore335", address=server.visa_address, input="B")
    yield LakeShoreThermostat(Link("thermostat", server.visa_address, "Check it."), driver, device, LIMITS)
    driver.adapter.close()
    server.close()


@pytest.fixture
def cryostat() -> CryostationDouble:
    return CryostationDouble()


@pytest.fixture
def cryostation(cryostat: CryostationDouble, clock: SimClock) -> Iterator[CryostationThermostat]:
    server = DoubleServer(cryostat, clock)
    clock.before_each_step(server.catch_up)
    driver = Cryostation(server.visa_address, timeout=500)
    yield CryostationThermostat(Link("thermostat", server.visa_address, "Check it."), driver, "sample", LIMITS, clock)
    driver.adapter.close()
    server.close()


@pytest.fixture(params=["lakeshore", "cryostation"])
def either(request: pytest.FixtureRequest) -> LakeShoreThermostat | CryostationThermostat:
    thermostat: LakeShoreThermostat | CryostationThermostat = request.getfixturevalue(request.param)
    return thermostat


def test_both_play_the_role(either: LakeShoreThermostat | CryostationThermostat) -> None:
    assert isinstance(either, roles.Thermostat)
    assert either.ramp_k_min > 0
    snapshot = either.snapshot()
    assert all(isinstance(value, float | int | bool | str) for value in snapshot.values())
    either.make_safe()


def test_a_temperature_is_reached_and_only_then_settled(
    either: LakeShoreThermostat | CryostationThermostat, clock: SimClock
) -> None:
    either.set_temperature(290.0)
    assert not either.is_settled()
    clock.sleep(20.0)
    assert not either.is_settled()
    clock.sleep(600.0)
    assert either.is_settled()
    assert either.temperature_k() == pytest.approx(290.0, abs=0.05)


@pytest.mark.parametrize("kelvin", [3.9, 310.1, -4.0, math.nan])
def test_what_the_rig_does_not_allow_is_not_sent(
    either: LakeShoreThermostat | CryostationThermostat,
    box: LakeShoreDouble,
    cryostat: CryostationDouble,
    kelvin: float,
) -> None:
    for double in (box, cryostat):
        double.before_change = lambda: pytest.fail("something was changed")
    with pytest.raises(LimitError, match="is outside 4 to 310 K. See limits in the rig file"):
        either.set_temperature(kelvin)


def test_the_boxs_own_limit_is_set_before_it_is_sent_anywhere(
    lakeshore: LakeShoreThermostat, box: LakeShoreDouble
) -> None:
    lakeshore.set_temperature(290.0)
    assert box.exchange(b"TLIMIT? A;TLIMIT? B\n") == b"+0320;+0000\r\n"


def test_a_lower_limit_that_somebody_has_set_is_kept(lakeshore: LakeShoreThermostat, box: LakeShoreDouble) -> None:
    box.exchange(b"TLIMIT A,305\n")
    lakeshore.set_temperature(290.0)
    assert box.exchange(b"TLIMIT? A\n") == b"+0305\r\n"


def test_connecting_and_looking_set_nothing(lakeshore: LakeShoreThermostat, box: LakeShoreDouble) -> None:
    box.before_change = lambda: pytest.fail("something was changed")
    lakeshore.temperature_k()
    lakeshore.snapshot()
    assert lakeshore.is_settled()


def test_heaters_are_switched_off_on_request_and_confirmed(
    lakeshore: LakeShoreThermostat, box: LakeShoreDouble
) -> None:
    assert box.exchange(b"RANGE? 1\n") != b"0\r\n"
    lakeshore.heaters_off()
    assert box.exchange(b"RANGE? 1;RANGE? 2\n") == b"0;0\r\n"


def test_heaters_that_stay_on_are_told(lakeshore: LakeShoreThermostat, box: LakeShoreDouble) -> None:
    box.platform.outputs[1].range = 2
    answer = box.answer
    box.answer = lambda frame: answer(frame.replace(b"RANGE 1,0;", b""))  # type: ignore[method-assign]
    with pytest.raises(
        DeviceError, match="heater ranges 2 and 0 after both were switched off; press its Heater Off key"
    ):
        lakeshore.heaters_off()


def test_a_lost_sensor_under_the_heater_switches_it_off(lakeshore: LakeShoreThermostat, box: LakeShoreDouble) -> None:
    box.unplug("A")
    with pytest.raises(DeviceError, match="output 1 is off because input A, on which it heats, gives no temperature"):
        lakeshore.temperature_k()
    assert box.exchange(b"RANGE? 1\n") == b"0\r\n"
    assert lakeshore.temperature_k() == pytest.approx(300.0, abs=0.1)


def test_a_lost_sensor_at_the_sample_is_told_and_nothing_is_switched(
    lakeshore: LakeShoreThermostat, box: LakeShoreDouble
) -> None:
    box.unplug("B")
    with pytest.raises(DeviceError, match=r"input B gives no temperature \(INVALID\|SENSOR_OVER_RANGE\)"):
        lakeshore.temperature_k()
    assert box.exchange(b"RANGE? 1\n") == b"2\r\n"


@pytest.mark.parametrize("heater_error, name", [(1, "OPEN_LOAD"), (2, "SHORT")])
def test_a_heater_fault_is_told_at_every_reading(
    lakeshore: LakeShoreThermostat, box: LakeShoreDouble, heater_error: int, name: str
) -> None:
    box.break_heater(1, heater_error)
    for _ in range(2):
        with pytest.raises(DeviceError, match=f"output 1 is off because its heater reports {name}. Look at the heater"):
            lakeshore.temperature_k()
    with pytest.raises(DeviceError, match=name):
        lakeshore.set_temperature(290.0)


def test_a_fault_that_leaves_the_heater_on_switches_it_off(
    lakeshore: LakeShoreThermostat, box: LakeShoreDouble
) -> None:
    box.platform.outputs[1].heater_error = 2
    with pytest.raises(DeviceError, match="SHORT"):
        lakeshore.temperature_k()
    assert box.exchange(b"RANGE? 1\n") == b"0\r\n"


def test_a_stuck_ramp_never_counts_as_settled(
    lakeshore: LakeShoreThermostat, box: LakeShoreDouble, clock: SimClock
) -> None:
    lakeshore.set_temperature(299.95)
    box.stick_ramp(1)
    clock.sleep(3600.0)
    assert not lakeshore.is_settled()


def test_a_power_failure_is_told(lakeshore: LakeShoreThermostat, box: LakeShoreDouble) -> None:
    box.lose_power()
    with pytest.raises(DeviceError, match="has been switched off and on: its heaters are off"):
        lakeshore.temperature_k()


def test_two_threads_never_get_each_others_answers(lakeshore: LakeShoreThermostat, clock: SimClock) -> None:
    wrong: list[object] = []

    def ask(question: str) -> None:
        for _ in range(40):
            if question == "temperature" and abs((kelvin := lakeshore.temperature_k()) - 300.0) > 1.0:
                wrong.append(kelvin)
            if question == "snapshot" and (percent := lakeshore.snapshot()["heater_percent"]) > 99.0:  # type: ignore[operator]
                wrong.append(percent)

    threads = [threading.Thread(target=ask, args=(question,)) for question in ("temperature", "snapshot")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30.0)
    assert wrong == []


def test_a_cryostation_has_no_way_to_switch_heaters_off(cryostation: CryostationThermostat) -> None:
    with pytest.raises(DeviceError, match="no order that switches its heaters off. Use its program, and write"):
        cryostation.heaters_off()


def test_a_thermometer_that_is_not_there_is_told(
    cryostation: CryostationThermostat, cryostat: CryostationDouble
) -> None:
    cryostat.missing.add("sample")
    assert not cryostation.is_settled()
    with pytest.raises(
        DeviceError, match="the sample thermometer gives no temperature. Check its plug, or name another"
    ):
        cryostation.temperature_k()


def test_an_alarm_blocks_new_temperatures_and_no_readings(
    cryostation: CryostationThermostat, cryostat: CryostationDouble
) -> None:
    cryostat.has_alarm = True
    assert cryostation.temperature_k() == pytest.approx(295.0)
    with pytest.raises(DeviceError, match="it reports an alarm. Look at what its program says"):
        cryostation.set_temperature(290.0)
    assert cryostat.setpoint_k == 295.0


def test_a_set_point_that_is_not_taken_over_is_told(
    cryostation: CryostationThermostat, cryostat: CryostationDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cryostat, "_set_setpoint", lambda text: "OK, Temperature Set Point = 295.00")
    with pytest.raises(
        DeviceTimeout, match="shows a set point of 295 K 10 s after 290 K was sent. Somebody may be using"
    ):
        cryostation.set_temperature(290.0)

"""The Lake Shore driver and its double over loopback."""

from math import isnan

import pytest

from drivers.lakeshore335 import LakeShore335
from drivers.lakeshore335_codec import HeaterStatus, Mode
from simulators.clock import SimClock
from simulators.lakeshore335 import LakeShore335 as LakeShoreDouble
from simulators.server import DoubleServer
from tests.drivers.marks import needs_visa_over_a_url


@pytest.fixture
def double():
    return LakeShoreDouble()


@pytest.fixture
def controller(double):
    server = DoubleServer(double, SimClock())
    driver = LakeShore335(server.visa_address, timeout=300)
    driver.identify()
    driver.input_A.limit_k = 320.0
    yield driver
    driver.adapter.close()
    server.close()


def test_another_box_is_named(controller, monkeypatch, double):
    monkeypatch.setattr(double, "answer", lambda frame: b"?x\x12\r\n" if frame.strip() else b"")
    with pytest.raises(ConnectionError, match="answered, not a Model 335; .*7 data bits, odd parity"):
        controller.identify()


def test_identification_clears_what_was_left_half_said(controller, double):
    double.exchange(b"NONSENSE\n")
    assert controller.identify().startswith("LSCI,MODEL335")
    assert double.exchange(b"*ESR?\n") == b"000\r\n"


@pytest.mark.parametrize("is_setpoint_moving", [True, False])
def test_a_ramp_ends_at_its_setpoint(controller, double, is_setpoint_moving):
    double.is_setpoint_moving = is_setpoint_moving
    controller.output_1.ramp_to(290.0, 5.0)
    double.process(60.0)
    controller.output_1.setpoint = 292.0
    assert controller.output_1.state.is_ramping
    double.process(600.0)
    assert not controller.output_1.state.is_ramping
    assert controller.output_1.setpoint == 292.0
    assert controller.input_B.kelvin == pytest.approx(292.0, abs=0.05)


def test_a_setpoint_without_a_ramp_is_refused(controller, double):
    with pytest.raises(ValueError, match="would be approached at inf K/min, more than the 10 .*use ramp_to"):
        controller.output_1.setpoint = 290.0
    assert double.exchange(b"SETP? 1\n") == b"+300.000\r\n"


def test_without_a_sensor_nothing_heats(controller, double):
    double.unplug("A")
    controller.heaters_off()
    with pytest.raises(ValueError, match="no valid temperature to control on .*check the sensor before heating"):
        controller.output_1.heater_range = "low"
    with pytest.raises(ValueError, match="no valid temperature to control on"):
        controller.output_1.ramp_to(290.0, 5.0)
    assert isnan(controller.input_A.kelvin)


def test_a_heater_fault_is_kept_until_somebody_has_looked(controller, double):
    double.break_heater(1)
    assert controller.poll().outputs[1].heater_fault is HeaterStatus.OPEN_LOAD
    assert controller.poll().outputs[1].heater_fault is HeaterStatus.OPEN_LOAD
    with pytest.raises(ValueError, match="reported OPEN_LOAD; look at the heater, then call acknowledge_heater_fault"):
        controller.output_1.heater_range = "low"
    controller.output_1.acknowledge_heater_fault()
    controller.output_1.heater_range = "low"
    assert controller.output_1.heater_range == "low"


def test_a_setpoint_from_the_front_panel_is_checked_before_the_heater_goes_on(controller, double):
    double.exchange(b"RANGE 1,0;SETP 1,400\n")
    with pytest.raises(ValueError, match="setpoint 400 K is outside 0 to 310 K"):
        controller.output_1.heater_range = "low"


def test_an_output_without_a_loop_is_not_switched_on(controller):
    with pytest.raises(ValueError, match="output 2 is in mode OFF; assign a loop first"):
        controller.output_2.heater_range = "low"


def test_the_mode_changes_only_with_the_heater_off(controller, double):
    with pytest.raises(ValueError, match="output 1 is in range medium; switch it off first"):
        controller.output_1.assign(Mode.OPEN_LOOP, "A")
    controller.heaters_off()
    controller.output_1.assign(Mode.OPEN_LOOP, "A")
    assert double.exchange(b"OUTMODE? 1\n") == b"3,1,0\r\n"


@pytest.mark.parametrize("heaters, shown", [("hold", b"2\r\n"), ("off", b"0\r\n")])
def test_shutdown_holds_the_temperature_unless_told_otherwise(controller, double, heaters, shown):
    controller.shutdown(heaters)
    assert double.exchange(b"RANGE? 1\n") == shown


def test_a_command_the_box_does_not_know_is_a_timeout(controller):
    with pytest.raises(TimeoutError, match="Lake Shore 335 did not answer in time; it is silent about commands"):
        controller.ask("SYST:ERR?")


def test_looking_changes_nothing(controller, double):
    double.before_change = lambda: pytest.fail("something was changed")
    controller.identify()
    controller.poll()
    assert controller.input_A.kelvin == pytest.approx(300.0, abs=0.05)


@needs_visa_over_a_url
def test_the_serial_defaults_are_those_of_the_box(double):
    server = DoubleServer(double, SimClock())
    controller = LakeShore335(f"ASRLsocket://127.0.0.1:{server.port}::INSTR", timeout=300)
    connection = controller.adapter.connection
    settings = (connection.baud_rate, connection.data_bits, connection.parity.name, connection.stop_bits.name)
    temperature_k = controller.input_A.kelvin
    controller.adapter.close()
    server.close()
    assert settings == (57600, 7, "odd", "one")
    assert temperature_k == pytest.approx(300.0, abs=0.05)

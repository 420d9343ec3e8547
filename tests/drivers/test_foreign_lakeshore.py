"""The maker's own client of the Model 335 on our double: two programs of ours that agree would prove little."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simulators.clock import SimClock
from simulators.lakeshore335 import LakeShore335
from simulators.server import DoubleServer

lakeshore = pytest.importorskip("lakeshore", reason="a peer of the extra `dev`")
Model335 = lakeshore.Model335


@pytest.fixture
def double() -> LakeShore335:
    return LakeShore335(temperature_k=295.0)


@pytest.fixture
def client(double: LakeShore335) -> Iterator[Any]:
    server = DoubleServer(double, SimClock())
    client = Model335(57600, ip_address="127.0.0.1", tcp_port=server.port)
    yield client
    client.disconnect_tcp()
    server.close()


def test_it_identifies_the_box_and_finds_it_in_order(client: Any) -> None:
    assert client.query("*IDN?").startswith("LSCI,MODEL335")
    assert client.get_self_test() is False


def test_it_reads_both_inputs_in_every_unit(client: Any) -> None:
    assert client.get_all_kelvin_reading() == pytest.approx([295.0, 295.0], abs=0.1)
    assert client.get_kelvin_reading("B") == pytest.approx(295.0, abs=0.1)
    assert client.get_celsius_reading("A") == pytest.approx(21.85, abs=0.1)
    assert client.get_sensor_reading("A") == pytest.approx(0.42, abs=0.01)


def test_it_sees_an_unplugged_sensor(client: Any, double: LakeShore335) -> None:
    assert not client.get_input_reading_status("B").invalid_reading
    double.unplug("B")
    assert client.get_input_reading_status("B").invalid_reading


def test_it_sets_a_loop_up(client: Any) -> None:
    client.set_heater_output_mode(2, Model335.HeaterOutputMode.CLOSED_LOOP, Model335.InputSensor.CHANNEL_B, True)
    assert client.get_heater_output_mode(2) == {
        "mode": Model335.HeaterOutputMode.CLOSED_LOOP,
        "channel": Model335.InputSensor.CHANNEL_B,
        "powerup_enable": True,
    }
    client.set_heater_pid(2, 40.0, 15.0, 2.0)
    assert client.get_heater_pid(2) == {"gain": 40.0, "integral": 15.0, "derivative": 2.0}
    client.set_manual_output(2, 12.5)
    assert client.get_manual_output(2) == 12.5
    client.set_control_setpoint(2, 77.35)
    assert client.get_control_setpoint(2) == pytest.approx(77.35)


def test_it_ramps(client: Any, double: LakeShore335) -> None:
    client.set_setpoint_ramp_parameter(1, True, 6.0)
    assert client.get_setpoint_ramp_parameter(1) == {"ramp_enable": True, "rate_value": 6.0}
    client.set_control_setpoint(1, 290.0)
    assert client.get_setpoint_ramp_status(1)
    double.process(600.0)
    assert not client.get_setpoint_ramp_status(1)
    assert client.get_kelvin_reading("A") == pytest.approx(290.0, abs=0.1)


def test_it_switches_heaters(client: Any, double: LakeShore335) -> None:
    assert client.get_heater_range(1) == Model335.HeaterRange.MEDIUM
    assert client.get_heater_output(1) > 50.0
    client.all_heaters_off()
    assert client.get_heater_range(1) == Model335.HeaterRange.OFF
    client.set_heater_range(1, Model335.HeaterRange.LOW)
    assert client.get_heater_range(1) == Model335.HeaterRange.LOW
    double.break_heater(1)
    assert client.get_heater_status(1) == Model335.HeaterError.HEATER_OPEN_LOAD
    assert client.get_heater_status(1) == Model335.HeaterError.NO_ERROR


def test_it_sets_limit_curve_name_and_sensor(client: Any) -> None:
    client.set_temperature_limit("A", 320.0)
    assert client.get_temperature_limit("A") == 320.0
    client.set_input_curve("A", 21)
    assert client.get_input_curve("A") == 21
    client.set_sensor_name("A", "Cold finger")
    assert client.get_sensor_name("A").strip() == "Cold finger"
    sensor = client.get_input_sensor("A")
    assert sensor.sensor_type == Model335.InputSensorType.DIODE
    sensor.units = Model335.InputSensorUnits.CELSIUS
    client.set_input_sensor("A", sensor)
    assert client.get_input_sensor("A").units == Model335.InputSensorUnits.CELSIUS


def test_it_reads_and_writes_what_the_heater_is(client: Any) -> None:
    client.set_heater_setup_one(Model335.HeaterResistance.HEATER_50_OHM, 1.03, Model335.HeaterOutputDisplay.POWER)
    setup = client.get_heater_setup(1)
    assert setup["max_current"] == pytest.approx(1.03)
    assert setup["output_display_mode"] == Model335.HeaterOutputDisplay.POWER


def test_it_resets_the_box_and_sees_the_event_registers(client: Any, double: LakeShore335) -> None:
    client.reset_instrument()
    assert double.exchange(b"RANGE? 1;RAMP? 1\n") == b"0;0,000.0\r\n"
    client.command("*ESE 32")
    assert client.query("*STB?") == "000"
    double.exchange(b"NONSENSE\n")
    assert client.query("*STB?", check_errors=False) == "032"


def test_it_hears_of_a_refused_command(client: Any) -> None:
    with pytest.raises(Exception, match=r"(?i)error"):
        client.command("RANGE 1,9")

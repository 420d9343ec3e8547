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


def test_it_sets_display_keypad_and_interface(client: Any) -> None:
    client.set_brightness(Model335.BrightnessLevel.QUARTER)
    assert client.get_brightness() == Model335.BrightnessLevel.QUARTER
    client.set_display_setup(Model335.DisplaySetup.INPUT_A)
    assert client.get_display_setup() == Model335.DisplaySetup.INPUT_A
    client.set_display_field_settings(2, Model335.InputChannel.INPUT_B, Model335.DisplayFieldUnits.CELSIUS)
    assert client.get_display_field_settings(2) == {
        "input_channel": Model335.InputChannel.INPUT_B,
        "display_units": Model335.DisplayFieldUnits.CELSIUS,
    }
    client.set_led_state(False)
    assert client.get_led_state() is False
    client.set_keypad_lock(True, 456)
    assert client.get_keypad_lock() == {"state": True, "code": 456}
    client.set_remote_interface_mode(Model335.InterfaceMode.REMOTE_LOCAL_LOCK)
    assert client.get_remote_interface_mode() == Model335.InterfaceMode.REMOTE_LOCAL_LOCK
    client.set_ieee_488(9)
    assert client.get_ieee_488() == 9


def test_it_sets_filter_excitation_and_zones(client: Any) -> None:
    client.set_filter("B", True, 16, 4)
    assert client.get_filter("B") == {"filter_enable": True, "data_points": 16, "reset_threshold": 4}
    assert client.get_filter("A")["filter_enable"] is False
    client.set_diode_excitation_current("A", Model335.DiodeCurrent.ONE_MILLIAMP)
    assert client.get_diode_excitation_current("A") == Model335.DiodeCurrent.ONE_MILLIAMP
    zone = lakeshore.Model335ControlLoopZoneSettings(
        77.5, 30.0, 12.0, 1.5, 5.0, Model335.HeaterRange.LOW, Model335.InputSensor.CHANNEL_B, 2.5
    )
    client.set_control_loop_zone_table(2, 3, zone)
    assert vars(client.get_control_loop_zone_table(2, 3)) == pytest.approx(vars(zone))
    assert client.get_control_loop_zone_table(1, 3).upper_bound == 0.0


def test_it_writes_a_curve_and_reads_it_back(client: Any) -> None:
    header = client.get_curve_header(1)
    assert (header.curve_name.strip(), header.serial_number) == ("DT-470", "STANDARD C")
    header.curve_name, header.serial_number, header.temperature_limit = "Film 3, cold", "D123", 325.0
    client.set_curve_header(23, header)
    points = [(0.51, 305.0), (1.02, 77.35), (1.626, 4.2)]
    for index, (volts, kelvin) in enumerate(points, start=1):
        client.set_curve_data_point(23, index, volts, kelvin)
    assert [client.get_curve_data_point(23, index) for index in (1, 2, 3)] == points
    assert client.get_curve_data_point(23, 4) == (0.0, 0.0)
    assert client.query("CRVHDR? 23") == "Film 3, cold   ,D123      ,2,+325.000,1"
    client.delete_curve(23)
    assert client.get_curve_data_point(23, 1) == (0.0, 0.0)
    with pytest.raises(Exception, match="Execution Error"):
        client.set_curve_header(5, header)


def test_alarms_switch_relays_and_stay_if_they_are_latched(client: Any, double: LakeShore335) -> None:
    settings = lakeshore.temperature_controllers.AlarmSettings(290.0, 100.0, 1.0, True, audible=False, visible=True)
    assert client.get_alarm_status("A") == {"high_state_enabled": False, "low_state_enabled": False}
    client.set_alarm_parameters("A", True, settings)
    assert client.get_alarm_parameters("A").high_value == 290.0
    client.set_relay_alarms(1, "A", Model335.RelayControlAlarm.HIGH_ALARM)
    client.set_relay_alarms(2, "A", Model335.RelayControlAlarm.LOW_ALARM)
    assert client.get_alarm_status("A") == {"high_state_enabled": True, "low_state_enabled": False}
    assert (client.get_relay_status(1), client.get_relay_status(2)) == (True, False)
    assert client.get_operation_condition().alarm
    client.set_control_setpoint(1, 280.0)
    double.process(3600.0)
    assert client.get_kelvin_reading("A") < 290.0
    assert client.get_alarm_status("A")["high_state_enabled"]
    client.reset_alarm_status()
    assert not client.get_alarm_status("A")["high_state_enabled"]
    client.set_alarm_parameters("A", False)
    assert client.get_alarm_parameters("A").high_value == 290.0
    client.turn_relay_on(2)
    assert client.get_relay_status(2)
    assert client.get_relay_control_mode(2) == Model335.RelayControlMode.RELAY_ON


def test_it_follows_extremes_and_a_monitor_output(client: Any, double: LakeShore335) -> None:
    client.reset_min_max_data()
    client.get_kelvin_reading("A")
    client.set_control_setpoint(1, 290.0)
    double.process(3600.0)
    extremes = client.get_min_max_data("A")
    assert extremes["maximum"] - extremes["minimum"] == pytest.approx(5.0, abs=0.2)
    client.set_monitor_output_heater(Model335.InputSensor.CHANNEL_A, 580.0, 0.0)
    assert client.get_monitor_output_heater()["high_value"] == 580.0
    assert client.get_analog_output_percentage(2) == 0.0
    client.set_heater_output_mode(2, Model335.HeaterOutputMode.MONITOR_OUT, Model335.InputSensor.CHANNEL_A)
    assert client.get_analog_output_percentage(2) == pytest.approx(50.0, abs=0.1)
    client.set_output_two_polarity(Model335.Polarity.BIPOLAR)
    assert client.get_output_2_polarity() == Model335.Polarity.BIPOLAR


def test_an_autotuning_begins_near_the_setpoint_only(client: Any, double: LakeShore335) -> None:
    client.set_autotune(1, Model335.AutotuneMode.P_I)
    assert client.get_tuning_control_status()["active_tuning_enable"]
    double.process(400.0)
    assert not client.get_tuning_control_status()["active_tuning_enable"]
    assert client.get_tuning_control_status()["stage_status"] == 10
    client.set_control_setpoint(1, 200.0)
    with pytest.raises(Exception, match="autotune error"):
        client.set_autotune(1, Model335.AutotuneMode.P_I)
    assert client.get_tuning_control_status()["tuning_error"]


def test_operation_events_reach_the_status_byte(client: Any) -> None:
    events = client.get_operation_event_enable()
    events.new_sensor_reading = True
    client.set_operation_event_enable(events)
    assert client.get_operation_event_enable().new_sensor_reading
    assert int(client.query("*STB?")) & 128
    assert client.get_operation_event().new_sensor_reading

"""The ANC350 driver and the ANC350 double, which share no code, understand each other over TCP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import serial
from pymeasure.adapters import SerialAdapter

from drivers.anc350 import ANC350, SILENCE_S
from drivers.anc350_axis import Anc350Error, EndOfTravel, SensorLost
from simulators.anc350 import ANC350 as Double
from simulators.clock import SimClock
from simulators.server import DoubleServer, let_arrive


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


@pytest.fixture
def double() -> Double:
    return Double(seed=3)


@pytest.fixture
def unit(double: Double, clock: SimClock) -> Iterator[ANC350]:
    lock = threading.RLock()
    server = DoubleServer(double, clock, lock)
    clock.before_each_step(lambda: let_arrive([server], lock))
    driver = ANC350(server.visa_address, name="stage", visa_library="@py")
    yield driver
    driver.adapter.close()
    server.close()


def connect(unit: ANC350, clock: SimClock) -> None:
    unit.start_synchronise()
    with pytest.raises(TimeoutError):
        _ = unit.hardware_id
    clock.sleep(SILENCE_S)
    unit.finish_synchronise()


def test_a_closed_loop_move_on_the_double(unit: ANC350, double: Double, clock: SimClock) -> None:
    unit.adapter.connection.timeout = 100
    connect(unit, clock)
    axis = unit.axis_1
    axis.amplitude_v, axis.frequency_hz, axis.target_range_nm = 40.0, 1000, 1000
    axis.move_to(2_600_000)
    assert not axis.has_arrived()
    assert axis.is_moving
    clock.sleep(10.0)
    assert axis.has_arrived()
    axis.stop()
    assert double.position_nm(1) == 2_600_000
    assert axis.position_nm == pytest.approx(2_600_000, abs=6 * 100), "six times the sensor's noise"


def test_events_left_on_by_another_program_do_no_harm(unit: ANC350, clock: SimClock) -> None:
    unit.events_enabled = True
    clock.sleep(1.0)
    assert unit.axis_2.position_nm == pytest.approx(2_500_000, abs=600)


def test_a_lost_sensor_blocks_closed_loop_moves(unit: ANC350, double: Double) -> None:
    double.axes[0].is_sensor_lost = True
    with pytest.raises(SensorLost, match=r"stage axis 0: sensor lost \(status 0x0500\); check the plug"):
        unit.axis_0.move_to(1_000_000)
    assert not unit.axis_0.output_enabled


def test_a_sensor_lost_on_the_way_is_told(unit: ANC350, double: Double, clock: SimClock) -> None:
    unit.axis_0.move_to(3_000_000)
    clock.sleep(0.5)
    double.axes[0].is_sensor_lost = True
    with pytest.raises(SensorLost):
        unit.axis_0.has_arrived()


def test_an_end_of_travel_is_told_with_the_position(unit: ANC350, double: Double, clock: SimClock) -> None:
    axis = unit.axis_0
    axis.limit_travel((-5_000_000, 5_000_000))
    axis.move_to(-400_000)
    clock.sleep(60.0)
    with pytest.raises(EndOfTravel, match=r"stage axis 0: end of travel at -?\d+ nm on the way to -400000 nm; stop"):
        axis.has_arrived()
    assert axis.is_at_backward_end
    assert not axis.output_enabled


def test_an_output_that_went_off_is_told(unit: ANC350, double: Double, clock: SimClock) -> None:
    unit.axis_0.move_to(3_000_000)
    unit.axis_0.output_enabled = False
    with pytest.raises(Anc350Error, match="axis 0: the output went off; move again to switch it on"):
        unit.axis_0.has_arrived()


def test_an_early_end_of_travel_is_told(unit: ANC350, double: Double, clock: SimClock) -> None:
    double.axes[0].ends_nm = (0.0, 2_700_000.0)
    unit.axis_0.move_to(3_000_000)
    clock.sleep(60.0)
    with pytest.raises(EndOfTravel, match=r"end of travel at 2[67]\d+ nm on the way to 3000000 nm"):
        unit.axis_0.has_arrived()


def test_over_current_is_told_and_can_be_cleared(unit: ANC350, double: Double, clock: SimClock) -> None:
    axis = unit.axis_0
    axis.move_to(3_000_000)
    double.cut_off(0)
    with pytest.raises(Anc350Error, match="axis 0: over-current has switched it off; check the cable, then clear it"):
        axis.has_arrived()
    axis.clear_over_current()
    axis.move_to(3_000_000)
    clock.sleep(60.0)
    assert axis.has_arrived()


def test_a_stuck_positioner_never_arrives(unit: ANC350, double: Double, clock: SimClock) -> None:
    double.axes[0].is_stuck = True
    unit.axis_0.move_to(3_000_000)
    clock.sleep(600.0)
    assert not unit.axis_0.has_arrived()


@pytest.mark.parametrize(("is_forward", "sign"), [(True, 1), (False, -1)])
def test_steps_need_no_sensor(unit: ANC350, double: Double, clock: SimClock, is_forward: bool, sign: int) -> None:
    double.axes[0].is_sensor_lost = True
    for _ in range(5):
        unit.axis_0.step(is_forward)
        clock.sleep(0.1)
    assert not unit.axis_0.is_moving
    assert double.position_nm(0) == 2_500_000 + sign * 500


def test_the_capacitance_tells_a_positioner_from_an_open_cable(unit: ANC350, double: Double, clock: SimClock) -> None:
    double.axes[1].is_unplugged = True
    for axis in (unit.axis_0, unit.axis_1):
        axis.measure_capacitance()
    assert unit.axis_0.capacitance_nf == 0
    clock.sleep(10.0)
    assert (unit.axis_0.capacitance_nf, unit.axis_1.capacitance_nf) == (1050.0, 0.0)


def test_firmware_and_sensor_voltage(unit: ANC350) -> None:
    assert unit.firmware == "4.0.13, 4.0.2"
    unit.lower_sensor_voltage(0.1)
    assert unit.sensor_voltage_v == 0.1


def test_silence_is_a_time_out_that_says_what_to_check(unit: ANC350) -> None:
    unit.adapter.connection.timeout = 50
    unit.start_synchronise()
    with pytest.raises(
        TimeoutError, match="stage did not answer in time; no ACK to GET POSITION 0: check power, network"
    ):
        _ = unit.axis_0.position_nm


def test_a_serial_style_adapter_times_out_in_the_same_way(double: Double, clock: SimClock) -> None:
    server = DoubleServer(double, clock)
    unit = ANC350(SerialAdapter(serial.serial_for_url(server.url, timeout=0.05)))
    assert unit.hardware_id == -1
    unit.start_synchronise()
    with pytest.raises(TimeoutError, match="no ACK to GET HARDWARE_ID 0"):
        _ = unit.hardware_id
    unit.adapter.close()
    server.close()


def test_nobody_listening_is_an_os_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    unit = ANC350(f"TCPIP::127.0.0.1::{port}::SOCKET", visa_library="@py")
    with pytest.raises(OSError, match="refused"):
        _ = unit.hardware_id
    unit.adapter.close()

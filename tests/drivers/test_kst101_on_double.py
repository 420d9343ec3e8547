"""The KST101 driver and the KST101 double, which share no code, understand each other over a socket."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
import serial
from pymeasure.adapters import SerialAdapter

from drivers.apt_codec import Frame
from drivers.apt_link import ControllerFault
from drivers.apt_messages import Message
from drivers.kst101 import KST101, LimitReached
from drivers.zfs25b import TRINAMIC, ZFS25B
from simulators.clock import SimClock
from simulators.kst101 import KST101 as Double
from simulators.server import DoubleServer, let_arrive
from tests.drivers.marks import needs_visa_over_a_url


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


@pytest.fixture
def double() -> Double:
    return Double(seed=7, repeatability_um=0.0)


@pytest.fixture
def axis(double: Double, clock: SimClock) -> Iterator[KST101]:
    lock = threading.RLock()
    server = DoubleServer(double, clock, lock)
    clock.before_each_step(lambda: let_arrive([server], lock))
    driver = KST101(SerialAdapter(serial.serial_for_url(server.url, **KST101.serial_settings)), name="detector x")
    yield driver
    driver.adapter.close()
    server.close()


def wait_until_arrived(axis: KST101, clock: SimClock, target_mm: float) -> float:
    """Poll as a caller would and return the simulated seconds that it took."""
    started_s = clock.now()
    while not axis.has_arrived(target_mm):
        clock.sleep(0.05)
        assert clock.now() - started_s < 60.0, "the move never ended"
    return clock.now() - started_s


def home(axis: KST101, clock: SimClock) -> None:
    axis.home()
    while not axis.is_homed:
        clock.sleep(1.0)


def test_a_scan_line_on_the_double(axis: KST101, double: Double, clock: SimClock) -> None:
    axis.configure()
    axis.enabled = True
    home(axis, clock)
    for target_mm in (12.5, 12.55, 12.45, 0.0, 24.9):
        axis.move_to(target_mm)
        wait_until_arrived(axis, clock, target_mm)
        assert axis.position_mm == pytest.approx(target_mm, abs=1.0 / TRINAMIC.counts_per_mm)
        assert double.position_mm == pytest.approx(target_mm, abs=2.0 / TRINAMIC.counts_per_mm)
    assert Message.MOVE_COMPLETED in axis.notices


def test_the_estimated_move_time_is_the_one_that_passes(axis: KST101, clock: SimClock) -> None:
    axis.configure()
    home(axis, clock)
    for origin_mm, target_mm in ((0.0, 20.0), (20.0, 19.0), (19.0, 19.001)):
        axis.move_to(target_mm)
        passed_s = wait_until_arrived(axis, clock, target_mm)
        assert passed_s == pytest.approx(ZFS25B.move_time_s(target_mm - origin_mm), abs=0.051)


def test_settings_read_back_in_millimetres(axis: KST101) -> None:
    wanted = replace(ZFS25B, velocity_mm_s=1.2, backlash_mm=0.05)
    axis.configure(wanted)
    found = axis.settings
    assert found.velocity_mm_s == pytest.approx(1.2, rel=1e-6)
    assert found.backlash_mm == pytest.approx(0.05, abs=1e-6)
    assert found.acceleration_mm_s2 == pytest.approx(1.0, rel=1e-4)


def test_a_stopped_move_never_counts_as_arrived(axis: KST101, double: Double, clock: SimClock) -> None:
    axis.configure()
    home(axis, clock)
    axis.move_to(20.0)
    clock.sleep(3.0)
    assert axis.is_moving
    axis.stop()
    assert axis.is_moving, "it slows down"
    clock.sleep(5.0)
    assert not axis.is_moving
    assert not axis.has_arrived(20.0)
    assert 0.0 < axis.position_mm < 20.0
    assert axis.position_mm == pytest.approx(double.position_mm, abs=1e-6)


# pyserial forgets to close its socket when the other side was first
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_vanished_controller_is_an_os_error(double: Double, clock: SimClock) -> None:
    server = DoubleServer(double, clock)
    axis = KST101(SerialAdapter(serial.serial_for_url(server.url, **KST101.serial_settings)))
    server.close()
    with pytest.raises(OSError, match=r".+"):
        _ = axis.status
    axis.adapter.close()


@pytest.mark.parametrize("scheme", ["TCPIP", pytest.param("ASRL", marks=needs_visa_over_a_url)])
def test_the_driver_works_over_visa_too(scheme: str, clock: SimClock) -> None:
    server = DoubleServer(Double(is_homed=True, position_mm=3.0), clock)
    address = server.visa_address if scheme == "TCPIP" else f"ASRL{server.url}::INSTR"
    axis = KST101(address, visa_library="@py")
    assert axis.position_mm == pytest.approx(3.0, abs=1e-6)
    axis.write(Frame(Message.GET_STATUSUPDATE))
    axis.adapter.connection.timeout = 100
    with pytest.raises(TimeoutError, match="did not answer in time; check power and cable"):
        axis.ask(Frame(0x0480, 1))
    axis.adapter.close()
    server.close()


def test_an_axis_that_never_homed_refuses_to_move(axis: KST101) -> None:
    axis.configure()
    with pytest.raises(ValueError, match=r"not homed, its position means nothing; call home\(\) first"):
        axis.move_to(12.5)


def test_an_axis_driven_onto_a_limit_says_where(axis: KST101, clock: SimClock) -> None:
    axis.configure()
    home(axis, clock)
    axis.travel_mm = (0.0, 30.0)
    axis.move_to(29.0)
    with pytest.raises(LimitReached, match=r"detector x: stopped at 25\.1000 mm on the way to 29\.0000 mm, on a limit"):
        wait_until_arrived(axis, clock, 29.0)


def test_a_fault_during_a_move_is_named(axis: KST101, double: Double, clock: SimClock) -> None:
    axis.configure()
    home(axis, clock)
    axis.move_to(20.0)
    double.faults.status_bits = 0x00020000
    with pytest.raises(ControllerFault, match="OVER_TEMPERATURE"):
        wait_until_arrived(axis, clock, 20.0)


def test_a_lost_completion_message_is_not_missed(axis: KST101, double: Double, clock: SimClock) -> None:
    double.faults.is_completion_lost = True
    axis.configure()
    home(axis, clock)
    axis.move_to(1.0)
    wait_until_arrived(axis, clock, 1.0)
    assert Message.MOVE_COMPLETED not in axis.notices


def test_automatic_updates_left_on_by_another_program_do_no_harm(axis: KST101, clock: SimClock) -> None:
    axis.write(Frame(Message.HW_START_UPDATEMSGS))
    assert not axis.is_moving
    clock.sleep(5.0)
    axis.configure()
    axis.notices.clear()
    clock.sleep(5.0)
    assert not axis.is_moving
    assert not axis.notices, "configure has switched them off"


def test_an_order_to_home_that_was_missed_never_counts_as_homed(axis: KST101, double: Double, clock: SimClock) -> None:
    axis.configure()
    home(axis, clock)
    double.faults.is_home_ignored = True
    axis.home()
    clock.sleep(120.0)
    assert not axis.is_homed
    with pytest.raises(ValueError, match="not homed"):
        axis.move_to(1.0)


def test_a_reference_switch_that_is_never_found_never_counts_as_homed(
    axis: KST101, double: Double, clock: SimClock
) -> None:
    double.faults.is_home_missed = True
    axis.configure()
    axis.home()
    clock.sleep(120.0)
    assert axis.is_moving
    assert not axis.is_homed


def test_a_slow_poll_hears_of_the_reference_run_from_its_message(axis: KST101, clock: SimClock) -> None:
    axis.configure()
    home(axis, clock)
    axis.home()
    clock.sleep(120.0)
    assert axis.is_homed


def test_an_obstacle_in_the_travel_is_told_with_its_place(axis: KST101, double: Double, clock: SimClock) -> None:
    axis.configure()
    home(axis, clock)
    double.spindle.switches_mm = (-0.1, 7.5)
    axis.move_to(12.0)
    with pytest.raises(LimitReached, match=r"stopped at 7\.5000 mm on the way to 12\.0000 mm, on a limit"):
        wait_until_arrived(axis, clock, 12.0)


def test_a_stuck_axis_never_arrives(axis: KST101, double: Double, clock: SimClock) -> None:
    axis.configure()
    home(axis, clock)
    double.faults.is_stuck = True
    axis.move_to(12.0)
    clock.sleep(60.0)
    assert not axis.has_arrived(12.0)


def test_a_cable_that_is_out_is_named(axis: KST101, double: Double, clock: SimClock) -> None:
    axis.configure()
    home(axis, clock)
    double.faults.is_motor_unplugged = True
    axis.move_to(12.0)
    with pytest.raises(ControllerFault, match="the motor is not connected; check its cable"):
        axis.has_arrived(12.0)


def test_a_power_cut_loses_the_reference_and_the_settings(axis: KST101, double: Double, clock: SimClock) -> None:
    axis.configure()
    home(axis, clock)
    axis.move_to(12.0)
    clock.sleep(1.0)
    double.cut_power()
    with pytest.raises(ControllerFault, match="the reference is lost, as after a power cut"):
        axis.has_arrived(12.0)
    assert axis.settings != ZFS25B
    with pytest.raises(ValueError, match="not homed"):
        axis.move_to(3.0)


def test_a_spontaneous_fault_is_raised_at_the_next_question(axis: KST101, double: Double) -> None:
    double.complain(7, "Motor overheated")
    with pytest.raises(ControllerFault, match="fault 7 after message 0x0000: Motor overheated; see its panel"):
        _ = axis.status
    assert not axis.is_homed


def test_the_actuator_can_be_declared(axis: KST101) -> None:
    axis.declare_actuator()
    axis.rest_power_percent, axis.jog_step_mm = 5, 0.25
    assert axis.rest_power_percent == 5
    assert axis.jog_step_mm == pytest.approx(0.25, abs=1e-6)


def test_a_jog_moves_an_axis_that_is_not_homed(axis: KST101, double: Double, clock: SimClock) -> None:
    axis.configure()
    before_mm = double.position_mm
    axis.jog_step_mm = 0.25
    axis.jog(is_forward=True)
    assert axis.is_moving
    clock.sleep(5.0)
    assert not axis.is_moving
    assert double.position_mm == pytest.approx(before_mm + 0.25, abs=1e-5)

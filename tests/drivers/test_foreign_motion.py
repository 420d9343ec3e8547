"""Motion programs that we did not write drive our doubles, over a socket and over a serial device file."""

from __future__ import annotations

import io
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from simulators.clock import SimClock
from simulators.kst101 import KST101
from simulators.server import DoubleServer
from simulators.serving.pty_port import HAS_PTYS, PtyPort

HOST, UNIT = 0x01, 0x50
COUNTS_PER_MM = 24 * 2048 * 400 / 9  # APT protocol, issue 25, section 8
DEADLINE_S = 20.0
KST101_BLOCKS = (
    *("poscounter", "enccounter", "velparams", "jogparams", "limswitchparams", "powerparams", "genmoveparams"),
    *("homeparams", "moverelparams", "moveabsparams", "kcubemmiparams", "kcubetrigconfig", "kcubeposttrigparams"),
    "kcubekstloopparams",
)
"""What the protocol document lists for a KST101 (issue 25, pages 11 and 12)."""


class ScaledClock:
    """Real time, faster or slower."""

    def __init__(self, speed: float) -> None:
        self._speed = speed

    def now_ns(self) -> int:
        return round(self._speed * time.monotonic_ns())


def wait_until(condition: Callable[[], bool]) -> None:
    until_s, never = time.monotonic() + DEADLINE_S, threading.Event()
    while not condition():
        assert time.monotonic() < until_s, "it never came true"
        never.wait(0.02)


@pytest.fixture
def double() -> KST101:
    """A controller that has just been switched on, 0.2 mm from its reference."""
    double = KST101(is_homed=True, position_mm=0.2, serial=26_001_234)
    double.cut_power()
    return double


@pytest.fixture
def pylablib_motor(double: KST101) -> Iterator[Any]:
    """The class that pylablib offers for our controller, connected over pyserial's socket."""
    thorlabs = pytest.importorskip("pylablib.devices.Thorlabs", reason="a peer of the extra `dev`")
    server = DoubleServer(double, ScaledClock(20.0))
    motor = thorlabs.KinesisMotor(("serial", server.url), scale=COUNTS_PER_MM)
    yield motor
    motor.close()
    server.close()


def test_pylablib_identifies_the_controller_and_reads_every_setting(pylablib_motor: Any) -> None:
    info = pylablib_motor.get_device_info()
    assert (info.serial_no, info.model_no, info.fw_ver, info.nchannels) == (26_001_234, "KST101", "3.2.1", 1)
    assert {"velocity_parameters", "homing_parameters", "limit_switch_parameters"} <= set(pylablib_motor.get_settings())


def test_pylablib_homes_moves_and_reads_back(pylablib_motor: Any, double: KST101) -> None:
    pylablib_motor.setup_velocity(acceleration=1.0, max_velocity=1.5)
    velocity = pylablib_motor.get_velocity_parameters()
    assert (velocity.acceleration, velocity.max_velocity) == pytest.approx((1.0, 1.5), rel=1e-4)
    pylablib_motor.setup_homing(home_direction="reverse", limit_switch="reverse", velocity=0.5, offset_distance=0.1)
    pylablib_motor.setup_gen_move(backlash_distance=0.02)
    assert not pylablib_motor.is_homed()
    pylablib_motor.home(timeout=DEADLINE_S)
    assert pylablib_motor.is_homed()
    assert pylablib_motor.get_position() == pytest.approx(0.0, abs=1e-6)
    for target_mm in (3.0, 2.5):
        pylablib_motor.move_to(target_mm)
        pylablib_motor.wait_move(timeout=DEADLINE_S)
        assert pylablib_motor.get_position() == pytest.approx(target_mm, abs=1e-6)
        assert double.position_mm == pytest.approx(target_mm, abs=1e-6)
    pylablib_motor.move_by(0.25)
    pylablib_motor.wait_move(timeout=DEADLINE_S)
    assert pylablib_motor.get_position() == pytest.approx(2.75, abs=1e-6)


def test_pylablib_jogs_until_it_stops(pylablib_motor: Any) -> None:
    pylablib_motor.setup_velocity(acceleration=10.0, max_velocity=1.5)
    assert not pylablib_motor.is_moving()
    before_mm = pylablib_motor.get_position()
    pylablib_motor.jog("-")  # away from the reference: its "-" is the protocol's forward
    wait_until(lambda: pylablib_motor.get_position() > before_mm + 0.1)
    assert pylablib_motor.is_moving()
    pylablib_motor.stop(sync=True, timeout=DEADLINE_S)
    assert not pylablib_motor.is_moving()


def test_pylablib_steps_and_gives_a_place_a_number(pylablib_motor: Any) -> None:
    pylablib_motor.setup_jog(mode="step", step_size=0.1, acceleration=10.0, max_velocity=1.5, stop_mode="profiled")
    began_mm = pylablib_motor.get_position()
    for sign in "++-":
        pylablib_motor.jog(sign, kind="builtin")
        pylablib_motor.wait_move(timeout=DEADLINE_S)
    assert abs(pylablib_motor.get_position() - began_mm) == pytest.approx(0.1, abs=1e-5)
    pylablib_motor.set_position_reference(5.0)
    assert pylablib_motor.get_position() == pytest.approx(5.0, abs=1e-6)
    pylablib_motor.setup_velocity(acceleration=10.0, max_velocity=1.5)
    pylablib_motor.move_to(5.05)
    pylablib_motor.wait_move(timeout=DEADLINE_S)
    assert pylablib_motor.get_position() == pytest.approx(5.05, abs=1e-6)


@pytest.fixture
def thorlabs_motor(double: KST101) -> Iterator[Any]:
    """A motor of thorlabs-apt-device, connected to a serial device file, with automatic status updates.

    It writes only when nothing has arrived for 0.1 s, so that the updates must not come faster.
    """
    if not HAS_PTYS or sys.platform != "linux":
        pytest.skip("device files are for Linux")
    devices = pytest.importorskip("thorlabs_apt_device.devices.aptdevice_motor", reason="a peer of the extra `dev`")
    unit = pytest.importorskip("thorlabs_apt_device.enums").EndPoint.USB
    server = DoubleServer(double, ScaledClock(0.5))
    port = PtyPort(server)
    motor = devices.APTDevice_Motor(
        serial_port=port.path, home=False, status_updates="auto", controller=unit, bays=(unit,)
    )
    yield motor
    motor.close()
    motor._thread.join()
    port.close()
    server.close()


def test_thorlabs_apt_device_homes_moves_and_follows_the_updates(thorlabs_motor: Any, double: KST101) -> None:
    thorlabs_motor.set_velocity_params(240_323, 234_531_499)  # 10 mm/s^2 and 2 mm/s
    thorlabs_motor.set_home_params(234_531_499, 218_453)  # 2 mm/s, 0.1 mm
    status = thorlabs_motor.status_[0][0]
    wait_until(lambda: status["motor_connected"])
    assert not status["homed"]
    thorlabs_motor.home()
    wait_until(lambda: status["homed"])
    assert double.is_homed
    thorlabs_motor.move_absolute(2_184_533)
    wait_until(lambda: status["position"] == 2_184_533)
    thorlabs_motor.move_relative(-218_453)
    wait_until(lambda: status["position"] == 2_184_533 - 218_453)
    assert double.position_mm == pytest.approx(0.9, abs=1e-6)


def test_thorlabs_apt_device_reads_velocity_backlash_and_jog(thorlabs_motor: Any) -> None:
    wait_until(lambda: bool(thorlabs_motor.jogparams_[0][0]["msg"]))
    assert thorlabs_motor.velparams_[0][0]["max_velocity"] == 107_824_097
    assert thorlabs_motor.genmoveparams_[0][0]["backlash_distance"] == 0
    assert thorlabs_motor.jogparams_[0][0]["step_size"] == 200_865


def exchange(connection: socket.socket, unpacker: Any, request: bytes, wanted: str) -> Any:
    connection.sendall(request)
    for _ in range(50):
        for message in unpacker:
            if message.msg == wanted:
                return message
        unpacker.feed(connection.recv(4096))
    raise AssertionError(f"no {wanted}")


@pytest.fixture
def controller() -> Iterator[tuple[socket.socket, SimClock]]:
    """A socket to our double of a KST101, and its clock."""
    clock = SimClock()
    server = DoubleServer(KST101(seed=1, serial=26001234), clock)
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        yield connection, clock
    server.close()


def test_thorlabs_apt_protocol_reads_every_block_that_a_kst101_has(
    controller: tuple[socket.socket, SimClock],
) -> None:
    apt = pytest.importorskip("thorlabs_apt_protocol", reason="a peer of the extra `dev`")
    connection, _ = controller
    unpacker = apt.Unpacker(io.BytesIO())
    for block in KST101_BLOCKS:
        request = getattr(apt, f"mot_req_{block}")(UNIT, HOST, 1)
        assert exchange(connection, unpacker, request, f"mot_get_{block}").chan_ident == 1


def test_thorlabs_apt_protocol_homes_and_moves_our_controller(controller: tuple[socket.socket, SimClock]) -> None:
    apt = pytest.importorskip("thorlabs_apt_protocol", reason="a peer of the extra `dev`")
    connection, clock = controller
    unpacker = apt.Unpacker(io.BytesIO())
    info = exchange(connection, unpacker, apt.hw_req_info(UNIT, HOST), "hw_get_info")
    assert info.serial_number == 26001234
    assert info.model_number.startswith(b"KST101")
    for order, target in (
        (apt.mot_move_home(UNIT, HOST, 1), 0),
        (apt.mot_move_absolute(UNIT, HOST, 1, 2_184_533), 2_184_533),
    ):
        connection.sendall(order)
        exchange(connection, unpacker, apt.mot_req_poscounter(UNIT, HOST, 1), "mot_get_poscounter")
        clock.sleep(120.0)
        there = exchange(connection, unpacker, apt.mot_req_poscounter(UNIT, HOST, 1), "mot_get_poscounter")
        assert there.position == target

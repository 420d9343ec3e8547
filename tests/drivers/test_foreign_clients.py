"""Programs that we did not write talk to our doubles: two programs of ours that agree would prove little."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from simulators.clock import SimClock
from simulators.kst101 import KST101
from simulators.lakeshore335 import LakeShore335
from simulators.server import DoubleServer

apt = pytest.importorskip("thorlabs_apt_protocol", reason="a peer of the extra `dev`")
lakeshore = pytest.importorskip("lakeshore", reason="a peer of the extra `dev`")

HOST, UNIT = 0x01, 0x50


@pytest.fixture
def thermometer() -> Iterator[Any]:
    """The maker's own client of the Model 335, connected to our double."""
    server = DoubleServer(LakeShore335(temperature_k=295.0), SimClock())
    client = lakeshore.Model335(57600, ip_address="127.0.0.1", tcp_port=server.port)
    yield client
    client.disconnect_tcp()
    server.close()


def test_the_makers_client_identifies_and_reads_our_model_335(thermometer: Any) -> None:
    assert thermometer.query("*IDN?").startswith("LSCI,MODEL335")
    assert float(thermometer.query("KRDG? A")) == pytest.approx(295.0, abs=0.1)
    assert thermometer.get_all_kelvin_reading() == pytest.approx([295.0, 295.0], abs=0.1)


def test_the_makers_client_sets_and_reads_back(thermometer: Any) -> None:
    thermometer.set_control_setpoint(1, 296.5)
    assert thermometer.get_control_setpoint(1) == pytest.approx(296.5)


def test_the_makers_client_hears_of_a_refused_command(thermometer: Any) -> None:
    with pytest.raises(Exception, match=r"(?i)error"):
        thermometer.command("RANGE 1,9")


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


def test_another_apt_implementation_homes_and_moves_our_controller(controller: tuple[socket.socket, SimClock]) -> None:
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

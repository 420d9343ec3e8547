"""What a client has sent and the system still holds back is known, and simulated time waits for it."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from simulators.clock import SimClock
from simulators.double import Double
from simulators.loopback import Client
from simulators.server import DoubleServer, let_arrive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is on its way")


@dataclass
class Pair:
    client: socket.socket
    accepted: socket.socket

    def hold_back(self, is_held: bool) -> None:
        """Let the system keep what is written for up to 200 ms, or send it."""
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, is_held)


@pytest.fixture
def pair() -> Iterator[Pair]:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
        listener.accept()[0] as accepted,
    ):
        yield Pair(client, accepted)


class Ear(Double):
    """A double that notes what it heard, and when."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[int, bytes]] = []

    def split(self, buffer: bytearray) -> list[bytes]:
        frames = [bytes(buffer)] if buffer else []
        buffer.clear()
        return frames

    def answer(self, frame: bytes) -> bytes:
        self.heard.append((self.time_ns, frame))
        return b""


def test_nothing_is_on_its_way_until_something_is_sent(pair: Pair) -> None:
    client = Client(pair.client.getsockname())
    assert client.n_on_the_way() == 0
    pair.hold_back(True)
    pair.client.sendall(b"seven b")
    assert client.n_on_the_way() == 7
    pair.hold_back(False)
    assert pair.accepted.recv(100) == b"seven b"
    pair.accepted.sendall(b"thanks")  # acknowledges what was received
    assert pair.client.recv(100) == b"thanks"
    assert client.n_on_the_way() == 0


def test_a_closed_client_and_whoever_has_its_descriptor_next_have_sent_nothing(pair: Pair) -> None:
    client = Client(pair.client.getsockname())
    descriptor = pair.client.fileno()
    pair.client.close()
    assert client.n_on_the_way() == 0
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as other:
        if other.fileno() != descriptor and listener.fileno() != descriptor:
            pytest.skip("the descriptor was taken by somebody else")
        other.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, True)
        other.sendall(b"for another one")
        assert client.n_on_the_way() == 0


def test_an_order_without_reply_is_obeyed_at_the_time_at_which_it_was_sent() -> None:
    clock, lock = SimClock(), threading.RLock()
    ear = Ear()
    server = DoubleServer(ear, clock, lock)
    clock.before_each_step(lambda: let_arrive([server], lock))
    try:
        with socket.create_connection(("127.0.0.1", server.port)) as client, clock.attending():
            client.sendall(b"hello")
            clock.sleep(1.0)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, True)
            client.sendall(b"move")
            clock.sleep(10.0)
    finally:
        server.close()
    assert ear.heard == [(0, b"hello"), (1_000_000_000, b"move")]

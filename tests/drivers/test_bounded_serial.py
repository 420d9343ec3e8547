"""Flushing a serial port: until the line is quiet, and no longer than that or a few seconds."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress

import pytest
import serial

from drivers.bounded_serial import BoundedSerialAdapter
from drivers.bounded_visa import QUIET_MS

SHORT_S, LONG_S = 0.9 * QUIET_MS / 1e3, 1.1 * QUIET_MS / 1e3


class NoisyPort(serial.SerialBase):
    """A port at which bytes arrive after given pauses (s); waiting takes no time here."""

    def __init__(self, *arrivals: tuple[float, bytes]) -> None:
        super().__init__(timeout=2.0)
        self.arrivals, self.is_open = list(arrivals), True

    def _reconfigure_port(self, *_: object) -> None: ...

    @property
    def in_waiting(self) -> int:
        return len(self.arrivals[0][1]) if self.arrivals and self.arrivals[0][0] == 0 else 0

    def read(self, size: int = 1) -> bytes:
        if not self.arrivals or self.arrivals[0][0] > self.timeout:
            return b""
        _, data = self.arrivals.pop(0)
        if len(data) > size:
            self.arrivals.insert(0, (0.0, data[size:]))
        return data[:size]


@pytest.mark.parametrize(
    ("arrivals", "left"),
    [
        ([], b""),
        ([(0.0, b"noise")], b""),
        ([(0.0, bytes(10_000)), (SHORT_S, b"more"), (SHORT_S, b"rest")], b""),
        ([(0.0, b"noise"), (LONG_S, b"reply")], b"reply"),
        ([(SHORT_S, b"reply")], b"reply"),  # nothing was there: not a moment is spent waiting
    ],
)
def test_what_has_arrived_goes_until_the_line_is_quiet(arrivals: list[tuple[float, bytes]], left: bytes) -> None:
    port = NoisyPort(*arrivals)
    BoundedSerialAdapter(port).flush_read_buffer()
    assert b"".join(data for _, data in port.arrivals) == left
    assert port.timeout == 2.0


def test_noise_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.bounded_serial.MOST_NOISE_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = serial.serial_for_url(f"socket://127.0.0.1:{listener.getsockname()[1]}", timeout=2.0)
        there, _ = listener.accept()

    def send_on() -> None:
        with suppress(OSError):
            for _ in range(100_000):  # 800 MB; ends when the port is closed
                there.sendall(bytes(8192))

    sender = threading.Thread(target=send_on)
    sender.start()
    try:
        assert port.read(1)
        with pytest.raises(ConnectionError, match=r"bytes keep coming for 0.05 s; check port and baud rate"):
            BoundedSerialAdapter(port).flush_read_buffer()
        assert port.timeout == 2.0
    finally:
        port.close()
        sender.join(10)
        there.close()


def test_a_port_that_is_gone_is_an_error() -> None:
    ours, theirs = os.openpty()
    port = serial.Serial(os.ttyname(theirs), timeout=0.2)
    adapter = BoundedSerialAdapter(port)
    try:
        os.write(ours, b"noise")
        assert port.read(1) == b"n"  # it has arrived
        adapter.flush_read_buffer()
        assert port.in_waiting == 0
    finally:
        os.close(ours)
        os.close(theirs)
    with pytest.raises(OSError, match="Input/output error"):
        adapter.flush_read_buffer()
    port.close()
    with pytest.raises(OSError, match="not open"):
        adapter.flush_read_buffer()

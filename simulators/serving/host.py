"""The bench's own socket: the counter's function table and the laser's front panel for programs elsewhere.

A counter belongs to the program that opened it until that program closes it or ends, as the operating system sees to
with the real box; to any other it is locked (that the library says DEVICE_LOCKED then is ours).
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from ctypes import c_int, c_uint
from typing import Any, Protocol

from simulators.server import IDLE_WAKEUP_S
from simulators.serving.messages import receive, send
from simulators.tcspc.face import Answer, Face
from simulators.tcspc.refusal import DEVICE_NOT_OPEN

DEVICE_LOCKED = -11
LARGEST = 1e100
"""Of any number that a message may hold."""

_WITHOUT_DEVICE = ("GetLibraryVersion", "GetErrorString")
_RANGES = {c_int: range(-(2**31), 2**31), c_uint: range(2**32)}
"""What the integer types of a signature hold."""


class Counter(Protocol):
    """The function table, called without C."""

    face: Face

    def answer(self, function: str, numbers: tuple[int, ...]) -> Answer:
        """Return code and results of a call."""


class Hands(Protocol):
    """Somebody at the laser's front panel."""

    def set_by_hand(self, what: str, quantities: Mapping[str, float]) -> None:
        """Do what is asked; ValueError if that cannot be done."""


class BenchHost:
    """Serves what has no byte stream, on a loopback port.

    Parameters
    ----------
    counter : Counter
        Function table of the simulated counter library.
    hands : Hands
        Who turns the simulated laser's knobs.
    truth : callable
        From average power in nW and repetition rate in Hz to what is true of the sample.
    lock : context manager
        The bench's lock.
    """

    def __init__(
        self,
        counter: Counter,
        hands: Hands,
        truth: Callable[[float, float], dict[str, object]],
        lock: AbstractContextManager[object],
    ) -> None:
        self._counter = counter
        self._hands = hands
        self._truth = truth
        self._lock = lock
        self._owner: socket.socket | None = None
        self._opened_index = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: set[socket.socket] = set()
        self._is_closing = False
        self.address = f"bench://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, name="bench", daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Close the port and every connection and wait for the threads to end (harmless when repeated)."""
        with self._lock:
            self._is_closing = True
            for each in (self._listener, *self._connections):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5.0)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError, ValueError):  # the listener was closed while we waited
            while not self._is_closing:
                if select.select([self._listener], [], [], IDLE_WAKEUP_S)[0]:
                    connection, _ = self._listener.accept()
                    self._begin(connection)

    def _begin(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            if self._is_closing:
                connection.close()
                return
            self._connections.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), name="bench", daemon=True)
            self._threads = [each for each in self._threads if each.is_alive()] + [thread]
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        """Answer one program until it leaves, breaks the rules, or is cut off."""
        try:
            with connection, suppress(OSError, EOFError, ValueError):
                while True:
                    content, _ = receive(connection)
                    reply, block = self._reply(connection, content)
                    send(connection, reply, block)
        finally:
            self._forget(connection)

    def _forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)
            if self._owner is connection:
                self._counter.answer(f"{self._counter.face.prefix}CloseDevice", (self._opened_index,))
                self._owner = None

    def _reply(self, connection: socket.socket, content: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Do what a message asks for; ValueError if it is none that can be understood."""
        call = str(content.get("call"))
        if call in self._counter.face.signatures:
            numbers = _integers(call, self._counter.face.signatures[call], content.get("numbers"))
            code, values = self._answer(connection, call, numbers)
            block = b"".join(value for value in values if isinstance(value, bytes))
            return {"code": code, "values": [None if isinstance(v, bytes) else v for v in values]}, block
        if call == "library":
            return {"done": self._counter.face.name}, b""
        if call == "set_by_hand":
            return self._set_by_hand(str(content.get("what")), _quantities(content.get("quantities"))), b""
        if call == "truth":
            light = _quantities({key: content.get(key) for key in ("average_power_nw", "repetition_rate_hz")})
            with self._lock:
                return {"done": self._truth(*light.values())}, b""
        raise ValueError(f"no such call: {call}")

    def _set_by_hand(self, what: str, quantities: dict[str, float]) -> dict[str, Any]:
        try:
            self._hands.set_by_hand(what, quantities)
        except ValueError as error:
            return {"refused": str(error)}
        return {"done": None}

    def _answer(self, connection: socket.socket, function: str, numbers: tuple[int, ...]) -> Answer:
        """Call the table for one program, which must have opened the device itself."""
        name = function.removeprefix(self._counter.face.prefix)
        with self._lock:
            if name in _WITHOUT_DEVICE:
                return self._counter.answer(function, numbers)
            is_opening = name == "OpenDevice"
            if self._owner is not connection and not is_opening:
                return DEVICE_NOT_OPEN, ()
            if is_opening and self._owner not in (None, connection) and numbers[0] == self._opened_index:
                return DEVICE_LOCKED, ()
            answer = self._counter.answer(function, numbers)
            if answer[0] == 0 and is_opening:
                self._owner, self._opened_index = connection, numbers[0]
            elif answer[0] == 0 and name == "CloseDevice":
                self._owner = None
            return answer


def _integers(function: str, signature: tuple[Any, ...], numbers: Any) -> tuple[int, ...]:
    """Return the integer arguments of a call; ValueError if they are not those of its signature."""
    ranges = [_RANGES[kind] for kind in signature if kind in _RANGES]
    if not isinstance(numbers, list) or len(numbers) != len(ranges):
        raise ValueError(f"{function} takes {len(ranges)} integers")
    if not all(type(number) is int and number in allowed for number, allowed in zip(numbers, ranges, strict=True)):
        raise ValueError(f"{function} takes 32-bit integers")
    return tuple(numbers)


def _quantities(found: Any) -> dict[str, float]:
    """Return names with finite numbers; ValueError if it is something else."""
    if not isinstance(found, dict) or not all(type(value) in (int, float) for value in found.values()):
        raise ValueError(f"names with numbers are needed, not {found!r}")
    if not all(abs(value) < LARGEST for value in found.values()):
        raise ValueError(f"{found!r} holds a number that is not finite")
    return {name: float(value) for name, value in found.items()}

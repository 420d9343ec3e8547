"""Serves one double on a loopback TCP port, with the bench's clock and lock.

Bytes that arrive are handed over at the simulated time of that moment; what the double sends on its
own goes out with the next reply or, on an idle connection, within some tens of milliseconds. Several
clients may connect, as to the real box over a network.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from typing import Protocol

from simulators.double import Double
from simulators.faults import Conversation, Line
from simulators.loopback import Client

IDLE_WAKEUP_S = 0.05
"""How long a connection stays silent before the double may speak on its own (wall clock)."""
MAX_UNFINISHED = 65536
"""Bytes of a message without end that a double keeps; more is noise and forgotten."""
DELIVERY_CHECK_S = 2e-5
"""Pause between two looks at what is on its way (wall clock)."""
MAX_DELIVERY_CHECKS = 50_000
"""Looks after which bytes on their way are given up: some seconds, but of a process that runs."""


class TimeSource(Protocol):
    """What a server needs of a clock."""

    def now_ns(self) -> int:
        """Return the time in ns."""


class DoubleServer:
    """A double behind a listening socket on 127.0.0.1.

    Parameters
    ----------
    double : Double
        The simulated box.
    clock : TimeSource
        Where simulated time comes from.
    lock : context manager, optional
        One lock for all doubles that share a bench; a lock of its own otherwise.

    Attributes
    ----------
    line : Line
        What leads to the double; faults strike there.
    port : int
        Port that the system assigned.
    clients : dict of socket to Client
        The open connections, and who is at their other end; change it under the lock only.
    """

    def __init__(self, double: Double, clock: TimeSource, lock: AbstractContextManager[object] | None = None) -> None:
        self.double = double
        self.line = Line()
        self._clock = clock
        self._lock = lock if lock is not None else threading.RLock()
        self._seen_ns = 0
        self._is_closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.clients: dict[socket.socket, Client] = {}
        self._threads = [threading.Thread(target=self._accept, name=f"double-{self.port}", daemon=True)]
        self._threads[0].start()

    @property
    def visa_address(self) -> str:
        """VISA resource name of the served double."""
        return f"TCPIP::127.0.0.1::{self.port}::SOCKET"

    @property
    def url(self) -> str:
        """URL under which pyserial opens the served double like a serial port."""
        return f"socket://127.0.0.1:{self.port}"

    @property
    def sockets(self) -> list[socket.socket]:
        """The listening socket and the open connections; none once the server is closed."""
        return [] if self._listener.fileno() < 0 else [self._listener, *self.clients]

    def catch_up(self) -> None:
        """Bring the double to the present simulated time."""
        with self._lock:
            now_ns = self._clock.now_ns()
            if now_ns > self._seen_ns:
                self.double.process((now_ns - self._seen_ns) * 1e-9)
                self._seen_ns = now_ns

    def obey(self, conversation: Conversation, data: bytes) -> bytes:
        """Take up what came in on one connection, and return what goes out."""
        with self._lock:
            self.catch_up()
            unfinished, now_ns = conversation.unfinished, self._clock.now_ns()
            unfinished += data
            reply = conversation.overdue() + self.double.spontaneous()
            for frame in self.double.split(unfinished):
                reply += self.line.carry(frame, self.double.answer, conversation, now_ns)
            if len(unfinished) > MAX_UNFINISHED:
                unfinished.clear()
            return reply + self.double.spontaneous()

    def close(self) -> None:
        """Close the port and every connection and wait for the threads to end (harmless when repeated)."""
        self._is_closing.set()
        for open_socket in self.sockets:
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(timeout=5.0)
        with self._lock:
            self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError, ValueError):  # the listener was closed while we waited
            while not self._is_closing.is_set():
                if not select.select([self._listener], [], [], IDLE_WAKEUP_S)[0]:
                    continue
                with self._lock:
                    connection, address = self._listener.accept()
                    self.clients[connection] = Client(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                name = f"double-{self.port}"
                thread = threading.Thread(target=self._serve, args=(connection,), name=name, daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        conversation = Conversation()
        with connection:
            with suppress(OSError):
                while not self._is_closing.is_set() and self._exchange(connection, conversation):
                    pass
            with self._lock:
                del self.clients[connection]

    def _exchange(self, connection: socket.socket, conversation: Conversation) -> bool:
        """Take up what has arrived, if anything, and reply; return False when the connection is closed or cut."""
        is_readable = bool(select.select([connection], [], [], IDLE_WAKEUP_S)[0])
        with self._lock:
            data = connection.recv(65536) if is_readable else b""
            if is_readable:
                _acknowledge_at_once(connection)
            reply = self.obey(conversation, data)
        if conversation.is_cut or self.line.is_closed:
            return False
        if reply:
            connection.sendall(reply)
        return bool(data) or not is_readable


def let_arrive(servers: Sequence[DoubleServer], lock: AbstractContextManager[object]) -> None:
    """Return when every byte that clients have sent has been obeyed.

    A server takes up and acknowledges under the lock what has arrived. So nothing on its way, and then nothing readable
    while the lock is held, means that everything has been obeyed.

    Raises
    ------
    RuntimeError
        What was sent does not arrive.
    """
    for _ in range(MAX_DELIVERY_CHECKS):
        with lock:
            is_delivered = not any(client.n_on_the_way() for server in servers for client in server.clients.values())
            waiting = [each for server in servers for each in server.sockets]
            if is_delivered and not (waiting and select.select(waiting, [], [], 0)[0]):
                return
        time.sleep(DELIVERY_CHECK_S)
    raise RuntimeError("simulated rig: what was sent to a double does not arrive; please report this")


def _acknowledge_at_once(connection: socket.socket) -> None:
    """Avoid the 40 ms that two small writes in a row cost on Linux (delayed acknowledgement)."""
    if hasattr(socket, "TCP_QUICKACK"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

"""A served double as a serial device file, for programs that insist on one (Linux and macOS).

The file is one end of a pseudo-terminal: raw, 8 data bits, no parity, 1 stop bit, at any speed a program sets. As on
a serial line, what nobody reads is lost. While no program has the file open, the double does not speak into it.
"""

from __future__ import annotations

import os
import select
import threading
from contextlib import suppress

from simulators.faults import Conversation
from simulators.server import IDLE_WAKEUP_S, DoubleServer

try:
    import tty
except ImportError:  # Windows has no pseudo-terminals
    HAS_PTYS = False
else:
    HAS_PTYS = True


class PtyPort:
    """A device file that leads to a served double.

    Parameters
    ----------
    server : DoubleServer
        What serves the double on TCP; both share its time and lock.

    Attributes
    ----------
    path : str
        Name of the device file.
    """

    def __init__(self, server: DoubleServer) -> None:
        self._server = server
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        os.close(slave)  # the master then hears when the last program leaves
        os.set_blocking(self._master, False)
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"double-{self.path}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Remove the device file and wait for the thread to end (harmless when repeated)."""
        if not self._is_closing.is_set():
            self._is_closing.set()
            self._thread.join(timeout=5.0)
            os.close(self._master)

    def _serve(self) -> None:
        conversation = Conversation()
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        while not self._is_closing.is_set():
            events = poll.poll(IDLE_WAKEUP_S * 1e3)
            state = events[0][1] if events else 0
            if state & select.POLLIN:
                self._exchange(conversation, self._read())
            elif state & select.POLLHUP:
                conversation = Conversation()
                self._is_closing.wait(IDLE_WAKEUP_S)
            else:
                self._exchange(conversation, b"")

    def _exchange(self, conversation: Conversation, data: bytes) -> None:
        reply = self._server.obey(conversation, data)
        with suppress(OSError):  # nobody reads: lost
            while reply:
                reply = reply[os.write(self._master, reply) :]

    def _read(self) -> bytes:
        with suppress(OSError):  # the program has left
            return os.read(self._master, 65536)
        return b""

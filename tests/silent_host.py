"""An address whose host does not answer, as that of a box that is switched off."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def silent_host() -> Iterator[str]:
    """Yield the VISA address of a port whose queue of callers is full, so that further ones are not even refused."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield f"TCPIP::127.0.0.1::{listener.getsockname()[1]}::SOCKET"

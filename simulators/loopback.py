"""Tells whether what a client in this process has sent over loopback has been delivered.

A byte that was sent need not be readable at the other end at once: a system that spreads received packets over its
processors (Linux with receive packet steering) delivers some microseconds to milliseconds later, and a second small
write waits until the first is acknowledged. The sender's system knows: it counts what is not acknowledged yet.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform == "linux":
    from fcntl import ioctl
    from termios import TIOCOUTQ

DESCRIPTORS = Path("/proc/self/fd")
_COUNT = struct.Struct("i")
_ZERO = _COUNT.pack(0)


class Client:
    """Who has connected over loopback.

    Only Linux tells what is on its way; elsewhere, and if the client is another process, nothing ever is.

    Parameters
    ----------
    address : tuple of str and int
        Host and port from which the connection was accepted.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        found = _find(address) if sys.platform == "linux" else None
        self._descriptor, self._inode = (-1, -1) if found is None else found

    def n_on_the_way(self) -> int:
        """Return how many bytes the client has sent that are not acknowledged; 0 once it is closed."""
        if sys.platform != "linux" or self._descriptor < 0:
            return 0
        try:
            n_bytes: int = _COUNT.unpack(ioctl(self._descriptor, TIOCOUTQ, _ZERO))[0]
            is_client = not n_bytes or os.fstat(self._descriptor).st_ino == self._inode
        except OSError:
            return 0  # the client is closed
        return n_bytes if is_client else 0


def _find(address: tuple[str, int]) -> tuple[int, int] | None:
    """Return descriptor and inode of this process's socket with a local address, or None."""
    for entry in DESCRIPTORS.iterdir():
        descriptor = int(entry.name)
        with suppress(OSError):  # closed meanwhile
            status = os.fstat(descriptor)
            if stat.S_ISSOCK(status.st_mode) and _local_address(descriptor) == address:
                return descriptor, status.st_ino
    return None


def _local_address(descriptor: int) -> object:
    with socket.socket(fileno=os.dup(descriptor)) as each:
        return each.getsockname()

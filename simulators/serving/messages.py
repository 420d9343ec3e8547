"""Messages between a bench and programs elsewhere on this computer.

A message is a head of two big-endian 32-bit numbers, the sizes of the two parts that follow: a JSON object in UTF-8,
and a block of raw bytes, which may be empty (a histogram or records go there). JSON keeps integers exact, and floats
too, since Python writes the shortest digits that read back as the same number.

Requests: ``{"call": "library"}``, which names the counter's library; ``{"call": "PH_GetCountRate", "numbers": [0, 1]}``
and the like, a function of that library; ``{"call": "set_by_hand", "what": TEXT, "quantities": {NAME: NUMBER}}``;
``{"call": "truth", "average_power_nw": NUMBER, "repetition_rate_hz": NUMBER}``. Replies: ``{"code": INTEGER, "values":
[...]}`` with ``null`` in the place of the block, ``{"done": ANYTHING}``, or ``{"refused": REASON}``. Whoever sends
anything else is disconnected.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

MAX_JSON = 65536
MAX_BLOCK = 131072 * 4
"""As many records as one call reads, uint32; a histogram is half of that."""

_HEAD = struct.Struct(">II")


def send(connection: socket.socket, content: dict[str, Any], block: bytes = b"") -> None:
    """Send one message; OSError if the connection is broken."""
    text = json.dumps(content).encode()
    connection.sendall(_HEAD.pack(len(text), len(block)) + text + block)


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    """Wait for one message and return its content and block.

    Raises
    ------
    EOFError
        The other side has closed.
    ValueError
        What came is not a message.
    OSError
        The connection is broken, or nothing came in time.
    """
    n_text, n_block = _HEAD.unpack(_receive_exactly(connection, _HEAD.size))
    if n_text > MAX_JSON or n_block > MAX_BLOCK:
        raise ValueError(f"a message of {n_text} and {n_block} bytes; at most {MAX_JSON} and {MAX_BLOCK} are allowed")
    try:
        content = json.loads(_receive_exactly(connection, n_text))
    except RecursionError as error:
        raise ValueError("a message nested too deeply") from error
    if not isinstance(content, dict):
        raise ValueError("a message without an object")
    return content, _receive_exactly(connection, n_block)


def _receive_exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError("the other side has closed the connection")
        data += part
    return bytes(data)

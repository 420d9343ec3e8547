"""APT frames as a controller cuts them out of its input and sends them, and the settings it wakes up with.

Source: Thorlabs, "APT Controllers Host-Controller Communications Protocol", issue 25 (2019).
"""

from __future__ import annotations

import struct

HOST, UNIT, HAS_DATA, HEADER_SIZE, MAX_DATA_SIZE = 0x01, 0x50, 0x80, 6, 255
ADDRESSES = {0x11, UNIT, *range(0x21, 0x2B)}  # motherboard, this unit, bays

SETTINGS_AT_POWER_UP = {
    0x0413: struct.pack("<Hiii", 1, 0, 11_048, 107_824_097),  # velocity of a ZST25 actuator
    0x0416: struct.pack("<HHiiiiH", 1, 2, 200_865, 0, 11_048, 107_824_097, 2),  # jog
    0x0423: struct.pack("<HHHiiH", 1, 1, 1, 0, 0, 1),  # limit switches
    0x0426: struct.pack("<HHH", 1, 15, 30),  # power
    0x043A: struct.pack("<Hi", 1, 0),  # backlash
    0x0440: struct.pack("<HHHii", 1, 2, 1, 107_824_097, 600_000),  # home
    0x0445: struct.pack("<Hi", 1, 0),  # relative distance
    0x0450: struct.pack("<Hi", 1, 0),  # absolute target
    0x0520: struct.pack("<HHiiHiiHHH8x", 1, 1, 107_824_097, 11_048, 1, 0, 0, 60, 10, 2),  # wheel and display
    0x0523: struct.pack("<HHHHHH", 1, 0, 1, 0, 1, 0),  # trigger plugs
    0x0526: struct.pack("<H8i", 1, 0, 2_008_645, 1, 0, 2_008_645, 1, 50_000, 1),  # trigger positions
    0x0529: struct.pack("<HH5iI2x", 1, 1, 0, 0, 0, 0, 0, 0),  # position loop, which needs an encoder: open
}
"""Parameter blocks by the id of their SET message; REQ and GET follow it."""


def split(buffer: bytearray) -> list[bytes]:
    """Take the complete frames out of `buffer`; bytes that cannot begin a frame from a host are dropped."""
    frames = []
    n_done = 0
    while len(buffer) - n_done >= HEADER_SIZE:
        _, length, dest, source = struct.unpack_from("<HHBB", buffer, n_done)
        size = HEADER_SIZE + (length if dest & HAS_DATA else 0)
        if source != HOST or dest & ~HAS_DATA not in ADDRESSES or size > HEADER_SIZE + MAX_DATA_SIZE:
            n_done += 1
        elif len(buffer) - n_done < size:
            break
        else:
            frames.append(bytes(buffer[n_done : n_done + size]))
            n_done += size
    del buffer[:n_done]
    return frames


def register(block: bytes, offset: int) -> int:
    """Return the signed 32-bit number at `offset` of a parameter block."""
    return int.from_bytes(block[offset : offset + 4], "little", signed=True)


def short(message: int, param1: int, param2: int) -> bytes:
    """Return a frame without data, to the host."""
    return struct.pack("<HBBBB", message, param1, param2, HOST, UNIT)


def long(message: int, data: bytes) -> bytes:
    """Return a frame with data, to the host."""
    return struct.pack("<HHBB", message, len(data), HOST | HAS_DATA, UNIT) + data

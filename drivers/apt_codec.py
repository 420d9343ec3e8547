"""APT frames and values: the binary language of Thorlabs motion controllers.

A frame is six header bytes, alone or followed by data. `Frame` and `FrameReader` turn frames into bytes
and a stream of bytes into frames; `long_frame` and `values` pack and unpack the data. Numbers stay in the
controller's own units (microsteps and registers). Nothing here reads, writes or waits.

Ids, layouts and status bits are in `drivers/apt_messages.py`.

Source: Thorlabs, "APT Controllers Host-Controller Communications Protocol", issue 25 (2019).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from drivers.apt_messages import LAYOUTS, Message, Status

HOST = 0x01  # bus address of the computer
UNIT = 0x50  # bus address of a controller on its own USB cable; a K-Cube never answers at 0x11 or 0x21
CHANNEL = 1  # the only channel of a one-axis controller
HAS_DATA = 0x80  # flag in the destination byte: `length` data bytes follow the header
HEADER_SIZE = 6
MAX_DATA_SIZE = 255  # longest data block that the protocol documents, bytes

_INFO = struct.Struct("<i8sHBBBx60xHHH")  # issue 25, HW_GET_INFO
_RICH_RESPONSE = struct.Struct("<HH64s")  # message that caused it, code, text
_UPDATE = struct.Struct("<Hi4xI")  # channel, microsteps, (velocity, encoder or reserved), status bits
_UPDATES = {Message.GET_STATUSUPDATE, Message.GET_DCSTATUSUPDATE, Message.MOVE_COMPLETED, Message.MOVE_STOPPED}


class FrameError(ConnectionError):
    """A frame arrived whole, but its content does not fit its message id."""


@dataclass(frozen=True)
class Frame:
    """One APT message.

    Attributes
    ----------
    message : int
        Message id; ids that `Message` does not know are legal.
    param1, param2 : int
        Header parameters of a frame without data, 0 to 255.
    data : bytes
        Data block, at most 255 bytes; empty for the short form.
    dest, source : int
        Bus addresses, without the data flag.
    """

    message: int
    param1: int = 0
    param2: int = 0
    data: bytes = b""
    dest: int = UNIT
    source: int = HOST

    def encode(self) -> bytes:
        """Return the bytes on the wire.

        >>> Frame(Message.MOVE_HOME, CHANNEL).encode().hex(" ")
        '43 04 01 00 50 01'

        Raises
        ------
        ValueError
            The data block is longer than 255 bytes.
        """
        if len(self.data) > MAX_DATA_SIZE:
            raise ValueError(f"APT frame: {len(self.data)} data bytes, but the protocol allows {MAX_DATA_SIZE}.")
        if self.data:
            header = struct.pack("<HHBB", self.message, len(self.data), self.dest | HAS_DATA, self.source)
            return header + self.data
        return struct.pack("<HBBBB", self.message, self.param1, self.param2, self.dest, self.source)


@dataclass(frozen=True)
class Info:
    """What a controller says about itself (HW_GET_INFO)."""

    serial: int
    model: str
    firmware: str
    hardware_version: int
    n_channels: int


@dataclass(frozen=True)
class Update:
    """Position in microsteps and status bits, as a controller tells them unasked."""

    counts: int
    status: Status


def long_frame(message: Message, *fields: int) -> Frame:
    """Return the frame of a message with data.

    >>> long_frame(Message.MOVE_ABSOLUTE, CHANNEL, 2048).encode().hex(" ")
    '53 04 06 00 d0 01 01 00 00 08 00 00'

    Raises
    ------
    ValueError
        A field does not fit its width.
    """
    try:
        return Frame(message, data=LAYOUTS[message].pack(*fields))
    except struct.error as error:
        raise ValueError(f"{message.name}: {fields} do not fit the message ({error}).") from error


def check(frame: Frame) -> None:
    """Raise FrameError if a reply is not as long as its message asks for."""
    layout = _INFO if frame.message == Message.HW_GET_INFO else LAYOUTS.get(frame.message)
    if layout is not None:
        _check_size(frame, layout)


def values(frame: Frame) -> tuple[int, ...]:
    """Return the fields of a reply with data, without the channel.

    Raises
    ------
    FrameError
        The data block has another length than the message asks for.
    """
    layout = LAYOUTS[frame.message]
    _check_size(frame, layout)
    return layout.unpack(frame.data)[1:]


def info(frame: Frame) -> Info:
    """Return the content of HW_GET_INFO; FrameError if it is not 84 bytes long."""
    _check_size(frame, _INFO)
    serial, model, _, minor, interim, major, hardware, _, n_channels = _INFO.unpack(frame.data)
    return Info(serial, _text(model), f"{major}.{interim}.{minor}", hardware, n_channels)


def update(frame: Frame) -> Update | None:
    """Return where the axis was and its status bits when it sent a status update or the end of a move.

    None if the frame brings neither: some firmware ends a move with the short form. Updates of 14 and of 28 bytes,
    and those of other controller families, hold both at the same places.
    """
    if frame.message not in _UPDATES or len(frame.data) < _UPDATE.size:
        return None
    _, counts, bits = _UPDATE.unpack_from(frame.data)
    return Update(counts, Status(bits))


def fault_text(frame: Frame) -> str:
    """Return what HW_RESPONSE or HW_RICHRESPONSE reports, in words."""
    if not frame.data:
        return "a fault without a text"
    _check_size(frame, _RICH_RESPONSE)
    cause, code, text = _RICH_RESPONSE.unpack(frame.data)
    return f"fault {code} after message 0x{cause:04X}: {_text(text)}"


class FrameReader:
    """Cuts a stream of bytes into frames and finds its way back after garbage.

    A header counts only if it comes from a controller (source 0x50, or as given) to us and announces no
    more than 255 bytes; otherwise one byte is dropped and the next position tried. Stray bytes between frames
    and echoes of our own output thus disappear, and a garbled length cannot make the reader wait for 64 kB.

    Attributes
    ----------
    n_dropped : int
        Bytes dropped so far; on a healthy link next to none.
    """

    def __init__(self, source: int = UNIT) -> None:
        self._source = source
        self._buffer = bytearray()
        self.n_dropped = 0

    @property
    def n_missing(self) -> int:
        """How many bytes the present frame lacks, so that an exact read never waits for a later frame."""
        return max(self._frame_size() - len(self._buffer), 1)

    def feed(self, data: bytes) -> None:
        """Append bytes that have arrived."""
        self._buffer += data

    def next_frame(self) -> Frame | None:
        """Take the next complete frame out of the stream, or return None if more bytes are needed."""
        while len(self._buffer) >= HEADER_SIZE and not self._is_header():
            self._drop()
        size = self._frame_size()
        if len(self._buffer) < size:
            return None
        raw = bytes(self._buffer[:size])
        del self._buffer[:size]
        message, param1, param2, dest, source = struct.unpack_from("<HBBBB", raw)
        if dest & HAS_DATA:
            return Frame(message, data=raw[HEADER_SIZE:], dest=dest & ~HAS_DATA, source=source)
        return Frame(message, param1, param2, dest=dest, source=source)

    def clear(self) -> None:
        """Drop all that has arrived and was not taken out."""
        self.n_dropped += len(self._buffer)
        self._buffer.clear()

    def give_up(self) -> None:
        """Drop the first byte of a frame whose rest never came, so that it cannot swallow what follows."""
        if self._buffer:
            self._drop()

    def _is_header(self) -> bool:
        _, length, dest, source = struct.unpack_from("<HHBB", self._buffer)
        is_for_us = source == self._source and dest & ~HAS_DATA == HOST
        return is_for_us and (not dest & HAS_DATA or length <= MAX_DATA_SIZE)

    def _frame_size(self) -> int:
        if len(self._buffer) < HEADER_SIZE or not self._is_header():
            return HEADER_SIZE
        _, length, dest, _ = struct.unpack_from("<HHBB", self._buffer)
        return HEADER_SIZE + (length if dest & HAS_DATA else 0)

    def _drop(self) -> None:
        del self._buffer[0]
        self.n_dropped += 1


def _check_size(frame: Frame, layout: struct.Struct) -> None:
    if len(frame.data) != layout.size:
        raise FrameError(
            f"APT message 0x{frame.message:04X} carries {len(frame.data)} data bytes instead of {layout.size}: "
            "the controller speaks another dialect, or the link is disturbed; check model and firmware."
        )


def _text(field: bytes) -> str:
    """Return the text of a NUL- or blank-padded field; what follows a NUL may be rubbish."""
    return field.split(b"\0", 1)[0].decode("ascii", errors="replace").strip()

"""APT frames and values: the binary language of Thorlabs motion controllers.

A frame is six header bytes, alone or followed by data. `Frame` and `FrameReader` turn frames into bytes
and a stream of bytes into frames; `long_frame` and `values` pack and unpack the data. Numbers stay in the
controller's own units (microsteps and registers). Nothing here reads, writes or waits.

Every field is little endian. A SET has no reply; the REQ with the next id is answered by the GET after it
(SET 0x0413, REQ 0x0414, GET 0x0415).

Source: Thorlabs, "APT Controllers Host-Controller Communications Protocol", issue 25 (2019).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

HOST = 0x01  # bus address of the computer
UNIT = 0x50  # bus address of a controller on its own USB cable; a K-Cube never answers at 0x11 or 0x21
CHANNEL = 1  # the only channel of a one-axis controller
HAS_DATA = 0x80  # flag in the destination byte: `length` data bytes follow the header
HEADER_SIZE = 6
MAX_DATA_SIZE = 255  # longest data block that the protocol documents, bytes


class Message(IntEnum):
    """Message ids used with one-axis stepper controllers (issue 25, section "Motor control messages")."""

    HW_REQ_INFO = 0x0005
    HW_GET_INFO = 0x0006
    HW_START_UPDATEMSGS = 0x0011
    HW_STOP_UPDATEMSGS = 0x0012
    HW_RESPONSE = 0x0080
    HW_RICHRESPONSE = 0x0081
    SET_CHANENABLESTATE = 0x0210
    REQ_CHANENABLESTATE = 0x0211
    GET_CHANENABLESTATE = 0x0212
    IDENTIFY = 0x0223
    REQ_POSCOUNTER = 0x0411
    GET_POSCOUNTER = 0x0412
    SET_VELPARAMS = 0x0413
    REQ_VELPARAMS = 0x0414
    GET_VELPARAMS = 0x0415
    SET_LIMSWITCHPARAMS = 0x0423
    REQ_LIMSWITCHPARAMS = 0x0424
    GET_LIMSWITCHPARAMS = 0x0425
    REQ_STATUSBITS = 0x0429
    GET_STATUSBITS = 0x042A
    SET_GENMOVEPARAMS = 0x043A
    REQ_GENMOVEPARAMS = 0x043B
    GET_GENMOVEPARAMS = 0x043C
    SET_HOMEPARAMS = 0x0440
    REQ_HOMEPARAMS = 0x0441
    GET_HOMEPARAMS = 0x0442
    MOVE_HOME = 0x0443
    MOVE_HOMED = 0x0444
    MOVE_RELATIVE = 0x0448
    MOVE_ABSOLUTE = 0x0453
    MOVE_COMPLETED = 0x0464
    MOVE_STOP = 0x0465
    MOVE_STOPPED = 0x0466
    GET_STATUSUPDATE = 0x0481


class Status(IntFlag):
    """Status bits of a stepper controller.

    The documents contradict one another about the direction of the limit and motion bits, so only "any of"
    masks may decide anything: `MOVING`, `LIMITS`, `FAULTS`.
    """

    FORWARD_LIMIT = 0x00000001
    REVERSE_LIMIT = 0x00000002
    FORWARD_SOFT_LIMIT = 0x00000004
    REVERSE_SOFT_LIMIT = 0x00000008
    MOVING_FORWARD = 0x00000010
    MOVING_REVERSE = 0x00000020
    JOGGING_FORWARD = 0x00000040
    JOGGING_REVERSE = 0x00000080
    MOTOR_CONNECTED = 0x00000100
    HOMING = 0x00000200
    HOMED = 0x00000400
    MOTION_ERROR = 0x00004000
    INSTRUMENT_ERROR = 0x00008000
    OVER_TEMPERATURE = 0x00020000
    SUPPLY_VOLTAGE_FAULT = 0x00040000
    COMMUTATION_ERROR = 0x00080000
    OVER_CURRENT = 0x04000000
    SUPPLY_CURRENT_FAULT = 0x08000000
    ERROR = 0x40000000
    CHANNEL_ENABLED = 0x80000000


MOVING = Status(0x000002F0)  # moving, jogging or homing, whichever way
LIMITS = Status(0x0000000F)  # on a limit switch, or at a limit set in software
FAULTS = Status(0x4C0EC000)  # everything that the controller reports as wrong

_COUNT = struct.Struct("<Hi")  # channel, microsteps
_VELOCITY = struct.Struct("<Hiii")  # channel, minimum (always 0), acceleration, maximum
_LIMIT_SWITCHES = struct.Struct("<HHHiiH")  # channel, hard forward and reverse, soft forward and reverse, soft mode
_HOME = struct.Struct("<HHHii")  # channel, direction, limit switch, velocity, offset
_STATUS_BITS = struct.Struct("<HI")  # channel, bits
_INFO = struct.Struct("<i8sHBBBx60xHHH")  # issue 25, HW_GET_INFO
_RICH_RESPONSE = struct.Struct("<HH64s")  # message that caused it, code, text

LAYOUTS: dict[int, struct.Struct] = {
    Message.GET_POSCOUNTER: _COUNT,
    Message.SET_VELPARAMS: _VELOCITY,
    Message.GET_VELPARAMS: _VELOCITY,
    Message.SET_LIMSWITCHPARAMS: _LIMIT_SWITCHES,
    Message.GET_LIMSWITCHPARAMS: _LIMIT_SWITCHES,
    Message.GET_STATUSBITS: _STATUS_BITS,
    Message.SET_GENMOVEPARAMS: _COUNT,
    Message.GET_GENMOVEPARAMS: _COUNT,
    Message.SET_HOMEPARAMS: _HOME,
    Message.GET_HOMEPARAMS: _HOME,
    Message.MOVE_RELATIVE: _COUNT,
    Message.MOVE_ABSOLUTE: _COUNT,
}
"""How the data of each long message are laid out; the first field is always the channel."""


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

"""UC telegrams: the binary language of the attocube ANC350, over TCP and USB alike.

A telegram is a row of little-endian 32-bit integers: the number of bytes that follow, operation, address,
axis, correlation number, then data words. GET and SET are answered by an ACK with the same correlation
number (unless that is 0); a TELL comes unasked. Nothing here reads, writes or waits.

Sources: attocube headers `ucprotocol.h` (2009, 2013) and `anc350v4_protocol.h` 1.2 (2018).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

HEADER_SIZE = 20
MIN_LENGTH = 16
MAX_LENGTH = 508  # UC_MAXSIZE of 512 less the length field
WORD_SIZE = 4
MAX_CORRELATION = 9_999  # EPICS found larger numbers mishandled by the device

_HEADER = struct.Struct("<5i")


class Operation(IntEnum):
    """What a telegram does."""

    SET = 0
    GET = 1
    ACK = 3
    TELL = 4


class Address(IntEnum):
    """The address table of firmware 4; index is the axis, or 0 for what concerns the unit."""

    # of the unit
    SYNCHRONISE = 0x000A
    TOLD_VERSION = 0x0111  # and 0x0117, 0x0240, 0x0246, told piecewise after REQUEST_VERSION
    TOLD_PRODUCT = 0x0112  # and 0x0118, 0x0241, 0x0247
    EVENTS = 0x0145
    HARDWARE_ID = 0x0168
    SET_HARDWARE_ID = 0x016A
    REQUEST_VERSION = 0x016C
    SAVE_HARDWARE_ID = 0x016F
    PARAMETERS = 0x050C  # 1234 saves them, 4321 clears them
    SENSOR_VOLTAGE = 0x0526
    LEGACY_VERSION = 0x3038
    # of an axis: drive
    AMPLITUDE = 0x0400
    FREQUENCY = 0x0401
    DC_LEVEL = 0x0514
    OUTPUT_ENABLE = 0x3030
    OFF_AT_END_OF_TRAVEL = 0x0450
    GROUND_AFTER_MOTION = 0x0451
    OVER_CURRENT = 0x3150
    CLEAR_OVER_CURRENT = 0x3151
    MEASURE_CAPACITANCE = 0x051E
    CAPACITANCE = 0x0569
    # of an axis: motion; each of these commands cancels all others of its axis
    TARGET = 0x0408
    TARGET_RANGE = 0x3036
    RUN_TO_TARGET = 0x040D
    RUN_RELATIVE = 0x0418
    GO_FORWARD = 0x040E
    GO_BACKWARD = 0x040F
    STEP_FORWARD = 0x0410
    STEP_BACKWARD = 0x0411
    # of an axis: readings
    STATUS = 0x0404
    POSITION = 0x0415
    CONNECTED = 0x3002
    MOVING = 0x302E
    SENSOR_ERROR = 0x3031
    ON_TARGET = 0x3037
    END_OF_TRAVEL_FORWARD = 0x3039
    END_OF_TRAVEL_BACKWARD = 0x303A
    # of an axis with an optical encoder (NUM)
    REFERENCE = 0x0407
    MOVE_TO_REFERENCE = 0x0444
    RESET_POSITION = 0x044F
    DUTY_CYCLE = 0x0588  # to 0x058A
    SENSOR_POWER = 0x058D
    REFERENCE_AUTO_UPDATE = 0x3034
    REFERENCE_AUTO_RESET = 0x3035
    # of an axis: external trigger and quadrature
    STEP_TRIGGER = 0x3042
    QUADRATURE_IN = 0x3044
    QUADRATURE_IN_RESOLUTION = 0x3045
    QUADRATURE_OUT = 0x3046
    QUADRATURE_OUT_RESOLUTION = 0x3047
    QUADRATURE_OUT_CLOCK = 0x3048


VERSION_ADDRESSES = (0x0111, 0x0117, 0x0240, 0x0246)
"""Where the parts of the unit tell their firmware versions after `Address.REQUEST_VERSION`."""


REASONS = {
    0: "ok",
    1: "invalid address",
    2: "value out of range",
    3: "ignored",
    4: "verification failed",
    5: "wrong type",
    99: "unknown reason",
}
"""Reason codes of an ACK."""


def text_of(word: int) -> str:
    """Return four characters of a text, the leftmost in the most significant byte, without padding.

    >>> text_of(0x414E4333)
    'ANC3'
    """
    return (word & 0xFFFFFFFF).to_bytes(4, "big").rstrip(b"\0").decode("ascii", errors="replace")


class FramingError(ConnectionError):
    """The stream is out of step: these bytes cannot begin a telegram."""


@dataclass(frozen=True)
class Telegram:
    """One UC telegram.

    Attributes
    ----------
    operation : Operation
    address, index : int
        What it is about, and of which axis.
    correlation : int
        Copied by the device from a request into its ACK; 0 asks for no ACK.
    words : tuple of int
        Signed 32-bit words: the value of a SET or TELL; reason and value of an ACK.
    """

    operation: Operation
    address: int
    index: int = 0
    correlation: int = 0
    words: tuple[int, ...] = ()

    def encode(self) -> bytes:
        """Return the bytes on the wire.

        >>> Telegram(Operation.GET, Address.POSITION, 0, 1).encode().hex(" ", 4)
        '10000000 01000000 15040000 00000000 01000000'

        Raises
        ------
        ValueError
            A word does not fit 32 bits, or there are too many.
        """
        length = MIN_LENGTH + WORD_SIZE * len(self.words)
        if length > MAX_LENGTH:
            raise ValueError(f"UC telegram: {len(self.words)} words make {length} bytes, {MAX_LENGTH} are allowed.")
        fields = (length, self.operation, self.address, self.index, self.correlation, *self.words)
        try:
            return struct.pack(f"<{len(fields)}i", *fields)
        except struct.error as error:
            raise ValueError(f"UC telegram: {self.words} do not fit signed 32-bit words ({error}).") from error

    @property
    def reason(self) -> int:
        """Reason code of an ACK; 0 if the device left it out, as some firmware does after a SET."""
        return self.words[0] if self.words else 0

    @property
    def reason_text(self) -> str:
        """Reason of an ACK in words."""
        return REASONS.get(self.reason, f"undocumented reason {self.reason}")


class TelegramReader:
    """Cuts a stream of bytes into telegrams.

    The first bytes must hold a length from 16 to 508 in whole words and an operation that a device sends
    (ACK or TELL). If they do not, one byte is dropped and FramingError raised: the caller asks the device
    to pause (`Address.SYNCHRONISE`), or simply goes on, byte by byte, until a telegram fits again.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def n_missing(self) -> int:
        """How many bytes the present telegram lacks, so that an exact read never waits for a later one."""
        return max(self._size() - len(self._buffer), 1)

    @property
    def has_rest(self) -> bool:
        """Whether part of a telegram has arrived."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> None:
        """Append bytes that have arrived."""
        self._buffer += data

    def clear(self) -> None:
        """Forget what has arrived."""
        self._buffer.clear()

    def next_telegram(self) -> Telegram | None:
        """Take the next complete telegram out of the stream, or return None if more bytes are needed.

        Raises
        ------
        FramingError
            No telegram begins here; one byte was dropped.
        """
        if len(self._buffer) < HEADER_SIZE:
            return None
        length, operation, address, index, correlation = _HEADER.unpack_from(self._buffer)
        is_length_sound = MIN_LENGTH <= length <= MAX_LENGTH and length % WORD_SIZE == 0
        if not is_length_sound or operation not in (Operation.ACK, Operation.TELL):
            del self._buffer[0]
            raise FramingError(
                f"UC stream out of step: length {length} (allowed {MIN_LENGTH} to {MAX_LENGTH} bytes) with "
                f"operation {operation}; synchronise the link before the next request."
            )
        size = self._size()
        if len(self._buffer) < size:
            return None
        words = struct.unpack_from(f"<{(size - HEADER_SIZE) // WORD_SIZE}i", self._buffer, HEADER_SIZE)
        del self._buffer[:size]
        return Telegram(Operation(operation), address, index, correlation, words)

    def _size(self) -> int:
        if len(self._buffer) < HEADER_SIZE:
            return HEADER_SIZE
        return WORD_SIZE + min(int.from_bytes(self._buffer[:WORD_SIZE], "little"), MAX_LENGTH)

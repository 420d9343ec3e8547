"""Faults by name: what can go wrong with a device or with the line to it, and when it does.

A fault of the line acts on messages, whatever the device: a `Line` counts them and does to a reply what the fault
says. A fault of a device changes the double itself (`mishaps.py`). Both strike at a transaction, counted from the
first message to the device over any connection, or at a simulated time; transactions of the counter are calls of its
library that concern the device.

What is lost is the reply, with one exception: a silent box does not hear either. A message without a reply, such as an
order to move, suffers silence and a closed port only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

LATE_S = 3.0
"""How late a late reply is, by the wall clock: later than any program waits."""

SILENCE = "silence"
LATE_REPLY = "late reply"
GARBLED_FRAME = "garbled frame"
TRUNCATED_FRAME = "truncated frame"
STALE_REPLY = "stale reply"
PORT_CLOSED = "port closed"
LINE_FAULTS = (SILENCE, LATE_REPLY, GARBLED_FRAME, TRUNCATED_FRAME, STALE_REPLY, PORT_CLOSED)

STUCK_AXIS = "stuck axis"
MISSED_HOME = "missed home"
LIMIT_HIT = "limit hit"
LOST_SYNC = "lost sync"
DOUBLE_SYNC = "double-triggered sync"
FIFO_FULL = "FIFO full"
BIN_OVERFLOW = "bin overflow"
SENSOR_LOST = "sensor lost"
HEATER_OPEN = "heater open"
RAMP_STUCK = "ramp stuck"
POWER_CYCLE = "power cycle"
DEVICE_FAULTS = (
    STUCK_AXIS,
    MISSED_HOME,
    LIMIT_HIT,
    LOST_SYNC,
    DOUBLE_SYNC,
    FIFO_FULL,
    BIN_OVERFLOW,
    SENSOR_LOST,
    HEATER_OPEN,
    RAMP_STUCK,
    POWER_CYCLE,
)

_GARBLE = 0x55
_LINE_ENDS = b"\r\n"


@dataclass(frozen=True)
class Fault:
    """One fault that is to strike.

    Attributes
    ----------
    name : str
        Of `LINE_FAULTS` or `DEVICE_FAULTS`.
    device : str
        Role of the device on the bench, such as "trigger" or "counter".
    at_transaction : int or None
        Number of the first message that suffers, from 1.
    at_s : float or None
        Simulated time from which on it is there, in s; with neither it is there from the beginning.
    count : int or None
        How many messages suffer from a fault of the line; None: all that follow.
    late_s : float
        How late a late reply is, in s of the wall clock.
    """

    name: str
    device: str
    at_transaction: int | None = None
    at_s: float | None = None
    count: int | None = None
    late_s: float = LATE_S

    def __post_init__(self) -> None:
        if self.name not in LINE_FAULTS + DEVICE_FAULTS:
            raise ValueError(f"no fault is called {self.name!r}; there are {', '.join(LINE_FAULTS + DEVICE_FAULTS)}")
        if self.name in DEVICE_FAULTS and self.count is not None:
            raise ValueError(f"{self.name}: it stays; only a fault of the line can end after {self.count} messages")
        if self.at_transaction is not None and self.at_s is not None:
            raise ValueError(f"{self.name} of {self.device}: give a transaction or a time, not both")


@dataclass
class _Planned:
    fault: Fault
    strike: Callable[[], None] | None
    first: int | None = None

    def is_due(self, number: int, now_ns: int) -> bool:
        """Tell whether a message suffers; the first one that does is remembered."""
        fault = self.fault
        if self.first is None:
            is_early = number < (fault.at_transaction or 1) if fault.at_s is None else now_ns < round(fault.at_s * 1e9)
            if is_early:
                return False
            self.first = number
            if self.strike is not None:
                self.strike()
        return fault.count is None or number < self.first + fault.count


@dataclass
class Conversation:
    """One connection: what has come in and not ended yet, replies that are held back, and whether it is cut."""

    unfinished: bytearray = field(default_factory=bytearray)
    late: list[tuple[float, bytes]] = field(default_factory=list)
    is_cut: bool = False

    def overdue(self) -> bytes:
        """Return the late replies whose moment has come."""
        now_s = time.monotonic()
        due = [reply for due_s, reply in self.late if due_s <= now_s]
        del self.late[: len(due)]
        return b"".join(due)


class Line:
    """What leads to one device: it counts what crosses it, and suffers.

    Attributes
    ----------
    n_transactions : int
        Messages that have come to the device.
    is_closed : bool
        Whether nothing can be reached any more.
    """

    def __init__(self) -> None:
        self.n_transactions = 0
        self.is_closed = False
        self._planned: list[_Planned] = []

    def plan(self, fault: Fault, strike: Callable[[], None] | None = None) -> None:
        """Let a fault strike when it is due; `strike` does what a fault of the device does."""
        self._planned.append(_Planned(fault, strike))

    def strike_overdue(self, now_ns: int) -> None:
        """Let the faults of the device whose simulated time has come strike."""
        for planned in self._planned:
            if planned.strike is not None and planned.fault.at_s is not None:
                planned.is_due(self.n_transactions, now_ns)

    def suffer(self, now_ns: int) -> Fault | None:
        """Count a message, and return the fault of the line that it meets."""
        self.n_transactions += 1
        met = [each.fault for each in self._planned if each.is_due(self.n_transactions, now_ns) and each.strike is None]
        return met[-1] if met else None

    def carry(self, frame: bytes, answer: Callable[[bytes], bytes], conversation: Conversation, now_ns: int) -> bytes:
        """Take a message to the device and return what comes back at once."""
        if self.is_closed or conversation.is_cut:
            return b""
        fault = self.suffer(now_ns)
        if fault is None:
            return answer(frame)
        if fault.name == SILENCE:
            return b""
        if fault.name == PORT_CLOSED:
            conversation.is_cut, self.is_closed = True, fault.count is None
            return b""
        reply = answer(frame)
        if fault.name == LATE_REPLY:
            if reply:
                conversation.late.append((time.monotonic() + fault.late_s, reply))
            return b""
        return _damaged(reply, fault.name)


def _damaged(reply: bytes, fault: str) -> bytes:
    if fault == GARBLED_FRAME:
        return bytes(byte if byte in _LINE_ENDS else byte ^ _GARBLE for byte in reply)
    if fault == TRUNCATED_FRAME:
        return reply[: len(reply) // 2]
    return reply + reply

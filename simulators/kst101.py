"""Double of a Thorlabs KST101 with a ZFS25B actuator: APT frames at its USB port, a spindle behind it.

It starts as a unit does after power-up: not homed, with a count that means nothing and with the settings of
another actuator. Moves are trapezoids, reverse moves are followed by the backlash correction, homing runs
onto the reverse switch and backs off. Positions are known as formulas of time, so `position_mm_at` tells where
the spindle truly is at any nanosecond, past moves included, and not only what the controller believes.

A strict KST101: REQ_STATUSUPDATE (0x0480) stays unanswered, frames to another bus address are ignored.
Not modelled: delayed replies, input overrun, lost steps, hysteresis of the screw, homing to the far end.

Source: Thorlabs, "APT Controllers Host-Controller Communications Protocol", issue 25 (2019). **Ours**: switches
0.1 mm outside the 25 mm of travel, both motion bits as in issue 25, and what follows from contradictory orders.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable

import numpy as np

from simulators.double import Double
from simulators.spindle import FORWARD_SWITCH_MM, REVERSE_SWITCH_MM, Spindle
from simulators.trajectory import NS_PER_S, Trajectory

HOST, UNIT, HAS_DATA, HEADER_SIZE, MAX_DATA_SIZE = 0x01, 0x50, 0x80, 6, 255
ADDRESSES = {0x11, UNIT, *range(0x21, 0x2B)}  # motherboard, this unit, bays

COUNTS_PER_MM = 24 * 2048 * 400 / 9
VELOCITY_PER_MM_S = COUNTS_PER_MM * 53.68
ACCELERATION_PER_MM_S2 = COUNTS_PER_MM / 90.9

UPDATE_INTERVAL_NS = 100_000_000
_NEVER_NS = 1 << 62
_MOVING_FORWARD, _MOVING_REVERSE, _HOMING, _HOMED = 0x10, 0x20, 0x200, 0x400
_FORWARD_LIMIT, _REVERSE_LIMIT, _CONNECTED, _ENABLED = 0x1, 0x2, 0x100, 0x80000000
_HOMED_MESSAGE, _COMPLETED, _STOPPED, _STATUS_UPDATE = 0x0444, 0x0464, 0x0466, 0x0481

_SETTINGS_AT_POWER_UP = {
    0x0413: struct.pack("<Hiii", 1, 0, 11_048, 107_824_097),  # velocity of a ZST25 actuator
    0x0416: struct.pack("<HHiiiiH", 1, 2, 200_865, 0, 11_048, 107_824_097, 2),  # jog
    0x0423: struct.pack("<HHHiiH", 1, 1, 1, 0, 0, 1),  # limit switches
    0x0426: struct.pack("<HHH", 1, 15, 30),  # power
    0x043A: struct.pack("<Hi", 1, 0),  # backlash
    0x0440: struct.pack("<HHHii", 1, 2, 1, 107_824_097, 600_000),  # home
    0x0445: struct.pack("<Hi", 1, 0),  # relative distance
    0x0450: struct.pack("<Hi", 1, 0),  # absolute target
}
"""Parameter blocks by the id of their SET message; REQ and GET follow it."""


class KST101(Double):
    """One controller with its actuator.

    Parameters
    ----------
    seed : int
        Of the count and the place at power-up, and of the mechanical errors.
    is_homed : bool
        Start homed at `position_mm` instead of somewhere with an arbitrary count.
    position_mm : float
        Where a homed axis starts, 0 to 25 mm.
    repeatability_um : float
        Standard deviation in um of where the spindle really stops; one draw per move.
    serial, model : int, str
        What it says it is.

    Attributes
    ----------
    is_completion_lost : bool
        Never send MOVE_COMPLETED, as some units do.
    faults : int
        Status bits to be reported on top of the true ones.
    """

    def __init__(
        self,
        seed: int = 0,
        is_homed: bool = False,
        position_mm: float = 0.0,
        repeatability_um: float = 0.0,
        serial: int = 26_001_234,
        model: str = "KST101",
    ) -> None:
        super().__init__()
        generator = np.random.default_rng([seed, 0])
        place_mm, count = float(generator.uniform(2.0, 23.0)), int(generator.integers(-30_000_000, 30_000_000))
        start_mm = position_mm if is_homed else place_mm
        self.is_completion_lost = False
        self.faults = 0
        self._identity = struct.pack("<i8sH4B60xHHH", serial, model.encode(), 16, 1, 2, 3, 0, 1, 0, 1)
        self._is_homed = is_homed
        self._is_enabled = True
        self._zero_mm = 0.0 if is_homed else place_mm - count / COUNTS_PER_MM
        self._settings = dict(_SETTINGS_AT_POWER_UP)
        self._spindle = Spindle(start_mm, seed, repeatability_um * 1e-3)
        self._purpose: int | None = None
        self._next_update_ns = _NEVER_NS
        self._outbox: deque[bytes] = deque(maxlen=64)
        self._orders: dict[int, Callable[[int, int, bytes], bytes]] = {
            0x0005: lambda _p1, _p2, _data: _long(0x0006, self._identity),
            0x0011: lambda _p1, _p2, _data: self._send_updates(self.time_ns + UPDATE_INTERVAL_NS),
            0x0012: lambda _p1, _p2, _data: self._send_updates(_NEVER_NS),
            0x0210: lambda _p1, state, _data: self._enable(state == 1),
            0x0211: lambda _p1, _p2, _data: _short(0x0212, 1, 1 if self._is_enabled else 2),
            0x0411: lambda _p1, _p2, _data: _long(0x0412, struct.pack("<Hi", 1, self._count())),
            0x0429: lambda _p1, _p2, _data: _long(0x042A, struct.pack("<HI", 1, self._status())),
            0x0443: lambda _p1, _p2, _data: self._home(),
            0x0448: lambda _p1, _p2, data: self._move_by(data or self._settings[0x0445]),
            0x0453: lambda _p1, _p2, data: self._move_to(data or self._settings[0x0450]),
            0x0465: lambda _p1, how, _data: self._stop(is_immediate=how == 1),
        }

    def position_mm_at(self, time_ns: int) -> float:
        """Return where the spindle truly is at a present or past time, in mm from the reference position.

        ValueError if the time lies before the moves that are remembered.
        """
        return self._spindle.position_mm_at(time_ns)

    @property
    def position_mm(self) -> float:
        """Where the spindle truly is now, in mm."""
        return self.position_mm_at(self.time_ns)

    @property
    def is_homed(self) -> bool:
        """Whether the controller has found its reference position."""
        return self._is_homed

    @property
    def is_moving(self) -> bool:
        """Whether the spindle turns."""
        return self.time_ns < self._path.end_ns

    def process(self, dt_s: float) -> None:
        """Let time pass, with every end of a move and every automatic message at its own time."""
        end_ns = self.time_ns + round(dt_s * NS_PER_S)
        while (due_ns := min(self._next_end_ns(), self._next_update_ns)) <= end_ns:
            self.time_ns = due_ns
            if due_ns == self._next_end_ns():
                self._arrive()
            else:
                self._outbox.append(self._status_message(_STATUS_UPDATE))
                self._next_update_ns += UPDATE_INTERVAL_NS
        self.time_ns = end_ns

    def split(self, buffer: bytearray) -> list[bytes]:
        """Take the complete frames out of `buffer`; bytes that cannot begin a frame from a host are dropped."""
        frames = []
        while len(buffer) >= HEADER_SIZE:
            _, length, dest, source = struct.unpack_from("<HHBB", buffer)
            size = HEADER_SIZE + (length if dest & HAS_DATA else 0)
            if source != HOST or dest & ~HAS_DATA not in ADDRESSES or size > HEADER_SIZE + MAX_DATA_SIZE:
                del buffer[0]
            elif len(buffer) < size:
                break
            else:
                frames.append(bytes(buffer[:size]))
                del buffer[:size]
        return frames

    def answer(self, frame: bytes) -> bytes:
        """Obey one frame; frames to others and unknown messages stay without effect and reply."""
        message, param1, param2, dest, _ = struct.unpack_from("<HBBBB", frame)
        data = frame[HEADER_SIZE:]
        if dest & ~HAS_DATA != UNIT:
            return b""
        if message in self._settings:
            if len(data) == len(self._settings[message]):
                self._settings[message] = data
            return b""
        if message - 1 in self._settings:
            return _long(message + 1, self._settings[message - 1])
        order = self._orders.get(message)
        return order(param1, param2, data) if order else b""

    def spontaneous(self) -> bytes:
        """Return the ends of moves and automatic messages that are due."""
        self.process(0.0)
        sent = b"".join(self._outbox)
        self._outbox.clear()
        return sent

    @property
    def _path(self) -> Trajectory:
        return self._spindle.path

    def _move_to(self, data: bytes) -> bytes:
        return self._drive_to(self._zero_mm + _register(data, 2) / COUNTS_PER_MM)

    def _move_by(self, data: bytes) -> bytes:
        return self._drive_to(self._path.position_at(self.time_ns) + _register(data, 2) / COUNTS_PER_MM)

    def _drive_to(self, target_mm: float) -> bytes:
        """Begin a move, after coming to rest if one is under way; a reverse move overshoots by the backlash."""
        velocity = _register(self._settings[0x0413], 10) / VELOCITY_PER_MM_S
        backlash_mm = _register(self._settings[0x043A], 2) / COUNTS_PER_MM
        if self._can_move(velocity):
            path = self._path.stopped(self.time_ns, self._acceleration_mm_s2())
            if target_mm < path.legs[-1].position_mm and backlash_mm > 0:
                path = path.then_to(target_mm - backlash_mm, velocity, self._acceleration_mm_s2())
            self._follow(path.then_to(target_mm, velocity, self._acceleration_mm_s2()), _COMPLETED)
        return b""

    def _home(self) -> bytes:
        """Run onto the switch and back off; the wrong direction ends, still not homed, on the forward switch."""
        home = self._settings[0x0440]
        velocity, acceleration = _register(home, 6) / VELOCITY_PER_MM_S, self._acceleration_mm_s2()
        if not self._can_move(velocity):
            return b""
        path = self._path.stopped(self.time_ns, acceleration)
        self._is_homed = False
        if home[2] != 2:  # not reverse
            self._follow(path.then_to(2 * FORWARD_SWITCH_MM, velocity, acceleration), _COMPLETED)
            return b""
        beyond = path.then_to(REVERSE_SWITCH_MM - FORWARD_SWITCH_MM, velocity, acceleration)
        on_switch = beyond.until(REVERSE_SWITCH_MM, FORWARD_SWITCH_MM)
        offset_mm = _register(home, 10) / COUNTS_PER_MM
        self._follow(on_switch.then_to(REVERSE_SWITCH_MM + offset_mm, velocity, acceleration), _HOMED_MESSAGE)
        return b""

    def _can_move(self, velocity_mm_s: float) -> bool:
        """Tell whether the motor is powered and the settings make sense; if not, orders stay without effect."""
        return self._is_enabled and velocity_mm_s > 0 and self._acceleration_mm_s2() > 0

    def _follow(self, path: Trajectory, purpose: int) -> None:
        self.before_change()
        self._spindle.follow(path)
        self._purpose = purpose

    def _stop(self, is_immediate: bool) -> bytes:
        self.before_change()
        acceleration = self._acceleration_mm_s2()
        self._spindle.stop(self.time_ns, float("inf") if is_immediate or acceleration <= 0 else acceleration)
        self._purpose = _STOPPED
        return b""

    def _enable(self, is_enabled: bool) -> bytes:
        if not is_enabled and self.is_moving:
            self._stop(is_immediate=True)
        self._is_enabled = is_enabled
        return b""

    def _send_updates(self, first_ns: int) -> bytes:
        self._next_update_ns = first_ns
        return b""

    def _next_end_ns(self) -> int:
        return self._path.end_ns if self._purpose is not None else _NEVER_NS

    def _arrive(self) -> None:
        """Do what the end of a path brings: the reference count, and a message to the host."""
        purpose, self._purpose = self._purpose, None
        if purpose == _HOMED_MESSAGE:
            self._zero_mm = self._path.legs[-1].position_mm
            self._is_homed = True
            self._outbox.append(_short(_HOMED_MESSAGE, 1, 0))
        elif purpose == _COMPLETED and not self._limit_bits():
            if not self.is_completion_lost:
                self._outbox.append(self._status_message(_COMPLETED))
        else:
            self._outbox.append(self._status_message(_STOPPED))

    def _count(self) -> int:
        return round((self._path.position_at(self.time_ns) - self._zero_mm) * COUNTS_PER_MM)

    def _status(self) -> int:
        bits = _CONNECTED | self.faults | self._limit_bits()
        bits |= _ENABLED if self._is_enabled else 0
        bits |= _HOMED if self._is_homed else 0
        if self.is_moving:
            bits |= _HOMING if self._purpose == _HOMED_MESSAGE else 0
            bits |= _MOVING_FORWARD if self._path.velocity_at(self.time_ns) >= 0 else _MOVING_REVERSE
        return bits

    def _limit_bits(self) -> int:
        forward = _FORWARD_LIMIT if self._spindle.is_on_forward_switch(self.time_ns) else 0
        return forward | (_REVERSE_LIMIT if self._spindle.is_on_reverse_switch(self.time_ns) else 0)

    def _status_message(self, message: int) -> bytes:
        return _long(message, struct.pack("<HiiI", 1, self._count(), 0, self._status()))

    def _acceleration_mm_s2(self) -> float:
        return _register(self._settings[0x0413], 6) / ACCELERATION_PER_MM_S2


def _register(block: bytes, offset: int) -> int:
    return int.from_bytes(block[offset : offset + 4], "little", signed=True)


def _short(message: int, param1: int, param2: int) -> bytes:
    return struct.pack("<HBBBB", message, param1, param2, HOST, UNIT)


def _long(message: int, data: bytes) -> bytes:
    return struct.pack("<HHBB", message, len(data), HOST | HAS_DATA, UNIT) + data

"""Double of an attocube ANC350 with three linear positioners and resistive sensors: UC telegrams over TCP.

It starts as a unit does after power-up: outputs off, events off, each positioner in the middle of its travel.
An enabled axis steps towards its goal at (step size) x (step rate) until it is there or at an end of its
travel, so its place is a formula of time; what the sensor reads is that place plus noise. An axis whose output is
off acknowledges a motion command and does not move.

Sources: attocube headers `ucprotocol.h` (2009, 2013) and `anc350v4_protocol.h` 1.2 (2018). **Ours**: the step size
against amplitude, sensor noise of 100 nm rms, reason 5 for a SET of a reading and for a GET of a command, reason 1
for an axis that does not exist, and that nothing sent during the silence after 0x000A is answered. Not modelled:
capacitance, triggers, scanners, encoders, firmware strings (their addresses are refused with reason 1).
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from simulators.double import Double

SET, GET, ACK, TELL = 0, 1, 3, 4
OK, INVALID_ADDRESS, OUT_OF_RANGE, WRONG_TYPE = 0, 1, 2, 5

SYNCHRONISE, EVENTS, HARDWARE_ID = 0x000A, 0x0145, 0x0168
AMPLITUDE, FREQUENCY, TARGET, TARGET_RANGE = 0x0400, 0x0401, 0x0408, 0x3036
OUTPUT, OFF_AT_END, GROUND_AFTER_MOVE = 0x3030, 0x0450, 0x0451
RUN_TO_TARGET, RUN_RELATIVE = 0x040D, 0x0418
STEP_FORWARD, STEP_BACKWARD, GO_FORWARD, GO_BACKWARD = 0x0410, 0x0411, 0x040E, 0x040F
STATUS, POSITION, CONNECTED, MOVING, SENSOR_ERROR, ON_TARGET = 0x0404, 0x0415, 0x3002, 0x302E, 0x3031, 0x3037
AT_FORWARD_END, AT_BACKWARD_END = 0x3039, 0x303A

N_AXES = 3
TRAVEL_NM = 5_000_000
LOST_SENSOR_NM = -897_591
"""What an open sensor reads: the end of a calibration table that attocube ships."""
NOISE_NM = 100.0
SENSOR_INTERVAL_NS = 10_000_000
"""The sensor's reading changes this often (ours)."""
TELL_INTERVAL_NS = 100_000_000
SILENCE_NS = 2_000_000_000
STICTION_V, STEP_NM_PER_V = 20.0, 10.0
"""No step below the first, and so much per volt above (ours)."""

_HEADER = struct.Struct("<5i")
_NEVER_NS = 1 << 62
_INT32 = (-(1 << 31), (1 << 31) - 1)
_SETTINGS = {
    AMPLITUDE: (30_000, 0, 70_000),
    FREQUENCY: (1_000, 1, 5_000),
    TARGET: (0, *_INT32),
    TARGET_RANGE: (1_000, 0, _INT32[1]),
    OUTPUT: (0, 0, 1),
    OFF_AT_END: (0, 0, 1),
    GROUND_AFTER_MOVE: (0, 0, 1),
}
"""Value at power-up, lowest and highest value of what can be set and read back."""
_COMMANDS = {RUN_TO_TARGET, RUN_RELATIVE, STEP_FORWARD, STEP_BACKWARD, GO_FORWARD, GO_BACKWARD}
_READINGS = {STATUS, POSITION, CONNECTED, MOVING, SENSOR_ERROR, ON_TARGET, AT_FORWARD_END, AT_BACKWARD_END}


@dataclass(frozen=True)
class Drive:
    """A run at constant speed from one place to another, both within the travel."""

    start_ns: int
    start_nm: float
    goal_nm: float
    speed_nm_s: float = 0.0

    @property
    def end_ns(self) -> int:
        """When it gets there; never without speed."""
        distance_nm = abs(self.goal_nm - self.start_nm)
        if not distance_nm:
            return self.start_ns
        return self.start_ns + round(distance_nm / self.speed_nm_s * 1e9) if self.speed_nm_s else _NEVER_NS

    def position_at(self, time_ns: int) -> float:
        """Return the place in nm."""
        if time_ns >= self.end_ns:
            return self.goal_nm
        way_nm = self.speed_nm_s * (time_ns - self.start_ns) * 1e-9
        return self.start_nm + way_nm if self.goal_nm > self.start_nm else self.start_nm - way_nm


@dataclass
class Axis:
    """One positioner: its settings by address, where it goes, and whether its sensor is torn off."""

    drive: Drive = Drive(0, TRAVEL_NM / 2, TRAVEL_NM / 2)
    is_following_target: bool = False
    is_sensor_lost: bool = False
    settings: dict[int, int] = field(default_factory=lambda: {key: row[0] for key, row in _SETTINGS.items()})


class ANC350(Double):
    """One controller with its three positioners.

    Parameters
    ----------
    seed : int
        Of the sensor noise.
    has_value_in_set_ack : bool
        Whether the ACK to a SET carries a data word; both forms have been seen.

    Attributes
    ----------
    axes : tuple of Axis
        State of the three axes; tear a sensor off with ``axes[0].is_sensor_lost = True``.
    """

    def __init__(self, seed: int = 0, has_value_in_set_ack: bool = True) -> None:
        super().__init__()
        self.axes = tuple(Axis() for _ in range(N_AXES))
        self._seed = seed
        self._has_value_in_set_ack = has_value_in_set_ack
        self._silent_until_ns = 0
        self._next_tell_ns = _NEVER_NS
        self._outbox: deque[bytes] = deque(maxlen=64)

    def position_nm_at(self, axis: int, time_ns: int) -> float:
        """Return where a positioner truly is, in nm, at a time since its last command.

        Raises
        ------
        ValueError
            The time lies before the last command.
        """
        drive = self.axes[axis].drive
        if time_ns < drive.start_ns:
            raise ValueError(f"{time_ns} ns lies before the last command to axis {axis} at {drive.start_ns} ns.")
        return drive.position_at(time_ns)

    def position_nm(self, axis: int) -> float:
        """Return where a positioner truly is now, in nm."""
        return self.position_nm_at(axis, self.time_ns)

    def process(self, dt_s: float) -> None:
        """Let time pass; outputs that go off at an end of travel do so when it is reached."""
        end_ns = self.time_ns + round(dt_s * 1e9)
        while self._next_tell_ns <= end_ns:
            self._advance(self._next_tell_ns)
            self._tell()
            self._next_tell_ns += TELL_INTERVAL_NS
        self._advance(end_ns)

    def split(self, buffer: bytearray) -> list[bytes]:
        """Take the complete telegrams out of `buffer`; an impossible length empties it."""
        telegrams = []
        while len(buffer) >= 4:
            size = 4 + int.from_bytes(buffer[:4], "little")
            if not 20 <= size <= 512:
                buffer.clear()
            if len(buffer) < size:
                break
            telegrams.append(bytes(buffer[:size]))
            del buffer[:size]
        return telegrams

    def answer(self, frame: bytes) -> bytes:
        """Obey one telegram; correlation number 0 is not acknowledged."""
        _, operation, address, index, correlation = _HEADER.unpack_from(frame)
        words = struct.unpack_from(f"<{(len(frame) - _HEADER.size) // 4}i", frame, _HEADER.size)
        was_silent = self._is_silent()
        if operation == GET:
            reason, value = self._get(address, index)
        elif operation == SET and words:
            reason, value = self._set(address, index, words[0]), words[0]
        else:
            reason, value = WRONG_TYPE, 0
        if not correlation or was_silent:
            return b""
        has_value = operation == GET or self._has_value_in_set_ack
        return _telegram(ACK, address, index, correlation, reason, *([value] if has_value else []))

    def spontaneous(self) -> bytes:
        """Return what the unit has told since the last call."""
        told = b"".join(self._outbox)
        self._outbox.clear()
        return told

    def _advance(self, time_ns: int) -> None:
        self.time_ns = time_ns
        for axis in self.axes:
            is_at_end = axis.drive.end_ns <= time_ns and axis.drive.goal_nm in (0.0, float(TRAVEL_NM))
            if is_at_end and axis.drive.speed_nm_s and axis.settings[OFF_AT_END]:
                axis.settings[OUTPUT] = 0
                axis.drive = Drive(axis.drive.end_ns, axis.drive.goal_nm, axis.drive.goal_nm)

    def _tell(self) -> None:
        if not self._is_silent():
            for index in range(N_AXES):
                for address in (POSITION, MOVING):
                    self._outbox.append(_telegram(TELL, address, index, 0, self._reading(address, index)))

    def _is_silent(self) -> bool:
        return self.time_ns < self._silent_until_ns

    def _get(self, address: int, index: int) -> tuple[int, int]:
        if address == HARDWARE_ID:
            return OK, -1
        if address in (SYNCHRONISE, EVENTS) or (address in _COMMANDS and index in range(N_AXES)):
            return WRONG_TYPE, 0
        if index not in range(N_AXES) or address not in _SETTINGS.keys() | _READINGS:
            return INVALID_ADDRESS, 0
        settings = self.axes[index].settings
        return OK, settings[address] if address in settings else self._reading(address, index)

    def _set(self, address: int, index: int, value: int) -> int:
        if address == SYNCHRONISE:
            self._silent_until_ns = self.time_ns + SILENCE_NS
            self._outbox.clear()
        elif address == EVENTS:
            self._next_tell_ns = self.time_ns + TELL_INTERVAL_NS if value else _NEVER_NS
        elif index not in range(N_AXES):
            return INVALID_ADDRESS
        elif address in _SETTINGS:
            return self._change(self.axes[index], address, value)
        elif address in _COMMANDS:
            self._move(self.axes[index], address, value)
        else:
            return WRONG_TYPE if address in _READINGS or address == HARDWARE_ID else INVALID_ADDRESS
        return OK

    def _change(self, axis: Axis, address: int, value: int) -> int:
        _, low, high = _SETTINGS[address]
        if not low <= value <= high:
            return OUT_OF_RANGE
        axis.settings[address] = value
        if address == OUTPUT and not value:
            self._go(axis, axis.drive.position_at(self.time_ns))
        elif address in (TARGET, AMPLITUDE, FREQUENCY) and axis.is_following_target:
            self._go(axis, axis.settings[TARGET])
        return OK

    def _move(self, axis: Axis, address: int, value: int) -> None:
        """Begin or end a motion; each cancels the one before."""
        here_nm = axis.drive.position_at(self.time_ns)
        goals_nm = {
            RUN_TO_TARGET: axis.settings[TARGET],
            RUN_RELATIVE: here_nm + axis.settings[TARGET],
            STEP_FORWARD: here_nm + self._step_nm(axis),
            STEP_BACKWARD: here_nm - self._step_nm(axis),
            GO_FORWARD: TRAVEL_NM,
            GO_BACKWARD: 0.0,
        }
        axis.is_following_target = bool(value) and address == RUN_TO_TARGET
        self._go(axis, goals_nm[address] if value else here_nm)

    def _go(self, axis: Axis, goal_nm: float) -> None:
        self.before_change()
        here_nm = axis.drive.position_at(self.time_ns)
        if not axis.settings[OUTPUT]:
            goal_nm = here_nm
        goal_nm = float(min(max(goal_nm, 0.0), TRAVEL_NM))
        axis.drive = Drive(self.time_ns, here_nm, goal_nm, self._step_nm(axis) * axis.settings[FREQUENCY])

    def _step_nm(self, axis: Axis) -> float:
        return max(axis.settings[AMPLITUDE] / 1000 - STICTION_V, 0.0) * STEP_NM_PER_V

    def _reading(self, address: int, index: int) -> int:
        axis = self.axes[index]
        place_nm, is_moving = axis.drive.position_at(self.time_ns), self.time_ns < axis.drive.end_ns
        position_nm = LOST_SENSOR_NM if axis.is_sensor_lost else round(place_nm + self._noise_nm(index))
        is_at_end = place_nm in (0.0, float(TRAVEL_NM))
        readings = {
            POSITION: position_nm,
            STATUS: is_moving | is_at_end << 1 | (0x0500 if axis.is_sensor_lost else 0),
            CONNECTED: not axis.is_sensor_lost,
            MOVING: is_moving,
            SENSOR_ERROR: axis.is_sensor_lost,
            ON_TARGET: abs(position_nm - axis.settings[TARGET]) <= axis.settings[TARGET_RANGE],
            AT_FORWARD_END: place_nm == TRAVEL_NM,
            AT_BACKWARD_END: place_nm == 0.0,
        }
        return int(readings[address])

    def _noise_nm(self, index: int) -> float:
        """Return the sensor's error of this moment; it follows from the time, not from who asks how often."""
        generator = np.random.default_rng([self._seed, index, self.time_ns // SENSOR_INTERVAL_NS])
        return float(generator.normal(0.0, NOISE_NM))


def _telegram(operation: int, address: int, index: int, correlation: int, *words: int) -> bytes:
    length = 16 + 4 * len(words)
    return struct.pack(f"<{5 + len(words)}i", length, operation, address, index, correlation, *words)

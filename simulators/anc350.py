"""Double of an attocube ANC350 with three linear positioners and resistive sensors: UC telegrams over TCP.

It starts as a unit does after power-up: outputs off, events off, each positioner in the middle of its travel.
An enabled axis steps towards its goal at (step size) x (step rate) until it is there or at an end of its
travel, so its place is a formula of time; what the sensor reads is that place plus noise. An axis whose output is
off acknowledges a motion command and does not move.

Sources: attocube headers `ucprotocol.h` (2009, 2013) and `anc350v4_protocol.h` 1.2 (2018). **Ours**: sensor noise of
100 nm rms, reason 5 for a SET of a reading and for a GET of a command, reason 1 for an axis that does not exist, that
what is asked during the silence after 0x000A is answered at its end, two seconds for a capacitance, and the version
texts. Not modelled: triggers, scanners, encoders (their addresses are refused with reason 1).
"""

from __future__ import annotations

import struct
from collections import deque

import numpy as np

from simulators.double import Double
from simulators.positioner import (
    CAPACITANCE_PF,
    SET_AMPLITUDE,
    SET_FREQUENCY,
    SET_OUTPUT,
    SET_TARGET,
    SET_TARGET_RANGE,
    SETTINGS,
    Axis,
)

SET, GET, ACK, TELL = 0, 1, 3, 4
OK, INVALID_ADDRESS, OUT_OF_RANGE, WRONG_TYPE = 0, 1, 2, 5

SYNCHRONISE, EVENTS, HARDWARE_ID, REQUEST_VERSION, SENSOR_VOLTAGE = 0x000A, 0x0145, 0x0168, 0x016C, 0x0526
UNIT_COMMANDS = {SYNCHRONISE, EVENTS, REQUEST_VERSION}
RUN_TO_TARGET, RUN_RELATIVE = 0x040D, 0x0418
STEP_FORWARD, STEP_BACKWARD, GO_FORWARD, GO_BACKWARD = 0x0410, 0x0411, 0x040E, 0x040F
MEASURE_CAPACITANCE, CAPACITANCE, OVER_CURRENT, CLEAR_OVER_CURRENT = 0x051E, 0x0569, 0x3150, 0x3151
STATUS, POSITION, CONNECTED, MOVING, SENSOR_ERROR, ON_TARGET = 0x0404, 0x0415, 0x3002, 0x302E, 0x3031, 0x3037
AT_FORWARD_END, AT_BACKWARD_END = 0x3039, 0x303A
MOTIONS = {RUN_TO_TARGET, RUN_RELATIVE, STEP_FORWARD, STEP_BACKWARD, GO_FORWARD, GO_BACKWARD}
COMMANDS = MOTIONS | {MEASURE_CAPACITANCE, CLEAR_OVER_CURRENT}
READINGS = {STATUS, POSITION, CONNECTED, MOVING, SENSOR_ERROR, ON_TARGET, AT_FORWARD_END, AT_BACKWARD_END}
READINGS |= {CAPACITANCE, OVER_CURRENT}

VERSIONS = {0x0111: "4.0.13", 0x0112: "ANC350", 0x0117: "4.0.2", 0x0118: "ANC350 axis"}
N_AXES = 3
LOST_SENSOR_NM = -897_591
"""What an open sensor reads: the end of a calibration table that attocube ships."""
NOISE_NM = 100.0
SENSOR_INTERVAL_NS = 10_000_000
"""The sensor's reading changes this often (ours)."""
TELL_INTERVAL_NS = 100_000_000
SILENCE_NS = 2_000_000_000
CAPACITANCE_NS = 2_000_000_000
MAX_SENSOR_VOLTAGE_MV = 1000

_HEADER = struct.Struct("<5i")
_NEVER_NS = 1 << 62


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
        State of the three axes, and what is wrong with them: tear a sensor off with ``axes[0].is_sensor_lost = True``.
    """

    def __init__(self, seed: int = 0, has_value_in_set_ack: bool = True) -> None:
        super().__init__()
        self.axes = tuple(Axis() for _ in range(N_AXES))
        self._seed = seed
        self._has_value_in_set_ack = has_value_in_set_ack
        self._sensor_voltage_mv = 300
        self._silent_until_ns = 0
        self._next_tell_ns = _NEVER_NS
        self._measured_at_ns = [_NEVER_NS] * N_AXES
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

    def cut_off(self, axis: int) -> None:
        """Let over-current switch an axis off until that is cleared."""
        self.before_change()
        self.axes[axis].cut_off(self.time_ns)

    def process(self, dt_s: float) -> None:
        """Let time pass; outputs that go off at an end of travel do so when it is reached."""
        end_ns = self.time_ns + round(dt_s * 1e9)
        while self._next_due_ns() <= end_ns:
            self._advance(self._next_due_ns())
            for index, due_ns in enumerate(self._measured_at_ns):
                if due_ns <= self.time_ns:
                    self._finish_capacitance(index)
            if self._next_tell_ns <= self.time_ns:
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
        if not correlation:
            return b""
        has_value = operation == GET or self._has_value_in_set_ack
        reply = _telegram(ACK, address, index, correlation, reason, *([value] if has_value else []))
        if was_silent:
            self._outbox.append(reply)
            return b""
        return reply

    def spontaneous(self) -> bytes:
        """Return what the unit has told since the last call, nothing while it is to be silent."""
        if self._is_silent():
            return b""
        told = b"".join(self._outbox)
        self._outbox.clear()
        return told

    def _next_due_ns(self) -> int:
        return min(self._next_tell_ns, *self._measured_at_ns)

    def _advance(self, time_ns: int) -> None:
        self.time_ns = time_ns
        for axis in self.axes:
            axis.halt_at_end(time_ns)

    def _tell(self) -> None:
        if not self._is_silent():
            for index in range(N_AXES):
                for address in (POSITION, MOVING):
                    self._outbox.append(_telegram(TELL, address, index, 0, self._reading(address, index)))

    def _tell_versions(self) -> None:
        """Tell each text in words of four characters, the leftmost in the most significant byte."""
        for address, text in VERSIONS.items():
            padded = text.encode().ljust(4 * (len(text) // 4 + 1), b"\0")
            for index in range(len(padded) // 4):
                word = int.from_bytes(padded[4 * index : 4 * index + 4], "big")
                self._outbox.append(_telegram(TELL, address, index, 0, word))

    def _finish_capacitance(self, index: int) -> None:
        self._measured_at_ns[index] = _NEVER_NS
        self.axes[index].capacitance_pf = 0 if self.axes[index].is_unplugged else CAPACITANCE_PF
        self._outbox.append(_telegram(TELL, CAPACITANCE, index, 0, self.axes[index].capacitance_pf))

    def _is_silent(self) -> bool:
        return self.time_ns < self._silent_until_ns

    def _get(self, address: int, index: int) -> tuple[int, int]:
        if address in (HARDWARE_ID, SENSOR_VOLTAGE):
            return OK, -1 if address == HARDWARE_ID else self._sensor_voltage_mv
        if address in UNIT_COMMANDS or (address in COMMANDS and index in range(N_AXES)):
            return WRONG_TYPE, 0
        if index not in range(N_AXES) or address not in SETTINGS.keys() | READINGS:
            return INVALID_ADDRESS, 0
        settings = self.axes[index].settings
        return OK, settings[address] if address in settings else self._reading(address, index)

    def _set(self, address: int, index: int, value: int) -> int:
        if address == SENSOR_VOLTAGE and not 0 <= value <= MAX_SENSOR_VOLTAGE_MV:
            return OUT_OF_RANGE
        if address in UNIT_COMMANDS or address == SENSOR_VOLTAGE:
            self._set_unit(address, value)
        elif index not in range(N_AXES):
            return INVALID_ADDRESS
        elif address in SETTINGS:
            return self._change(self.axes[index], address, value)
        elif address in MOTIONS:
            self._move(self.axes[index], address, value)
        elif address == MEASURE_CAPACITANCE:
            self._measured_at_ns[index] = self.time_ns + CAPACITANCE_NS
        elif address == CLEAR_OVER_CURRENT:
            self.axes[index].has_over_current = False
        else:
            return WRONG_TYPE if address in READINGS or address == HARDWARE_ID else INVALID_ADDRESS
        return OK

    def _set_unit(self, address: int, value: int) -> None:
        if address == SYNCHRONISE:
            self._silent_until_ns = self.time_ns + SILENCE_NS
            self._outbox.clear()
        elif address == EVENTS:
            self._next_tell_ns = self.time_ns + TELL_INTERVAL_NS if value else _NEVER_NS
        elif address == REQUEST_VERSION:
            self._tell_versions()
        else:
            self._sensor_voltage_mv = value

    def _change(self, axis: Axis, address: int, value: int) -> int:
        _, low, high = SETTINGS[address]
        if not low <= value <= high:
            return OUT_OF_RANGE
        if not (address == SET_OUTPUT and axis.has_over_current):
            axis.settings[address] = value
        if address == SET_OUTPUT and not value:
            self._go(axis, axis.drive.position_at(self.time_ns))
        elif address in (SET_TARGET, SET_AMPLITUDE, SET_FREQUENCY) and axis.is_following_target:
            self._go(axis, axis.settings[SET_TARGET])
        return OK

    def _move(self, axis: Axis, address: int, value: int) -> None:
        """Begin or end a motion; each cancels the one before."""
        here_nm = axis.drive.position_at(self.time_ns)
        goals_nm = {
            RUN_TO_TARGET: axis.settings[SET_TARGET],
            RUN_RELATIVE: here_nm + axis.settings[SET_TARGET],
            STEP_FORWARD: here_nm + axis.step_nm(),
            STEP_BACKWARD: here_nm - axis.step_nm(),
            GO_FORWARD: axis.ends_nm[1],
            GO_BACKWARD: axis.ends_nm[0],
        }
        axis.is_following_target = bool(value) and address == RUN_TO_TARGET
        self._go(axis, goals_nm[address] if value else here_nm)

    def _go(self, axis: Axis, goal_nm: float) -> None:
        self.before_change()
        axis.go(self.time_ns, goal_nm)

    def _reading(self, address: int, index: int) -> int:
        axis, time_ns = self.axes[index], self.time_ns
        is_moving, is_lost = time_ns < axis.drive.end_ns, axis.is_sensor_lost or axis.is_unplugged
        noisy_nm = round(axis.drive.position_at(time_ns) + self._noise_nm(index))
        position_nm = LOST_SENSOR_NM if is_lost else noisy_nm
        ends = axis.is_at_forward_end(time_ns), axis.is_at_backward_end(time_ns)
        readings = {
            POSITION: position_nm,
            STATUS: is_moving | any(ends) << 1 | (0x0500 if is_lost else 0),
            CONNECTED: not is_lost,
            MOVING: is_moving,
            SENSOR_ERROR: is_lost,
            ON_TARGET: abs(position_nm - axis.settings[SET_TARGET]) <= axis.settings[SET_TARGET_RANGE],
            AT_FORWARD_END: ends[0],
            AT_BACKWARD_END: ends[1],
            CAPACITANCE: axis.capacitance_pf,
            OVER_CURRENT: axis.has_over_current,
        }
        return int(readings[address])

    def _noise_nm(self, index: int) -> float:
        """Return the sensor's error of this moment; it follows from the time, not from who asks how often."""
        generator = np.random.default_rng([self._seed, index, self.time_ns // SENSOR_INTERVAL_NS])
        return float(generator.normal(0.0, NOISE_NM))


def _telegram(operation: int, address: int, index: int, correlation: int, *words: int) -> bytes:
    length = 16 + 4 * len(words)
    return struct.pack(f"<{5 + len(words)}i", length, operation, address, index, correlation, *words)

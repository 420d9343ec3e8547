"""Double of a Thorlabs KST101 with a ZFS25B actuator: APT frames at its USB port, a stepper behind it.

It starts as a unit does after power-up: not homed, with a count that means nothing and with the settings of
another actuator. Moves are trapezoids, reverse moves are followed by the backlash correction, homing runs
onto the reverse switch and backs off. Positions are known as formulas of time, so `position_mm_at` tells where
the spindle truly is at any nanosecond, past moves included, and not only what the controller believes.

A strict KST101: REQ_STATUSUPDATE (0x0480) stays unanswered, frames to another bus address are ignored.
Not modelled: hysteresis of the screw, homing to the far end, switches that are set to be ignored.

Source: Thorlabs, "APT Controllers Host-Controller Communications Protocol", issue 25 (2019). **Ours**: switches
0.1 mm outside the 25 mm of travel.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from simulators.apt import HAS_DATA, HEADER_SIZE, UNIT, long, register, short, split
from simulators.double import Double
from simulators.spindle import Spindle
from simulators.stepper import COUNTS_PER_MM, Faults, Purpose, Stepper
from simulators.trajectory import NS_PER_S

UPDATE_INTERVAL_NS = 100_000_000
MAX_WAITING = 64
"""Messages that wait to be fetched; older ones are forgotten."""
MOVE_DATA_SIZE = 6
_NEVER_NS = 1 << 62
_DISTANCE, _TARGET = 0x0445, 0x0450
_HOMED_MESSAGE, _COMPLETED, _STOPPED, _STATUS_UPDATE, _FAULT = 0x0444, 0x0464, 0x0466, 0x0481, 0x0081


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
        Standard deviation in um of where the spindle really stops; one draw per place.
    serial, model : int, str
        What it says it is.

    Attributes
    ----------
    faults : Faults
        What is wrong with it.
    spindle : Spindle
        Its `switches_mm` may be brought closer (limit hit), and it may be jammed (`is_jammed`).
    reply_delay_s : float
        How long a reply takes; 2 to 20 ms are usual, 0 answers at once.
    write_gap_s : float
        A frame that comes sooner after the one before is lost, as in a K-Cube (0.003); 0 takes everything.
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
        self.spindle = Spindle(position_mm if is_homed else place_mm, seed, repeatability_um * 1e-3)
        self.reply_delay_s = self.write_gap_s = 0.0
        self._stepper = Stepper(self.spindle, 0.0 if is_homed else place_mm - count / COUNTS_PER_MM, is_homed)
        self._stepper.before_change = lambda: self.before_change()
        self._identity = struct.pack("<i8sH4B60xHHH", serial, model.encode(), 16, 1, 2, 3, 0, 1, 0, 1)
        self._are_ends_told = True
        self._next_update_ns = _NEVER_NS
        self._last_frame_ns = -_NEVER_NS
        self._waiting: list[tuple[int, bytes]] = []
        stepper = self._stepper
        self._orders: dict[int, Callable[[int], None]] = {
            0x0011: lambda _: self._send_updates(self.time_ns + UPDATE_INTERVAL_NS),
            0x0012: lambda _: self._send_updates(_NEVER_NS),
            0x0210: lambda state: stepper.enable(self.time_ns, state == 1),
            0x0443: lambda _: stepper.home(self.time_ns),
            0x0448: lambda _: stepper.move_by(self.time_ns, register(stepper.settings[_DISTANCE], 2)),
            0x0453: lambda _: stepper.move_to(self.time_ns, register(stepper.settings[_TARGET], 2)),
            0x0457: lambda direction: stepper.run(self.time_ns, direction == 1),
            0x0465: lambda how: stepper.stop(self.time_ns, is_immediate=how == 1),
            0x046A: lambda direction: stepper.jog(self.time_ns, direction == 1),
            0x046B: lambda _: self._tell_ends(False),
            0x046C: lambda _: self._tell_ends(True),
        }
        self._readings: dict[int, Callable[[], bytes]] = {
            0x0005: lambda: long(0x0006, self._identity),
            0x0211: lambda: short(0x0212, 1, 1 if stepper.is_enabled else 2),
            0x040A: lambda: long(0x040B, struct.pack("<Hi", 1, 0)),
            0x0411: lambda: long(0x0412, struct.pack("<Hi", 1, stepper.count(self.time_ns))),
            0x0429: lambda: long(0x042A, struct.pack("<HI", 1, stepper.status(self.time_ns))),
        }

    @property
    def faults(self) -> Faults:
        """What is wrong with it; change its fields at any time."""
        return self._stepper.faults

    def position_mm_at(self, time_ns: int) -> float:
        """Return where the spindle truly is at a present or past time, in mm from the reference position.

        ValueError if the time lies before the moves that are remembered.
        """
        return self.spindle.position_mm_at(time_ns)

    @property
    def position_mm(self) -> float:
        """Where the spindle truly is now, in mm."""
        return self.position_mm_at(self.time_ns)

    @property
    def is_homed(self) -> bool:
        """Whether the controller has found its reference position."""
        return self._stepper.is_homed

    @property
    def is_moving(self) -> bool:
        """Whether the controller counts steps."""
        return self.time_ns < self.spindle.path.end_ns

    def cut_power(self) -> None:
        """Switch off and on again: the reference and every setting are forgotten, the spindle stays where it is."""
        self._stepper.cut_power(self.time_ns)
        self._next_update_ns = _NEVER_NS
        self._are_ends_told = True
        self._waiting.clear()

    def complain(self, code: int, text: str, cause: int = 0) -> None:
        """Send a fault message with a text of at most 63 characters (HW_RICHRESPONSE)."""
        self._say(long(_FAULT, struct.pack("<HH64s", cause, code, text.encode())))

    def process(self, dt_s: float) -> None:
        """Let time pass, with every end of a move and every automatic message at its own time."""
        end_ns = self.time_ns + round(dt_s * NS_PER_S)
        while (due_ns := min(self._next_end_ns(), self._next_update_ns)) <= end_ns:
            self.time_ns = due_ns
            if due_ns == self._next_end_ns():
                self._arrive()
            else:
                self._say(self._status_message(_STATUS_UPDATE))
                self._next_update_ns += UPDATE_INTERVAL_NS
        self.time_ns = end_ns

    def split(self, buffer: bytearray) -> list[bytes]:
        """Take the complete frames out of `buffer`; bytes that cannot begin a frame from a host are dropped."""
        return split(buffer)

    def answer(self, frame: bytes) -> bytes:
        """Obey one frame; frames to others, unknown ones and those that come too fast stay without effect and reply."""
        message, _, param2, dest, _ = struct.unpack_from("<HBBBB", frame)
        is_too_fast = self.time_ns - self._last_frame_ns < round(self.write_gap_s * NS_PER_S)
        self._last_frame_ns = self.time_ns
        if is_too_fast or dest & ~HAS_DATA != UNIT:
            return b""
        reply = self._reply(message)
        if reply is None:
            self._obey(message, param2, frame[HEADER_SIZE:])
            return b""
        if self.reply_delay_s:
            self._say(reply, self.reply_delay_s)
            return b""
        return reply

    def spontaneous(self) -> bytes:
        """Return the ends of moves, automatic messages and delayed replies that are due."""
        self.process(0.0)
        self._waiting.sort(key=lambda item: item[0])
        due = [message for due_ns, message in self._waiting if due_ns <= self.time_ns]
        del self._waiting[: len(due)]
        return b"".join(due)

    def _reply(self, message: int) -> bytes | None:
        if message - 1 in self._stepper.settings:
            return long(message + 1, self._stepper.settings[message - 1])
        return self._readings[message]() if message in self._readings else None

    def _obey(self, message: int, param2: int, data: bytes) -> None:
        stepper = self._stepper
        if message in stepper.settings:
            if len(data) == len(stepper.settings[message]):
                stepper.settings[message] = data
        elif len(data) == MOVE_DATA_SIZE and message == 0x0448:
            stepper.move_by(self.time_ns, register(data, 2))
        elif len(data) == MOVE_DATA_SIZE and message == 0x0453:
            stepper.move_to(self.time_ns, register(data, 2))
        elif len(data) == MOVE_DATA_SIZE and message == 0x0410:
            stepper.set_count(self.time_ns, register(data, 2))
        elif not data and message in self._orders:
            self._orders[message](param2)

    def _say(self, message: bytes, delay_s: float = 0.0) -> None:
        self._waiting.append((self.time_ns + round(delay_s * NS_PER_S), message))
        del self._waiting[:-MAX_WAITING]

    def _send_updates(self, first_ns: int) -> None:
        self._next_update_ns = first_ns

    def _tell_ends(self, are_told: bool) -> None:
        self._are_ends_told = are_told

    def _next_end_ns(self) -> int:
        end_ns = self._stepper.end_ns()
        return _NEVER_NS if end_ns is None else end_ns

    def _arrive(self) -> None:
        """Tell the host that a motion has ended."""
        purpose = self._stepper.arrive(self.time_ns)
        if not self._are_ends_told:
            return
        if purpose is Purpose.HOME:
            self._say(short(_HOMED_MESSAGE, 1, 0))
        elif purpose is Purpose.STOP:
            self._say(self._status_message(_STOPPED))
        elif not self.faults.is_completion_lost:
            self._say(self._status_message(_COMPLETED))

    def _status_message(self, message: int) -> bytes:
        time_ns = self.time_ns
        return long(message, struct.pack("<HiiI", 1, self._stepper.count(time_ns), 0, self._stepper.status(time_ns)))

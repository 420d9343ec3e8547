"""Double of a two-channel function generator of the Agilent/Keysight 33500 family, at its wire.

Here are the commands that make a trigger or a gate line (shape, frequency, levels, load, width, output), the error
queue and the common ones; long and short forms, ``;`` chaining with SCPI's path rule, units behind numbers.
Amplitudes, pulses, bursts and the rest are in `generator_waves.py`. A value out of range is clipped and reported in the
error queue, as the family does. Modulation, sweeps and arbitrary shapes are not here.

Sources: Agilent 33500 Series Operating and Service Guide: "Output Termination" (the load setting changes
only the numbers shown), "VOLTage Subsystem" (a level on the wrong side moves the other one 1 mV away and
reports -221), 16 ns shortest pulse, 20 error places. **Ours**: texts after "Settings conflict".
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any, TypeAlias

from simulators import generator_waves
from simulators.double import Double
from simulators.generator_channel import Channel, divider
from simulators.scpi_words import UNITS, Refused, choice, compile_header, shown, switch

IDENTITY = "Agilent Technologies,33512B,MY00000001,3.03-1.19-2.00-52-00"
MAX_EMF_V, MIN_AMPLITUDE_EMF_V = 10.0, 0.002
"""Largest level and smallest amplitude into an open line; half of them reaches 50 ohm."""
MAX_FREQUENCY_HZ = {"SIN": 20e6, "SQU": 20e6, "PULS": 20e6, "RAMP": 200e3, "DC": 20e6}
"""Highest frequency of each shape of a 33512B."""
MIN_FREQUENCY_HZ, MIN_PULSE_S = 1e-6, 16e-9
QUEUE_LENGTH = 20


Handler: TypeAlias = Callable[[Any, Channel, str], str | None]


class TriggerGenerator(Double):
    """A generator as it comes up: 1 kHz sine, 100 mV peak to peak, both outputs off.

    Attributes
    ----------
    channels : dict of int to Channel
        Outputs 1 and 2; the properties below are those of output 1.
    errors : deque of str
    kept : dict
        Settings of the whole box that do nothing but read back.
    """

    def __init__(self) -> None:
        super().__init__()
        self.channels = {1: Channel(), 2: Channel()}
        self.errors: deque[str] = deque()
        self.kept: dict[str, str | bool] = {}
        self._event_status = 128
        self._event_enable = 0

    @property
    def is_output_on(self) -> bool:
        """Whether output 1 is on."""
        return self.channels[1].is_output_on

    @property
    def frequency_hz(self) -> float:
        """Frequency set for output 1, in Hz."""
        return self.channels[1].frequency_hz

    @property
    def high_v(self) -> float:
        """Upper level shown for output 1, in V."""
        return self.channels[1].high_v

    @property
    def low_v(self) -> float:
        """Lower level shown for output 1, in V."""
        return self.channels[1].low_v

    @property
    def load_ohm(self) -> float:
        """Load setting of output 1, in ohm."""
        return self.channels[1].load_ohm

    def split(self, buffer: bytearray) -> list[bytes]:
        """Take the messages that have ended with LF out of `buffer`."""
        *messages, rest = bytes(buffer).split(b"\n")
        buffer[:] = rest
        return messages

    def answer(self, frame: bytes) -> bytes:
        """Obey the commands of one message in order and return their replies, joined."""
        path, replies = "", []
        for command in filter(None, (part.strip() for part in frame.decode("ascii", "replace").split(";"))):
            header, _, parameter = command.partition(" ")
            if not header.startswith(("*", ":")):
                header = path + header
            header = header.lstrip(":")
            if not header.startswith("*"):
                path = header[: header.rfind(":") + 1]
            reply = self._obey(header, parameter.strip().upper())
            replies += [reply] if reply is not None else []
        return (";".join(replies) + "\n").encode() if replies else b""

    def _obey(self, header: str, parameter: str) -> str | None:
        is_query = header.endswith("?")
        for pattern, query, setting in _COMMANDS:
            match = pattern.fullmatch(header.removesuffix("?"))
            handler = query if is_query else setting
            if match is None or handler is None:
                continue
            number = int(match.groupdict().get("channel") or 1)
            if not (is_query or header.startswith("*")):
                self.before_change()
            try:
                if is_query and setting is not None and parameter.startswith(("MIN", "MAX")):
                    return self._at_its_limit(number, parameter, query, setting)
                return handler(self, self.channels[number], parameter)
            except Refused as refusal:
                self.report(*refusal.args)
                return None
        self.report(-113, "Undefined header")
        return None

    def _at_its_limit(self, number: int, extreme: str, query: Handler | None, setting: Handler) -> str | None:
        """Answer what a setting would be at its limit; nothing is changed."""
        assert query is not None
        tried, errors, status = replace(self.channels[number]), self.errors.copy(), self._event_status
        setting(self, tried, extreme)
        self.errors, self._event_status = errors, status
        return query(self, tried, extreme)

    def report(self, code: int, text: str) -> None:
        """Put an error into the queue, and its bit (-1xx command, -2xx execution) into the event register."""
        self._event_status |= 32 if -200 < code <= -100 else 16
        if len(self.errors) == QUEUE_LENGTH:
            self.errors[-1] = '-350,"Error queue overflow"'
        else:
            self.errors.append(f'{code},"{text}"')

    def _next_error(self) -> str:
        return self.errors.popleft() if self.errors else '+0,"No error"'

    def _status_byte(self) -> str:
        return f"+{4 * bool(self.errors) | (32 if self._event_status & self._event_enable else 0)}"

    def _enable_events(self, text: str) -> None:
        self._event_enable = int(self.number(text, 0, 255))

    def _clear(self) -> None:
        self.errors.clear()
        self._event_status = 0

    def _read_event_status(self) -> str:
        status, self._event_status = self._event_status, 0
        return f"+{status}"

    def _complete(self) -> None:
        self._event_status |= 1

    def _reset(self) -> None:
        self.before_change()
        self.channels = {1: Channel(), 2: Channel()}

    def number(self, text: str, low: float, high: float) -> float:
        """Read a number with its unit, or MIN or MAX, and clip it into its range with the error the family reports."""
        match = re.fullmatch(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?)\s*([A-Z]*)", text)
        if text in ("MIN", "MINIMUM", "MAX", "MAXIMUM"):
            return low if text.startswith("MIN") else high
        if match is None:
            raise Refused(*((-109, "Missing parameter") if not text else (-104, "Data type error")))
        if match[2] not in UNITS:
            raise Refused(-131, "Invalid suffix")
        value = float(match[1]) * UNITS[match[2]]
        if not low <= value <= high:
            self.report(-222, f"Data out of range; value clipped to {'upper' if value > high else 'lower'} limit")
        return min(max(value, low), high)

    def set_shape(self, channel: Channel, text: str) -> None:
        """Choose a shape, and adapt frequency and pulse width to it."""
        channel.shape = shape = choice(text, *generator_waves.SHAPES)
        if channel.frequency_hz > MAX_FREQUENCY_HZ[shape]:
            channel.frequency_hz = MAX_FREQUENCY_HZ[shape]
            self.report(-221, "Settings conflict; frequency reduced for this function")
        self._fit_pulse(channel)

    def set_frequency(self, channel: Channel, text: str) -> None:
        """Set the frequency, and adapt the pulse width to it."""
        channel.frequency_hz = self.number(text, MIN_FREQUENCY_HZ, MAX_FREQUENCY_HZ[channel.shape])
        self._fit_pulse(channel)

    def _fit_pulse(self, channel: Channel) -> None:
        longest_s = 1 / channel.frequency_hz - MIN_PULSE_S
        if channel.shape == "PULS" and channel.pulse_width_s > longest_s:
            channel.pulse_width_s = longest_s
            self.report(-221, "Settings conflict; pulse width decreased due to period")

    def set_pulse_width(self, channel: Channel, text: str) -> None:
        """Set the width of pulses."""
        longest_s = 1 / channel.frequency_hz - MIN_PULSE_S if channel.shape == "PULS" else 1e6
        channel.pulse_width_s = self.number(text, MIN_PULSE_S, longest_s)

    def _set_duty(self, channel: Channel, text: str) -> None:
        least_percent = max(0.01, 100 * MIN_PULSE_S * channel.frequency_hz)
        channel.duty_percent = self.number(text, least_percent, 100 - least_percent)

    def _set_level(self, channel: Channel, text: str, is_high: bool) -> None:
        scale = divider(channel.load_ohm)
        level_v = self.number(text, -MAX_EMF_V * scale, MAX_EMF_V * scale) / scale
        away = -1.0 if is_high else 1.0
        other_v = channel.offset_emf_v + away * channel.amplitude_emf_v / 2
        if away * (other_v - level_v) < MIN_AMPLITUDE_EMF_V * (1 - 1e-9):
            other_v = level_v + away * MIN_AMPLITUDE_EMF_V
            self.report(-221, f"Settings conflict; {'low' if is_high else 'high'} level changed")
        channel.amplitude_emf_v, channel.offset_emf_v = abs(level_v - other_v), (level_v + other_v) / 2

    def set_offset(self, channel: Channel, text: str) -> None:
        """Set the middle of the levels."""
        scale = divider(channel.load_ohm)
        room_v = MAX_EMF_V - (0.0 if channel.shape == "DC" else channel.amplitude_emf_v / 2)
        channel.offset_emf_v = self.number(text, -room_v * scale, room_v * scale) / scale

    def _set_load(self, channel: Channel, text: str) -> None:
        channel.load_ohm = inf if text in ("INF", "INFINITY") else self.number(text, 1.0, 10e3)

    def _set_output(self, channel: Channel, text: str) -> None:
        channel.is_output_on = switch(text)


_ROWS: tuple[tuple[str, Handler | None, Handler | None], ...] = (
    ("*IDN", lambda box, ch, text: IDENTITY, None),
    ("*OPC", lambda box, ch, text: "1", lambda box, ch, text: box._complete()),
    ("*ESR", lambda box, ch, text: box._read_event_status(), None),
    ("*ESE", lambda box, ch, text: f"+{box._event_enable}", lambda box, ch, text: box._enable_events(text)),
    ("*STB", lambda box, ch, text: box._status_byte(), None),
    ("*TST", lambda box, ch, text: "+0", None),
    ("*OPT", lambda box, ch, text: '"0"', None),
    ("*WAI", None, lambda box, ch, text: None),
    ("SYSTem:VERSion", lambda box, ch, text: "1999.0", None),
    ("*CLS", None, lambda box, ch, text: box._clear()),
    ("*RST", None, lambda box, ch, text: box._reset()),
    ("SYSTem:ERRor[:NEXT]", lambda box, ch, text: box._next_error(), None),
    ("[SOURce#:]FUNCtion", lambda box, ch, text: ch.shape, TriggerGenerator.set_shape),
    ("[SOURce#:]FREQuency", lambda box, ch, text: shown(ch.frequency_hz), TriggerGenerator.set_frequency),
    ("[SOURce#:]VOLTage:HIGH", lambda b, ch, t: shown(ch.high_v), lambda b, ch, t: b._set_level(ch, t, is_high=True)),
    ("[SOURce#:]VOLTage:LOW", lambda b, ch, t: shown(ch.low_v), lambda b, ch, t: b._set_level(ch, t, is_high=False)),
    ("[SOURce#:]VOLTage:OFFSet", lambda box, ch, text: shown(ch.offset_v), TriggerGenerator.set_offset),
    ("[SOURce#:]FUNCtion:PULSe:WIDTh", lambda b, ch, t: shown(ch.pulse_width_s), TriggerGenerator.set_pulse_width),
    ("[SOURce#:]FUNCtion:SQUare:DCYCle", lambda b, ch, t: shown(ch.duty_percent), TriggerGenerator._set_duty),
    ("OUTPut#:LOAD", lambda box, ch, text: shown(ch.load_ohm), TriggerGenerator._set_load),
    ("OUTPut#[:STATe]", lambda box, ch, text: str(int(ch.is_output_on)), TriggerGenerator._set_output),
)
_COMMANDS = tuple(
    (compile_header(header), query, setting) for header, query, setting in (*_ROWS, *generator_waves.ROWS)
)

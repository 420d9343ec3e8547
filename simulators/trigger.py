"""Double of a two-channel function generator of the Agilent/Keysight 33500 family, at its wire.

It knows the commands that make a trigger or a gate line: shape, frequency, levels, load, pulse width,
duty cycle, output, error queue and the common commands; long and short forms, ``;`` chaining with SCPI's
path rule, units behind numbers. A value out of range is clipped and reported in the error queue, as the
family does. Bursts, modulation, sweeps, arbitrary shapes and the second voltage scale (Vrms, dBm) are not here.

Sources: Agilent 33500 Series Operating and Service Guide: "Output Termination" (the load setting changes
only the numbers shown), "VOLTage Subsystem" (a level on the wrong side moves the other one 1 mV away and
reports -221), 16 ns shortest pulse, 20 error places. **Ours**: texts after "Settings conflict".
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from simulators.double import Double

IDENTITY = "Agilent Technologies,33512B,MY00000001,3.03-1.19-2.00-52-00"
SOURCE_OHM = 50.0
MAX_EMF_V, MIN_AMPLITUDE_EMF_V = 10.0, 0.002
"""Largest level and smallest amplitude into an open line; half of them reaches 50 ohm."""
MAX_FREQUENCY_HZ = {"SIN": 20e6, "SQU": 20e6, "PULS": 20e6, "RAMP": 200e3, "DC": 20e6}
"""Highest frequency of each shape of a 33512B."""
MIN_FREQUENCY_HZ, MIN_PULSE_S = 1e-6, 16e-9
QUEUE_LENGTH = 20
SHOWN_FOR_INFINITE = "+9.9E+37"
"""What the box prints for an infinite load."""
UNITS = {
    "": 1,
    "HZ": 1,
    "KHZ": 1e3,
    "MHZ": 1e6,
    "V": 1,
    "MV": 1e-3,
    "S": 1,
    "MS": 1e-3,
    "US": 1e-6,
    "NS": 1e-9,
    "OHM": 1,
}


@dataclass
class Channel:
    """One output; voltages are kept as open-circuit values, since the load setting only scales what is shown."""

    shape: str = "SIN"
    frequency_hz: float = 1e3
    amplitude_emf_v: float = 0.2
    offset_emf_v: float = 0.0
    load_ohm: float = SOURCE_OHM
    pulse_width_s: float = 100e-6
    duty_percent: float = 50.0
    is_output_on: bool = False

    @property
    def high_v(self) -> float:
        """Upper level shown for the load setting, in V."""
        return (self.offset_emf_v + self.amplitude_emf_v / 2) * _divider(self.load_ohm)

    @property
    def low_v(self) -> float:
        """Lower level shown for the load setting, in V."""
        return (self.offset_emf_v - self.amplitude_emf_v / 2) * _divider(self.load_ohm)

    @property
    def offset_v(self) -> float:
        """Middle of the levels shown for the load setting, in V."""
        return self.offset_emf_v * _divider(self.load_ohm)

    @property
    def edges_hz(self) -> float:
        """Rate of rising edges at the connector, 0 with the output off or at a constant level."""
        return self.frequency_hz if self.is_output_on and self.shape != "DC" else 0.0

    def levels_into(self, load_ohm: float) -> tuple[float, float] | None:
        """Return the lower and upper level, in V, across a real load; None with the output off (line open)."""
        if not self.is_output_on:
            return None
        half_v = 0.0 if self.shape == "DC" else self.amplitude_emf_v / 2
        scale = _divider(load_ohm)
        return (self.offset_emf_v - half_v) * scale, (self.offset_emf_v + half_v) * scale


class TriggerGenerator(Double):
    """A generator as it comes up: 1 kHz sine, 100 mV peak to peak, both outputs off.

    Attributes
    ----------
    channels : dict of int to Channel
        Outputs 1 and 2; the properties below are those of output 1.
    errors : deque of str
    """

    def __init__(self) -> None:
        super().__init__()
        self.channels = {1: Channel(), 2: Channel()}
        self.errors: deque[str] = deque()
        self._event_status = 128

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
                return handler(self, self.channels[number], parameter)
            except _Refused as refusal:
                self._report(*refusal.args)
                return None
        self._report(-113, "Undefined header")
        return None

    def _report(self, code: int, text: str) -> None:
        """Put an error into the queue, and its bit (-1xx command, -2xx execution) into the event register."""
        self._event_status |= 32 if -200 < code <= -100 else 16
        if len(self.errors) == QUEUE_LENGTH:
            self.errors[-1] = '-350,"Error queue overflow"'
        else:
            self.errors.append(f'{code},"{text}"')

    def _next_error(self) -> str:
        return self.errors.popleft() if self.errors else '+0,"No error"'

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

    def _number(self, text: str, low: float, high: float) -> float:
        """Read a number with its unit, or MIN or MAX, and clip it into its range with the error the family reports."""
        match = re.fullmatch(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?)\s*([A-Z]*)", text)
        if text in ("MIN", "MINIMUM", "MAX", "MAXIMUM"):
            return low if text.startswith("MIN") else high
        if match is None:
            raise _Refused(*((-109, "Missing parameter") if not text else (-104, "Data type error")))
        if match[2] not in UNITS:
            raise _Refused(-131, "Invalid suffix")
        value = float(match[1]) * UNITS[match[2]]
        if not low <= value <= high:
            self._report(-222, f"Data out of range; value clipped to {'upper' if value > high else 'lower'} limit")
        return min(max(value, low), high)

    def _set_shape(self, channel: Channel, text: str) -> None:
        shape = next((name for name in MAX_FREQUENCY_HZ if text in (name, _LONG_SHAPES[name])), None)
        if shape is None:
            raise _Refused(-224, "Illegal parameter value")
        channel.shape = shape
        if channel.frequency_hz > MAX_FREQUENCY_HZ[shape]:
            channel.frequency_hz = MAX_FREQUENCY_HZ[shape]
            self._report(-221, "Settings conflict; frequency reduced for this function")
        self._fit_pulse(channel)

    def _set_frequency(self, channel: Channel, text: str) -> None:
        channel.frequency_hz = self._number(text, MIN_FREQUENCY_HZ, MAX_FREQUENCY_HZ[channel.shape])
        self._fit_pulse(channel)

    def _fit_pulse(self, channel: Channel) -> None:
        longest_s = 1 / channel.frequency_hz - MIN_PULSE_S
        if channel.shape == "PULS" and channel.pulse_width_s > longest_s:
            channel.pulse_width_s = longest_s
            self._report(-221, "Settings conflict; pulse width decreased due to period")

    def _set_pulse_width(self, channel: Channel, text: str) -> None:
        longest_s = 1 / channel.frequency_hz - MIN_PULSE_S if channel.shape == "PULS" else 1e6
        channel.pulse_width_s = self._number(text, MIN_PULSE_S, longest_s)

    def _set_duty(self, channel: Channel, text: str) -> None:
        least_percent = max(0.01, 100 * MIN_PULSE_S * channel.frequency_hz)
        channel.duty_percent = self._number(text, least_percent, 100 - least_percent)

    def _set_level(self, channel: Channel, text: str, is_high: bool) -> None:
        scale = _divider(channel.load_ohm)
        level_v = self._number(text, -MAX_EMF_V * scale, MAX_EMF_V * scale) / scale
        away = -1.0 if is_high else 1.0
        other_v = channel.offset_emf_v + away * channel.amplitude_emf_v / 2
        if away * (other_v - level_v) < MIN_AMPLITUDE_EMF_V * (1 - 1e-9):
            other_v = level_v + away * MIN_AMPLITUDE_EMF_V
            self._report(-221, f"Settings conflict; {'low' if is_high else 'high'} level changed")
        channel.amplitude_emf_v, channel.offset_emf_v = abs(level_v - other_v), (level_v + other_v) / 2

    def _set_offset(self, channel: Channel, text: str) -> None:
        scale = _divider(channel.load_ohm)
        room_v = MAX_EMF_V - (0.0 if channel.shape == "DC" else channel.amplitude_emf_v / 2)
        channel.offset_emf_v = self._number(text, -room_v * scale, room_v * scale) / scale

    def _set_load(self, channel: Channel, text: str) -> None:
        channel.load_ohm = inf if text in ("INF", "INFINITY") else self._number(text, 1.0, 10e3)

    def _set_output(self, channel: Channel, text: str) -> None:
        if text not in ("ON", "OFF", "1", "0"):
            raise _Refused(-224, "Illegal parameter value")
        channel.is_output_on = text in ("ON", "1")


class _Refused(Exception):
    """A command that changes nothing; its arguments are the error's number and text."""


def _divider(load_ohm: float) -> float:
    """Return the part of the open-circuit voltage that a load receives."""
    return 1.0 if load_ohm == inf else load_ohm / (load_ohm + SOURCE_OHM)


def _compile(header: str) -> re.Pattern[str]:
    """Turn a header as manuals print it, such as ``[SOURce#:]FREQuency``, into a pattern for both forms."""
    both = re.sub("([A-Z]+)([a-z]+)", lambda match: f"{match[1]}(?:{match[2]})?", header)
    grouped = both.replace("[", "(?:").replace("]", ")?").replace("*", r"\*")
    return re.compile(grouped.replace("#", "(?P<channel>[12])?"), re.IGNORECASE)


def _shown(value: float) -> str:
    return SHOWN_FOR_INFINITE if value == inf else f"{value:+.15E}"


_LONG_SHAPES = {"SIN": "SINUSOID", "SQU": "SQUARE", "PULS": "PULSE", "RAMP": "RAMP", "DC": "DC"}
_Handler = Callable[[TriggerGenerator, Channel, str], str | None]
_ROWS: tuple[tuple[str, _Handler | None, _Handler | None], ...] = (
    ("*IDN", lambda box, ch, text: IDENTITY, None),
    ("*OPC", lambda box, ch, text: "1", lambda box, ch, text: box._complete()),
    ("*ESR", lambda box, ch, text: box._read_event_status(), None),
    ("*CLS", None, lambda box, ch, text: box._clear()),
    ("*RST", None, lambda box, ch, text: box._reset()),
    ("SYSTem:ERRor[:NEXT]", lambda box, ch, text: box._next_error(), None),
    ("[SOURce#:]FUNCtion", lambda box, ch, text: ch.shape, TriggerGenerator._set_shape),
    ("[SOURce#:]FREQuency", lambda box, ch, text: _shown(ch.frequency_hz), TriggerGenerator._set_frequency),
    ("[SOURce#:]VOLTage:HIGH", lambda b, ch, t: _shown(ch.high_v), lambda b, ch, t: b._set_level(ch, t, is_high=True)),
    ("[SOURce#:]VOLTage:LOW", lambda b, ch, t: _shown(ch.low_v), lambda b, ch, t: b._set_level(ch, t, is_high=False)),
    ("[SOURce#:]VOLTage:OFFSet", lambda box, ch, text: _shown(ch.offset_v), TriggerGenerator._set_offset),
    ("[SOURce#:]FUNCtion:PULSe:WIDTh", lambda b, ch, t: _shown(ch.pulse_width_s), TriggerGenerator._set_pulse_width),
    ("[SOURce#:]FUNCtion:SQUare:DCYCle", lambda b, ch, t: _shown(ch.duty_percent), TriggerGenerator._set_duty),
    ("OUTPut#:LOAD", lambda box, ch, text: _shown(ch.load_ohm), TriggerGenerator._set_load),
    ("OUTPut#[:STATe]", lambda box, ch, text: str(int(ch.is_output_on)), TriggerGenerator._set_output),
)
_COMMANDS = tuple((_compile(header), query, setting) for header, query, setting in _ROWS)

"""Double of a Lake Shore 335 at its wire; what it controls is in `cold_platform.py`.

Messages end with LF (CR is optional) and may chain commands with ``;``; replies end with CR LF. Set
commands and unknown commands are never answered: errors show in ``*ESR?`` only. A query that is refused
is left out of the chained reply. The box never asks for the 50 ms of silence it wants between messages,
but counts how often it did not get them.

Sources: Lake Shore Model 335 User's Manual, chapter 6 (commands, formats, registers), and the vendor's
Python package ``lakeshore`` 1.10.0 (opening sequence, bits). **Ours**, because neither says it: 0 K
printed for an unplugged sensor, ``*RST`` as heaters and ramps off, and a power failure that loses ramps. What
the box keeps beside control is in `lakeshore335_panel.py` and `lakeshore335_curves.py`. Zones do not control.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from simulators import lakeshore335_curves as curves
from simulators import lakeshore335_panel as panel
from simulators.cold_platform import CELSIUS, SENSOR, ColdPlatform
from simulators.double import Double
from simulators.lakeshore335_words import Refused, Row, input_name, integer, label, number, output, split_fields

IDENTITY = "LSCI,MODEL335,335SIM1/#######,1.1"
MINIMUM_GAP_NS = 50_000_000
"""Silence the box wants between two messages."""
OPERATION_COMPLETE, EXECUTION_ERROR, COMMAND_ERROR, POWER_ON = 1, 16, 32, 128
"""Bits of the event status register."""
EVENT_SUMMARY, SERVICE_REQUEST, OPERATION_SUMMARY = 32, 64, 128
"""Bits of the status byte: an enabled bit is set in the event status, in this byte, in the operation events."""
INVALID_READING = 1
"""Bit of the reading status; with a sensor unplugged it comes with 128, sensor units over range."""


class LakeShore335(Double):
    """A controller left holding its platform, as an operator leaves it before a scan.

    Parameters
    ----------
    temperature_k : float
        Temperature of platform and sample at the beginning, held by output 1, in K.
    base_k : float
        Where the platform goes without heating, in K.
    seed : int
        Seed of the readings' noise.
    is_setpoint_moving : bool
        Whether ``SETP?`` shows the moving setpoint during a ramp or the final one; the manual leaves it open.

    Attributes
    ----------
    platform : ColdPlatform
        Sensors, heater and settings, for looking at; change them with commands or the faults below.
    n_too_early : int
        Messages that came less than 50 ms after the one before.
    """

    def __init__(
        self, temperature_k: float = 300.0, base_k: float = 4.0, seed: int = 0, is_setpoint_moving: bool = True
    ) -> None:
        super().__init__()
        self.platform = ColdPlatform(temperature_k, base_k, seed)
        self.panel = panel.Panel(self.platform)
        self.curves = curves.Curves()
        self.is_setpoint_moving = is_setpoint_moving
        self.n_too_early = 0
        self._event_status = POWER_ON
        self._event_enable = 0
        self._last_message_ns: int | None = None

    @property
    def temperature_k(self) -> float:
        """True temperature of the sample, in K."""
        return self.platform.nodes_k()[1]

    def process(self, dt_s: float) -> None:
        """Let `dt_s` seconds of simulated time pass."""
        super().process(dt_s)
        if self.platform.trips_by(self.time_ns):
            self.before_change()
        self.platform.advance(self.time_ns)

    def set_base(self, base_k: float) -> None:
        """Let the refrigerator pull the platform towards `base_k` from now on."""
        with self._changing():
            self.platform.base_k = base_k

    def unplug(self, channel: str) -> None:
        """Fault: the sensor of input "A" or "B" loses contact."""
        self.platform.inputs[channel].is_unplugged = True

    def plug_in(self, channel: str) -> None:
        """End of the fault: the sensor has contact again."""
        self.platform.inputs[channel].is_unplugged = False

    def break_heater(self, output: int, heater_error: int = 1) -> None:
        """Fault: output 1 or 2 finds its load open (1) or shorted (2) and switches itself off."""
        with self._changing():
            self.platform.outputs[output].heater_error = heater_error
            self.platform.outputs[output].range = 0

    def stick_ramp(self, output: int, is_stuck: bool = True) -> None:
        """Fault: the setpoint of output 1 or 2 stays where it is on its ramp."""
        with self._changing():
            self.platform.outputs[output].is_stuck = is_stuck

    def lose_power(self) -> None:
        """Fault: the box is off for a moment; heaters come back where power-up enable says so, ramps do not."""
        with self._changing():
            for settings in self.platform.outputs.values():
                settings.is_ramp_on = False
                settings.range *= settings.outmode[2]
        self._event_status = POWER_ON

    def split(self, buffer: bytearray) -> list[bytes]:
        """Take the messages that have ended with LF out of `buffer`."""
        *messages, rest = bytes(buffer).split(b"\n")
        buffer[:] = rest
        return messages

    def answer(self, frame: bytes) -> bytes:
        """Obey the commands of one message in order and return their replies, joined."""
        message = frame.decode("ascii", "replace").strip()
        if not message:
            return b""
        if self._last_message_ns is not None and self.time_ns - self._last_message_ns < MINIMUM_GAP_NS:
            self.n_too_early += 1
        self._last_message_ns = self.time_ns
        replies = [reply for command in message.split(";") if (reply := self._obey(command.strip())) is not None]
        return (";".join(replies) + "\r\n").encode() if replies else b""

    def _obey(self, command: str) -> str | None:
        header, _, rest = command.removeprefix(":").partition(" ")
        row = _COMMANDS.get(header.upper())
        if row is None:
            self._event_status |= COMMAND_ERROR
            return None
        try:
            texts = split_fields(rest, len(row.parameters))
            values = [parse(text) for parse, text in zip(row.parameters, texts, strict=True)]
            return row.obey(self, *values)
        except Refused:
            self._event_status |= EXECUTION_ERROR
            return None

    @contextmanager
    def _changing(self) -> Iterator[None]:
        self.before_change()
        with self.platform.changing():
            yield

    def _read_event_status(self) -> str:
        status, self._event_status = self._event_status, 0
        return f"{status:03d}"

    def _set_event_enable(self, mask: int) -> None:
        self._event_enable = mask

    def _status_byte(self) -> str:
        has_event, has_operation = self._event_status & self._event_enable, self.panel.has_enabled_event
        bits = (EVENT_SUMMARY if has_event else 0) | (OPERATION_SUMMARY if has_operation else 0)
        return f"{bits | (SERVICE_REQUEST if bits & self.panel.get('*SRE')[0] else 0):03d}"

    def _clear(self) -> None:
        self._event_status = 0

    def _complete(self) -> None:
        self._event_status |= OPERATION_COMPLETE

    def _reset(self) -> None:
        with self._changing():
            for output in self.platform.outputs.values():
                output.range, output.is_ramp_on, output.setpoint = 0, False, output.ramp_from

    def _reading_status(self, channel: str) -> str:
        return f"{INVALID_READING | 128 if self.platform.inputs[channel].is_unplugged else 0:03d}"

    def _set_intype(self, channel: str, *fields: int) -> None:
        sensor, autorange, span, compensation, units = fields
        with self._changing():
            self.platform.inputs[channel].intype = (sensor, autorange, span, compensation, units)

    def _set_limit(self, channel: str, limit_k: float) -> None:
        with self._changing():
            self.platform.inputs[channel].limit_k = float(round(limit_k))

    def _set_setpoint(self, output: int, setpoint: float) -> None:
        with self._changing():
            self.platform.outputs[output].setpoint = round(setpoint, 3)

    def _setpoint(self, output: int) -> str:
        shown = self.platform.moving_setpoint(output)
        return f"{shown if self.is_setpoint_moving else self.platform.outputs[output].setpoint:+08.3f}"

    def _set_ramp(self, output: int, is_on: int, rate: float) -> None:
        if 0.0 < rate < 0.1:
            raise Refused
        with self._changing():
            self.platform.outputs[output].is_ramp_on = bool(is_on)
            self.platform.outputs[output].rate = round(rate, 1)

    def _ramp(self, output: int) -> str:
        settings = self.platform.outputs[output]
        return f"{int(settings.is_ramp_on)},{settings.rate:05.1f}"

    def _ramp_status(self, output: int) -> str:
        return str(int(self.platform.moving_setpoint(output) != self.platform.outputs[output].setpoint))

    def _set_range(self, output: int, new_range: int) -> None:
        with self._changing():
            self.platform.outputs[output].range = new_range

    def _set_manual(self, output: int, percent: float) -> None:
        with self._changing():
            self.platform.outputs[output].manual_percent = round(percent, 2)

    def _set_outmode(self, output: int, mode: int, source: int, powerup: int) -> None:
        if output == 1 and mode > 3:
            raise Refused
        with self._changing():
            self.platform.outputs[output].outmode = (mode, source, powerup)

    def _set_pid(self, output: int, p: float, i: float, d: float) -> None:
        self.platform.outputs[output].pid = (p, i, d)

    def _pid(self, output: int) -> str:
        p, i, d = self.platform.outputs[output].pid
        return f"{p:+07.1f},{i:+07.1f},{d:+06.1f}"

    def _heater_error(self, output: int) -> str:
        settings = self.platform.outputs[output]
        heater_error, settings.heater_error = settings.heater_error, 0
        return str(heater_error)

    def _heater_setup(self, output: int) -> str:
        kind, resistance, full, user_a, display = self.platform.outputs[output].heater_setup
        return f"{kind:.0f},{resistance:.0f},{full:.0f},{user_a:+06.3f},{display:.0f}"

    def _set_heater(self, output: int, *setup: float) -> None:
        if output == 1 and setup[0] == 1:
            raise Refused
        self.platform.outputs[output].heater_setup = setup

    def _set_label(self, channel: str, text: str) -> None:
        self.platform.inputs[channel].label = text

    def _set_curve(self, channel: str, curve: int) -> None:
        self.platform.inputs[channel].curve = curve


_COMMANDS = {
    **panel.COMMANDS,
    **curves.COMMANDS,
    "*IDN?": Row((), lambda box: IDENTITY),
    "*ESR?": Row((), LakeShore335._read_event_status),
    "*ESE?": Row((), lambda box: f"{box._event_enable:03d}"),
    "*ESE": Row((integer(0, 255),), LakeShore335._set_event_enable),
    "*STB?": Row((), LakeShore335._status_byte),
    "*CLS": Row((), LakeShore335._clear),
    "*OPC": Row((), LakeShore335._complete),
    "*OPC?": Row((), lambda box: "1"),
    "*TST?": Row((), lambda box: "0"),
    "*RST": Row((), LakeShore335._reset),
    "*WAI": Row((), lambda box: None),
    "CRDG?": Row((input_name,), lambda box, a: f"{box.platform.reading(a, CELSIUS):+08.3f}"),
    "SRDG?": Row((input_name,), lambda box, a: f"{box.platform.reading(a, SENSOR):+08.5f}"),
    "RDGST?": Row((input_name,), LakeShore335._reading_status),
    "INTYPE": Row(
        (input_name, integer(0, 4), integer(0, 1), integer(0, 8), integer(0, 1), integer(1, 3)),
        LakeShore335._set_intype,
    ),
    "INTYPE?": Row((input_name,), lambda box, a: ",".join(map(str, box.platform.inputs[a].intype))),
    "INCRV": Row((input_name, integer(0, 59)), LakeShore335._set_curve),
    "INCRV?": Row((input_name,), lambda box, a: f"{box.platform.inputs[a].curve:02d}"),
    "TLIMIT": Row((input_name, number(0, 9999)), LakeShore335._set_limit),
    "TLIMIT?": Row((input_name,), lambda box, a: f"{box.platform.inputs[a].limit_k:+05.0f}"),
    "SETP": Row((output, number(-9999, 9999)), LakeShore335._set_setpoint),
    "SETP?": Row((output,), LakeShore335._setpoint),
    "RAMP": Row((output, integer(0, 1), number(0, 100)), LakeShore335._set_ramp),
    "RAMP?": Row((output,), LakeShore335._ramp),
    "RAMPST?": Row((output,), LakeShore335._ramp_status),
    "RANGE": Row((output, integer(0, 3)), LakeShore335._set_range),
    "RANGE?": Row((output,), lambda box, n: str(box.platform.outputs[n].range)),
    "HTR?": Row((output,), lambda box, n: f"{box.platform.heater_percent(n):+06.1f}"),
    "HTRST?": Row((output,), LakeShore335._heater_error),
    "MOUT": Row((output, number(0, 100)), LakeShore335._set_manual),
    "MOUT?": Row((output,), lambda box, n: f"{box.platform.outputs[n].manual_percent:+07.2f}"),
    "OUTMODE": Row((output, integer(0, 5), integer(0, 2), integer(0, 1)), LakeShore335._set_outmode),
    "OUTMODE?": Row((output,), lambda box, n: ",".join(map(str, box.platform.outputs[n].outmode))),
    "PID": Row((output, number(0.1, 1000), number(0.1, 1000), number(0, 200)), LakeShore335._set_pid),
    "PID?": Row((output,), LakeShore335._pid),
    "HTRSET": Row(
        (output, integer(0, 1), integer(1, 2), integer(0, 4), number(0, 2), integer(1, 2)), LakeShore335._set_heater
    ),
    "HTRSET?": Row((output,), LakeShore335._heater_setup),
    "INNAME": Row((input_name, label), LakeShore335._set_label),
    "INNAME?": Row((input_name,), lambda box, a: f"{box.platform.inputs[a].label:15}"),
}

"""What a Lake Shore 335 keeps beside its control loops: display, filters, alarms, relays, monitor output, interfaces.

None of it reaches the platform. Alarms, relays and the monitor output follow the readings; an autotuning takes its time
and leaves the loop as it was. What controls is in `lakeshore335.py`, the curves are in `lakeshore335_curves.py`.

Sources: Lake Shore Model 335 User's Manual, chapter 6, and the maker's Python package ``lakeshore`` 1.10.0 (which
commands there are, their fields and limits). **Ours**: values at first, widths of printed numbers, extremes over
the readings that were asked for, and 300 s of autotuning in ten stages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulators.cold_platform import KELVIN, ColdPlatform
from simulators.lakeshore335_words import Refused, Row, input_name, integer, number, output

Parser = Callable[[str], Any]
TUNING_NS, STAGE_NS = 300_000_000_000, 30_000_000_000
TUNING_BAND_K = 5.0
"""An autotuning begins only this near to the setpoint."""
MONITOR_OUT = 4
"""Mode of an output that shows a reading as a voltage."""
ALARM, OVERLOAD, RAMP_DONE_2, RAMP_DONE_1, NEW_READING = 1, 2, 4, 8, 16
"""Bits of the operation condition register."""
LOW, HIGH, EITHER = 0, 1, 2
"""Alarms, as a relay follows them."""


def optional(parse: Parser) -> Parser:
    """Return a reader of fields that may be left empty, which keeps what was there."""
    return lambda text: parse(text) if text else None


@dataclass(frozen=True)
class Setting:
    """A setting that is only kept: readers of what it belongs to and of its fields, its reply, its value at first."""

    index: tuple[Parser, ...]
    fields: tuple[Parser, ...]
    shown: str
    first: tuple[Any, ...]


_switch, _alarm_k = integer(0, 1), number(-9999, 9999)
_GAIN = number(0.1, 1000)

SETTINGS = {
    "*SRE": Setting((), (integer(0, 255),), "{:03d}", (0,)),
    "OPSTE": Setting((), (integer(0, 255),), "{:03d}", (0,)),
    "ALARM": Setting(
        (input_name,),
        (_switch, *(optional(each) for each in (_alarm_k, _alarm_k, number(0, 9999), _switch, _switch, _switch))),
        "{:d},{:+08.3f},{:+08.3f},{:+08.3f},{:d},{:d},{:d}",
        (0, 1000.0, 0.0, 0.0, 0, 1, 1),
    ),
    "ANALOG": Setting(
        (integer(2, 2),),
        (integer(0, 2), integer(1, 3), _alarm_k, _alarm_k, _switch),
        "{:d},{:d},{:+08.3f},{:+08.3f},{:d}",
        (0, KELVIN, 1000.0, 0.0, 0),
    ),
    "BRIGT": Setting((), (integer(0, 3),), "{:d}", (2,)),
    "DIOCUR": Setting((input_name,), (_switch,), "{:d}", (0,)),
    "DISPFLD": Setting((integer(1, 8),), (integer(0, 8), integer(1, 6)), "{:d},{:d}", (1, KELVIN)),
    "DISPLAY": Setting((), (integer(0, 6),), "{:d}", (4,)),
    "EMUL": Setting((), (integer(0, 2), _switch), "{:d},{:d}", (0, 0)),
    "FILTER": Setting((input_name,), (_switch, integer(2, 64), integer(1, 10)), "{:d},{:02d},{:02d}", (0, 8, 10)),
    "IEEE": Setting((), (integer(1, 30),), "{:02d}", (12,)),
    "INTSEL": Setting((), (integer(0, 2),), "{:d}", (0,)),
    "LEDS": Setting((), (_switch,), "{:d}", (1,)),
    "LOCK": Setting((), (_switch, integer(0, 999)), "{:d},{:03d}", (0, 123)),
    "MODE": Setting((), (integer(0, 2),), "{:d}", (1,)),
    "POLARITY": Setting((integer(2, 2),), (_switch,), "{:d}", (0,)),
    "RELAY": Setting(
        (integer(1, 2),),
        (integer(0, 2), optional(input_name), optional(integer(0, 2))),
        "{:d},{:s},{:d}",
        (0, "A", EITHER),
    ),
    "WARMUP": Setting((integer(2, 2),), (_switch, number(0, 100)), "{:d},{:+07.2f}", (0, 0.0)),
    "ZONE": Setting(
        (output, integer(1, 10)),
        (
            number(0, 9999),
            _GAIN,
            _GAIN,
            number(0, 200),
            number(0, 100),
            integer(0, 3),
            integer(0, 2),
            number(0, 100),
        ),
        "{:+08.3f},{:+07.1f},{:+07.1f},{:+06.1f},{:+07.2f},{:d},{:d},{:+06.1f}",
        (0.0, 50.0, 20.0, 0.0, 0.0, 0, 0, 0.1),
    ),
}
"""By the header of the command that sets it; the same header with a question mark asks for it."""


@dataclass
class Panel:
    """The kept settings, and what follows from them and the readings of a platform."""

    platform: ColdPlatform
    _kept: dict[tuple[Any, ...], tuple[Any, ...]] = field(default_factory=dict)
    _extremes: dict[str, tuple[float, float]] = field(default_factory=dict)
    _latched: set[tuple[str, int]] = field(default_factory=set)
    _events: int = 0
    _tuning: tuple[int, int, bool] | None = None
    """Output, when it began in ns, and whether it began."""

    def get(self, header: str, *index: Any) -> tuple[Any, ...]:
        """Return the fields of a setting."""
        return self._kept.get((header, *index), SETTINGS[header].first)

    def keep(self, header: str, *values: Any) -> None:
        """Keep a setting; fields left empty stay."""
        n_index = len(SETTINGS[header].index)
        index, given = values[:n_index], values[n_index:]
        old = self.get(header, *index)
        self._kept[header, *index] = tuple(b if a is None else a for a, b in zip(given, old, strict=True))

    def show(self, header: str, *index: Any) -> str:
        """Return a setting as the box prints it."""
        return SETTINGS[header].shown.format(*self.get(header, *index))

    def look(self, channel: str) -> float:
        """Return the reading of an input in K, and remember it for the extremes."""
        kelvin = self.platform.reading(channel, KELVIN)
        low, high = self._extremes.get(channel, (kelvin, kelvin))
        self._extremes[channel] = min(low, kelvin), max(high, kelvin)
        return kelvin

    def extremes(self, channel: str) -> str:
        """Return the lowest and the highest reading since they were reset."""
        self.look(channel)
        return "{:+08.3f},{:+08.3f}".format(*self._extremes[channel])

    def forget_extremes(self) -> None:
        """Begin anew with the extremes."""
        self._extremes.clear()

    def alarms(self, channel: str) -> tuple[bool, bool]:
        """Tell whether the high and the low alarm of an input are on."""
        is_on, high, low, _, is_latching, _, _ = self.get("ALARM", channel)
        kelvin = self.platform.reading(channel, KELVIN)
        for kind, is_beyond in ((HIGH, kelvin > high), (LOW, kelvin < low)):
            if is_on and is_beyond:
                self._latched.add((channel, kind))
            elif not (is_on and is_latching):
                self._latched.discard((channel, kind))
        return (channel, HIGH) in self._latched, (channel, LOW) in self._latched

    def forget_alarms(self) -> None:
        """End latched alarms."""
        self._latched.clear()

    def is_relay_on(self, number: int) -> bool:
        """Tell whether a relay is energised."""
        mode, channel, kind = self.get("RELAY", number)
        is_high, is_low = self.alarms(channel)
        return mode == 1 or (mode == 2 and {LOW: is_low, HIGH: is_high, EITHER: is_high or is_low}[kind])

    def monitor_percent(self, number: int) -> float:
        """Return what an output in monitor mode puts out."""
        source, unit, high, low, is_bipolar = self.get("ANALOG", 2)
        if number != 2 or self.platform.outputs[2].outmode[0] != MONITOR_OUT or not source or high == low:
            return 0.0
        share = (self.platform.reading(" AB"[source], unit) - low) / (high - low)
        return max(-100.0, min(100.0, 200 * share - 100)) if is_bipolar else max(0.0, min(100.0, 100 * share))

    def condition(self) -> int:
        """Return the operation condition register."""
        platform = self.platform
        bits = NEW_READING | (ALARM if any(any(self.alarms(each)) for each in "AB") else 0)
        bits |= OVERLOAD if any(each.is_unplugged for each in platform.inputs.values()) else 0
        for which, bit in ((1, RAMP_DONE_1), (2, RAMP_DONE_2)):
            settings = platform.outputs[which]
            bits |= bit if settings.is_ramp_on and platform.moving_setpoint(which) == settings.setpoint else 0
        self._events |= bits
        return bits

    def read_events(self) -> int:
        """Return what the condition register has shown since this was last asked."""
        self.condition()
        events, self._events = self._events, 0
        return events

    @property
    def has_enabled_event(self) -> bool:
        """Whether the operation bit of the status byte is set."""
        self.condition()
        return bool(self._events & self.get("OPSTE")[0])

    def tune(self, number: int, time_ns: int) -> None:
        """Begin to tune a loop, if the reading is near enough to the setpoint."""
        settings = self.platform.outputs[number]
        source = settings.outmode[1]
        is_near = source > 0 and (
            abs(self.platform.reading(" AB"[source], KELVIN) - settings.setpoint) <= TUNING_BAND_K
        )
        self._tuning = number, time_ns, is_near

    def tuning(self, time_ns: int) -> str:
        """Return whether a loop is being tuned, which, whether that failed, and how far it is."""
        if self._tuning is None:
            return "0,1,0,00"
        number, began_ns, has_begun = self._tuning
        if not has_begun:
            return f"0,{number},1,00"
        elapsed_ns = time_ns - began_ns
        return f"{int(elapsed_ns < TUNING_NS)},{number},0,{min(elapsed_ns // STAGE_NS, 10):02d}"


def _kept_rows() -> dict[str, Row]:
    rows = {}
    for header, setting in SETTINGS.items():
        rows[header] = Row(setting.index + setting.fields, lambda box, *v, key=header: box.panel.keep(key, *v))
        rows[f"{header}?"] = Row(setting.index, lambda box, *v, key=header: box.panel.show(key, *v))
    return rows


def _the_second(text: str) -> int:
    """Read which output; only the second has a polarity, and it need not be named."""
    if text not in ("", "2"):
        raise Refused
    return 2


COMMANDS = {
    **_kept_rows(),
    "ALARMST?": Row((input_name,), lambda box, a: "{:d},{:d}".format(*box.panel.alarms(a))),
    "ALMRST": Row((), lambda box: box.panel.forget_alarms()),
    "AOUT?": Row((output,), lambda box, n: f"{box.panel.monitor_percent(n):+07.2f}"),
    "ATUNE": Row((output, integer(0, 2)), lambda box, n, mode: box.panel.tune(n, box.time_ns)),
    "TUNEST?": Row((), lambda box: box.panel.tuning(box.time_ns)),
    "KRDG?": Row((input_name,), lambda box, a: f"{box.panel.look(a):+08.3f}"),
    "MDAT?": Row((input_name,), lambda box, a: box.panel.extremes(a)),
    "MNMXRST": Row((), lambda box: box.panel.forget_extremes()),
    "OPST?": Row((), lambda box: f"{box.panel.condition():03d}"),
    "OPSTR?": Row((), lambda box: f"{box.panel.read_events():03d}"),
    "RELAYST?": Row((integer(1, 2),), lambda box, n: str(int(box.panel.is_relay_on(n)))),
    "POLARITY?": Row((_the_second,), lambda box, n: box.panel.show("POLARITY", n)),
    "TEMP?": Row((), lambda box: "+297.000"),
}
"""What stands in the manual beside control, by its header."""

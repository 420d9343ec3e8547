"""Commands of a 33500 generator beside those of a trigger line: amplitudes, pulses, bursts, triggers, sync, display.

The display, the beeper, the sync and the trigger connector keep their settings and do nothing else.

Source: Agilent 33500 Series Operating and Service Guide, SCPI command reference. **Ours**: the defaults of what the
generator keeps, and settings of the display.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from simulators.generator_channel import Channel
from simulators.scpi_words import Refused, choice, shown, switch

Handler = Callable[[Any, Channel, str], str | None]
Row = tuple[str, Handler | None, Handler | None]
MAX_EMF_V = 10.0
MIN_AMPLITUDE_EMF_V = 0.002
QUOTES = "\"'"
SHAPES = ("SINusoid", "SQUare", "PULSe", "RAMP", "DC")
UNITS_OF_AMPLITUDE = ("VPP", "VRMS", "DBM")


def _set_amplitude(box: Any, channel: Channel, text: str) -> None:
    value = _in_unit(channel, text)
    largest_v = 2 * (MAX_EMF_V - abs(channel.offset_emf_v))
    emf_v = {"MIN": MIN_AMPLITUDE_EMF_V, "MAX": largest_v}.get(text[:3]) or channel.emf_of(box.number(value, -inf, inf))
    if not MIN_AMPLITUDE_EMF_V <= emf_v <= largest_v:
        limit = "upper" if emf_v > largest_v else "lower"
        box.report(-222, f"Data out of range; value clipped to {limit} limit")
    channel.amplitude_emf_v = min(max(emf_v, MIN_AMPLITUDE_EMF_V), largest_v)


def _in_unit(channel: Channel, text: str) -> str:
    """Return the number before a unit of amplitude, which becomes that of the channel."""
    for unit in UNITS_OF_AMPLITUDE:
        if text.endswith(unit):
            _set_unit(None, channel, unit)
            return text.removesuffix(unit).strip()
    return text


def _set_unit(box: Any, channel: Channel, text: str) -> None:
    unit = choice(text, *UNITS_OF_AMPLITUDE)
    if unit == "DBM" and channel.load_ohm == inf:
        raise Refused(-221, "Settings conflict; not able to specify dBm with an infinite load")
    channel.unit = unit


def _apply(shape: str) -> Handler:
    """Return what sets shape, frequency, amplitude and offset at once, and switches the output on."""

    def obey(box: Any, channel: Channel, text: str) -> None:
        box.set_shape(channel, shape)
        fields = [field.strip() for field in text.split(",")]
        for field, setting in zip(fields, (box.set_frequency, _bound(box), box.set_offset), strict=False):
            if field and field not in ("DEF", "DEFAULT"):
                setting(channel, field)
        channel.is_output_on = True

    return obey


def _bound(box: Any) -> Callable[[Channel, str], None]:
    return lambda channel, field: _set_amplitude(box, channel, field)


def _applied(box: Any, channel: Channel, text: str) -> str:
    return f'"{channel.shape} {shown(channel.frequency_hz)},{shown(channel.amplitude)},{shown(channel.offset_v)}"'


def _set_period(box: Any, channel: Channel, text: str) -> None:
    extremes = {"MIN": "MAX", "MAX": "MIN"}
    box.set_frequency(channel, extremes.get(text[:3]) or f"{1 / box.number(text, 1e-9, 1e6):.15E}")


def _set_pulse_duty(box: Any, channel: Channel, text: str) -> None:
    percent = box.number(text, 0.0, 100.0)
    box.set_pulse_width(channel, f"{percent / 100 / channel.frequency_hz:.15E}")


def _set_cycles(box: Any, channel: Channel, text: str) -> None:
    channel.n_cycles = inf if text in ("INF", "INFINITY") else float(round(box.number(text, 1, 1e8)))


def _number_row(header: str, name: str, low: float, high: float) -> Row:
    """Return the row of a number that is only kept, within its limits."""

    def obey(box: Any, channel: Channel, text: str) -> None:
        setattr(channel, name, box.number(text, low, high))

    return header, lambda box, channel, text: shown(getattr(channel, name)), obey


def _choice_row(header: str, name: str, *names: str) -> Row:
    """Return the row of a choice that is only kept."""

    def obey(box: Any, channel: Channel, text: str) -> None:
        setattr(channel, name, choice(text, *names))

    return header, lambda box, channel, text: getattr(channel, name), obey


def _switch_row(header: str, name: str, is_on: bool) -> Row:
    """Return the row of a switch of the box, which does nothing but keep its state."""

    def obey(box: Any, channel: Channel, text: str) -> None:
        box.kept[name] = switch(text)

    return header, lambda box, channel, text: str(int(box.kept.get(name, is_on))), obey


def _set_burst(box: Any, channel: Channel, text: str) -> None:
    channel.is_burst = switch(text)


def _set_file(box: Any, channel: Channel, text: str) -> None:
    channel.arb_file = f'"{text.strip(QUOTES)}"'


def _show(box: Any, channel: Channel, text: str) -> None:
    box.kept["text"] = text.strip(QUOTES)


ROWS: tuple[Row, ...] = (
    ("[SOURce#:]VOLTage[:AMPLitude]", lambda box, ch, text: shown(ch.amplitude), _set_amplitude),
    ("[SOURce#:]VOLTage:UNIT", lambda box, ch, text: ch.unit, _set_unit),
    ("[SOURce#:]APPLy", _applied, None),
    *(
        (f"[SOURce#:]APPLy:{name}", None, _apply(name.upper()))
        for name in ("SINusoid", "SQUare", "PULSe", "RAMP", "DC")
    ),
    _number_row("[SOURce#:]PHASe", "phase_deg", -360, 360),
    _number_row("[SOURce#:]FUNCtion:RAMP:SYMMetry", "symmetry_percent", 0, 100),
    ("[SOURce#:]FUNCtion:PULSe:PERiod", lambda box, ch, text: shown(1 / ch.frequency_hz), _set_period),
    ("[SOURce#:]PULSe:PERiod", lambda box, ch, text: shown(1 / ch.frequency_hz), _set_period),
    (
        "[SOURce#:]FUNCtion:PULSe:DCYCle",
        lambda box, ch, text: shown(100 * ch.pulse_width_s * ch.frequency_hz),
        _set_pulse_duty,
    ),
    _choice_row("[SOURce#:]FUNCtion:PULSe:HOLD", "hold", "WIDTh", "DCYCle"),
    _number_row("[SOURce#:]FUNCtion:PULSe:TRANsition[:BOTH]", "edge_s", 8.4e-9, 1e-6),
    ("[SOURce#:]BURSt:STATe", lambda box, ch, text: str(int(ch.is_burst)), _set_burst),
    _choice_row("[SOURce#:]BURSt:MODE", "burst_mode", "TRIGgered", "GATed"),
    ("[SOURce#:]BURSt:NCYCles", lambda box, ch, text: shown(ch.n_cycles), _set_cycles),
    _number_row("[SOURce#:]BURSt:INTernal:PERiod", "burst_period_s", 1e-6, 8000),
    _number_row("[SOURce#:]BURSt:PHASe", "burst_phase_deg", -360, 360),
    _choice_row("TRIGger#:SOURce", "trigger_source", "IMMediate", "EXTernal", "TIMer", "BUS"),
    _choice_row("TRIGger#:SLOPe", "trigger_slope", "POSitive", "NEGative"),
    _number_row("TRIGger#:DELay", "trigger_delay_s", 0, 1000),
    _choice_row("OUTPut#:POLarity", "polarity", "NORMal", "INVerted"),
    ("[SOURce#:]FUNCtion:ARBitrary", lambda box, ch, text: ch.arb_file, _set_file),
    _choice_row("[SOURce#:]FUNCtion:ARBitrary:ADVance", "arb_advance", "TRIGger", "SRATe"),
    _choice_row("[SOURce#:]FUNCtion:ARBitrary:FILTer", "arb_filter", "NORMal", "STEP", "OFF"),
    _number_row("[SOURce#:]FUNCtion:ARBitrary:SRATe", "arb_rate_hz", 1e-6, 250e6),
    _switch_row("OUTPut:SYNC[:STATe]", "sync", True),
    _switch_row("OUTPut:TRIGger[:STATe]", "trigger out", False),
    _switch_row("SYSTem:BEEPer:STATe", "beeper", True),
    _switch_row("DISPlay[:STATe]", "display", True),
    ("DISPlay:TEXT", lambda box, ch, text: f'"{box.kept.get("text", "")}"', _show),
    ("DISPlay:TEXT:CLEar", None, lambda box, ch, text: _show(box, ch, "")),
    ("SYSTem:BEEPer[:IMMediate]", None, lambda box, ch, text: None),
    ("*TRG", None, lambda box, ch, text: None),
)
"""Header, what is answered to a question, and what is done; None where there is no such form."""

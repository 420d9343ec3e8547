"""What a Lake Shore 335 says, as values: status bits, states, and the reply to one message that asks everything.

Pure: text in, values out, no connection. The instrument is in `lakeshore335.py`. Numbers are parsed as
numbers, never by column, because the box's formats differ between firmware versions.

Source: Lake Shore Model 335 User's Manual, chapter 6 (commands and registers).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from math import inf, nan

RANGES = ("off", "low", "medium", "high")
UNITS = ("kelvin", "celsius", "sensor")
INPUTS = ("A", "B")
OUTPUTS = (1, 2)


class LakeShoreError(OSError):
    """The controller reported an error, or shows another setting than the one it was sent."""


class EventStatus(IntFlag):
    """Bits of the event status register; `ERRORS` make a set fail."""

    OPERATION_COMPLETE = 1
    QUERY_ERROR = 4
    EXECUTION_ERROR = 16
    COMMAND_ERROR = 32
    POWER_ON = 128


class ReadingStatus(IntFlag):
    """Why a reading is not valid; 0 is valid."""

    INVALID = 1
    TEMPERATURE_UNDER_RANGE = 16
    TEMPERATURE_OVER_RANGE = 32
    SENSOR_ZERO = 64
    SENSOR_OVER_RANGE = 128


class HeaterStatus(IntEnum):
    """What the controller finds at a heater output."""

    OK = 0
    OPEN_LOAD = 1
    SHORT = 2


class Mode(IntEnum):
    """What an output does."""

    OFF = 0
    CLOSED_LOOP = 1
    ZONE = 2
    OPEN_LOOP = 3
    MONITOR_OUT = 4
    WARM_UP = 5


ERRORS = EventStatus.QUERY_ERROR | EventStatus.EXECUTION_ERROR | EventStatus.COMMAND_ERROR
NO_TEMPERATURE = ReadingStatus.INVALID | ReadingStatus.TEMPERATURE_UNDER_RANGE | ReadingStatus.TEMPERATURE_OVER_RANGE
NO_SENSOR_VALUE = ReadingStatus.INVALID | ReadingStatus.SENSOR_ZERO | ReadingStatus.SENSOR_OVER_RANGE


@dataclass(frozen=True)
class InputState:
    """One input at one moment.

    Attributes
    ----------
    kelvin : float
        Temperature in K, NaN if `status` says that there is none.
    status : ReadingStatus
        Why it is not valid; 0 is valid.
    units : str
        In which a loop on this input takes its setpoint: "kelvin", "celsius" or "sensor".
    """

    kelvin: float
    status: ReadingStatus
    units: str


@dataclass(frozen=True)
class OutputState:
    """One output at one moment.

    Attributes
    ----------
    mode : Mode
        What the output does.
    control_input : str or None
        The input it works on, "A" or "B".
    is_on_after_power_up : bool
        Whether the heater comes back by itself after a power failure.
    setpoint_k : float
        Setpoint in K, moving or final during a ramp; NaN if the input does not work in kelvin.
    ramp_rate_k_per_min : float
        Rate in K/min at which the setpoint moves, ``inf`` if it jumps.
    is_ramping : bool
        Whether the setpoint is on its way.
    heater_range : str
        "off", "low", "medium" or "high".
    heater_percent : float
        Heater output in % of the range.
    heater_fault : HeaterStatus
        Fault of the heater; reading it clears it in the box.
    """

    mode: Mode
    control_input: str | None
    is_on_after_power_up: bool
    setpoint_k: float
    ramp_rate_k_per_min: float
    is_ramping: bool
    heater_range: str
    heater_percent: float
    heater_fault: HeaterStatus


@dataclass(frozen=True)
class Poll:
    """Everything a scan watches, from one message: inputs by "A", "B" and outputs by 1, 2."""

    inputs: dict[str, InputState]
    outputs: dict[int, OutputState]


INPUT_QUERIES = ("KRDG?", "RDGST?", "INTYPE?")
OUTPUT_QUERIES = ("OUTMODE?", "SETP?", "RAMP?", "RAMPST?", "RANGE?", "HTR?", "HTRST?")
POLL_MESSAGE = ";".join(
    [f"{query} {name}" for name in INPUTS for query in INPUT_QUERIES]
    + [f"{query} {number}" for number in OUTPUTS for query in OUTPUT_QUERIES]
)


def parse_poll(reply: str) -> Poll:
    """Read the reply to `POLL_MESSAGE`.

    Raises
    ------
    ConnectionError
        This is not such a reply: something got lost, or an older reply came late.
    """
    fields = split_reply(reply, len(INPUTS) * len(INPUT_QUERIES) + len(OUTPUTS) * len(OUTPUT_QUERIES))
    try:
        inputs = {name: _input_state(*(fields.pop(0) for _ in INPUT_QUERIES)) for name in INPUTS}
        outputs = {n: _output_state(inputs, *(fields.pop(0) for _ in OUTPUT_QUERIES)) for n in OUTPUTS}
    except (ValueError, IndexError) as error:
        raise ConnectionError(f"'{reply}' does not answer the poll ({error}); {OUT_OF_STEP}") from error
    return Poll(inputs, outputs)


OUT_OF_STEP = "replies are out of step: discard what has arrived and ask again"


def split_reply(reply: str, n_fields: int) -> list[str]:
    """Split the reply to a chained message.

    Raises
    ------
    ConnectionError
        The reply has another number of fields than questions were asked.

    Examples
    --------
    >>> split_reply("+077.123;000", 2)
    ['+077.123', '000']
    """
    fields = reply.strip().split(";")
    if len(fields) != n_fields:
        raise ConnectionError(f"'{reply.strip()}' came as the answer to {n_fields} questions; {OUT_OF_STEP}")
    return fields


def number(text: str) -> float:
    """Read a number; anything else is a ConnectionError, since the box only ever answers numbers here."""
    try:
        return float(text)
    except ValueError:
        raise ConnectionError(f"'{text}' came where a number belongs; {OUT_OF_STEP}") from None


def reading(text: str, status: str, blocking: ReadingStatus) -> float:
    """Return a reading, NaN if its status has one of the `blocking` bits.

    Examples
    --------
    >>> reading("+077.123", "000", NO_TEMPERATURE)
    77.123
    >>> reading("+000.000", "129", NO_TEMPERATURE)
    nan
    """
    return nan if ReadingStatus(int(number(status))) & blocking else number(text)


def _input_state(kelvin: str, status: str, intype: str) -> InputState:
    units = UNITS[int(intype.split(",")[4]) - 1]
    return InputState(reading(kelvin, status, NO_TEMPERATURE), ReadingStatus(int(status)), units)


def _output_state(
    inputs: dict[str, InputState],
    outmode: str,
    setpoint: str,
    ramp: str,
    is_ramping: str,
    range_code: str,
    percent: str,
    fault: str,
) -> OutputState:
    mode, source, powerup = (int(field) for field in outmode.split(","))
    is_ramp_on, rate = ramp.split(",")
    control_input = INPUTS[source - 1] if source else None
    is_kelvin = control_input is not None and inputs[control_input].units == "kelvin"
    return OutputState(
        mode=Mode(mode),
        control_input=control_input,
        is_on_after_power_up=bool(powerup),
        setpoint_k=number(setpoint) if is_kelvin else nan,
        ramp_rate_k_per_min=number(rate) if int(is_ramp_on) and number(rate) else inf,
        is_ramping=bool(int(is_ramping)),
        heater_range=RANGES[int(range_code)],
        heater_percent=number(percent),
        heater_fault=HeaterStatus(int(fault)),
    )

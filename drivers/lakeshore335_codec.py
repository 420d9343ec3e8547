"""What a Lake Shore 335 says, as values: status bits, states, and the reply to one message that asks everything.

Pure: text in, values out, no connection. The instrument is in `lakeshore335.py`.

Source: Lake Shore Model 335 User's Manual, chapter 6 (commands and registers).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from math import inf, nan

from drivers.lakeshore335_text import OUT_OF_STEP, number, numbers, split_reply

RANGES = ("off", "low", "medium", "high")
UNITS = ("kelvin", "celsius", "sensor")
SENSOR_TYPES = ("off", "diode", "platinum", "ntc", "thermocouple")
PID_LIMITS = {"P": (0.1, 1000.0, ""), "I": (0.1, 1000.0, ""), "D": (0.0, 200.0, "%")}
HEATER_OHM = {1: 25, 2: 50}
FULL_CURRENT_A = {1: 0.707, 2: 1.0, 3: 1.141, 4: 1.732}
"""Full current by code, as the maker prints it (3 may be a misprint of 1.414); code 0 is the user's own current."""
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
    limit_k : float
        Temperature in K above which the box switches all heaters off; 0 is no limit.
    """

    kelvin: float
    status: ReadingStatus
    units: str
    limit_k: float


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
    """Everything a scan watches, from one message: inputs by "A", "B", outputs by 1, 2, and the event register."""

    inputs: dict[str, InputState]
    outputs: dict[int, OutputState]
    events: EventStatus


@dataclass(frozen=True)
class HeaterSetup:
    """What an output is told about its heater.

    Attributes
    ----------
    resistance_ohm : int
        25 or 50.
    full_current_a : float
        Current at full output in the highest range, in A.
    is_shown_as_power : bool
        Whether percentages are of full power rather than of full current.
    """

    resistance_ohm: int
    full_current_a: float
    is_shown_as_power: bool


INPUT_QUERIES = ("KRDG?", "RDGST?", "INTYPE?", "TLIMIT?")
OUTPUT_QUERIES = ("OUTMODE?", "SETP?", "RAMP?", "RAMPST?", "RANGE?", "HTR?", "HTRST?")
POLL_MESSAGE = ";".join(
    ["*ESR?"]
    + [f"{query} {name}" for name in INPUTS for query in INPUT_QUERIES]
    + [f"{query} {number}" for number in OUTPUTS for query in OUTPUT_QUERIES]
)


def parse_poll(reply: str) -> Poll:
    """Read the reply to `POLL_MESSAGE`.

    Raises
    ------
    ConnectionError
        This is not such a reply: something got lost, or an older reply came late.
    """
    fields = split_reply(reply, 1 + len(INPUTS) * len(INPUT_QUERIES) + len(OUTPUTS) * len(OUTPUT_QUERIES))
    try:
        events = EventStatus(int(fields.pop(0)))
        inputs = {name: _input_state(*(fields.pop(0) for _ in INPUT_QUERIES)) for name in INPUTS}
        outputs = {n: _output_state(inputs, *(fields.pop(0) for _ in OUTPUT_QUERIES)) for n in OUTPUTS}
    except (ValueError, IndexError) as error:
        raise ConnectionError(f"'{reply}' does not answer the poll ({error}); {OUT_OF_STEP}") from error
    return Poll(inputs, outputs, events)


def parse_heater_setup(reply: str) -> HeaterSetup:
    """Read the reply to ``HTRSET?``.

    Raises
    ------
    ConnectionError
        This is no such reply.

    Examples
    --------
    >>> parse_heater_setup("0,2,0,+1.030,2")
    HeaterSetup(resistance_ohm=50, full_current_a=1.03, is_shown_as_power=True)
    """
    try:
        _, resistance, full, user_a, display = numbers(reply, 5)
        return HeaterSetup(HEATER_OHM[int(resistance)], FULL_CURRENT_A.get(int(full), user_a), display == 2)
    except KeyError:
        raise ConnectionError(f"'{reply}' came where a heater setup belongs; {OUT_OF_STEP}") from None


def parse_verified(reply: str) -> tuple[EventStatus, str]:
    """Read the reply to ``*ESR?`` and a query behind it."""
    events, shown = split_reply(reply, 2)
    return EventStatus(int(number(events))), shown


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


def _input_state(kelvin: str, status: str, intype: str, limit: str) -> InputState:
    units = UNITS[int(intype.split(",")[4]) - 1]
    return InputState(reading(kelvin, status, NO_TEMPERATURE), ReadingStatus(int(status)), units, number(limit))


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

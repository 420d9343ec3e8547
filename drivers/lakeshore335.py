"""Lake Shore 335 temperature controller: readings that say when they are invalid, sets that are verified.

Names and channels follow pymeasure's ``LakeShore3xx`` (`kelvin`, `sensor`, `setpoint`, `range`, `mout`, `output`), with
what that lacks: a reading without a valid temperature is NaN, every set carries ``*ESR?`` and its own read-back in
the same message, and whatever heats has limits. A setpoint alone never heats; `heater_range` does. Reading ``HTRST?``
clears it in the box, so this object keeps what it saw and nobody else may ask.

The box wants `MINIMUM_GAP_S` of silence between messages; the link keeps that, this module never sleeps
and is used by one thread at a time. Autotuning, zones, alarms, relays and the voltage output are left to
the front panel.

Source: Lake Shore Model 335 User's Manual, chapter 6; opening sequence as in the vendor's ``lakeshore`` 1.10.0.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from pymeasure.instruments import Instrument
from pyvisa.constants import Parity, StopBits

from drivers.lakeshore335_codec import (
    ERRORS,
    OUTPUTS,
    POLL_MESSAGE,
    RANGES,
    EventStatus,
    HeaterStatus,
    LakeShoreError,
    Poll,
    parse_poll,
    parse_verified,
)
from drivers.lakeshore335_inputs import InputChannel
from drivers.lakeshore335_outputs import OutputChannel
from drivers.lakeshore335_text import number, split_reply, within
from drivers.line_instrument import LineInstrument

MINIMUM_GAP_S = 0.05
"""Silence between two messages, and between a reply and the next message; the rule of the family."""
TERMINATION = {"read_termination": "\r\n", "write_termination": "\n"}
VISA_SETTINGS: dict[str, dict[str, Any]] = {
    "asrl": {**TERMINATION, "baud_rate": 57600, "data_bits": 7, "parity": Parity.odd, "stop_bits": StopBits.one},
    "tcpip": dict(TERMINATION),
    "gpib": {"read_termination": "\n", "write_termination": "\n"},
}
"""Per interface, for whoever opens the connection itself and hands over an adapter."""
RATE_LIMITS_K_PER_MIN = (0.1, 100.0)
"""What the box accepts as a ramp rate; its rate 0 means an infinite one and is never sent."""


class LakeShore335(LineInstrument):
    """Lake Shore 335 over USB serial, IEEE-488, or TCP; nothing is sent until it is asked something.

    Parameters
    ----------
    adapter : str, int or pymeasure Adapter
        VISA address, or an adapter opened with `VISA_SETTINGS`.
    name : str
        Name used in messages.
    max_setpoint_k, max_ramp_rate_k_per_min : float
        Highest setpoint in K and highest ramp rate in K/min allowed.
    max_range : str
        Highest heater range allowed: "off", "low", "medium" or "high".
    **kwargs
        For pymeasure's VISAAdapter.

    Attributes
    ----------
    heater_faults : dict of int to HeaterStatus
        Last fault seen at each output that nobody has acknowledged.
    has_lost_power : bool
        Whether the box has been switched off and on since it was identified.
    """

    silence = (
        "it is silent about commands it does not know. Check power and cable, and discard its late replies before"
        " asking again"
    )
    inputs = Instrument.MultiChannelCreator(InputChannel, ("A", "B"), prefix="input_")
    outputs = Instrument.MultiChannelCreator(OutputChannel, (1, 2), prefix="output_")

    id = Instrument.measurement("*IDN?", """Get the identification (text).""", cast=str, separator=None)

    def __init__(
        self,
        adapter: Any,
        name: str = "Lake Shore 335",
        max_setpoint_k: float = 310.0,
        max_ramp_rate_k_per_min: float = 10.0,
        max_range: str = "medium",
        **kwargs: Any,
    ) -> None:
        if not max_setpoint_k > 0 or max_range not in RANGES:
            raise ValueError(
                f"{name}: limits {max_setpoint_k} K and {max_range!r} need a positive K and one of {RANGES}"
            )
        within("ramp rate limit", max_ramp_rate_k_per_min, *RATE_LIMITS_K_PER_MIN, "K/min")
        for interface, settings in VISA_SETTINGS.items():
            kwargs[interface] = {**settings, **kwargs.get(interface, {})}
        self.max_setpoint_k = max_setpoint_k
        self.max_ramp_rate_k_per_min = max_ramp_rate_k_per_min
        self.max_range = max_range
        self.heater_faults = dict.fromkeys(OUTPUTS, HeaterStatus.OK)
        self.has_lost_power = False
        super().__init__(adapter, name, includeSCPI=False, **kwargs)

    def identify(self) -> str:
        """End half-sent messages and 331 emulation, clear old errors, and return the identification.

        Raises
        ------
        ConnectionError
            Another kind of box answered.
        """
        self.write("")
        self.discard()
        identity = str(self.ask("EMUL 0,0;*CLS;*IDN?")).strip()
        if not identity.startswith("LSCI,MODEL335"):
            raise ConnectionError(
                f"{self.name}: '{identity}' answered, not a Model 335; correct the address, or the frame"
                " (57600 baud, 7 data bits, odd parity) if this is unreadable"
            )
        self.has_lost_power = False
        return identity

    def poll(self) -> Poll:
        """Ask everything a scan watches, in one message, and keep the heater faults it shows.

        Raises
        ------
        ConnectionError
            The reply does not belong to the question.
        LakeShoreError
            The box has been switched off and on since it was identified.
        """
        poll = self.exchange(POLL_MESSAGE, parse_poll)
        for output_number, state in poll.outputs.items():
            if state.heater_fault:
                self.heater_faults[output_number] = state.heater_fault
        self._refuse_after_power_loss(poll.events)
        outputs = {n: replace(state, heater_fault=self.heater_faults[n]) for n, state in poll.outputs.items()}
        return replace(poll, outputs=outputs)

    def heaters_off(self) -> None:
        """Switch both heaters off in one message, and confirm it; works whatever else is wrong.

        Raises
        ------
        LakeShoreError
            The box still shows a heater range.
        """
        shown = self.ask_all("RANGE 1,0;RANGE 2,0;RANGE? 1", "RANGE? 2")
        if shown != ["0", "0"]:
            raise LakeShoreError(
                f"{self.name} shows heater ranges {' and '.join(shown)} after both were switched off; press"
                " its Heater Off key"
            )

    def shutdown(self, heaters: Literal["hold", "off"] = "hold") -> None:
        """End the use of the controller; by default it goes on holding its temperature."""
        if heaters == "off":
            self.heaters_off()
        super().shutdown()

    def ask_all(self, *queries: str) -> list[str]:
        """Ask several queries in one message and return as many replies."""
        return self.exchange(";".join(queries), lambda reply: split_reply(reply, len(queries)))

    def ask_number(self, query: str) -> float:
        """Ask for one number."""
        return self.exchange(query, number)

    def set_verified(self, command: str, query: str) -> str:
        """Send a command, the error query and the read-back in one message; return the read-back.

        Raises
        ------
        LakeShoreError
            The box reports an error.
        """
        events, shown = self.exchange(f"{command};*ESR?;{query}", parse_verified)
        self._refuse_after_power_loss(events)
        if errors := events & ERRORS:
            raise LakeShoreError(
                f"{self.name} reported {errors.name} after '{command}' and shows {shown}; the value may not suit the"
                " present mode of the box"
            )
        return shown

    def set_checked(self, command: str, query: str, expected: float, tolerance: float) -> None:
        """Send a command and compare the read-back with what is expected.

        Raises
        ------
        LakeShoreError
            The box reports an error, or shows another value.
        """
        shown = number(self.set_verified(command, query))
        if not abs(shown - expected) <= tolerance:
            raise LakeShoreError(
                f"{self.name} shows {shown:g} after '{command}', expected {expected:g} within {tolerance:g};"
                " somebody may be using its front panel"
            )

    def set_text(self, command: str, query: str, expected: str) -> None:
        """Send a command and compare the read-back with the expected text, blanks aside.

        Raises
        ------
        LakeShoreError
            The box reports an error, or shows something else.
        """
        shown = self.set_verified(command, query)
        if shown.replace(" ", "") != expected:
            raise LakeShoreError(f"{self.name} shows {shown} after '{command}', expected {expected}")

    def _refuse_after_power_loss(self, events: EventStatus) -> None:
        """Raise LakeShoreError from the first sign of a power loss on, until somebody identifies the box again."""
        self.has_lost_power |= bool(events & EventStatus.POWER_ON)
        if self.has_lost_power:
            raise LakeShoreError(
                f"{self.name} has been switched off and on: its heaters are off, and its ramp, limits and units may be"
                " others. Check them, then identify it again"
            )

"""Outputs of a Lake Shore 335: what must hold before anything heats.

Derived from pymeasure's channel of the family for its names. A setpoint alone never heats; `heater_range` does. Each
set is one message that carries ``*ESR?`` and the read-back. The controller itself, with its limits and its connection,
is in `lakeshore335.py`.

Source: Lake Shore Model 335 User's Manual, chapter 6.
"""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Literal

from pymeasure.instruments.lakeshore.lakeshore_base import LakeShoreHeaterChannel

from drivers.lakeshore335_codec import (
    INPUTS,
    PID_LIMITS,
    RANGES,
    HeaterSetup,
    HeaterStatus,
    LakeShoreError,
    Mode,
    OutputState,
    Poll,
    parse_heater_setup,
)
from drivers.lakeshore335_text import numbers, within

if TYPE_CHECKING:
    from drivers.lakeshore335 import LakeShore335

SETPOINT_TOLERANCE_K, RATE_TOLERANCE_K_PER_MIN, PERCENT_TOLERANCE, PID_TOLERANCE = 0.002, 0.06, 0.01, 0.051
"""How far a read-back may be from what was sent: the box rounds to 1 mK, 0.1 K/min, 0.01 % and 0.1."""


class OutputChannel(LakeShoreHeaterChannel):
    """One control output, 1 or 2; the limits are those of its controller."""

    parent: LakeShore335

    @property
    def state(self) -> OutputState:
        """Get everything about this output (OutputState, from a full poll)."""
        return self.parent.poll().outputs[self.id]

    @property
    def setpoint(self) -> float:
        """Control the setpoint in K (float above 0, up to `max_setpoint_k`).

        It can be set only on a ramp within `max_ramp_rate_k_per_min`; `ramp_to` sets that up.
        """
        return self.state.setpoint_k

    @setpoint.setter
    def setpoint(self, setpoint_k: float) -> None:
        self._check_setpoint(setpoint_k)
        state = self._loop_in_kelvin(self.parent.poll())
        if not state.ramp_rate_k_per_min <= self.parent.max_ramp_rate_k_per_min:
            raise ValueError(
                f"{self.parent.name}: setpoint {setpoint_k:g} K would be approached at"
                f" {state.ramp_rate_k_per_min:g} K/min, more than the"
                f" {self.parent.max_ramp_rate_k_per_min:g} K/min allowed; use ramp_to(setpoint, rate)"
            )
        self._write_setpoint(f"SETP {self.id},{setpoint_k:.4f}", state.setpoint_k, setpoint_k)

    @property
    def ramp_rate_k_per_min(self) -> float:
        """Get the rate in K/min at which the setpoint moves (float, inf if it jumps)."""
        return self.state.ramp_rate_k_per_min

    @property
    def output(self) -> float:
        """Get the heater output in % of its range (float from 0 to 100)."""
        return self.parent.ask_number(f"HTR? {self.id}")

    @property
    def heater_range(self) -> str:
        """Control the heater range ("off", "low", "medium" or "high", up to `max_range`); this is what heats.

        An output can be switched on only if it has a mode, a valid reading to control on with an over-temperature
        limit, a setpoint within the limit, no unacknowledged fault, and stays off after a power failure.
        """
        return self.state.heater_range

    @heater_range.setter
    def heater_range(self, new_range: str) -> None:
        allowed = RANGES[: RANGES.index(self.parent.max_range) + 1]
        if new_range not in allowed:
            raise ValueError(f"{self.parent.name}: heater range {new_range!r} is not one of {', '.join(allowed)}")
        if new_range != "off":
            self._refuse_blind_heating(self.parent.poll())
        code = RANGES.index(new_range)
        self.parent.set_checked(f"RANGE {self.id},{code}", f"RANGE? {self.id}", code, 0.0)

    range = heater_range
    """The family's name for `heater_range`; pymeasure's own `range` would heat without any check."""

    @property
    def mout(self) -> float:
        """Control the manual heater output in % of the range (float from 0 to 100)."""
        return self.parent.ask_number(f"MOUT? {self.id}")

    @mout.setter
    def mout(self, percent: float) -> None:
        within("manual heater output", percent, 0.0, 100.0, "%")
        self.parent.set_checked(f"MOUT {self.id},{percent:.2f}", f"MOUT? {self.id}", percent, PERCENT_TOLERANCE)

    @property
    def pid(self) -> tuple[float, float, float]:
        """Control the loop's P, I and D (three floats: 0.1 to 1000, 0.1 to 1000, and 0 to 200 %)."""
        return self.parent.exchange(f"PID? {self.id}", self._read_pid)

    @pid.setter
    def pid(self, pid: tuple[float, float, float]) -> None:
        for (what, (low, high, unit)), value in zip(PID_LIMITS.items(), pid, strict=True):
            within(what, value, low, high, unit)
        wanted = ",".join(f"{value:.1f}" for value in pid)
        shown = self._read_pid(self.parent.set_verified(f"PID {self.id},{wanted}", f"PID? {self.id}"))
        if not all(abs(each - value) <= PID_TOLERANCE for each, value in zip(shown, pid, strict=True)):
            raise LakeShoreError(f"{self.parent.name} shows PID {shown} after {wanted} was sent")

    @property
    def heater_setup(self) -> HeaterSetup:
        """Get what the output is told about its heater (HeaterSetup); it is set at the front panel."""
        return self.parent.exchange(f"HTRSET? {self.id}", parse_heater_setup)

    @property
    def heater_fault(self) -> HeaterStatus:
        """Get the fault of the heater that nobody has acknowledged (HeaterStatus, 0 is none)."""
        return self.state.heater_fault

    def assign(self, mode: Mode, control_input: Literal["A", "B"]) -> None:
        """Set what the output does and on which input, never to come back on by itself after a power failure.

        Raises
        ------
        ValueError
            The heater is on; nothing was set.
        """
        state = self.state
        if state.heater_range != "off":
            raise ValueError(
                f"{self.parent.name}: output {self.id} is in range {state.heater_range}; switch it off first"
            )
        wanted = f"{int(mode)},{INPUTS.index(control_input) + 1},0"
        self.parent.set_text(f"OUTMODE {self.id},{wanted}", f"OUTMODE? {self.id}", wanted)

    def ramp_to(self, setpoint_k: float, rate_k_per_min: float) -> None:
        """Move the setpoint from the present temperature to `setpoint_k` at `rate_k_per_min`.

        The ramp is switched off, the setpoint put at the present temperature, and only then the ramp started:
        the box would otherwise start at the old setpoint. The heater range stays as it is, and the control input
        must have an over-temperature limit.

        Parameters
        ----------
        setpoint_k : float
            Final setpoint in K, above 0, up to `max_setpoint_k`.
        rate_k_per_min : float
            Rate in K/min, from 0.1 to `max_ramp_rate_k_per_min`; the box rounds it to 0.1.

        Raises
        ------
        ValueError
            A value is outside its limits, or the control input has no valid reading in kelvin or no
            over-temperature limit; nothing was set.
        LakeShoreError
            The box refused, or shows something else afterwards.
        """
        self._check_setpoint(setpoint_k)
        within("ramp rate", rate_k_per_min, 0.1, self.parent.max_ramp_rate_k_per_min, "K/min")
        poll = self.parent.poll()
        self._loop_in_kelvin(poll)
        start_k = min(self._protected_reading(poll), self.parent.max_setpoint_k)
        off, on = (f"RAMP {self.id},{is_on},{rate_k_per_min:g}" for is_on in (0, 1))
        way = f"{off};SETP {self.id},{start_k:.4f};{on};SETP {self.id},{setpoint_k:.4f}"
        self._write_setpoint(way, start_k, setpoint_k)
        shown = self.ramp_rate_k_per_min
        if not abs(shown - rate_k_per_min) <= RATE_TOLERANCE_K_PER_MIN:
            raise LakeShoreError(f"{self.parent.name} shows {shown:g} K/min after {rate_k_per_min:g} K/min was sent")

    def acknowledge_heater_fault(self) -> None:
        """Forget the heater fault, once a person has looked at the heater."""
        self.parent.heater_faults[self.id] = HeaterStatus.OK

    @staticmethod
    def _read_pid(text: str) -> tuple[float, float, float]:
        p, i, d = numbers(text, 3)
        return p, i, d

    def _write_setpoint(self, command: str, from_k: float, to_k: float) -> None:
        """Send and accept any read-back on the way, since the box may show the moving setpoint."""
        middle_k, half_k = (from_k + to_k) / 2, abs(to_k - from_k) / 2
        self.parent.set_checked(command, f"SETP? {self.id}", middle_k, half_k + SETPOINT_TOLERANCE_K)

    def _check_setpoint(self, setpoint_k: float) -> None:
        if not 0.0 < setpoint_k <= self.parent.max_setpoint_k:
            raise ValueError(
                f"{self.parent.name}: setpoint {setpoint_k:g} K is outside 0 to {self.parent.max_setpoint_k:g} K;"
                " choose a temperature within the limit of this controller"
            )

    def _loop_in_kelvin(self, poll: Poll) -> OutputState:
        state = poll.outputs[self.id]
        if isnan(state.setpoint_k):
            units = poll.inputs[state.control_input].units if state.control_input else "no input"
            raise ValueError(
                f"{self.parent.name}: output {self.id} works on {units}, so a setpoint in kelvin would mean something"
                " else; set the input's `units` to kelvin"
            )
        return state

    def _protected_reading(self, poll: Poll) -> float:
        """Return the temperature that the output controls on; refuse if nothing would stop it from overheating."""
        control_input = poll.outputs[self.id].control_input
        if control_input is None or isnan(poll.inputs[control_input].kelvin):
            status = poll.inputs[control_input].status if control_input else "no input assigned"
            raise ValueError(
                f"{self.parent.name}: output {self.id} has no valid temperature to control on ({status!s});"
                " check the sensor before heating"
            )
        if not poll.inputs[control_input].limit_k > 0:
            raise ValueError(
                f"{self.parent.name}: input {control_input} has no over-temperature limit; set its limit_k before"
                " heating"
            )
        return poll.inputs[control_input].kelvin

    def _refuse_blind_heating(self, poll: Poll) -> None:
        state = poll.outputs[self.id]
        if state.heater_fault:
            raise ValueError(
                f"{self.parent.name}: output {self.id} reported {state.heater_fault.name}; look at the heater, then"
                " call acknowledge_heater_fault"
            )
        if state.mode not in (Mode.CLOSED_LOOP, Mode.OPEN_LOOP):
            raise ValueError(f"{self.parent.name}: output {self.id} is in mode {state.mode.name}; assign a loop first")
        if state.is_on_after_power_up:
            raise ValueError(
                f"{self.parent.name}: output {self.id} would come back on by itself after a power failure; assign it"
                " again, which takes that back"
            )
        self._protected_reading(poll)
        if state.mode is Mode.CLOSED_LOOP:
            self._check_setpoint(self._loop_in_kelvin(poll).setpoint_k)

"""One axis of an attocube ANC350: its readings, settings and closed-loop moves.

The property table stands here, the link and the three axes together in `drivers/anc350.py`. A command is a
text such as ``SET AMPLITUDE {ch} 30000``, with names as in `drivers.uc_codec.Address`.

Sources: attocube header `anc350v4_protocol.h` 1.2 (2018); order of a move from the EPICS driver (Observatory
Sciences, 2009).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntFlag
from typing import Any

from pymeasure.instruments import Channel

from drivers.uc_codec import Address

MAX_FREQUENCY_HZ = 2000  # above, only one axis may run at a time


class Anc350Error(OSError):
    """The controller refused a request or reports a fault; the message says which."""


class SensorLost(Anc350Error):
    """The position sensor does not answer, so its position is none."""


class EndOfTravel(Anc350Error):
    """The positioner stopped at an end of its travel instead of at its target."""


class AxisStatus(IntFlag):
    """Compact status word of an axis."""

    RUNNING = 0x0001
    END_OF_TRAVEL = 0x0002
    SENSOR_ERROR = 0x0100
    SENSOR_DISCONNECTED = 0x0400
    REFERENCE_VALID = 0x0800


def within(what: str, unit: str, advice: str) -> Callable[[float, tuple[float, float]], float]:
    """Return a strict validator whose message says which quantity, in which unit, and what to do."""

    def validator(value: float, limits: tuple[float, float]) -> float:
        low, high = limits
        if not low <= value <= high:
            raise ValueError(f"ANC350 {what}: {value:g} {unit} is outside {low:g} to {high:g} {unit}; {advice}.")
        return value

    return validator


def _flag(address: Address, docs: str) -> Any:
    """Return a read-only flag of an axis."""
    return Channel.measurement(f"GET {address.name} {{ch}}", docs, cast=int, get_process=bool)


def _switch(address: Address, docs: str) -> Any:
    """Return a flag of an axis that can be set."""
    get, put = f"GET {address.name} {{ch}}", f"SET {address.name} {{ch}} %d"
    return Channel.control(get, put, docs, cast=int, get_process=bool, set_process=bool, check_set_errors=True)


def _quantity(address: Address, docs: str, validator: Any, values: tuple[float, float], per_unit: int = 1) -> Any:
    """Return a quantity of an axis, sent as a whole number of 1/`per_unit` of its unit."""
    get, put = f"GET {address.name} {{ch}}", f"SET {address.name} {{ch}} %d"
    return Channel.control(
        get,
        put,
        docs,
        validator=validator,
        values=values,
        cast=int,
        get_process=lambda wire: wire if per_unit == 1 else wire / per_unit,
        set_process=lambda value: round(value * per_unit),
        check_set_errors=True,
        dynamic=True,
    )


class Axis(Channel):
    """One positioner; indices 0, 1 and 2."""

    position_nm = Channel.measurement("GET POSITION {ch}", """Measure the position in nm (int).""", cast=int)

    status = Channel.measurement(
        "GET STATUS {ch}", """Get the compact status word (AxisStatus).""", cast=int, get_process=AxisStatus
    )

    is_connected = _flag(Address.CONNECTED, """Get whether a positioner is plugged in (bool).""")
    is_moving = _flag(Address.MOVING, """Get whether it moves (bool).""")
    is_on_target = _flag(Address.ON_TARGET, """Get whether it is within `target_range_nm` of `target_nm` (bool).""")
    has_sensor_error = _flag(Address.SENSOR_ERROR, """Get whether the position sensor is in error (bool).""")
    is_at_forward_end = _flag(Address.END_OF_TRAVEL_FORWARD, """Get whether it is blocked forward (bool).""")
    is_at_backward_end = _flag(Address.END_OF_TRAVEL_BACKWARD, """Get whether it is blocked backward (bool).""")

    output_enabled = _switch(
        Address.OUTPUT_ENABLE,
        """Control whether the drive output is on (bool); the unit may clear it at an end of travel.""",
    )
    turns_off_at_end = _switch(
        Address.OFF_AT_END_OF_TRAVEL,
        """Control whether the output goes off at an end of travel (bool, firmware 4).""",
    )

    amplitude_v = _quantity(
        Address.AMPLITUDE,
        """Control the step amplitude in V (float strictly from 0 to `max_amplitude_v`).""",
        within("amplitude", "V", "cold positioners need 40 to 50 V, and more endangers the piezo"),
        (0.0, 60.0),
        per_unit=1000,
    )
    frequency_hz = _quantity(
        Address.FREQUENCY,
        """Control the step rate in Hz (int strictly from 1 to 2000).""",
        within("frequency", "Hz", "1000 Hz is usual"),
        (1, MAX_FREQUENCY_HZ),
    )
    target_nm = _quantity(
        Address.TARGET,
        """Control the target of a closed-loop move in nm (int strictly within `travel_nm`).""",
        within("target", "nm", "stay within travel_nm"),
        (0, 5_000_000),
    )
    target_range_nm = _quantity(
        Address.TARGET_RANGE,
        """Control the half-width of the window that counts as "on target", in nm (int from 500 to 1000000).""",
        within("target range", "nm", "a window below the sensor's noise is never reached"),
        (500, 1_000_000),
    )

    _is_running = Channel.setting(
        "SET RUN_TO_TARGET {ch} %d",
        """Set whether the controller drives to the target and holds it (bool).""",
        set_process=bool,
        check_set_errors=True,
    )

    def move_to(self, target_nm: float) -> None:
        """Start a closed-loop move to a position in nm; it goes on holding the target until `stop`.

        Raises
        ------
        ValueError
            The target is outside the axis's travel; nothing was sent.
        SensorLost
            The loop cannot be closed; nothing moves.
        Anc350Error
            The controller refused.
        """
        self.target_nm = target_nm
        self._sound_status()
        self.output_enabled = True
        self._is_running = True

    def stop(self) -> None:
        """Stop driving to the target (harmless when nothing runs); the output stays as it is."""
        self._is_running = False

    def has_arrived(self) -> bool:
        """Poll whether the target is reached.

        Raises
        ------
        EndOfTravel, Anc350Error
            The positioner is blocked at an end of its travel, or its output is off.
        SensorLost
            The sensor failed on the way; the controller may still be driving: call `stop`.
        """
        status = self._sound_status()
        if self.is_on_target:
            return True
        if status & AxisStatus.END_OF_TRAVEL:
            raise EndOfTravel(
                f"{self.parent.name} axis {self.id}: end of travel at {self.position_nm} nm on the way to "
                f"{self.target_nm} nm; stop, and choose a target further inside."
            )
        if not self.output_enabled:
            raise Anc350Error(f"{self.parent.name} axis {self.id}: the output went off; move again to switch it on.")
        return False

    def _sound_status(self) -> AxisStatus:
        status = self.status
        if status & (AxisStatus.SENSOR_ERROR | AxisStatus.SENSOR_DISCONNECTED):
            raise SensorLost(
                f"{self.parent.name} axis {self.id}: sensor lost (status 0x{status:04X}); "
                "check the plug and the sensor voltage before moving."
            )
        return AxisStatus(status)

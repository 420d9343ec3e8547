"""One axis of an attocube ANC350: its readings, settings, single steps and closed-loop moves.

The property table stands here, the link and the three axes together in `drivers/anc350.py`. A command is a
text such as ``SET AMPLITUDE {ch} 30000``, with names as in `drivers.uc_codec.Address`.

Sources: attocube header `anc350v4_protocol.h` 1.2 (2018); order of a move from the EPICS driver (Observatory
Sciences, 2009).
"""

from __future__ import annotations

from enum import IntFlag
from typing import Any

from pymeasure.instruments import Channel

from drivers.anc350_limits import MAX_AMPLITUDE_V, MAX_FREQUENCY_HZ, within
from drivers.uc_codec import Address

BEYOND_TRAVEL_NM = 500_000
"""A reading further out is the end of the calibration table: an open or shorted sensor, not a place."""


class Anc350Error(OSError):
    """The controller refused a request or reports a fault; the message says which."""


class SensorLost(Anc350Error):
    """The position sensor does not answer, so its position is none."""


class EndOfTravel(Anc350Error):
    """The positioner stands at an end of its travel and cannot go on."""


class AxisStatus(IntFlag):
    """Compact status word of an axis."""

    RUNNING = 0x0001
    END_OF_TRAVEL = 0x0002
    SENSOR_ERROR = 0x0100
    SENSOR_DISCONNECTED = 0x0400
    REFERENCE_VALID = 0x0800


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
    """One positioner; indices 0, 1 and 2.

    Attributes
    ----------
    travel_nm, amplitude_range_v, frequency_range_hz : tuple of float
        Lowest and highest target, amplitude and step rate; change them with `limit_travel` and `limit_drive`.
    """

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
    has_over_current = _flag(Address.OVER_CURRENT, """Get whether over-current has switched it off (bool).""")

    output_enabled = _switch(
        Address.OUTPUT_ENABLE,
        """Control whether the drive output is on (bool); the unit may clear it at an end of travel.""",
    )
    turns_off_at_end = _switch(
        Address.OFF_AT_END_OF_TRAVEL,
        """Control whether the output goes off at an end of travel (bool, firmware 4).""",
    )
    grounds_after_motion = _switch(
        Address.GROUND_AFTER_MOTION,
        """Control whether the output goes to 0 V after every motion (bool), which heats and drifts least.""",
    )

    amplitude_v = _quantity(
        Address.AMPLITUDE,
        """Control the step amplitude in V (float strictly within limits that follow the temperature).""",
        within("amplitude", "V", "cold positioners need 40 to 50 V, and more endangers the piezo"),
        (0.0, 60.0),
        per_unit=1000,
    )
    frequency_hz = _quantity(
        Address.FREQUENCY,
        """Control the step rate in Hz (int strictly from 1 to 2000, less when cold).""",
        within("frequency", "Hz", "1000 Hz is usual"),
        (1, MAX_FREQUENCY_HZ),
    )
    dc_level_v = _quantity(
        Address.DC_LEVEL,
        """Control the voltage at the piezo after a motion, in V (float strictly from 0 to 70).""",
        within("DC level", "V", "0 V lets the positioner rest"),
        (0.0, MAX_AMPLITUDE_V),
        per_unit=1000,
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

    capacitance_nf = Channel.measurement(
        "GET CAPACITANCE {ch}",
        """Measure the positioner's capacitance in nF (float), as of the last `measure_capacitance`.

        Some 100 to 1500 nF when warm and less when cold; 0 is an open cable.
        """,
        cast=int,
        get_process=lambda picofarads: picofarads / 1000,
    )

    _is_running = Channel.setting(
        "SET RUN_TO_TARGET {ch} %d",
        """Set whether the controller drives to the target and holds it (bool).""",
        set_process=bool,
        check_set_errors=True,
    )

    def __init__(self, parent: Any, id: int) -> None:  # noqa: A002, pymeasure's name
        super().__init__(parent, id)
        self.limit_travel((0, 5_000_000))
        self.limit_drive((0.0, 60.0), MAX_FREQUENCY_HZ)

    def limit_travel(self, travel_nm: tuple[float, float]) -> None:
        """Set the lowest and the highest target in nm."""
        self.travel_nm = self.target_nm_values = travel_nm

    def limit_drive(self, amplitude_range_v: tuple[float, float], highest_hz: float) -> None:
        """Set which amplitudes in V and up to which step rate in Hz the positioner may be driven."""
        self.amplitude_range_v = self.amplitude_v_values = amplitude_range_v
        self.frequency_range_hz = self.frequency_hz_values = (1, highest_hz)

    def move_to(self, target_nm: float) -> None:
        """Start a closed-loop move to a position in nm; it goes on holding the target until `stop`.

        Raises
        ------
        ValueError
            The target is outside the axis's travel; nothing was sent.
        SensorLost
            The loop cannot be closed; nothing moves.
        Anc350Error
            The drive is set beyond its limits, or the controller refused; nothing moves.
        """
        self.target_nm = target_nm
        self._sound_status()
        self.sensed_nm()
        self._check_drive()
        self.turns_off_at_end = True
        self.output_enabled = True
        self._is_running = True

    def step(self, is_forward: bool) -> None:
        """Take one step in open loop, also without a sensor; step sizes scatter and depend on the load.

        Raises
        ------
        EndOfTravel
            It is blocked in this direction already.
        Anc350Error
            The drive is set beyond its limits, or the controller refused; nothing moves.
        """
        if self.is_at_forward_end if is_forward else self.is_at_backward_end:
            direction = "forward" if is_forward else "backward"
            raise EndOfTravel(f"{self._label}: at the {direction} end of its travel; step the other way.")
        self._check_drive()
        self.output_enabled = True
        self._order(Address.STEP_FORWARD if is_forward else Address.STEP_BACKWARD, 1)

    def stop(self) -> None:
        """Stop driving to the target and running freely (harmless when nothing runs); the output stays as it is."""
        self._is_running = False
        self._order(Address.GO_FORWARD, 0)

    def measure_capacitance(self) -> None:
        """Start measuring `capacitance_nf`, which takes some seconds.

        Raises
        ------
        Anc350Error
            The axis moves; nothing was started.
        """
        if self.is_moving:
            raise Anc350Error(f"{self._label}: moving, so its capacitance cannot be measured; stop it first.")
        self._order(Address.MEASURE_CAPACITANCE, 1)

    def sensed_nm(self) -> int:
        """Return the position in nm; SensorLost if what the sensor says is no place on the travel."""
        low_nm, high_nm = self.travel_nm
        position_nm = int(self.position_nm)
        if not low_nm - BEYOND_TRAVEL_NM <= position_nm <= high_nm + BEYOND_TRAVEL_NM:
            raise SensorLost(f"{self._label}: {position_nm} nm is no place on its travel; check the sensor's wires.")
        return position_nm

    def clear_over_current(self) -> None:
        """Allow an axis that over-current has switched off to be switched on again."""
        self._order(Address.CLEAR_OVER_CURRENT, 1)

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
                f"{self._label}: end of travel at {self.position_nm} nm on the way to "
                f"{self.target_nm} nm; stop, and choose a target further inside."
            )
        if not self.output_enabled:
            if self.has_over_current:
                raise Anc350Error(f"{self._label}: over-current has switched it off; check the cable, then clear it.")
            raise Anc350Error(f"{self._label}: the output went off; move again to switch it on.")
        return False

    @property
    def _label(self) -> str:
        return f"{self.parent.name} axis {self.id}"

    def _order(self, address: Address, value: int) -> None:
        self.write(f"SET {address.name} {{ch}} {value}")
        self.check_set_errors()

    def _sound_status(self) -> AxisStatus:
        status = self.status
        if status & (AxisStatus.SENSOR_ERROR | AxisStatus.SENSOR_DISCONNECTED):
            raise SensorLost(
                f"{self._label}: sensor lost (status 0x{status:04X}); "
                "check the plug and the sensor voltage before moving."
            )
        return AxisStatus(status)

    def _check_drive(self) -> None:
        for what, unit, value, (low, high) in (
            ("amplitude", "V", self.amplitude_v, self.amplitude_range_v),
            ("frequency", "Hz", self.frequency_hz, self.frequency_range_hz),
        ):
            if not low <= value <= high:
                raise Anc350Error(
                    f"{self._label}: its {what} is {value:g} {unit}, outside {low:g} to {high:g} {unit}; set it first."
                )

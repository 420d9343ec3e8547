"""Inputs of a Lake Shore 335: readings that say when they are invalid, and the limit that protects what is heated.

Derived from pymeasure's channel of the family, so that programs written for ``LakeShore3xx`` find its names. Every
reading is asked for together with its status, because the box prints a number for an unplugged sensor too. The
inherited `wait_for_temperature` sleeps inside the driver; nothing here calls it.

Source: Lake Shore Model 335 User's Manual, chapter 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymeasure.instruments.lakeshore.lakeshore_base import LakeShoreTemperatureChannel
from pymeasure.instruments.validators import strict_discrete_set

from drivers.lakeshore335_codec import (
    NO_SENSOR_VALUE,
    NO_TEMPERATURE,
    SENSOR_TYPES,
    UNITS,
    LakeShoreError,
    ReadingStatus,
    reading,
)
from drivers.lakeshore335_text import choice, numbers, split_reply, within

if TYPE_CHECKING:
    from drivers.lakeshore335 import LakeShore335

LIMIT_TOLERANCE_K = 0.51
"""How far a limit's read-back may be from what was sent: the box rounds to 1 K."""
MAX_NAME_LENGTH = 15


class InputChannel(LakeShoreTemperatureChannel):
    """One sensor input, A or B."""

    parent: LakeShore335

    @property
    def status(self) -> ReadingStatus:
        """Get why the reading is not valid (ReadingStatus, 0 is valid)."""
        return ReadingStatus(int(self.parent.ask_number(f"RDGST? {self.id}")))

    @property
    def kelvin(self) -> float:
        """Measure the temperature in K (float, NaN without a valid reading)."""
        return self._reading("KRDG?", NO_TEMPERATURE)

    @property
    def celsius(self) -> float:
        """Measure the temperature in degree Celsius (float, NaN without a valid reading)."""
        return self._reading("CRDG?", NO_TEMPERATURE)

    @property
    def sensor(self) -> float:
        """Measure the sensor in V, ohm or mV (float, NaN without a valid reading)."""
        return self._reading("SRDG?", NO_SENSOR_VALUE)

    @property
    def sensor_type(self) -> str:
        """Get the kind of sensor ("off", "diode", "platinum", "ntc" or "thermocouple")."""
        return choice(SENSOR_TYPES, self._settings()[0])

    @property
    def units(self) -> str:
        """Control the unit of setpoints on this input ("kelvin", "celsius" or "sensor").

        It can be set only while both heaters are off, since the box reads its setpoints anew in the new unit.
        """
        return choice(UNITS, self._settings()[4] - 1)

    @units.setter
    def units(self, units: str) -> None:
        strict_discrete_set(units, UNITS)
        if any(state.heater_range != "off" for state in self.parent.poll().outputs.values()):
            raise ValueError(f"{self.parent.name}: units change only with both heaters off; call heaters_off first")
        wanted = ",".join(f"{value:.0f}" for value in (*self._settings()[:4], UNITS.index(units) + 1))
        self.parent.set_text(f"INTYPE {self.id},{wanted}", f"INTYPE? {self.id}", wanted)

    @property
    def curve(self) -> int:
        """Control the number of the calibration curve (int from 0, none, to 59).

        The box drops a curve that does not suit the sensor without an error; the read-back finds it.
        """
        return int(self.parent.ask_number(f"INCRV? {self.id}"))

    @curve.setter
    def curve(self, curve: int) -> None:
        within("curve number", curve, 0, 59, "")
        self.parent.set_checked(f"INCRV {self.id},{int(curve)}", f"INCRV? {self.id}", curve, 0.0)

    @property
    def label(self) -> str:
        """Control the name shown on the box's display (text of up to 15 characters, no quotes or semicolons)."""
        return self.parent.ask_all(f"INNAME? {self.id}")[0].strip().strip('"').rstrip()

    @label.setter
    def label(self, label: str) -> None:
        if len(label) > MAX_NAME_LENGTH or not label.isascii() or set(label) & set('";,\r\n'):
            raise ValueError(
                f"{self.parent.name}: name {label!r} must have up to {MAX_NAME_LENGTH} ASCII characters, without"
                " quotes, commas and semicolons"
            )
        self.parent.set_verified(f'INNAME {self.id},"{label}"', f"INNAME? {self.id}")
        if (shown := self.label) != label.rstrip():
            raise LakeShoreError(f"{self.parent.name} shows the name {shown!r} after {label!r} was sent")

    @property
    def limit_k(self) -> float:
        """Control the temperature in K above which the box switches all heaters off (float from 1 to 9999).

        The box calls a missing limit 0; that can be read but not set.
        """
        return self.parent.ask_number(f"TLIMIT? {self.id}")

    @limit_k.setter
    def limit_k(self, limit_k: float) -> None:
        within("over-temperature limit", limit_k, 1.0, 9999.0, "K; 0 would mean no limit")
        self.parent.set_checked(f"TLIMIT {self.id},{limit_k:.0f}", f"TLIMIT? {self.id}", limit_k, LIMIT_TOLERANCE_K)

    def _reading(self, query: str, blocking: ReadingStatus) -> float:
        def parse(reply: str) -> float:
            value, status = split_reply(reply, 2)
            return reading(value, status, blocking)

        return self.parent.exchange(f"{query} {self.id};RDGST? {self.id}", parse)

    def _settings(self) -> list[float]:
        """Return sensor type, autorange, range, compensation and units, as the box numbers them."""
        return self.parent.exchange(f"INTYPE? {self.id}", lambda reply: numbers(reply, 5))

"""Thorlabs PM100D and PM100USB power meters: pymeasure's class, with zeroing, averaging and range, and checked writes.

pymeasure's ``ThorlabsPM100USB`` asks the sensor for its kind when it is constructed and clips wavelengths that the
sensor does not have; here nothing is sent before `identify`, and what is out of range is an error. Corrections for
attenuation and beam diameter, energy ranges and the analog output are left to the front panel.

Source: Thorlabs PM100D operation manual, SCPI command reference; **not confirmed** on a meter: the commands of zeroing,
averaging and range.
"""

from __future__ import annotations

import warnings
from math import isfinite, nan
from typing import Any

from pymeasure.instruments.thorlabs import ThorlabsPM100USB

from drivers.line_instrument import LineInstrument

LARGEST_NUMBER = 9e37
"""The meter prints 9.9E+37 for a reading beyond its range."""
MAX_AVERAGING = 3000
"""Most readings that are averaged into one; a reading takes some milliseconds."""
RELATIVE_TOLERANCE = 1e-3
"""How far a read-back may be from what was sent."""


class PowerMeterError(OSError):
    """The meter reported an error, cannot measure this, or shows another setting than the one it was sent."""


class PM100D(LineInstrument, ThorlabsPM100USB):
    """A power meter with a power sensor; nothing is sent until it is asked something.

    Parameters
    ----------
    adapter : str, int or pymeasure Adapter
        VISA address or adapter.
    name : str
        Name used in messages.
    **kwargs
        For pymeasure's VISAAdapter.
    """

    silence = (
        "check its USB cable, and on Windows that its driver is the one for VISA; a long averaging needs a longer"
        " timeout"
    )

    def __init__(self, adapter: Any, name: str = "power meter", **kwargs: Any) -> None:
        kwargs.setdefault("read_termination", "\n")
        kwargs.setdefault("write_termination", "\n")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "It is not known whether this device support SCPI", FutureWarning)
            super().__init__(adapter, name, **kwargs)

    @property
    def id(self) -> str:
        """Get the identification (text)."""
        return str(self.ask("*IDN?")).strip()

    @property
    def power(self) -> float:
        """Measure the power on the sensor in W (float, averaged over `averaging` readings; may be below 0 by noise)."""
        power_w = self._number("MEAS:POW")
        if abs(power_w) > LARGEST_NUMBER:
            raise PowerMeterError(
                f"{self.name}: the power is beyond its range; choose a larger one or the automatic one"
            )
        return power_w

    @property
    def wavelength(self) -> float:
        """Control the wavelength in nm for which the sensor's response is taken (float within that of the sensor)."""
        return self._number("SENS:CORR:WAV")

    @wavelength.setter
    def wavelength(self, wavelength_nm: float) -> None:
        low_nm, high_nm = self.wavelength_min, self.wavelength_max
        self._within("wavelength", wavelength_nm, low_nm, high_nm, "nm")
        self._set("SENS:CORR:WAV", wavelength_nm)

    @property
    def averaging(self) -> int:
        """Control how many readings are averaged into one (int from 1 to 3000)."""
        return int(self._number("SENS:AVER:COUN"))

    @averaging.setter
    def averaging(self, n_readings: int) -> None:
        self._within("averaging", n_readings, 1, MAX_AVERAGING, "readings")
        self._set("SENS:AVER:COUN", int(n_readings))

    @property
    def is_range_automatic(self) -> bool:
        """Control whether the meter chooses its range (bool)."""
        return self._number("SENS:POW:RANG:AUTO") != 0

    @is_range_automatic.setter
    def is_range_automatic(self, is_automatic: bool) -> None:
        self._set("SENS:POW:RANG:AUTO", int(bool(is_automatic)))

    @property
    def range_w(self) -> float:
        """Control the range by the power in W that it must hold (float above 0); ends the automatic choice.

        The meter takes the next larger range that it has, which reads back.
        """
        return self._number("SENS:POW:RANG")

    @range_w.setter
    def range_w(self, power_w: float) -> None:
        if not 0 < power_w < LARGEST_NUMBER:
            raise ValueError(f"{self.name}: range {power_w:g} W must be above 0")
        self.write(f"SENS:POW:RANG {power_w:g}")
        shown_w = self._number("SENS:POW:RANG")
        self._raise_reported_error(f"SENS:POW:RANG {power_w:g}")
        if shown_w < power_w * (1 - RELATIVE_TOLERANCE):
            raise PowerMeterError(f"{self.name} shows a range of {shown_w:g} W after {power_w:g} W was sent")

    @property
    def zero_w(self) -> float:
        """Get the dark reading in W that is subtracted (float)."""
        return self._number("SENS:CORR:COLL:ZERO:MAGN")

    @property
    def is_zeroing(self) -> bool:
        """Get whether the meter is measuring its zero (bool)."""
        return self._number("SENS:CORR:COLL:ZERO:STAT") != 0

    def start_zeroing(self) -> None:
        """Begin to measure the zero; the sensor must be dark until `is_zeroing` is over."""
        self.write("SENS:CORR:COLL:ZERO:INIT")
        self._raise_reported_error("SENS:CORR:COLL:ZERO:INIT")

    def stop_zeroing(self) -> None:
        """End a running zeroing and keep the old zero."""
        self.write("SENS:CORR:COLL:ZERO:ABOR")
        self._raise_reported_error("SENS:CORR:COLL:ZERO:ABOR")

    def identify(self) -> str:
        """Clear old errors, learn what sensor is connected, and return the identification.

        Raises
        ------
        ConnectionError
            Another kind of box answered.
        PowerMeterError
            No sensor, or none for power, is connected.
        """
        self.discard()
        self.write("*CLS")
        identity = self.id
        if "PM100" not in identity:
            raise ConnectionError(f"{self.name}: '{identity}' answered, not a PM100; correct the address")
        try:
            super()._set_flags()
        except (OSError, IndexError, ValueError) as error:
            raise PowerMeterError(f"{self.name} knows no sensor ({error}); connect one") from error
        if not self.is_power_sensor:
            raise PowerMeterError(f"{self.name}: {self.sensor_name} is not a sensor for power; connect another one")
        return f"{identity}, {self.sensor_name}"

    def _set_flags(self) -> None:
        """Ask nothing when the object is made; `identify` does."""

    def _number(self, header: str) -> float:
        return self.exchange(f"{header}?", self._parse_number)

    def _parse_number(self, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = nan
        if not isfinite(value):
            raise ConnectionError(
                f"{self.name} answered '{text}' where a number belongs; replies are out of step: discard them and ask"
                " again"
            )
        return value

    def _set(self, header: str, value: float) -> None:
        self.write(f"{header} {value:g}")
        shown = self._number(header)
        self._raise_reported_error(f"{header} {value:g}")
        if not abs(shown - value) <= RELATIVE_TOLERANCE * abs(value):
            raise PowerMeterError(f"{self.name} shows '{header}' = {shown:g} after {value:g} was sent")

    def _raise_reported_error(self, command: str) -> None:
        error = str(self.ask("SYST:ERR?")).strip()
        if not error.lstrip("+").startswith("0,"):
            raise PowerMeterError(f"{self.name} reported {error} after '{command}'")

    def _within(self, what: str, value: float, low: float, high: float, unit: str) -> None:
        if not low <= value <= high:
            raise ValueError(f"{self.name}: {what} {value:g} is outside {low:g} to {high:g} {unit}")

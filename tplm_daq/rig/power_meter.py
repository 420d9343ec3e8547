"""A power meter on a pick-off: it knows which part of the light it sees, and measures its zero in the dark."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.pm100d import PM100D
from tplm_daq.errors import DeviceTimeout
from tplm_daq.readings import Setting
from tplm_daq.rig.links import Link
from tplm_daq.roles import Clock

FAINTEST_W = 1e-9
"""Below this a reading of the meter counts as no light, since its zero wanders by some hundred picowatts."""
ZEROING_TIMEOUT_S, ZEROING_POLL_S = 60.0, 0.5


class PowerMeter:
    """A power meter that knows which part of the light it sees.

    Parameters
    ----------
    link : Link
        Lock, name and address.
    driver : PM100D
        The meter, with wavelength and averaging set.
    sample_per_meter : float
        Power at the sample over power at the meter.
    clock : Clock
        On which zeroing is waited for.
    """

    def __init__(self, link: Link, driver: PM100D, sample_per_meter: float, clock: Clock) -> None:
        self.name, self.address = link.name, link.address
        self.faintest_nw = FAINTEST_W * 1e9 * sample_per_meter
        self._link = link
        self._driver = driver
        self._sample_per_meter = sample_per_meter
        self._clock = clock

    def power_nw(self) -> float:
        """Measure the average power at the sample in nW."""
        with self._link.exclusive():
            return self._driver.power * 1e9 * self._sample_per_meter

    def zero(self) -> None:
        """Measure the zero; the light must be out.

        Raises
        ------
        DeviceTimeout
            It has not ended in a minute.
        """
        with self._link.exclusive():
            self._driver.start_zeroing()
        due_s = self._clock.now() + ZEROING_TIMEOUT_S
        while self._is_zeroing():
            if self._clock.now() >= due_s:
                raise DeviceTimeout(
                    self.name,
                    self.address,
                    f"its zeroing has not ended after {ZEROING_TIMEOUT_S:g} s",
                    "Check that the sensor is dark while the laser is off.",
                )
            self._clock.sleep(ZEROING_POLL_S)

    def snapshot(self) -> Mapping[str, Setting]:
        """Return identity, settings and calibration."""
        with self._link.exclusive():
            return {
                "model": self._driver.identify(),
                "wavelength_nm": self._driver.wavelength,
                "averaging": self._driver.averaging,
                "zero_w": self._driver.zero_w,
                "sample_per_meter": self._sample_per_meter,
            }

    def close(self) -> None:
        """Close the connection."""
        with self._link.exclusive():
            self._driver.adapter.close()

    def _is_zeroing(self) -> bool:
        with self._link.exclusive():
            return self._driver.is_zeroing

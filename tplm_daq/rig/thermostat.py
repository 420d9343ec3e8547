"""The thermostat role played by a Lake Shore 335."""

from __future__ import annotations

import math
from collections.abc import Mapping

from drivers.lakeshore335 import LakeShore335
from tplm_daq.errors import DeviceError
from tplm_daq.recipes.devices import ThermostatDevice
from tplm_daq.recipes.rig import Limits
from tplm_daq.rig.links import Link
from tplm_daq.rig.planning import check_temperature
from tplm_daq.roles import Setting


class CryostatThermostat:
    """Reads and holds the sample temperature.

    Parameters
    ----------
    link : Link
        Lock, name and address.
    driver : LakeShore335
        The controller.
    device : ThermostatDevice
        Which input reads the sample, which output heats it.
    limits : Limits
        Lowest and highest temperature.
    """

    def __init__(self, link: Link, driver: LakeShore335, device: ThermostatDevice, limits: Limits) -> None:
        self.name, self.address = link.name, link.address
        self._link = link
        self._driver = driver
        self._device = device
        self._limits = limits

    def temperature_k(self) -> float:
        """Measure the sample temperature in K.

        Raises
        ------
        DeviceError
            The sensor gives no valid reading.
        """
        with self._link.exclusive():
            reading = self._driver.poll().inputs[self._device.input]
        if math.isnan(reading.kelvin):
            raise DeviceError(
                self.name,
                self.address,
                f"input {self._device.input} gives no temperature ({reading.status.name})",
                "Check the sensor's plug and the input's curve on the front panel.",
            )
        return reading.kelvin

    def set_temperature(self, kelvin: float) -> None:
        """Move the setpoint to a temperature in K at the rig's highest rate; the heater range stays as it is."""
        check_temperature(self._limits, kelvin)
        with self._link.exclusive():
            output = self._driver.output_1 if self._device.output == 1 else self._driver.output_2
            output.ramp_to(kelvin, self._limits.temperature_rate_k_min)

    def heaters_off(self) -> None:
        """Switch every heater off, confirmed by read-back."""
        with self._link.exclusive():
            self._driver.heaters_off()

    def snapshot(self) -> Mapping[str, Setting]:
        """Return identity, temperatures and the state of the loop."""
        with self._link.exclusive():
            identity, poll = self._driver.identify(), self._driver.poll()
        loop = poll.outputs[self._device.output]
        readings = {f"input_{name.lower()}_k": state.kelvin for name, state in poll.inputs.items()}
        return {
            "model": identity,
            **readings,
            "setpoint_k": loop.setpoint_k,
            "heater_range": loop.heater_range,
            "heater_percent": loop.heater_percent,
            "is_ramping": loop.is_ramping,
        }

    def make_safe(self) -> None:
        """Leave the temperature as it is; `heaters_off` is the policy of rigs that want it."""

    def close(self) -> None:
        """Close the connection; the controller goes on holding the temperature."""
        with self._link.exclusive():
            self._driver.adapter.close()

"""The thermostat role, played by a Lake Shore 335 or by a Montana Instruments Cryostation.

Both answer at once whether the temperature asked for is reached; waiting until it stays there is not done here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from drivers.cryostation import Cryostation
from drivers.lakeshore335 import LakeShore335
from drivers.lakeshore335_codec import OutputState, Poll
from tplm_daq.errors import DeviceError, DeviceTimeout
from tplm_daq.readings import Setting
from tplm_daq.recipes.devices import ThermostatDevice
from tplm_daq.recipes.rig import Limits
from tplm_daq.rig.links import Link
from tplm_daq.rig.planning import check_temperature
from tplm_daq.roles import Clock

SETTLED_BAND_K = 0.1
"""How near to the temperature asked for counts as reached."""
OVER_TEMPERATURE_K = 10.0
"""How far above the rig's highest temperature a controller's own limit is set, beyond any overshoot."""
TAKING_OVER_S, SETPOINT_STEP_K = 10, 0.006
"""How long a Cryostation may take to show a new set point, and how near that must come, since it has two decimals."""

Thermometer = Literal["platform", "sample", "user"]


class LakeShoreThermostat:
    """A Lake Shore 335 that reads the sample and heats it.

    Parameters
    ----------
    link : Link
        Lock, name and address.
    driver : LakeShore335
        The controller.
    device : ThermostatDevice
        Which input reads the sample, which output heats it.
    limits : Limits
        Lowest and highest temperature, and the highest rate.

    Attributes
    ----------
    ramp_k_min : float
        Rate in K/min at which a new temperature is approached.
    """

    def __init__(self, link: Link, driver: LakeShore335, device: ThermostatDevice, limits: Limits) -> None:
        self.name, self.address = link.name, link.address
        self.ramp_k_min = limits.temperature_rate_k_min
        self._link = link
        self._driver = driver
        self._device = device
        self._limits = limits
        self._target_k: float | None = None

    def temperature_k(self) -> float:
        """Measure the sample temperature in K.

        Raises
        ------
        DeviceError
            The sensor gives no valid reading, or a fault made this switch the heater off.
        """
        with self._link.exclusive():
            return self._sample_k(self._healthy_poll())

    def set_temperature(self, kelvin: float) -> None:
        """Move the setpoint to a temperature in K at `ramp_k_min`; the heater range stays as it is.

        The controller's own over-temperature limit is set before, unless it has a lower one.
        """
        check_temperature(self._limits, kelvin)
        with self._link.exclusive():
            self._protect(self._loop(self._healthy_poll()))
            self._driver.outputs[self._device.output].ramp_to(kelvin, self.ramp_k_min)
        self._target_k = kelvin

    def is_settled(self) -> bool:
        """Tell whether no ramp runs and the sample is within 0.1 K of the temperature asked for, at this moment.

        Before anything was asked for, that is the controller's setpoint.
        """
        with self._link.exclusive():
            poll = self._healthy_poll()
            loop = self._loop(poll)
            target_k = loop.setpoint_k if self._target_k is None else self._target_k
            return not loop.is_ramping and abs(self._sample_k(poll) - target_k) <= SETTLED_BAND_K

    def heaters_off(self) -> None:
        """Switch every heater off, confirmed by read-back."""
        with self._link.exclusive():
            self._driver.heaters_off()

    def snapshot(self) -> Mapping[str, Setting]:
        """Return identity, temperatures and the state of the loop."""
        with self._link.exclusive():
            identity, poll = self._driver.id, self._driver.poll()
            pid = self._driver.outputs[self._device.output].pid
        loop = self._loop(poll)
        readings = {f"input_{name.lower()}_k": state.kelvin for name, state in poll.inputs.items()}
        limits = {f"input_{name.lower()}_limit_k": state.limit_k for name, state in poll.inputs.items()}
        return {
            "model": identity,
            **readings,
            **limits,
            "setpoint_k": loop.setpoint_k,
            "ramp_rate_k_min": loop.ramp_rate_k_per_min,
            "heater_range": loop.heater_range,
            "heater_percent": loop.heater_percent,
            "heater_fault": loop.heater_fault.name,
            "is_ramping": loop.is_ramping,
            "pid": ", ".join(f"{value:g}" for value in pid),
        }

    def make_safe(self) -> None:
        """Leave the temperature as it is; `heaters_off` is the policy of rigs that want it."""

    def close(self) -> None:
        """Close the connection; the controller goes on holding the temperature."""
        with self._link.exclusive():
            self._driver.adapter.close()

    def _loop(self, poll: Poll) -> OutputState:
        return poll.outputs[self._device.output]

    def _healthy_poll(self) -> Poll:
        """Ask everything; a heater fault, or a heated loop without a temperature, switches the heater off."""
        poll = self._driver.poll()
        loop = self._loop(poll)
        is_blind = loop.control_input is not None and math.isnan(poll.inputs[loop.control_input].kelvin)
        if not loop.heater_fault and not (is_blind and loop.heater_range != "off"):
            return poll
        if loop.heater_range != "off":
            self._driver.outputs[self._device.output].heater_range = "off"
        fault = (
            f"its heater reports {loop.heater_fault.name}"
            if loop.heater_fault
            else f"input {loop.control_input}, on which it heats, gives no temperature"
        )
        raise DeviceError(
            self.name,
            self.address,
            f"output {self._device.output} is off because {fault}",
            "Look at the heater, the sensor and their cables, then start again.",
        )

    def _sample_k(self, poll: Poll) -> float:
        reading = poll.inputs[self._device.input]
        if math.isnan(reading.kelvin):
            raise DeviceError(
                self.name,
                self.address,
                f"input {self._device.input} gives no temperature ({reading.status.name})",
                "Check the sensor's plug and the input's curve on the front panel.",
            )
        return reading.kelvin

    def _protect(self, loop: OutputState) -> None:
        """Set the over-temperature limit of the input that is controlled on, unless a lower one is set."""
        if loop.control_input is None:
            return
        control = self._driver.inputs[loop.control_input]
        highest_k = math.ceil(self._limits.highest_temperature_k + OVER_TEMPERATURE_K)
        if not 0 < control.limit_k <= highest_k:
            control.limit_k = highest_k


class CryostationThermostat:
    """A Cryostation that holds the sample at its set point, which it approaches at its own rate.

    Nothing here starts or ends a cool-down; that is for a person.

    Parameters
    ----------
    link : Link
        Lock, name and address.
    driver : Cryostation
        The system.
    thermometer : str
        The one at the sample: "platform", "sample" or "user".
    limits : Limits
        Lowest and highest temperature.
    clock : Clock
        On which a new set point is waited for until the system shows it.

    Attributes
    ----------
    ramp_k_min : float
        Infinite: the set point jumps.
    """

    ramp_k_min = math.inf

    def __init__(self, link: Link, driver: Cryostation, thermometer: Thermometer, limits: Limits, clock: Clock) -> None:
        self.name, self.address = link.name, link.address
        self._link = link
        self._driver = driver
        self._thermometer = thermometer
        self._limits = limits
        self._clock = clock

    def temperature_k(self) -> float:
        """Measure the sample temperature in K.

        Raises
        ------
        DeviceError
            The thermometer gives no value.
        """
        with self._link.exclusive():
            kelvin, _ = self._sample()
        if math.isnan(kelvin):
            raise DeviceError(
                self.name,
                self.address,
                f"the {self._thermometer} thermometer gives no temperature",
                "Check its plug, or name another thermometer in the rig file.",
            )
        return kelvin

    def set_temperature(self, kelvin: float) -> None:
        """Change the set point to a temperature in K, confirmed by read-back; refused while the system has an alarm."""
        check_temperature(self._limits, kelvin)
        with self._link.exclusive():
            if self._driver.has_alarm:
                raise DeviceError(
                    self.name, self.address, "it reports an alarm", "Look at what its program says, and end it there."
                )
            self._driver.setpoint_k = kelvin
        for _ in range(TAKING_OVER_S):
            with self._link.exclusive():
                shown_k = self._driver.setpoint_k
            if abs(shown_k - kelvin) <= SETPOINT_STEP_K:
                return
            self._clock.sleep(1.0)
        raise DeviceTimeout(
            self.name,
            self.address,
            f"it shows a set point of {shown_k:g} K {TAKING_OVER_S} s after {kelvin:g} K was sent",
            "Somebody may be using its program; set the temperature there or close the other client.",
        )

    def is_settled(self) -> bool:
        """Tell whether the sample is within 0.1 K of the set point and wanders by less, at this moment."""
        with self._link.exclusive():
            kelvin, stability_k = self._sample()
            distance_k = abs(kelvin - self._driver.setpoint_k)
        return distance_k <= SETTLED_BAND_K and stability_k <= SETTLED_BAND_K

    def heaters_off(self) -> None:
        """Refuse: the protocol has no such order.

        Raises
        ------
        DeviceError
            Always.
        """
        raise DeviceError(
            self.name,
            self.address,
            "a Cryostation has no order that switches its heaters off",
            "Use its program, and write `temperature_at_end: hold` in the rig file.",
        )

    def snapshot(self) -> Mapping[str, Setting]:
        """Return identity and readings."""
        with self._link.exclusive():
            return {
                "model": self._driver.identify(),
                "platform_k": self._driver.platform_temperature_k,
                "platform_stability_k": self._driver.platform_stability_k,
                "sample_k": self._driver.sample_temperature_k,
                "user_k": self._driver.user_temperature_k,
                "setpoint_k": self._driver.setpoint_k,
                "pressure_mtorr": self._driver.pressure_mtorr,
                "has_alarm": self._driver.has_alarm,
            }

    def make_safe(self) -> None:
        """Leave the temperature as it is."""

    def close(self) -> None:
        """Close the connection; the system goes on by itself."""
        with self._link.exclusive():
            self._driver.adapter.close()

    def _sample(self) -> tuple[float, float]:
        """Return temperature and stability of the sample, in K."""
        kelvin = getattr(self._driver, f"{self._thermometer}_temperature_k")
        return kelvin, getattr(self._driver, f"{self._thermometer}_stability_k")

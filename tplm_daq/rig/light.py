"""Light: a manual laser behind a trigger generator, and a gate line as the second way to put it out.

The PDL 800-D has no computer interface: its rate is the trigger generator's, and its power is asked of the operator and
recorded as declared, or set with a wheel and a meter and recorded as measured. The light is on when the generator's
output is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime

from drivers.gate import LightGateLine
from drivers.pdl800d import PDL800D
from drivers.trigger import TriggerGenerator
from tplm_daq.errors import Aborted
from tplm_daq.readings import Setting
from tplm_daq.recipes.devices import TriggerDevice
from tplm_daq.recipes.rig import Limits
from tplm_daq.rig.attenuator import AttenuatedPower
from tplm_daq.rig.links import Link
from tplm_daq.rig.planning import check_light
from tplm_daq.rig.watchdog import LightPath
from tplm_daq.roles import Operator

TRIGGER = "trigger generator"
"""Who declares the repetition rate where nobody is asked."""
OUTPUT_OFF = "The trigger's output is off: its power failed, or the watchdog or another program has switched it off"


class TriggeredLaser:
    """A laser that a generator triggers and whose power a person sets, or a wheel with a meter.

    Parameters
    ----------
    link : Link
        Lock, name and address of the trigger generator.
    trigger : TriggerGenerator
        The generator.
    laser : PDL800D
        Record of what is declared of the laser.
    device : TriggerDevice
        Trigger levels from the rig file.
    limits : Limits
        Highest rate and power.
    operator : Operator
        Who turns the knobs.
    power : AttenuatedPower, optional
        Wheel and meter that set the power instead of the operator.
    """

    def __init__(
        self,
        link: Link,
        trigger: TriggerGenerator,
        laser: PDL800D,
        device: TriggerDevice,
        limits: Limits,
        operator: Operator,
        power: AttenuatedPower | None = None,
    ) -> None:
        self.name, self.address = link.name, link.address
        self._link = link
        self._trigger = trigger
        self._laser = laser
        self._device = device
        self._limits = limits
        self._operator = operator
        self._power = power
        self._pending_nw: float | None = None
        self._is_forbidden = False

    @property
    def light_path(self) -> LightPath:
        """How the light is put out, in literal messages."""
        return LightPath("the laser's trigger", self.address, *self._trigger.light_out_exchange)

    def check(self, repetition_rate_hz: float, average_power_nw: float) -> None:
        """Raise LimitError if the rig may not be taken there; sends nothing."""
        check_light(self._limits, repetition_rate_hz, average_power_nw)

    def prepare(self, repetition_rate_hz: float, average_power_nw: float) -> None:
        """Put the light out, set the trigger, and have the power set by hand, or by the wheel at the next `turn_on`."""
        self.check(repetition_rate_hz, average_power_nw)
        self._is_forbidden = False
        self.turn_off()
        with self._link.exclusive():
            self._trigger.set_up(repetition_rate_hz, self._device.low_v, self._device.high_v)
        if self._power is not None:
            self._pending_nw = average_power_nw
            self._declare(TRIGGER, trigger_source="external", repetition_rate_hz=repetition_rate_hz)
            return
        self._operator.set_by_hand(
            f"Set the laser to external trigger and to {average_power_nw:g} nW at the sample "
            f"with {repetition_rate_hz * 1e-6:g} MHz.",
            {"average_power_nw": average_power_nw, "repetition_rate_hz": repetition_rate_hz},
        )
        self._declare(
            self._operator.name,
            trigger_source="external",
            repetition_rate_hz=repetition_rate_hz,
            average_power_nw=average_power_nw,
        )

    def forbid(self) -> None:
        """Keep the light out until the next `prepare`: whoever is about to switch it on gets Aborted."""
        self._is_forbidden = True

    def turn_on(self) -> None:
        """Switch the trigger on, confirmed by read-back; the first time after `prepare` the wheel sets the power."""
        if self._power is None or self._pending_nw is None:
            self._switch(True)
            return
        measured_nw = self._power.set_power(self._pending_nw, self._switch, self._laser.repetition_rate_hz or math.nan)
        self._pending_nw = None
        self._declare(self._power.name, average_power_nw=measured_nw)

    def turn_off(self) -> None:
        """Switch the trigger off, confirmed by read-back."""
        self._switch(False)

    def is_on(self) -> bool:
        """Read back whether the trigger's output is on."""
        with self._link.exclusive():
            return self._trigger.is_output_on

    def average_power_nw(self) -> float:
        """Return the average power at the sample in nW as last measured, else as declared, NaN before that."""
        if self._power is not None:
            return math.nan if self._pending_nw is not None else self._power.latest_nw
        declared_nw = self._laser.average_power_nw
        return math.nan if declared_nw is None else declared_nw

    def measured_power_nw(self, max_age_s: float) -> float | None:
        """Measure the average power at the sample in nW, unless that was done less than `max_age_s` ago."""
        return None if self._power is None else self._power.power_nw(max_age_s)

    def survey_filters(self, checkpoint: Callable[[], None]) -> Mapping[int, float]:
        """Measure the power at the sample in nW behind each filter of the attenuator, as far as the limits allow."""
        if self._power is None:
            return {}
        return self._power.survey(self._limits.average_power_nw, self._switch, checkpoint)

    def explain_sync(self, sync_hz: float) -> str:
        """Return what a sync rate that is not the one set looks like; empty if nothing fits."""
        if sync_hz <= 0:
            return "" if self.is_on() else OUTPUT_OFF
        return self._laser.explain_rate(sync_hz)

    def snapshot(self) -> Mapping[str, Setting]:
        """Return the trigger's settings, what is declared of the laser, and what sets its power."""
        with self._link.exclusive():
            identity, state = self._trigger.identify(), self._trigger.state()
        return {
            "trigger_model": identity,
            "trigger_shape": state.shape,
            "repetition_rate_hz": state.frequency_hz,
            "trigger_low_v": state.low_v,
            "trigger_high_v": state.high_v,
            "trigger_load_ohm": state.load_ohm,
            "is_on": state.is_output_on,
            **{f"declared_{each.quantity}": each.value for each in self._laser.declarations},
            "declared_by": ", ".join(sorted({each.by for each in self._laser.declarations})),
            **({} if self._power is None else self._power.snapshot()),
        }

    def make_safe(self) -> None:
        """Put the light out."""
        self.turn_off()

    def close(self) -> None:
        """Close the connection; the generator keeps its state."""
        with self._link.exclusive():
            self._trigger.adapter.close()

    def _switch(self, is_on: bool) -> None:
        if is_on and self._is_forbidden:
            raise Aborted("the light was put out by hand, and stays out")
        with self._link.exclusive():
            self._trigger.is_output_on = is_on

    def _declare(self, by: str, **quantities: float | str) -> None:
        self._laser.declare(by, datetime.now().astimezone(), **quantities)


class GateLine:
    """A generator's second way to keep the light in: the laser's slow gate input.

    Parameters
    ----------
    link : Link
        Lock, name and address of the gate generator.
    driver : LightGateLine
        The generator output.
    """

    def __init__(self, link: Link, driver: LightGateLine) -> None:
        self.name, self.address = link.name, link.address
        self._link = link
        self._driver = driver

    @property
    def light_path(self) -> LightPath:
        """How the light is put out, in literal messages."""
        return LightPath("the light gate", self.address, *self._driver.light_out_exchange)

    def allow(self) -> None:
        """Let light through; the line is closed first, which sets it up if nobody has driven it yet."""
        with self._link.exclusive():
            self._driver.is_open = False
            self._driver.is_open = True

    def block(self) -> None:
        """Keep light in, confirmed by read-back."""
        with self._link.exclusive():
            self._driver.is_open = False

    def is_blocking(self) -> bool:
        """Read back whether light is kept in."""
        with self._link.exclusive():
            return not self._driver.is_open

    def snapshot(self) -> Mapping[str, Setting]:
        """Return identity and state."""
        with self._link.exclusive():
            return {
                "model": self._driver.identify(),
                "is_open": self._driver.is_open,
                "open_level_v": self._driver.open_v,
                "closed_level_v": self._driver.closed_v,
            }

    def make_safe(self) -> None:
        """Keep light in."""
        self.block()

    def close(self) -> None:
        """Close the connection; the line keeps its level."""
        with self._link.exclusive():
            self._driver.adapter.close()

"""From a connected rig to light on the sample: home, temperature, counter, laser, first look at the sync."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.acquire import guards
from tplm_daq.acquire.point import METER_S, PointSettings
from tplm_daq.acquire.waiting import Checkpoint, wait, wait_until
from tplm_daq.errors import DeviceTimeout
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.roles import Microscope

HOMING_TIMEOUT_S = 120.0
"""25 mm at the homing speed of 0.5 mm/s takes 50 s; twice that and some more."""


@dataclass(frozen=True)
class Prepared:
    """A rig ready to count: settings of all points and the kept bins' centres in ns, float64 (n_bin,)."""

    settings: PointSettings
    delay_ns: NDArray[np.float64]


def prepare(
    microscope: Microscope,
    recipe: ScanRecipe,
    rig: RigRecipe,
    checkpoint: Checkpoint,
    warn: Callable[[str], None],
) -> Prepared:
    """Bring the rig to the state in which the first point can be taken; the light is on at the end.

    Raises
    ------
    InputError, LimitError
        The recipe asks for something that this rig does not have; nothing was switched on.
    GuardStop
        The counter sees no sync, or not the one asked for.
    DeviceError, Aborted
        A device failed, or the operator ended the preparation.
    """
    light, zero_s = recipe.light, microscope.clock.now()
    delay_ns = microscope.counter.configure(recipe.counter.bin_width_ps, light.repetition_rate_hz)
    n_bins = min(math.ceil(recipe.counter.span_ns * 1e3 / recipe.counter.bin_width_ps), len(delay_ns))
    _home(microscope, checkpoint)
    if recipe.temperature_k is not None and microscope.thermostat is not None:
        microscope.thermostat.set_temperature(recipe.temperature_k)
    microscope.laser.prepare(light.repetition_rate_hz, light.average_power_nw)
    settings = PointSettings(
        repetition_rate_hz=light.repetition_rate_hz,
        n_bins=n_bins,
        settle_s=rig.policies.settle_s,
        is_light_kept_on=light.between_points == "on",
        temperature_k=recipe.temperature_k,
        guards=rig.guards,
        zero_s=zero_s,
    )
    if microscope.gate is not None:
        microscope.gate.allow()
    microscope.laser.turn_on()
    wait(microscope.clock, 3 * METER_S, checkpoint)
    rates = microscope.counter.rates()
    verdicts = [
        guards.judge_detector(rates, rig.guards),
        guards.judge_sync(rates, light.repetition_rate_hz, rig.guards),
    ]
    guards.heed(verdicts, warn)
    return Prepared(settings, delay_ns[:n_bins])


def _home(microscope: Microscope, checkpoint: Checkpoint) -> None:
    detector = microscope.detector
    if detector.is_homed():
        return
    detector.home()
    if not wait_until(microscope.clock, detector.is_homed, HOMING_TIMEOUT_S, METER_S, checkpoint):
        raise DeviceTimeout(
            detector.name,
            detector.address,
            f"the reference run has not ended after {HOMING_TIMEOUT_S:g} s",
            "Check that the actuators turn; a new controller wants its stage type set once with the maker's program",
        )

"""From a connected rig to light on the sample: home, temperature, counter, laser, first look at the sync."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.acquire import guards
from tplm_daq.acquire.events import Listener, Step
from tplm_daq.acquire.point import PointSettings
from tplm_daq.acquire.waiting import Checkpoint, wait, wait_until
from tplm_daq.acquire.watch import LIGHT_SETTLES_S, METER_S
from tplm_daq.errors import DeviceTimeout
from tplm_daq.recipes.align import AlignRecipe
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.roles import Clock, Microscope, SampleStage, Thermostat

HOMING_TIMEOUT_S = 120.0
"""25 mm at the homing speed of 0.5 mm/s takes 50 s; twice that and some more."""
HOMING_POLL_S = 0.5
TEMPERATURE_POLL_S = 5.0
STAGE_TIMEOUT_S = 120.0
"""5 mm at some 50 um/s take 100 s."""


@dataclass(frozen=True)
class Prepared:
    """A rig ready to count: settings of all points and the kept bins' centres in ns, float64 (n_bin,)."""

    settings: PointSettings
    delay_ns: NDArray[np.float64]


def prepare(
    microscope: Microscope,
    recipe: ScanRecipe | AlignRecipe,
    rig: RigRecipe,
    checkpoint: Checkpoint,
    tell: Listener,
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
    tell(Step("setting up the counter", is_lit=False))
    counting = recipe.counter
    delay_ns = microscope.counter.configure(
        counting.bin_width_ps, light.repetition_rate_hz, counting.mode, counting.keep_words
    )
    n_bins = min(math.ceil(recipe.counter.span_ns * 1e3 / recipe.counter.bin_width_ps), len(delay_ns))
    _home(microscope, checkpoint, tell)
    if recipe.temperature_k is not None and microscope.thermostat is not None:
        reach_temperature(microscope.clock, microscope.thermostat, recipe.temperature_k, rig, checkpoint, tell)
    if recipe.spot_nm is not None and microscope.stage is not None:
        tell(Step("moving the sample", is_lit=False))
        move_sample(microscope.clock, microscope.stage, recipe.spot_nm, checkpoint)
    if recipe.detection_filter is not None and microscope.detection_filter is not None:
        microscope.detection_filter.select(recipe.detection_filter)
    tell(Step("setting rate and power of the laser", is_lit=False))
    microscope.laser.prepare(light.repetition_rate_hz, light.average_power_nw)
    settings = PointSettings(
        repetition_rate_hz=light.repetition_rate_hz,
        average_power_nw=light.average_power_nw,
        n_bins=n_bins,
        settle_s=rig.policies.settle_s,
        is_light_kept_on=light.between_points == "on",
        temperature_k=recipe.temperature_k,
        guards=rig.guards,
        zero_s=zero_s,
        has_words=counting.mode == "t3",
    )
    if microscope.gate is not None:
        microscope.gate.allow()
    tell(Step("light on, looking at the sync", is_lit=True))
    microscope.laser.turn_on()
    wait(microscope.clock, LIGHT_SETTLES_S, checkpoint)
    rates = microscope.counter.rates()
    verdicts = [
        guards.judge_detector(rates, rig.guards),
        guards.judge_sync(rates, light.repetition_rate_hz, rig.guards, microscope.laser.explain_sync),
    ]
    checkpoint()  # a watchdog that has put the light out is the cause of whatever the guards see
    guards.heed(verdicts, tell)
    return Prepared(settings, delay_ns[:n_bins])


def move_sample(clock: Clock, stage: SampleStage, spot_nm: tuple[float, float], checkpoint: Checkpoint) -> None:
    """Bring a spot of the sample, stage x and y in nm, under the objective; the focus stays.

    Raises
    ------
    DeviceError, LimitError, Aborted
        As for `place_sample`.
    """
    place_sample(clock, stage, (*spot_nm, stage.position_nm()[2]), checkpoint)


def place_sample(
    clock: Clock, stage: SampleStage, place_nm: tuple[float, float, float], checkpoint: Checkpoint
) -> None:
    """Bring the stage to x, y and z in nm.

    Raises
    ------
    DeviceTimeout
        The stage did not get there; the message says where it is.
    DeviceError, LimitError, Aborted
        The stage failed or refused, or the operator ended the wait.
    """
    stage.move_to(*place_nm)
    if not wait_until(clock, stage.has_arrived, STAGE_TIMEOUT_S, METER_S, checkpoint):
        reached_nm = stage.position_nm()
        stage.stop()
        raise DeviceTimeout(
            stage.name,
            stage.address,
            f"asked to move to {_shown(place_nm)}, it is at {_shown(reached_nm)} after {STAGE_TIMEOUT_S:g} s",
            "Check amplitude and capacitance of its axes",
        )


def reach_temperature(
    clock: Clock,
    thermostat: Thermostat,
    wanted_k: float,
    rig: RigRecipe,
    checkpoint: Checkpoint,
    tell: Listener,
) -> None:
    """Set a temperature and wait until it has stayed in its band for as long as the rig file asks.

    Raises
    ------
    DeviceTimeout
        It did not get there in time; the message says how far it came.
    DeviceError, LimitError, Aborted
        The thermostat failed or refused, or the operator ended the wait.
    """
    band_k, policies = rig.guards.temperature_band_k, rig.policies
    thermostat.set_temperature(wanted_k)
    due_s = clock.now() + policies.temperature_timeout_s
    in_band_since_s = math.inf
    while True:
        measured_k = thermostat.temperature_k()
        tell(Step(f"approaching {wanted_k:g} K, it is at {measured_k:.1f} K", is_lit=False))
        now_s = clock.now()
        is_in_band = abs(measured_k - wanted_k) <= band_k and thermostat.is_settled()
        in_band_since_s = min(in_band_since_s, now_s) if is_in_band else math.inf
        if now_s - in_band_since_s >= policies.temperature_settle_s:
            return
        if now_s >= due_s:
            raise DeviceTimeout(
                thermostat.name,
                thermostat.address,
                f"{wanted_k:g} K was not reached and held for {policies.temperature_settle_s:g} s within "
                f"{policies.temperature_timeout_s:g} s; it is at {measured_k:.3f} K (band {band_k:g} K)",
                "Check heater range and cooling, or give policies.temperature_timeout more time in the rig file",
            )
        wait(clock, TEMPERATURE_POLL_S, checkpoint)


def _home(microscope: Microscope, checkpoint: Checkpoint, tell: Listener) -> None:
    detector = microscope.detector
    if detector.is_homed():
        return
    tell(Step("reference run of the detector", is_lit=False))
    detector.home()
    if not wait_until(microscope.clock, detector.is_homed, HOMING_TIMEOUT_S, HOMING_POLL_S, checkpoint):
        raise DeviceTimeout(
            detector.stragglers(),
            detector.address,
            f"the reference run has not ended after {HOMING_TIMEOUT_S:g} s",
            "Check that the actuators turn; a new controller wants its stage type set once with the maker's program",
        )


def _shown(place_nm: tuple[float, float, float]) -> str:
    return "x {:.0f} nm, y {:.0f} nm, z {:.0f} nm".format(*place_nm)

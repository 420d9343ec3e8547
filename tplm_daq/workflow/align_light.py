"""The procedures that calibrate the light: densities of filters, and the power at the sample behind each of them."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from typing import NamedTuple

import numpy as np

from tplm_daq.acquire.passes import Pass
from tplm_daq.errors import FitError
from tplm_daq.recipes.align import FilterAlignment, PowerAlignment
from tplm_daq.workflow.align_steps import Findings, Place, Ready, Steps, Visit, look_for_centre, visits_of

CLEAR = 3.0
"""Standard errors by which the light behind a filter must exceed the background."""


class Brightness(NamedTuple):
    """How much light there is behind a filter, in any unit, and its standard error."""

    value: float
    error: float


def measure_filters(ready: Ready, recipe: FilterAlignment) -> Steps:
    """Step the attenuator under the power meter, then the wheel at the detector at the centre of the spot."""
    attenuator, detection = ready.rig.devices.attenuator, ready.rig.devices.detection_filter
    values: dict[str, float] = {}
    measured: dict[str, list[float]] = {"position": [], "is_at_detector": [], "brightness": [], "brightness_error": []}
    if attenuator is not None:
        powers_nw = ready.microscope.laser.survey_filters(ready.checkpoint)
        behind = {position: Brightness(power_nw, 0.0) for position, power_nw in powers_nw.items()}
        values |= _densities("attenuator_density", behind, attenuator.densities)
        _write_down(measured, behind, is_at_detector=False)
    if detection is not None:
        behind = yield from _look_through_filters(ready, recipe)
        values |= _densities("detection_density", behind, detection.known_densities)
        _write_down(measured, behind, is_at_detector=True)
    if not values:
        raise FitError("behind no filter is there light to be measured. Check the laser, and the power of the recipe.")
    return Findings(values, {name: tuple(column) for name, column in measured.items()})


def measure_power(ready: Ready, recipe: PowerAlignment) -> Steps:
    """Step the attenuator under the power meter, then count at the centre of the spot with the recipe's power."""
    laser = ready.microscope.laser
    powers_nw = laser.survey_filters(ready.checkpoint)
    if not powers_nw:
        raise FitError("the power meter sees light behind no filter. Check that the laser emits and the gate opens.")
    centre_nm = yield from look_for_centre(recipe.centre_nm, recipe.half_width_nm)
    (visit,) = yield visits_of(np.array([centre_nm]), recipe.dwell_s)
    n_counts, power_nw = int(visit.counts.sum()), laser.average_power_nw()
    values = {f"power_{position}_nw": each for position, each in sorted(powers_nw.items())}
    values |= {
        "repetition_rate_hz": recipe.light.repetition_rate_hz,
        "rate_cps_nw": n_counts / visit.row.live_s / power_nw,
        "rate_error_cps_nw": math.sqrt(max(n_counts, 1)) / visit.row.live_s / power_nw,
    }
    positions, measured_nw = zip(*sorted(powers_nw.items()), strict=True)
    return Findings(values, {"position": tuple(map(float, positions)), "power_nw": measured_nw})


def _look_through_filters(ready: Ready, recipe: FilterAlignment) -> Generator[Pass, list[Visit], dict[int, Brightness]]:
    """Count at the centre of the spot and far from it behind each filter, and put back the one that was there."""
    wheel = ready.microscope.detection_filter
    assert wheel is not None
    before, found = wheel.selected(), dict[int, Brightness]()
    x_nm, y_nm = yield from look_for_centre(recipe.centre_nm, recipe.half_width_nm)
    places: list[Place] = [(x_nm, y_nm), (x_nm + recipe.distance_nm, y_nm)]
    for position, name in enumerate(wheel.filters(), start=1):
        wheel.select(name)
        here, far = yield visits_of(np.array(places), recipe.dwell_s)
        n_here, n_far = int(here.counts.sum()), int(far.counts.sum())
        light_cps = n_here / here.row.live_s - n_far / far.row.live_s
        error_cps = math.hypot(math.sqrt(max(n_here, 1)) / here.row.live_s, math.sqrt(max(n_far, 1)) / far.row.live_s)
        if light_cps > CLEAR * error_cps:
            found[position] = Brightness(light_cps, error_cps)
    wheel.select(before)
    return found


def _densities(name: str, behind: Mapping[int, Brightness], believed: tuple[float, ...]) -> dict[str, float]:
    """Return densities relative to the brightest filter, whose own is believed, with their errors where known."""
    if not behind:
        return {}
    brightest = max(behind, key=lambda position: behind[position].value)
    full, values = behind[brightest], dict[str, float]()
    for position, light in sorted(behind.items()):
        relative_error = math.hypot(full.error / full.value, light.error / light.value)
        values[f"{name}_{position}"] = believed[brightest - 1] + math.log10(full.value / light.value)
        if relative_error:
            values[f"{name}_{position}_error"] = 0.0 if position == brightest else relative_error / math.log(10.0)
    return values


def _write_down(measured: Mapping[str, list[float]], behind: Mapping[int, Brightness], is_at_detector: bool) -> None:
    for position, light in sorted(behind.items()):
        row = {"position": position, "is_at_detector": is_at_detector, "brightness": light.value}
        for column, value in (row | {"brightness_error": light.error}).items():
            measured[column].append(float(value))

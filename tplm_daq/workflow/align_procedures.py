"""The alignment procedures: they read downwards like the instructions for a person who has to do it by hand."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from tplm_daq.acquire.path import Extent
from tplm_daq.acquire.waiting import wait
from tplm_daq.acquire.watch import LIGHT_SETTLES_S, METER_S
from tplm_daq.analysis.alignment import FocusFit, fit_edge, fit_focus, fit_steps
from tplm_daq.analysis.gaussian_spot import SpotFit, fit_line, fit_raster
from tplm_daq.errors import FitError
from tplm_daq.recipes.align import (
    AlignRecipe,
    DarkAlignment,
    FilterAlignment,
    FocusAlignment,
    MagnificationAlignment,
    PowerAlignment,
    ResponseAlignment,
    SpotAlignment,
)
from tplm_daq.workflow.align_light import measure_filters, measure_power
from tplm_daq.workflow.align_steps import (
    Findings,
    Ready,
    Steps,
    Visit,
    back_in_vain,
    columns,
    light,
    look_for_centre,
    put_stage,
    raster,
    visits_of,
    where_stage_is,
)

FOLLOWING_IMAGE = "image that follows the stage (a film's stays with the laser)"
FEWEST_HEIGHTS = 4
"""One more than a parabola has parameters."""


def procedure(ready: Ready, recipe: AlignRecipe) -> Steps:
    """Return the procedure of a recipe, ready to be walked."""
    match recipe:
        case SpotAlignment():
            return find_spot(ready, recipe)
        case FocusAlignment():
            return find_focus(ready, recipe)
        case ResponseAlignment():
            return measure_response(ready, recipe)
        case DarkAlignment():
            return measure_dark(ready, recipe)
        case MagnificationAlignment():
            return measure_magnification(ready, recipe)
        case FilterAlignment():
            return measure_filters(ready, recipe)
        case PowerAlignment():
            return measure_power(ready, recipe)


def find_spot(ready: Ready, recipe: SpotAlignment) -> Steps:
    """Find the spot with a coarse raster, then its shape with a fine one around it."""
    pixel_nm = ready.optics.pixel_nm
    coarse = yield raster(recipe.centre_nm, recipe.half_width_nm, recipe.n_positions, recipe.dwell_s)
    rough = fit_raster(*light(coarse), pixel_nm)
    centre_nm = (rough.centre_nm[0], rough.centre_nm[1])
    fine = yield raster(centre_nm, recipe.fine_half_width_nm, recipe.n_fine, recipe.fine_dwell_s)
    spot = fit_raster(*light(fine), pixel_nm)
    values = {
        "x_nm": spot.centre_nm[0],
        "x_error_nm": spot.centre_error_nm[0],
        "y_nm": spot.centre_nm[1],
        "y_error_nm": spot.centre_error_nm[1],
        "ellipticity": spot.ellipticity,
        "ellipticity_error": spot.ellipticity_error,
        "tilt_deg": spot.tilt_deg,
        "tilt_error_deg": spot.tilt_error_deg,
    }
    return Findings(values | _look(spot), columns([*coarse, *fine]))


def find_focus(ready: Ready, recipe: FocusAlignment) -> Steps:
    """Find the height at which the spot is narrowest, take the sample there, and look at the spot once more."""
    x_nm, y_nm, z_nm = where_stage_is(ready)
    centre_nm = yield from look_for_centre(recipe.centre_nm, recipe.half_width_nm)
    line_nm = Extent("x", recipe.half_width_nm, recipe.n_positions).positions(centre_nm)
    seen: list[tuple[float, SpotFit]] = []
    with back_in_vain(ready, (x_nm, y_nm, z_nm)):
        for height_nm in z_nm + np.linspace(-recipe.half_range_nm, recipe.half_range_nm, recipe.n_heights):
            put_stage(ready, (x_nm, y_nm, float(height_nm)))
            reached_nm = where_stage_is(ready)[2]
            visits = yield visits_of(line_nm, recipe.dwell_s)
            with suppress(FitError):
                seen.append((reached_nm, _line_spot(ready, visits)))
        focus, measured = _narrowest(seen)
    put_stage(ready, (x_nm, y_nm, focus.z_nm))
    reached_nm = where_stage_is(ready)[2]
    visits = yield visits_of(line_nm, recipe.dwell_s)
    values = {
        "z_nm": focus.z_nm,
        "z_error_nm": focus.z_error_nm,
        "reached_z_nm": reached_nm,
        "depth_nm": focus.depth_nm,
        "smallest_sigma_nm": focus.sigma_nm,
    }
    return Findings(values | _look(_line_spot(ready, visits)), measured)


def measure_response(ready: Ready, recipe: ResponseAlignment) -> Steps:
    """Count at the centre of the spot and fit the rising edge of the decay."""
    centre_nm = yield from look_for_centre(recipe.centre_nm, recipe.half_width_nm)
    (visit,) = yield visits_of(np.array([centre_nm]), recipe.dwell_s)
    edge = fit_edge(
        visit.counts,
        ready.prepared.delay_ns,
        visit.row.live_s,
        recipe.light.repetition_rate_hz,
        ready.microscope.counter.dead_time_ns,
        recipe.window_ns,
    )
    values = {
        "t0_ns": edge.t0_ns,
        "t0_error_ns": edge.t0_error_ns,
        "response_fwhm_ns": edge.response_fwhm_ns,
        "response_fwhm_error_ns": edge.response_fwhm_error_ns,
        # Shorter than the film's lifetime, because light spreads away from the centre.
        "decay_at_centre_ns": edge.lifetime_ns,
    }
    curve = {"delay_ns": edge.delay_ns, "counts": edge.counts, "model": edge.model}
    return Findings(values, {name: tuple(column.tolist()) for name, column in curve.items()})


def measure_dark(ready: Ready, recipe: DarkAlignment) -> Steps:
    """Read the rate meter with the light out, then count with light, far from the spot."""
    clock, laser, counter = ready.microscope.clock, ready.microscope.laser, ready.microscope.counter
    laser.turn_off()
    wait(clock, LIGHT_SETTLES_S, ready.checkpoint)
    readings = []
    for _ in range(max(round(recipe.dwell_s / METER_S), 2)):
        wait(clock, METER_S, ready.checkpoint)
        readings.append(counter.rates().input_cps)
    laser.turn_on()
    wait(clock, LIGHT_SETTLES_S, ready.checkpoint)
    x_nm, y_nm = recipe.centre_nm
    far = yield visits_of(
        np.array([[x_nm - recipe.distance_nm, y_nm], [x_nm + recipe.distance_nm, y_nm]]), recipe.dwell_s
    )
    dark_cps, time_s = float(np.mean(readings)), METER_S * len(readings)
    counts, live_s = sum(int(visit.counts.sum()) for visit in far), sum(visit.row.live_s for visit in far)
    period_s = 1.0 / recipe.light.repetition_rate_hz
    recorded = len(ready.prepared.delay_ns) * recipe.counter.bin_width_ps * 1e-12 / period_s
    values = {
        "dark_cps": dark_cps,
        "dark_error_cps": float(np.sqrt(max(dark_cps * time_s, 1.0)) / time_s),
        "background_cps": counts / live_s / recorded,
        "background_error_cps": float(np.sqrt(max(counts, 1)) / live_s / recorded),
    }
    return Findings(values, {"dark_cps": tuple(readings)})


def measure_magnification(ready: Ready, recipe: MagnificationAlignment) -> Steps:
    """Take the stage to places along x and along y, and see where the image goes."""
    x_nm, y_nm, z_nm = where_stage_is(ready)
    start_nm = yield from look_for_centre(recipe.centre_nm, recipe.half_width_nm)
    stages, images = [], []
    with back_in_vain(ready, (x_nm, y_nm, z_nm)):
        for axes in ("xy", "yx"):
            for way_nm in np.linspace(-recipe.half_range_nm, recipe.half_range_nm, recipe.n_steps).tolist():
                put_stage(ready, (x_nm + way_nm, y_nm, z_nm) if axes == "xy" else (x_nm, y_nm + way_nm, z_nm))
                stage_nm = where_stage_is(ready)[:2]
                expected_nm = (start_nm[0] + stage_nm[0] - x_nm, start_nm[1] + stage_nm[1] - y_nm)
                found_nm = yield from look_for_centre(
                    expected_nm, recipe.half_width_nm, recipe.dwell_s, axes, FOLLOWING_IMAGE
                )
                stages.append(stage_nm)
                images.append(found_nm)
        steps = fit_steps(np.array(stages), np.array(images))
    put_stage(ready, (x_nm, y_nm, z_nm))
    values = {
        "magnification_x": ready.optics.magnification_x * steps.ratio_x,
        "magnification_x_error": ready.optics.magnification_x * steps.ratio_x_error,
        "magnification_y": ready.optics.magnification_y * steps.ratio_y,
        "magnification_y_error": ready.optics.magnification_y * steps.ratio_y_error,
        "rotation_deg": steps.rotation_deg,
    }
    names = ("stage_x_nm", "stage_y_nm", "image_x_nm", "image_y_nm")
    places_nm = np.hstack([stages, images]).T.tolist()
    return Findings(values, {name: tuple(column) for name, column in zip(names, places_nm, strict=True)})


def _narrowest(seen: Sequence[tuple[float, SpotFit]]) -> tuple[FocusFit, dict[str, tuple[float, ...]]]:
    """Return the focus of spots seen at heights in nm, and what it was found from."""
    if len(seen) < FEWEST_HEIGHTS:
        raise FitError(
            f"a spot stands out at {len(seen)} heights, and {FEWEST_HEIGHTS} are needed to find the focus. "
            "Give a smaller half_range, a larger half_width or more dwell."
        )
    heights_nm = np.array([height_nm for height_nm, _ in seen])
    variances_nm2 = np.array([spot.variance_nm2 for _, spot in seen])
    errors_nm2 = np.array([spot.variance_error_nm2 for _, spot in seen])
    measured = {"z_nm": heights_nm, "variance_nm2": variances_nm2, "variance_error_nm2": errors_nm2}
    measured["peak_cps"] = np.array([spot.peak_cps for _, spot in seen])
    focus = fit_focus(heights_nm, variances_nm2, errors_nm2)
    return focus, {name: tuple(column.tolist()) for name, column in measured.items()}


def _line_spot(ready: Ready, visits: Sequence[Visit]) -> SpotFit:
    """Return the spot on a line along x."""
    position_nm, counts, live_s = light(visits)
    return fit_line(position_nm[:, 0], counts, live_s, ready.optics.pixel_nm[0])


def _look(spot: SpotFit) -> dict[str, float]:
    """Return how wide and how bright a spot is, and on what level: that holds the broad light of late delays, too."""
    return {"sigma_nm": spot.sigma_nm, "peak_cps": spot.peak_cps, "level_cps": spot.background_cps}

"""What a scan will take and give: visits, time, light, count rate, precision of D. Nothing is opened for it.

The visits are those of the alignment and of the planner that the scan itself uses; the spot is taken to be where the
recipe says, or on the optical axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tplm_daq.acquire.passes import PlannedPoint, UpAndDown
from tplm_daq.acquire.path import line_positions
from tplm_daq.acquire.watch import METER_S
from tplm_daq.analysis.design import PlannedScan, expected_scan, expected_standard_error
from tplm_daq.analysis.models import pixel_profile
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import LinePath, ScanRecipe
from tplm_daq.rig.planning import AxisTravel, travels
from tplm_daq.workflow.align import ALIGNMENT_PASS, DWELL_S, N_POSITIONS

DIFFUSIVITIES_CM2_S = (0.01, 0.05, 0.15)
"""For which the precision is predicted: the range of Science Advances 10, eadj2630 (2024)."""

SIMULATED_RATE_CPS_NW = 2000.0
"""Of the simulated sample with brightness 1, at the centre of the spot on the reference pixel."""
REFERENCE_PIXEL_NM = 50_000.0 / 495.0
"""Pixel for which the simulated rate holds: 50 um behind a magnification of 495."""

READ_OUT_S = 0.02
"""What a point takes beside move, settling and dwell: polls and replies (measured on the simulated rig)."""

BYTES_PER_BIN = 0.5
"""Room that a compressed bin takes at most on the disk (measured: 0.05 to 0.3 for decays)."""

DEFAULT_RESPONSE_PS = 80.0
"""Response assumed where the rig file gives none (single-photon avalanche diode and picosecond diode laser)."""


@dataclass(frozen=True)
class Duration:
    """How long a scan takes from the first move to the last point.

    Attributes
    ----------
    scan_s : float
        Alignment and all points, without a reference run.
    homing_s : float
        What a reference run adds at most, if the actuators need one.
    light_s : float
        Time for which the sample is under light.
    """

    scan_s: float
    homing_s: float
    light_s: float


def centre_of(path: LinePath) -> tuple[float, float]:
    """Return x and y in nm of the point through which the path is taken to run."""
    along_nm = 0.0 if path.centre_nm == "auto" else path.centre_nm
    return (along_nm, 0.0) if path.axis == "x" else (0.0, along_nm)


def visits(recipe: ScanRecipe) -> Iterator[PlannedPoint]:
    """Yield every point that will be visited: those of the alignment, then those of the scan."""
    path, centre_nm = recipe.path, centre_of(recipe.path)
    along = "xy".index(path.axis)
    for axis in [1 - along, along] if path.centre_nm == "auto" else [1 - along]:
        for i, offset_nm in enumerate(np.linspace(-path.half_width_nm, path.half_width_nm, N_POSITIONS)):
            place_nm = list(centre_nm)
            place_nm[axis] += float(offset_nm)
            yield PlannedPoint(ALIGNMENT_PASS, i, place_nm[0], place_nm[1], DWELL_S)
    planner = UpAndDown(line_positions(path, centre_nm), recipe.passes.dwell_per_point_s, recipe.passes.n_passes)
    while (points := planner.next_pass(None)) is not None:
        yield from points


def duration(recipe: ScanRecipe, rig: RigRecipe) -> Duration:
    """Return how long a scan will take on a rig; the first move is taken to begin at the reference position."""
    x, y = travels(rig).values()
    is_light_kept_on = recipe.light.between_points == "on"
    light_lead_s = 0.0 if is_light_kept_on else 2 * METER_S
    scan_s = light_s = 3 * METER_S
    place_nm = None
    for point in visits(recipe):
        if place_nm is None:
            move_s = max(x.first_move_s(point.x_nm), y.first_move_s(point.y_nm))
        else:
            move_s = max(_move_s(x, place_nm[0], point.x_nm), _move_s(y, place_nm[1], point.y_nm))
        under_light_s = light_lead_s + point.dwell_s
        scan_s += move_s + rig.policies.settle_s + under_light_s + READ_OUT_S
        light_s += under_light_s
        place_nm = (point.x_nm, point.y_nm)
    homing_s = max(x.homing_time_s(), y.homing_time_s())
    return Duration(scan_s, homing_s, scan_s if is_light_kept_on else light_s)


def expected_peak_cps(recipe: ScanRecipe, rig: RigRecipe) -> float | None:
    """Return the count rate to expect at the centre of the spot; None if the rig file does not tell."""
    optics = rig.optics
    if optics.expected_rate_cps_nw is not None:
        return optics.expected_rate_cps_nw * recipe.light.average_power_nw
    if rig.simulation is None:
        return None
    share = 1.0
    for pixel_nm in optics.pixel_nm:
        share *= _caught(pixel_nm, optics.sigma0_nm) / _caught(REFERENCE_PIXEL_NM, optics.sigma0_nm)
    return SIMULATED_RATE_CPS_NW * rig.simulation.brightness * share * recipe.light.average_power_nw


def planned_scan(recipe: ScanRecipe, rig: RigRecipe, peak_cps: float) -> PlannedScan:
    """Return the scan as the analysis will see it."""
    path, optics = recipe.path, rig.optics
    along_nm = np.linspace(-path.half_width_nm, path.half_width_nm, path.n_positions)
    pixel_nm = optics.pixel_nm if path.axis == "x" else optics.pixel_nm[::-1]
    return PlannedScan(
        position_nm=along_nm,
        dwell_s=np.full(path.n_positions, recipe.passes.dwell_per_point_s * recipe.passes.n_passes),
        pixel_nm=(pixel_nm[0], pixel_nm[1]),
        sigma0_nm=optics.sigma0_nm,
        peak_cps=peak_cps,
        repetition_rate_hz=recipe.light.repetition_rate_hz,
        response_fwhm_ns=(optics.response_fwhm_ps or DEFAULT_RESPONSE_PS) * 1e-3,
        bin_width_ns=_n_summed(recipe) * recipe.counter.bin_width_ps * 1e-3,
        window_ns=recipe.analysis.window_ns,
    )


def relative_errors(plan: PlannedScan) -> dict[float, float]:
    """Return the standard error of D relative to D, by D in cm2/s.

    Raises
    ------
    FitError
        The scan does not determine D.
    """
    return {d_cm2_s: expected_standard_error(plan, d_cm2_s) / d_cm2_s for d_cm2_s in DIFFUSIVITIES_CM2_S}


def fullest_bin(recipe: ScanRecipe, plan: PlannedScan) -> float:
    """Return the counts to expect in the fullest bin of one point."""
    likelihood, _ = expected_scan(plan, DIFFUSIVITIES_CM2_S[0])
    return float(likelihood.counts[:, :-1].max()) / _n_summed(recipe) / recipe.passes.n_passes


def _n_summed(recipe: ScanRecipe) -> int:
    """Return how many recorded bins the analysis sums."""
    return max(round(recipe.analysis.bin_width_ns * 1e3 / recipe.counter.bin_width_ps), 1)


def _move_s(axis: AxisTravel, from_nm: float, to_nm: float) -> float:
    return 0.0 if from_nm == to_nm else axis.move_time_s(from_nm, to_nm)


def _caught(pixel_nm: float, sigma_nm: float) -> float:
    """Return the light of a line of unit height that a pixel at the centre catches, in nm."""
    return float(pixel_profile(np.zeros(1), 0.0, sigma_nm**2, pixel_nm).value[0]) * pixel_nm

"""What is known of a scan before it runs: count rate, the line as the analysis will see it, what visits cost.

How passes follow from this is in `tplm_daq.workflow.precision`, and what becomes of the whole scan in
`tplm_daq.workflow.rehearsal`. Nothing is opened for it; the spot is taken to be where the recipe says, or on the
optical axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tplm_daq.acquire.passes import Itinerary, Pass, PlannedPoint
from tplm_daq.acquire.path import scan_positions
from tplm_daq.acquire.watch import METER_S
from tplm_daq.analysis.design import PlannedScan, expected_scan
from tplm_daq.analysis.models import pixel_profile
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.rig.planning import AxisTravel, travels

FloatArray = NDArray[np.float64]

DIFFUSIVITIES_CM2_S = (0.01, 0.05, 0.15)
"""For which the precision is predicted: the range of Science Advances 10, eadj2630 (2024)."""

SIMULATED_RATE_CPS_NW = 2000.0
"""Of the simulated sample with brightness 1, at the centre of the spot on the reference pixel."""
REFERENCE_PIXEL_NM = 50_000.0 / 495.0
"""Pixel for which the simulated rate holds: 50 um behind a magnification of 495."""

READ_OUT_S = 0.01
"""What a point takes beside move, settling and dwell: orders and replies (8 ms on the simulated rig)."""

BYTES_PER_BIN = 0.5
"""Room that a compressed bin takes at most on the disk (measured: 0.05 to 0.3 for decays)."""

BYTES_PER_WORD = 4
"""Of a time-tag record; compression takes little off, because delays are random."""
CHUNK_BYTES = 600
"""What the last chunk of a point's records takes beside them (zeros, compressed)."""
SYNCS_PER_TURN = {"picoharp300": 65536, "timeharp260": 1024}
"""Laser pulses between two records that the sync counter has gone round, when there are no photons."""

DEFAULT_RESPONSE_PS = 80.0
"""Response assumed where the rig file gives none (single-photon avalanche diode and picosecond diode laser)."""


@dataclass(frozen=True)
class Costs:
    """What visits take beside counting.

    Attributes
    ----------
    axes : mapping of str to AxisTravel
        Both axes of the detector; they move at once.
    visit_s : float
        Time at every stop, in s: settling, read-out, and the rate meters if the light was off.
    """

    axes: Mapping[str, AxisTravel]
    visit_s: float

    @classmethod
    def of(cls, recipe: ScanRecipe, rig: RigRecipe) -> Costs:
        """Return the costs of a scan on a rig."""
        light_s = 0.0 if recipe.light.between_points == "on" else 2 * METER_S
        return cls(travels(rig), rig.policies.settle_s + READ_OUT_S + light_s)

    def moves_s(self, places_nm: FloatArray) -> float:
        """Return the time for all moves from place to place, x and y in nm, float64 (n, 2)."""
        return sum(
            max(
                _move_s(axis, *pair)
                for axis, pair in zip(self.axes.values(), zip(here, there, strict=True), strict=True)
            )
            for here, there in pairwise(places_nm.tolist())
        )

    def pass_s(self, points: Pass, place: PlannedPoint | None = None) -> float:
        """Return the time of a pass to the end of its last stop: from its first one, or from another place."""
        places_nm = np.array([(point.x_nm, point.y_nm) for point in (*(() if place is None else (place,)), *points)])
        return self.moves_s(places_nm) + sum(self.visit_s + point.dwell_s for point in points)

    def first_move_s(self, place_nm: FloatArray) -> float:
        """Return the time from the reference position to a place, x and y in nm, float64 (2,)."""
        ends = zip(self.axes.values(), place_nm.tolist(), strict=True)
        return max(axis.first_move_s(end_nm) for axis, end_nm in ends)

    def mean_visit_s(self, itinerary: Itinerary) -> float:
        """Return the time per visit beside counting if all positions are visited, in one pass and in the next."""
        passes = [itinerary.lay_out(number, np.ones(len(itinerary.positions_nm))) for number in (0, 1)]
        return sum(self.pass_s(points) for points in passes) / sum(map(len, passes)) - 1.0


def expected_peak_cps(recipe: ScanRecipe, rig: RigRecipe) -> float | None:
    """Return the count rate to expect at the centre of the spot; None if the rig file does not tell."""
    optics, wheel = rig.optics, rig.devices.detection_filter
    passed_nw = recipe.light.average_power_nw * (1.0 if wheel is None else wheel.transmission(recipe.detection_filter))
    if optics.expected_rate_cps_nw is not None:
        return optics.expected_rate_cps_nw * passed_nw
    if rig.simulation is None:
        return None
    share = 1.0
    for pixel_nm in optics.pixel_nm:
        share *= _caught(pixel_nm, optics.sigma0_nm) / _caught(REFERENCE_PIXEL_NM, optics.sigma0_nm)
    return SIMULATED_RATE_CPS_NW * rig.simulation.brightness * share * passed_nw


def planned_line(recipe: ScanRecipe, rig: RigRecipe, peak_cps: float) -> PlannedScan:
    """Return a line as the analysis will see it, 1 s counted at each position; of a raster, its middle row."""
    optics = rig.optics
    axis = "xy".index(recipe.path.axes[0])
    along_nm = np.unique(scan_positions(recipe.path, (0.0, 0.0))[:, axis])
    return PlannedScan(
        position_nm=along_nm,
        dwell_s=np.ones(len(along_nm)),
        pixel_nm=(optics.pixel_nm[axis], optics.pixel_nm[1 - axis]),
        sigma0_nm=optics.sigma0_nm,
        peak_cps=peak_cps,
        repetition_rate_hz=recipe.light.repetition_rate_hz,
        response_fwhm_ns=(optics.response_fwhm_ps or DEFAULT_RESPONSE_PS) * 1e-3,
        bin_width_ns=_n_summed(recipe) * recipe.counter.bin_width_ps * 1e-3,
        window_ns=recipe.analysis.window_ns,
    )


def fullest_bin_cps(recipe: ScanRecipe, plan: PlannedScan) -> float:
    """Return the counts per second to expect in the fullest bin at the centre of the spot."""
    likelihood, _ = expected_scan(plan, DIFFUSIVITIES_CM2_S[0])
    return float((likelihood.counts / plan.dwell_s[:, None])[:, :-1].max()) / _n_summed(recipe)


def _n_summed(recipe: ScanRecipe) -> int:
    """Return how many recorded bins the analysis sums."""
    return max(round(recipe.analysis.bin_width_ns * 1e3 / recipe.counter.bin_width_ps), 1)


def _move_s(axis: AxisTravel, from_nm: float, to_nm: float) -> float:
    return 0.0 if from_nm == to_nm else axis.move_time_s(from_nm, to_nm)


def _caught(pixel_nm: float, sigma_nm: float) -> float:
    """Return the light of a line of unit height that a pixel at the centre catches, in nm."""
    return float(pixel_profile(np.zeros(1), 0.0, sigma_nm**2, pixel_nm).value[0]) * pixel_nm

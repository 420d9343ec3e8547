"""A scan gone through on paper: its passes by the planner itself, with what the Fisher information says of D."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tplm_daq.acquire.passes import Done, Pass, PassPlanner, PlannedPoint
from tplm_daq.acquire.path import assumed_centre, scan_positions, search_lines
from tplm_daq.acquire.watch import METER_S
from tplm_daq.analysis.design import PlannedScan, expected_standard_error
from tplm_daq.errors import FitError
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.rig.planning import travels
from tplm_daq.workflow.align import DWELL_S
from tplm_daq.workflow.allocation import Estimate
from tplm_daq.workflow.forecast import (
    BYTES_PER_BIN,
    BYTES_PER_WORD,
    CHUNK_BYTES,
    SYNCS_PER_TURN,
    Costs,
    expected_peak_cps,
    planned_line,
)
from tplm_daq.workflow.precision import planner_for

FloatArray = NDArray[np.float64]

TRIED_AT_RANDOM = 20
"""Passes in random order that stand for more of them: their moves then average out."""


@dataclass(frozen=True)
class Spot:
    """What is supposed of the sample: D in cm2/s, and the count rate at the centre of the spot."""

    diffusivity_cm2_s: float
    peak_cps: float


@dataclass(frozen=True)
class Rehearsal:
    """What a scan consists of.

    Attributes
    ----------
    n_points, n_passes : int
        Points and passes of the scan, without those that look for the spot.
    counted_s : ndarray of float64, shape (n_position,)
        Time counted at each position, in s.
    longest_s : float
        Longest visit of a position, in s.
    time_s, light_s : float
        From the first move to the last point, the search for the spot included, without a reference run; and how much
        of that the sample is under light.
    """

    n_points: int
    n_passes: int
    counted_s: FloatArray
    longest_s: float
    time_s: float
    light_s: float


def places_nm(recipe: ScanRecipe) -> FloatArray:
    """Return the positions that the search for the spot and the path visit, in their order: x and y in nm, (n, 2)."""
    centre_nm = assumed_centre(recipe.path)
    searched = [line.positions(centre_nm) for line in search_lines(recipe.path)]
    return np.concatenate([*searched, scan_positions(recipe.path, centre_nm)])


def homing_time_s(rig: RigRecipe) -> float:
    """Return what a reference run adds to a scan at most, if the actuators need one."""
    return max(axis.homing_time_s() for axis in travels(rig).values())


def rehearse(recipe: ScanRecipe, rig: RigRecipe, spot: Spot | None) -> Rehearsal:
    """Go through a scan.

    Parameters
    ----------
    recipe, rig : ScanRecipe, RigRecipe
        What is wanted, and on which microscope.
    spot : Spot or None
        What is supposed of the sample; None if nothing is known, and then a scan for precision takes all its time.

    Returns
    -------
    Rehearsal
        Of a scan of many equal passes, from its first few.
    """
    costs, places = Costs.of(recipe, rig), places_nm(recipe)
    positions_nm = places[len(places) - recipe.path.n_positions :]
    passes = list(_passes(recipe, rig, spot, positions_nm, costs))
    counted_s, longest_s, n_points, n_passes, time_s = np.zeros(len(positions_nm)), 0.0, 0, 0, 0.0
    for points, times in passes:
        np.add.at(counted_s, [point.index for point in points], [times * point.dwell_s for point in points])
        longest_s = max(longest_s, *(point.dwell_s for point in points))
        n_points, n_passes = n_points + times * len(points), n_passes + times
        time_s += times * costs.pass_s(points)
    n_searched = len(places) - len(positions_nm)
    time_s += _between_passes_s([points for points, _ in passes], n_passes, costs)
    on_s = 3 * METER_S
    searched_s = costs.first_move_s(places[0]) + n_searched * (costs.visit_s + DWELL_S)
    time_s += on_s + searched_s + costs.moves_s(places[: n_searched + 1])
    light_s = on_s + n_searched * DWELL_S + float(counted_s.sum()) + (n_searched + n_points) * 2 * METER_S
    is_light_kept_on = recipe.light.between_points == "on"
    return Rehearsal(n_points, n_passes, counted_s, longest_s, time_s, time_s if is_light_kept_on else light_s)


def planned_scan(recipe: ScanRecipe, rig: RigRecipe, peak_cps: float, counted_s: FloatArray) -> PlannedScan:
    """Return a line as the analysis will see it after counting for float64 (n_position,) in s."""
    visited = counted_s > 0
    line = planned_line(recipe, rig, peak_cps)
    return replace(line, position_nm=line.position_nm[visited], dwell_s=counted_s[visited])


def relative_error(recipe: ScanRecipe, rig: RigRecipe, spot: Spot, counted_s: FloatArray) -> float:
    """Return the standard error of D relative to D after counting for float64 (n_position,) in s; FitError if none."""
    plan = planned_scan(recipe, rig, spot.peak_cps, counted_s)
    return expected_standard_error(plan, spot.diffusivity_cm2_s) / spot.diffusivity_cm2_s


def disk_mb(recipe: ScanRecipe, rig: RigRecipe, scan: Rehearsal) -> float:
    """Return the room that a scan takes at most on the disk, its records included as far as they can be foretold."""
    n_bins = math.ceil(recipe.counter.span_ns * 1e3 / recipe.counter.bin_width_ps)
    return scan.n_points * n_bins * BYTES_PER_BIN / 1e6 + (words_mb(recipe, rig, scan) or 0.0)


def words_mb(recipe: ScanRecipe, rig: RigRecipe, scan: Rehearsal) -> float | None:
    """Return the room that the records of a scan take at most: 0 if none are kept, None if the rate is unknown."""
    if not recipe.counter.keep_words:
        return 0.0
    peak_cps = expected_peak_cps(recipe, rig)
    if peak_cps is None:
        return None
    turns_hz = recipe.light.repetition_rate_hz / SYNCS_PER_TURN[rig.devices.counter.model]
    n_words = (peak_cps + turns_hz) * float(scan.counted_s.sum())
    return (n_words * BYTES_PER_WORD + scan.n_points * CHUNK_BYTES) / 1e6


def _passes(
    recipe: ScanRecipe, rig: RigRecipe, spot: Spot | None, positions_nm: FloatArray, costs: Costs
) -> Iterator[tuple[Pass, int]]:
    """Generate the passes of a scan, each with how many of its kind there are."""
    clock_s = 0.0
    planner = planner_for(recipe, rig, positions_nm, lambda: clock_s)
    if not recipe.passes.is_adaptive:
        n_passes = recipe.passes.n_fixed_passes
        n_tried = min(n_passes, TRIED_AT_RANDOM if recipe.passes.order == "shuffled" else 2)
        for number in range(n_tried):
            yield _next(planner, None), (n_passes - number - 1) // n_tried + 1
        return
    counted_s = np.zeros(len(positions_nm))
    estimate: Estimate | None = None
    place: PlannedPoint | None = None
    while not isinstance(points := planner.next_pass(estimate), Done):
        yield points, 1
        clock_s += costs.pass_s(points, place)
        place = points[-1]
        np.add.at(counted_s, [point.index for point in points], [point.dwell_s for point in points])
        estimate = None if spot is None else _expected_estimate(recipe, rig, spot, counted_s)


def _between_passes_s(passes: list[Pass], n_passes: int, costs: Costs) -> float:
    """Return the time of the moves from each pass to the next, if these few stand for so many."""
    followed = [*pairwise(passes), (passes[-1], passes[0])][: n_passes - 1]
    moves_s = [costs.pass_s(following, points[-1]) - costs.pass_s(following) for points, following in followed]
    return (n_passes - 1) * sum(moves_s) / max(len(moves_s), 1)


def _next(planner: PassPlanner, estimate: Estimate | None) -> Pass:
    points = planner.next_pass(estimate)
    assert not isinstance(points, Done)
    return points


def _expected_estimate(recipe: ScanRecipe, rig: RigRecipe, spot: Spot, counted_s: FloatArray) -> Estimate | None:
    try:
        error = relative_error(recipe, rig, spot, counted_s)
    except FitError:
        return None
    d_cm2_s, centre_nm = spot.diffusivity_cm2_s, assumed_centre(recipe.path)["xy".index(recipe.path.axes[0])]
    return Estimate(d_cm2_s, error * d_cm2_s, centre_nm, rig.optics.sigma0_nm, spot.peak_cps)

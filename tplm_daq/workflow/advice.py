"""Advice before a scan: sentences about what is possible but hardly meant."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tplm_daq.acquire.path import Extent, extents
from tplm_daq.analysis.design import PlannedScan, wrapped_ratio
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.rig import planning
from tplm_daq.workflow.forecast import BYTES_PER_WORD, DIFFUSIVITIES_CM2_S, fullest_bin_cps

FULL_BIN = 65535
"""Counts at which the counter stops a point: its bins have 16 bits."""

NARROWEST_SIGMA = 2.4
"""Half width of a path, in units of the spot's sigma0, below which time is better spent further out: the positions that
tell most about D lie 2.4 to 2.9 sigma0 from the centre."""

MANY_WORDS = 5e7
"""Records of a point in memory, twice while they are put together: 0.4 GB."""
MOST_WRAPPED = 0.01
"""Light of earlier pulses relative to the light just after a pulse, above which it is worth a word."""


def about_path(recipe: ScanRecipe, rig: RigRecipe) -> list[str]:
    """Say what is hardly meant about positions and passes."""
    warnings = [text for extent in extents(recipe.path) for text in _about_extent(extent, recipe, rig)]
    if recipe.passes.target_precision is None and recipe.passes.n_fixed_passes == 1:
        warnings.append("A single pass turns drift into a shift of D. Take several passes, such as n_passes: 10.")
    return warnings


def about_delays(recipe: ScanRecipe) -> list[str]:
    """Say if the delays recorded do not suffice for the analysis."""
    span_ns, window_ns = recipe.counter.span_ns, recipe.analysis.window_ns
    if span_ns > window_ns:
        return []
    return [
        f"The span of {span_ns:g} ns does not hold the analysis window of {window_ns:g} ns after the pulse. "
        "Take a longer span or a shorter window."
    ]


def about_rates(recipe: ScanRecipe, rig: RigRecipe, line: PlannedScan, longest_s: float) -> list[str]:
    """Say what follows from the count rate and from the time between pulses.

    Parameters
    ----------
    recipe, rig : ScanRecipe, RigRecipe
        What is wanted, and on which microscope.
    line : PlannedScan
        The line as the analysis will see it.
    longest_s : float
        Longest visit of a position, in s.
    """
    guards, warnings = rig.guards, []
    ratio = line.peak_cps / line.repetition_rate_hz
    expected = f"{line.peak_cps * 1e-3:.3g} kcps are expected at the centre of the spot"
    if ratio > guards.rate_ratio_stop:
        warnings.append(
            f"{expected}: {ratio:.1%} of the pulses give a count, and the guard stops the run at "
            f"{guards.rate_ratio_stop:.1%}. Lower the power, or attenuate the detection."
        )
    elif ratio > guards.rate_ratio_warn:
        warnings.append(
            f"{expected}: {ratio:.1%} of the pulses give a count, above {guards.rate_ratio_warn:.1%}; "
            "points will be marked as piled up, and the analysis corrects for it."
        )
    if line.peak_cps > guards.detector_limit_cps:
        warnings.append(f"{expected}, and the guard stops the run at {guards.detector_limit_cps * 1e-6:g} Mcps.")
    fullest = longest_s * fullest_bin_cps(recipe, line)
    if fullest > FULL_BIN and recipe.counter.mode == "histogram":
        warnings.append(
            f"The fullest bin of a point would get {fullest:.0f} counts, and the counter stops at {FULL_BIN}. "
            "Take more passes or narrower bins."
        )
    n_words = longest_s * line.peak_cps
    if recipe.counter.keep_words and n_words > MANY_WORDS:
        n_gb = 2 * BYTES_PER_WORD * n_words * 1e-9
        warnings.append(
            f"The longest point brings {n_words:.2g} records, which take {n_gb:.2g} GB of memory until it is stored. "
            "Take more passes."
        )
    wrapped = wrapped_ratio(line, DIFFUSIVITIES_CM2_S[0])
    if wrapped > MOST_WRAPPED:
        warnings.append(
            f"The pulses are {line.period_ns:.4g} ns apart: light of earlier ones makes {wrapped:.1%} of the light "
            "just after a pulse. It is corrected for, but 0.4% of D may remain. Take a lower light.repetition_rate."
        )
    return warnings


def about_target(target: float | None, reached: Mapping[float, float]) -> list[str]:
    """Say for which D in cm2/s the relative standard error that is reached stays above the target."""
    return [
        f"For D = {diffusivity_cm2_s:g} cm2/s the standard error will be {error:.2%} of D when passes.max_time is "
        f"over, not {target:.2%}. Give more time or more light."
        for diffusivity_cm2_s, error in reached.items()
        if target is not None and error > 1.001 * target
    ]


def _about_extent(extent: Extent, recipe: ScanRecipe, rig: RigRecipe) -> list[str]:
    """Say what is hardly meant about the positions along one axis."""
    optics, axis, half_nm = rig.optics, extent.axis, extent.half_width_nm
    half_psf_nm, wanted_nm = 0.5 * optics.psf_sigma_nm, NARROWEST_SIGMA * optics.sigma0_nm
    low_nm, high_nm = planning.travels(rig)[axis].limits_nm()
    reach_nm = min(-low_nm, high_nm)
    warnings = []
    if extent.step_nm > half_psf_nm:
        n_wanted = math.ceil(2.0 * half_nm / half_psf_nm) + 1
        warnings.append(
            f"Positions are {extent.step_nm:.0f} nm apart along {axis}, more than half the sigma of the point-spread "
            f"function ({half_psf_nm:.0f} nm): a spot that is not Gaussian would go unseen. Take {n_wanted} positions."
        )
    if half_nm < wanted_nm:
        warnings.append(
            f"The path reaches {half_nm:.0f} nm along {axis}, less than {NARROWEST_SIGMA:g} sigma0 ({wanted_nm:.0f} "
            "nm), where the positions lie that tell most about D. Take a wider path."
        )
    if recipe.path.centre_nm == "auto" and 2.0 * half_nm > reach_nm:
        warnings.append(
            f"The travel along {axis} reaches {reach_nm:.0f} nm from the optical axis: a spot that is found more than "
            f"{reach_nm - half_nm:.0f} nm away from it cannot be scanned."
        )
    return warnings

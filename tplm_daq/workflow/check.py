"""The dry run: whether a scan is possible on a rig, what will happen, how long it takes, and how well D will be known.

Nothing is opened and no double is started: everything follows from recipe and rig file.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass

from tplm_daq.analysis.design import PlannedScan
from tplm_daq.errors import FitError, InputError
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.rig import planning
from tplm_daq.workflow import forecast

FULL_BIN = 65535
"""Counts at which the counter stops a point: its bins have 16 bits."""

NARROWEST_SIGMA = 2.4
"""Half width of a path, in units of the spot's sigma0, below which time is better spent further out: the positions that
tell most about D lie 2.4 to 2.9 sigma0 from the centre."""


@dataclass(frozen=True)
class Precision:
    """Standard error of D relative to D that the scan would reach if D were this."""

    diffusivity_cm2_s: float
    relative_standard_error: float


@dataclass(frozen=True)
class CheckReport:
    """What a scan will do, take and give.

    Attributes
    ----------
    title, rig : str
        Of the recipe and of the rig file.
    n_points, n_positions, n_passes, n_bins : int
        Points of the whole scan, positions on the path, passes, and bins kept of each histogram.
    dwell_s, time_s, homing_s : float
        Counting alone; the whole scan with moves and alignment; what a reference run would add at most.
    step_nm : float
        Distance of neighbouring positions.
    travel_mm : dict
        Lowest and highest actuator position that will be used, by axis.
    period_ns, span_ns : float
        Time between two pulses, and how much of it is recorded.
    sync_divider : int
        Divider of the counter.
    peak_cps, counts_per_pulse : float or None
        Count rate to expect at the centre of the spot, and the share of pulses that give a count; None if unknown.
    precision : tuple of Precision
        Empty if the count rate is unknown, or D would not be determined.
    disk_mb : float
        Room for the counts, at most.
    dose_nj : float
        Energy that the spot will receive.
    warnings : tuple of str
        Sentences.
    """

    title: str
    rig: str
    n_points: int
    n_positions: int
    n_passes: int
    dwell_s: float
    time_s: float
    homing_s: float
    step_nm: float
    travel_mm: dict[str, tuple[float, float]]
    period_ns: float
    span_ns: float
    n_bins: int
    sync_divider: int
    peak_cps: float | None
    counts_per_pulse: float | None
    precision: tuple[Precision, ...]
    disk_mb: float
    dose_nj: float
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return what `tplm check --json` prints; what is unknown is None."""
        return {
            **asdict(self),
            "travel_mm": {axis: list(ends) for axis, ends in self.travel_mm.items()},
            "precision": [asdict(each) for each in self.precision],
            "warnings": list(self.warnings),
        }


def require_feasible(recipe: ScanRecipe, rig: RigRecipe) -> None:
    """Make sure that a rig can do what a scan asks for.

    Raises
    ------
    InputError
        It cannot; every reason is listed, one a line.
    """
    light, counter, limits = recipe.light, recipe.counter, rig.limits
    requirements: list[Callable[[], object]] = [
        lambda: planning.check_light(limits, light.repetition_rate_hz, light.average_power_nw),
        lambda: planning.check_bin_width(counter.bin_width_ps, planning.PICOHARP_WIDTHS_PS, "counter"),
        lambda: planning.check_span(counter.span_ns, counter.bin_width_ps),
        lambda: planning.sync_divider(light.repetition_rate_hz),
        lambda: _check_path(recipe, rig, "x"),
        lambda: _check_path(recipe, rig, "y"),
        lambda: _check_temperature(recipe, rig),
    ]
    problems = []
    for requirement in requirements:
        try:
            requirement()
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("\n".join(problems))


def check_scan(recipe: ScanRecipe, rig: RigRecipe) -> CheckReport:
    """Check a scan against a rig and predict what it takes and gives.

    Parameters
    ----------
    recipe : ScanRecipe
        What is wanted.
    rig : RigRecipe
        On which microscope; nothing of it is opened.

    Returns
    -------
    CheckReport
        With warnings about what is possible but hardly meant.

    Raises
    ------
    InputError
        The rig cannot do this; every reason is listed, one a line.
    """
    require_feasible(recipe, rig)
    path, counter, light = recipe.path, recipe.counter, recipe.light
    time = forecast.duration(recipe, rig)
    n_bins = math.ceil(counter.span_ns * 1e3 / counter.bin_width_ps)
    peak_cps = forecast.expected_peak_cps(recipe, rig)
    warnings = _about_path(recipe, rig) + _about_delays(recipe)
    precision: tuple[Precision, ...] = ()
    if peak_cps is None:
        warnings.append(
            "Count rate, pile-up and precision are unknown: give optics.expected_rate in the rig file, "
            'such as "2 kcps/nW", from an earlier run.'
        )
    else:
        plan = forecast.planned_scan(recipe, rig, peak_cps)
        warnings += _about_rates(recipe, rig, plan)
        try:
            precision = tuple(Precision(*pair) for pair in forecast.relative_errors(plan).items())
        except FitError as error:
            warnings.append(f"D will not be determined. {error}")
    return CheckReport(
        title=recipe.title,
        rig=rig.name,
        n_points=recipe.n_points,
        n_positions=path.n_positions,
        n_passes=recipe.passes.n_passes,
        dwell_s=recipe.n_points * recipe.passes.dwell_per_point_s,
        time_s=time.scan_s,
        homing_s=time.homing_s,
        step_nm=_step_nm(recipe),
        travel_mm={axis: _travel_mm(recipe, rig, axis) for axis in "xy"},
        period_ns=1e9 / light.repetition_rate_hz,
        span_ns=counter.span_ns,
        n_bins=n_bins,
        sync_divider=planning.sync_divider(light.repetition_rate_hz),
        peak_cps=peak_cps,
        counts_per_pulse=None if peak_cps is None else peak_cps / light.repetition_rate_hz,
        precision=precision,
        disk_mb=recipe.n_points * n_bins * forecast.BYTES_PER_BIN / 1e6,
        dose_nj=light.average_power_nw * time.light_s,
        warnings=tuple(warnings),
    )


def _ends_nm(recipe: ScanRecipe, axis: str) -> tuple[float, float]:
    """Return the lowest and highest coordinate along an axis that alignment and scan visit."""
    centre_nm = forecast.centre_of(recipe.path)["xy".index(axis)]
    return centre_nm - recipe.path.half_width_nm, centre_nm + recipe.path.half_width_nm


def _check_path(recipe: ScanRecipe, rig: RigRecipe, axis: str) -> None:
    for end_nm in _ends_nm(recipe, axis):
        planning.travels(rig)[axis].check(end_nm)


def _check_temperature(recipe: ScanRecipe, rig: RigRecipe) -> None:
    if recipe.temperature_k is None:
        return
    planning.check_temperature(rig.limits, recipe.temperature_k)
    if rig.devices.thermostat is None:
        raise InputError(
            f"temperature: {recipe.temperature_k:g} K is asked for, but the rig has no thermostat. "
            "Delete the key from the recipe, or add the device to the rig file."
        )


def _travel_mm(recipe: ScanRecipe, rig: RigRecipe, axis: str) -> tuple[float, float]:
    low_mm, high_mm = sorted(planning.travels(rig)[axis].to_mm(end_nm) for end_nm in _ends_nm(recipe, axis))
    return low_mm, high_mm


def _step_nm(recipe: ScanRecipe) -> float:
    return 2.0 * recipe.path.half_width_nm / (recipe.path.n_positions - 1)


def _about_path(recipe: ScanRecipe, rig: RigRecipe) -> list[str]:
    path, optics = recipe.path, rig.optics
    step_nm, half_psf_nm, wanted_nm = _step_nm(recipe), 0.5 * optics.psf_sigma_nm, NARROWEST_SIGMA * optics.sigma0_nm
    low_nm, high_nm = planning.travels(rig)[path.axis].limits_nm()
    reach_nm = min(-low_nm, high_nm)
    warnings = []
    if step_nm > half_psf_nm:
        n_wanted = math.ceil(2.0 * path.half_width_nm / half_psf_nm) + 1
        warnings.append(
            f"Positions are {step_nm:.0f} nm apart, more than half the sigma of the point-spread function "
            f"({half_psf_nm:.0f} nm): a spot that is not Gaussian would go unseen. Take {n_wanted} positions."
        )
    if path.half_width_nm < wanted_nm:
        warnings.append(
            f"The half width of {path.half_width_nm:.0f} nm is less than {NARROWEST_SIGMA:g} sigma0 ({wanted_nm:.0f} "
            "nm), where the positions lie that tell most about D. Take a wider path."
        )
    if path.centre_nm == "auto" and 2.0 * path.half_width_nm > reach_nm:
        warnings.append(
            f"The travel reaches {reach_nm:.0f} nm from the optical axis: a spot that is found more than "
            f"{reach_nm - path.half_width_nm:.0f} nm away from it cannot be scanned."
        )
    if recipe.passes.n_passes == 1:
        warnings.append("A single pass turns drift into a shift of D. Take several passes, such as n_passes: 10.")
    return warnings


def _about_delays(recipe: ScanRecipe) -> list[str]:
    span_ns, window_ns = recipe.counter.span_ns, recipe.analysis.window_ns
    if span_ns > window_ns:
        return []
    return [
        f"The span of {span_ns:g} ns does not hold the analysis window of {window_ns:g} ns after the pulse. "
        "Take a longer span or a shorter window."
    ]


def _about_rates(recipe: ScanRecipe, rig: RigRecipe, plan: PlannedScan) -> list[str]:
    guards, warnings = rig.guards, []
    ratio = plan.peak_cps / plan.repetition_rate_hz
    expected = f"{plan.peak_cps * 1e-3:.3g} kcps are expected at the centre of the spot"
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
    if plan.peak_cps > guards.detector_limit_cps:
        warnings.append(f"{expected}, and the guard stops the run at {guards.detector_limit_cps * 1e-6:g} Mcps.")
    fullest = forecast.fullest_bin(recipe, plan)
    if fullest > FULL_BIN:
        warnings.append(
            f"The fullest bin of a point would get {fullest:.0f} counts, and the counter stops at {FULL_BIN}. "
            "Take more passes or narrower bins."
        )
    return warnings

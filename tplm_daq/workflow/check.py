"""The dry run: whether a scan is possible on a rig, what will happen, how long it takes, and how well D will be known.

Nothing is opened and no double is started: everything follows from recipe and rig file.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import partial

from tplm_daq.acquire.path import extents
from tplm_daq.analysis.design import expected_scan
from tplm_daq.errors import FitError
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.rig import planning
from tplm_daq.workflow import advice, forecast
from tplm_daq.workflow.feasibility import check_devices, require_circumstances
from tplm_daq.workflow.rehearsal import (
    Rehearsal,
    Spot,
    disk_mb,
    homing_time_s,
    places_nm,
    planned_scan,
    rehearse,
    relative_error,
    words_mb,
)


@dataclass(frozen=True)
class Precision:
    """What the scan would reach if D were this, and what it would take.

    Attributes
    ----------
    diffusivity_cm2_s : float
        D.
    relative_standard_error : float
        Standard error of D relative to D at the end.
    n_photons : float
        Counts in the window of the analysis.
    dwell_s, time_s : float
        Counting alone, and the whole scan.
    """

    diffusivity_cm2_s: float
    relative_standard_error: float
    n_photons: float
    dwell_s: float
    time_s: float


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
        Counting alone; the whole scan with moves and alignment; what a reference run would add at most. Like points,
        passes, room and dose, those of a scan for precision are for the diffusivity that takes longest.
    step_nm : float
        Distance of neighbouring positions; of a raster along the axis on which it is larger.
    travel_mm : dict
        Lowest and highest actuator position that will be used, by axis.
    period_ns, span_ns : float
        Time between two pulses, and how much of it is recorded.
    sync_divider : int
        Divider of the counter.
    peak_cps, counts_per_pulse : float or None
        Count rate to expect at the centre of the spot, and the share of pulses that give a count; None if unknown.
    precision : tuple of Precision
        Empty if the count rate is unknown, D would not be determined, or the path is a raster.
    disk_mb : float
        Room for counts and records, at most.
    words_mb : float or None
        Of that for the records of mode t3; 0 if they are not kept, None if the count rate is unknown.
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
    words_mb: float | None
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
    paths = [partial(_check_path, recipe, rig, axis) for axis in "xy"]
    stages = [partial(check_devices, name, rig) for name in recipe.align_first]
    require_circumstances(recipe, rig, [*paths, *stages])


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
    n_bins = math.ceil(counter.span_ns * 1e3 / counter.bin_width_ps)
    peak_cps = forecast.expected_peak_cps(recipe, rig)
    warnings = advice.about_path(recipe, rig) + advice.about_delays(recipe)
    scan = rehearse(recipe, rig, None)
    precision: tuple[Precision, ...] = ()
    if peak_cps is None:
        warnings.append(
            "Count rate, pile-up and precision are unknown: give optics.expected_rate in the rig file, "
            'such as "2 kcps/nW"; `tplm run` prints it after a scan.'
        )
        if counter.keep_words:
            warnings.append("The room that counter.keep_words takes is unknown too: 4 bytes for each photon.")
    elif path.shape == "line":
        try:
            scan, precision = _predicted(recipe, rig, peak_cps, scan)
        except FitError as error:
            warnings.append(f"D will not be determined. {error}")
    else:
        warnings.append("The precision of D is predicted for lines only, not for a raster.")
    if peak_cps is not None:
        warnings += advice.about_rates(recipe, rig, forecast.planned_line(recipe, rig, peak_cps), scan.longest_s)
    target = recipe.passes.target_precision
    warnings += advice.about_target(
        target, {each.diffusivity_cm2_s: each.relative_standard_error for each in precision}
    )
    return CheckReport(
        title=recipe.title,
        rig=rig.name,
        n_points=scan.n_points,
        n_positions=path.n_positions,
        n_passes=scan.n_passes,
        dwell_s=float(scan.counted_s.sum()),
        time_s=scan.time_s,
        homing_s=homing_time_s(rig),
        step_nm=max(extent.step_nm for extent in extents(path)),
        travel_mm={axis: _travel_mm(recipe, rig, axis) for axis in "xy"},
        period_ns=1e9 / light.repetition_rate_hz,
        span_ns=counter.span_ns,
        n_bins=n_bins,
        sync_divider=planning.sync_divider(light.repetition_rate_hz, rig.devices.counter),
        peak_cps=peak_cps,
        counts_per_pulse=None if peak_cps is None else peak_cps / light.repetition_rate_hz,
        precision=precision,
        disk_mb=disk_mb(recipe, rig, scan),
        words_mb=words_mb(recipe, rig, scan),
        dose_nj=light.average_power_nw * scan.light_s,
        warnings=tuple(warnings),
    )


def _predicted(
    recipe: ScanRecipe, rig: RigRecipe, peak_cps: float, scan: Rehearsal
) -> tuple[Rehearsal, tuple[Precision, ...]]:
    """Return the longest scan that is to be expected, and what is known of each diffusivity at its end."""
    rehearsals, precision = [], []
    for diffusivity_cm2_s in forecast.DIFFUSIVITIES_CM2_S:
        spot = Spot(diffusivity_cm2_s, peak_cps)
        this = rehearse(recipe, rig, spot) if recipe.passes.is_adaptive else scan
        likelihood, _ = expected_scan(planned_scan(recipe, rig, peak_cps, this.counted_s), diffusivity_cm2_s)
        error, n_photons = relative_error(recipe, rig, spot, this.counted_s), float(likelihood.counts[:, :-1].sum())
        precision.append(Precision(diffusivity_cm2_s, error, n_photons, float(this.counted_s.sum()), this.time_s))
        rehearsals.append(this)
    return max(rehearsals, key=lambda each: each.time_s), tuple(precision)


def _ends_nm(recipe: ScanRecipe, axis: str) -> tuple[float, float]:
    """Return the lowest and highest coordinate along an axis that alignment and scan visit."""
    along_nm = places_nm(recipe)[:, "xy".index(axis)]
    return float(along_nm.min()), float(along_nm.max())


def _check_path(recipe: ScanRecipe, rig: RigRecipe, axis: str) -> None:
    for end_nm in _ends_nm(recipe, axis):
        planning.travels(rig)[axis].check(end_nm)


def _travel_mm(recipe: ScanRecipe, rig: RigRecipe, axis: str) -> tuple[float, float]:
    low_mm, high_mm = sorted(planning.travels(rig)[axis].to_mm(end_nm) for end_nm in _ends_nm(recipe, axis))
    return low_mm, high_mm

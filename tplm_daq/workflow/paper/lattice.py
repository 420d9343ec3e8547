"""Figs. 4D and 4E: the lattice after many pulses, and its diffusivity against the time between excitations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.relaxation import EnhancementSeries, Relaxation, fit_relaxation
from tplm_daq.kmc.observe import Observation
from tplm_daq.kmc.simulate import Condition, Snapshot, live
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.report.paper.view import Curve, LatticeDrawing, Origin, Panel, PaperFigure, Points
from tplm_daq.workflow.paper.lattice_rows import REFERENCE_ERROR_CM2_S, by_time, cloud_row, lattice_rows
from tplm_daq.workflow.paper.measured import Measured, marks
from tplm_daq.workflow.paper.rows import Z_95, judged

FloatArray = NDArray[np.float64]


def snapshot(measured: Measured) -> PaperFigure:
    """Return Fig. 4D: which nanocrystals are fast just after a pulse, and where the excitons are."""
    recipe = measured.lattice_task("snapshot").recipe
    lattice, (alpha, tau_pulse_ns) = recipe.lattice, recipe.conditions[0]
    seen = _after_last_pulse(recipe, Condition(alpha, tau_pulse_ns))
    (point,) = measured.lattice("snapshot")
    later = point.n_fast[len(point.n_fast) // 2 :].astype(float)
    spread = float(later.std())
    n_fast = len(seen.fast_nm)
    return PaperFigure(
        "4D",
        "The lattice after many pulses",
        f"Fast nanocrystals and excitons {seen.time_ns:.2g} ns after pulse {seen.pulse + 1} (α = {alpha:g}, pulses "
        f"{tau_pulse_ns / 1e3:g} µs apart), the middle of a lattice of {lattice.size} × {lattice.size} sites "
        f"{lattice.spacing_nm:g} nm apart, slow everywhere before the first pulse. Dashed: one and two standard "
        "deviations of the spot.",
        LatticeDrawing(seen, lattice.spacing_nm, lattice.sigma * lattice.spacing_nm),
        (
            cloud_row(seen, lattice),
            judged(
                "their number has become steady",
                "pulses add up until gain and loss balance",
                f"{n_fast} now; {later.mean():.0f}, scatter {spread:.0f}, before each pulse of the later half",
                Origin.EMERGED,
                "the lattice keeps fast sites from pulse to pulse: more than the scatter",
                later.mean() > Z_95 * spread,
            ),
        ),
        sources=measured.sources("4D"),
    )


def enhancement(measured: Measured) -> PaperFigure:
    """Return Fig. 4E: D of the lattice, per axis and radial, against t_exc, over the measured diffusivities."""
    points = measured.lattice("lattice")
    fit = exponential(points)
    t_us = np.geomspace(0.25, 400.0, 200)
    runs = measured.runs("power")
    group = measured.group("power")
    curves = [Curve(t_us, fit.curve(t_us), f"exponential, τ = {fit.tau_us:.2g} µs", 1)]
    axis = "time between excitations (µs)"
    lattice = Panel(
        "a  Lattice",
        axis,
        "D_sim (cm²/s)",
        (*_by_alpha(points), _radial(points)),
        (*curves, Curve(t_us, 2.0 * fit.curve(t_us), "", 1, is_dashed=True)),
        is_x_log=True,
    )
    both = [Curve(t_us, fit.curve(t_us), "", 1)]
    if isinstance(group.relaxation, Relaxation):
        both.append(Curve(t_us, group.relaxation.curve(t_us), "", 0))
    overlay = Panel(
        "b  Lattice over 4A",
        axis,
        "D per axis (cm²/s)",
        (_mean_points(points), marks(group.table.t_exc_us, runs, "simulated rig", 0)),
        both,
        is_x_log=True,
    )
    return PaperFigure(
        "4E",
        "D of the lattice against the time between excitations",
        f"(a) D_sim = [s²(t) − s²(0)] / 2t at 1 ns after {measured.lattice_task('lattice').recipe.n_pulses} pulses for "
        "five α and seven pulse spacings, per axis (filled) and radial, with ⟨r²⟩ in place of the variance per axis "
        "(dashed, twice as large). (b) The mean of all α over the diffusivities measured on the simulated rig (Fig. "
        "4A). Bars: 95 % intervals. Lines: D∞ + (D0 − D∞) exp(−t/τ), for the lattice with all points weighted alike, "
        "because its curve is no exact exponential.",
        (lattice, overlay),
        tuple(lattice_rows(points, fit, measured.lattice_task("lattice").recipe)),
        sources=measured.sources("4E"),
    )


def exponential(points: Sequence[Observation]) -> Relaxation:
    """Fit an exponential to the lattice's curve, all points weighted alike, with errors from their scatter about it."""
    t_us, d = (np.array([getattr(point, name) for point in points]) for name in ("t_exc_us", "d_sim_cm2_s"))
    error = REFERENCE_ERROR_CM2_S
    first = fit_relaxation(EnhancementSeries(t_us, d, np.full_like(d, error), "the lattice"))
    scatter = error * float(np.sqrt(first.chi_square / first.n_dof))
    return fit_relaxation(EnhancementSeries(t_us, d, np.full_like(d, scatter), "the lattice"))


def _by_alpha(points: Sequence[Observation]) -> list[Points]:
    alphas = list(dict.fromkeys(point.alpha for point in points))
    colours = [0, *range(2, 2 + len(alphas))]
    return [
        _points([point for point in points if point.alpha == alpha], f"α = {alpha:g}", colours[i])
        for i, alpha in enumerate(alphas)
    ]


def _points(points: Sequence[Observation], label: str, colour: int, factor: float = 1.0) -> Points:
    t_us, d, error = (
        np.array([getattr(point, name) for point in points])
        for name in ("t_exc_us", "d_sim_cm2_s", "standard_error_cm2_s")
    )
    half = Z_95 * error
    return Points(t_us, factor * d, factor * (d - half), factor * (d + half), label, colour)


def _radial(points: Sequence[Observation]) -> Points:
    largest = max(point.alpha for point in points)
    chosen = [point for point in points if point.alpha == largest]
    return _points(chosen, f"radial, α = {largest:g}", 1, 2.0)


def _mean_points(points: Sequence[Observation]) -> Points:
    """Return the mean over α at each time, with the 95 % interval from the errors."""
    groups = by_time(points)
    d = np.array([np.mean([point.d_sim_cm2_s for point in group]) for group in groups.values()])
    error = np.array(
        [np.sqrt(np.sum([point.standard_error_cm2_s**2 for point in group])) / len(group) for group in groups.values()]
    )
    return Points(np.array(list(groups)), d, d - Z_95 * error, d + Z_95 * error, "lattice", 1)


def _after_last_pulse(recipe: KmcRecipe, condition: Condition) -> Snapshot:
    """Return the lattice 50 ps after the last pulse of a recipe; the film is another one than that of the points."""
    film = live(recipe.lattice, condition, recipe.seed)
    try:
        return next(seen for seen in film if seen.pulse == recipe.n_pulses - 1 and seen.time_ns > 0)
    finally:
        film.close()

"""The figures of a series: D against the time between excitations and the conditions, decays against the power."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from tplm_daq.analysis.relaxation import Relaxation
from tplm_daq.analysis.series_summary import SeriesGroup, SeriesSummary
from tplm_daq.report.style import DATA, INK, MODEL, SECOND, SETTINGS, new_figure

GROUP_COLOURS = (DATA, SECOND, "#9467bd", "#c9a227", "#2aa198", "#b5527f")
"""One for each sample or temperature, in turn."""

LATTICE = "#7f7f7f"

D_LABEL = "D (cm²/s)"
DIFFERENT = 0.02
"""Conditions that differ by less, relatively, count as one."""

CONDITIONS = {
    "power_nw": "average power (nW)",
    "repetition_rate_mhz": "repetition rate (MHz)",
    "excitons_per_pulse": "excitons per pulse ⟨N⟩",
    "temperature_k": "temperature (K)",
}


@mpl.rc_context(SETTINGS)
def draw_enhancement(summary: SeriesSummary, lattice: Sequence[np.ndarray] | None = None) -> Figure:
    """Draw D against the mean time between two excitations, with the fitted relaxation of each group.

    Parameters
    ----------
    summary : SeriesSummary
        At least one run.
    lattice : sequence of ndarray of float64, shape (n_run,), optional
        Of the lattice: t_exc in us, D and standard error in cm2/s, by ascending t_exc.

    Returns
    -------
    Figure
        One panel; open marks are the diffusivities of the simulated sample.
    """
    figure, (panel,) = new_figure(7.4, height_in=3.4)
    for i, group in enumerate(summary.groups):
        colour, table = GROUP_COLOURS[i % len(GROUP_COLOURS)], group.table
        _mark(panel, table.t_exc_us, group, colour, group.name or "measured")
        truth = np.array([np.nan if run.truth_cm2_s is None else run.truth_cm2_s for run in group.runs])
        if np.isfinite(truth).any():
            label = "simulated sample" if i == 0 else None
            panel.plot(table.t_exc_us, truth, "o", mfc="none", mec=INK, ms=8, mew=0.6, label=label)
        if isinstance(group.relaxation, Relaxation):
            t_us = np.geomspace(0.7 * table.t_exc_us.min(), 1.4 * table.t_exc_us.max(), 200)
            fit = group.relaxation
            panel.plot(t_us, fit.curve(t_us), color=MODEL if i == 0 else colour, label=f"τ = {fit.tau_us:.3g} µs")
    if lattice is not None:
        t_us, d, error = lattice
        panel.errorbar(t_us, d, 1.96 * error, fmt="^--", color=LATTICE, ms=4, lw=0.8, elinewidth=1.0, label="lattice")
    log_axis(panel)
    panel.set_ylim(bottom=min(0.0, panel.get_ylim()[0]))
    panel.set(xlabel="mean time between two excitations of a nanocrystal (µs)", ylabel=D_LABEL)
    panel.legend(loc="upper right")
    return figure


@mpl.rc_context(SETTINGS)
def draw_conditions(summary: SeriesSummary) -> Figure | None:
    """Draw D against each condition that was varied; None if none was.

    Parameters
    ----------
    summary : SeriesSummary
        At least one run.
    """
    columns = {name: [_condition(group, name) for group in summary.groups] for name in CONDITIONS}
    varied = [name for name, values in columns.items() if _is_varied(np.concatenate(values))]
    if not varied:
        return None
    figure, panels = new_figure(7.4, n_columns=len(varied), height_in=2.6)
    for panel, name in zip(panels, varied, strict=True):
        for i, (group, values) in enumerate(zip(summary.groups, columns[name], strict=True)):
            _mark(panel, values, group, GROUP_COLOURS[i % len(GROUP_COLOURS)])
        if name != "temperature_k":
            log_axis(panel)
        panel.set_xlabel(CONDITIONS[name])
        panel.set_ylim(bottom=min(0.0, panel.get_ylim()[0]))
    panels[0].set_ylabel(D_LABEL)
    return figure


@mpl.rc_context(SETTINGS)
def draw_decays(summary: SeriesSummary) -> Figure | None:
    """Draw lifetime and exponent of the late decay against the average power; None if there are none.

    Parameters
    ----------
    summary : SeriesSummary
        At least one run.
    """
    if not any(run.lifetime_ns or run.tail_exponent for run in summary.runs):
        return None
    figure, (lifetimes, exponents) = new_figure(7.4, n_columns=2, height_in=2.6)
    for i, group in enumerate(summary.groups):
        colour = GROUP_COLOURS[i % len(GROUP_COLOURS)]
        _mark_intervals(lifetimes, group, [run.lifetime_ns for run in group.runs], colour)
        _mark_intervals(exponents, group, [run.tail_exponent for run in group.runs], colour)
    for panel in (lifetimes, exponents):
        log_axis(panel)
        panel.set_xlabel(CONDITIONS["power_nw"])
    lifetimes.set_ylabel("lifetime in the window (ns)")
    exponents.set_ylabel("exponent of the power law")
    return figure


def log_axis(panel: Axes) -> None:
    """Make the horizontal axis logarithmic, with plain numbers at 1, 2 and 5 of each decade."""
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.xaxis.set_minor_formatter(NullFormatter())


def _mark(panel: Axes, x: np.ndarray, group: SeriesGroup, colour: str, label: str | None = None) -> None:
    """Mark the diffusivities of a group with their 95 % intervals, repeats of the first condition as squares."""
    is_repeat = np.array([run.is_reference for run in group.runs])
    for chosen, marker, name in ((~is_repeat, "o", label), (is_repeat, "s", label and f"{label}, repeats")):
        if chosen.any():
            errors = 1.96 * group.table.standard_error_cm2_s[chosen]
            d = group.table.diffusivity_cm2_s[chosen]
            panel.errorbar(x[chosen], d, errors, fmt=marker, color=colour, ms=4, elinewidth=1.0, label=name)


def _mark_intervals(
    panel: Axes, group: SeriesGroup, values: list[tuple[float, float, float] | None], colour: str
) -> None:
    known = [(run.power_nw, *value) for run, value in zip(group.runs, values, strict=True) if value is not None]
    if known:
        power_nw, value, low, high = np.transpose(known)
        panel.errorbar(power_nw, value, [value - low, high - value], fmt="o", color=colour, ms=4, elinewidth=1.0)


def _condition(group: SeriesGroup, name: str) -> np.ndarray:
    if name == "repetition_rate_mhz":
        return group.table.repetition_rate_hz / 1e6
    return group.table.columns()[name]


def _is_varied(values: np.ndarray) -> bool:
    known = values[np.isfinite(values)]
    return bool(len(known)) and float(np.ptp(known)) > DIFFERENT * float(known.max())

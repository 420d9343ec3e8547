"""Writes the report of a series: how D depends on light and temperature, and what the tests say about it."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import quote

import numpy as np

from tplm_daq.analysis.relaxation import Relaxation
from tplm_daq.analysis.series_summary import SeriesGroup, SeriesRun, SeriesSummary
from tplm_daq.report.html import figure, grid, table, write_page
from tplm_daq.report.numbers import value_with_error
from tplm_daq.report.series_figures import draw_conditions, draw_decays, draw_enhancement

COLUMNS = (
    "condition",
    "⟨N⟩",
    "t_exc (µs)",
    "fluence (µJ/cm²)",
    "D (cm²/s)",
    "Förster radius (nm)",
    "lifetime (ns)",
    "exponent",
    "lamp",
)


def write_series_report(path: Path, summary: SeriesSummary) -> None:
    """Write the report of a series.

    Parameters
    ----------
    path : Path
        The HTML file; must not exist.
    summary : SeriesSummary
        The series.

    Raises
    ------
    InputError
        If the file exists or cannot be written.
    """
    write_page(path, summary.title, _page(summary))


def _page(summary: SeriesSummary) -> Iterator[str]:
    yield f'<section><h1>{escape(summary.title)}</h1><p class="source">{escape(summary.source)}</p>'
    if not summary.runs:
        yield '<p class="lamp red">No run of the series has a result.</p>'
    else:
        yield from _headlines(summary)
        yield from _figures(summary)
        for group in summary.groups:
            yield from _findings(group)
        yield "<h3>Conditions in the order of measuring</h3>"
        yield from grid(
            COLUMNS, (_cells(run, group, i) for group in summary.groups for i, run in enumerate(group.runs))
        )
        yield '<p class="source">D, radius: ± standard error. Lifetime, exponent: 95 % interval in brackets.</p>'
    yield from table("Conditions without a result", dict(summary.left_out))
    yield "</section>"


def _headlines(summary: SeriesSummary) -> Iterator[str]:
    """Yield the relaxation of each group in large type, or why there is none."""
    for group in summary.groups:
        fit, name = group.relaxation, f"{escape(group.name)}: " if group.name else ""
        if isinstance(fit, Relaxation):
            low_us, high_us = fit.tau_ci95_us
            end = f"to {high_us:.3g} µs" if np.isfinite(high_us) else "with no upper limit"
            d_0, d_inf = (
                value_with_error(float(value[0]), float(error[0]))
                for value, error in ((fit.d_0_cm2_s, fit.d_0_error_cm2_s), (fit.d_inf_cm2_s, fit.d_inf_error_cm2_s))
            )
            yield f'<p class="headline">{name}τ = {value_with_error(fit.tau_us, fit.tau_error_us)} µs</p>'
            yield (
                f"<p>± is the standard error. 95 % interval {low_us:.3g} {end}; D = {d_0} cm²/s for frequent and "
                f"{d_inf} cm²/s for rare excitation; χ² = {fit.chi_square:.3g} for {fit.n_dof} degrees of freedom "
                f"(p = {fit.p_value:.2g}).</p>"
            )
        else:
            yield f'<p class="lamp amber">{name}no relaxation time: {escape(fit)}</p>'


def _figures(summary: SeriesSummary) -> Iterator[str]:
    yield figure(
        draw_enhancement(summary),
        "enhancement",
        "Diffusivity against the mean time between two excitations of a nanocrystal, set by the average power alone. "
        "Bars: 95 % intervals. Lines: D∞ + (D0 − D∞) exp(−t/τ).",
        is_wide=True,
    )
    conditions, decays = draw_conditions(summary), draw_decays(summary)
    if conditions is not None:
        caption = "The same diffusivities against each condition that was varied. Bars: 95 % intervals."
        yield figure(conditions, "conditions", caption, is_wide=True)
    if decays is not None:
        caption = "Decay of the photoluminescence against the average power. Bars: 95 % intervals."
        yield figure(decays, "decays", caption, is_wide=True)


def _findings(group: SeriesGroup) -> Iterator[str]:
    title = f"Tests, {group.name}" if group.name else "Tests"
    yield from table(title, {name: finding.verdict for name, finding in group.findings.items()})


def _cells(run: SeriesRun, group: SeriesGroup, row: int) -> tuple[str, ...]:
    """Return the cells of a run."""
    forster, of = run.forster, group.table
    label = f"{run.label} (again)" if run.is_reference else run.label
    return (
        f'<a href="{quote(run.source)}">{escape(label)}</a>',
        f"{of.excitons_per_pulse[row]:.3g}",
        f"{of.t_exc_us[row]:.3g}",
        f"{run.fluence_uj_cm2:.3g}",
        value_with_error(run.diffusivity_cm2_s, run.standard_error_cm2_s),
        "" if forster is None else value_with_error(forster.radius_nm, forster.error_nm),
        _bracketed(run.lifetime_ns),
        _bracketed(run.tail_exponent),
        f'<span class="lamp {run.bias_lamp}">{run.bias_lamp}</span>',
    )


def _bracketed(value: tuple[float, float, float] | None) -> str:
    return "" if value is None else "{:.3f} ({:.3f}, {:.3f})".format(*value)

"""Figs. 2A to 2H: whether D depends on the average power, on the repetition rate, or on excitons per pulse."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc
from scipy.stats import spearmanr

from tplm_daq.analysis.average_power import average_power_only
from tplm_daq.analysis.relaxation import Relaxation
from tplm_daq.analysis.series_summary import SeriesRun
from tplm_daq.analysis.series_table import SeriesTable
from tplm_daq.report.numbers import value_with_error
from tplm_daq.report.paper.view import Curve, Origin, Panel, PaperFigure, Points, Row
from tplm_daq.workflow.paper.measured import Measured, column, light_text, marks, power_text, truths
from tplm_daq.workflow.paper.published import EXCITONS_MHZ_PER_NW, diffusivity_cm2_s
from tplm_daq.workflow.paper.rows import missing, shown, unrefuted

FloatArray = NDArray[np.float64]

SERIES = {
    "power": "power series",
    "rate": "rate, same energy",
    "constant-power": "rate, same power",
}
SAME_POWER = 0.02
"""Average powers that differ by less, relatively, are the same."""


def series(measured: Measured) -> PaperFigure:
    """Return Figs. 2A to 2E: three series, their displacements and their diffusivities."""
    constant = _brightest(measured.runs("constant-power"))
    chosen = {"power": measured.runs("power"), "rate": measured.runs("rate"), "constant-power": constant}
    letters = dict(zip(chosen, "abc", strict=True))
    spread = [_displacements(measured, name, runs, letters[name]) for name, runs in chosen.items()]
    power = Panel(
        "d  Power series",
        "average power (nW)",
        "D (cm²/s)",
        (
            marks(column(chosen["power"], "power_nw"), chosen["power"], "measured"),
            truths(column(chosen["power"], "power_nw"), chosen["power"]),
        ),
        is_x_log=True,
    )
    rates = Panel(
        "e  Rate series",
        "repetition rate (MHz)",
        "D (cm²/s)",
        [
            marks(column(runs, "repetition_rate_hz") / 1e6, runs, label, colour)
            for runs, label, colour in (
                (chosen["rate"], "same pulse energy", 2),
                (constant, f"{power_text(constant[0])}", 3),
            )
        ],
        is_x_log=True,
    )
    return PaperFigure(
        "2A-E",
        "Power, rate, and rate at constant power",
        "Mean squared displacement (a) at 2.5 MHz with growing power, (b) with growing rate at constant pulse energy, "
        "⟨N⟩ = 0.02, and (c) with growing rate at constant average power; lowest, middle and highest of each, bars: "
        "standard errors, lines: 2 D t. (d, e) D of all runs of the series. Bars: 95 % intervals. The arrangement of "
        "panels is ours.",
        (*spread, power, rates),
        (
            _grows("D in the power series", "grows with power", chosen["power"]),
            _grows("D in the rate series at constant pulse energy", "grows with the rate", chosen["rate"]),
            _stays(measured.runs("constant-power")),
        ),
        measured.left_out("2A-E"),
        measured.sources("2A-E"),
    )


def correlations(measured: Measured) -> PaperFigure:
    """Return Figs. 2F to 2H: D of all runs against power, rate and excitons per pulse, with tests."""
    parts = {name: measured.runs(name) for name in SERIES}
    colours = {"power": 0, "rate": 2, "constant-power": 3}
    axes = (
        ("f  Power", "average power (nW)", _powers),
        ("g  Rate", "repetition rate (MHz)", _rates),
        ("h  Excitons per pulse", "⟨N⟩", _excitons),
    )
    panels = [
        Panel(
            title,
            label,
            "D (cm²/s)",
            [
                marks(place(runs), runs, SERIES[name] if number == 0 else "", colours[name])
                for name, runs in parts.items()
            ],
            [_law()] if number == 0 else [],
            is_x_log=True,
        )
        for number, (title, label, place) in enumerate(axes)
    ]
    group = measured.group(*SERIES)
    return PaperFigure(
        "2F-H",
        "D against power, rate and excitons per pulse",
        f"The {len(group.runs)} runs of the three series against each condition. Bars: 95 % intervals. Line: the "
        "published law of 4A. Tests: rank correlation, and regression of log D on log f with a level for each average "
        "power, at which ⟨N⟩ goes as 1/f.",
        tuple(panels),
        (*_correlated(group.table), _one_curve(group.relaxation, len(group.runs))),
        measured.left_out("2F-H"),
        measured.sources("2F-H"),
    )


def _correlated(table: SeriesTable) -> list[Row]:
    """Compare what D goes with: power, and at the same power rate and excitons per pulse."""
    test, d = average_power_only(table), table.diffusivity_cm2_s
    power, rate = (spearmanr(values, d) for values in (table.power_nw, table.repetition_rate_hz))
    half = test.exponent_half_interval
    told = f"± {half:.3f} (95 %), p = {test.p_value:.2g}, by permutation {test.permutation_p_value:.2g}"
    return [
        shown(
            "D and average power",
            "correlated",
            f"rank correlation {power.statistic:.2f} (p = {power.pvalue:.1g})",
            float(power.pvalue),
            Origin.RECOVERED,
        ),
        unrefuted(
            "D and repetition rate at the same power",
            "not correlated",
            f"D ∝ f^a, a = {test.rate_exponent:+.3f} {told}",
            min(test.p_value, test.permutation_p_value),
            Origin.RECOVERED,
            note=f"Whatever the power the rank correlation is {rate.statistic:.2f} (p = {rate.pvalue:.2g}): in "
            "one series power and rate grow together",
        ),
        unrefuted(
            "D and ⟨N⟩ at the same power",
            "not correlated",
            f"D ∝ ⟨N⟩^a, a = {test.excitons_exponent:+.3f} {told}",
            min(test.p_value, test.permutation_p_value),
            Origin.RECOVERED,
            note="The same test as above, as ⟨N⟩ goes as 1/f at the same power",
        ),
    ]


def _one_curve(fit: Relaxation | str, n_runs: int) -> Row:
    """Test that all runs lie on one curve of the time between excitations."""
    quantity, paper = "all runs on one curve of t_exc", "average power alone decides"
    if isinstance(fit, str):
        return missing(quantity, paper, fit, Origin.RECOVERED)
    told = f"{n_runs} runs, χ² = {fit.chi_square:.1f} for {fit.n_dof} degrees of freedom (p = {fit.p_value:.2g})"
    return unrefuted(quantity, paper, told, fit.p_value, Origin.RECOVERED)


def _grows(quantity: str, paper: str, runs: Sequence[SeriesRun]) -> Row:
    """Test that D of the last run exceeds that of the first by more than errors make likely."""
    ordered = sorted(runs, key=lambda run: run.power_nw)
    first, last = ordered[0], ordered[-1]
    z = (last.diffusivity_cm2_s - first.diffusivity_cm2_s) / np.hypot(
        last.standard_error_cm2_s, first.standard_error_cm2_s
    )
    told = " to ".join(
        f"{value_with_error(run.diffusivity_cm2_s, run.standard_error_cm2_s)} at {light_text(run)}"
        for run in (first, last)
    )
    return shown(quantity, paper, f"{told} (cm²/s)", float(chdtrc(1, z**2)) if z > 0 else 1.0, Origin.RECOVERED)


def _stays(runs: Sequence[SeriesRun]) -> Row:
    """Test that D is the same at every rate, at each of the powers."""
    chi_square, n_dof, told = 0.0, 0, []
    for power_nw in sorted({run.power_nw for run in runs}):
        same = [run for run in runs if abs(run.power_nw / power_nw - 1.0) < SAME_POWER]
        d, error = column(same, "diffusivity_cm2_s"), column(same, "standard_error_cm2_s")
        if len(same) < 2 or same[0].power_nw != power_nw:
            continue
        mean = float(np.average(d, weights=error**-2))
        chi_square += float(np.sum(((d - mean) / error) ** 2))
        n_dof += len(same) - 1
        told.append(f"{value_with_error(mean, float(np.sum(error**-2.0) ** -0.5))} at {power_nw:.3g} nW")
    p_value = float(chdtrc(n_dof, chi_square)) if n_dof else float("nan")
    rates = column(runs, "repetition_rate_hz") / 1e6
    return unrefuted(
        f"D at constant power, {rates.min():g} to {rates.max():g} MHz",
        "stays the same",
        f"{', '.join(told)} (cm²/s); χ² = {chi_square:.1f} for {n_dof} degrees of freedom (p = {p_value:.2g})",
        p_value,
        Origin.RECOVERED,
    )


def _displacements(measured: Measured, name: str, runs: Sequence[SeriesRun], letter: str) -> Panel:
    """Return the displacements of three runs of a series."""
    by = "power_nw" if name == "power" else "repetition_rate_hz"
    ordered = sorted(runs, key=lambda run: float(getattr(run, by)))
    points, curves = [], []
    for colour, run in zip((0, 2, 3), (ordered[0], ordered[len(ordered) // 2], ordered[-1]), strict=True):
        stored = measured.open(name, run).latest_result()
        if stored is None:
            continue
        age_ns, msd, error, line = (
            np.asarray(stored.values[f"msd_{key}"]) for key in ("age_ns", "nm2", "error_nm2", "fit_nm2")
        )
        age_ns, msd, error = (_joined(values, 4) for values in (age_ns, msd, error))
        error = error / 2.0
        label = light_text(run)
        points.append(Points(age_ns, msd, msd - error, msd + error, label, colour))
        curves.append(Curve(np.asarray(stored.values["msd_age_ns"]), line, "", colour))
    return Panel(f"{letter}  {SERIES[name].capitalize()}", "mean age (ns)", "MSD per axis (nm²)", points, curves)


def _joined(values: FloatArray, n_join: int) -> FloatArray:
    """Return means of neighbours."""
    n_groups = len(values) // n_join
    return np.asarray(values[: n_groups * n_join].reshape(n_groups, n_join).mean(axis=1))


def _brightest(runs: Sequence[SeriesRun]) -> tuple[SeriesRun, ...]:
    """Return the runs at the highest power."""
    highest = max(run.power_nw for run in runs)
    return tuple(run for run in runs if run.power_nw > (1.0 - SAME_POWER) * highest)


def _powers(runs: Sequence[SeriesRun]) -> FloatArray:
    return column(runs, "power_nw")


def _rates(runs: Sequence[SeriesRun]) -> FloatArray:
    return column(runs, "repetition_rate_hz") / 1e6


def _excitons(runs: Sequence[SeriesRun]) -> FloatArray:
    """Return <N> of runs."""
    return EXCITONS_MHZ_PER_NW * column(runs, "power_nw") / (column(runs, "repetition_rate_hz") / 1e6)


def _law() -> Curve:
    """Return the published law against power."""
    power_nw = np.geomspace(0.4, 25.0, 200)
    return Curve(power_nw, diffusivity_cm2_s(power_nw), "published law", 1, is_dashed=True)

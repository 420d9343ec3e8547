"""Figs. 1E and 1F: the counts over time and position, and the mean squared displacement that follows from them."""

from __future__ import annotations

import numpy as np

from tplm_daq.analysis.models import NM2_PER_NS_PER_CM2_PER_S
from tplm_daq.analysis.result import Result
from tplm_daq.analysis.series_summary import SeriesRun
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.report.paper.view import Curve, MapDrawing, Origin, Panel, PaperFigure, Points, Row
from tplm_daq.workflow.analyse import analyse_run
from tplm_daq.workflow.paper.measured import Measured, power_text
from tplm_daq.workflow.paper.published import diffusivity_cm2_s
from tplm_daq.workflow.paper.rows import Z_95, compared, missing, scaled_error, shown

SHOWN_NW = 10.0
"""Power of the run that is shown."""
SUBLINEAR = 1.0
"""Exponent of a mean squared displacement that grows with time."""


def time_position_map(measured: Measured) -> PaperFigure:
    """Return Fig. 1E: the map of one run."""
    run = _shown(measured)
    file = measured.open("power", run)
    result = analyse_run(file, AnalysisRecipe(kind="analysis"))
    truth = file.truth() or {}
    width_nm = float(str(truth.get("sigma0_nm", "nan")))
    return PaperFigure(
        "1E",
        "Time-position map",
        f"Counts at {power_text(run)}, {len(file.map().x_nm)} positions across the spot, "
        f"{file.points['live_s'].sum() / 60:.0f} min of counting. (a) Each delay scaled to its maximum; dashed: fitted "
        "centre ± standard deviation. (b) All counts, scaled to the mean dwell. Nothing is subtracted or smoothed.",
        MapDrawing(file.map(), result),
        (
            compared(
                f"D at {power_text(run)}",
                _law_cm2_s(run),
                result.diffusivity_cm2_s,
                result.standard_error_cm2_s,
                "cm²/s",
                Origin.RECOVERED,
                paper=f"{_law_cm2_s(run):.4f} cm²/s, from the published law of 4A",
            ),
            compared(
                "σ of the spot's image at the pulse",
                width_nm,
                result.sigma0_nm,
                result.sigma0_error_nm,
                "nm",
                Origin.RECOVERED,
                paper=f"{width_nm:.1f} nm: laser of 500 nm FWHM, seen through 312 nm (ours)",
            ),
        ),
        sources=measured.sources("1E"),
    )


def displacement(measured: Measured) -> PaperFigure:
    """Return Fig. 1F: mean squared displacement by the paper's estimator and by the likelihood of the counts."""
    run = _shown(measured)
    file = measured.open("power", run)
    likely, paper = (analyse_run(file, AnalysisRecipe(kind="analysis", method=name)) for name in ("auto", "paper"))
    return PaperFigure(
        "1F",
        "Mean squared displacement",
        f"σ²(t) − σ²(0) at {power_text(run)}. (a) The paper's estimator: a Gaussian fitted at each delay bin, bars the "
        "standard deviation of 25 neighbours, line through the origin, band its 95 % interval of regression. (b) Our "
        "default: all counts fitted at once with their Poisson likelihood; points per 50 ps bin with standard errors.",
        (_panel("a  Paper's estimator", paper), _panel("b  Likelihood of the counts", likely)),
        (
            _row("D, paper's estimator", run, paper, "Its interval is not calibrated: see docs/physics.md"),
            _row("D, likelihood of the counts", run, likely, ""),
            _exponent(likely),
            _late(likely),
        ),
        sources=measured.sources("1F"),
    )


def _shown(measured: Measured) -> SeriesRun:
    return min(measured.runs("power"), key=lambda run: abs(run.power_nw - SHOWN_NW))


def _law_cm2_s(run: SeriesRun) -> float:
    return float(diffusivity_cm2_s(run.power_nw))


def _row(quantity: str, run: SeriesRun, result: Result, about: str) -> Row:
    bias = 100.0 * (result.diffusivity_cm2_s / _law_cm2_s(run) - 1.0)
    return compared(
        quantity,
        _law_cm2_s(run),
        result.diffusivity_cm2_s,
        result.standard_error_cm2_s,
        "cm²/s",
        Origin.RECOVERED,
        paper=f"{_law_cm2_s(run):.4f} cm²/s, from the published law of 4A",
        reason=f"{bias:+.1f} %. {about}" if about else "",
    )


def _exponent(result: Result) -> Row:
    """Compare the exponent of the displacement within the window with that of diffusion."""
    found = {figure.name: figure for figure in result.figures}.get("msd_exponent")
    if found is None:
        return missing("MSD ∝ t^a within 3 ns: a", "1, a straight line", "too few counts", Origin.RECOVERED)
    error = scaled_error((found.value, *found.ci95))
    return compared(
        "MSD ∝ t^a within 3 ns: a", 1.0, found.value, error, "", Origin.RECOVERED, paper="1, a straight line"
    )


def _late(result: Result) -> Row:
    """Compare the exponent beyond the window: below 1, and the value put in beside it."""
    found = {figure.name: figure for figure in result.figures}.get("late_msd_exponent")
    quantity, paper = "MSD ∝ t^a after 3 ns: a", "sublinear (input 0.4, ours)"
    if found is None:
        return missing(quantity, paper, "too few counts", Origin.RECOVERED)
    error = scaled_error((found.value, *found.ci95))
    z = (SUBLINEAR - found.value) / error
    return shown(
        quantity, paper, f"{found.value:.3f} ± {error:.3f}", float(np.exp(-0.5 * max(z, 0.0) ** 2)), Origin.RECOVERED
    )


def _panel(title: str, result: Result) -> Panel:
    msd = result.msd
    span_ns = np.array([0.0, float(np.nanmax(msd.age_ns))])
    line, low, high = (
        2.0 * d * NM2_PER_NS_PER_CM2_PER_S * span_ns for d in (result.diffusivity_cm2_s, *result.ci95_cm2_s)
    )
    half = msd.error_nm2 * (1.0 if result.method == "paper" else Z_95)
    known = np.isfinite(msd.msd_nm2) & np.isfinite(half)
    return Panel(
        title,
        "mean age of the excitons (ns)",
        "MSD per axis (nm²)",
        (
            Points(
                msd.age_ns[known],
                msd.msd_nm2[known],
                (msd.msd_nm2 - half)[known],
                (msd.msd_nm2 + half)[known],
                "per bin",
            ),
        ),
        (Curve(span_ns, line, "2 D t", 1, low=low, high=high),),
    )

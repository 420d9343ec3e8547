"""Fig. 4A: D against the time between two excitations of a nanocrystal, and how long it remembers one."""

from __future__ import annotations

import numpy as np

from tplm_daq.analysis.relaxation import Relaxation
from tplm_daq.analysis.series_summary import SeriesGroup
from tplm_daq.report.numbers import value_with_error
from tplm_daq.report.paper.view import Curve, Origin, Panel, PaperFigure, Row
from tplm_daq.workflow.paper.measured import Measured, marks, truths
from tplm_daq.workflow.paper.published import COLD_TAU_US, D_0_CM2_S, D_INF_CM2_S, TAU_US
from tplm_daq.workflow.paper.rows import compared, judged, missing, unrefuted


def relaxation(measured: Measured) -> PaperFigure:
    """Return Fig. 4A: measured diffusivities at 300 K and 50 K with their exponentials."""
    warm, cold = (measured.group(name) for name in ("power", "cold"))
    return PaperFigure(
        "4A",
        "D against the time between excitations",
        "D against t_exc = 1/(⟨N⟩ f) = 50 µs nW / P, (a) at 300 K and (b) at 50 K. Bars: 95 % intervals. Lines: D∞ + "
        "(D0 − D∞) exp(−t_exc/τ), fitted. Rings: the simulated sample.",
        (_panel("a  300 K", warm, 0), _panel("b  50 K", cold, 2)),
        (
            *_tau("τ at 300 K", TAU_US, warm.relaxation),
            *_ends(warm.relaxation),
            *_tau("τ at 50 K", COLD_TAU_US, cold.relaxation),
        ),
        measured.left_out("4A"),
        measured.sources("4A"),
    )


def _panel(title: str, group: SeriesGroup, colour: int) -> Panel:
    t_us = group.table.t_exc_us
    curves = []
    if isinstance(group.relaxation, Relaxation):
        fine_us = np.geomspace(0.7 * t_us.min(), 1.4 * t_us.max(), 200)
        curves.append(Curve(fine_us, group.relaxation.curve(fine_us), f"τ = {group.relaxation.tau_us:.3g} µs", 1))
    return Panel(
        title,
        "time between excitations (µs)",
        "D (cm²/s)",
        (marks(t_us, group.runs, "measured", colour), truths(t_us, group.runs)),
        curves,
        is_x_log=True,
    )


def _tau(quantity: str, published_us: float, fit: Relaxation | str) -> list[Row]:
    """Compare a relaxation time by its own profile interval, and the shape of the curve with an exponential."""
    paper = f"about {published_us:g} µs"
    if isinstance(fit, str):
        return [missing(quantity, paper, fit, Origin.RECOVERED)]
    low_us, high_us = fit.tau_ci95_us
    return [
        judged(
            quantity,
            paper,
            f"{value_with_error(fit.tau_us, fit.tau_error_us)} µs, 95 % interval {low_us:.4g} to {high_us:.4g} µs",
            Origin.RECOVERED,
            "the 95 % profile interval contains the published value",
            low_us <= published_us <= high_us,
            "" if low_us <= published_us <= high_us else "The interval does not reach the published value",
        ),
        unrefuted(
            f"{quantity}: an exponential describes the curve",
            "it does",
            f"χ² = {fit.chi_square:.1f} for {fit.n_dof} degrees of freedom (p = {fit.p_value:.2g})",
            fit.p_value,
            Origin.RECOVERED,
        ),
    ]


def _ends(fit: Relaxation | str) -> list[Row]:
    if isinstance(fit, str):
        return []
    return [
        compared(
            "D0, frequent excitation at 300 K",
            D_0_CM2_S,
            float(fit.d_0_cm2_s[0]),
            float(fit.d_0_error_cm2_s[0]),
            "cm²/s",
            Origin.RECOVERED,
        ),
        compared(
            "D∞, rare excitation at 300 K",
            D_INF_CM2_S,
            float(fit.d_inf_cm2_s[0]),
            float(fit.d_inf_error_cm2_s[0]),
            "cm²/s",
            Origin.RECOVERED,
            paper="about 0.01 cm²/s",
        ),
    ]

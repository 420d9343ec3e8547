"""Note S2: whether a small D comes back as it is, whatever the shot noise and the background."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from tplm_daq.analysis.series_summary import SeriesRun
from tplm_daq.report.paper.view import Curve, Origin, Panel, PaperFigure, Points, Row
from tplm_daq.workflow.paper.measured import Measured, column
from tplm_daq.workflow.paper.programme import LIMITS
from tplm_daq.workflow.paper.rows import Z_95, missing, shown, unrefuted

FloatArray = NDArray[np.float64]


def small_diffusivities(measured: Measured) -> PaperFigure:
    """Return note S2: D that was fitted against D that was put in."""
    parts = {name: measured.runs(name) for name in LIMITS}
    runs = [run for part in parts.values() for run in part]
    pulls = _pulls(runs)
    recovery = Panel(
        "a  Recovery",
        "D of the simulated sample (cm²/s)",
        "D fitted (cm²/s)",
        [_recovered(name, part, number) for number, (name, part) in enumerate(parts.items())],
        [Curve(np.array([0.0, 0.01]), np.array([0.0, 0.01]), "equal", 1, is_dashed=True)],
    )
    spread = Panel(
        "b  In standard errors",
        "photons in the fit window",
        "(fitted − true) / standard error",
        [
            Points(column(chosen, "n_photons"), z, z - 1.0, z + 1.0, label, colour)
            for label, chosen, colour in (
                ("no filter", [run for run in runs if run.detection_filter == "open"], 0),
                ("filter: 4 × the background", [run for run in runs if run.detection_filter != "open"], 3),
            )
            for z in (_pulls(chosen),)
        ],
        [Curve(np.array([column(runs, "n_photons").min(), column(runs, "n_photons").max()]), np.zeros(2), "", 1, True)],
        is_x_log=True,
        from_zero=False,
        y_limits=(-4.5, 4.5),
    )
    return PaperFigure(
        "S2",
        "Recovery of small diffusivities",
        "The colloidal ALD preset has D of 0.01 cm²/s and less. Shot noise: three times of counting. Background: dark "
        "counts stay while a filter takes three quarters of the signal. (a) D fitted against D put in; bars: 95 % "
        "intervals; marks are moved sideways by up to 0.0002 cm²/s to keep them apart. (b) The deviation in standard "
        "errors; bars: one standard error.",
        (recovery, spread),
        tuple(_rows(runs, pulls)),
        measured.left_out("S2"),
        measured.sources("S2"),
    )


def _rows(runs: Sequence[SeriesRun], pulls: FloatArray) -> list[Row]:
    if not len(pulls):
        return [missing("recovery", "D below 0.01 cm²/s is recovered", "no run has a result", Origin.RECOVERED)]
    mean, p_value = float(pulls.mean()), float(chdtrc(len(pulls), float(np.sum(pulls**2))))
    filtered = pulls[[run.detection_filter != "open" for run in runs]]
    return [
        unrefuted(
            f"all {len(pulls)} runs: D within its error",
            "D of 0.01 cm²/s and less is recovered",
            f"χ² = {np.sum(pulls**2):.1f} for {len(pulls)} degrees of freedom (p = {p_value:.2g})",
            p_value,
            Origin.RECOVERED,
        ),
        _unbiased("all runs: no bias", mean, len(pulls)),
        _unbiased("with four times the background: no bias", float(filtered.mean()), len(filtered)),
        _smallest(runs),
    ]


def _unbiased(quantity: str, mean: float, n_runs: int) -> Row:
    p_value = float(chdtrc(1, n_runs * mean**2))
    told = f"mean deviation {mean:+.2f} ± {n_runs**-0.5:.2f} standard errors (p = {p_value:.2g})"
    return unrefuted(quantity, "shot noise and background do not matter", told, p_value, Origin.RECOVERED)


def _smallest(runs: Sequence[SeriesRun]) -> Row:
    """Test that the smallest D of the longest counting is told from no diffusion."""
    longest = max(runs, key=lambda run: (-(run.truth_cm2_s or 0.0), run.n_photons))
    z = longest.diffusivity_cm2_s / longest.standard_error_cm2_s
    return shown(
        f"D of {longest.truth_cm2_s or float('nan'):.4f} cm²/s, counted longest: told from zero",
        "below 0.01 cm²/s can be measured",
        f"{longest.diffusivity_cm2_s:.4f} ± {longest.standard_error_cm2_s:.4f} cm²/s, {z:.1f} standard errors",
        float(chdtrc(1, z**2)) if z > 0 else 1.0,
        Origin.RECOVERED,
    )


def _recovered(name: str, runs: Sequence[SeriesRun], number: int) -> Points:
    d, half = column(runs, "diffusivity_cm2_s"), Z_95 * column(runs, "standard_error_cm2_s")
    aside = np.array(
        [0.0001 * (number - 1) + (0.00005 if run.detection_filter == "open" else -0.00005) for run in runs]
    )
    dwell = name.removeprefix("limit-").replace("s", " s")
    colour = number if number == 0 else number + 1
    return Points(column(runs, "truth_cm2_s") + aside, d, d - half, d + half, f"{dwell} per position", colour)


def _pulls(runs: Sequence[SeriesRun]) -> FloatArray:
    """Return the deviations from what was put in, in standard errors."""
    deviation = column(runs, "diffusivity_cm2_s") - column(runs, "truth_cm2_s")
    return np.asarray(deviation / column(runs, "standard_error_cm2_s"))

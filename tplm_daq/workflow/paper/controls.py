"""Figs. 3A and 3B: the enhancement is reversible, and D does not depend on how many photons are detected."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc

from tplm_daq.analysis.series_table import SAME_LIGHT
from tplm_daq.analysis.series_tests import reversibility, signal_invariance
from tplm_daq.report.paper.view import Origin, Panel, PaperFigure, Points, Row
from tplm_daq.workflow.paper.measured import Measured, marks
from tplm_daq.workflow.paper.rows import shown, unrefuted


def there_and_back(measured: Measured) -> PaperFigure:
    """Return Fig. 3A: low, high and low power at each spot."""
    group = measured.group("reversibility")
    spots = list(dict.fromkeys(run.spot for run in group.runs))
    points, rows, differences = list[Points](), list[Row](), list[float]()
    for colour, spot in enumerate(spots):
        chosen = [i for i, run in enumerate(group.runs) if run.spot == spot]
        runs = [group.runs[i] for i in chosen]
        place = np.arange(1.0, len(runs) + 1) + 0.08 * (colour - 0.5 * (len(spots) - 1))
        points.append(marks(place, runs, f"spot {colour + 1}", colour if colour == 0 else colour + 1))
        found = reversibility(group.table.rows(chosen))
        differences.append(found.z)
        rows.append(
            unrefuted(
                f"spot {colour + 1}: third run against the first",
                "they agree",
                f"{found.difference_cm2_s:+.4f} ± {found.difference_error_cm2_s:.4f} cm²/s (p = {found.p_value:.2g})",
                found.p_value,
                Origin.RECOVERED,
            )
        )
        rows.append(
            shown(
                f"spot {colour + 1}: run at high power in between",
                "D is larger",
                f"{found.enhancement_z:.0f} standard errors above the others",
                found.enhancement_p_value,
                Origin.RECOVERED,
            )
        )
    p_value = float(chdtrc(len(differences), float(np.sum(np.square(differences)))))
    rows.append(
        unrefuted("all spots together", "reversible", f"p = {p_value:.2g} that none differs", p_value, Origin.RECOVERED)
    )
    first = [run for run in group.runs if run.spot == spots[0]]
    ticks = {float(number): f"{number}: {run.power_nw:.3g} nW" for number, run in enumerate(first, start=1)}
    return PaperFigure(
        "3A",
        "Reversibility at four spots",
        "D at low, high and again low power, one spot after the other: the sample stage moves the film by 5 µm between "
        "them. Bars: 95 % intervals.",
        (Panel("", "run at the spot", "D (cm²/s)", points, ticks=ticks),),
        tuple(rows),
        measured.left_out("3A"),
        measured.sources("3A"),
    )


def filters(measured: Measured) -> PaperFigure:
    """Return Fig. 3B: the same light seen through filters."""
    group = measured.group("filters")
    powers = sorted({round(run.power_nw, 2) for run in group.runs})
    points, rows = list[Points](), list[Row]()
    seen = set[int]()
    for power_nw in powers:
        chosen = [
            i for i, run in enumerate(group.runs) if abs(run.power_nw / power_nw - 1.0) < SAME_LIGHT and i not in seen
        ]
        if len(chosen) < 2:
            continue
        seen.update(chosen)
        runs = [group.runs[i] for i in chosen]
        photons = np.array([run.n_photons for run in runs], dtype=np.float64)
        points.append(marks(photons, runs, f"{power_nw:.3g} nW", 2 * len(points)))
        found = signal_invariance(group.table.rows(chosen))
        rows.append(
            unrefuted(
                f"D at {power_nw:.3g} nW, photons reduced to 1/{photons.max() / photons.min():.0f}",
                "does not change",
                f"{found.slope_per_decade_cm2_s:+.4f} ± {found.slope_error_cm2_s:.4f} cm²/s per factor of ten; χ² = "
                f"{found.chi_square:.1f} for {found.n_dof} degrees of freedom (p = {found.p_value:.2g})",
                found.p_value,
                Origin.RECOVERED,
            )
        )
    return PaperFigure(
        "3B",
        "Filters before the detector",
        "D against the photons in the fit window: neutral density filters before the detector take signal, and leave "
        "the light on the sample and the detector's dark counts as they are. Bars: 95 % intervals.",
        (Panel("", "photons in the fit window", "D (cm²/s)", points, is_x_log=True),),
        tuple(rows),
        measured.left_out("3B"),
        measured.sources("3B"),
    )

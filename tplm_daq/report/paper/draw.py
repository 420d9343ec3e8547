"""Draws panels: one look for every figure of the reproduction, whatever it shows."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter

from tplm_daq.report.figures import draw_map
from tplm_daq.report.paper.view import Curve, Drawing, LatticeDrawing, MapDrawing, Panel, Points
from tplm_daq.report.series_figures import GROUP_COLOURS, log_axis
from tplm_daq.report.style import INK, MODEL, SETTINGS, new_figure

COLOURS = (GROUP_COLOURS[0], MODEL, *GROUP_COLOURS[1:])
MARKERS = "osD^vP*"
SINGLE_IN, WIDE_IN, HEIGHT_IN = 3.7, 7.4, 2.75
MOST_COLUMNS = 3
DECADES_OF_THREE, DECADES_OF_TWO = 2.0, 2.4
"""Along x, that have room for numbers at 1, 2 and 5, and for those at 1 and 3."""
PLAIN_NUMBERS_TO = 1e4
MANY = 40
"""Marks, above which they are drawn small."""
SHOWN_NM = 550.0
"""Half the width of the part of the lattice that is shown."""


def draw(drawing: Drawing) -> Figure:
    """Draw whatever a figure of the reproduction consists of."""
    match drawing:
        case MapDrawing(data, result):
            return draw_map(data, result)
        case LatticeDrawing():
            return draw_lattice(drawing)
        case _:
            return draw_panels(drawing)


def is_wide(drawing: Drawing) -> bool:
    """Tell whether a drawing takes the whole width of the page."""
    return isinstance(drawing, MapDrawing) or (isinstance(drawing, tuple) and len(drawing) > 1)


@mpl.rc_context(SETTINGS)
def draw_panels(panels: tuple[Panel, ...]) -> Figure:
    """Draw panels side by side, at most three in a row.

    Parameters
    ----------
    panels : tuple of Panel
        At least one.

    Returns
    -------
    Figure
        A panel has the same size in every figure of two columns, and type has the same size in all.
    """
    n_rows = math.ceil(len(panels) / MOST_COLUMNS)
    figure = Figure(figsize=(SINGLE_IN if len(panels) == 1 else WIDE_IN, n_rows * HEIGHT_IN), layout="constrained")
    rows = np.array_split(np.arange(len(panels)), n_rows)
    grid = figure.add_gridspec(n_rows, math.lcm(*map(len, rows)))
    for i, row in enumerate(rows):
        width = grid.ncols // len(row)
        for j, number in enumerate(row):
            _draw_panel(figure.add_subplot(grid[i, j * width : (j + 1) * width]), panels[number])
    return figure


@mpl.rc_context(SETTINGS)
def draw_lattice(drawing: LatticeDrawing) -> Figure:
    """Draw the fast sites and the excitons of a lattice, and the spot that excited them.

    Parameters
    ----------
    drawing : LatticeDrawing
        The lattice.

    Returns
    -------
    Figure
        One panel, its middle the centre of the spot.
    """
    figure, (panel,) = new_figure(SINGLE_IN, height_in=3.6)
    snapshot = drawing.snapshot
    side_pt = 72.0 * 0.75 * SINGLE_IN * drawing.spacing_nm / (2.0 * SHOWN_NM)
    for places_nm, size_pt, colour, label in (
        (snapshot.fast_nm, side_pt, COLOURS[0], f"fast ({len(snapshot.fast_nm)})"),
        (snapshot.exciton_nm, 2.2 * side_pt, MODEL, f"excitons ({len(snapshot.exciton_nm)})"),
    ):
        shown = places_nm[np.abs(places_nm).max(axis=1) < SHOWN_NM] if len(places_nm) else places_nm
        panel.scatter(
            shown[:, 0], shown[:, 1], s=size_pt**2, color=colour, marker="s", linewidth=0, label=label, rasterized=True
        )
    for n_sigma in (1, 2):
        circle = Circle(
            (0, 0), n_sigma * drawing.spot_sigma_nm, fill=False, edgecolor=INK, linestyle="--", linewidth=0.8
        )
        panel.add_patch(circle)
    panel.set(xlim=(-SHOWN_NM, SHOWN_NM), ylim=(-SHOWN_NM, SHOWN_NM), aspect="equal", xlabel="x (nm)", ylabel="y (nm)")
    legend = panel.legend(loc="upper right", markerscale=3, handletextpad=0.2)
    legend.set_zorder(5)
    return figure


def _draw_panel(axes: Axes, panel: Panel) -> None:
    for curve in panel.curves:
        _draw_curve(axes, curve)
    for points in panel.points:
        _draw_points(axes, points)
    axes.set(xlabel=panel.x_label, ylabel=panel.y_label, title=panel.title)
    if panel.is_x_log:
        log_axis(axes)
        n_decades = math.log10(axes.get_xlim()[1] / axes.get_xlim()[0])
        if n_decades > DECADES_OF_THREE:
            axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0) if n_decades <= DECADES_OF_TWO else (1.0,)))
        if axes.get_xlim()[1] > PLAIN_NUMBERS_TO:
            axes.xaxis.set_major_formatter(LogFormatterSciNotation())
    if panel.is_y_log:
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(NullFormatter())
    elif panel.from_zero:
        axes.set_ylim(bottom=0.0 if axes.dataLim.y0 >= 0 else axes.get_ylim()[0])
    if panel.y_limits is not None:
        axes.set_ylim(*panel.y_limits)
    if panel.ticks is not None:
        axes.set_xticks(list(panel.ticks), list(panel.ticks.values()))
    if any([*(curve.label for curve in panel.curves), *(points.label for points in panel.points)]):
        axes.legend(loc="best", handlelength=1.2, handletextpad=0.4, fontsize=8, labelspacing=0.3, borderaxespad=0.2)


def _draw_curve(axes: Axes, curve: Curve) -> None:
    colour = COLOURS[curve.colour % len(COLOURS)]
    if curve.low is not None and curve.high is not None:
        axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.3, linewidth=0, zorder=3)
    axes.plot(
        curve.x,
        curve.y,
        color=colour,
        linestyle="--" if curve.is_dashed else "-",
        linewidth=1.2,
        label=curve.label or None,
        zorder=3,
    )


def _draw_points(axes: Axes, points: Points) -> None:
    if points.is_truth:
        axes.plot(points.x, points.y, "o", mfc="none", mec=INK, ms=7.5, mew=0.6, label=points.label or None)
        return
    bars = None
    if points.low is not None and points.high is not None:
        bars = np.array([points.y - points.low, points.high - points.y])
    axes.errorbar(
        points.x,
        points.y,
        bars,
        fmt=MARKERS[points.colour % len(MARKERS)],
        color=COLOURS[points.colour % len(COLOURS)],
        markersize=3.8 if len(points.x) <= MANY else 2.0,
        elinewidth=0.9 if len(points.x) <= MANY else 0.5,
        label=points.label or None,
    )

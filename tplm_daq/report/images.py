"""Images of the spot: what a raster counted, over all delays and over three parts of the fit window.

Every position is drawn as a tile where it was measured, so that a raster that is not complete has holes and nothing
is interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from numpy.typing import NDArray

from tplm_daq.analysis.models import NM2_PER_NS_PER_CM2_PER_S
from tplm_daq.analysis.result import Result
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.report.style import COLOUR_MAP, SETTINGS, new_figure

FloatArray = NDArray[np.float64]

SAME_PLACE_NM = 5.0
"""Coordinates read back closer than this are one column or row; the tolerance of an actuator is 2 nm at the sample."""

N_PARTS = 3
"""Parts of the fit window that get an image of their own."""

UNFITTED_WINDOW_NS = 3.0
"""Divided instead of the fit window where there is none."""


@dataclass(frozen=True)
class SpotImage:
    """Counts of a raster within a range of delays.

    Attributes
    ----------
    title : str
        The range.
    counts : ndarray of float64, shape (n_position,)
        Counts at mean dwell.
    age_ns : float or None
        Middle of the range; None for all delays.
    """

    title: str
    counts: FloatArray
    age_ns: float | None


def is_raster(data: TimePositionMap) -> bool:
    """Tell whether the positions spread along both axes, by more than half a pixel."""
    return bool(min(np.ptp(data.x_nm), np.ptp(data.y_nm)) > 0.5 * min(data.pixel_nm))


def places_along(coordinates_nm: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """Find the columns or rows of a raster.

    Parameters
    ----------
    coordinates_nm : ndarray of float64, shape (n_position,)
        One coordinate of each position, as read back.

    Returns
    -------
    place_nm : ndarray of float64, shape (n_place,)
        Mean coordinate of each column or row, ascending.
    index : ndarray of intp, shape (n_position,)
        The one to which each position belongs.

    Examples
    --------
    >>> places_along(np.array([100.4, 0.0, 99.6]))
    (array([  0., 100.]), array([1, 0, 1]))
    """
    order = np.argsort(coordinates_nm)
    index = np.empty(len(order), dtype=np.intp)
    index[order] = np.concatenate([[0], np.cumsum(np.diff(coordinates_nm[order]) > SAME_PLACE_NM)])
    return np.bincount(index, coordinates_nm) / np.bincount(index), index


@mpl.rc_context(SETTINGS)
def draw_images(data: TimePositionMap, result: Result | None) -> Figure:
    """Draw the counts of a raster over y and x: of all delays, and of three parts of the fit window.

    Parameters
    ----------
    data : TimePositionMap
        What was measured.
    result : Result or None
        Its pulse arrival and window set the parts; its spot is the cross and the dashed lines.

    Returns
    -------
    Figure
        Four panels, each scaled to its maximum, which it names.
    """
    figure, panels = new_figure(7.4, n_columns=1 + N_PARTS, height_in=2.1)
    tiles = _tiles(data)
    for letter, panel, image in zip("abcd", panels, _images(data, result), strict=True):
        highest = image.counts.max()
        drawn = PolyCollection(list(tiles), cmap=COLOUR_MAP, antialiased=False, linewidth=0.0, rasterized=True)
        drawn.set(array=image.counts / max(highest, 1.0), clim=(0.0, 1.0))
        panel.add_collection(drawn)
        panel.set(title=f"{letter}  {image.title}", xlabel="x (nm)", aspect="equal")
        panel.set_xlim(tiles[..., 0].min(), tiles[..., 0].max())
        panel.set_ylim(tiles[..., 1].min(), tiles[..., 1].max())
        panel.text(0.04, 0.04, f"max {highest:,.0f}", transform=panel.transAxes, color="white", fontsize=8)
        if result is not None:
            _mark_spot(panel, result, image.age_ns)
    panels[0].set_ylabel("y (nm)")
    for panel in panels[1:]:
        panel.tick_params(labelleft=False)
    bar = figure.colorbar(drawn, ax=panels, pad=0.015, aspect=22)
    bar.set_label("counts / maximum")
    bar.outline.set_visible(False)
    return figure


def _images(data: TimePositionMap, result: Result | None) -> list[SpotImage]:
    """Sum the counts over all delays and over each part of the window."""
    dwell = np.ones(len(data.x_nm)) if data.dwell_s is None else data.dwell_s / data.dwell_s.mean()
    if result is None:
        t0_ns = float(data.delay_ns[np.argmax(data.counts.sum(axis=0))])
        window_ns = min(UNFITTED_WINDOW_NS, float(data.delay_ns[-1]) - t0_ns)
    else:
        t0_ns, window_ns = result.t0_ns, float(np.nanmax(result.msd.age_ns))
    images = [SpotImage("all delays", data.counts.sum(axis=1) / dwell, None)]
    for start_ns, end_ns in np.linspace(0.0, window_ns, N_PARTS + 1)[[[0, 1], [1, 2], [2, 3]]]:
        is_within = (data.delay_ns >= t0_ns + start_ns) & (data.delay_ns < t0_ns + end_ns)
        title = f"{start_ns:.1f} to {end_ns:.1f} ns"
        images.append(SpotImage(title, data.counts[:, is_within].sum(axis=1) / dwell, 0.5 * (start_ns + end_ns)))
    return images


def _tiles(data: TimePositionMap) -> FloatArray:
    """Return the corners of a tile around each position, as large as a step: float64 (n_position, 4, 2)."""
    halves_nm = []
    for coordinates_nm, pixel_nm in zip((data.x_nm, data.y_nm), data.pixel_nm, strict=True):
        steps_nm = np.diff(places_along(coordinates_nm)[0])
        halves_nm.append(0.5 * (float(np.median(steps_nm)) if len(steps_nm) else pixel_nm))
    corners_nm = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * halves_nm
    return np.asarray(np.column_stack([data.x_nm, data.y_nm])[:, None, :] + corners_nm)


def _mark_spot(panel: Axes, result: Result, age_ns: float | None) -> None:
    """Mark the fitted centre, and around it the fitted standard deviation at an age."""
    if result.centre_xy_nm is None or result.sigma0_xy_nm is None:
        return
    panel.plot(*result.centre_xy_nm, "+", color="black", markersize=6, markeredgewidth=0.9)
    if age_ns is None:
        return
    spread_nm2 = 2.0 * result.diffusivity_cm2_s * NM2_PER_NS_PER_CM2_PER_S * age_ns
    width_nm, height_nm = 2.0 * np.sqrt(np.maximum(np.square(result.sigma0_xy_nm) + spread_nm2, 0.0))
    panel.add_patch(Ellipse(result.centre_xy_nm, width_nm, height_nm, fill=False, color="black", linestyle="--"))

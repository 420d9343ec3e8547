"""The figures of a report: map, decay, profiles, mean squared displacement.

They draw what the analysis found and compute nothing but display bins, wide enough to be seen.
"""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tplm_daq.analysis.models import NM2_PER_NS_PER_CM2_PER_S
from tplm_daq.analysis.result import Profile, Result
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.report.style import COLOUR_MAP, DATA, MODEL, SECOND, SETTINGS, new_figure

FloatArray = NDArray[np.float64]

MAP_BIN_NS = 0.05
"""Display bin of the maps."""
N_DECAY_BINS = 1200
"""Most points drawn of a decay; more cannot be told apart on a page."""
N_ERROR_BARS = 100
"""Above this number of points errors are drawn as a band."""
BEFORE_PULSE_NS = 0.1
"""Left end of the scaled map; earlier delays hold background alone, and scaled they would be noise."""


@mpl.rc_context(SETTINGS)
def draw_map(data: TimePositionMap, result: Result | None) -> Figure:
    """Draw the counts over delay and position: each delay scaled to its maximum, and all on a log scale.

    Parameters
    ----------
    data : TimePositionMap
        What was measured.
    result : Result or None
        Its pulse arrival sets the zero, its window the range, its spot the dashed lines.

    Returns
    -------
    Figure
        Two panels.
    """
    figure, (scaled, whole) = new_figure(7.4, n_columns=2)
    position_nm, rows = _along_scan(data, result)
    t0_ns = 0.0 if result is None else result.t0_ns
    delay_ns, rate = _display_bins(data.delay_ns - t0_ns, data.counts[rows] / _relative_dwell(data)[rows, None])
    peak = rate.max(axis=0)
    share = np.divide(rate, peak, out=np.zeros_like(rate), where=peak > 0)
    image = scaled.pcolormesh(delay_ns, position_nm, share, cmap=COLOUR_MAP, vmin=0, vmax=1, rasterized=True)
    _name_colours(figure, image, scaled, "counts / maximum at this delay")
    floor = max(float(rate[rate > 0].min(initial=1.0)), rate.max() * 1e-5)
    colours = LogNorm(floor, max(float(rate.max()), 2 * floor))
    image = whole.pcolormesh(
        delay_ns, position_nm, np.maximum(rate, floor), norm=colours, cmap=COLOUR_MAP, rasterized=True
    )
    _name_colours(figure, image, whole, f"counts per {_width(delay_ns)} at mean dwell")
    for panel, title in ((scaled, "a  Shape"), (whole, "b  Counts")):
        panel.set(xlabel="delay after the pulse (ns)", ylabel=f"position {_axis_name(result)} (nm)", title=title)
        panel.set_ylim(position_nm[0], position_nm[-1])
    if result is not None:
        _draw_spot(scaled, result)
    return figure


@mpl.rc_context(SETTINGS)
def draw_decay(result: Result, bin_width_ns: float) -> Figure:
    """Draw the counts summed over all positions against delay, on a log scale, with the laws fitted.

    Parameters
    ----------
    result : Result
        Decay and model.
    bin_width_ns : float
        Width of a recorded bin.

    Returns
    -------
    Figure
        One panel.
    """
    figure, (panel,) = new_figure(3.7)
    n_join = -(-len(result.decay.delay_ns) // N_DECAY_BINS)
    delay_ns, counts = _mean_of(n_join, result.decay.delay_ns), _mean_of(n_join, result.decay.counts)
    panel.semilogy(delay_ns, np.where(counts > 0, counts, np.nan), color=DATA, label="measured", linewidth=1.0)
    label = "exponential under the response" if result.tail is None else "exponential, then power law"
    panel.semilogy(result.decay.delay_ns, result.decay.model, color=MODEL, label=label)
    lowest = counts[counts > 0].min(initial=float(counts.max()))
    panel.set_ylim(max(0.5 * lowest, 1e-6 * counts.max()), 2.5 * counts.max())
    panel.set(xlabel="delay after the pulse (ns)", ylabel=f"counts per {1e3 * bin_width_ns:.3g} ps, all positions")
    panel.legend(loc="upper right")
    return figure


@mpl.rc_context(SETTINGS)
def draw_profiles(result: Result) -> Figure:
    """Draw the spot at both ends of the window, each scaled to the maximum of its fit; of a raster the row through it.

    Parameters
    ----------
    result : Result
        Profiles and fits.

    Returns
    -------
    Figure
        One panel.
    """
    figure, (panel,) = new_figure(3.7)
    for profile, colour, marker in ((result.early, DATA, "o"), (result.late, SECOND, "s")):
        _draw_profile(panel, profile, colour, marker)
    panel.set(xlabel=f"position {result.axis[0]} (nm)", ylabel="counts / maximum of the fit")
    panel.set_ylim(bottom=min(0.0, panel.get_ylim()[0]), top=1.45)
    panel.legend(loc="upper center", ncols=2, columnspacing=1.0, handletextpad=0.3)
    return figure


@mpl.rc_context(SETTINGS)
def draw_msd(result: Result) -> Figure:
    """Draw the mean squared displacement with its errors, the line quoted and its 95 % interval.

    Parameters
    ----------
    result : Result
        Points and line.

    Returns
    -------
    Figure
        One panel.
    """
    figure, (panel,) = new_figure(3.7)
    msd = result.msd
    known = np.isfinite(msd.msd_nm2) & np.isfinite(msd.error_nm2)
    age_ns, msd_nm2, error_nm2 = msd.age_ns[known], msd.msd_nm2[known], msd.error_nm2[known]
    if len(age_ns) <= N_ERROR_BARS:
        panel.errorbar(age_ns, msd_nm2, error_nm2, fmt="o", color=DATA, markersize=2.6, elinewidth=0.8, label="per bin")
    else:
        panel.fill_between(age_ns, msd_nm2 - error_nm2, msd_nm2 + error_nm2, color=DATA, alpha=0.25, linewidth=0)
        panel.plot(age_ns, msd_nm2, ".", color=DATA, markersize=2.0, label="per bin")
    span_ns = np.array([0.0, float(np.nanmax(msd.age_ns))])
    low, high = (2 * limit * NM2_PER_NS_PER_CM2_PER_S * span_ns for limit in result.ci95_cm2_s)
    panel.fill_between(span_ns, low, high, color=MODEL, alpha=0.25, linewidth=0, zorder=3)
    panel.plot(msd.age_ns, msd.fit_nm2, color=MODEL, label="2 D t, 95 % interval", zorder=4)
    if len(age_ns):
        bottom, top = np.percentile(np.concatenate([msd_nm2 - error_nm2, msd_nm2 + error_nm2]), [2, 98])
        margin = 0.08 * (top - bottom)
        panel.set_ylim(min(bottom, 0.0) - margin, max(top, float(np.nanmax(msd.fit_nm2))) + 2 * margin)
    panel.set(xlabel="mean age of the excitons (ns)", ylabel=f"MSD {_msd_axis(result)} (nm²)")
    panel.legend(loc="upper left")
    return figure


def _draw_spot(panel: Axes, result: Result) -> None:
    """Mark the fitted standard deviation of the spot on either side of its centre."""
    age_ns = np.linspace(0.0, float(np.nanmax(result.msd.age_ns)), 60)
    spread_nm2 = 2 * result.diffusivity_cm2_s * NM2_PER_NS_PER_CM2_PER_S * age_ns
    sigma_nm = np.sqrt(np.maximum(result.sigma0_nm**2 + spread_nm2, 0.0))
    for side in (-1, 1):
        panel.plot(age_ns, result.centre_nm + side * sigma_nm, color="white", linestyle="--", linewidth=1.1)
    panel.set_xlim(-BEFORE_PULSE_NS, age_ns[-1])


def _draw_profile(panel: Axes, profile: Profile, colour: str, marker: str) -> None:
    """Draw one profile with its errors and its fit."""
    order = np.argsort(profile.position_nm)
    position_nm, counts, errors, model = (
        values[order] for values in (profile.position_nm, profile.counts, profile.error, profile.model)
    )
    scale = model.max()
    label = f"{profile.age_ns:.2f} ns"
    panel.errorbar(
        position_nm, counts / scale, errors / scale, fmt=marker, color=colour, markersize=3, elinewidth=0.8, label=label
    )
    panel.plot(position_nm, model / scale, color=colour)


def _name_colours(figure: Figure, image: object, panel: Axes, label: str) -> None:
    """Add the colour scale of a map."""
    bar = figure.colorbar(image, ax=panel, pad=0.02, aspect=28)  # type: ignore[arg-type]
    bar.set_label(label)
    bar.outline.set_visible(False)


def _along_scan(data: TimePositionMap, result: Result | None) -> tuple[FloatArray, NDArray[np.intp]]:
    """Return the positions along the scan in nm, ascending, and the rows they belong to."""
    axis = result.axis if result is not None else ("x" if np.ptp(data.x_nm) >= np.ptp(data.y_nm) else "y")
    position_nm = data.x_nm if axis == "x" else data.y_nm
    rows = np.argsort(position_nm)
    return position_nm[rows], rows


def _relative_dwell(data: TimePositionMap) -> FloatArray:
    """Return the dwell of each position over the mean dwell."""
    if data.dwell_s is None:
        return np.ones(len(data.x_nm))
    return np.asarray(data.dwell_s / data.dwell_s.mean())


def _display_bins(delay_ns: FloatArray, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Join delay bins to about `MAP_BIN_NS`."""
    width_ns = (delay_ns[-1] - delay_ns[0]) / (len(delay_ns) - 1)
    n_join = max(1, round(MAP_BIN_NS / width_ns))
    return _mean_of(n_join, delay_ns), _mean_of(n_join, counts) * n_join


def _mean_of(n_join: int, values: FloatArray) -> FloatArray:
    """Average groups of `n_join` neighbours along the last axis; an incomplete last group is left out."""
    n_groups = values.shape[-1] // n_join
    return np.asarray(values[..., : n_groups * n_join].reshape(*values.shape[:-1], n_groups, n_join).mean(axis=-1))


def _width(delay_ns: FloatArray) -> str:
    """Return the width of a display bin as text."""
    return f"{1e3 * (delay_ns[1] - delay_ns[0]):.3g} ps"


def _axis_name(result: Result | None) -> str:
    """Return the name of the scanned axis, nothing if it is not known."""
    return "along the scan" if result is None else result.axis


def _msd_axis(result: Result) -> str:
    """Say along which axis the excitons were seen to move."""
    return "per axis" if result.axis == "xy" else f"along {result.axis}"

"""Drift of the spot during a scan of several passes: seen in the centre of each pass, and taken out.

A spot that drifts one way while the detector moves makes the scan too long or too short, by twice that
in the diffusivity. The centre of every pass is fitted, the drift between them is drawn as a line, also
past the first and the last, and every point is put where it was relative to the spot. Points that lie closer than
a tenth of a pixel are then added up at their mean. Rotation, defocus and changes of magnification are not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.checks import FEWEST_POSITIONS, checked_scan
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.analysis.profile import fit_gaussians
from tplm_daq.analysis.result import Lamp, Result
from tplm_daq.errors import FitError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.recipes.analysis import AnalysisRecipe

FloatArray = NDArray[np.float64]

FEWEST_PASSES = 2
"""One pass does not show whether the spot moves."""


NEAR_NM = 10.0
"""Points within this length are added up: it widens the spot by less than 10 nm^2, the same at every delay."""


@dataclass(frozen=True)
class Pass:
    """Each position of a line measured once.

    Attributes
    ----------
    data : TimePositionMap
        Counts of this pass.
    time_s : ndarray of float64, shape (n_position,)
        When the middle of each point's dwell was, in s; any zero that all passes share.
    """

    data: TimePositionMap
    time_s: FloatArray


@dataclass(frozen=True)
class Aligned:
    """All points of a scan relative to a spot at rest.

    Attributes
    ----------
    data : TimePositionMap
        One row per point of every pass.
    time_s, centre_nm : ndarray of float64, shape (n_pass,)
        Mean time of the photons, and centre of the spot, of the passes that show one.
    """

    data: TimePositionMap
    time_s: FloatArray
    centre_nm: FloatArray

    @property
    def drift_nm(self) -> float:
        """Distance between the extreme centres, in nm."""
        return float(np.ptp(self.centre_nm))


def analyse_passes(passes: Sequence[Pass], recipe: AnalysisRecipe, with_laws: bool = False) -> Result:
    """Estimate the diffusivity of a line measured several times, with the drift taken out if the recipe says so.

    Parameters
    ----------
    passes : sequence of Pass
        In any order.
    recipe : AnalysisRecipe
        Method, window and corrections.
    with_laws : bool
        As for `tplm_daq.analysis.pipeline.analyse`.

    Returns
    -------
    Result
        As of `tplm_daq.analysis.pipeline.analyse`; the drift is among the corrections, or, if fewer than two passes
        show a spot, its reason among the warnings.

    Raises
    ------
    FitError
        If the data cannot be fitted.
    """
    if not recipe.corrections.drift:
        return analyse(stacked([one.data for one in passes]), recipe, with_laws)
    try:
        aligned = align_passes(passes)
    except FitError as reason:
        result = analyse(stacked([one.data for one in passes]), recipe, with_laws)
        lamp: Lamp = "red" if result.bias_lamp == "red" else "amber"
        return replace(result, bias_lamp=lamp, warnings=(*result.warnings, f"Drift is not corrected: {reason}"))
    result = analyse(merged(aligned.data), recipe, with_laws)
    done = f"drift between passes (centre moved by {aligned.drift_nm:.1f} nm)"
    return replace(result, corrections=(done, *result.corrections))


def align_passes(passes: Sequence[Pass]) -> Aligned:
    """Find the centre of the spot in each pass and put every point where it was relative to the spot.

    Parameters
    ----------
    passes : sequence of Pass
        Passes over the same line; those with too few positions take the drift of the others.

    Returns
    -------
    Aligned
        Positions relative to the spot at the mean of the passes.

    Raises
    ------
    FitError
        If fewer than two passes show a spot.
    """
    axis = checked_scan(stacked([one.data for one in passes])).axis
    if axis == "xy":
        raise FitError("Drift between passes is corrected on lines only; set corrections.drift to false for a map.")
    found = [place for one in passes if (place := _centre(one, axis)) is not None]
    if len(found) < FEWEST_PASSES:
        raise FitError(
            f"{len(found)} of {len(passes)} passes show the centre of the spot; drift needs {FEWEST_PASSES}. Set "
            "corrections.drift to false, or measure longer."
        )
    time_s, centre_nm = np.array(sorted(found)).T
    moved = [_moved(one, axis, time_s, centre_nm) for one in passes]
    return Aligned(stacked(moved), time_s, centre_nm)


def stacked(maps: Sequence[TimePositionMap]) -> TimePositionMap:
    """Return one map with the rows of all; dwell must be known for all or for none.

    Parameters
    ----------
    maps : sequence of TimePositionMap
        With the same delays and conditions.
    """
    dwell_s = [one.dwell_s for one in maps if one.dwell_s is not None]
    return replace(
        maps[0],
        counts=np.concatenate([one.counts for one in maps]),
        x_nm=np.concatenate([one.x_nm for one in maps]),
        y_nm=np.concatenate([one.y_nm for one in maps]),
        dwell_s=np.concatenate(dwell_s) if len(dwell_s) == len(maps) else None,
    )


def merged(data: TimePositionMap) -> TimePositionMap:
    """Add up the points of a line that lie within `NEAR_NM`, at their mean position weighted with the dwell.

    Parameters
    ----------
    data : TimePositionMap
        Points of several passes; without dwell they stay as they are.

    Examples
    --------
    >>> counts, x_nm = np.array([[1, 2], [3, 4], [5, 6]]), np.array([50.0, 0.0, 52.0])
    >>> line = TimePositionMap(counts, x_nm, np.zeros(3), np.array([0.0, 1.0]), dwell_s=np.array([1.0, 1.0, 3.0]))
    >>> merged(line).x_nm, merged(line).counts.tolist()
    (array([ 0. , 51.5]), [[3, 4], [6, 8]])
    """
    dwell_s = data.dwell_s
    if dwell_s is None:
        return data
    along_nm = max(data.x_nm, data.y_nm, key=np.ptp)
    order = np.argsort(along_nm)[dwell_s[np.argsort(along_nm)] > 0]
    first, start_nm = list[int](), -np.inf
    for number, place_nm in enumerate(along_nm[order]):
        if place_nm > start_nm + NEAR_NM:
            first.append(number)
            start_nm = place_nm
    total_s = np.add.reduceat(dwell_s[order], first)
    x_nm, y_nm = (np.add.reduceat((each * dwell_s)[order], first) / total_s for each in (data.x_nm, data.y_nm))
    counts = np.add.reduceat(data.counts[order], first, dtype=np.result_type(data.counts, np.int64))
    return replace(data, counts=counts, x_nm=x_nm, y_nm=y_nm, dwell_s=total_s)


def _centre(one: Pass, axis: str) -> tuple[float, float] | None:
    """Return the mean time of the photons and the centre of the spot in a pass, None if it shows no whole one."""
    dwell_s = np.ones(len(one.time_s)) if one.data.dwell_s is None else one.data.dwell_s
    seen = dwell_s > 0
    if np.count_nonzero(seen) < FEWEST_POSITIONS:
        return None
    position_nm = (one.data.x_nm if axis == "x" else one.data.y_nm)[seen]
    counts = one.data.counts[seen].sum(axis=1)
    rate = counts / dwell_s[seen]
    spot = fit_gaussians(position_nm, (rate - rate.min())[:, None])
    centre_nm, sigma_nm = float(spot.centre_nm[0]), float(np.sqrt(spot.variance_nm2[0]))
    if not position_nm.min() + sigma_nm < centre_nm < position_nm.max() - sigma_nm:
        return None
    return float(np.average(one.time_s[seen], weights=counts)), centre_nm


def _moved(one: Pass, axis: str, time_s: FloatArray, centre_nm: FloatArray) -> TimePositionMap:
    """Return a pass with the drift at the time of each of its points taken off."""
    segment = np.clip(np.searchsorted(time_s, one.time_s) - 1, 0, len(time_s) - 2)
    speed = np.diff(centre_nm) / np.diff(time_s)
    at_nm = centre_nm[segment] + speed[segment] * (one.time_s - time_s[segment])
    shift_nm = at_nm - centre_nm.mean()
    if axis == "x":
        return replace(one.data, x_nm=one.data.x_nm - shift_nm)
    return replace(one.data, y_nm=one.data.y_nm - shift_nm)

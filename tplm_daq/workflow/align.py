"""Alignment before a scan: finds the spot.

A short line of points along each axis that needs it, and a Gaussian through their rates. The runner's
protection (interruption, guards, safe state) holds here as during a scan.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tplm_daq.acquire.events import Listener
from tplm_daq.acquire.moving import begin_move
from tplm_daq.acquire.passes import PlannedPoint
from tplm_daq.acquire.path import assumed_centre, search_lines
from tplm_daq.acquire.point import PointSettings, acquire_point
from tplm_daq.acquire.waiting import Checkpoint
from tplm_daq.analysis.profile import fit_gaussians
from tplm_daq.errors import FitError
from tplm_daq.recipes.scan import ScanPath
from tplm_daq.roles import Microscope

DWELL_S = 0.1
"""Per position; 9 x 0.1 s at a peak of 2 kcps find the centre to 15 nm, a tenth of the spot's width."""
ALIGNMENT_PASS = -1


def find_centre(
    microscope: Microscope,
    path: ScanPath,
    settings: PointSettings,
    checkpoint: Checkpoint,
    tell: Listener,
    seen_nm: tuple[float, float] | None = None,
) -> tuple[float, float]:
    """Return the centre of the spot, through which the path shall run.

    Parameters
    ----------
    microscope : Microscope
        The rig with light on the sample.
    path : LinePath or RasterPath
        Its `centre`, or ``auto`` to look for the spot (along `search_lines`).
    settings : PointSettings
        As for the points of the scan.
    checkpoint, tell : callable
        As for `acquire_point`.
    seen_nm : tuple of float or None
        Where the spot was last seen, x and y; the search begins there, else on the optical axis.

    Returns
    -------
    tuple of float
        x and y in nm.

    Raises
    ------
    FitError
        There is no spot where it is looked for.
    DeviceError, GuardStop, Aborted
        As for any point.
    """
    centre_nm = assumed_centre(path, seen_nm)
    for line in search_lines(path):
        places_nm = line.positions(centre_nm)
        rates = np.empty(len(places_nm))
        for i, (x_nm, y_nm) in enumerate(places_nm.tolist()):
            planned = PlannedPoint(ALIGNMENT_PASS, i, x_nm, y_nm, DWELL_S)
            row, counts, *_ = acquire_point(microscope, begin_move(microscope, planned), settings, checkpoint, tell)
            rates[i] = counts.sum() / row.live_s
        found_nm = _centre_of(places_nm[:, "xy".index(line.axis)], rates, line.axis)
        centre_nm = (found_nm, centre_nm[1]) if line.axis == "x" else (centre_nm[0], found_nm)
    return centre_nm


def _centre_of(position_nm: NDArray[np.float64], rates: NDArray[np.float64], axis: str) -> float:
    """Return the coordinate of the spot from the rates at positions in nm, both float64 (n_position,)."""
    low_nm, high_nm = position_nm[0], position_nm[-1]
    centre_nm = float(fit_gaussians(position_nm, (rates - rates.min())[:, None]).centre_nm[0])
    if not low_nm < centre_nm < high_nm:
        raise FitError(
            f"no spot found along {axis} between {low_nm:g} and {high_nm:g} nm: rates run from {rates.min():.0f} to "
            f"{rates.max():.0f} counts/s. Check that light reaches the detector, look further away with "
            "`tplm run configs/align_spot.yaml`, correct the centre in the rig file, or give path.centre."
        )
    return centre_nm

"""Alignment before a scan: finds the spot.

A short line of points along each axis, the cross axis first, and a Gaussian through their rates. The
runner's protection (interruption, guards, safe state) holds here as during a scan.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tplm_daq.acquire.passes import PlannedPoint
from tplm_daq.acquire.point import PointSettings, acquire_point
from tplm_daq.acquire.waiting import Checkpoint
from tplm_daq.analysis.profile import fit_gaussians
from tplm_daq.errors import FitError
from tplm_daq.recipes.scan import LinePath
from tplm_daq.roles import Microscope

N_POSITIONS = 9
DWELL_S = 0.1
"""Per position; 9 x 0.1 s at a peak of 2 kcps find the centre to 15 nm, a tenth of the spot's width."""
ALIGNMENT_PASS = -1


def find_centre(
    microscope: Microscope,
    path: LinePath,
    settings: PointSettings,
    checkpoint: Checkpoint,
    warn: Callable[[str], None],
) -> tuple[float, float]:
    """Return the centre through which the path shall run.

    Parameters
    ----------
    microscope : Microscope
        The rig with light on the sample.
    path : LinePath
        Its `centre` is a coordinate along its axis, or ``auto`` to look for the spot within its half width.
    settings : PointSettings
        As for the points of the scan.
    checkpoint, warn : callable
        As for `acquire_point`.

    Returns
    -------
    tuple of float
        x and y in nm.

    Raises
    ------
    FitError
        There is no spot within the half width.
    DeviceError, GuardStop, Aborted
        As for any point.
    """
    along = "xy".index(path.axis)
    centre_nm = [0.0, 0.0]
    centre_nm[1 - along] = 0.0
    if path.centre_nm != "auto":
        centre_nm[along] = path.centre_nm
    axes = [1 - along] if path.centre_nm != "auto" else [1 - along, along]
    for axis in axes:
        offsets_nm = np.linspace(-path.half_width_nm, path.half_width_nm, N_POSITIONS)
        rates = np.empty(N_POSITIONS)
        for i, offset_nm in enumerate(offsets_nm):
            place_nm = list(centre_nm)
            place_nm[axis] += float(offset_nm)
            planned = PlannedPoint(ALIGNMENT_PASS, i, place_nm[0], place_nm[1], DWELL_S)
            row, counts = acquire_point(microscope, planned, settings, checkpoint, warn)
            rates[i] = counts.sum() / row.live_s
        centre_nm[axis] += _centre_of(offsets_nm, rates, "xy"[axis])
    return centre_nm[0], centre_nm[1]


def _centre_of(offsets_nm: np.ndarray, rates: np.ndarray, axis: str) -> float:
    fit = fit_gaussians(offsets_nm, (rates - rates.min())[:, None])
    centre_nm = float(fit.centre_nm[0])
    if not abs(centre_nm) < offsets_nm[-1]:
        raise FitError(
            f"no spot found along {axis} within {offsets_nm[-1]:g} nm of the optical axis: rates run from "
            f"{rates.min():.0f} to {rates.max():.0f} counts/s. Check that light reaches the detector, "
            "correct the centre in the rig file, or give path.centre."
        )
    return centre_nm

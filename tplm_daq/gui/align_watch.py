"""An alignment that is watched: its points as they come, and what was found in the end."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tplm_daq.acquire.events import PointDone
from tplm_daq.recipes.align import AlignRecipe
from tplm_daq.store.calibrations import read_calibration
from tplm_daq.workflow.align_job import AlignOutcome

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class AlignPicture:
    """Everything to be drawn of one alignment.

    Attributes
    ----------
    title, procedure : str
        Of the recipe.
    x_nm, y_nm, rate_cps : ndarray of float64, shape (n_point,)
        Where was counted, and the counts per second there.
    found : mapping of str to float
        What was found, units in the names; empty before the end.
    truth : mapping
        What is true of a simulated rig, by the same names.
    measured : mapping of str to ndarray
        What it was found from: columns of equal length, units in the names.
    kept : str
        Where it is kept, and until when it is believed.
    """

    title: str
    procedure: str
    x_nm: FloatArray = field(default_factory=lambda: np.zeros(0))
    y_nm: FloatArray = field(default_factory=lambda: np.zeros(0))
    rate_cps: FloatArray = field(default_factory=lambda: np.zeros(0))
    found: Mapping[str, float] = field(default_factory=dict)
    truth: Mapping[str, object] = field(default_factory=dict)
    measured: Mapping[str, FloatArray] = field(default_factory=dict)
    kept: str = ""


class AlignWatch:
    """The picture of an alignment as it grows; all methods may be called from any thread."""

    def __init__(self, recipe: AlignRecipe) -> None:
        self._lock = threading.Lock()
        self._points: list[tuple[float, float, float]] = []
        self._picture = AlignPicture(recipe.title, recipe.procedure)

    def add(self, event: PointDone) -> None:
        """Add a point."""
        row = event.row
        rate_cps = float(event.counts.sum()) / row.live_s if row.live_s > 0 else float("nan")
        with self._lock:
            self._points.append((row.x_readback_nm, row.y_readback_nm, rate_cps))

    def picture(self) -> AlignPicture:
        """Return what is to be drawn, the same object until something has changed."""
        with self._lock:
            if len(self._points) != len(self._picture.x_nm):
                x_nm, y_nm, rate_cps = np.array(self._points, dtype=np.float64).T
                self._picture = replace(self._picture, x_nm=x_nm, y_nm=y_nm, rate_cps=rate_cps)
            return self._picture

    def finish(self, outcome: AlignOutcome) -> None:
        """Take note of what was found; reads the calibration file."""
        calibration = read_calibration(outcome.calibration_file).calibration
        measured = {name: np.array(column, dtype=np.float64) for name, column in calibration.measured.items()}
        kept = f"Used by all runs of this rig until {calibration.expires_at:%Y-%m-%d %H:%M}. {outcome.calibration_file}"
        truth = dict(outcome.truth or {})  # without where the spot is: that drifts
        picture = self.picture()
        with self._lock:
            self._picture = replace(picture, found=outcome.values, truth=truth, measured=measured, kept=kept)

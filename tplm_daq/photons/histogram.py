"""Photon histograms over delay and detector position: the one form in which counts are analysed.

A `TimePositionMap` is what a scan amounts to after summing its passes, and what an imported file
becomes. It holds the counts and what is needed to read them; it does not know where they came from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

APD_WIDTH_AT_SAMPLE_NM = 101.0
"""50 um wide detector behind a magnification of 495 (paper, Materials and Methods)."""


@dataclass(frozen=True)
class TimePositionMap:
    """Counts over detector position and delay, in the sample plane.

    Attributes
    ----------
    counts : ndarray of uint32 or int64, shape (n_position, n_bin)
        Photons detected at each position in each delay bin.
    x_nm, y_nm : ndarray of float64, shape (n_position,)
        Centre of the detector pixel in the sample plane, in nm.
    delay_ns : ndarray of float64, shape (n_bin,)
        Centres of equally wide delay bins, in ns, ascending; the zero is arbitrary.
    dwell_s : ndarray of float64, shape (n_position,) or None
        Time spent at each position, in s; None if it was the same everywhere and is not known.
    repetition_rate_hz : float or None
        Laser repetition rate.
    t0_ns : float or None
        Delay at which the centre of the pulse arrives; None: to be estimated from the rising edge.
    response_fwhm_ns : float or None
        Full width at half maximum of the system response; None: to be estimated.
    pixel_nm : tuple of float
        Width of the detector pixel in the sample plane along x and y, in nm.
    dead_time_ns : float or None
        Time for which the detection is blind after a recorded photon; None: no correction possible.
    """

    counts: NDArray[np.integer]
    x_nm: NDArray[np.float64]
    y_nm: NDArray[np.float64]
    delay_ns: NDArray[np.float64]
    dwell_s: NDArray[np.float64] | None = None
    repetition_rate_hz: float | None = None
    t0_ns: float | None = None
    response_fwhm_ns: float | None = None
    pixel_nm: tuple[float, float] = (APD_WIDTH_AT_SAMPLE_NM, APD_WIDTH_AT_SAMPLE_NM)
    dead_time_ns: float | None = None

    @property
    def bin_width_ns(self) -> float:
        """Width of a delay bin in ns."""
        return float((self.delay_ns[-1] - self.delay_ns[0]) / (len(self.delay_ns) - 1))

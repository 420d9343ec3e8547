"""What the paper says that several figures are compared with (Science Advances 10, eadj2630 (2024))."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.relaxation import enhancement

FloatArray = NDArray[np.float64]

D_0_CM2_S, D_INF_CM2_S, TAU_US = 0.15, 0.01, 6.0
"""Law of D at 300 K: diffusivity for frequent and for rare excitation, and relaxation time."""
COLD_TAU_US = 40.0
"""Relaxation time at 50 K."""
T_EXC_US_NW = 50.0
"""Mean time between two excitations of a nanocrystal times average power."""
EXCITONS_MHZ_PER_NW = 0.02
"""Excitons per nanocrystal and pulse times repetition rate over average power."""


def diffusivity_cm2_s(power_nw: FloatArray | float) -> FloatArray:
    """Return D of the law at average powers in nW.

    Examples
    --------
    >>> np.round(diffusivity_cm2_s(np.array([0.5, 10.0])), 4)
    array([0.01  , 0.0708])
    """
    return enhancement(np.asarray(T_EXC_US_NW / power_nw), D_0_CM2_S, D_INF_CM2_S, TAU_US)

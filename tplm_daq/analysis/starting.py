"""Where a fit of the diffusivity starts, and the bounds within which it climbs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.binning import FitData
from tplm_daq.analysis.likelihood import TAIL_VARIANCE_RATIO
from tplm_daq.analysis.shapes import Parameter
from tplm_daq.analysis.spot import rough_spot

FloatArray = NDArray[np.float64]

_TAIL_RANGE = 4.0
_SMALLEST_LEVEL = 1e-9
_FEWEST_NEAR = 5


def starting_values(data: FitData, position_nm: FloatArray, pixel_nm: float) -> FloatArray:
    """Return parameters from the shape of the counts in the first and in the second half of the window."""
    exposed = float(data.prepulse_exposure.sum())
    level = float(data.prepulse_counts.sum()) / exposed if exposed else 0.0
    signal = (data.counts - level * data.exposure) / data.exposure.mean(axis=1, keepdims=True)
    late = data.age_ns > 0.5 * data.age_ns[-1]
    if data.is_map:
        is_x = position_nm is data.position_nm
        beside_nm, width_nm = (data.across_nm, data.pixel_across_nm) if is_x else (data.position_nm, data.pixel_nm)
        near = _near_the_brightest(signal.sum(axis=1), beside_nm, width_nm)
        position_nm, signal = _projected(position_nm[near], signal[near])
    centre_nm, early_nm2 = rough_spot(position_nm, signal[:, ~late].sum(axis=1), pixel_nm)
    _, late_nm2 = rough_spot(position_nm, signal[:, late].sum(axis=1), pixel_nm)
    age_between_ns = data.age_ns[late].mean() - data.age_ns[~late].mean()
    diffusivity_nm2_ns = max(late_nm2 - early_nm2, 0.0) / (2.0 * age_between_ns)
    level = max(level, 1e-6)
    log_tail = np.log(TAIL_VARIANCE_RATIO * early_nm2)
    tail = 0.5 * level if data.is_tail_fitted else 0.0
    return np.array([diffusivity_nm2_ns, early_nm2, centre_nm, 0.7 * level, tail, log_tail])


def _near_the_brightest(light: FloatArray, beside_nm: FloatArray, width_nm: float) -> NDArray[np.bool_]:
    """Tell which positions lie within a pixel of the brightest along the other axis; all, if those are few."""
    near = np.abs(beside_nm - beside_nm[np.argmax(light)]) <= width_nm
    return near if np.count_nonzero(near) >= _FEWEST_NEAR else np.ones(len(light), np.bool_)


def _projected(position_nm: FloatArray, signal: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean signal at each coordinate of an axis, near ones (read-back) taken together."""
    n_groups = max(int(np.sqrt(len(position_nm))), 5)
    edges_nm = np.linspace(position_nm.min(), position_nm.max(), n_groups + 1)
    group = np.clip(np.searchsorted(edges_nm, position_nm, side="right") - 1, 0, n_groups - 1)
    member = (group == np.arange(n_groups)[:, None]).astype(np.float64)
    member = member[member.any(axis=1)] / member.sum(axis=1, keepdims=True)[member.any(axis=1)]
    return member @ position_nm, member @ signal


def bounds(position_nm: FloatArray, start: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return bounds that only keep the climb on solid ground; a fit that ends on them is refused later."""
    low_nm, high_nm = float(position_nm.min()), float(position_nm.max())
    range_nm = high_nm - low_nm
    log_tail = start[Parameter.LOG_TAIL_VARIANCE]
    lower = np.array([-np.inf, 1.0, low_nm - range_nm, _SMALLEST_LEVEL, 0.0, log_tail - _TAIL_RANGE])
    upper = np.array([np.inf, 100.0 * range_nm**2, high_nm + range_nm, np.inf, np.inf, log_tail + _TAIL_RANGE])
    return lower, upper

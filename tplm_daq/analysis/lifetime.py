"""Lifetime of the excitons: that of the decay, corrected for the light that spreads away from the positions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.binning import FitData
from tplm_daq.analysis.checks import CheckedScan
from tplm_daq.analysis.decay import fit_decay

FloatArray = NDArray[np.float64]


def exciton_lifetime(scan: CheckedScan, binned: FitData, collected: FloatArray) -> float:
    """Fit the summed decay again, knowing how much of the light the positions collect.

    Parameters
    ----------
    scan : CheckedScan
        The checked scan.
    binned : FitData
        Its bins, with the decay.
    collected : ndarray of float64, shape (n_row,)
        Light summed over the positions for a spot of constant total light, up to a constant.

    Returns
    -------
    float
        Lifetime in the fit window, in ns.
    """
    data, decay = scan.data, binned.decay
    window_ns = float(decay.delay_ns[-1] - decay.t0_ns) + 0.5 * data.bin_width_ns
    corrected = fit_decay(
        data.counts.sum(axis=0),
        data.delay_ns,
        binned.summed_live,
        window_ns,
        decay.t0_ns,
        decay.response_fwhm_ns,
        np.interp(data.delay_ns, decay.t0_ns + binned.delay_ns, collected / collected.max()),
    )
    return corrected.lifetime_ns

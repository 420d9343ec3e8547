"""How a scan's light decays: lifetime and power law, corrected for the light that spreads away from the positions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.binning import FitData
from tplm_daq.analysis.checks import CheckedScan
from tplm_daq.analysis.decay import DecayFit, fit_decay
from tplm_daq.analysis.decay_comparison import LawComparison, compare_laws
from tplm_daq.analysis.decay_fits import WHOLE_SPAN_NS
from tplm_daq.analysis.decay_laws import JOIN_NS, JOINED
from tplm_daq.analysis.estimate import Estimate
from tplm_daq.analysis.models import mean_age
from tplm_daq.analysis.result import PowerLaw
from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

SHORTEST_TAIL_NS = 3.0
"""Delays after the exponential without which laws are not compared."""

COMPARED_BIN_NS = 0.05
"""Width to which bins are summed before laws are compared."""

_N_AGES = 50


def collected_share(scan: CheckedScan, binned: FitData, found: Estimate, late_exponent: float) -> FloatArray:
    """Return how much of the light the positions collect at each delay, relative to the most.

    Parameters
    ----------
    scan : CheckedScan
        The checked scan.
    binned : FitData
        Its bins, with the decay.
    found : Estimate
        The spot and its diffusivity.
    late_exponent : float
        Power of the age with which the mean squared displacement grows after the fit window.

    Returns
    -------
    ndarray of float64, shape (n_bin,)
        Above 0, at most 1.
    """
    window_ns = float(binned.delay_ns[-1])
    last_ns = max(float(scan.data.delay_ns[-1]) - binned.decay.t0_ns, 1.01 * window_ns)
    age_ns = np.concatenate([np.linspace(0.0, window_ns, _N_AGES), np.geomspace(window_ns, last_ns, _N_AGES)[1:]])
    late = np.maximum(age_ns / window_ns, 1.0) ** late_exponent
    collected = found.collected(2.0 * found.diffusivity_nm2_ns * np.minimum(age_ns, window_ns) * late)
    decay = binned.decay
    mean_age_ns = mean_age(scan.data.delay_ns - decay.t0_ns, decay.sigma_ns, decay.lifetime_ns)
    return np.interp(mean_age_ns, age_ns, collected / collected.max())


def exciton_lifetime(scan: CheckedScan, binned: FitData, share: FloatArray) -> DecayFit:
    """Fit the summed decay within the fit window again, knowing which share of the light was collected."""
    data, decay = scan.data, binned.decay
    window_ns = float(decay.delay_ns[-1] - decay.t0_ns) + 0.5 * data.bin_width_ns
    summed = data.counts.sum(axis=0)
    return fit_decay(summed, data.delay_ns, binned.summed_live, window_ns, decay.t0_ns, decay.response_fwhm_ns, share)


def power_law(scan: CheckedScan, binned: FitData, share: FloatArray) -> PowerLaw | None:
    """Return the power law that follows the exponential, None if delays or counts do not determine it."""
    laws = _compared_laws(scan, binned, share)
    joined = [] if laws is None else [fit for fit in laws.fits if fit.law == JOINED.name and not fit.at_limit]
    if laws is None or not joined:
        return None
    (fit,) = joined
    n_joined = _n_joined(scan)
    return PowerLaw(fit.value("exponent"), fit.ci95("exponent"), laws.verdict, fit.age_ns, fit.model / n_joined)


def _compared_laws(scan: CheckedScan, binned: FitData, share: FloatArray) -> LawComparison | None:
    data, decay = scan.data, binned.decay
    n_joined = _n_joined(scan)
    counts, delay_ns, live, collected = (
        _mean_of(n_joined, column) for column in (data.counts.sum(axis=0), data.delay_ns, binned.summed_live, share)
    )
    first_ns, last_ns = WHOLE_SPAN_NS
    last_ns = min(last_ns, float(delay_ns[-1]) - decay.t0_ns)
    if last_ns < JOIN_NS + SHORTEST_TAIL_NS:
        return None
    try:
        return compare_laws(
            n_joined * counts,
            delay_ns,
            span_ns=(first_ns, last_ns),
            live=live,
            collected=collected,
            t0_ns=decay.t0_ns,
            response_fwhm_ns=decay.response_fwhm_ns,
            repetition_rate_hz=data.repetition_rate_hz,
        )
    except FitError:
        return None


def _n_joined(scan: CheckedScan) -> int:
    return max(1, round(COMPARED_BIN_NS / scan.data.bin_width_ns))


def _mean_of(n_joined: int, values: NDArray[np.integer] | FloatArray) -> FloatArray:
    """Average groups of neighbours; an incomplete last group is left out."""
    n_groups = len(values) // n_joined
    return np.asarray(values[: n_groups * n_joined].reshape(n_groups, n_joined).mean(axis=1))

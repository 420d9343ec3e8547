"""Where on a line dwell tells most about D: a c-optimal design, from the Fisher information of the planned scan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.design import PlannedScan, expected_scan
from tplm_daq.analysis.likelihood import ScanLikelihood
from tplm_daq.analysis.shapes import Parameter
from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

TOLERANCE = 0.02
"""The variance of D is within this of the least possible."""

_MOST_STEPS = 1000
_UNDETERMINED = "Plan of the scan: the positions do not determine D. Plan more of them across the spot."


def optimal_shares(plan: PlannedScan, diffusivity_cm2_s: float) -> FloatArray:
    """Return how dwell is best shared among the positions so that D becomes known as well as possible (c-optimal).

    The shares are multiplied by the square root of how fast the variance of D falls with the dwell there, again and
    again: the variance falls in each step, and in the end no position would be worth more than it gets (Yu, Annals of
    Statistics 38, 1593 (2010)).

    Parameters
    ----------
    plan : PlannedScan
        The scan; only the sum of its dwell matters.
    diffusivity_cm2_s : float
        D to expect, in cm2/s.

    Returns
    -------
    ndarray of float64, shape (n_position,)
        Shares of the dwell, with sum 1. About a fifth lies at the centre, the rest 2.4 to 2.9 sigma0 to either side.

    Raises
    ------
    FitError
        The positions do not determine D at all.

    Examples
    --------
    >>> line_nm = np.linspace(-1000.0, 1000.0, 11)
    >>> plan = PlannedScan(line_nm, np.full(11, 20.0), (101.0, 101.0), sigma0_nm=250.0, peak_cps=20e3)
    >>> np.round(optimal_shares(plan, 0.05), 2)
    array([0.  , 0.02, 0.36, 0.  , 0.  , 0.23, 0.  , 0.  , 0.36, 0.02, 0.  ])
    """
    n_position = len(plan.position_nm)
    even = replace(plan, dwell_s=np.full(n_position, plan.dwell_s.mean()))
    information, known = _information_by_position(*expected_scan(even, diffusivity_cm2_s))
    shares = np.full(n_position, 1.0 / n_position)
    for _ in range(_MOST_STEPS):
        gain = _variance_gain(known + np.tensordot(n_position * shares, information, axes=1), information)
        if float(gain.max()) < (1.0 + TOLERANCE) * float(shares @ gain):
            break
        shares = shares * np.sqrt(gain)
        shares /= shares.sum()
    return shares


def _information_by_position(likelihood: ScanLikelihood, truth: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what each position tells of all parameters and amplitudes, and what is known beforehand.

    Returns
    -------
    information : ndarray of float64, shape (n_position, n, n)
        In units of the parameters in which the sum over the positions has a diagonal of ones.
    known : ndarray of float64, shape (n, n)
        In the same units.
    """
    slopes = likelihood.slopes(truth)
    size = np.sqrt((slopes**2 / likelihood.counts).sum(axis=(1, 2)))
    if not np.all(size > 0):
        raise FitError(_UNDETERMINED)
    slopes = slopes / size[:, None, None]
    known = np.zeros((len(size), len(size)))
    known[: len(truth), : len(truth)] = likelihood.prior.information
    information = np.einsum("pxt,qxt->xpq", slopes, slopes / likelihood.counts, optimize=True)
    return information, known / np.outer(size, size)


def _variance_gain(total: FloatArray, information: FloatArray) -> FloatArray:
    """Return how fast the variance of D falls with the share of each position, float64 (n_position,)."""
    chosen = np.zeros(len(total))
    chosen[Parameter.DIFFUSIVITY] = 1.0
    try:
        direction = np.linalg.solve(total, chosen)
    except np.linalg.LinAlgError as error:
        raise FitError(_UNDETERMINED) from error
    return np.asarray(np.einsum("p,xpq,q->x", direction, information, direction, optimize=True))

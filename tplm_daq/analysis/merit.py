"""Figures of merit of a scan, each with its 95 % interval.

Is the spot Gaussian, is the spreading linear, and until when? They are judged beside the diffusivity and
change nothing in it. What the data do not determine is left out rather than quoted with an absurd interval.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from tplm_daq.analysis.binning import FitData, LateCounts
from tplm_daq.analysis.diffusion import DiffusionFit
from tplm_daq.analysis.fitting import NORMAL_95
from tplm_daq.analysis.result import Figure, MsdCurve, Profile
from tplm_daq.analysis.shapes import Parameter
from tplm_daq.analysis.spot import fit_broadening

FloatArray = NDArray[np.float64]

FIRST_BREAK_NS = 1.0
"""Earliest delay after the pulse at which a break in the decay is looked for."""

_MOST_EXPONENT_STEPS = 12
_LONGEST_EXPONENT_STEP = 0.3
_LARGEST_EXPONENT = 5.0
_BREAK_STEP_NS = 0.1
_BREAK_BIN_NS = 0.1
_LATEST_BREAK_NS = 12.0
_CLEAR_BREAK = 15.0
_FEWEST_POINTS = 6
_LEAST_SIGNAL_SD = 3.0
_WIDEST_ERROR = 1.0


def contrast_to_noise(early: Profile, level: float) -> Figure | None:
    """Return the height of the early spot above the level beside it, over the scatter around its fit.

    Parameters
    ----------
    early : Profile
        The spot just after the pulse.
    level : float
        Background in the same counts.
    """
    residual = early.counts - early.model
    n_dof = len(residual) - 4
    scatter = float(np.sqrt(np.sum(residual**2) / max(n_dof, 1)))
    height = float(early.model.max()) - level
    if n_dof < 1 or scatter == 0.0 or height <= 0.0:
        return None
    low, high = np.sqrt(2.0 * gammaincinv(0.5 * n_dof, [0.025, 0.975]) / n_dof)
    ratio = height / scatter
    return Figure("contrast_to_noise", ratio, (ratio * float(low), ratio * float(high)))


def excess_kurtosis(data: FitData, gaussian: DiffusionFit) -> Figure | None:
    """Return the excess kurtosis of the spot along a line: 0 for a Gaussian, positive with a halo.

    The residual of the Gaussian fit, summed over the window, is fitted with the derivatives of the Gaussian
    and with the fourth Hermite function of the Gram-Charlier series.

    Parameters
    ----------
    data : FitData
        Counts of a line scan.
    gaussian : DiffusionFit
        Its fit with a Gaussian spot.
    """
    variance_nm2 = gaussian.value(Parameter.VARIANCE) + 2.0 * gaussian.value(Parameter.DIFFUSIVITY) * data.age_ns
    z = (data.position_nm[:, None] - gaussian.value(Parameter.CENTRE)) / np.sqrt(variance_nm2 + data.pixel_nm**2 / 12.0)
    spot = gaussian.model - gaussian.background
    changes = (np.ones_like(z), z, z**2 - 1.0, (z**4 - 6.0 * z**2 + 3.0) / 24.0)
    basis = np.column_stack([(spot * change).sum(axis=1) for change in changes] + [data.exposure.sum(axis=1)])
    expected = gaussian.model.sum(axis=1)
    residual = data.counts.sum(axis=1) - expected
    if len(residual) <= basis.shape[1]:
        return None
    value, error = _weighted_lines(basis, residual, 1.0 / np.sqrt(expected))
    return _figure("excess_kurtosis", value[3], error[3])


def spreading_exponent(msd: MsdCurve) -> Figure | None:
    """Return the exponent of the mean squared displacement in the window, 1 for diffusion; the start is fitted, too."""
    good = np.isfinite(msd.msd_nm2) & np.isfinite(msd.error_nm2) & (msd.age_ns > 0)
    if np.count_nonzero(good) < _FEWEST_POINTS:
        return None
    age = msd.age_ns[good] / msd.age_ns[good].max()
    exponent, error, step = 1.0, np.inf, np.inf
    for _ in range(_MOST_EXPONENT_STEPS):
        growth = age**exponent
        basis = np.column_stack([np.ones_like(age), growth, growth * np.log(age)])
        value, errors = _weighted_lines(basis, msd.msd_nm2[good], 1.0 / msd.error_nm2[good])
        if value[1] <= 0.0:
            return None
        step, error = float(value[2] / value[1]), float(errors[2] / value[1])
        exponent += float(np.clip(step, -_LONGEST_EXPONENT_STEP, _LONGEST_EXPONENT_STEP))
        if not 0.0 < exponent < _LARGEST_EXPONENT:
            return None
    return _figure("msd_exponent", exponent, error) if abs(step) < 0.1 * error else None


def change_within_window(msd: MsdCurve) -> tuple[Figure | None, float]:
    """Return the diffusivity in the later half of the window less that in the earlier one, and its significance.

    Returns
    -------
    figure : Figure or None
        In nm^2/ns.
    significance : float
        In standard errors, with sign; 0 if there is no figure.
    """
    good = np.isfinite(msd.msd_nm2) & np.isfinite(msd.error_nm2)
    if np.count_nonzero(good) < _FEWEST_POINTS:
        return None, 0.0
    age_ns = msd.age_ns[good]
    hinge = np.maximum(age_ns - 0.5 * (age_ns[0] + age_ns[-1]), 0.0)
    basis = np.column_stack([np.ones_like(age_ns), age_ns, hinge])
    value, error = _weighted_lines(basis, msd.msd_nm2[good], 1.0 / msd.error_nm2[good])
    figure = _figure("diffusivity_change", 0.5 * value[2], 0.5 * error[2], widest=np.inf)
    return figure, float(value[2] / error[2])


def decay_break(delay_ns: FloatArray, counts: FloatArray, level: float, share: FloatArray) -> Figure | None:
    """Return the delay after the pulse at which the decay turns from an exponential into a power law.

    The logarithm of the decay is a line up to the break and a line in the logarithm of the delay after it;
    the break with the least chi-square wins, the interval is where chi-square rises by 3.84.

    Parameters
    ----------
    delay_ns, counts : ndarray of float64, shape (n_bin,)
        Delay after the pulse, and counts summed over the positions.
    level : float
        Counts per bin before the pulse.
    share : ndarray of float64, shape (n_bin,)
        Relative part of the light that the positions collect at each delay.
    """
    n_join = max(1, round(_BREAK_BIN_NS / float(delay_ns[1] - delay_ns[0])))
    n_row = len(delay_ns) // n_join
    delay_ns, share = (c[: n_row * n_join].reshape(n_row, n_join).mean(axis=1) for c in (delay_ns, share))
    counts = counts[: n_row * n_join].reshape(n_row, n_join).sum(axis=1)
    signal = counts - n_join * level
    used = (delay_ns > 0.3) & (delay_ns < 2.0 * _LATEST_BREAK_NS) & (signal > _LEAST_SIGNAL_SD * np.sqrt(counts + 1.0))
    if np.count_nonzero(used) < 3 * _FEWEST_POINTS or delay_ns[used].max() < 2.0 * FIRST_BREAK_NS:
        return None
    t_ns, log_signal, weight = delay_ns[used], np.log(signal[used] / share[used]), signal[used] / np.sqrt(counts[used])
    candidates = np.arange(FIRST_BREAK_NS, min(_LATEST_BREAK_NS, t_ns.max() - 0.5), _BREAK_STEP_NS)
    misfit = _misfits(_broken(t_ns, candidates), log_signal, weight)
    straight = float(_misfits(np.stack([np.ones_like(t_ns), -t_ns], axis=1)[None], log_signal, weight)[0])
    if straight - misfit.min() < _CLEAR_BREAK:
        return None
    inflation = max(misfit.min() / (len(t_ns) - 4), 1.0)
    near = candidates[misfit <= misfit.min() + NORMAL_95**2 * inflation]
    ends = (float(near[0]) - 0.5 * _BREAK_STEP_NS, float(near[-1]) + 0.5 * _BREAK_STEP_NS)
    return Figure("decay_break_ns", float(candidates[np.argmin(misfit)]), ends)


def late_exponent(late: LateCounts, fit: DiffusionFit, window_ns: float, limits: tuple[float, float]) -> Figure | None:
    """Return the exponent of the mean squared displacement after the window; 0.4 would be strongly sublinear.

    Parameters
    ----------
    late : LateCounts
        Counts after the window.
    fit : DiffusionFit
        What is known of the spot, and its displacement at the end of the window.
    window_ns : float
        End of the window after the pulse.
    limits : tuple of float
        Smallest and largest variance that is believed, in nm^2.
    """
    start_nm2 = 2.0 * fit.value(Parameter.DIFFUSIVITY) * window_ns
    if len(late.age_ns) < 3 or start_nm2 <= _LEAST_SIGNAL_SD * 2.0 * fit.error(Parameter.DIFFUSIVITY) * window_ns:
        return None
    tail = fit.value(Parameter.TAIL) * fit.shape.wrapped_tail(fit.parameters).value
    exposure = fit.gain * late.exposure
    background = exposure * (fit.value(Parameter.FLAT) + tail)
    guess_nm2 = np.full(len(late.age_ns), start_nm2)
    grown_nm2, error_nm2 = fit_broadening(
        late.counts, exposure, background, fit.shape, fit.parameters, guess_nm2, limits
    )
    good = np.isfinite(error_nm2) & (grown_nm2 > 0)
    if np.count_nonzero(good) < 3:
        return None
    weight = grown_nm2[good] / error_nm2[good]
    basis = np.column_stack([np.ones(np.count_nonzero(good)), np.log(late.age_ns[good] / window_ns)])
    value, error = _weighted_lines(basis, np.log(grown_nm2[good]), weight)
    return _figure("late_msd_exponent", value[1], error[1])


def _broken(delay_ns: FloatArray, break_ns: FloatArray) -> FloatArray:
    """Return the basis of a decay with a break for each candidate, shape (n_candidate, n_bin, 3)."""
    before, after = np.minimum(delay_ns, break_ns[:, None]), np.maximum(delay_ns, break_ns[:, None])
    return np.stack([np.ones_like(before), -before, -np.log(after / break_ns[:, None])], axis=2)


def _misfits(basis: FloatArray, values: FloatArray, weight: FloatArray) -> FloatArray:
    """Return chi-square of the best combination of each basis, shape (n_candidate,)."""
    weighted, target = basis * weight[:, None], weight * values
    normal = weighted.transpose(0, 2, 1) @ weighted
    found = np.linalg.solve(normal, weighted.transpose(0, 2, 1) @ target[:, None])
    return np.asarray(np.sum((target[:, None] - weighted @ found) ** 2, axis=(1, 2)))


def _weighted_lines(basis: FloatArray, values: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return coefficients and standard errors of a weighted linear fit, weights being inverse standard errors."""
    scale = np.linalg.norm(basis * weight[:, None], axis=0)
    scaled = basis * weight[:, None] / scale
    covariance = np.linalg.pinv(scaled.T @ scaled)
    return covariance @ scaled.T @ (values * weight) / scale, np.sqrt(np.diag(covariance)) / scale


def _figure(name: str, value: float, error: float, widest: float = _WIDEST_ERROR) -> Figure | None:
    """Return a figure with its normal interval, None if it is not determined."""
    if not (np.isfinite(value) and np.isfinite(error) and 0.0 < error < widest):
        return None
    return Figure(name, float(value), (float(value - NORMAL_95 * error), float(value + NORMAL_95 * error)))

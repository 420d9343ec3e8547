"""Where the pulse is, how sharp the response is, how long the excitons live: one fit to the summed decay.

The counts of all positions are summed; an exponential that starts at t0 under a Gaussian response, on
a constant level, is fitted to them with the Poisson likelihood, from the level before the pulse to
the end of the fit window. What the caller knows of t0 or the response is held, not fitted. Only the
time axis of the excitons' age comes from here, and it forgives a good deal: 50 ps of t0 change the
diffusivity by 0.02 %.

A decay that is not exponential within the window gives an effective lifetime; no power law is fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.fitting import NORMAL_95, Evaluation, maximise, poisson_log_likelihood
from tplm_daq.analysis.models import FWHM_PER_SIGMA, cumulative_decay
from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

PULSE_SIGNIFICANCE = 5.0
"""Standard deviations by which the decay must rise above a constant level to count as a pulse."""

RISE_MARGIN_NS = 5.0
"""Delays fitted before the pulse, at most; more would cost time and tell nothing."""

USUAL_RESPONSE_FWHM_NS = 0.08
RESPONSE_LOG_SPREAD = 0.7
"""Prior of an unknown response: 80 ps (Science Advances 10, eadj2630 (2024)), give or take a factor of two. It decides
where a few hundred counts do not, and is forgotten beyond some thousand."""

_SIGMA_LIMITS_NS = (0.005, 1.0)
_LIFETIME_LIMITS_NS = (0.02, 200.0)
_COUNTS_TO_SEE_A_PEAK = 100.0


@dataclass(frozen=True)
class DecayFit:
    """Result of `fit_decay`.

    Attributes
    ----------
    t0_ns, t0_error_ns : float
        Delay of the centre of the pulse and its standard error, 0 if it was given.
    sigma_ns : float
        Standard deviation of the response.
    lifetime_ns, lifetime_error_ns : float
        Effective lifetime within the window and its standard error.
    delay_ns, counts, model : ndarray of float64, shape (n_bin,)
        Bin centres, counts summed over the positions, and the fitted decay.
    """

    t0_ns: float
    t0_error_ns: float
    sigma_ns: float
    lifetime_ns: float
    lifetime_error_ns: float
    delay_ns: FloatArray
    counts: FloatArray
    model: FloatArray

    @property
    def lifetime_ci95_ns(self) -> tuple[float, float]:
        """95 % interval of the lifetime."""
        half_ns = NORMAL_95 * self.lifetime_error_ns
        return self.lifetime_ns - half_ns, self.lifetime_ns + half_ns

    @property
    def response_fwhm_ns(self) -> float:
        """Full width at half maximum of the response in ns."""
        return float(self.sigma_ns * FWHM_PER_SIGMA)


def fit_decay(
    counts: NDArray[np.integer] | FloatArray,
    delay_ns: FloatArray,
    live: FloatArray,
    window_ns: float,
    t0_ns: float | None = None,
    response_fwhm_ns: float | None = None,
    collected: FloatArray | None = None,
) -> DecayFit:
    """Fit an exponential under a Gaussian response to a decay.

    Parameters
    ----------
    counts : ndarray, shape (n_bin,)
        Counts summed over the positions.
    delay_ns : ndarray of float64, shape (n_bin,)
        Centres of equally wide bins, in ns.
    live : ndarray of float64, shape (n_bin,)
        Live fraction of the detection, which multiplies the model.
    window_ns : float
        The fit ends this long after the pulse, in ns.
    t0_ns, response_fwhm_ns : float, optional
        Known centre of the pulse and width of the response; held if given.
    collected : ndarray of float64, shape (n_bin,), optional
        Relative part of the light that the positions collect at each delay; multiplies the decay, not the level.

    Returns
    -------
    DecayFit
        Parameters, errors, and the curve.

    Raises
    ------
    FitError
        If no pulse stands out, or the delays do not hold it.
    """
    width_ns = float((delay_ns[-1] - delay_ns[0]) / (len(delay_ns) - 1))
    rough_t0_ns = find_rising_edge(counts, delay_ns) if t0_ns is None else t0_ns
    inside = (delay_ns > rough_t0_ns - RISE_MARGIN_NS) & (delay_ns < rough_t0_ns + window_ns)
    used, ready, centres_ns = counts[inside].astype(np.float64), live[inside], delay_ns[inside]
    bright = ready if collected is None else ready * collected[inside]
    if len(used) < 6:
        raise FitError(
            f"Only {len(used)} delay bins lie within {RISE_MARGIN_NS:g} ns before and {window_ns:g} ns after the pulse "
            f"at {rough_t0_ns:g} ns; a bin is {width_ns:g} ns wide. Use narrower bins or a longer span. "
            "Are delays in ns?"
        )
    edges_ns = np.append(centres_ns - 0.5 * width_ns, centres_ns[-1] + 0.5 * width_ns)
    sigma_ns = (response_fwhm_ns or USUAL_RESPONSE_FWHM_NS) / FWHM_PER_SIGMA
    start = _starting_values(used, centres_ns, width_ns, rough_t0_ns, sigma_ns, window_ns)
    free = np.array([t0_ns is None, response_fwhm_ns is None, True, True, True])
    lower = np.array([edges_ns[0], _SIGMA_LIMITS_NS[0], _LIFETIME_LIMITS_NS[0], 0.0, 1e-9])
    upper = np.array([edges_ns[-1], _SIGMA_LIMITS_NS[1], _LIFETIME_LIMITS_NS[1], np.inf, np.inf])
    if response_fwhm_ns is not None:
        lower[1] = upper[1] = sigma_ns

    def evaluate(parameters: FloatArray) -> Evaluation:
        expected, jacobian = _expected_counts(parameters, edges_ns, ready, bright)
        weighted = jacobian / expected
        off = np.log(parameters[1] / sigma_ns) / RESPONSE_LOG_SPREAD
        gradient, information = weighted @ (used - expected), weighted @ jacobian.T
        gradient[1] -= off / (RESPONSE_LOG_SPREAD * parameters[1])
        information[1, 1] += 1.0 / (RESPONSE_LOG_SPREAD * parameters[1]) ** 2
        return Evaluation(poisson_log_likelihood(used, expected) - 0.5 * off**2, gradient, information)

    best = maximise(evaluate, start, lower, upper, free, "fit of the decay", "Measure longer, or fit a longer window.")
    model = _expected_counts(best.parameters, edges_ns, ready, bright)[0]
    _require_pulse(used, ready, model)
    errors = np.sqrt(np.diag(best.covariance))
    t0, sigma, lifetime = (float(value) for value in best.parameters[:3])
    return DecayFit(t0, float(errors[0]), sigma, lifetime, float(errors[2]), centres_ns, used, model)


def find_rising_edge(counts: NDArray[np.integer] | FloatArray, delay_ns: FloatArray) -> float:
    """Return roughly where a decay rises to half of its peak.

    The counts are smoothed until the peak holds about a hundred of them, so that the answer is good
    to some 0.1 ns even for a few hundred counts.

    Parameters
    ----------
    counts : ndarray, shape (n_bin,)
        Decay.
    delay_ns : ndarray of float64, shape (n_bin,)
        Centres of equally wide bins, in ns.

    Returns
    -------
    float
        Delay of the rising edge in ns.

    Raises
    ------
    FitError
        If there are no counts, all of them are in one bin, or no peak stands out.

    Examples
    --------
    >>> find_rising_edge(np.array([0, 0, 0, 900, 800, 700, 600]), np.arange(7.0))
    2.5
    """
    n_filled = int(np.count_nonzero(counts))
    if n_filled == 0:
        raise FitError("There are no counts. Check that the light is on and the detector is open.")
    if n_filled == 1:
        raise FitError(
            f"All {int(counts.sum())} counts are in one delay bin. Check the trigger level and the delay range."
        )
    width_ns = float((delay_ns[-1] - delay_ns[0]) / (len(delay_ns) - 1))
    n_most = max(1, min(int(0.5 / width_ns), len(counts) // 4))
    n_smooth = min(max(1, int(0.1 / width_ns)), n_most)
    smooth = _running_sum(counts, n_smooth)
    while smooth.max() < _COUNTS_TO_SEE_A_PEAK and n_smooth < n_most:
        n_smooth = min(2 * n_smooth, n_most)
        smooth = _running_sum(counts, n_smooth)
    peak = int(np.argmax(smooth))
    if 2.0 * (np.sqrt(smooth[peak]) - np.sqrt(smooth.mean())) < PULSE_SIGNIFICANCE:
        raise _no_pulse(int(counts.sum()))
    level = float(np.median(smooth[: max(peak, 1)]))
    below = np.flatnonzero(smooth[:peak] < 0.5 * (smooth[peak] + level))
    last_below = int(below[-1]) if len(below) else 0
    return float(delay_ns[0] + (last_below + 0.5 * n_smooth) * width_ns)


def _running_sum(counts: NDArray[np.integer] | FloatArray, n_smooth: int) -> FloatArray:
    """Return the sum of `n_smooth` bins that begin at each bin."""
    cumulative = np.concatenate(([0.0], np.cumsum(counts, dtype=np.float64)))
    return np.asarray(cumulative[n_smooth:] - cumulative[:-n_smooth])


def _starting_values(
    counts: FloatArray, delay_ns: FloatArray, width_ns: float, t0_ns: float, sigma_ns: float, window_ns: float
) -> FloatArray:
    before = counts[delay_ns < t0_ns - 4.0 * FWHM_PER_SIGMA * sigma_ns]
    level = max(float(before.mean()) if len(before) else 0.0, 1e-3)
    early = np.sum(counts[(delay_ns >= t0_ns) & (delay_ns < t0_ns + 0.5 * window_ns)] - level)
    late = np.sum(counts[delay_ns >= t0_ns + 0.5 * window_ns] - level)
    ratio = max(early, 1.0) / max(late, 1.0)
    lifetime_ns = 0.5 * window_ns / np.log(np.clip(ratio, 1.02, 1e3))
    height = max(early + late, 1.0) * width_ns / (lifetime_ns * -np.expm1(-window_ns / lifetime_ns))
    return np.array([t0_ns, sigma_ns, lifetime_ns, height, level])


def _expected_counts(
    parameters: FloatArray, edges_ns: FloatArray, live: FloatArray, bright: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return expected counts, shape (n_bin,), and derivatives (t0, sigma, lifetime, height, level), shape (5, n_bin).

    Height, the initial rate, and level are in counts per bin; `bright` multiplies the decay, `live` the level.
    """
    t0_ns, sigma_ns, lifetime_ns, height, level = parameters
    per_bin = bright / (edges_ns[1] - edges_ns[0])
    light = cumulative_decay(edges_ns, t0_ns, sigma_ns, lifetime_ns)
    decay = per_bin * np.diff(light.value)
    jacobian = np.stack(
        [
            height * per_bin * np.diff(light.d_t0),
            height * per_bin * np.diff(light.d_sigma),
            height * per_bin * np.diff(light.d_lifetime),
            decay,
            live,
        ]
    )
    return height * decay + level * live, jacobian


def _require_pulse(counts: FloatArray, live: FloatArray, model: FloatArray) -> None:
    """Raise FitError unless the model describes the counts better than a constant level does."""
    flat = live * counts.sum() / live.sum()
    gain = poisson_log_likelihood(counts, model) - poisson_log_likelihood(counts, flat)
    if gain < 0.5 * PULSE_SIGNIFICANCE**2:
        raise _no_pulse(int(counts.sum()))


def _no_pulse(n_counts: int) -> FitError:
    return FitError(
        f"No pulse stands out of {n_counts} counts. Check light, trigger and delay range, or measure longer."
    )

"""How well a planned scan will determine D: the Cramér-Rao bound before a single photon is counted.

The expected counts of the scan are put into the same likelihood that later fits the measured ones
(`tplm_daq.analysis.likelihood`). Its Fisher information at the truth, with spot width, centre, background, wrapped
tail and one amplitude per delay bin unknown, is all there is to know; the fit comes close to it.

The light of the sample is a mono-exponential decay that turns into a power law at 3 ns, where the spreading becomes
sublinear, too: Science Advances 10, eadj2630 (2024). Dead time, drift and noise of the laser are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.binning import PREPULSE_MARGIN_FWHM, RISE_INCLUDED_FWHM, TAIL_EXPONENT
from tplm_daq.analysis.fitting import maximise
from tplm_daq.analysis.likelihood import TAIL_VARIANCE_RATIO, ScanLikelihood, tail_prior
from tplm_daq.analysis.models import (
    FWHM_PER_SIGMA,
    NM2_PER_NS_PER_CM2_PER_S,
    bin_mean_age,
    cumulative_decay,
    pixel_profile,
)
from tplm_daq.analysis.shapes import GaussianSpot, Parameter

FloatArray = NDArray[np.float64]

PROMPT_NS = 3.0
"""Age at which the decay turns into a power law (the paper's window)."""

SPREADING_EXPONENT = 0.4
"""Power law of the mean squared displacement after that (our simulated sample)."""

_N_EARLIER_PULSES = 20
_LAST_AGE_NS = 1e5
_N_AGES = 2000


@dataclass(frozen=True)
class PlannedScan:
    """A line scan through the centre of a round spot, before it is measured.

    Attributes
    ----------
    position_nm, dwell_s : ndarray of float64, shape (n_position,)
        Pixel centres relative to the centre of the spot in nm, and total dwell of each in s.
    pixel_nm : tuple of float
        Width of the pixel along and across the line, in nm.
    sigma0_nm : float
        Standard deviation of the image of the spot at the pulse, without the pixel, in nm.
    peak_cps, dark_cps : float
        Counts per second at the centre of the spot from the sample, at all delays, and from elsewhere.
    repetition_rate_hz : float
        Laser pulses per second.
    lifetime_ns : float
        Lifetime of the excitons.
    response_fwhm_ns : float
        Full width at half maximum of the system response.
    bin_width_ns, window_ns, before_ns : float
        Width of the bins that are fitted, delays used after the pulse, and delays recorded before it.
    """

    position_nm: FloatArray
    dwell_s: FloatArray
    pixel_nm: tuple[float, float]
    sigma0_nm: float
    peak_cps: float
    dark_cps: float = 50.0
    repetition_rate_hz: float = 2.5e6
    lifetime_ns: float = 2.0
    response_fwhm_ns: float = 0.08
    bin_width_ns: float = 0.05
    window_ns: float = 3.0
    before_ns: float = 5.0

    @property
    def period_ns(self) -> float:
        """Time between two pulses, in ns."""
        return 1e9 / self.repetition_rate_hz

    def variance_nm2(self, age_ns: FloatArray, diffusivity_cm2_s: float) -> FloatArray:
        """Return the variance of the spot along each axis at ages in ns, without the pixel, in nm^2."""
        late = np.maximum(age_ns, PROMPT_NS) / PROMPT_NS
        spread_nm2 = 2.0 * NM2_PER_NS_PER_CM2_PER_S * diffusivity_cm2_s * np.minimum(age_ns, PROMPT_NS)
        return np.asarray(self.sigma0_nm**2 + spread_nm2 * late**SPREADING_EXPONENT)


def expected_standard_error(plan: PlannedScan, diffusivity_cm2_s: float) -> float:
    """Return the smallest standard error of D that a planned scan allows.

    Parameters
    ----------
    plan : PlannedScan
        The scan.
    diffusivity_cm2_s : float
        D to expect, in cm2/s.

    Returns
    -------
    float
        Standard deviation of D in cm2/s.

    Raises
    ------
    FitError
        The scan does not determine D at all.

    Examples
    --------
    The scan of the paper at 20 kcps knows D = 0.05 cm2/s to better than 1 %:

    >>> line_nm = np.linspace(-1000.0, 1000.0, 41)
    >>> plan = PlannedScan(line_nm, np.full(41, 20.0), (101.0, 101.0), sigma0_nm=212.0, peak_cps=20e3)
    >>> 0.005 < expected_standard_error(plan, 0.05) / 0.05 < 0.01
    True
    """
    likelihood, truth = expected_scan(plan, diffusivity_cm2_s)
    unbounded = np.full(len(Parameter), np.inf)
    free = np.full(len(Parameter), True)
    # at the truth the gradient is zero, so this ends at once with the covariance there
    advice = "Plan more dwell, or more positions across the spot."
    best = maximise(likelihood.evaluate, truth, -unbounded, unbounded, free, "Plan of the scan", advice)
    variance = best.covariance[Parameter.DIFFUSIVITY, Parameter.DIFFUSIVITY]
    return float(np.sqrt(variance)) / NM2_PER_NS_PER_CM2_PER_S


def wrapped_ratio(plan: PlannedScan, diffusivity_cm2_s: float) -> float:
    """Return the light of earlier pulses relative to the light just after a pulse, both at the centre of the spot."""
    likelihood, truth = expected_scan(plan, diffusivity_cm2_s)
    return float(truth[Parameter.TAIL] / likelihood.expectation(truth).amplitude.max())


def expected_scan(plan: PlannedScan, diffusivity_cm2_s: float) -> tuple[ScanLikelihood, FloatArray]:
    """Return the likelihood of the expected counts, and the parameters that make it greatest.

    Parameters
    ----------
    plan : PlannedScan
        The scan.
    diffusivity_cm2_s : float
        D to expect, in cm2/s.

    Returns
    -------
    likelihood : ScanLikelihood
        With the expected counts in place of measured ones; levels are per bin of the plan at mean dwell.
    truth : ndarray of float64, shape (6,)
        In the order of `Parameter`.
    """
    age_ns, light = _light_per_bin(plan)
    variance_nm2 = plan.variance_nm2(age_ns, diffusivity_cm2_s)
    wrapped_ns = plan.period_ns * np.arange(1, _N_EARLIER_PULSES + 1, dtype=np.float64)
    counts_per_light = _counts_per_light(plan, diffusivity_cm2_s)
    tail_nm2 = float(plan.variance_nm2(wrapped_ns[:1], diffusivity_cm2_s)[0])
    tail = counts_per_light * plan.bin_width_ns * float(np.sum(_height(plan, wrapped_ns, diffusivity_cm2_s)))
    flat = plan.dark_cps * plan.bin_width_ns / plan.period_ns * float(plan.dwell_s.mean())
    amplitude = counts_per_light * light * _spread(plan, variance_nm2)
    quiet_ns = max(plan.before_ns - PREPULSE_MARGIN_FWHM * plan.response_fwhm_ns, plan.bin_width_ns)
    bins = np.append(np.ones(len(age_ns)), quiet_ns / plan.bin_width_ns)
    exposure = (plan.dwell_s / plan.dwell_s.mean())[:, None] * bins
    spot = pixel_profile(plan.position_nm[:, None], 0.0, np.append(variance_nm2, 1.0), plan.pixel_nm[0]).value
    broad = pixel_profile(plan.position_nm[:, None], 0.0, tail_nm2, plan.pixel_nm[0]).value
    likelihood = ScanLikelihood(
        shape=GaussianSpot(plan.position_nm, plan.pixel_nm[0]),
        prior=tail_prior(len(Parameter), tail_nm2 / TAIL_VARIANCE_RATIO),
        age_ns=np.append(age_ns, 0.0),
        counts=exposure * (np.append(amplitude, 0.0) * spot + flat + tail * broad),
        exposure=exposure,
        wrapped=np.ones(len(bins)),
        has_spot=np.arange(len(bins)) < len(age_ns),
    )
    d_nm2_ns = diffusivity_cm2_s * NM2_PER_NS_PER_CM2_PER_S
    return likelihood, np.array([d_nm2_ns, plan.sigma0_nm**2, 0.0, flat, tail, np.log(tail_nm2)])


def _light_per_bin(plan: PlannedScan) -> tuple[FloatArray, FloatArray]:
    """Return mean age of the excitons in each bin of the window, and their light in ns of the initial light."""
    start_ns = -RISE_INCLUDED_FWHM * plan.response_fwhm_ns
    n_bins = int((plan.window_ns - start_ns) / plan.bin_width_ns)
    edges_ns = start_ns + plan.bin_width_ns * np.arange(n_bins + 1, dtype=np.float64)
    sigma_ns = plan.response_fwhm_ns / FWHM_PER_SIGMA
    light = np.diff(cumulative_decay(edges_ns, 0.0, sigma_ns, plan.lifetime_ns).value)
    return bin_mean_age(edges_ns, 0.0, sigma_ns, plan.lifetime_ns), light


def _counts_per_light(plan: PlannedScan, diffusivity_cm2_s: float) -> float:
    """Return counts at mean dwell per ns of initial light, such that all ages together give the peak rate."""
    young_ns = np.linspace(0.0, PROMPT_NS, _N_AGES)
    late_ns = np.geomspace(PROMPT_NS, _LAST_AGE_NS, _N_AGES)
    centre = float(pixel_profile(np.zeros(1), 0.0, plan.sigma0_nm**2, plan.pixel_nm[0]).value[0])
    total_ns = sum(
        float(np.trapezoid(_height(plan, age_ns, diffusivity_cm2_s) * centre, age_ns)) for age_ns in (young_ns, late_ns)
    )
    return plan.peak_cps * float(plan.dwell_s.mean()) / total_ns


def _height(plan: PlannedScan, age_ns: FloatArray, diffusivity_cm2_s: float) -> FloatArray:
    """Return the height of the spot at an age under the pixel's width across the line, relative to the initial light.

    Parameters
    ----------
    plan : PlannedScan
        The scan.
    age_ns : ndarray of float64, shape (n,)
        Ages in ns.
    diffusivity_cm2_s : float
        D in cm2/s.
    """
    late = np.maximum(age_ns, PROMPT_NS) / PROMPT_NS
    light = np.exp(-np.minimum(age_ns, PROMPT_NS) / plan.lifetime_ns) * late**-TAIL_EXPONENT
    return light * _spread(plan, plan.variance_nm2(age_ns, diffusivity_cm2_s))


def _spread(plan: PlannedScan, variance_nm2: FloatArray) -> FloatArray:
    """Return how much the height of the spot falls as it spreads, 1 at the pulse but for the pixel across the line."""
    across = pixel_profile(np.zeros(1), 0.0, variance_nm2, plan.pixel_nm[1]).value
    return np.asarray(across * plan.sigma0_nm**2 / variance_nm2)

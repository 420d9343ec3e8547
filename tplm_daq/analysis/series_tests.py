"""Tests of a series: is the enhancement of D reversible, and is it not made by the amount of signal.

* `reversibility`: low, high, low power on one spot; do the two low ones agree, and does the high one differ?
* `signal_invariance`: the same light, filters before the detector; is D the same at every count rate?

Both are shown for CsPbBr3 nanocrystals in Science Advances 10, eadj2630 (2024). If the hypothesis holds, each
p-value is uniform: a small one speaks against it, a large one says only that these data do not, which is
worth as much as the errors are small; so each result carries the size of the effect with its error as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, ndtr

from tplm_daq.analysis.series_table import SAME_LIGHT, SIGNIFICANCE, SeriesTable, require_runs
from tplm_daq.errors import FitError


@dataclass(frozen=True)
class Reversibility:
    """Whether the first and the third run of a low-high-low series agree.

    Attributes
    ----------
    difference_cm2_s, difference_error_cm2_s : float
        Third minus first diffusivity.
    z, p_value : float
        The same in standard errors, and the two-sided probability of a larger one by chance.
    enhancement_z, enhancement_p_value : float
        The same for the second run against the mean of the two others; without enhancement there is nothing to
        be reversed.
    verdict : str
        One sentence.
    """

    difference_cm2_s: float
    difference_error_cm2_s: float
    z: float
    p_value: float
    enhancement_z: float
    enhancement_p_value: float
    verdict: str


@dataclass(frozen=True)
class SignalInvariance:
    """Whether D is the same at every count rate.

    Attributes
    ----------
    mean_cm2_s, mean_error_cm2_s : float
        Weighted mean of all runs.
    chi_square : float
        Of a constant D.
    n_dof : int
        Degrees of freedom.
    p_value : float
        Probability of a larger chi-square by chance.
    slope_per_decade_cm2_s, slope_error_cm2_s : float
        Change of D per factor of ten in photons.
    verdict : str
        One sentence.
    """

    mean_cm2_s: float
    mean_error_cm2_s: float
    chi_square: float
    n_dof: int
    p_value: float
    slope_per_decade_cm2_s: float
    slope_error_cm2_s: float
    verdict: str


def reversibility(table: SeriesTable) -> Reversibility:
    """Compare the first and the third run of a low-high-low series on one spot.

    Parameters
    ----------
    table : SeriesTable
        Three runs in the order of measurement.

    Returns
    -------
    Reversibility
        Test and verdict.

    Raises
    ------
    FitError
        If these are not three runs at low, high and the same low power.

    Examples
    --------
    >>> from tplm_daq.analysis.series_table import series_table
    >>> runs = series_table([1.5, 6.0, 1.5], 2.5e6, [0.011, 0.036, 0.012], 0.001)
    >>> result = reversibility(runs)
    >>> round(result.z, 2), round(result.p_value, 2)
    (0.71, 0.48)
    >>> print(result.verdict)
    D returns within the errors: the third run differs from the first by 0.7 standard errors (p = 0.48).
    """
    require_runs(table, 3)
    light = 1.0 / table.t_exc_us
    is_there_and_back = len(table) == 3 and abs(light[2] / light[0] - 1.0) <= SAME_LIGHT
    if not is_there_and_back or light[1] <= (1.0 + SAME_LIGHT) * light[0]:
        raise FitError("Reversibility needs three runs: low power, higher power, and the same low power again.")
    d, variance = table.diffusivity_cm2_s, table.standard_error_cm2_s**2
    difference, error = float(d[2] - d[0]), float(np.sqrt(variance[0] + variance[2]))
    enhancement = float(d[1] - 0.5 * (d[0] + d[2]))
    z = difference / error
    enhancement_z = enhancement / float(np.sqrt(variance[1] + 0.25 * (variance[0] + variance[2])))
    p_value, enhancement_p_value = _two_sided(z), _two_sided(enhancement_z)
    told = f"the third run differs from the first by {abs(z):.1f} standard errors (p = {p_value:.2g})"
    if enhancement_p_value > SIGNIFICANCE:
        verdict = f"Nothing to be reversed: D at high power does not differ (p = {enhancement_p_value:.2g}); {told}."
    elif p_value < SIGNIFICANCE:
        verdict = f"D does not return: {told}."
    else:
        verdict = f"D returns within the errors: {told}."
    return Reversibility(difference, error, z, p_value, enhancement_z, enhancement_p_value, verdict)


def signal_invariance(table: SeriesTable) -> SignalInvariance:
    """Test whether runs with the same light but different count rates give the same D.

    Parameters
    ----------
    table : SeriesTable
        Runs at one average power, with their photons.

    Returns
    -------
    SignalInvariance
        Test and verdict.

    Raises
    ------
    FitError
        If the light or the temperature differs between runs, or photons are not known.

    Examples
    --------
    >>> from tplm_daq.analysis.series_table import series_table
    >>> filters = series_table(6.0, 2.5e6, [0.036, 0.037, 0.034], [0.001, 0.002, 0.004], n_photons=[9e6, 2e6, 6e5])
    >>> result = signal_invariance(filters)
    >>> round(result.chi_square, 2), result.n_dof, round(result.p_value, 2)
    (0.49, 2, 0.78)
    """
    require_runs(table, 2)
    if np.ptp(1.0 / table.t_exc_us) > SAME_LIGHT / table.t_exc_us.min():
        raise FitError("The runs differ in average power; signal and light must not change together.")
    if not (np.all(table.n_photons > 0) and np.ptp(table.n_photons) > 0):
        raise FitError("Every run needs n_photons above zero, and not all the same.")
    d, weight = table.diffusivity_cm2_s, table.standard_error_cm2_s**-2
    mean = float(np.average(d, weights=weight))
    chi_square, n_dof = float(np.sum(weight * (d - mean) ** 2)), len(table) - 1
    decades = np.log10(table.n_photons)
    decades = decades - np.average(decades, weights=weight)
    lever = float(np.sum(weight * decades**2))
    slope, slope_error = float(np.sum(weight * decades * d)) / lever, 1.0 / float(np.sqrt(lever))
    p_value = float(chdtrc(n_dof, chi_square))
    seen = "D differs between" if p_value < SIGNIFICANCE else "D agrees at all"
    verdict = f"{seen} count rates (p = {p_value:.2g}; {slope:+.2g} ± {slope_error:.1g} cm2/s per factor of ten)."
    return SignalInvariance(mean, float(weight.sum() ** -0.5), chi_square, n_dof, p_value, slope, slope_error, verdict)


def _two_sided(z: float) -> float:
    return float(2.0 * ndtr(-abs(z)))

"""From a map of counts to a diffusivity: checks, bins, fit, bias budget, curves, in this order.

One call takes a few milliseconds with the default method, so a live scan can be analysed after every
point; a map that cannot be fitted yet raises a FitError that says what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.bias import Circumstances, bias_budget, in_quadrature, lamp, reasons
from tplm_daq.analysis.binning import FitData, bin_for_fit, exciton_lifetime
from tplm_daq.analysis.checks import LineScan, line_scan
from tplm_daq.analysis.diffusion import DiffusionFit, fit_diffusion
from tplm_daq.analysis.likelihood import Parameter
from tplm_daq.analysis.lines import LineFit, fit_lsq, fit_paper
from tplm_daq.analysis.models import NM2_PER_NS_PER_CM2_PER_S
from tplm_daq.analysis.result import DecayCurve, MsdCurve, Profile, Result
from tplm_daq.analysis.spot import fit_variances
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.recipes.analysis import AnalysisRecipe

__all__ = ["Result", "analyse"]

FloatArray = NDArray[np.float64]

NORMAL_95 = 1.959963984540054
"""Half width of the central 95 % of a normal distribution, in standard deviations."""

PROFILE_NS = 0.2
"""The profiles drawn are summed over this long at either end of the window."""


def analyse(data: TimePositionMap, recipe: AnalysisRecipe) -> Result:
    """Estimate the diffusivity of a line scan.

    Parameters
    ----------
    data : TimePositionMap
        Counts over position and delay; positions without dwell are left out.
    recipe : AnalysisRecipe
        Method and window.

    Returns
    -------
    Result
        Diffusivity with interval, nuisance parameters, warnings and curves.

    Raises
    ------
    FitError
        If the data cannot be fitted, with the reason and what would help.
    """
    scan = line_scan(data)
    if recipe.method == "paper":
        binned = bin_for_fit(scan, recipe.window_ns, data.bin_width_ns)
        estimate = _from_line(binned, fit_paper(binned, recipe.paper_sigma0), "paper")
    elif recipe.method == "lsq":
        binned = bin_for_fit(scan, recipe.window_ns, recipe.bin_width_ns)
        estimate = _from_line(binned, fit_lsq(binned), "lsq")
    else:
        binned = bin_for_fit(scan, recipe.window_ns, recipe.bin_width_ns)
        estimate = _from_likelihood(binned, fit_diffusion(binned))
    return _result(scan, binned, estimate, recipe)


@dataclass(frozen=True)
class _Estimate:
    """What every method has to say, in nm and ns."""

    method: str
    diffusivity_nm2_ns: float
    error_nm2_ns: float
    half_interval_nm2_ns: float
    variance_nm2: float
    variance_error_nm2: float
    centre_nm: float
    background_counts_per_bin: float
    wrapped_ratio: float
    deviance_per_dof: float | None
    misfit_sd: float | None
    msd: MsdCurve
    early: Profile
    late: Profile
    corrections: tuple[str, ...]


def _from_likelihood(binned: FitData, fit: DiffusionFit) -> _Estimate:
    diffusivity_nm2_ns, variance_nm2 = fit.value(Parameter.DIFFUSIVITY), fit.value(Parameter.VARIANCE)
    line_nm2 = 2.0 * diffusivity_nm2_ns * binned.age_ns
    fitted_nm2, error_nm2 = fit_variances(
        binned.counts,
        binned.exposure,
        fit.background,
        binned.position_nm,
        binned.pixel_nm,
        fit.value(Parameter.CENTRE),
        variance_nm2 + line_nm2,
    )
    corrections = ["average over the pixel", "mean age of the excitons under the response"]
    corrections.append("flat background" + (" and tail of earlier pulses" if binned.has_prepulse else ""))
    return _Estimate(
        method="poisson",
        diffusivity_nm2_ns=diffusivity_nm2_ns,
        error_nm2_ns=fit.error(Parameter.DIFFUSIVITY),
        half_interval_nm2_ns=NORMAL_95 * fit.error(Parameter.DIFFUSIVITY),
        variance_nm2=variance_nm2,
        variance_error_nm2=fit.error(Parameter.VARIANCE),
        centre_nm=fit.value(Parameter.CENTRE),
        background_counts_per_bin=fit.value(Parameter.FLAT),
        wrapped_ratio=fit.value(Parameter.TAIL) / float(fit.amplitude.max()) if binned.has_prepulse else 0.0,
        deviance_per_dof=fit.deviance_per_dof,
        misfit_sd=fit.misfit_sd,
        msd=MsdCurve(binned.age_ns, fitted_nm2 - variance_nm2, error_nm2, line_nm2),
        early=_profile(binned, binned.age_ns, binned.counts, fit.model, is_early=True),
        late=_profile(binned, binned.age_ns, binned.counts, fit.model, is_early=False),
        corrections=tuple(corrections),
    )


def _from_line(binned: FitData, fit: LineFit, method: str) -> _Estimate:
    exposed = float(binned.prepulse_exposure.sum())
    model = fit.fits.model(binned.position_nm)
    weight = np.nan_to_num(fit.fits.height)
    corrections = () if method == "paper" else ("level before the pulse", "mean age of the excitons under the response")
    return _Estimate(
        method=method,
        diffusivity_nm2_ns=fit.diffusivity_nm2_ns,
        error_nm2_ns=fit.error_nm2_ns,
        half_interval_nm2_ns=fit.half_interval_nm2_ns,
        variance_nm2=fit.variance_nm2,
        variance_error_nm2=fit.variance_error_nm2,
        centre_nm=float(np.sum(weight * np.nan_to_num(fit.fits.centre_nm)) / weight.sum()),
        background_counts_per_bin=float(binned.prepulse_counts.sum()) / exposed if exposed else 0.0,
        wrapped_ratio=0.0,
        deviance_per_dof=None,
        misfit_sd=None,
        msd=MsdCurve(fit.time_ns, fit.msd_nm2, fit.msd_error_nm2, 2.0 * fit.diffusivity_nm2_ns * fit.time_ns),
        early=_profile(binned, fit.time_ns, fit.values, model, is_early=True),
        late=_profile(binned, fit.time_ns, fit.values, model, is_early=False),
        corrections=corrections,
    )


def _result(scan: LineScan, binned: FitData, estimate: _Estimate, recipe: AnalysisRecipe) -> Result:
    """Add what does not depend on the method, and turn nm^2/ns into cm2/s."""
    data, decay = scan.data, binned.decay
    lifetime_ns = exciton_lifetime(scan, binned, estimate.centre_nm, estimate.variance_nm2, estimate.diffusivity_nm2_ns)
    diffusivity = estimate.diffusivity_nm2_ns / NM2_PER_NS_PER_CM2_PER_S
    half_interval = estimate.half_interval_nm2_ns / NM2_PER_NS_PER_CM2_PER_S
    sigma0_nm = float(np.sqrt(estimate.variance_nm2))
    seen = _circumstances(scan, binned, estimate, recipe)
    budget, found = bias_budget(seen), reasons(seen)
    return Result(
        method=estimate.method,
        axis=scan.axis,
        diffusivity_cm2_s=diffusivity,
        standard_error_cm2_s=estimate.error_nm2_ns / NM2_PER_NS_PER_CM2_PER_S,
        ci95_cm2_s=(diffusivity - half_interval, diffusivity + half_interval),
        systematic_cm2_s=in_quadrature(budget),
        sigma0_nm=sigma0_nm,
        sigma0_error_nm=0.5 * estimate.variance_error_nm2 / sigma0_nm,
        centre_nm=estimate.centre_nm,
        background_counts_per_bin=estimate.background_counts_per_bin,
        lifetime_ns=lifetime_ns,
        t0_ns=decay.t0_ns,
        response_fwhm_ns=decay.response_fwhm_ns,
        bias_lamp=lamp(found),
        corrections=(*_dead_time_correction(seen, data), *estimate.corrections),
        warnings=tuple(reason.text for reason in found),
        bias_budget=budget,
        deviance_per_dof=estimate.deviance_per_dof,
        n_photons=seen.n_photons,
        msd=estimate.msd,
        decay=_decay_curve(data, binned),
        early=estimate.early,
        late=estimate.late,
    )


def _circumstances(scan: LineScan, binned: FitData, estimate: _Estimate, recipe: AnalysisRecipe) -> Circumstances:
    position_nm = binned.position_nm
    reach_nm = min(position_nm.max() - estimate.centre_nm, estimate.centre_nm - position_nm.min())
    widest_nm2 = estimate.variance_nm2 + 2.0 * max(estimate.diffusivity_nm2_ns, 0.0) * binned.age_ns[-1]
    return Circumstances(
        method=estimate.method,
        diffusivity_cm2_s=estimate.diffusivity_nm2_ns / NM2_PER_NS_PER_CM2_PER_S,
        standard_error_cm2_s=estimate.error_nm2_ns / NM2_PER_NS_PER_CM2_PER_S,
        magnification_error=recipe.magnification_error,
        blind_fraction=binned.blind,
        is_dead_time_corrected=binned.is_dead_time_known and estimate.method != "paper",
        has_prepulse=binned.has_prepulse,
        wrapped_ratio=estimate.wrapped_ratio,
        window_ns=recipe.window_ns,
        n_photons=int(binned.counts.sum()),
        n_positions=len(position_nm),
        reach_sigma=float(reach_nm / np.sqrt(widest_nm2)),
        misfit_sd=estimate.misfit_sd,
    )


def _dead_time_correction(seen: Circumstances, data: TimePositionMap) -> tuple[str, ...]:
    if not seen.is_dead_time_corrected or seen.blind_fraction is None:
        return ()
    return (f"dead time of {data.dead_time_ns:g} ns (blind for up to {100 * seen.blind_fraction:.2g} % of the pulses)",)


def _decay_curve(data: TimePositionMap, binned: FitData) -> DecayCurve:
    """Put the fitted part of the decay on the whole recorded delay axis."""
    decay = binned.decay
    model = np.full(len(data.delay_ns), np.nan)
    first = int(np.searchsorted(data.delay_ns, decay.delay_ns[0]))
    model[first : first + len(decay.model)] = decay.model
    return DecayCurve(data.delay_ns - decay.t0_ns, data.counts.sum(axis=0).astype(np.float64), model)


def _profile(binned: FitData, age_ns: FloatArray, counts: FloatArray, model: FloatArray, is_early: bool) -> Profile:
    """Sum counts and model over the first or the last bins of the window."""
    fitted = np.isfinite(model).all(axis=0)
    near = age_ns <= age_ns[0] + PROFILE_NS if is_early else age_ns >= age_ns[-1] - PROFILE_NS
    used = near & fitted if (near & fitted).any() else fitted
    return Profile(
        float(age_ns[used].mean()), binned.position_nm, counts[:, used].sum(axis=1), model[:, used].sum(axis=1)
    )

"""From a scan's counts to a diffusivity: checks, bins, fit, bias budget, curves, in this order.

One call takes a few milliseconds with the default method, so a live scan can be analysed after every
point; a scan that cannot be fitted yet raises a FitError that says what is missing.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.bias import Circumstances, bias_budget, in_quadrature
from tplm_daq.analysis.binning import FitData, bin_for_fit
from tplm_daq.analysis.checks import CheckedScan, checked_scan
from tplm_daq.analysis.estimate import PROFILE_NS, Estimate, believable_variances
from tplm_daq.analysis.lamp import lamp, reasons
from tplm_daq.analysis.lifetime import collected_share, exciton_lifetime, power_law
from tplm_daq.analysis.merit import (
    change_within_window,
    contrast_to_noise,
    decay_break,
    excess_kurtosis,
    late_exponent,
    spreading_exponent,
)
from tplm_daq.analysis.models import NM2_PER_NS_PER_CM2_PER_S
from tplm_daq.analysis.pile_up import Verdict, judge_dead_time
from tplm_daq.analysis.residuals import FittedCounts
from tplm_daq.analysis.result import DecayCurve, Figure, PowerLaw, Result
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.recipes.analysis import AnalysisRecipe

__all__ = ["Result", "analyse"]

FloatArray = NDArray[np.float64]


def analyse(data: TimePositionMap, recipe: AnalysisRecipe, with_laws: bool = False) -> Result:
    """Estimate the diffusivity of a line scan or of a map.

    Parameters
    ----------
    data : TimePositionMap
        Counts over position and delay; positions without dwell are left out.
    recipe : AnalysisRecipe
        Method and window.
    with_laws : bool
        Whether the power law of the late decay is fitted, too, and compared with other laws; takes some 0.1 s.

    Returns
    -------
    Result
        Diffusivity with interval, nuisance parameters, warnings and curves.

    Raises
    ------
    FitError
        If the data cannot be fitted, with the reason and what would help.
    """
    scan = checked_scan(data)
    binned, found, verdict = judge_dead_time(scan, recipe, partial(_binned, recipe))
    return _result(scan, binned, found, recipe, verdict, with_laws)


def _binned(recipe: AnalysisRecipe, scan: CheckedScan) -> FitData:
    bin_width_ns = scan.data.bin_width_ns if recipe.method == "paper" else recipe.bin_width_ns
    binned = bin_for_fit(scan, recipe.window_ns, bin_width_ns, recipe.corrections)
    return replace(binned, gain_spread=recipe.gain_spread)


def _result(
    scan: CheckedScan,
    binned: FitData,
    found: Estimate,
    recipe: AnalysisRecipe,
    verdict: Verdict | None,
    with_laws: bool,
) -> Result:
    """Add what does not depend on the method, and turn nm^2/ns into cm2/s."""
    decay = binned.decay
    late = _late_exponent(binned, found, recipe)
    share = collected_share(scan, binned, found, 0.0 if late is None else late.value)
    figures, change_sd = _figures(scan, binned, found, share, late)
    lifetime = exciton_lifetime(scan, binned, share)
    tail = power_law(scan, binned, share) if with_laws else None
    seen = _circumstances(scan, binned, found, recipe, figures, change_sd, verdict)
    budget, why = bias_budget(seen), reasons(seen)
    sigma0_nm, along_y = float(np.sqrt(found.variance_nm2)), found.along_y
    low, high = (end / NM2_PER_NS_PER_CM2_PER_S for end in found.ci95_nm2_ns)
    return Result(
        method=found.method,
        axis=scan.axis,
        start_profile=found.start_profile,
        diffusivity_cm2_s=seen.diffusivity_cm2_s,
        standard_error_cm2_s=seen.standard_error_cm2_s,
        ci95_cm2_s=(low, high),
        interval=found.interval,
        systematic_cm2_s=in_quadrature(budget),
        sigma0_nm=sigma0_nm,
        sigma0_error_nm=0.5 * found.variance_error_nm2 / sigma0_nm,
        centre_nm=found.centre_nm,
        centre_xy_nm=None if along_y is None else (found.centre_nm, along_y.centre_nm),
        sigma0_xy_nm=None if along_y is None else (sigma0_nm, float(np.sqrt(along_y.variance_nm2))),
        background_counts_per_bin=found.background_counts_per_bin,
        lifetime_ns=lifetime.lifetime_ns,
        lifetime_ci95_ns=lifetime.lifetime_ci95_ns,
        tail=tail,
        t0_ns=decay.t0_ns,
        response_fwhm_ns=decay.response_fwhm_ns,
        bias_lamp=lamp(why),
        corrections=(*_dead_time_correction(seen, binned), *found.corrections),
        warnings=tuple(reason.text for reason in why),
        bias_budget=budget,
        deviance_per_dof=None if found.choice is None else found.choice.fit.deviance_per_dof,
        n_photons=seen.n_photons,
        figures=figures,
        msd=found.msd,
        decay=_decay_curve(scan.data, binned, tail),
        early=found.early,
        late=found.late,
        fitted=FittedCounts(scan.data.x_nm, scan.data.y_nm, found.delay_ns, found.counts, found.expected),
    )


def _figures(
    scan: CheckedScan, binned: FitData, found: Estimate, share: FloatArray, late: Figure | None
) -> tuple[tuple[Figure, ...], float]:
    """Return the figures of merit, and the significance of a change of the diffusivity within the window."""
    data = scan.data
    since_pulse_ns = data.delay_ns - binned.decay.t0_ns
    before = since_pulse_ns < -PROFILE_NS - 4.0 * binned.decay.response_fwhm_ns
    summed = data.counts.sum(axis=0).astype(np.float64)
    level = float(summed[before].mean()) if before.any() else 0.0
    n_early = PROFILE_NS / data.bin_width_ns
    figures = [
        contrast_to_noise(found.early, level * n_early / len(binned.position_nm)),
        spreading_exponent(found.msd),
        decay_break(since_pulse_ns, summed, level, share),
    ]
    change, change_sd = change_within_window(found.msd)
    if change is not None:
        low, high = (end / NM2_PER_NS_PER_CM2_PER_S for end in change.ci95)
        figures.append(Figure("diffusivity_change_cm2_s", change.value / NM2_PER_NS_PER_CM2_PER_S, (low, high)))
    if found.choice is not None and not binned.is_map:
        figures.append(excess_kurtosis(binned, found.choice.gaussian))
    return tuple(figure for figure in (*figures, late) if figure is not None), change_sd


def _late_exponent(binned: FitData, found: Estimate, recipe: AnalysisRecipe) -> Figure | None:
    """Return the exponent of the mean squared displacement after the window, None if it is not determined."""
    if found.choice is None:
        return None
    return late_exponent(binned.late, found.choice.fit, recipe.window_ns, believable_variances(binned))


def _circumstances(
    scan: CheckedScan,
    binned: FitData,
    found: Estimate,
    recipe: AnalysisRecipe,
    figures: tuple[Figure, ...],
    change_sd: float,
    verdict: Verdict | None,
) -> Circumstances:
    named = {figure.name: figure for figure in figures}
    fit = None if found.choice is None else found.choice.fit
    low, high = found.ci95_nm2_ns
    return Circumstances(
        method=found.method,
        diffusivity_cm2_s=found.diffusivity_nm2_ns / NM2_PER_NS_PER_CM2_PER_S,
        standard_error_cm2_s=found.error_nm2_ns / NM2_PER_NS_PER_CM2_PER_S,
        half_interval_cm2_s=0.5 * (high - low) / NM2_PER_NS_PER_CM2_PER_S,
        magnification_error=recipe.magnification_error,
        ellipticity=0.0 if binned.is_map else recipe.ellipticity,
        relative_drift=recipe.drift_nm / float(np.ptp(binned.position_nm)),
        shape_doubt_cm2_s=0.0 if found.choice is None else found.choice.doubt_nm2_ns / NM2_PER_NS_PER_CM2_PER_S,
        shape_reason="" if found.choice is None else found.choice.reason,
        blind_fraction=binned.blind,
        is_dead_time_corrected=binned.dead_time_ns is not None and found.method != "paper",
        dead_time_gain=None if verdict is None else verdict.gain,
        dead_time_doubt_cm2_s=0.0 if verdict is None else verdict.doubt_nm2_ns / NM2_PER_NS_PER_CM2_PER_S,
        has_prepulse=binned.has_prepulse,
        wrapped_ratio=found.wrapped_ratio,
        window_ns=recipe.window_ns,
        decay_break=named.get("decay_break_ns"),
        change=named.get("diffusivity_change_cm2_s"),
        change_sd=change_sd,
        n_photons=int(binned.counts.sum()),
        n_positions=len(binned.position_nm),
        reach_sigma=_reach_sigma(binned, found),
        misfit_sd=None if fit is None else max(fit.misfit_sd, fit.profile_misfit_sd),
    )


def _reach_sigma(binned: FitData, found: Estimate) -> float:
    """Return the distance of the nearest edge from the centre, in widths of the spot at the end of the window."""
    spread_nm2 = 2.0 * max(found.diffusivity_nm2_ns, 0.0) * float(binned.age_ns[-1])
    axes = [(binned.position_nm, found.centre_nm, found.variance_nm2)]
    if found.along_y is not None:
        axes.append((binned.across_nm, found.along_y.centre_nm, found.along_y.variance_nm2))
    return min(
        float(min(place_nm.max() - centre_nm, centre_nm - place_nm.min()) / np.sqrt(variance_nm2 + spread_nm2))
        for place_nm, centre_nm, variance_nm2 in axes
    )


def _dead_time_correction(seen: Circumstances, binned: FitData) -> tuple[str, ...]:
    if not seen.is_dead_time_corrected or seen.blind_fraction is None:
        return ()
    return (
        f"dead time of {binned.dead_time_ns:g} ns (blind for up to {100 * seen.blind_fraction:.2g} % of the pulses)",
    )


def _decay_curve(data: TimePositionMap, binned: FitData, tail: PowerLaw | None) -> DecayCurve:
    """Put the fitted parts of the decay on the whole recorded delay axis."""
    decay = binned.decay
    since_pulse_ns = data.delay_ns - decay.t0_ns
    model = np.full(len(since_pulse_ns), np.nan)
    if tail is not None:
        model = np.interp(since_pulse_ns, tail.age_ns, tail.model, left=np.nan, right=np.nan)
    first = int(np.searchsorted(data.delay_ns, decay.delay_ns[0]))
    model[: first + len(decay.model)] = np.nan
    model[first : first + len(decay.model)] = decay.model
    return DecayCurve(since_pulse_ns, data.counts.sum(axis=0).astype(np.float64), model)

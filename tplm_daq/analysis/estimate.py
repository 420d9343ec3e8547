"""What every method has to say, in one form: the global fits and the straight lines side by side, in nm and ns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.binning import FitData
from tplm_daq.analysis.choice import Choice, choose_fit
from tplm_daq.analysis.diffusion import DiffusionFit
from tplm_daq.analysis.ellipse import CENTRE_Y, VARIANCE_Y, EllipticalSpot
from tplm_daq.analysis.intervals import bootstrap_interval, fisher_interval, profile_interval
from tplm_daq.analysis.lines import LineFit, fit_lsq, fit_paper
from tplm_daq.analysis.map_shapes import EllipticalHalo, MixtureOnMap
from tplm_daq.analysis.mixture import MixtureSpot
from tplm_daq.analysis.models import collected_light
from tplm_daq.analysis.result import MsdCurve, Profile
from tplm_daq.analysis.shapes import Parameter
from tplm_daq.analysis.spot import fit_broadening, require_centre_inside
from tplm_daq.errors import FitError
from tplm_daq.recipes.analysis import AnalysisRecipe

FloatArray = NDArray[np.float64]

PROFILE_NS = 0.2
"""The profiles drawn are summed over this long at either end of the window."""

_NARROWEST_PIXELS = 0.2
_WIDEST_RANGES = 5.0
_SMALLEST_SHARE = 0.1


@dataclass(frozen=True)
class AlongY:
    """Centre in nm and variance in nm^2 of the spot on a map along y."""

    centre_nm: float
    variance_nm2: float


@dataclass(frozen=True)
class Estimate:
    """Result of one method, in nm and ns; see `tplm_daq.analysis.result.Result` for what is not explained here.

    Attributes
    ----------
    choice : Choice or None
        The global fit; None for straight lines.
    collected : callable
        Light summed over the positions for a spot of constant total light, up to a constant, when the variance of
        the spot has grown by so much, in nm^2: from and to ndarray of float64, shape (n_age,).
    along_y : AlongY or None
        The second axis of a map; None on a line.
    delay_ns : ndarray of float64, shape (n_row,)
        Centres after the pulse of the bins that were fitted, in ns.
    counts, expected : ndarray of float64, shape (n_position, n_row)
        In these bins, as recorded and as fitted.
    """

    method: str
    start_profile: str
    interval: str
    diffusivity_nm2_ns: float
    error_nm2_ns: float
    ci95_nm2_ns: tuple[float, float]
    variance_nm2: float
    variance_error_nm2: float
    centre_nm: float
    along_y: AlongY | None
    background_counts_per_bin: float
    wrapped_ratio: float
    choice: Choice | None
    collected: Callable[[FloatArray], FloatArray]
    msd: MsdCurve
    delay_ns: FloatArray
    counts: FloatArray
    expected: FloatArray
    early: Profile
    late: Profile
    corrections: tuple[str, ...]


def estimate(binned: FitData, recipe: AnalysisRecipe) -> Estimate:
    """Apply the method of the recipe.

    Parameters
    ----------
    binned : FitData
        Summed bins; as recorded for the method paper.
    recipe : AnalysisRecipe
        Method and its options.

    Returns
    -------
    Estimate
        In nm and ns.

    Raises
    ------
    FitError
        If the data cannot be fitted with this method.
    """
    if recipe.method not in ("lsq", "paper"):
        return _of_likelihood(binned, choose_fit(binned, recipe), recipe)
    if binned.is_map:
        raise FitError(
            f"The method {recipe.method} needs a line along x or y, and the positions form a map. Take the method "
            "poisson, or select one row of the map."
        )
    if recipe.method == "paper":
        return _of_line(binned, fit_paper(binned, recipe.paper_sigma0), "paper", ())
    corrections = ("level before the pulse", "mean age of the excitons under the response")
    return _of_line(binned, fit_lsq(binned), "lsq", corrections)


def believable_variances(binned: FitData) -> tuple[float, float]:
    """Return the smallest and the largest variance of a spot that pixel and range can tell, in nm^2."""
    range_nm = float(np.ptp(binned.position_nm))
    return (_NARROWEST_PIXELS * binned.pixel_nm) ** 2, (_WIDEST_RANGES * range_nm) ** 2


def _of_likelihood(binned: FitData, choice: Choice, recipe: AnalysisRecipe) -> Estimate:
    fit = choice.fit
    line_nm2 = 2.0 * fit.value(Parameter.DIFFUSIVITY) * binned.age_ns
    limits_nm2 = believable_variances(binned)
    grown_nm2, grown_error_nm2 = fit_broadening(
        binned.counts, fit.gain * binned.exposure, fit.background, fit.shape, fit.parameters, line_nm2, limits_nm2
    )
    centre_nm, variance_nm2, variance_error_nm2, along_y = _start_of(fit)
    return Estimate(
        method=choice.method,
        start_profile=choice.start_profile,
        interval=recipe.interval,
        diffusivity_nm2_ns=fit.value(Parameter.DIFFUSIVITY),
        error_nm2_ns=fit.error(Parameter.DIFFUSIVITY),
        ci95_nm2_ns=_interval(fit, recipe),
        variance_nm2=variance_nm2,
        variance_error_nm2=variance_error_nm2,
        centre_nm=centre_nm,
        along_y=along_y,
        background_counts_per_bin=fit.value(Parameter.FLAT),
        wrapped_ratio=fit.value(Parameter.TAIL) / float(fit.amplitude.max()) if binned.is_tail_fitted else 0.0,
        choice=choice,
        collected=_collected(binned, fit, variance_nm2),
        msd=MsdCurve(binned.age_ns, grown_nm2, grown_error_nm2, line_nm2),
        delay_ns=binned.delay_ns,
        counts=binned.counts,
        expected=fit.model,
        early=_profile(binned, fit, is_early=True),
        late=_profile(binned, fit, is_early=False),
        corrections=_corrections(binned, fit, recipe),
    )


def _start_of(fit: DiffusionFit) -> tuple[float, float, float, AlongY | None]:
    """Return centre and variance with its error of the spot at the pulse, in nm and nm^2, and its second axis."""
    if isinstance(fit.shape, MixtureSpot):
        return (*fit.shape.moments(fit.parameters, fit.covariance), None)
    centre_nm, variance_nm2 = fit.value(Parameter.CENTRE), fit.value(Parameter.VARIANCE)
    if isinstance(fit.shape, MixtureOnMap):
        (centre_nm, variance_nm2, error_nm2), (centre_y_nm, variance_y_nm2, _) = fit.shape.moments(
            fit.parameters, fit.covariance
        )
        return centre_nm, variance_nm2, error_nm2, AlongY(centre_y_nm, variance_y_nm2)
    is_map = isinstance(fit.shape, EllipticalSpot | EllipticalHalo)
    along_y = AlongY(fit.value(CENTRE_Y), fit.value(VARIANCE_Y)) if is_map else None
    return centre_nm, variance_nm2, fit.error(Parameter.VARIANCE), along_y


def _of_line(binned: FitData, fit: LineFit, method: str, corrections: tuple[str, ...]) -> Estimate:
    exposed = float(binned.prepulse_exposure.sum())
    model = fit.fits.model(binned.position_nm)
    weight, centre_nm = np.nan_to_num(fit.fits.height), np.nan_to_num(fit.fits.centre_nm)
    mean_centre_nm = float(np.sum(weight * centre_nm) / weight.sum())
    require_centre_inside(binned.position_nm, mean_centre_nm)
    slope = fit.diffusivity_nm2_ns
    return Estimate(
        method=method,
        start_profile="Gaussian",
        interval="regression, not calibrated" if method == "paper" else "regression",
        diffusivity_nm2_ns=slope,
        error_nm2_ns=fit.error_nm2_ns,
        ci95_nm2_ns=(slope - fit.half_interval_nm2_ns, slope + fit.half_interval_nm2_ns),
        variance_nm2=fit.variance_nm2,
        variance_error_nm2=fit.variance_error_nm2,
        centre_nm=mean_centre_nm,
        along_y=None,
        background_counts_per_bin=float(binned.prepulse_counts.sum()) / exposed if exposed else 0.0,
        wrapped_ratio=0.0,
        choice=None,
        collected=partial(_collected_on_line, binned, mean_centre_nm, fit.variance_nm2),
        msd=MsdCurve(fit.time_ns, fit.msd_nm2, fit.msd_error_nm2, 2.0 * slope * fit.time_ns),
        delay_ns=fit.delay_ns,
        counts=fit.counts,
        expected=fit.expected,
        early=_line_profile(binned, fit.time_ns, fit.values, model, is_early=True),
        late=_line_profile(binned, fit.time_ns, fit.values, model, is_early=False),
        corrections=corrections,
    )


def _interval(fit: DiffusionFit, recipe: AnalysisRecipe) -> tuple[float, float]:
    if recipe.interval == "profile":
        return profile_interval(fit)
    if recipe.interval == "bootstrap":
        return bootstrap_interval(fit, recipe.n_bootstrap, recipe.seed)
    return fisher_interval(fit)


def _corrections(binned: FitData, fit: DiffusionFit, recipe: AnalysisRecipe) -> tuple[str, ...]:
    """Return what was corrected in a global fit, apart from the dead time."""
    done = ["average over the pixel"]
    if recipe.corrections.response:
        done.append("mean age of the excitons under the response")
    done.append("flat background" + (" and tail of earlier pulses" if binned.is_tail_fitted else ""))
    if binned.gain_spread > 0.0:
        done.append(f"gain of each position (known to {100 * binned.gain_spread:.2g} %)")
    if isinstance(fit.shape, EllipticalSpot | EllipticalHalo):
        done.append("ellipticity")
    return tuple(done)


def _collected(binned: FitData, fit: DiffusionFit, variance_nm2: float) -> Callable[[FloatArray], FloatArray]:
    if isinstance(fit.shape, EllipticalSpot | EllipticalHalo | MixtureOnMap):
        return partial(_collected_on_map, fit.shape, fit.parameters, binned.dwell)
    return partial(_collected_on_line, binned, fit.value(Parameter.CENTRE), variance_nm2)


def _collected_on_map(
    shape: EllipticalSpot | EllipticalHalo | MixtureOnMap,
    parameters: FloatArray,
    dwell: FloatArray,
    grown_nm2: FloatArray,
) -> FloatArray:
    grown_nm2 = np.maximum(grown_nm2, (_SMALLEST_SHARE - 1.0) * shape.smallest_variance_nm2(parameters))
    light = dwell @ shape.spread(parameters, grown_nm2).value
    return np.asarray(light * shape.height(parameters, grown_nm2))


def _collected_on_line(binned: FitData, centre_nm: float, variance_nm2: float, grown_nm2: FloatArray) -> FloatArray:
    spread_nm2 = np.maximum(variance_nm2 + grown_nm2, _SMALLEST_SHARE * variance_nm2)
    return collected_light(
        binned.position_nm, centre_nm, spread_nm2, binned.pixel_nm, binned.pixel_across_nm, binned.dwell
    )


def _profile(binned: FitData, fit: DiffusionFit, is_early: bool) -> Profile:
    """Return the spot along a line, or on a map along the row nearest to its centre."""
    dwell = binned.dwell[:, None]
    profile = _line_profile(binned, binned.age_ns, binned.counts / dwell, fit.model / dwell, is_early)
    if not binned.is_map:
        return profile
    nearest_nm = binned.across_nm[np.argmin(np.abs(binned.across_nm - fit.value(CENTRE_Y)))]
    row = np.flatnonzero(np.abs(binned.across_nm - nearest_nm) <= 0.25 * binned.pixel_across_nm)
    row = row[np.argsort(binned.position_nm[row])]
    return Profile(
        profile.age_ns, profile.position_nm[row], profile.counts[row], profile.error[row], profile.model[row]
    )


def _line_profile(binned: FitData, age_ns: FloatArray, rate: FloatArray, model: FloatArray, is_early: bool) -> Profile:
    """Sum counts at mean dwell and their model over the first or the last bins of the window."""
    fitted = np.isfinite(model).all(axis=0)
    near = age_ns <= age_ns[0] + PROFILE_NS if is_early else age_ns >= age_ns[-1] - PROFILE_NS
    used = near & fitted if (near & fitted).any() else fitted
    counts = rate[:, used].sum(axis=1)
    error = np.sqrt(np.maximum(counts, 1.0) / binned.dwell)
    return Profile(float(age_ns[used].mean()), binned.position_nm, counts, error, model[:, used].sum(axis=1))

"""Which law describes a decay best: the joined law against a single, a stretched and two exponentials."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.decay_fits import WHOLE_SPAN_NS, fit_law
from tplm_daq.analysis.decay_laws import BIEXPONENTIAL, EXPONENTIAL, JOINED, STRETCHED, DecayLaw
from tplm_daq.analysis.decay_likelihood import LawFit
from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]

COMPARED = (JOINED, EXPONENTIAL, STRETCHED, BIEXPONENTIAL)

CLEARLY_BETTER = 10.0
"""Difference of an information criterion from which the worse law has essentially no support (Burnham and Anderson,
Model Selection and Multimodel Inference, 2002, section 2.6)."""


@dataclass(frozen=True)
class LawComparison:
    """Several laws fitted to the same bins, best first.

    Attributes
    ----------
    fits : tuple of LawFit
        Sorted by the Bayesian criterion.
    delta_aic, delta_bic : ndarray of float64, shape (n_law,)
        Criteria relative to the least of all laws.
    failures : dict of str to str
        Laws that could not be fitted, with the reason.
    verdict : str
        One sentence.
    """

    fits: tuple[LawFit, ...]
    delta_aic: FloatArray
    delta_bic: FloatArray
    failures: dict[str, str]
    verdict: str


def compare_laws(
    counts: NDArray[np.integer] | FloatArray,
    delay_ns: FloatArray,
    laws: tuple[DecayLaw, ...] = COMPARED,
    span_ns: tuple[float, float] = WHOLE_SPAN_NS,
    *,
    live: FloatArray | None = None,
    collected: FloatArray | None = None,
    t0_ns: float | None = None,
    response_fwhm_ns: float | None = None,
    repetition_rate_hz: float | None = None,
) -> LawComparison:
    """Fit several laws to the same counts and rank them by information criteria.

    The pulse is placed once, by `tplm_daq.analysis.decay.fit_decay`, so that all laws see the same bins.

    Parameters
    ----------
    counts, delay_ns, span_ns, live, collected, t0_ns, response_fwhm_ns, repetition_rate_hz
        As for `tplm_daq.analysis.decay_fits.fit_law`.
    laws : tuple of DecayLaw
        What to compare.

    Returns
    -------
    LawComparison
        Fits, best first.

    Raises
    ------
    FitError
        If none of the laws can be fitted.
    """
    fit = partial(
        fit_law,
        counts,
        delay_ns,
        span_ns=span_ns,
        live=live,
        collected=collected,
        t0_ns=t0_ns,
        response_fwhm_ns=response_fwhm_ns,
        repetition_rate_hz=repetition_rate_hz,
    )
    fits, failures = list[LawFit](), dict[str, str]()
    for law in laws:
        try:
            fits.append(fit(law=law))
        except FitError as exc:
            failures[law.name] = str(exc)
    if not fits:
        raise FitError(f"No law can be fitted. {next(iter(failures.values()), 'None was given.')}")
    fits.sort(key=lambda each: each.bic)
    aic, bic = np.array([each.aic for each in fits]), np.array([each.bic for each in fits])
    return LawComparison(tuple(fits), aic - aic.min(), bic - bic.min(), failures, _verdict(fits))


def _verdict(fits: list[LawFit]) -> str:
    best = fits[0]
    quality = f"chi-square {best.chi_square:.0f} for {best.n_bins - best.n_free} degrees of freedom"
    if len(fits) == 1:
        return f"Only the {best.law} could be fitted ({quality})."
    rivals = [each for each in fits[1:] if each.bic - best.bic < CLEARLY_BETTER]
    if rivals:
        names = " and the ".join(each.law for each in rivals)
        return f"The {best.law} is not clearly better than the {names} ({quality})."
    ahead = fits[1].bic - best.bic
    return f"The {best.law} describes the decay best ({quality}); the {fits[1].law} follows {ahead:.0f} BIC behind."

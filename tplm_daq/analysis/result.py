"""What an analysis returns: numbers with their errors, how far to trust them, and the curves to draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.residuals import FittedCounts
from tplm_daq.analysis.summary import html_of, line_of

FloatArray = NDArray[np.float64]

Lamp = Literal["green", "amber", "red"]
"""Green: nothing known speaks against the number. Amber: read the warnings. Red: do not use it."""


@dataclass(frozen=True)
class MsdCurve:
    """Mean squared displacement against the age of the excitons; NaN where a bin does not determine a width.

    Attributes
    ----------
    age_ns, msd_nm2, error_nm2 : ndarray of float64, shape (n_row,)
        Points with their standard errors.
    fit_nm2 : ndarray of float64, shape (n_row,)
        The straight line of the diffusivity quoted.
    """

    age_ns: FloatArray
    msd_nm2: FloatArray
    error_nm2: FloatArray
    fit_nm2: FloatArray


@dataclass(frozen=True)
class DecayCurve:
    """Counts summed over the positions against delay after the pulse.

    Attributes
    ----------
    delay_ns, counts : ndarray of float64, shape (n_bin,)
        The whole recorded decay.
    model : ndarray of float64, shape (n_bin,)
        The exponential under the response, and after the fit window the power law if that was fitted; elsewhere NaN.
    """

    delay_ns: FloatArray
    counts: FloatArray
    model: FloatArray


@dataclass(frozen=True)
class PowerLaw:
    """How the light decays after the exponential.

    Attributes
    ----------
    exponent : float
        Power of the age with which the light falls from 3 ns on.
    ci95 : tuple of float
        Its 95 % interval.
    verdict : str
        Whether an exponential joined by a power law describes the decay better than other laws do: one sentence.
    age_ns, model : ndarray of float64, shape (n_row,)
        The joined law in counts per recorded bin, against the delay after the pulse.
    """

    exponent: float
    ci95: tuple[float, float]
    verdict: str
    age_ns: FloatArray
    model: FloatArray


@dataclass(frozen=True)
class Profile:
    """Spot at one end of the fit window, summed over some delay bins.

    Attributes
    ----------
    age_ns : float
        Mean age of the excitons.
    position_nm, counts, error, model : ndarray of float64, shape (n_position,)
        Positions; counts with their standard errors, and expected counts, both scaled to the mean dwell.
    """

    age_ns: float
    position_nm: FloatArray
    counts: FloatArray
    error: FloatArray
    model: FloatArray


@dataclass(frozen=True)
class BiasTerm:
    """One contribution to the systematic error.

    Attributes
    ----------
    name : str
        What may be wrong.
    error_cm2_s : float
        By how much it may shift the diffusivity, in cm2/s.
    """

    name: str
    error_cm2_s: float


@dataclass(frozen=True)
class Figure:
    """A figure of merit with its 95 % interval.

    Attributes
    ----------
    name : str
        What it is, with its unit if it has one.
    value : float
        Estimate.
    ci95 : tuple of float
        Low and high end.
    """

    name: str
    value: float
    ci95: tuple[float, float]


@dataclass(frozen=True)
class Result:
    """Diffusivity of one scan and everything estimated beside it.

    Attributes
    ----------
    method : str
        The one used.
    axis : str
        Axis of a line, "xy" for a map.
    start_profile : str
        Shape taken for the spot at the pulse.
    diffusivity_cm2_s, standard_error_cm2_s : float
        Estimate and statistical standard error.
    ci95_cm2_s : tuple of float
        Statistical 95 % interval, low and high.
    interval : str
        How the interval was found: fisher, profile, bootstrap, or regression.
    systematic_cm2_s : float
        Standard systematic error: the quadrature of `bias_budget`.
    sigma0_nm, sigma0_error_nm : float
        Standard deviation of the spot at the pulse (laser and optics, without the pixel); along x on a map.
    centre_nm : float
        Centre of the spot along the line; along x on a map.
    centre_xy_nm, sigma0_xy_nm : tuple of float or None
        Centre, and standard deviations at the pulse along x and y, of the spot on a map; None on a line.
    background_counts_per_bin : float
        Level under the spot that is flat in position, per recorded delay bin at mean dwell.
    lifetime_ns : float
        Effective lifetime in the window.
    lifetime_ci95_ns : tuple of float
        Its 95 % interval.
    tail : PowerLaw or None
        The decay after the exponential; None if it was not asked for, or if delays or counts do not determine it.
    t0_ns, response_fwhm_ns : float
        Delay of the pulse, width of the response.
    bias_lamp : str
        How far to trust the number.
    corrections, warnings : tuple of str
        What was corrected, and what to know before using the number; reasons for the lamp first.
    bias_budget : tuple of BiasTerm
        Contributions to `systematic_cm2_s`.
    deviance_per_dof : float or None
        Poisson deviance per degree of freedom; None for methods that do not model the counts.
    n_photons : int
        Counts in the fit window.
    figures : tuple of Figure
        Figures of merit that the data determine.
    msd : MsdCurve
    decay : DecayCurve
    early, late : Profile
        Curves to draw.
    fitted : FittedCounts
        The counts in the window beside those expected; not stored with a run, since the counts are.
    """

    method: str
    axis: str
    start_profile: str
    diffusivity_cm2_s: float
    standard_error_cm2_s: float
    ci95_cm2_s: tuple[float, float]
    interval: str
    systematic_cm2_s: float
    sigma0_nm: float
    sigma0_error_nm: float
    centre_nm: float
    centre_xy_nm: tuple[float, float] | None
    sigma0_xy_nm: tuple[float, float] | None
    background_counts_per_bin: float
    lifetime_ns: float
    lifetime_ci95_ns: tuple[float, float]
    tail: PowerLaw | None
    t0_ns: float
    response_fwhm_ns: float
    bias_lamp: Lamp
    corrections: tuple[str, ...]
    warnings: tuple[str, ...]
    bias_budget: tuple[BiasTerm, ...]
    deviance_per_dof: float | None
    n_photons: int
    figures: tuple[Figure, ...]
    msd: MsdCurve
    decay: DecayCurve
    early: Profile
    late: Profile
    fitted: FittedCounts

    def __repr__(self) -> str:
        return line_of(self)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return html_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as the command ``tplm analyse --json`` prints them.

        Returns
        -------
        dict
            Plain numbers, strings and lists; every number is finite. What does not apply, such as the two widths
            of a spot on a line, is None.
        """
        return {
            "method": self.method,
            "diffusivity_cm2_s": self.diffusivity_cm2_s,
            "standard_error_cm2_s": self.standard_error_cm2_s,
            "ci95_cm2_s": list(self.ci95_cm2_s),
            "systematic_cm2_s": self.systematic_cm2_s,
            "sigma0_nm": self.sigma0_nm,
            "centre_nm": self.centre_nm,
            "background_counts_per_bin": self.background_counts_per_bin,
            "lifetime_ns": self.lifetime_ns,
            "t0_ns": self.t0_ns,
            "bias_lamp": self.bias_lamp,
            "corrections": list(self.corrections),
            "warnings": list(self.warnings),
            "start_profile": self.start_profile,
            "interval": self.interval,
            "sigma0_error_nm": self.sigma0_error_nm,
            "lifetime_ci95_ns": list(self.lifetime_ci95_ns),
            "tail_exponent": None if self.tail is None else self.tail.exponent,
            "tail_exponent_ci95": None if self.tail is None else list(self.tail.ci95),
            "decay_verdict": None if self.tail is None else self.tail.verdict,
            "centre_xy_nm": None if self.centre_xy_nm is None else list(self.centre_xy_nm),
            "sigma0_xy_nm": None if self.sigma0_xy_nm is None else list(self.sigma0_xy_nm),
            "response_fwhm_ns": self.response_fwhm_ns,
            "deviance_per_dof": self.deviance_per_dof,
            "n_photons": self.n_photons,
            "bias_budget_cm2_s": {term.name: term.error_cm2_s for term in self.bias_budget},
            "figures": {figure.name: {"value": figure.value, "ci95": list(figure.ci95)} for figure in self.figures},
        }

    def arrays(self) -> dict[str, FloatArray]:
        """Return the curves to draw by name; units are in the names."""
        return {
            "msd_age_ns": self.msd.age_ns,
            "msd_nm2": self.msd.msd_nm2,
            "msd_error_nm2": self.msd.error_nm2,
            "msd_fit_nm2": self.msd.fit_nm2,
            "decay_delay_ns": self.decay.delay_ns,
            "decay_counts": self.decay.counts,
            "decay_model": self.decay.model,
            "profile_position_nm": self.early.position_nm,
            "profile_early_counts": self.early.counts,
            "profile_early_model": self.early.model,
            "profile_late_counts": self.late.counts,
            "profile_late_model": self.late.model,
        }

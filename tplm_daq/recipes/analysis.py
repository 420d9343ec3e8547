"""What an analysis is asked to do; every field has a default that suits a scan at a few MHz."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tplm_daq.recipes.base import Fraction, Model, Nanometres, Nanoseconds


class Corrections(Model):
    """What is corrected; switch one off to see what it does. The method paper corrects nothing but drift."""

    dead_time: bool = True
    """Live fraction of the detection from the counts in the dead time before; needs dead_time_ns with the data."""
    wrap_around: bool = True
    """Light of earlier pulses as a broad spot of its own, per position, beside the flat level."""
    background_prior: bool = True
    """Counts before the pulse enter the likelihood; without them the level rests on the outer positions, and wrapped
    light is not modelled."""
    response: bool = True
    """Mean age of the excitons under the response instead of the delay after the pulse."""
    drift: bool = True
    """Centre of each pass of a line, where the passes are known one by one."""
    read_back: bool = True
    """Positions as the actuators read them back, instead of those asked for."""
    power: bool = True
    """Power of each point relative to their mean, where it was measured."""


class AnalysisRecipe(Model):
    """Choice of estimator, of the delays it uses, and of what is corrected."""

    kind: Literal["analysis"] = "analysis"
    method: Literal["auto", "poisson", "convolution", "lsq", "paper"] = "auto"
    """poisson: global likelihood of a Gaussian spot over positions and delays. convolution: the same for a spot of any
    shape. auto: poisson, and if the profile is not Gaussian, the shape that fits best. lsq: least-squares
    Gaussian per bin, line with free intercept. paper: the estimator of Science Advances 10, eadj2630 (2024), not
    calibrated."""
    start_profile: Literal["gaussian", "two_gaussians"] = "gaussian"
    """Spot of the method poisson: one Gaussian, or two concentric ones for a spot with a halo."""
    interval: Literal["fisher", "profile", "bootstrap"] = "fisher"
    """95 % interval of poisson and convolution: from the information, from the likelihood profile (MINOS), or from
    fits to scans drawn from the model."""
    n_bootstrap: Annotated[int, Field(ge=50, le=100_000)] = 200
    """Scans drawn for the bootstrap interval."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of the bootstrap."""
    window_ns: Annotated[Nanoseconds, Field(gt=0, le=1000)] = 3.0
    """Delays up to this long after the pulse are used; the paper's 3 ns end where the spreading becomes sublinear."""
    bin_width_ns: Annotated[Nanoseconds, Field(gt=0, le=10)] = 0.05
    """Width to which delay bins are summed before every method but paper; 50 ps lose 0.04 % of the information on the
    diffusivity. The method paper uses the bins as recorded."""
    paper_sigma0: Literal["first_bin", "first_100ps"] = "first_100ps"
    """What the method paper subtracts: the variance of the first bin after the pulse, or the mean over 100 ps."""
    corrections: Corrections = Corrections()
    """What is corrected."""
    magnification_error: Annotated[Fraction, Field(ge=0, lt=1)] = 0.01
    """Relative standard error of the magnification; the diffusivity carries twice that."""
    ellipticity: Annotated[Fraction, Field(ge=0, lt=1)] = 0.05
    """By how much the axes of the spot may differ; on a line it enters the bias budget, on a map it is fitted."""
    gain_spread: Annotated[Fraction, Field(ge=0, le=0.5)] = 0.0
    """By how much the light may differ from point to point beyond what was measured (rms). Above 0 each position gets a
    gain of its own in poisson and convolution, held near 1 by this; 1 % unaccounted for shifts D by some 0.2 %."""
    drift_nm: Annotated[Nanometres, Field(ge=0, le=10_000)] = 0.0
    """How far the spot may have drifted along a one-way line from its first to its last position, for the budget."""

"""What an analysis is asked to do; every field has a default that suits a line scan at a few MHz."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tplm_daq.recipes.base import Fraction, Model, Nanoseconds


class AnalysisRecipe(Model):
    """Choice of estimator and of the delays it uses."""

    kind: Literal["analysis"] = "analysis"
    method: Literal["auto", "poisson", "lsq", "paper"] = "auto"
    """poisson (also meant by auto): global likelihood over positions and delays. lsq: least-squares Gaussian per bin,
    line with free intercept. paper: the estimator of Science Advances 10, eadj2630 (2024), not calibrated."""
    window_ns: Annotated[Nanoseconds, Field(gt=0, le=1000)] = 3.0
    """Delays up to this long after the pulse are used; the paper's 3 ns end where the spreading becomes sublinear."""
    bin_width_ns: Annotated[Nanoseconds, Field(gt=0, le=10)] = 0.05
    """Width to which delay bins are summed before poisson and lsq; 50 ps lose 0.04 % of the information on the
    diffusivity. The method paper uses the bins as recorded."""
    paper_sigma0: Literal["first_bin", "first_100ps"] = "first_100ps"
    """What the method paper subtracts: the variance of the first bin after the pulse, or the mean over 100 ps."""
    magnification_error: Annotated[Fraction, Field(ge=0, lt=1)] = 0.01
    """Relative standard error of the magnification; the diffusivity carries twice that."""

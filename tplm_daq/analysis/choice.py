"""Which shape of the spot to believe: decided by how well it fits, and said.

A Gaussian comes first. Only if it misses the counts of the positions are the shapes with more freedom
tried: two concentric Gaussians, and on top any shape. The greatest likelihood wins, less the number of
parameters the data determine (Akaike's criterion).

On a line two concentric Gaussians take the spot as round, any shape takes its width across the line as the same
everywhere; on a map the halo is as elliptical as the spot. Where the counts do not tell which is true, the spread
of the two diffusivities, weighted with how likely each is, is carried as a doubt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tplm_daq.analysis.binning import FitData
from tplm_daq.analysis.diffusion import DiffusionFit, fit_diffusion
from tplm_daq.analysis.shape_fits import fit_convolution, fit_halo
from tplm_daq.analysis.shapes import Parameter
from tplm_daq.errors import FitError
from tplm_daq.recipes.analysis import AnalysisRecipe

NOT_GAUSSIAN_SD = 3.0
"""Standard deviations of chi-square of the profile above its mean, from which `auto` tries other shapes."""

GAUSSIAN, HALO_SPOT, ELLIPSE, ANY_SHAPE = "Gaussian", "two Gaussians", "elliptical Gaussian", "any shape"


@dataclass(frozen=True)
class Choice:
    """The fit that counts.

    Attributes
    ----------
    fit : DiffusionFit
        The one chosen.
    gaussian : DiffusionFit
        The fit of a single Gaussian, from which all others start.
    method, start_profile : str
        Estimator, and shape of the spot at the pulse.
    reason : str
        Why another shape than a Gaussian was taken, empty if none was, or if it was asked for.
    doubt_nm2_ns : float
        How much the diffusivity depends on the spot's shape, in nm^2/ns.
    """

    fit: DiffusionFit
    gaussian: DiffusionFit
    method: str
    start_profile: str
    reason: str = ""
    doubt_nm2_ns: float = 0.0


def choose_fit(data: FitData, recipe: AnalysisRecipe) -> Choice:
    """Fit what the recipe asks for; `auto` looks whether the spot is Gaussian.

    Parameters
    ----------
    data : FitData
        Counts in the window and before the pulse.
    recipe : AnalysisRecipe
        Method auto, poisson or convolution.

    Returns
    -------
    Choice
        The fit and why it was chosen.

    Raises
    ------
    FitError
        If the data cannot be fitted.
    """
    gaussian = fit_diffusion(data)
    if recipe.method == "convolution":
        return Choice(fit_convolution(data, gaussian), gaussian, "convolution", ANY_SHAPE)
    if recipe.start_profile == "two_gaussians":
        return Choice(fit_halo(data, gaussian), gaussian, "poisson", HALO_SPOT)
    if recipe.method == "auto" and gaussian.profile_misfit_sd > NOT_GAUSSIAN_SD:
        return _best_shape(data, gaussian)
    return Choice(gaussian, gaussian, "poisson", ELLIPSE if data.is_map else GAUSSIAN)


def _best_shape(data: FitData, gaussian: DiffusionFit) -> Choice:
    """Return the shape with the best likelihood for its number of parameters."""
    found, failed = {(ELLIPSE if data.is_map else GAUSSIAN, "poisson"): gaussian}, ""
    for name, method, fit_shape in (
        (HALO_SPOT, "poisson", fit_halo),
        (ANY_SHAPE, "convolution", fit_convolution),
    ):
        try:
            found[name, method] = fit_shape(data, gaussian)
        except FitError:
            failed += f" A spot of {name} could not be fitted."
    (name, method), fit = max(found.items(), key=lambda item: merit(item[1]))
    others = [shape for shape in found.values() if shape is not gaussian]
    doubt = doubt_between(*others) if len(others) == 2 else 0.0
    reason = (
        f"A Gaussian spot misses the counts of the positions by {gaussian.profile_misfit_sd:.1f} standard deviations "
        "of chi-square"
    )
    if fit is gaussian:
        reason += ", but no other shape fits better: the positions or the light were not steady."
    else:
        reason += f", so auto took {method} with a spot of {name} ({fit.profile_misfit_sd:.1f})."
    return Choice(fit, gaussian, method, name, reason + failed, doubt)


def doubt_between(first: DiffusionFit, second: DiffusionFit) -> float:
    """Return the standard deviation of two diffusivities weighted with Akaike's weights, in nm^2/ns."""
    odds = np.exp(-abs(merit(first) - merit(second)))
    difference = abs(first.value(Parameter.DIFFUSIVITY) - second.value(Parameter.DIFFUSIVITY))
    return float(difference * np.sqrt(odds) / (1.0 + odds))


def merit(fit: DiffusionFit) -> float:
    """Return the log-likelihood less the number of parameters that the data, not the prior, determine."""
    by_prior = float(np.sum(fit.covariance * fit.problem.likelihood.prior.information))
    return fit.log_likelihood - (int(fit.problem.free.sum()) - by_prior)

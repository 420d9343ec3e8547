"""Whether pile-up is in counts whose dead time nobody gave: the likelihood decides, as far as it can.

Where so many pulses gave a count that a dead time would matter, the usual one is tried. Dead time takes counts where
there are many, which no spreading spot does in the same way, so the likelihood tells whether there was one: a measured
histogram has a dead time, a simulated or corrected one need not. Where the counts cannot tell, the two diffusivities
differ by little more than their errors; none is corrected then, and the bias to expect stays in the budget.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tplm_daq.analysis.bias import CLEAR_GAIN, pile_up_bias_cm2_s
from tplm_daq.analysis.binning import FitData
from tplm_daq.analysis.checks import CheckedScan
from tplm_daq.analysis.choice import doubt_between, merit
from tplm_daq.analysis.estimate import Estimate, estimate
from tplm_daq.analysis.models import NM2_PER_NS_PER_CM2_PER_S
from tplm_daq.errors import FitError
from tplm_daq.recipes.analysis import AnalysisRecipe

USUAL_DEAD_TIME_NS = 95.0
"""Dead time of the PicoHarp 300 (its manual, specifications). At a few MHz the correction hardly depends on it, as long
as it lies between the window and the period."""

NOTICEABLE_BIAS_SD = 0.1
"""Expected bias by pile-up, in standard errors of the diffusivity, from which the dead time is tried."""


@dataclass(frozen=True)
class Verdict:
    """What the counts say about a dead time that was not given.

    Attributes
    ----------
    gain : float
        Log-likelihood with the usual dead time less that without.
    doubt_nm2_ns : float
        How much the diffusivity depends on it, in nm^2/ns.
    """

    gain: float
    doubt_nm2_ns: float


def judge_dead_time(
    scan: CheckedScan, recipe: AnalysisRecipe, bins: Callable[[CheckedScan], FitData]
) -> tuple[FitData, Estimate, Verdict | None]:
    """Fit a scan; if its dead time is not given and would matter, with the usual one and without.

    Parameters
    ----------
    scan : CheckedScan
        The checked scan.
    recipe : AnalysisRecipe
        Method and corrections.
    bins : callable
        Sums the bins of a scan.

    Returns
    -------
    binned, found : FitData, Estimate
        With the usual dead time if that makes the counts clearly likelier.
    verdict : Verdict or None
        None if there was nothing to judge.

    Raises
    ------
    FitError
        If the scan cannot be fitted.
    """
    plain = bins(scan)
    without = estimate(plain, recipe)
    if without.choice is None or not _is_doubtful(scan, recipe, plain, without):
        return plain, without, None
    try:
        assumed = bins(replace(scan, data=replace(scan.data, dead_time_ns=USUAL_DEAD_TIME_NS)))
        found = estimate(assumed, recipe)
    except FitError:
        return plain, without, None
    if found.choice is None:
        return plain, without, None
    first, second = found.choice.fit, without.choice.fit
    verdict = Verdict(merit(first) - merit(second), doubt_between(first, second))
    return (assumed, found, verdict) if verdict.gain > CLEAR_GAIN else (plain, without, verdict)


def _is_doubtful(scan: CheckedScan, recipe: AnalysisRecipe, plain: FitData, without: Estimate) -> bool:
    """Tell whether a dead time that is not given would matter."""
    if scan.data.dead_time_ns is not None or plain.blind is None or not recipe.corrections.dead_time:
        return False
    diffusivity_cm2_s = without.diffusivity_nm2_ns / NM2_PER_NS_PER_CM2_PER_S
    bias_cm2_s = pile_up_bias_cm2_s(plain.blind, diffusivity_cm2_s)
    return bias_cm2_s > NOTICEABLE_BIAS_SD * without.error_nm2_ns / NM2_PER_NS_PER_CM2_PER_S

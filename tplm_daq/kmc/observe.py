"""What follows from recorded excitons: variance, mean square displacement and diffusivity, with standard errors.

The variance per axis is half the mean squared distance from the centre, ``s2 = <r^2> / 2``, over all excitons of all
pulses; the diffusivity is ``[s2(t) - s2(0)] / 2t`` at one delay, as a fit of measured profiles would find it. With
``<r^2>`` itself in place of s2 the paper's formula gives twice that value, here called radial.

Standard errors. Pulses share a lattice, so neighbouring ones are correlated, weakly but over many pulses, and the
first ones differ from the others because the lattice begins slow. The noise is therefore taken from the later pulses,
as the variance of one pulse plus its covariances with the others. These are assumed to fade as the lattice forgets,
with the time constant of a site in the centre of the spot (it relaxes at the rate 1/tau_relax and is excited anew at
the rate alpha/tau_pulse), and their size is estimated from the data. Over 60 to 200 seeds at eight conditions this
agreed with the scatter of the diffusivities within 13 %; blocks of pulses of any one length were up to 30 % too small,
or twice too large.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tplm_daq.errors import FitError
from tplm_daq.kmc.simulate import Simulated
from tplm_daq.recipes.kmc import KmcRecipe

CM2_S_PER_NM2_NS = 1e-5

FORGOTTEN_AFTER = 8.0
"""Memory times after which the beginning is taken to be forgotten, within a quarter and a half of all pulses."""

SHORTEST_MEMORY, LONGEST_MEMORY = 0.2, 0.05
"""Limits of the memory time that is reckoned with: pulses, and share of the pulses; a longer one could not be told from
a slow change."""


@dataclass(frozen=True)
class Observation:
    """Result for one condition.

    Attributes
    ----------
    alpha : float
        Probability that a pulse excites a site in the centre of the spot.
    tau_pulse_ns : float
        Time between pulses.
    d_sim_cm2_s, standard_error_cm2_s : float
        Diffusivity per axis.
    time_ns : ndarray of float64, shape (n_times,)
        Delays after the pulse.
    s2_nm2 : ndarray of float64, shape (n_times,)
        Variance per axis; NaN where no exciton was left.
    msd_error_nm2 : ndarray of float64, shape (n_times,)
        Standard error of the mean square displacement per axis, s2(t) - s2(0).
    n_excitons : ndarray of float64, shape (n_times,)
        Mean number of excitons per pulse.
    n_fast : ndarray of int32, shape (n_pulses,)
        Fast sites just before each pulse, burn-in included: the approach to the steady state.
    d_of_pulse_cm2_s : ndarray of float64, shape (n_pulses,)
        Diffusivity of each pulse by itself, with the variance at the pulse averaged over all; burn-in included, NaN
        where no exciton was left.
    exciton_steps : int
        Attempts to hop.
    seconds : float
        Time spent in the kernel.
    """

    alpha: float
    tau_pulse_ns: float
    d_sim_cm2_s: float
    standard_error_cm2_s: float
    time_ns: NDArray[np.float64]
    s2_nm2: NDArray[np.float64]
    msd_error_nm2: NDArray[np.float64]
    n_excitons: NDArray[np.float64]
    n_fast: NDArray[np.int32]
    d_of_pulse_cm2_s: NDArray[np.float64]
    exciton_steps: int
    seconds: float

    @property
    def tau_pulse_us(self) -> float:
        """Time between pulses in us."""
        return self.tau_pulse_ns / 1e3

    @property
    def t_exc_us(self) -> float:
        """Mean time between excitations of the central site in us: tau_pulse / alpha."""
        return self.tau_pulse_us / self.alpha

    @property
    def d_sim_radial_cm2_s(self) -> float:
        """Diffusivity if s2 is taken to be <r^2>, as the paper's text has it: twice the one per axis."""
        return 2.0 * self.d_sim_cm2_s


def observe(simulated: Simulated, recipe: KmcRecipe) -> Observation:
    """Return variance, diffusivity and standard errors of one condition.

    Parameters
    ----------
    simulated : Simulated
        Sums over excitons, by pulse.
    recipe : KmcRecipe
        The burn-in, the delay of comparison and the relaxation time are used.

    Raises
    ------
    FitError
        No exciton lived until the delay of comparison.
    """
    used = slice(recipe.n_burn_in, None)
    n_excitons, r2_nm2 = simulated.n_excitons[used].astype(np.float64), simulated.r2_nm2[used]
    compare_at = recipe.compare_at
    if n_excitons[:, compare_at].sum() == 0:
        raise FitError(
            f"kmc, alpha {simulated.alpha:g}: no exciton of {len(n_excitons)} pulses lived for "
            f"{recipe.recording.compare_ns:g} ns. Simulate more pulses, or compare at a shorter delay."
        )
    per_cm2_s = CM2_S_PER_NM2_NS / (2.0 * simulated.time_ns[compare_at])
    s2_nm2 = _ratio(r2_nm2.sum(axis=0), 2.0 * n_excitons.sum(axis=0))
    memory = memory_pulses(simulated.alpha, simulated.tau_pulse_ns, recipe.lattice.tau_relax_ns)
    errors_nm2 = _errors(n_excitons, 0.5 * r2_nm2, s2_nm2, memory, recipe.n_burn_in)
    each_nm2 = _ratio(simulated.r2_nm2[:, compare_at], 2.0 * simulated.n_excitons[:, compare_at])
    return Observation(
        alpha=simulated.alpha,
        tau_pulse_ns=simulated.tau_pulse_ns,
        d_sim_cm2_s=float(s2_nm2[compare_at] - s2_nm2[0]) * per_cm2_s,
        standard_error_cm2_s=float(errors_nm2[compare_at]) * per_cm2_s,
        time_ns=simulated.time_ns,
        s2_nm2=s2_nm2,
        msd_error_nm2=errors_nm2,
        n_excitons=n_excitons.mean(axis=0),
        n_fast=simulated.n_fast,
        d_of_pulse_cm2_s=(each_nm2 - s2_nm2[0]) * per_cm2_s,
        exciton_steps=simulated.exciton_steps,
        seconds=simulated.seconds,
    )


def memory_pulses(alpha: float, tau_pulse_ns: float, tau_relax_ns: float) -> float:
    """Return for how many pulses the central site remembers its state.

    Examples
    --------
    >>> round(memory_pulses(0.08, 400.0, 8100.0), 2)
    7.73
    """
    return 1.0 / (tau_pulse_ns / tau_relax_ns + alpha)


def _errors(
    n_excitons: NDArray[np.float64],
    sums_nm2: NDArray[np.float64],
    s2_nm2: NDArray[np.float64],
    memory: float,
    n_burn_in: int,
) -> NDArray[np.float64]:
    """Return the standard error of s2(t) - s2(0), shape (n_times,), from sums (n_pulses, n_times)."""
    n_pulses = len(n_excitons)
    # By how much each pulse moves the ratios of sums, to first order.
    influence = _ratio(sums_nm2 - s2_nm2 * n_excitons, n_excitons.mean(axis=0))
    influence = influence - influence[:, :1]
    n_all = n_pulses + n_burn_in
    first = math.ceil(min(max(FORGOTTEN_AFTER * memory, n_all / 4), n_all / 2))
    late = influence[max(0, first - n_burn_in) :]
    return np.sqrt(
        _variance_with_memory(late, max(SHORTEST_MEMORY, min(memory, LONGEST_MEMORY * len(late)))) / n_pulses
    )


def _variance_with_memory(series: NDArray[np.float64], memory: float) -> NDArray[np.float64]:
    """Return the variance of one pulse plus its covariances with all others, for series (n_pulses, n_series).

    Covariances are those of the data, projected on an exponential of time constant `memory`. Since the mean is taken
    from the same data, each is too small by the result over the number of pulses, which is mended in two rounds.
    """
    n = len(series)
    residual = series - series.mean(axis=0)
    n_lags = min(math.ceil(3.0 * memory), n // 3)
    covariances = np.stack([(residual[: n - lag] * residual[lag:]).mean(axis=0) for lag in range(n_lags + 1)])
    fading = np.exp(-np.arange(1, n_lags + 1) / memory)
    variance = covariances[0]
    for _ in range(2):
        mended = covariances + variance / n
        size = np.maximum(0.0, fading @ mended[1:] / np.sum(fading**2))
        variance = mended[0] + 2.0 * size * np.sum(fading)
    return variance


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> NDArray[np.float64]:
    """Divide; NaN where there is nothing to divide by."""
    result = np.full(np.broadcast_shapes(above.shape, below.shape), np.nan)
    return np.divide(above, below, out=result, where=np.broadcast_to(below > 0, result.shape))

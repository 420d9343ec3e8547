"""Poisson likelihood of a scan, for all positions and all delays at once.

Expected counts at position x in delay bin t, with the exposure e (live fraction, dwell)::

    e(x, t) * [ A(t) * g(x; 2 D age(t)) + b + c * r(t) * w(x) ]

g is the spot after its variance has grown by 2 D age (`tplm_daq.analysis.shapes`). A(t) is free in every
bin, so neither the decay nor, on a line, the spreading along the other axis has to be known. Dark counts
are flat: b. What is left of earlier pulses is a spot too, but a broad one: c, w; r(t) is its slow decay.
The counts before the pulse see b and c alone and enter the same likelihood. Without the second spot
the wrapped tail at 2.5 MHz biases D by some percent; where there is no tail, c goes to zero and costs little.

The width of w is hardly determined when c is small; a prior keeps it within reason. The only other prior
is the smoothness of a spot of any shape.

The amplitudes are eliminated: for given other parameters each A(t) has one best value, found by
Newton's method in one dimension, and the information on the others is what remains after projecting
A(t) out (Schur complement). Few parameters are left however many bins there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.binning import FitData
from tplm_daq.analysis.fitting import Evaluation, poisson_log_likelihood
from tplm_daq.analysis.shapes import Parameter, SpotShape, Spread

FloatArray = NDArray[np.float64]

TAIL_VARIANCE_RATIO = 3.0
"""Most likely variance of the wrapped tail relative to the spot at the pulse: 1.7 to 11 for D = 0.01 to 0.15 cm2/s at
2.5 MHz, if the mean squared displacement grows as t^0.4 after 3 ns (our simulated sample)."""

TAIL_LOG_SPREAD = 0.8
"""Standard deviation of the logarithm of that ratio in the prior."""

_MOST_AMPLITUDE_STEPS = 60
_AMPLITUDE_TOLERANCE = 1e-10
_DARK = 1e-100


@dataclass(frozen=True)
class Prior:
    """A normal prior: most likely parameters, and its information; zero where nothing is known.

    Attributes
    ----------
    mean : ndarray of float64, shape (n_parameter,)
        Most likely values.
    information : ndarray of float64, shape (n_parameter, n_parameter)
        Inverse covariance.
    """

    mean: FloatArray
    information: FloatArray


def tail_prior(n_parameters: int, spot_variance_nm2: float) -> Prior:
    """Return what is known of the wrapped tail beside a spot of a variance in nm^2, and nothing else."""
    mean, information = np.zeros(n_parameters), np.zeros((n_parameters, n_parameters))
    mean[Parameter.LOG_TAIL_VARIANCE] = np.log(TAIL_VARIANCE_RATIO * spot_variance_nm2)
    information[Parameter.LOG_TAIL_VARIANCE, Parameter.LOG_TAIL_VARIANCE] = 1.0 / TAIL_LOG_SPREAD**2
    return Prior(mean, information)


@dataclass(frozen=True)
class ScanLikelihood:
    """Counts of a scan as the likelihood reads them: the window, and the counts before the pulse as last column.

    Attributes
    ----------
    shape : SpotShape
        The spot at the positions of the scan.
    prior : Prior
        What is known of the parameters beforehand.
    age_ns : ndarray of float64, shape (n_column,)
        Mean age of the excitons; 0 in the last column, where there are none.
    counts, exposure : ndarray of float64, shape (n_position, n_column)
        Counts, and what multiplies their expectation.
    wrapped : ndarray of float64, shape (n_column,)
        Tail of the earlier pulses relative to its mean before the pulse.
    has_spot : ndarray of bool, shape (n_column,)
        False for the counts before the pulse.
    """

    shape: SpotShape
    prior: Prior
    age_ns: FloatArray
    counts: FloatArray
    exposure: FloatArray
    wrapped: FloatArray
    has_spot: NDArray[np.bool_]

    @classmethod
    def of(cls, data: FitData, shape: SpotShape, prior: Prior) -> ScanLikelihood:
        """Arrange the data."""
        n_before = 1 if data.has_prepulse else 0
        return cls(
            shape=shape,
            prior=prior,
            age_ns=np.append(data.age_ns, np.zeros(n_before)),
            counts=np.column_stack([data.counts, data.prepulse_counts])[:, : data.counts.shape[1] + n_before],
            exposure=np.column_stack([data.exposure, data.prepulse_exposure])[:, : data.counts.shape[1] + n_before],
            wrapped=np.append(data.wrapped, np.ones(n_before)),
            has_spot=np.arange(len(data.age_ns) + n_before) < len(data.age_ns),
        )

    def evaluate(self, parameters: FloatArray) -> Evaluation:
        """Return log-likelihood plus log-prior, its gradient and its information.

        Parameters
        ----------
        parameters : ndarray of float64, shape (n_parameter,)
            Those of `Parameter`, then those of the shape.

        Returns
        -------
        Evaluation
            With a log-likelihood of minus infinity where the spot would have no positive variance.
        """
        broadening_nm2 = self._broadening_nm2(parameters)
        n = self.shape.n_parameters
        if self.shape.smallest_variance_nm2(parameters) + broadening_nm2.min() <= 0.0:
            return Evaluation(-np.inf, np.zeros(n), np.eye(n))
        spot, tail = self.shape.spread(parameters, broadening_nm2), self.shape.wrapped_tail(parameters)
        profile = self.exposure * self.has_spot * spot.value
        background = self._background(parameters, tail)
        amplitude = best_amplitudes(self.counts, profile, background)
        expected = amplitude * profile + background
        jacobian = self._jacobian(parameters, amplitude, spot, tail).reshape(n, -1)
        weighted = jacobian / expected.ravel()
        off = parameters - self.prior.mean
        pull = self.prior.information @ off
        gradient = weighted @ (self.counts - expected).ravel() - pull
        information = weighted @ jacobian.T - _information_of_amplitudes(weighted, profile, expected, amplitude)
        log_likelihood = poisson_log_likelihood(self.counts, expected) - 0.5 * float(off @ pull)
        return Evaluation(log_likelihood, gradient, information + self.prior.information)

    def expectation(self, parameters: FloatArray) -> Expectation:
        """Return what is expected at the parameters, with the best amplitudes for them."""
        spot = self.shape.spread(parameters, self._broadening_nm2(parameters))
        profile = self.exposure * self.has_spot * spot.value
        background = self._background(parameters, self.shape.wrapped_tail(parameters))
        amplitude = best_amplitudes(self.counts, profile, background)
        return Expectation(amplitude * profile + background, background, amplitude)

    def slopes(self, parameters: FloatArray) -> FloatArray:
        """Return how the expected counts change with the parameters and with the amplitude of every bin of the window.

        Parameters
        ----------
        parameters : ndarray of float64, shape (n_parameter,)
            Those of `Parameter`, then those of the shape.

        Returns
        -------
        ndarray of float64, shape (n_parameter + n_bin, n_position, n_column)
            Derivatives of the expected counts.
        """
        spot, tail = (
            self.shape.spread(parameters, self._broadening_nm2(parameters)),
            self.shape.wrapped_tail(parameters),
        )
        profile = self.exposure * self.has_spot * spot.value
        amplitude = best_amplitudes(self.counts, profile, self._background(parameters, tail))
        of_amplitudes = np.eye(profile.shape[1])[self.has_spot, None, :] * profile
        return np.concatenate([self._jacobian(parameters, amplitude, spot, tail), of_amplitudes])

    def _broadening_nm2(self, parameters: FloatArray) -> FloatArray:
        return np.asarray(2.0 * parameters[Parameter.DIFFUSIVITY] * self.age_ns)

    def _background(self, parameters: FloatArray, tail: Spread) -> FloatArray:
        height = parameters[Parameter.TAIL] * tail.value * self.wrapped
        return np.asarray(self.exposure * (parameters[Parameter.FLAT] + height))

    def _jacobian(self, parameters: FloatArray, amplitude: FloatArray, spot: Spread, tail: Spread) -> FloatArray:
        """Return derivatives of the expected counts, shape (n_parameter, n_position, n_column)."""
        height = self.exposure * amplitude
        tail_height = parameters[Parameter.TAIL] * self.exposure * self.wrapped
        jacobian = np.zeros((self.shape.n_parameters, *self.counts.shape))
        jacobian[Parameter.DIFFUSIVITY] = 2.0 * self.age_ns * height * spot.d_broadening
        jacobian[Parameter.FLAT] = self.exposure
        jacobian[Parameter.TAIL] = self.exposure * self.wrapped * tail.value
        for place, slope in spot.by_parameter.items():
            jacobian[place] += height * slope
        for place, slope in tail.by_parameter.items():
            jacobian[place] += tail_height * slope
        return jacobian


@dataclass(frozen=True)
class Expectation:
    """What is expected at some parameters.

    Attributes
    ----------
    counts, background : ndarray of float64, shape (n_position, n_column)
        Expected counts, and the part of them that is not the spot.
    amplitude : ndarray of float64, shape (n_column,)
        Height of the spot, in counts per recorded bin at mean dwell.
    """

    counts: FloatArray
    background: FloatArray
    amplitude: FloatArray


def best_amplitudes(counts: FloatArray, profile: FloatArray, background: FloatArray) -> FloatArray:
    """Return the amplitude of the profile in each column for which the counts are most likely.

    The derivative of the likelihood falls and is convex in the amplitude, so Newton's method climbs to
    its only root from below; a step that would leave the positive side is replaced by a step of
    expectation maximisation.

    Parameters
    ----------
    counts, profile, background : ndarray of float64, shape (n_position, n_column)
        Counts, expected counts per unit amplitude, and expected background, which is positive.

    Returns
    -------
    ndarray of float64, shape (n_column,)
        Amplitudes, zero where more light than the background would be less likely.

    Examples
    --------
    >>> profile = np.array([[0.5], [1.0], [0.5]])
    >>> best_amplitudes(8.0 * profile + 1.0, profile, np.ones((3, 1)))
    array([8.])
    """
    reach = profile.sum(axis=0)
    is_lit = ((counts * profile / background).sum(axis=0) > reach) & (reach > _DARK)
    amplitude = np.zeros(len(reach))
    counts, profile, background, reach = counts[:, is_lit], profile[:, is_lit], background[:, is_lit], reach[is_lit]
    excess = (counts - background).sum(axis=0)
    lit = np.where(excess > 0, excess, 0.1 * counts.sum(axis=0)) / reach
    for _ in range(_MOST_AMPLITUDE_STEPS):
        share = profile / (lit * profile + background)
        pull = (counts * share).sum(axis=0)
        newton = lit + (pull - reach) / (counts * share * share).sum(axis=0)
        previous, lit = lit, np.where(newton > 0, newton, lit * pull / reach)
        if np.all(np.abs(lit - previous) <= _AMPLITUDE_TOLERANCE * lit):
            break
    amplitude[is_lit] = lit
    return amplitude


def _information_of_amplitudes(
    weighted: FloatArray, profile: FloatArray, expected: FloatArray, amplitude: FloatArray
) -> FloatArray:
    """Return the information on the shared parameters that is lost to the free amplitudes."""
    is_lit = amplitude > 0
    shared = np.einsum("pxt,xt->pt", weighted.reshape(len(weighted), *profile.shape), profile)[:, is_lit]
    own = (profile * profile / expected).sum(axis=0)[is_lit]
    return np.asarray((shared / own) @ shared.T)

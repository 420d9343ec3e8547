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

If the light may differ from position to position, each has a gain of its own, 1 give or take a known spread, which
multiplies all that is expected there.

The amplitudes are eliminated: for given other parameters each A(t) has one best value, found by
Newton's method in one dimension, and the information on the others is what remains after projecting
A(t) out (Schur complement). Few parameters are left however many bins there are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.amplitudes import best_amplitudes
from tplm_daq.analysis.binning import FitData
from tplm_daq.analysis.fitting import Evaluation, poisson_log_likelihood
from tplm_daq.analysis.shapes import Parameter, SpotShape, Spread

FloatArray = NDArray[np.float64]

TAIL_VARIANCE_RATIO = 3.0
"""Most likely variance of the wrapped tail relative to the spot at the pulse: 1.7 to 11 for D = 0.01 to 0.15 cm2/s at
2.5 MHz, if the mean squared displacement grows as t^0.4 after 3 ns (our simulated sample)."""

TAIL_LOG_SPREAD = 0.8
"""Standard deviation of the logarithm of that ratio in the prior."""


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
    has_gains : bool
        Whether the parameters end with one gain per position, less one.
    """

    shape: SpotShape
    prior: Prior
    age_ns: FloatArray
    counts: FloatArray
    exposure: FloatArray
    wrapped: FloatArray
    has_spot: NDArray[np.bool_]
    has_gains: bool = False

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
        if self.has_gains:
            return self._evaluate_with_gains(parameters)
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
        if self.has_gains:
            return self.with_gains(parameters).expectation(parameters[: self.shape.n_parameters])
        spot = self.shape.spread(parameters, self._broadening_nm2(parameters))
        profile = self.exposure * self.has_spot * spot.value
        background = self._background(parameters, self.shape.wrapped_tail(parameters))
        amplitude = best_amplitudes(self.counts, profile, background)
        return Expectation(amplitude * profile + background, background, amplitude)

    def with_gains(self, parameters: FloatArray) -> ScanLikelihood:
        """Return the likelihood without gains whose exposure has those of the parameters in it."""
        n = self.shape.n_parameters
        prior = Prior(self.prior.mean[:n], self.prior.information[:n, :n])
        exposure = self.exposure * (1.0 + parameters[n:, None])
        return replace(self, exposure=exposure, prior=prior, has_gains=False)

    def _evaluate_with_gains(self, parameters: FloatArray) -> Evaluation:
        """Add the gains: a gain changes what is expected at its position in proportion, amplitudes are eliminated."""
        n, n_gains = self.shape.n_parameters, len(self.counts)
        fixed, own = self.with_gains(parameters), parameters[:n]
        inner = fixed.evaluate(own)
        if not np.isfinite(inner.log_likelihood):
            return Evaluation(-np.inf, np.zeros(n + n_gains), np.eye(n + n_gains))
        gain, off = 1.0 + parameters[n:], parameters[n:]
        found, slopes = fixed.expectation(own), fixed.slopes(own)
        expected, lit = found.counts, np.flatnonzero(found.amplitude)
        profile = slopes[n:].sum(axis=0)[:, lit]
        of_amplitudes = (profile**2 / expected[:, lit]).sum(axis=0)
        shared = np.einsum("pxt,xt->pt", (slopes[:n] / expected)[:, :, lit], profile)
        with_gain = profile / gain[:, None]
        cross = slopes[:n].sum(axis=2) / gain - (shared / of_amplitudes) @ with_gain.T
        own_block = np.diag(expected.sum(axis=1) / gain**2) - (with_gain / of_amplitudes) @ with_gain.T
        pull = self.prior.information[n:, n:] @ off
        gradient = (self.counts - expected).sum(axis=1) / gain - pull
        information = np.block([[inner.information, cross], [cross.T, own_block + self.prior.information[n:, n:]]])
        log_likelihood = inner.log_likelihood - 0.5 * float(off @ pull)
        return Evaluation(log_likelihood, np.append(inner.gradient, gradient), information)

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


def _information_of_amplitudes(
    weighted: FloatArray, profile: FloatArray, expected: FloatArray, amplitude: FloatArray
) -> FloatArray:
    """Return the information on the shared parameters that is lost to the free amplitudes."""
    is_lit = amplitude > 0
    shared = np.einsum("pxt,xt->pt", weighted.reshape(len(weighted), *profile.shape), profile)[:, is_lit]
    own = (profile * profile / expected).sum(axis=0)[is_lit]
    return np.asarray((shared / own) @ shared.T)

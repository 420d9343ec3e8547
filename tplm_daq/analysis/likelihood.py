"""Poisson likelihood of a line scan, for all positions and all delays at once.

Expected counts at position x in delay bin t, with the exposure e (live fraction, dwell)::

    e(x, t) * [ A(t) * g(x; x0, s2 + 2 D age(t)) + b + c * r(t) * g(x; x0, v) ]

g is a Gaussian of unit height averaged over the pixel. A(t) is free in every bin, so neither the decay
nor the spreading along the other axis has to be known. Dark counts are flat: b. What is left of
earlier pulses is a spot too, but a broad one: c, v; r(t) is its slow decay. The counts before the
pulse see b and c alone and enter the same likelihood. Without the second Gaussian the wrapped tail at
2.5 MHz biases D by some percent; where there is no tail, c goes to zero and costs little.

v is hardly determined when c is small; a prior keeps it within reason, and is the only prior here.

The amplitudes are eliminated: for given other parameters each A(t) has one best value, found by
Newton's method in one dimension, and the information on the others is what remains after projecting
A(t) out (Schur complement). Six parameters are left however many bins there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from tplm_daq.analysis.binning import FitData
from tplm_daq.analysis.fitting import Evaluation, poisson_log_likelihood
from tplm_daq.analysis.models import PixelProfile, pixel_profile

FloatArray = NDArray[np.float64]

TAIL_VARIANCE_RATIO = 3.0
"""Most likely variance of the wrapped tail relative to the spot at the pulse: 1.7 to 11 for D = 0.01 to 0.15 cm2/s at
2.5 MHz, if the mean squared displacement grows as t^0.4 after 3 ns (our simulated sample)."""

TAIL_LOG_SPREAD = 0.8
"""Standard deviation of the logarithm of that ratio in the prior."""

_MOST_AMPLITUDE_STEPS = 60
_AMPLITUDE_TOLERANCE = 1e-10
_DARK = 1e-100


class Parameter(IntEnum):
    """Place of each shared parameter in the parameter vector."""

    DIFFUSIVITY = 0
    """In nm^2/ns."""
    VARIANCE = 1
    """Of the spot at the pulse, without the pixel, in nm^2."""
    CENTRE = 2
    """In nm."""
    FLAT = 3
    """Flat level, in counts per recorded bin at mean dwell."""
    TAIL = 4
    """Height of the wrapped tail before the pulse, in the same unit."""
    LOG_TAIL_VARIANCE = 5
    """Logarithm of the variance of the wrapped tail in nm^2."""


@dataclass(frozen=True)
class ScanLikelihood:
    """Counts of a line scan as the likelihood reads them: the window, and the counts before the pulse as last column.

    Attributes
    ----------
    position_nm : ndarray of float64, shape (n_position,)
        Pixel centres, in nm.
    pixel_nm : float
        Width of the pixel, in nm.
    age_ns : ndarray of float64, shape (n_column,)
        Mean age of the excitons; 0 in the last column, where there are none.
    counts, exposure : ndarray of float64, shape (n_position, n_column)
        Counts, and what multiplies their expectation.
    wrapped : ndarray of float64, shape (n_column,)
        Tail of the earlier pulses relative to its mean before the pulse.
    has_spot : ndarray of bool, shape (n_column,)
        False for the counts before the pulse.
    tail_variance_nm2 : float
        Most likely variance of the wrapped tail, in nm^2.
    """

    position_nm: FloatArray
    pixel_nm: float
    age_ns: FloatArray
    counts: FloatArray
    exposure: FloatArray
    wrapped: FloatArray
    has_spot: NDArray[np.bool_]
    tail_variance_nm2: float

    @classmethod
    def of(cls, data: FitData, spot_variance_nm2: float) -> ScanLikelihood:
        """Arrange the data; `spot_variance_nm2` sets the scale of the prior on the wrapped tail."""
        n_before = 1 if data.has_prepulse else 0
        return cls(
            position_nm=data.position_nm,
            pixel_nm=data.pixel_nm,
            age_ns=np.append(data.age_ns, np.zeros(n_before)),
            counts=np.column_stack([data.counts, data.prepulse_counts])[:, : data.counts.shape[1] + n_before],
            exposure=np.column_stack([data.exposure, data.prepulse_exposure])[:, : data.counts.shape[1] + n_before],
            wrapped=np.append(data.wrapped, np.ones(n_before)),
            has_spot=np.arange(len(data.age_ns) + n_before) < len(data.age_ns),
            tail_variance_nm2=TAIL_VARIANCE_RATIO * spot_variance_nm2,
        )

    def evaluate(self, parameters: FloatArray) -> Evaluation:
        """Return log-likelihood plus log-prior, its gradient and its information.

        Parameters
        ----------
        parameters : ndarray of float64, shape (6,)
            In the order of `Parameter`.

        Returns
        -------
        Evaluation
            With a log-likelihood of minus infinity where the spot would have no positive variance.
        """
        variance_nm2 = self._variance_nm2(parameters)
        if variance_nm2.min() <= 0.0:
            return Evaluation(-np.inf, np.zeros(len(Parameter)), np.eye(len(Parameter)))
        spot, broad = self._profiles(parameters, variance_nm2)
        profile = self.exposure * self.has_spot * spot.value
        background = self._background(parameters, broad)
        amplitude = best_amplitudes(self.counts, profile, background)
        expected = amplitude * profile + background
        jacobian = self._jacobian(parameters, amplitude, spot, broad).reshape(len(Parameter), -1)
        weighted = jacobian / expected.ravel()
        gradient = weighted @ (self.counts - expected).ravel()
        information = weighted @ jacobian.T - _information_of_amplitudes(weighted, profile, expected, amplitude)
        off = parameters[Parameter.LOG_TAIL_VARIANCE] - np.log(self.tail_variance_nm2)
        gradient[Parameter.LOG_TAIL_VARIANCE] -= off / TAIL_LOG_SPREAD**2
        information[Parameter.LOG_TAIL_VARIANCE, Parameter.LOG_TAIL_VARIANCE] += 1.0 / TAIL_LOG_SPREAD**2
        log_prior = -0.5 * (off / TAIL_LOG_SPREAD) ** 2
        return Evaluation(poisson_log_likelihood(self.counts, expected) + log_prior, gradient, information)

    def expectation(self, parameters: FloatArray) -> Expectation:
        """Return what is expected at the parameters, with the best amplitudes for them."""
        spot, broad = self._profiles(parameters, self._variance_nm2(parameters))
        profile = self.exposure * self.has_spot * spot.value
        background = self._background(parameters, broad)
        amplitude = best_amplitudes(self.counts, profile, background)
        return Expectation(amplitude * profile + background, background, amplitude)

    def _variance_nm2(self, parameters: FloatArray) -> FloatArray:
        return np.asarray(parameters[Parameter.VARIANCE] + 2.0 * parameters[Parameter.DIFFUSIVITY] * self.age_ns)

    def _profiles(self, parameters: FloatArray, variance_nm2: FloatArray) -> tuple[PixelProfile, PixelProfile]:
        """Return the spot, shape (n_position, n_column), and the wrapped tail, shape (n_position, 1)."""
        centre_nm = float(parameters[Parameter.CENTRE])
        broad_nm2 = float(np.exp(parameters[Parameter.LOG_TAIL_VARIANCE]))
        across_nm = self.position_nm[:, None]
        spot = pixel_profile(across_nm, centre_nm, variance_nm2, self.pixel_nm)
        return spot, pixel_profile(across_nm, centre_nm, broad_nm2, self.pixel_nm)

    def _background(self, parameters: FloatArray, broad: PixelProfile) -> FloatArray:
        tail = parameters[Parameter.TAIL] * broad.value * self.wrapped
        return np.asarray(self.exposure * (parameters[Parameter.FLAT] + tail))

    def _jacobian(
        self, parameters: FloatArray, amplitude: FloatArray, spot: PixelProfile, broad: PixelProfile
    ) -> FloatArray:
        """Return derivatives of the expected counts, shape (6, n_position, n_column)."""
        height = self.exposure * amplitude
        tail_height = parameters[Parameter.TAIL] * self.exposure * self.wrapped
        by_variance = height * spot.d_variance
        return np.stack(
            [
                2.0 * self.age_ns * by_variance,
                by_variance,
                height * spot.d_centre + tail_height * broad.d_centre,
                self.exposure,
                self.exposure * self.wrapped * broad.value,
                tail_height * np.exp(parameters[Parameter.LOG_TAIL_VARIANCE]) * broad.d_variance,
            ]
        )


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

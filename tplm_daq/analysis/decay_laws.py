"""Laws by which the photoluminescence decays, and what a detector with a Gaussian response counts of each.

A law gives the light emitted from age zero up to an age, for unit rate at age zero, with its derivatives
in closed form. Counts in a delay bin are differences of that integral after it has been smeared by the
response, so wide bins cost no accuracy. Light emitted later than one period is counted after the next
pulses; the last 20 of them are summed, and what is older is flat and belongs to the level.

`JOINED` is the transient of Science Advances 10, eadj2630 (2024): exponential up to 3 ns, then a power law.
The others are there to be compared with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaln

FloatArray = NDArray[np.float64]

JOIN_NS = 3.0
"""Age at which the exponential turns into a power law (Science Advances 10, eadj2630 (2024))."""

N_EARLIER_PULSES = 20

_REACH = 8.5
_SHARP_SIGMA = 14.0
_YOUNGEST_TAIL_NS = 0.1
_NEAR_ONE = 1e-6
_STEP = 1e-5
_LEGENDRE_NODES, _LEGENDRE_WEIGHTS = np.polynomial.legendre.leggauss(56)
_HERMITE_NODES, _HERMITE_WEIGHTS = np.polynomial.hermite_e.hermegauss(5)


@dataclass(frozen=True)
class Emission:
    """Light emitted up to an age, its rate, and its derivatives.

    Attributes
    ----------
    total_ns : ndarray of float64
        Light emitted from age zero on, for unit rate at age zero.
    rate : ndarray of float64
        Light emitted per ns at that age: the decay itself.
    gradient : ndarray of float64, shape (n_parameter, ...)
        Derivatives of `total_ns` with respect to the parameters of the law.
    """

    total_ns: FloatArray
    rate: FloatArray
    gradient: FloatArray


@dataclass(frozen=True)
class DecayLaw:
    """One law with its parameters.

    Attributes
    ----------
    name : str
        Name in results.
    parameters : tuple of str
        Names of the parameters, with units.
    lower, upper : tuple of float
        Bounds of the parameters.
    start : callable
        Starting values from the effective lifetime in ns.
    emission : callable
        `Emission` at positive ages in ns, shape (...), for a parameter vector.
    """

    name: str
    parameters: tuple[str, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    start: Callable[[float], tuple[float, ...]]
    emission: Callable[[FloatArray, FloatArray], Emission]


def joined_law(join_ns: float = JOIN_NS) -> DecayLaw:
    """Return the law that is exponential up to an age in ns, and from there, without a step, a power law.

    The age is not a parameter to be fitted: where the two laws have the same slope, at exponent times lifetime,
    the decay does not depend on it, and that is near 3 ns in the samples at hand.
    """
    return DecayLaw(
        "joined law",
        ("lifetime_ns", "exponent"),
        (0.02, 0.1),
        (200.0, 8.0),
        lambda lifetime_ns: (lifetime_ns, 1.6),
        partial(_joined, join_ns),
    )


def counted_light(law: DecayLaw, parameters: FloatArray, since_ns: FloatArray, sigma_ns: float) -> FloatArray:
    """Return the light of one pulse counted up to a delay, and its derivatives.

    Parameters
    ----------
    law : DecayLaw
        Law of the decay.
    parameters : ndarray of float64, shape (n_parameter,)
        Its parameters.
    since_ns : ndarray of float64, shape (n_edge,)
        Delays after the centre of the pulse, ascending, in ns.
    sigma_ns : float
        Standard deviation of the response in ns; positive.

    Returns
    -------
    ndarray of float64, shape (3 + n_parameter, n_edge)
        Light in ns, then its derivatives with respect to the centre of the pulse, to `sigma_ns`, and to the
        parameters. Only differences between delays have a meaning.

    Examples
    --------
    >>> light = counted_light(EXPONENTIAL, np.array([2.0]), np.array([-1.0, 0.0, 50.0]), 0.034)
    >>> [float(value) for value in np.round(light[0], 3)]
    [0.0, 0.013, 2.0]
    """
    light = np.zeros((3 + len(parameters), len(since_ns)))
    first, sharp = np.searchsorted(since_ns, [-_REACH * sigma_ns, _SHARP_SIGMA * sigma_ns])
    near_ns, far_ns = since_ns[first:sharp, None], since_ns[sharp:, None]
    upper = np.minimum(near_ns / sigma_ns, _REACH)
    from_age_zero = 0.5 * (1.0 + _LEGENDRE_NODES)
    z = upper - (upper + _REACH) * from_age_zero**2
    weight = (upper + _REACH) * from_age_zero * _LEGENDRE_WEIGHTS * np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    light[:, first:sharp] = _smeared(law, parameters, near_ns - sigma_ns * z, z, weight)
    light[:, sharp:] = _smeared(
        law, parameters, far_ns - sigma_ns * _HERMITE_NODES, _HERMITE_NODES, _HERMITE_WEIGHTS / np.sqrt(2.0 * np.pi)
    )
    return light


def earlier_light(law: DecayLaw, parameters: FloatArray, since_ns: FloatArray, period_ns: float) -> FloatArray:
    """Return the light of earlier pulses counted up to a delay; the response no longer matters to it.

    Parameters
    ----------
    law, parameters, since_ns
        As for `counted_light`.
    period_ns : float
        Time between pulses in ns.

    Returns
    -------
    ndarray of float64, shape (3 + n_parameter, n_edge)
        As from `counted_light`.

    Examples
    --------
    Shortly before a pulse at 40 MHz, a little light is left:

    >>> light = earlier_light(JOINED, np.array([2.0, 1.6]), np.array([-1.0, -0.5]), 25.0)
    >>> round(float(np.diff(light[0])[0]), 4)
    0.0078
    """
    pulses_ns = period_ns * np.arange(1, N_EARLIER_PULSES + 1)[:, None]
    emission = law.emission(np.maximum(pulses_ns + since_ns, 0.0), parameters)
    # what was emitted before the first delay is taken off each pulse, or rounding would show in the sum
    total_ns = (emission.total_ns - emission.total_ns[:, :1]).sum(axis=0)
    d_t0 = (emission.rate[:, :1] - emission.rate).sum(axis=0)
    gradient = (emission.gradient - emission.gradient[:, :, :1]).sum(axis=1)
    return np.concatenate([[total_ns, d_t0, np.zeros_like(total_ns)], gradient])


def _smeared(
    law: DecayLaw, parameters: FloatArray, age_ns: FloatArray, z: FloatArray, weight: FloatArray
) -> FloatArray:
    """Sum an emission over the nodes in the last axis of `age_ns`."""
    emission = law.emission(np.maximum(age_ns, 0.0), parameters)
    rate = emission.rate * weight
    return np.concatenate(
        [
            [(emission.total_ns * weight).sum(axis=-1), -rate.sum(axis=-1), -(rate * z).sum(axis=-1)],
            (emission.gradient * weight).sum(axis=-1),
        ]
    )


def _exponential(age_ns: FloatArray, parameters: FloatArray) -> Emission:
    (lifetime_ns,) = parameters
    total_ns, rate, d_lifetime = _one_exponential(age_ns, lifetime_ns)
    return Emission(total_ns, rate, d_lifetime[None])


def _biexponential(age_ns: FloatArray, parameters: FloatArray) -> Emission:
    fast_ns, slow_ns, share = parameters
    fast, fast_rate, d_fast = _one_exponential(age_ns, fast_ns)
    slow, slow_rate, d_slow = _one_exponential(age_ns, slow_ns)
    gradient = np.stack([(1.0 - share) * d_fast, share * d_slow, slow - fast])
    return Emission((1.0 - share) * fast + share * slow, (1.0 - share) * fast_rate + share * slow_rate, gradient)


def _stretched(age_ns: FloatArray, parameters: FloatArray) -> Emission:
    lifetime_ns, exponent = parameters
    rate = np.exp(-((age_ns / lifetime_ns) ** exponent))
    total_ns = _stretched_total(age_ns, lifetime_ns, exponent)
    d_exponent = (
        _stretched_total(age_ns, lifetime_ns, exponent + _STEP)
        - _stretched_total(age_ns, lifetime_ns, exponent - _STEP)
    ) / (2.0 * _STEP)
    return Emission(total_ns, rate, np.stack([(total_ns - age_ns * rate) / lifetime_ns, d_exponent]))


def _power_law(age_ns: FloatArray, parameters: FloatArray) -> Emission:
    """Power law of unit rate at the join; the light is counted from there, and ages near zero are meaningless."""
    (exponent,) = parameters
    ratio = np.maximum(age_ns, _YOUNGEST_TAIL_NS) / JOIN_NS
    total, d_exponent = _tail(ratio, exponent)
    return Emission(JOIN_NS * total, ratio**-exponent, JOIN_NS * d_exponent[None])


def _joined(join_ns: float, age_ns: FloatArray, parameters: FloatArray) -> Emission:
    """Exponential up to the join, power law from there, without a step."""
    lifetime_ns, exponent = parameters
    total_ns, rate, d_lifetime = _one_exponential(np.minimum(age_ns, join_ns), lifetime_ns)
    ratio = np.maximum(age_ns / join_ns, 1.0)
    tail, d_tail = _tail(ratio, exponent)
    scale_ns = join_ns * np.exp(-join_ns / lifetime_ns)
    gradient = np.stack([d_lifetime + join_ns / lifetime_ns**2 * scale_ns * tail, scale_ns * d_tail])
    return Emission(total_ns + scale_ns * tail, rate * ratio**-exponent, gradient)


def _one_exponential(age_ns: FloatArray, lifetime_ns: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return emitted light, rate, and the derivative of the light with respect to the lifetime."""
    x = age_ns / lifetime_ns
    rate = np.exp(-x)
    emitted = -np.expm1(-x)
    return lifetime_ns * emitted, rate, emitted - x * rate


def _tail(ratio: FloatArray, exponent: float) -> tuple[FloatArray, FloatArray]:
    """Integrate ``x**-exponent`` from 1 to `ratio`; return it and its derivative with respect to the exponent."""
    power = 1.0 - exponent
    if abs(power) < _NEAR_ONE:
        power = _NEAR_ONE
    log_ratio = np.log(ratio)
    total = np.expm1(power * log_ratio) / power
    return total, (total - log_ratio * np.exp(power * log_ratio)) / power


def _stretched_total(age_ns: FloatArray, lifetime_ns: float, exponent: float) -> FloatArray:
    """Integrate ``exp(-(t / lifetime)**exponent)`` from zero to an age."""
    whole_ns = lifetime_ns * np.exp(gammaln(1.0 + 1.0 / exponent))
    return np.asarray(whole_ns * gammainc(1.0 / exponent, (age_ns / lifetime_ns) ** exponent))


EXPONENTIAL = DecayLaw(
    "exponential", ("lifetime_ns",), (0.02,), (200.0,), lambda lifetime_ns: (lifetime_ns,), _exponential
)
POWER_LAW = DecayLaw("power law", ("exponent",), (0.1,), (8.0,), lambda _: (1.6,), _power_law)
JOINED = joined_law()
STRETCHED = DecayLaw(
    "stretched exponential",
    ("lifetime_ns", "stretching"),
    (0.02, 0.15),
    (200.0, 2.0),
    lambda lifetime_ns: (lifetime_ns, 0.8),
    _stretched,
)
BIEXPONENTIAL = DecayLaw(
    "double exponential",
    ("fast_lifetime_ns", "slow_lifetime_ns", "slow_share"),
    (0.02, 0.02, 0.0),
    (200.0, 1000.0, 1.0),
    lambda lifetime_ns: (0.8 * lifetime_ns, 4.0 * lifetime_ns, 0.1),
    _biexponential,
)

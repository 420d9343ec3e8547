"""The height of a profile of known shape in each column of counts: Newton's method in one dimension, all at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_MOST_AMPLITUDE_STEPS = 60
_AMPLITUDE_TOLERANCE = 1e-10
_DARK = 1e-100


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

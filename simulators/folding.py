"""How light emitted at given ages arrives within one laser period: response, delay and wrap-around, as one matrix.

Arrivals in a cell of the period are a sum over ages of decay times brightness of that age. The brightness (the share of
the image on a pixel) is smooth in the age and is given at nodes, linear in between; all else goes into the matrix:

- Light younger than the kink of the decay is smeared by the Gaussian response exactly, age by age.
- Older light varies so slowly that the response only adds sigma^2/2 times the second derivative of the decay.
- Light of the 15 pulses before is added pulse by pulse; of all pulses before those by an integral over the number k of
  the pulse (Euler's midpoint rule), in the variable (15.5/k)^(p-1), in which a power law of exponent p is constant
  (Gauss-Legendre).

Cells are whole multiples of 4 ps, the counter's resolution: 4 ps wide around the pulse and 0.5 % of the age later.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.special import ndtr

from simulators.sample import Decay

CELL_NS = 0.004
"""Width of the finest cells."""

_REACH_SIGMA = 7.0  # beyond this the response is nothing
_NODE_STEP_NS = 0.005
_NODE_GROWTH = 0.005
_CELL_GROWTH = 0.005
_N_SINGLE_PULSES = 16
_N_HISTORY_NODES = 8


@dataclass(frozen=True, eq=False)
class Folding:
    """From brightness at given ages to arrivals per cell of a period.

    Attributes
    ----------
    age_ns : ndarray of float64, shape (n_age,)
        Ages at which the brightness is wanted, ascending from 0.
    edges_ns : ndarray of float64, shape (n_cell + 1,)
        Cell edges from 0 to the period, as delay after the laser's trigger.
    matrix : csr_array of float64, shape (n_cell, n_age)
        Arrivals per cell for unit brightness at each age; the emission is 1 at age 0.
    weights : ndarray of float64, shape (n_age,)
        Sum over the cells: the whole light of each age.
    """

    age_ns: NDArray[np.float64]
    edges_ns: NDArray[np.float64]
    matrix: csr_array
    weights: NDArray[np.float64]


@lru_cache(maxsize=8)
def folding(decay: Decay, period_ns: float, t0_ns: float, sigma_ns: float) -> Folding:
    """Return the folding of a decay with a laser period.

    Parameters
    ----------
    decay : Decay
        Emission over age.
    period_ns : float
        Time between pulses in ns.
    t0_ns : float
        Delay of the light behind the trigger in ns.
    sigma_ns : float
        Standard deviation of the Gaussian response in ns.

    Returns
    -------
    Folding
        The matrix with its axes; shared between calls, not to be written to.

    Raises
    ------
    ValueError
        If the period does not hold the prompt decay and twice the reach of the response, or the response has no width.
    """
    reach_ns = _REACH_SIGMA * sigma_ns
    if sigma_ns <= 0 or period_ns < decay.prompt_ns + 2 * reach_ns:
        raise ValueError(
            f"simulated optics: a period of {period_ns:g} ns does not hold the prompt decay of {decay.prompt_ns:g} ns "
            f"and a response of sigma {sigma_ns:g} ns (which must be positive). Use a lower repetition rate."
        )
    edges_ns = _cell_edges_ns(decay, period_ns, t0_ns, reach_ns)
    middle_ns = (edges_ns[1:] + edges_ns[:-1]) / 2
    width_ns = np.diff(edges_ns)
    cell_age_ns = (middle_ns - t0_ns + reach_ns) % period_ns - reach_ns
    pulses, pulse_weights = _earlier_pulses(decay.tail_exponent)
    age_ns = _age_nodes_ns(decay, reach_ns, float(pulses[-1] + 1) * period_ns)
    terms = [_prompt_terms(decay, cell_age_ns, width_ns, age_ns, sigma_ns, reach_ns)]
    is_late = cell_age_ns >= decay.prompt_ns + reach_ns
    for pulse, weight in zip(pulses, pulse_weights, strict=True):
        cells = np.flatnonzero(is_late) if pulse == 0 else np.arange(len(cell_age_ns))
        ages_ns = cell_age_ns[cells] + pulse * period_ns
        light = weight * width_ns[cells] * _smeared_tail(decay, ages_ns, sigma_ns)
        terms.append(_at_nodes(cells, ages_ns, light, age_ns))
    rows, columns, values = (np.concatenate(part) for part in zip(*terms, strict=True))
    matrix = coo_array((values, (rows, columns)), shape=(len(middle_ns), len(age_ns))).tocsr()
    return Folding(age_ns, edges_ns, matrix, np.asarray(matrix.sum(axis=0)))


def _cell_edges_ns(decay: Decay, period_ns: float, t0_ns: float, reach_ns: float) -> NDArray[np.float64]:
    """Return cell edges over one period: finest around the pulse, widening with age, multiples of 4 ps."""
    fine_end_ns = decay.prompt_ns + 2 * reach_ns
    fine = np.arange(-reach_ns, min(fine_end_ns, period_ns - reach_ns), CELL_NS)
    n_wide = max(0, math.ceil(math.log(max(1.0, period_ns / fine_end_ns)) / math.log1p(_CELL_GROWTH)))
    wide = np.minimum(fine_end_ns * (1.0 + _CELL_GROWTH) ** np.arange(n_wide), period_ns - reach_ns)
    ticks = np.rint((np.concatenate((fine, wide)) + t0_ns) % period_ns / CELL_NS).astype(np.int64)
    inside = np.unique(ticks) * CELL_NS
    inside = inside[(inside > CELL_NS / 2) & (inside < period_ns - CELL_NS / 2)]
    return np.concatenate(([0.0], inside, [period_ns]))


def _age_nodes_ns(decay: Decay, reach_ns: float, oldest_ns: float) -> NDArray[np.float64]:
    """Return the ages at which the brightness is sampled; one of them is the kink of the decay."""
    n_prompt = math.ceil(decay.prompt_ns / _NODE_STEP_NS)
    prompt = np.linspace(0.0, decay.prompt_ns, n_prompt + 1)
    n_late = math.ceil(math.log(oldest_ns / decay.prompt_ns) / math.log1p(_NODE_GROWTH))
    return np.concatenate((prompt, decay.prompt_ns * (1.0 + _NODE_GROWTH) ** np.arange(1, n_late + 1)))


def _earlier_pulses(tail_exponent: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how many pulses back to look, ascending, and the weights of their sum; 0 is the present pulse."""
    single = np.arange(float(_N_SINGLE_PULSES))
    border = _N_SINGLE_PULSES - 0.5
    node, weight = np.polynomial.legendre.leggauss(_N_HISTORY_NODES)
    share = (1.0 - node) / 2
    power = 1.0 / (tail_exponent - 1.0)
    far = border * share**-power
    far_weight = weight / 2 * border * power * share ** (-power - 1.0)
    return np.concatenate((single, far)), np.concatenate((np.ones_like(single), far_weight))


def _smeared_tail(decay: Decay, age_ns: NDArray[np.float64], sigma_ns: float) -> NDArray[np.float64]:
    """Return the power law smeared by the response, to second order in its width."""
    p = decay.tail_exponent
    smeared: NDArray[np.float64] = decay(age_ns) * (1.0 + sigma_ns**2 * p * (p + 1.0) / (2.0 * age_ns**2))
    return smeared


Terms = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def _at_nodes(
    cells: NDArray[np.int64], ages_ns: NDArray[np.float64], light: NDArray[np.float64], age_ns: NDArray[np.float64]
) -> Terms:
    """Return rows, columns and values that share `light` at `ages_ns` between the two nodes around each age."""
    left = np.clip(np.searchsorted(age_ns, ages_ns, side="right") - 1, 0, len(age_ns) - 2)
    right_share = (ages_ns - age_ns[left]) / (age_ns[left + 1] - age_ns[left])
    values = np.concatenate((light * (1.0 - right_share), light * right_share))
    return np.concatenate((cells, cells)), np.concatenate((left, left + 1)), values


def _prompt_terms(
    decay: Decay,
    cell_age_ns: NDArray[np.float64],
    width_ns: NDArray[np.float64],
    age_ns: NDArray[np.float64],
    sigma_ns: float,
    reach_ns: float,
) -> Terms:
    """Return the terms of the present pulse in the cells around it: every young age, smeared by the response."""
    cells = np.flatnonzero(cell_age_ns < decay.prompt_ns + reach_ns)
    young_ns = age_ns[: np.searchsorted(age_ns, decay.prompt_ns + 2 * reach_ns) + 1]
    node, weight = np.polynomial.legendre.leggauss(3)
    half_ns = np.diff(young_ns) / 2
    emitted_ns = ((young_ns[1:] + young_ns[:-1]) / 2)[:, None] + half_ns[:, None] * node
    light = (half_ns[:, None] * weight * decay(emitted_ns)).ravel()
    emitted_ns = emitted_ns.ravel()
    begin_ns = (cell_age_ns - width_ns / 2)[cells, None] - emitted_ns
    end_ns = (cell_age_ns + width_ns / 2)[cells, None] - emitted_ns
    near_cell, near_age = np.nonzero((end_ns > -reach_ns) & (begin_ns < reach_ns))
    arriving = ndtr(end_ns[near_cell, near_age] / sigma_ns) - ndtr(begin_ns[near_cell, near_age] / sigma_ns)
    return _at_nodes(cells[near_cell], emitted_ns[near_age], light[near_age] * arriving, age_ns)

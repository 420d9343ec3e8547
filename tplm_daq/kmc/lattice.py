"""The arrays of a lattice of nanocrystals: neighbours, coordinates, excitable sites, blocked sites.

The lattice ends in a wall of blocked sites: an attempt to hop across it is refused, like one to an occupied site, or
with periodic edges is one to the site on the other side. At the paper's size no exciton comes near it. A hexagonal
lattice is stored as rows that are each shifted by half a site
against the row before, so its outline is a parallelogram.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tplm_daq.errors import InputError
from tplm_daq.kmc.state import CLOSED, FAST, N_LANES, SLOW, WORDS_AT_ONCE, Rules, State
from tplm_daq.recipes.kmc import LOWEST_WEIGHT, Lattice

BYTES_PER_SITE = 24
"""State, coordinates, a place in the list of fast sites, and what preparing them takes at the same time."""

BYTES_PER_IMAGE = 4
"""More, for rules beyond the paper."""


def new_lattice(lattice: Lattice, seed: np.random.SeedSequence) -> tuple[Rules, State]:
    """Return a lattice of slow sites without excitons.

    Parameters
    ----------
    lattice : Lattice
        The model.
    seed : numpy.random.SeedSequence
        Where all chance comes from.

    Returns
    -------
    rules : Rules
        What stays the same.
    state : State
        What the kernel changes.

    Raises
    ------
    InputError
        No site is left that could be excited.

    Examples
    --------
    >>> rules, state = new_lattice(Lattice(size=201), np.random.SeedSequence(1))
    >>> len(state.sites) == 203**2, len(rules.excitable)
    (True, 14673)
    """
    blocked_seed, hop_seed = seed.spawn(2)
    is_blocked = _draw_blocked(lattice, blocked_seed)
    x, y = _coordinates(lattice)
    excitable, weights = _excitable(lattice, x, y, is_blocked)
    if len(excitable) == 0:
        raise InputError(
            f"kmc: with a lattice.blocked of {lattice.blocked:g} there is no nanocrystal left in a spot of "
            f"{lattice.spot_fwhm_nm:g} nm. Use a smaller lattice.blocked, a larger lattice.spot_fwhm or another seed."
        )
    stride = lattice.size + 2
    offsets = [1, -1, stride, -stride, stride - 1, 1 - stride][: lattice.neighbours]
    thresholds = _thresholds(lattice)
    rules = Rules(
        slow=thresholds[SLOW],
        fast=thresholds[FAST],
        decay_rate=-math.log1p(-lattice.p_decay),
        offsets=np.array(offsets, dtype=np.int64).astype(np.uint64),
        excitable=excitable,
        weights=weights,
        x=x,
        y=y,
        is_extended=lattice.is_extended,
        thresholds=thresholds,
        images=_images(lattice),
        stays=np.array([lattice.relaxation_time_ns, *(stage.relaxation_time_ns for stage in lattice.stages)])
        / lattice.relaxation_time_ns,
    )
    closed_for_good = len(thresholds) - 1 if lattice.is_extended else CLOSED
    n_words = -(-max(WORDS_AT_ONCE, len(excitable)) // N_LANES) * N_LANES
    state = State(
        sites=np.where(is_blocked, closed_for_good, SLOW).astype(np.uint8),
        fast_sites=np.empty(stride**2, dtype=np.uint32),
        excitons=np.empty(len(excitable), dtype=np.uint64),
        words=np.empty(n_words, dtype=np.uint32),
        lanes=hop_seed.generate_state(4 * N_LANES).astype(np.uint32),
        counters=np.zeros(6, dtype=np.int64),
        next_decay=np.zeros(1),
        shifts=np.zeros((len(excitable), 2), dtype=np.float32),
    )
    return rules, state


def keep_probability(lattice: Lattice, tau_pulse_ns: float) -> float:
    """Return the probability that a fast site is still fast one pulse spacing later."""
    return math.exp(-tau_pulse_ns / lattice.tau_relax_ns)


def excitons_per_pulse(lattice: Lattice, alpha: float) -> float:
    """Return the mean number of excitons that a pulse makes.

    Examples
    --------
    >>> round(excitons_per_pulse(Lattice(), 0.08), 1)
    56.7
    """
    area_per_site = math.sqrt(0.75) if lattice.neighbours == 6 else 1.0
    return alpha * (1.0 - lattice.blocked) * 2.0 * math.pi * lattice.sigma**2 / area_per_site


def _coordinates(lattice: Lattice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return x and y of each site of lattice and wall, shape (stride^2,), in spacings from the centre of the spot."""
    steps = np.arange(lattice.size + 2, dtype=np.float32) - np.float32(1 + lattice.size // 2)
    if lattice.neighbours == 6:
        x = steps + np.float32(0.5) * steps[:, None]
        y = np.broadcast_to(np.float32(math.sqrt(0.75)) * steps[:, None], x.shape)
    else:
        x, y = np.meshgrid(steps, steps)
    return x.ravel(), y.ravel()


def _excitable(
    lattice: Lattice, x: NDArray[np.float32], y: NDArray[np.float32], is_blocked: NDArray[np.bool_]
) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Return the sites within reach of the spot and their relative probabilities, the most likely first."""
    reach = lattice.sigma * math.sqrt(-2.0 * math.log(LOWEST_WEIGHT))
    sites = np.flatnonzero((x**2 + y**2 <= reach**2) & ~is_blocked)
    r2 = x[sites].astype(np.float64) ** 2 + y[sites].astype(np.float64) ** 2
    order = np.argsort(r2, kind="stable")
    return sites[order].astype(np.uint32), np.exp(-r2[order] / (2.0 * lattice.sigma**2))


def _thresholds(lattice: Lattice) -> NDArray[np.uint64]:
    """Return the probability of an attempt to hop to succeed, in units of 2^-32, by value of the site aimed at."""
    p_slow, *p_fast = lattice.p_hop
    return np.array([round(p * 2**32) for p in (lattice.p_annihilation, p_slow, *p_fast, 0.0)], dtype=np.uint64)


def _images(lattice: Lattice) -> NDArray[np.uint32]:
    """Return the site that stands for each, shape (stride^2,), or an empty array where nobody asks."""
    if not lattice.is_extended:
        return np.empty(0, dtype=np.uint32)
    stride = lattice.size + 2
    place = np.arange(stride, dtype=np.uint32)
    if lattice.edges == "periodic":
        place = (place + np.uint32(lattice.size - 1)) % np.uint32(lattice.size) + np.uint32(1)
    return (place[:, None] * np.uint32(stride) + place).ravel()


def _draw_blocked(lattice: Lattice, seed: np.random.SeedSequence) -> NDArray[np.bool_]:
    """Return which sites take no exciton, shape (stride^2,): the wall, and those without a nanocrystal."""
    is_blocked = np.ones((lattice.size + 2, lattice.size + 2), dtype=bool)
    inside = is_blocked[1:-1, 1:-1]
    inside[:] = np.random.default_rng(seed).random(inside.shape) < lattice.blocked if lattice.blocked else False
    return is_blocked.ravel()

"""The arrays that the kernel works on: the lattice as it changes, the rules that stay, and what is recorded."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

N_LANES = 64
WORDS_AT_ONCE = 4096

CLOSED, SLOW, FAST = range(3)

# Places in `State.counters`.
N_EXCITONS, N_FAST, STEP, NEXT_WORD, END_WORD, EXCITON_STEPS = range(6)


class State(NamedTuple):
    """Everything that changes in the course of a simulation; changed in place.

    Attributes
    ----------
    sites : ndarray of uint8, shape (n_rows * stride,)
        `CLOSED`, `SLOW` or `FAST`.
    fast_sites : ndarray of uint32, shape (n_sites,)
        Indices of the fast sites; the first `counters[N_FAST]` are valid.
    excitons : ndarray of uint64, shape (n_excitable,)
        Index of each exciton's site; the first `counters[N_EXCITONS]` are valid.
    words : ndarray of uint32, shape (n_words,)
        Random words; those from `counters[NEXT_WORD]` to `counters[END_WORD]` have not been used.
    lanes : ndarray of uint32, shape (4 * N_LANES,)
        State of the generators.
    counters : ndarray of int64, shape (6,)
        See the names above; `STEP` counts from the last pulse, `EXCITON_STEPS` from the beginning.
    next_decay : ndarray of float64, shape (1,)
        When the next exciton decays, in steps since the pulse.
    shifts : ndarray of float32, shape (n_excitable, 2)
        What crossings of periodic edges add to x and y of each exciton, in lattice spacings.
    """

    sites: NDArray[np.uint8]
    fast_sites: NDArray[np.uint32]
    excitons: NDArray[np.uint64]
    words: NDArray[np.uint32]
    lanes: NDArray[np.uint32]
    counters: NDArray[np.int64]
    next_decay: NDArray[np.float64]
    shifts: NDArray[np.float32]


class Rules(NamedTuple):
    """What stays the same in the course of a simulation.

    Attributes
    ----------
    slow, fast : int
        Probabilities to enter a slow and a fast site, in units of 2^-32.
    decay_rate : float
        Rate per step that corresponds to the decay probability per step.
    offsets : ndarray of uint64, shape (n_neighbours,)
        Differences between the indices of neighbouring sites, modulo 2^64.
    excitable : ndarray of uint32, shape (n_excitable,)
        Sites that a pulse can excite, in descending order of `weights`.
    weights : ndarray of float64, shape (n_excitable,)
        Excitation probability relative to the centre of the spot.
    x, y : ndarray of float32, shape (n_rows * stride,)
        Position of each site relative to the centre of the spot, in lattice spacings.
    is_extended : bool
        Whether the rules go beyond the paper's, so that what follows is needed.
    thresholds : ndarray of uint64, shape (3 + n_stages,)
        Probability of an attempt to hop to succeed, by value of the site aimed at (see `extended`), in units of 2^-32.
    images : ndarray of uint32, shape (n_rows * stride,) or (0,)
        Site that stands for each: for one in the wall, with periodic edges, that on the other side; else itself.
    stays : ndarray of float64, shape (n_stages,)
        Mean time that a site spends in each stage of being fast, relative to the first.
    """

    slow: np.uint64
    fast: np.uint64
    decay_rate: float
    offsets: NDArray[np.uint64]
    excitable: NDArray[np.uint32]
    weights: NDArray[np.float64]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    is_extended: bool
    thresholds: NDArray[np.uint64]
    images: NDArray[np.uint32]
    stays: NDArray[np.float64]


class Sums(NamedTuple):
    """What is recorded in each pulse; filled in place.

    Attributes
    ----------
    n_excitons : ndarray of int32, shape (n_pulses, n_times)
        Excitons left at each recorded time.
    r2 : ndarray of float64, shape (n_pulses, n_times)
        Sum of their squared distances from the centre, in squared lattice spacings.
    n_fast : ndarray of int32, shape (n_pulses,)
        Sites that are not slow just before each pulse.
    density : ndarray of uint32, shape (n_times, width, width)
        Excitons in squares of one lattice spacing around the centre, summed over pulses; width 0 if not wanted.
    """

    n_excitons: NDArray[np.int32]
    r2: NDArray[np.float64]
    n_fast: NDArray[np.int32]
    density: NDArray[np.uint32]

"""The compiled loops of the lattice model: excite, hop, decay, record, relax.

Each site is one byte: `CLOSED` (occupied, blocked, or in the wall around the lattice), `SLOW` or `FAST`, in ascending
order of who may enter. The random number of an attempt says which is the least that will do, so that one load and one
subtraction decide a hop, without a branch that the processor could not predict.

Nothing is swept: the sites to excite are found by skipping over those that are not, lifetimes are drawn as the gap to
the next decay among all excitons, and of the fast sites only those that relax are visited. Each of these draws has
exactly the distribution of the step-by-step rule it replaces:

* sites in descending order of probability are skipped with the probability of the last one, then thinned (as for random
  graphs with given degrees: Miller and Hagberg, WAW 2011),
* the gaps between the ordered decay times of n excitons are independent exponentials with rates n, n - 1, ...
  (Renyi 1953); a lifetime rounded up to whole steps is geometric,
* the number of fast sites kept before the next one that relaxes is geometric.

What goes beyond the paper's rules is left to `extended`. This module checks nothing; `simulate` does.
"""

from __future__ import annotations

import math

import numba
from numba import int64, uint32, uint64

from tplm_daq.kmc.draws import exponential, geometric, refill, uniform
from tplm_daq.kmc.extended import advance_extended, relax_in_stages
from tplm_daq.kmc.state import CLOSED, END_WORD, EXCITON_STEPS, FAST, N_EXCITONS, N_FAST, NEXT_WORD, SLOW, STEP

KERNEL_VERSION = 1
"""Raised with every change of what a seed gives, here or in what is compiled into this module; here, because numba
renews its cache only if this file changes."""


@numba.njit(cache=True, nogil=True, error_model="numpy")
def run_pulses(state, rules, alpha, keep, record_every, sums):  # type: ignore[no-untyped-def]
    """Simulate as many pulses as `sums` has rows; a fast site lasts until the next with probability `keep`."""
    n_times = sums.r2.shape[1]
    for pulse in range(sums.r2.shape[0]):
        sums.n_fast[pulse] = state.counters[N_FAST]
        excite(state, rules, alpha)
        for time in range(n_times):
            advance(state, rules, time * record_every)
            _record(state, rules, pulse, time, sums)
        advance(state, rules, int64(2**62))
        relax(state, rules, keep)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def excite(state, rules, alpha):  # type: ignore[no-untyped-def]
    """Let a pulse excite each site with probability `alpha` times its weight, on a lattice without excitons."""
    n, n_fast = 0, state.counters[N_FAST]
    bound = alpha * rules.weights[0]
    place = 0
    while bound > 0.0:
        if bound < 1.0:
            place += geometric(state, bound)
        if place >= len(rules.excitable):
            break
        probability = alpha * rules.weights[place]
        if uniform(state) * bound < probability:
            site = rules.excitable[place]
            if state.sites[site] == SLOW:
                state.fast_sites[n_fast] = site
                n_fast += 1
            state.sites[site] = CLOSED
            state.excitons[n] = site
            state.shifts[n] = 0.0
            n += 1
        bound = probability
        place += 1
    state.counters[N_EXCITONS], state.counters[N_FAST], state.counters[STEP] = n, n_fast, 0
    state.next_decay[0] = exponential(state) / (max(n, 1) * rules.decay_rate)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def advance(state, rules, last_step):  # type: ignore[no-untyped-def]
    """Let the excitons hop and decay up to and including `last_step`, or until none is left."""
    if rules.is_extended:
        advance_extended(state, rules, last_step)
        return
    counters, next_decay = state.counters, state.next_decay
    while counters[N_EXCITONS] > 0 and counters[STEP] < last_step:
        decay_step = min(int64(math.ceil(next_decay[0])), last_step)
        n = counters[N_EXCITONS]
        counters[EXCITON_STEPS] += n * (decay_step - counters[STEP])
        if n == 1:
            _hop_alone(state, rules, decay_step - counters[STEP])
        else:
            _hop(state, rules, uint64(n), decay_step - counters[STEP])
        counters[STEP] = decay_step
        while n > 0 and next_decay[0] <= decay_step:
            gone = int(uniform(state) * n)
            state.sites[state.excitons[gone]] = FAST
            n -= 1
            state.excitons[gone] = state.excitons[n]
            next_decay[0] += exponential(state) / (max(n, 1) * rules.decay_rate)
        counters[N_EXCITONS] = n


@numba.njit(cache=True, nogil=True, error_model="numpy")
def relax(state, rules, keep):  # type: ignore[no-untyped-def]
    """Let each fast site of a lattice without excitons turn slow unless it is kept, with probability `keep`."""
    if keep >= 1.0:
        return
    if rules.is_extended:
        relax_in_stages(state, rules, keep)
        return
    n_fast = state.counters[N_FAST]
    place = n_fast - 1 - geometric(state, 1.0 - keep)
    while place >= 0:
        state.sites[state.fast_sites[place]] = SLOW
        n_fast -= 1
        state.fast_sites[place] = state.fast_sites[n_fast]
        place -= 1 + geometric(state, 1.0 - keep)
    state.counters[N_FAST] = n_fast


@numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _hop(state, rules, n, n_steps):  # type: ignore[no-untyped-def]
    """Let each of the first `n` excitons try to hop once in each of `n_steps` steps, one after the other."""
    sites, fast_sites, excitons, words = state.sites, state.fast_sites, state.excitons, state.words
    offsets, slow, fast = rules.offsets, rules.slow, rules.fast
    n_neighbours = uint64(len(offsets))
    word, n_fast = uint64(state.counters[NEXT_WORD]), uint64(state.counters[N_FAST])
    for _ in range(n_steps):
        if word + n > uint64(state.counters[END_WORD]):
            refill(state.lanes, words, state.counters, n)
            word = uint64(0)
        for exciton in range(n):
            # Upper half: which neighbour; lower half: uniform in it.
            draw = uint64(words[word + exciton]) * n_neighbours
            u = draw & uint64(0xFFFFFFFF)
            here = excitons[exciton]
            offset = offsets[draw >> uint64(32)]
            site = int64(sites[here + offset])
            # The offset if the site will do, else 0. With a comparison in place of the sign of a difference this would
            # become a branch, mispredicted half of the time.
            needed = FAST + 1 - int64(u < slow) - int64(u < fast)
            there = here + (offset & uint64((needed - 1 - site) >> 32))
            sites[here] = FAST
            sites[there] = CLOSED
            excitons[exciton] = there
            if u < slow:
                fast_sites[n_fast] = uint32(there)
                n_fast += uint64(site == SLOW)
        word += n
    state.counters[NEXT_WORD], state.counters[N_FAST] = int64(word), int64(n_fast)


@numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _hop_alone(state, rules, n_steps):  # type: ignore[no-untyped-def]
    """Do what `_hop` does for one exciton, which excludes nobody and so waits for no store."""
    sites, words, offsets = state.sites, state.words, rules.offsets
    slow, fast, n_neighbours = rules.slow, rules.fast, uint64(len(offsets))
    here, n_fast = state.excitons[0], state.counters[N_FAST]
    sites[here] = FAST
    while n_steps > 0:
        if state.counters[NEXT_WORD] == state.counters[END_WORD]:
            refill(state.lanes, words, state.counters, uint64(1))
        first = state.counters[NEXT_WORD]
        last = min(first + n_steps, state.counters[END_WORD])
        for word in range(uint64(first), uint64(last)):
            draw = uint64(words[word]) * n_neighbours
            u = draw & uint64(0xFFFFFFFF)
            offset = offsets[draw >> uint64(32)]
            site = int64(sites[here + offset])
            needed = FAST + 1 - int64(u < slow) - int64(u < fast)
            here += offset & uint64((needed - 1 - site) >> 32)  # as in _hop
            if u < slow and site == SLOW:
                sites[here] = FAST
                state.fast_sites[n_fast] = uint32(here)
                n_fast += 1
        n_steps -= last - first
        state.counters[NEXT_WORD] = last
    sites[here] = CLOSED
    state.excitons[0], state.counters[N_FAST] = here, n_fast


@numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _record(state, rules, pulse, time, sums):  # type: ignore[no-untyped-def]
    """Add the positions of all excitons to the sums."""
    r2, n, width = 0.0, state.counters[N_EXCITONS], sums.density.shape[1]
    for exciton in range(n):
        site = state.excitons[exciton]
        x, y = float(rules.x[site] + state.shifts[exciton, 0]), float(rules.y[site] + state.shifts[exciton, 1])
        r2 += x * x + y * y
        row, column = math.floor(y + 0.5 * width), math.floor(x + 0.5 * width)
        if 0 <= row < width and 0 <= column < width:
            sums.density[time, row, column] += uint32(1)
    sums.n_excitons[pulse, time] = n
    sums.r2[pulse, time] = r2

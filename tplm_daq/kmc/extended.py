"""The loops for rules beyond the paper: fast states that relax in stages, annihilation, periodic edges.

They are written plainly, with branches, and take about 20 times as long as those of `kernel`, which they leave as fast
as it is. Each site is one byte, and `Rules.thresholds` says for each value how probable it is that an attempt to
hop there succeeds: 0 is an exciton (the attempt destroys the one that hops), 1 slow, 2 fast, 3 and more the stages that
a fast site passes through on its way back to slow, and the last value a place that is closed for good.

Nothing here is cached by itself: it is compiled into `kernel`.
"""

from __future__ import annotations

import math

import numba
from numba import int64, uint32, uint64

from tplm_daq.kmc.draws import exponential, refill, uniform
from tplm_daq.kmc.state import CLOSED, END_WORD, EXCITON_STEPS, FAST, N_EXCITONS, N_FAST, NEXT_WORD, SLOW, STEP


@numba.njit(nogil=True, error_model="numpy")
def advance_extended(state, rules, last_step):  # type: ignore[no-untyped-def]
    """Let the excitons hop, annihilate and decay up to and including `last_step`, or until none is left."""
    counters, next_decay = state.counters, state.next_decay
    while counters[N_EXCITONS] > 0 and counters[STEP] < last_step:
        n_before = counters[N_EXCITONS]
        _hop(state, rules, min(int64(math.ceil(next_decay[0])), last_step))
        if counters[N_EXCITONS] < n_before:
            # Fewer are left that may decay; what remains of their exponential lifetimes is exponential again.
            next_decay[0] = counters[STEP] - 1 + exponential(state) / (max(counters[N_EXCITONS], 1) * rules.decay_rate)
        while counters[N_EXCITONS] > 0 and next_decay[0] <= counters[STEP]:
            gone, last = int(uniform(state) * counters[N_EXCITONS]), counters[N_EXCITONS] - 1
            state.sites[state.excitons[gone]] = FAST
            state.excitons[gone] = state.excitons[last]
            state.shifts[gone, 0], state.shifts[gone, 1] = state.shifts[last, 0], state.shifts[last, 1]
            counters[N_EXCITONS] = last
            next_decay[0] += exponential(state) / (max(counters[N_EXCITONS], 1) * rules.decay_rate)


@numba.njit(nogil=True, error_model="numpy")
def relax_in_stages(state, rules, keep):  # type: ignore[no-untyped-def]
    """Let each fast site relax for as long as it takes one of the first stage to do so with probability 1 - `keep`."""
    elapsed = -math.log(keep) if keep > 0.0 else math.inf
    n_stages, n_fast = len(rules.stays), state.counters[N_FAST]
    for place in range(n_fast - 1, -1, -1):
        site = state.fast_sites[place]
        stage, left = int(state.sites[site]) - FAST, elapsed
        while stage < n_stages:
            left -= exponential(state) * rules.stays[stage]
            if left < 0.0:
                break
            stage += 1
        if stage < n_stages:
            state.sites[site] = FAST + stage
        else:
            state.sites[site] = SLOW
            n_fast -= 1
            state.fast_sites[place] = state.fast_sites[n_fast]
    state.counters[N_FAST] = n_fast


@numba.njit(nogil=True, error_model="numpy", forceinline=True)
def _hop(state, rules, last_step):  # type: ignore[no-untyped-def]
    """Let each exciton try to hop once a step, one after the other, until `last_step` or until one annihilates."""
    counters, sites, fast_sites, excitons = state.counters, state.sites, state.fast_sites, state.excitons
    words, shifts, offsets, images = state.words, state.shifts, rules.offsets, rules.images
    x, y, thresholds, n_neighbours = rules.x, rules.y, rules.thresholds, uint64(len(rules.offsets))
    n_before = n = counters[N_EXCITONS]
    n_fast, word, step = counters[N_FAST], counters[NEXT_WORD], counters[STEP]
    while step < last_step and n == n_before:
        step += 1
        if word + n > counters[END_WORD]:
            refill(state.lanes, words, counters, uint64(n))
            word = counters[NEXT_WORD]
        exciton = 0
        while exciton < n:
            # Upper half: which neighbour; lower half: uniform in it.
            draw = uint64(words[word]) * n_neighbours
            word += 1
            here = excitons[exciton]
            aim = here + offsets[draw >> uint64(32)]
            there = uint64(images[aim])
            found = sites[there]
            if draw & uint64(0xFFFFFFFF) >= thresholds[found]:
                exciton += 1
                continue
            sites[here] = FAST
            if found == CLOSED:
                n -= 1  # the last one takes its place in the list, and has not tried yet
                excitons[exciton] = excitons[n]
                shifts[exciton, 0], shifts[exciton, 1] = shifts[n, 0], shifts[n, 1]
                continue
            if found == SLOW:
                fast_sites[n_fast] = uint32(there)
                n_fast += 1
            sites[there] = CLOSED
            excitons[exciton] = there
            if aim != there:
                shifts[exciton, 0] += x[aim] - x[there]
                shifts[exciton, 1] += y[aim] - y[there]
            exciton += 1
    counters[EXCITON_STEPS] += n_before * (step - counters[STEP])
    counters[N_EXCITONS], counters[N_FAST], counters[NEXT_WORD], counters[STEP] = n, n_fast, word, step

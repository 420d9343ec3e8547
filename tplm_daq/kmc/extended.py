"""The loops for rules beyond the paper: fast states that relax in stages, annihilation, periodic edges.

They are written plainly, step by step, and take about three times as long as those of `kernel`, which they leave as
fast as it is. Each site is one byte, and `Rules.thresholds` says for each value how probable it is that an attempt to
hop there succeeds: 0 is an exciton (the attempt destroys the one that hops), 1 slow, 2 fast, 3 and more the stages that
a fast site passes through on its way back to slow, and the last value a place that is closed for good.

Nothing here is cached by itself: it is compiled into `kernel`.
"""

from __future__ import annotations

import math

import numba
from numba import uint32, uint64

from tplm_daq.kmc.draws import exponential, refill, uniform
from tplm_daq.kmc.state import CLOSED, END_WORD, EXCITON_STEPS, FAST, N_EXCITONS, N_FAST, NEXT_WORD, SLOW, STEP


@numba.njit(nogil=True, error_model="numpy")
def advance_extended(state, rules, last_step):  # type: ignore[no-untyped-def]
    """Let the excitons hop, annihilate and decay up to and including `last_step`, or until none is left."""
    counters, next_decay = state.counters, state.next_decay
    while counters[N_EXCITONS] > 0 and counters[STEP] < last_step:
        n_before = counters[N_EXCITONS]
        counters[EXCITON_STEPS] += n_before
        counters[STEP] += 1
        _hop(state, rules)
        if counters[N_EXCITONS] < n_before:
            # Fewer are left that may decay; what remains of their exponential lifetimes is exponential again.
            next_decay[0] = counters[STEP] - 1 + exponential(state) / (max(counters[N_EXCITONS], 1) * rules.decay_rate)
        while counters[N_EXCITONS] > 0 and next_decay[0] <= counters[STEP]:
            _remove(state, int(uniform(state) * counters[N_EXCITONS]))
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


@numba.njit(nogil=True, error_model="numpy")
def _hop(state, rules):  # type: ignore[no-untyped-def]
    """Let each exciton try to hop once, one after the other."""
    counters, sites, n_neighbours = state.counters, state.sites, uint64(len(rules.offsets))
    if counters[NEXT_WORD] + counters[N_EXCITONS] > counters[END_WORD]:
        refill(state.lanes, state.words, counters, uint64(counters[N_EXCITONS]))
    exciton = 0
    while exciton < counters[N_EXCITONS]:
        # Upper half: which neighbour; lower half: uniform in it.
        draw = uint64(state.words[counters[NEXT_WORD]]) * n_neighbours
        counters[NEXT_WORD] += 1
        here = state.excitons[exciton]
        aim = here + rules.offsets[draw >> uint64(32)]
        there = uint64(rules.images[aim])
        found = sites[there]
        if draw & uint64(0xFFFFFFFF) >= rules.thresholds[found]:
            exciton += 1
            continue
        if found == CLOSED:
            _remove(state, exciton)  # the last one takes its place, and has not tried yet
            continue
        if found == SLOW:
            state.fast_sites[counters[N_FAST]] = uint32(there)
            counters[N_FAST] += 1
        sites[here] = FAST
        sites[there] = CLOSED
        state.excitons[exciton] = there
        state.shifts[exciton, 0] += rules.x[aim] - rules.x[there]
        state.shifts[exciton, 1] += rules.y[aim] - rules.y[there]
        exciton += 1


@numba.njit(nogil=True, error_model="numpy")
def _remove(state, exciton):  # type: ignore[no-untyped-def]
    """Take an exciton off the lattice and give its place in the list to the last one."""
    state.sites[state.excitons[exciton]] = FAST
    state.counters[N_EXCITONS] -= 1
    last = state.counters[N_EXCITONS]
    state.excitons[exciton] = state.excitons[last]
    state.shifts[exciton] = state.shifts[last]

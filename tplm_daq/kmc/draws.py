"""Random numbers for the compiled loops, drawn from the words in `State`.

They come from 64 interleaved xoshiro128++ generators (Blackman and Vigna 2019), refilled many at a time so that the
compiler can use vector instructions. Nothing here is cached by itself: it is compiled into `kernel`.
"""

from __future__ import annotations

import math

import numba
from numba import int64, uint32, uint64

from tplm_daq.kmc.state import END_WORD, N_LANES, NEXT_WORD, WORDS_AT_ONCE


@numba.njit(nogil=True, error_model="numpy", forceinline=True)
def geometric(state, probability):  # type: ignore[no-untyped-def]
    """Return how many trials fail before the first success."""
    return int64(min(-exponential(state) / math.log1p(-probability), 1e15))


@numba.njit(nogil=True, error_model="numpy", forceinline=True)
def exponential(state):  # type: ignore[no-untyped-def]
    """Return an exponential number with mean 1."""
    return -math.log(1.0 - uniform(state))


@numba.njit(nogil=True, error_model="numpy", forceinline=True)
def uniform(state):  # type: ignore[no-untyped-def]
    """Return a multiple of 2^-53 in [0, 1)."""
    if state.counters[NEXT_WORD] + 2 > state.counters[END_WORD]:
        refill(state.lanes, state.words, state.counters, uint64(2))
    word = state.counters[NEXT_WORD]
    state.counters[NEXT_WORD] = word + 2
    return (float(state.words[word] >> uint32(5)) * 2.0**26 + float(state.words[word + 1] >> uint32(6))) * 2.0**-53


@numba.njit(nogil=True, error_model="numpy")
def refill(lanes, words, counters, n_least):  # type: ignore[no-untyped-def]
    """Replace the words by at least `n_least` new ones."""
    n_rounds = (max(int64(n_least), WORDS_AT_ONCE) + N_LANES - 1) // N_LANES
    for turn in range(n_rounds):
        for lane in range(N_LANES):
            s0, s1, s2, s3 = lanes[lane], lanes[N_LANES + lane], lanes[2 * N_LANES + lane], lanes[3 * N_LANES + lane]
            total = uint32(s0 + s3)
            words[turn * N_LANES + lane] = uint32(uint32(uint32(total << 7) | uint32(total >> 25)) + s0)
            shifted = uint32(s1 << 9)
            s2, s3 = uint32(s2 ^ s0), uint32(s3 ^ s1)
            lanes[N_LANES + lane], lanes[lane] = uint32(s1 ^ s2), uint32(s0 ^ s3)
            lanes[2 * N_LANES + lane] = uint32(s2 ^ shifted)
            lanes[3 * N_LANES + lane] = uint32(uint32(s3 << 11) | uint32(s3 >> 21))
    counters[NEXT_WORD], counters[END_WORD] = 0, n_rounds * N_LANES

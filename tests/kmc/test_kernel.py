"""The compiled loops: random walks with known spreading, lifetimes, exclusion, relaxation, excitation."""

from __future__ import annotations

import numpy as np
import pytest

from tplm_daq.kmc import kernel
from tplm_daq.kmc.draws import refill
from tplm_daq.kmc.lattice import new_lattice
from tplm_daq.kmc.state import CLOSED, FAST, N_EXCITONS, N_FAST, N_LANES, Rules, State, Sums
from tplm_daq.recipes.kmc import Lattice

ONE_SITE = {"spot_fwhm_nm": "1 nm"}
"""A spot so small that only the central site is excited."""


def made(seed: int = 1, **changes: object) -> tuple[Rules, State]:
    return new_lattice(Lattice(**changes), np.random.SeedSequence(seed))


def recorded(rules: Rules, state: State, n_pulses: int, n_times: int, every: int, alpha: float = 1.0) -> Sums:
    sums = Sums(
        np.zeros((n_pulses, n_times), np.int32),
        np.zeros((n_pulses, n_times)),
        np.zeros(n_pulses, np.int32),
        np.zeros((n_times, 0, 0), np.uint32),
    )
    kernel.run_pulses(state, rules, alpha, 0.5, every, sums)
    return sums


@pytest.mark.parametrize("neighbours", [4, 6])
@pytest.mark.parametrize("p", [0.006, 0.7, 1.0])
def test_on_a_uniform_lattice_an_exciton_walks_at_random(p: float, neighbours: int) -> None:
    rules, state = made(size=601, neighbours=neighbours, p_fast=p, p_slow=p, **ONE_SITE)
    sums = recorded(rules, state, n_pulses=4000, n_times=21, every=50)
    steps = 50 * np.arange(1, 21)
    alive = sums.n_excitons[:, 1:].sum(axis=0)
    mean_r2 = sums.r2[:, 1:].sum(axis=0) / alive
    # The square of a long random walk in two dimensions is exponential: its standard deviation is its mean.
    deviations = (mean_r2 / (p * steps) - 1) * np.sqrt(alive)
    assert np.all(np.abs(deviations) < 4.5)
    assert not sums.r2[:, 0].any()


def test_lifetimes_are_geometric() -> None:
    n_pulses = 20_000
    rules, state = made(size=51, p_decay=0.01, **ONE_SITE)
    sums = recorded(rules, state, n_pulses, n_times=60, every=5)
    expected = 0.99 ** (5 * np.arange(60))
    error = np.sqrt(expected * (1 - expected) / n_pulses)
    assert np.all(np.abs(sums.n_excitons.mean(axis=0) - expected) <= 4.5 * error)


def test_many_excitons_decay_as_one_does() -> None:
    rules, state = made(size=201, p_decay=0.01)
    sums = recorded(rules, state, n_pulses=50, n_times=40, every=10)
    start = sums.n_excitons[:, 0].sum()
    expected = 0.99 ** (10 * np.arange(1, 40))
    error = np.sqrt(expected * (1 - expected) / start)
    assert np.all(np.abs(sums.n_excitons[:, 1:].sum(axis=0) / start - expected) < 4.5 * error)


@pytest.mark.parametrize("alpha", [0.05, 1.0])
def test_each_site_is_excited_with_its_own_probability(alpha: float) -> None:
    rules, state = made(size=61, spot_fwhm_nm="100 nm")
    n_pulses = 4000
    excited = np.zeros(len(state.sites))
    for _ in range(n_pulses):
        kernel.excite(state, rules, alpha)
        sites = state.excitons[: state.counters[N_EXCITONS]]
        excited[sites] += 1
        state.sites[sites] = FAST
    expected = n_pulses * alpha * rules.weights
    likely = (expected > 20) & (expected < n_pulses)
    spread = np.sqrt(expected * (1 - alpha * rules.weights))[likely]
    deviations = (excited[rules.excitable] - expected)[likely] / spread
    assert np.abs(deviations).max() < 5.0
    assert np.mean(deviations**2) == pytest.approx(1.0, abs=4.5 * np.sqrt(2.0 / likely.sum()))
    assert abs(excited.sum() - expected.sum()) < 4.5 * np.sqrt(expected.sum())


def inside(state: State, size: int) -> np.ndarray:
    return state.sites.reshape(size + 2, size + 2)[1:-1, 1:-1]


@pytest.mark.parametrize("neighbours", [4, 6])
def test_no_site_ever_holds_two_excitons_and_nobody_leaves(neighbours: int) -> None:
    size = 29
    rules, state = made(size=size, neighbours=neighbours, spot_fwhm_nm="40 nm", p_decay=0.02)
    for _ in range(3):
        kernel.excite(state, rules, 1.0)
        step = 0
        while state.counters[N_EXCITONS]:
            excitons = state.excitons[: state.counters[N_EXCITONS]]
            fast = state.fast_sites[: state.counters[N_FAST]]
            assert len(np.unique(excitons)) == len(excitons)
            assert len(np.unique(fast)) == len(fast)
            assert np.isin(excitons, fast).all()
            free = inside(state, size)
            assert np.count_nonzero(free == CLOSED) == len(excitons)
            assert np.count_nonzero(free == FAST) == len(fast) - len(excitons)
            assert np.count_nonzero(state.sites) == np.count_nonzero(free)
            step += 1
            kernel.advance(state, rules, step)
        kernel.relax(state, rules, 0.9)
        assert np.count_nonzero(inside(state, size) == FAST) == state.counters[N_FAST]


def test_at_the_edge_attempts_to_leave_are_refused() -> None:
    # On a full walk over a 3 x 3 lattice with a wall, all nine sites are equally likely in the end.
    rules, state = made(size=3, p_fast=0.8, p_slow=0.8, p_decay=1e-3, **ONE_SITE)
    visits = np.zeros(25)
    for _ in range(6000):
        kernel.excite(state, rules, 1.0)
        kernel.advance(state, rules, 60)
        if state.counters[N_EXCITONS]:
            visits[state.excitons[0]] += 1
        kernel.advance(state, rules, 10**9)
    counts = visits.reshape(5, 5)[1:-1, 1:-1]
    assert counts.sum() == visits.sum()
    expected = counts.sum() / 9
    assert ((counts - expected) ** 2 / expected).sum() < 31.8  # chi-square, 8 degrees of freedom, 1e-4


def test_blocked_sites_are_never_entered() -> None:
    size = 101
    rules, state = made(size=size, blocked=0.3, spot_fwhm_nm="100 nm", p_decay=0.01)
    is_blocked = inside(state, size) == 0
    assert is_blocked.mean() == pytest.approx(0.3, abs=4.5 * np.sqrt(0.21 / size**2))
    for _ in range(20):
        kernel.excite(state, rules, 0.5)
        kernel.advance(state, rules, 10**9)
    assert np.array_equal(inside(state, size) == 0, is_blocked)
    assert np.count_nonzero(inside(state, size) == FAST) > 100


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.95, 1.0])
def test_fast_sites_relax_independently(keep: float) -> None:
    rules, state = made(size=201)
    n_before = n_after = 0
    for _ in range(40):
        kernel.excite(state, rules, 1.0)
        kernel.advance(state, rules, 1)
        state.sites[state.excitons[: state.counters[N_EXCITONS]]] = FAST
        n_before += state.counters[N_FAST]
        kernel.relax(state, rules, keep)
        n_after += state.counters[N_FAST]
        assert np.count_nonzero(state.sites == FAST) == state.counters[N_FAST]
    assert abs(n_after - keep * n_before) <= 4.5 * np.sqrt(n_before * keep * (1 - keep))


def test_random_words_are_those_of_xoshiro128plusplus() -> None:
    _, state = made(size=3, **ONE_SITE)
    lanes = [[int(word) for word in state.lanes[lane::N_LANES]] for lane in (0, 63)]
    expected = [[next_word(lane) for _ in range(5)] for lane in lanes]
    refill(state.lanes, state.words, state.counters, np.uint64(2))
    found = state.words.reshape(-1, N_LANES)[:5, [0, 63]].T
    assert found.tolist() == expected


def next_word(s: list[int]) -> int:
    """One step of xoshiro128++ 1.0 as its authors publish it."""
    full = 0xFFFFFFFF

    def rotl(x: int, k: int) -> int:
        return ((x << k) | (x >> (32 - k))) & full

    result = (rotl((s[0] + s[3]) & full, 7) + s[0]) & full
    t = (s[1] << 9) & full
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= t
    s[3] = rotl(s[3], 11)
    return result

"""Rules beyond the paper: stages on the way back to slow, annihilation, periodic edges."""

from __future__ import annotations

import numpy as np
import pytest

from tests.kmc.recipes import small
from tests.kmc.test_kernel import ONE_SITE, made, recorded
from tplm_daq.kmc import kernel
from tplm_daq.kmc.observe import observe
from tplm_daq.kmc.simulate import simulate
from tplm_daq.kmc.state import CLOSED, FAST, N_EXCITONS, N_FAST, SLOW, STEP
from tplm_daq.recipes.kmc import Lattice, Stage

STAY_NS = (8100.0, 2000.0, 30_000.0)
TWO_MORE = tuple(Stage(p_hop=p, relaxation_time_ns=f"{ns} ns") for p, ns in zip((0.3, 0.05), STAY_NS[1:], strict=True))
ALL_OF_THEM = {"stages": TWO_MORE, "p_annihilation": 0.5, "edges": "periodic"}


def in_stages(tau_ns: float, n_steps: int = 20_000) -> np.ndarray:
    """Return the probability of each stage, and of slow, a time after the first was entered (small steps)."""
    p = np.array([1.0, 0.0, 0.0, 0.0])
    leave = np.array([*(1.0 / np.array(STAY_NS)), 0.0]) * tau_ns / n_steps
    for _ in range(n_steps):
        moving = p * leave
        p = p - moving + np.roll(moving, 1)
    return p


@pytest.mark.parametrize("tau_ns", [500.0, 8100.0, 60_000.0])
def test_fast_sites_relax_stage_by_stage(tau_ns: float) -> None:
    rules, state = made(size=201, stages=TWO_MORE)
    counts, n_slow = np.zeros(3), 0
    for _ in range(40):
        kernel.excite(state, rules, 1.0)
        sites = state.excitons[: state.counters[N_EXCITONS]].copy()
        state.sites[sites] = FAST
        state.fast_sites[: len(sites)], state.counters[N_FAST] = sites, len(sites)
        kernel.relax(state, rules, np.exp(-tau_ns / STAY_NS[0]))
        found = state.sites[sites]
        counts += [np.count_nonzero(found == FAST + stage) for stage in range(3)]
        n_slow += np.count_nonzero(found == SLOW)
        left = state.fast_sites[: state.counters[N_FAST]]
        assert sorted(left) == sorted(sites[found != SLOW])
    n = counts.sum() + n_slow
    expected = in_stages(tau_ns)
    deviations = (np.array([*counts, n_slow]) / n - expected) / np.sqrt(expected * (1 - expected) / n)
    assert np.all(np.abs(deviations) < 4.5)


@pytest.mark.parametrize(("keep", "value"), [(1.0, FAST), (0.0, SLOW)])
def test_at_once_nothing_relaxes_and_after_an_age_everything(keep: float, value: int) -> None:
    rules, state = made(size=201, stages=TWO_MORE)
    kernel.excite(state, rules, 1.0)
    kernel.advance(state, rules, 10**9)
    was_fast = state.sites == FAST
    kernel.relax(state, rules, keep)
    assert np.all(state.sites[was_fast] == value)


@pytest.mark.parametrize(("value", "p"), [(SLOW, 0.006), (FAST, 0.7), (FAST + 1, 0.3), (FAST + 2, 0.05)])
def test_each_stage_is_entered_with_its_own_probability_and_is_fast_afterwards(value: int, p: float) -> None:
    rules, state = made(size=5, stages=TWO_MORE, p_decay=1e-7, **ONE_SITE)
    n, n_moved = 20_000, 0
    inner = np.flatnonzero(state.sites == SLOW)
    for _ in range(n):
        state.sites[inner] = value
        state.counters[N_FAST] = 0
        kernel.excite(state, rules, 1.0)
        start = int(state.excitons[0])
        kernel.advance(state, rules, 1)
        if state.excitons[0] != start:
            n_moved += 1
            assert (state.sites[start], state.sites[state.excitons[0]]) == (FAST, CLOSED)
        assert state.counters[N_FAST] == (0 if value != SLOW else 1 + int(state.excitons[0] != start))
    assert abs(n_moved / n - p) < 4.5 * np.sqrt(p * (1 - p) / n)


def test_of_two_that_meet_one_is_left() -> None:
    # Neither can hop to a free site; per step either aims at the other with probability 1/4, and half of these count.
    rules, state = made(size=5, p_annihilation=0.5, p_fast=1e-12, p_slow=0.0, p_decay=1e-7, **ONE_SITE)
    centre = int(rules.excitable[0])
    sites = np.array([centre, centre + 1], dtype=np.uint64)
    n_tries, n_steps, n_both = 8000, 3, 0
    pair = state._replace(excitons=sites.copy(), shifts=np.zeros((2, 2), np.float32))
    for _ in range(n_tries):
        pair.sites[centre : centre + 2] = CLOSED
        pair.excitons[:] = sites
        pair.counters[[N_EXCITONS, STEP]] = 2, 0
        pair.next_decay[0] = 1e9
        kernel.advance(pair, rules, n_steps)
        assert pair.counters[N_EXCITONS] in (1, 2)
        n_both += pair.counters[N_EXCITONS] == 2
    expected = (1 - 1 / 8) ** (2 * n_steps)
    assert abs(n_both / n_tries - expected) < 4.5 * np.sqrt(expected * (1 - expected) / n_tries)


@pytest.mark.parametrize("neighbours", [4, 6])
def test_without_edges_even_on_nine_sites_an_exciton_walks_as_on_an_endless_lattice(neighbours: int) -> None:
    rules, state = made(
        size=3, edges="periodic", neighbours=neighbours, p_fast=0.7, p_slow=0.7, p_decay=1e-3, **ONE_SITE
    )
    sums = recorded(rules, state, n_pulses=4000, n_times=21, every=50)
    alive = sums.n_excitons[:, 1:].sum(axis=0)
    mean_r2 = sums.r2[:, 1:].sum(axis=0) / alive
    assert np.all(np.abs(mean_r2 / (0.7 * 50 * np.arange(1, 21)) - 1) * np.sqrt(alive) < 4.5)


@pytest.mark.parametrize("neighbours", [4, 6])
def test_sites_and_lists_agree_at_every_step(neighbours: int) -> None:
    rules, state = made(size=29, neighbours=neighbours, spot_fwhm_nm="40 nm", p_decay=0.02, blocked=0.1, **ALL_OF_THEM)
    closed_for_good = state.sites > FAST + 2
    for _ in range(3):
        kernel.excite(state, rules, 1.0)
        step = 0
        while state.counters[N_EXCITONS]:
            excitons = state.excitons[: state.counters[N_EXCITONS]]
            fast = state.fast_sites[: state.counters[N_FAST]]
            assert sorted(excitons) == list(np.flatnonzero(state.sites == CLOSED))
            assert sorted(fast) == list(np.flatnonzero((state.sites != SLOW) & ~closed_for_good))
            assert np.array_equal(state.sites > FAST + 2, closed_for_good)
            step += 1
            kernel.advance(state, rules, step)
        kernel.relax(state, rules, 0.9)


def test_the_extended_loops_find_what_the_papers_do() -> None:
    settings = {"size": 201, "p_decay": 0.005}
    plain = observe(simulate(small(n_pulses=400), 0.16, 400.0), small(n_pulses=400))
    # A second stage like the first, in which nobody stays: the paper's rules by another way.
    at_once = Stage(p_hop=0.7, relaxation_time_ns="1e-6 ns")
    recipe = small(n_pulses=400, lattice=Lattice(stages=(at_once,), **settings))
    found = observe(simulate(recipe, 0.16, 400.0), recipe)
    error = np.hypot(plain.standard_error_cm2_s, found.standard_error_cm2_s)
    assert abs(plain.d_sim_cm2_s - found.d_sim_cm2_s) < 4 * error
    assert found.n_fast[100:].mean() == pytest.approx(plain.n_fast[100:].mean(), rel=0.05)


def test_annihilation_takes_excitons_where_they_are_dense() -> None:
    settings = {"size": 201, "p_decay": 0.005}
    plain = simulate(small(), 0.5, 400.0)
    found = simulate(small(lattice=Lattice(p_annihilation=1.0, **settings)), 0.5, 400.0)
    assert found.n_excitons[:, 10].sum() < 0.5 * plain.n_excitons[:, 10].sum()
    assert np.all(np.diff(found.n_excitons, axis=1) <= 0)


def test_the_papers_rules_do_without_the_extended_loops() -> None:
    assert not Lattice().is_extended
    assert all(Lattice(**{key: value}).is_extended for key, value in ALL_OF_THEM.items())

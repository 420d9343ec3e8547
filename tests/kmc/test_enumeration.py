"""One exciton on nine sites that remember it: the kernel against the exact probabilities of all states."""

from __future__ import annotations

import numpy as np

from tplm_daq.kmc import kernel
from tplm_daq.kmc.lattice import new_lattice
from tplm_daq.kmc.state import N_FAST as N_FAST_SITES
from tplm_daq.kmc.state import Sums
from tplm_daq.recipes.kmc import Lattice

P_FAST, P_SLOW, P_DECAY, KEEP, ALPHA = 0.6, 0.1, 0.05, 0.7, 0.8
N_SITES, CENTRE = 9, 4
STATES = np.arange(2**N_SITES)
STEPS = (1, 4, 15)
N_PULSES = 3

R2 = np.array([(site // 3 - 1) ** 2 + (site % 3 - 1) ** 2 for site in range(N_SITES)])
N_FAST = np.array([bin(state).count("1") for state in STATES])


def neighbours(site: int) -> list[int]:
    row, column = divmod(site, 3)
    around = [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
    return [3 * i + j for i, j in around if 0 <= i < 3 and 0 <= j < 3]


def hopped(p: np.ndarray) -> np.ndarray:
    """Move one step on; p is the probability of (site of the exciton, which sites are fast)."""
    after = p.copy()
    for site in range(N_SITES):
        for there in neighbours(site):
            moving = p[site] * np.where(STATES >> there & 1, P_FAST, P_SLOW) / 4
            after[site] -= moving
            np.add.at(after[there], STATES | 1 << there, moving)
    return after


def relaxed(p: np.ndarray) -> np.ndarray:
    """Let each fast site turn slow; p is the probability of which sites are fast."""
    for site in range(N_SITES):
        turning = np.where(STATES >> site & 1, (1 - KEEP) * p, 0.0)
        p = p - turning
        np.add.at(p, STATES & ~(1 << site), turning)
    return p


def exact() -> tuple[np.ndarray, np.ndarray]:
    """Return the mean sum of r^2 (pulse, step) and of fast sites before each pulse, over all histories."""
    lattice = np.zeros(len(STATES))
    lattice[0] = 1.0
    mean_r2, mean_fast = np.zeros((N_PULSES, len(STEPS))), np.zeros(N_PULSES)
    for pulse in range(N_PULSES):
        mean_fast[pulse] = lattice @ N_FAST
        excited = np.zeros((N_SITES, len(STATES)))
        np.add.at(excited[CENTRE], STATES | 1 << CENTRE, ALPHA * lattice)
        left_behind = (1 - ALPHA) * lattice
        for step in range(1, 300):
            excited = hopped(excited)
            left_behind = left_behind + P_DECAY * excited.sum(axis=0)
            excited = (1 - P_DECAY) * excited
            if step in STEPS:
                mean_r2[pulse, STEPS.index(step)] = R2 @ excited.sum(axis=1)
        lattice = relaxed(left_behind)
    return mean_r2, mean_fast


def test_a_lattice_that_remembers_agrees_with_enumeration() -> None:
    model = Lattice(size=3, spot_fwhm_nm="1 nm", p_fast=P_FAST, p_slow=P_SLOW, p_decay=P_DECAY)
    n_chains, n_times = 6_000, max(STEPS) + 1
    rules, state = new_lattice(model, np.random.SeedSequence(5))
    r2, fast = np.zeros((n_chains, N_PULSES, n_times)), np.zeros((n_chains, N_PULSES))
    nothing = np.zeros((n_times, 0, 0), np.uint32)
    slow = state.sites.copy()
    for chain in range(n_chains):
        state.sites[:], state.counters[N_FAST_SITES] = slow, 0
        sums = Sums(np.zeros((N_PULSES, n_times), np.int32), r2[chain], np.zeros(N_PULSES, np.int32), nothing)
        kernel.run_pulses(state, rules, ALPHA, KEEP, 1, sums)
        fast[chain] = sums.n_fast
    exact_r2, exact_fast = exact()
    sampled = r2[:, :, STEPS]
    assert np.all(np.abs(sampled.mean(axis=0) - exact_r2) < 4.5 * sampled.std(axis=0) / np.sqrt(n_chains))
    assert np.all(np.abs(fast.mean(axis=0) - exact_fast) <= 4.5 * fast.std(axis=0) / np.sqrt(n_chains))

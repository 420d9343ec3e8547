"""Simulates one condition of the lattice: all its pulses at once, or step by step for whoever watches.

Sites keep their state from pulse to pulse, so the pulses of one condition are a chain that is never split. Its random
numbers follow from the seed, alpha and the pulse spacing alone: a condition gives the same numbers by itself, within
any sweep, and on any number of workers.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tplm_daq.kmc import kernel
from tplm_daq.kmc.lattice import BYTES_PER_IMAGE, BYTES_PER_SITE, keep_probability, new_lattice
from tplm_daq.kmc.state import EXCITON_STEPS, N_EXCITONS, N_FAST, Rules, State, Sums
from tplm_daq.recipes.kmc import KmcRecipe, Lattice

BYTES_PER_RECORDING = 12
"""Number of excitons and sum of squares of one pulse at one time."""


@dataclass(frozen=True)
class Simulated:
    """What was recorded of one condition.

    Attributes
    ----------
    alpha : float
        Probability that a pulse excites a site in the centre of the spot.
    tau_pulse_ns : float
        Time between pulses.
    time_ns : ndarray of float64, shape (n_times,)
        Delays of the recordings, from 0.
    n_excitons : ndarray of int32, shape (n_pulses, n_times)
        Excitons left.
    r2_nm2 : ndarray of float64, shape (n_pulses, n_times)
        Sum of their squared distances from the centre of the spot.
    n_fast : ndarray of int32, shape (n_pulses,)
        Fast sites just before each pulse.
    density : ndarray of uint32, shape (n_times, width, width)
        Excitons of all pulses in squares of one lattice spacing, rows along y, the centre in the middle.
    exciton_steps : int
        Attempts to hop, all excitons together.
    seconds : float
        Time spent in the kernel, compilation excluded.
    """

    alpha: float
    tau_pulse_ns: float
    time_ns: NDArray[np.float64]
    n_excitons: NDArray[np.int32]
    r2_nm2: NDArray[np.float64]
    n_fast: NDArray[np.int32]
    density: NDArray[np.uint32]
    exciton_steps: int
    seconds: float


@dataclass(frozen=True)
class Condition:
    """Excitation of a lattice: probability in the centre of the spot, and time between pulses."""

    alpha: float
    tau_pulse_ns: float


@dataclass(frozen=True)
class Snapshot:
    """A lattice at one moment.

    Attributes
    ----------
    pulse : int
        Pulses before the present one.
    time_ns : float
        Time since the present pulse.
    condition : Condition
        Under which the present pulse was made.
    exciton_nm : ndarray of float64, shape (n_excitons, 2)
        x and y of each exciton relative to the centre of the spot.
    fast_nm : ndarray of float64, shape (n_fast, 2)
        x and y of each site that is not slow.
    """

    pulse: int
    time_ns: float
    condition: Condition
    exciton_nm: NDArray[np.float64]
    fast_nm: NDArray[np.float64]


def simulate(recipe: KmcRecipe, alpha: float, tau_pulse_ns: float, density_width: int = 0) -> Simulated:
    """Simulate all pulses of one condition, from a lattice of slow sites.

    Parameters
    ----------
    recipe : KmcRecipe
        Lattice, recording, number of pulses and seed; its own conditions are not looked at.
    alpha : float
        Probability that a pulse excites a site in the centre of the spot.
    tau_pulse_ns : float
        Time between pulses.
    density_width : int
        Sites along each side of the density maps; 0 for none.

    Returns
    -------
    Simulated
        Sums over excitons for every pulse.
    """
    lattice = recipe.lattice
    rules, state = new_lattice(lattice, seed_of(recipe.seed, alpha, tau_pulse_ns))
    sums = _empty_sums(recipe.n_pulses, recipe.n_times, density_width)
    keep = keep_probability(lattice, tau_pulse_ns)
    _compile(lattice)
    began_s = time.perf_counter()
    kernel.run_pulses(state, rules, alpha, keep, recipe.record_every, sums)
    seconds = time.perf_counter() - began_s
    return Simulated(
        alpha=alpha,
        tau_pulse_ns=tau_pulse_ns,
        time_ns=np.arange(recipe.n_times, dtype=np.float64) * (recipe.record_every * lattice.step_ps * 1e-3),
        n_excitons=sums.n_excitons,
        r2_nm2=sums.r2 * lattice.spacing_nm**2,
        n_fast=sums.n_fast,
        density=sums.density,
        exciton_steps=int(state.counters[EXCITON_STEPS]),
        seconds=seconds,
    )


def live(
    lattice: Lattice, condition: Condition, seed: int, n_steps: int = 50
) -> Generator[Snapshot, Condition | None, None]:
    """Yield the lattice at each pulse and every `n_steps` after it, pulse after pulse, until closed.

    A condition that is sent to the generator holds from the next pulse on.

    Parameters
    ----------
    lattice : Lattice
        The model.
    condition : Condition
        For the first pulse.
    seed : int
        Where all chance comes from.
    n_steps : int
        Steps between snapshots.

    Yields
    ------
    Snapshot
        The lattice; the last one of a pulse has no excitons.
    """
    rules, state = new_lattice(lattice, np.random.SeedSequence(seed))
    pulse = 0
    while True:
        present = condition
        kernel.excite(state, rules, present.alpha)
        step = 0
        while True:
            moment_ns = step * lattice.step_ps * 1e-3
            condition = (yield _snapshot(pulse, moment_ns, present, lattice, rules, state)) or condition
            if state.counters[N_EXCITONS] == 0:
                break
            step += n_steps
            kernel.advance(state, rules, step)
        kernel.relax(state, rules, keep_probability(lattice, present.tau_pulse_ns))
        pulse += 1


def memory_bytes(recipe: KmcRecipe, density_width: int = 0) -> int:
    """Return the memory that the simulation of one condition needs, the program itself aside.

    Examples
    --------
    >>> from tplm_daq.recipes.kmc import KmcRecipe
    >>> memory_bytes(KmcRecipe(kind="kmc", title="paper", alpha=(0.08,), tau_pulse_ns=("0.4 us",))) // 10**6
    26
    """
    n_sites = (recipe.lattice.size + 2) ** 2
    per_site = BYTES_PER_SITE + (BYTES_PER_IMAGE if recipe.lattice.is_extended else 0)
    recordings = BYTES_PER_RECORDING * recipe.n_pulses * recipe.n_times
    return per_site * n_sites + 2 * recordings + 4 * recipe.n_times * density_width**2


def seed_of(seed: int, alpha: float, tau_pulse_ns: float) -> np.random.SeedSequence:
    """Return the seed of one condition, different for each to the last bit of its two numbers."""
    words = struct.unpack("<4I", struct.pack("<2d", alpha, tau_pulse_ns))
    return np.random.SeedSequence([seed, *words])


def _compile(lattice: Lattice) -> None:
    """Compile the kernel, or load it from numba's cache, so that no time measured contains it."""
    rules, state = new_lattice(
        lattice.model_copy(update={"size": 3, "spot_fwhm_nm": 0.01, "blocked": 0.0}), np.random.SeedSequence(0)
    )
    kernel.run_pulses(state, rules, 0.0, 1.0, 1, _empty_sums(1, 1, 0))


def _empty_sums(n_pulses: int, n_times: int, density_width: int) -> Sums:
    return Sums(
        n_excitons=np.zeros((n_pulses, n_times), dtype=np.int32),
        r2=np.zeros((n_pulses, n_times)),
        n_fast=np.zeros(n_pulses, dtype=np.int32),
        density=np.zeros((n_times, density_width, density_width), dtype=np.uint32),
    )


def _snapshot(
    pulse: int, time_ns: float, condition: Condition, lattice: Lattice, rules: Rules, state: State
) -> Snapshot:
    excitons = state.excitons[: state.counters[N_EXCITONS]]
    fast_sites = state.fast_sites[: state.counters[N_FAST]]
    exciton_nm, fast_nm = (
        np.stack([rules.x[sites], rules.y[sites]], axis=1).astype(np.float64) * lattice.spacing_nm
        for sites in (excitons, fast_sites)
    )
    return Snapshot(pulse, time_ns, condition, exciton_nm, fast_nm)

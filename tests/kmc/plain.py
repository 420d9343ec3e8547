"""The lattice model written a second time, as plainly as possible: numpy, one exciton after the other."""

from __future__ import annotations

import numpy as np

STEPS = [(1, 0), (-1, 0), (0, 1), (0, -1)]
SIGMA = 10.62
P_FAST, P_SLOW, P_DECAY, TAU_RELAX_US = 0.7, 0.006, 4e-4, 8.1


def plain_pulses(
    alpha: float, tau_pulse_us: float, n_pulses: int, rng: np.random.Generator, size: int = 1000, t_steps: int = 1000
) -> np.ndarray:
    """Return, for each pulse, excitons and sum of r^2 at the pulse, the same after `t_steps`, and exciton-steps."""
    row, column = np.indices((size, size))
    r2 = (row - size // 2) ** 2 + (column - size // 2) ** 2
    probability = alpha * np.exp(-r2 / (2 * SIGMA**2))
    is_fast = np.zeros((size, size), dtype=bool)
    rows = []
    for _ in range(n_pulses):
        is_occupied = rng.random((size, size)) < probability
        is_fast |= is_occupied
        excitons = np.argwhere(is_occupied)
        recorded = {0: (len(excitons), r2[is_occupied].sum()), t_steps: (0, 0)}
        step = n_exciton_steps = 0
        while len(excitons):
            step += 1
            n_exciton_steps += len(excitons)
            directions, draws = rng.integers(4, size=len(excitons)), rng.random(len(excitons))
            for exciton, direction, draw in zip(excitons, directions, draws, strict=True):
                there = tuple(exciton + STEPS[direction])
                if not (0 <= there[0] < size and 0 <= there[1] < size) or is_occupied[there]:
                    continue
                if draw < (P_FAST if is_fast[there] else P_SLOW):
                    is_occupied[tuple(exciton)] = False
                    is_occupied[there] = is_fast[there] = True
                    exciton[:] = there
            is_left = rng.random(len(excitons)) >= P_DECAY
            is_occupied[tuple(excitons[~is_left].T)] = False
            excitons = excitons[is_left]
            if step == t_steps:
                recorded[step] = (len(excitons), r2[is_occupied].sum())
        is_fast &= -TAU_RELAX_US * np.log(1 - rng.random((size, size))) > tau_pulse_us
        rows.append([*recorded[0], *recorded[t_steps], n_exciton_steps])
    return np.array(rows, dtype=float)

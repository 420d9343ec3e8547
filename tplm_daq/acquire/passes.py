"""Passes along the path: which positions, in which order, for how long.

The runner asks a planner for one pass after another and hands it the latest result of the live
analysis, so that fixed scans, precision scans, alignment and resumed runs are the same to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PlannedPoint:
    """One visit of one position: `index` names the position on the path, x and y are in nm."""

    pass_index: int
    index: int
    x_nm: float
    y_nm: float
    dwell_s: float


Pass = tuple[PlannedPoint, ...]
"""The points of one pass in the order in which they are visited."""


class PassPlanner(Protocol):
    """Decides what is measured next."""

    n_points: int

    def next_pass(self, result: object | None) -> Pass | None:
        """Return the next pass, or None when the scan is complete; `result` is the latest live result."""


class UpAndDown:
    """A fixed number of passes of equal dwell, upwards and downwards in turn.

    Linear drift of power or sample then adds nothing to the slope of the mean-square displacement.

    Parameters
    ----------
    positions_nm : ndarray of float64, shape (n_position, 2)
        Path in the sample plane, in nm.
    dwell_s : float
        Dwell of each point in s.
    n_passes : int
        Number of passes.
    """

    def __init__(self, positions_nm: NDArray[np.float64], dwell_s: float, n_passes: int) -> None:
        self._positions_nm = positions_nm
        self._dwell_s = dwell_s
        self._n_passes = n_passes
        self._n_planned = 0
        self.n_points = len(positions_nm) * n_passes

    def next_pass(self, result: object | None) -> Pass | None:
        """Return the next pass, or None after the last; `result` does not matter here."""
        del result
        if self._n_planned == self._n_passes:
            return None
        number = self._n_planned
        self._n_planned += 1
        order = range(len(self._positions_nm)) if number % 2 == 0 else reversed(range(len(self._positions_nm)))
        return tuple(
            PlannedPoint(number, i, float(self._positions_nm[i, 0]), float(self._positions_nm[i, 1]), self._dwell_s)
            for i in order
        )

"""What a fit leaves: counts beside what it expects, bin by bin; structure here is what the model does not describe."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class FittedCounts:
    """Counts in the fit window and their expectation, with everything that the method takes into account.

    Attributes
    ----------
    x_nm, y_nm : ndarray of float64, shape (n_position,)
        Where they were counted, in nm.
    age_ns : ndarray of float64, shape (n_column,)
        Centres of the bins after the pulse, in ns.
    counts : ndarray of float64, shape (n_position, n_column)
        As recorded.
    model : ndarray of float64, shape (n_position, n_column)
        Expected; NaN in bins that the method could not fit.
    """

    x_nm: FloatArray
    y_nm: FloatArray
    age_ns: FloatArray
    counts: FloatArray
    model: FloatArray

    @property
    def deviation(self) -> FloatArray:
        """Counts less model in standard deviations of a Poisson distribution; NaN where nothing was expected."""
        known = self.model > 0
        root = np.sqrt(self.model, out=np.ones_like(self.model), where=known)
        return np.divide(self.counts - self.model, root, out=np.full_like(self.model, np.nan), where=known)

    def joined(self, column_ns: float) -> FittedCounts:
        """Sum neighbouring bins to columns of about this width in ns: single photons shall not look like structure.

        Examples
        --------
        >>> nine = np.ones((1, 9))
        >>> pairs = FittedCounts(np.zeros(1), np.zeros(1), 0.05 * np.arange(9.0), nine, 2 * nine).joined(0.1)
        >>> pairs.counts, np.round(pairs.age_ns, 3)
        (array([[2., 2., 2., 2.]]), array([0.025, 0.125, 0.225, 0.325]))
        """
        n_bins = len(self.age_ns)
        width_ns = float(np.ptp(self.age_ns)) / max(n_bins - 1, 1)
        n_join = min(max(round(column_ns / width_ns), 1), n_bins) if width_ns > 0 else 1
        n_columns = n_bins // n_join
        kept = slice(0, n_columns * n_join)
        counts, model = (each[:, kept].reshape(-1, n_columns, n_join).sum(axis=2) for each in (self.counts, self.model))
        age_ns = self.age_ns[kept].reshape(n_columns, n_join).mean(axis=1)
        return FittedCounts(self.x_nm, self.y_nm, age_ns, counts, model)

    def around(self, age_ns: float, span_ns: float) -> FittedCounts:
        """Sum the bins within a span around an age, at least the one nearest to it, to a single column."""
        near = np.abs(self.age_ns - age_ns) <= 0.5 * span_ns
        near[np.argmin(np.abs(self.age_ns - age_ns))] = True
        counts, model = (each[:, near].sum(axis=1, keepdims=True) for each in (self.counts, self.model))
        return FittedCounts(self.x_nm, self.y_nm, self.age_ns[near].mean(keepdims=True), counts, model)

    def placed(self, x_nm: FloatArray, y_nm: FloatArray) -> FittedCounts:
        """Put each row at the nearest of other positions, float64 (n_place,) in nm; those that get none are NaN."""
        place = np.argmin(np.hypot(self.x_nm[:, None] - x_nm, self.y_nm[:, None] - y_nm), axis=1)
        counts, model = (np.full((len(x_nm), len(self.age_ns)), np.nan) for _ in range(2))
        counts[place], model[place] = self.counts, self.model
        return FittedCounts(x_nm, y_nm, self.age_ns, counts, model)

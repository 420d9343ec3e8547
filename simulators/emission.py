"""What reaches the detector: expected arrivals over one laser period, handed from the optics to the detection.

Source of the renewal equation: textbook; at most one photon is detected within any dead time, so the chance of being
blind is the integral of the detected rate over the dead time before.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FAR_NS = 2**62
"""`valid_until_ns` of an emission that will not change by itself."""

_GUIDE_STEPS = 4096


@dataclass(frozen=True)
class Emission:
    """What reaches the detector under fixed conditions, before any dead time.

    Attributes
    ----------
    period_ns : float
        Time between laser pulses in ns.
    edges_ns : ndarray of float64, shape (n_cell + 1,)
        Cell edges over one period, from 0 to `period_ns`, ascending; delay after the laser's trigger.
    cumulative : ndarray of float64, shape (n_cell + 1,)
        Expected arrivals per period from delay 0 up to each edge; the rate within a cell is constant.
    valid_until_ns : int
        Simulated time up to which this may be used.
    """

    period_ns: float
    edges_ns: NDArray[np.float64]
    cumulative: NDArray[np.float64]
    valid_until_ns: int = FAR_NS
    guide: NDArray[np.int64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not (self.edges_ns[0] == 0 and self.edges_ns[-1] == self.period_ns and self.cumulative[0] == 0):
            raise ValueError(f"emission: cells must run from 0 to the period of {self.period_ns:g} ns, counted from 0")
        levels = np.linspace(0.0, self.cumulative[-1], _GUIDE_STEPS, endpoint=False)
        guide = np.searchsorted(self.cumulative, levels, side="right") - 1
        object.__setattr__(self, "guide", np.minimum(guide, len(self.edges_ns) - 2))

    @property
    def arrivals_per_period(self) -> float:
        """Expected arrivals in one period."""
        return float(self.cumulative[-1])

    @property
    def arrivals_cps(self) -> float:
        """Expected arrivals per second, before any dead time."""
        return self.arrivals_per_period / self.period_ns * 1e9

    def arrivals_before(self, delay_ns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the expected arrivals per period up to each delay in ns (same shape)."""
        return np.interp(delay_ns, self.edges_ns, self.cumulative)


def uniform_emission(rate_cps: float, period_ns: float, valid_until_ns: int = FAR_NS) -> Emission:
    """Return the emission of a constant rate, such as dark counts alone.

    Examples
    --------
    >>> round(uniform_emission(50.0, 400.0).arrivals_cps)
    50
    """
    edges_ns = np.array([0.0, period_ns])
    return Emission(period_ns, edges_ns, np.array([0.0, rate_cps * period_ns * 1e-9]), valid_until_ns)


def detected_cps(emission: Emission, dead_ns: float) -> float:
    """Return the mean rate behind one non-paralysable dead time, without after-pulses.

    Solves the renewal equation r(t) = lambda(t) [1 - integral of r over the preceding dead time]
    for the periodic r by damped iteration.

    Parameters
    ----------
    emission : Emission
        What arrives.
    dead_ns : float
        Dead time in ns.

    Returns
    -------
    float
        Detected photons per second.

    Examples
    --------
    >>> round(detected_cps(uniform_emission(1e6, 1000.0), 77.0))  # 1e6 / (1 + 1e6 x 77 ns)
    928505
    """
    arrivals = np.diff(emission.cumulative)
    if not arrivals.any():
        return 0.0
    middle_ns = (emission.edges_ns[1:] + emission.edges_ns[:-1]) / 2
    whole, rest_ns = divmod(dead_ns, emission.period_ns)
    begin_ns = middle_ns - rest_ns
    detected = arrivals / (1.0 + emission.arrivals_cps * dead_ns * 1e-9)
    step = 1.0 / (1.0 + emission.arrivals_per_period * (1.0 + whole) / 2.0)
    for _ in range(500):
        cumulative = np.concatenate(([0.0], np.cumsum(detected)))
        upto = np.interp(middle_ns, emission.edges_ns, cumulative)
        since = np.interp(begin_ns % emission.period_ns, emission.edges_ns, cumulative)
        lost = upto - since + (whole + (begin_ns < 0)) * cumulative[-1]
        change = arrivals * (1.0 - lost) - detected
        detected = detected + step * change
        if np.abs(change).sum() < 1e-9 * cumulative[-1]:
            break
    return float(detected.sum()) / emission.period_ns * 1e9

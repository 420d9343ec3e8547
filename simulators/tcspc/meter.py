"""The rate meters of the counter's double: what arrived in the last full gate of 100 ms.

The result follows from the time, the history of the light and the seed; asking more often changes nothing.
"""

from __future__ import annotations

import numpy as np

GATE_NS = 100_000_000
"""Time over which rates are counted, 100 ms."""
PER_SECOND = 1_000_000_000 // GATE_NS
"""Gates in a second."""


class RateMeter:
    """Counts sync pulses and photons in gates that follow one another since the last restart.

    Parameters
    ----------
    seed : int
        Of the scatter of the photon counts.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._restart_ns = 0
        self._past: list[tuple[int, float, float]] = []

    def restart(self, now_ns: int) -> None:
        """Begin the first gate now; until it is over, the meter shows nothing."""
        self._restart_ns = now_ns
        self._past.clear()

    def remember(self, until_ns: int, sync_hz: float, input_cps: float) -> None:
        """Note the expected rates that held until now and will change."""
        self._past = [entry for entry in self._past if entry[0] > until_ns - 2 * GATE_NS]
        self._past.append((until_ns, sync_hz, input_cps))

    def read_sync(self, now_ns: int, sync_hz: float, divider: int) -> int:
        """Return the sync rate shown now, in Hz.

        Parameters
        ----------
        now_ns : int
            Simulated time.
        sync_hz : float
            Expected rate since the last change.
        divider : int
            Of the sync input; the shown rate is a multiple of 10 Hz times this.
        """
        gate = self._last_gate(now_ns)
        if gate is None:
            return 0
        expected = self._expected(gate, [(until_ns, past_hz) for until_ns, past_hz, _ in self._past], sync_hz)
        return int(expected / divider + 1e-6) * divider * PER_SECOND

    def read_photons(self, now_ns: int, input_cps: float) -> int:
        """Return the photon rate shown now in counts/s, where `input_cps` is the one expected since the last change."""
        gate = self._last_gate(now_ns)
        if gate is None:
            return 0
        expected = self._expected(gate, [(until_ns, past_cps) for until_ns, _, past_cps in self._past], input_cps)
        return int(np.random.default_rng([self._seed, gate[1]]).poisson(expected)) * PER_SECOND

    def _last_gate(self, now_ns: int) -> tuple[int, int] | None:
        """Return when the last full gate began and ended; None before there was one."""
        n_gates = (now_ns - self._restart_ns) // GATE_NS
        end_ns = self._restart_ns + n_gates * GATE_NS
        return (end_ns - GATE_NS, end_ns) if n_gates else None

    def _expected(self, gate: tuple[int, int], past: list[tuple[int, float]], rate: float) -> float:
        """Return the expected number in a gate, for rates that held until some times, and for the one since."""
        since_ns, end_ns = gate
        number = 0.0
        for until_ns, past_rate in [*past, (end_ns, rate)]:
            number += past_rate * max(0, min(until_ns, end_ns) - since_ns) * 1e-9
            since_ns = max(since_ns, until_ns)
        return number

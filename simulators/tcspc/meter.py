"""The rate meters of the counter's double: what arrived in the last full gate of 100 ms.

The result follows from the time, the history of the light and the seed; asking more often changes nothing.
"""

from __future__ import annotations

import numpy as np

GATE_NS = 100_000_000
"""Time over which rates are counted, 100 ms."""


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

    def read(self, now_ns: int, sync_hz: float, input_cps: float, divider: int) -> tuple[int, int]:
        """Return the rates shown now.

        Parameters
        ----------
        now_ns : int
            Simulated time.
        sync_hz, input_cps : float
            Expected rates since the last change.
        divider : int
            Of the sync input; the shown rate is a multiple of 10 Hz times this.

        Returns
        -------
        tuple of int
            Sync rate in Hz and photon rate in counts/s.
        """
        n_gates = (now_ns - self._restart_ns) // GATE_NS
        if n_gates == 0:
            return 0, 0
        end_ns = self._restart_ns + n_gates * GATE_NS
        sync, photons = self._expected(end_ns - GATE_NS, end_ns, sync_hz, input_cps)
        drawn = int(np.random.default_rng([self._seed, end_ns]).poisson(photons))
        per_gate = 1_000_000_000 // GATE_NS
        return int(sync / divider + 1e-6) * divider * per_gate, drawn * per_gate

    def _expected(self, begin_ns: int, end_ns: int, sync_hz: float, input_cps: float) -> tuple[float, float]:
        """Return the expected numbers of sync pulses and photons between two times."""
        sync = photons = 0.0
        since_ns = begin_ns
        for until_ns, past_sync_hz, past_input_cps in [*self._past, (end_ns, sync_hz, input_cps)]:
            length_s = max(0, min(until_ns, end_ns) - since_ns) * 1e-9
            sync += past_sync_hz * length_s
            photons += past_input_cps * length_s
            since_ns = max(since_ns, until_ns)
        return sync, photons

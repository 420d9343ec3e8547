"""From light to recorded photons, one by one: Poisson arrivals, the photodiode's dead time, the counter's dead time.

Arrivals are drawn by time change: the gaps between photons, measured in integrated intensity, are exponential with
mean 1. The pulse a photon belongs to is the whole number of periods in that coordinate, and its delay is where the
cumulative curve of the period reaches the rest. Several photons per pulse, light of earlier pulses and pile-up follow;
nothing is painted on. Each arrival meets the avalanche photodiode (blind for 77 ns after an avalanche; arrivals lost
in that time do not prolong it; 1 % of avalanches are followed by an after-pulse), and what leaves it meets the counter
(blind for 95 ns after a recorded photon).

The photons do not depend on how time is cut into calls of `advance`: what is known of the next one is kept.

What this does not do: the response of the electronics (it is folded into the emission) and delays as integers (the
counter's work). A new avalanche empties the traps, so at most one after-pulse is pending.

Sources: MPD PDM dead time 77 ns, used alike in two public code bases; PicoHarp 300 dead time 95 ns, tcspc.com.
After-pulsing of 1 % with 40 ns: ours, within the 1 to 3 % and 30 to 50 ns usual for such diodes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from simulators.emission import Emission

CHUNK = 65536
"""Photons handed over at a time."""

# Places in the state that the kernel carries from call to call; times in ns since the start of the first period.
_PULSE, _LEVEL, _ARRIVAL, _DIODE_LIVE, _COUNTER_LIVE, _AFTERPULSE = range(6)


@dataclass(frozen=True)
class DetectorSettings:
    """Imperfections of photodiode and counter; zero switches one off.

    Attributes
    ----------
    diode_dead_ns, counter_dead_ns : float
        Blind time after an avalanche, and after a recorded photon, in ns.
    afterpulse_probability : float
        Probability that an avalanche is followed by another without light.
    afterpulse_decay_ns : float
        Mean delay of the after-pulse behind the end of the dead time, in ns.
    dark_cps : float
        Avalanches without light, per second (ours).
    """

    diode_dead_ns: float = 77.0
    counter_dead_ns: float = 95.0
    afterpulse_probability: float = 0.01
    afterpulse_decay_ns: float = 40.0
    dark_cps: float = 50.0


class Photons(NamedTuple):
    """Recorded photons in the order of their recording.

    Attributes
    ----------
    time_ns : ndarray of float64, shape (n_photon,)
        Time since the `begin` of the present conditions, in ns.
    delay_ns : ndarray of float64, shape (n_photon,)
        Delay after the preceding laser trigger, in ns.
    """

    time_ns: NDArray[np.float64]
    delay_ns: NDArray[np.float64]


class Detection:
    """Photodiode and counter in the course of one measurement.

    Parameters
    ----------
    settings : DetectorSettings
        Dead times and after-pulsing.
    generator : numpy.random.Generator
        Where all chance comes from; nobody else may draw from it.
    """

    def __init__(self, settings: DetectorSettings, generator: np.random.Generator) -> None:
        self._settings = settings
        self._generator = generator
        self._emission: Emission | None = None
        self._start_ns = 0
        self._phase_ns = 0.0
        self._gap = float(generator.standard_exponential())
        # Relative to the moment of `begin`, while no conditions hold.
        self._live_after_ns = np.array([-math.inf, -math.inf, math.inf])
        self._state = np.zeros(6)

    def begin(self, emission: Emission, start_ns: int) -> None:
        """Let `emission` hold from `start_ns` on; the laser's phase runs on if its period is the same."""
        if self._emission is not None:
            self._end(self._emission, start_ns)
        self._emission, self._start_ns = emission, start_ns
        self._phase_ns = math.fmod(start_ns, emission.period_ns)
        level = float(emission.arrivals_before(np.array(self._phase_ns))) + self._gap
        pulse = math.floor(level / emission.arrivals_per_period) if emission.arrivals_per_period > 0 else 0
        level -= pulse * emission.arrivals_per_period
        self._state[_PULSE] = pulse
        self._state[_LEVEL] = level
        self._state[_ARRIVAL] = _arrival_ns(
            pulse, level, emission.period_ns, emission.edges_ns, emission.cumulative, emission.guide
        )
        self._state[_DIODE_LIVE:] = self._live_after_ns + self._phase_ns

    def advance(self, stop_ns: int) -> Iterator[Photons]:
        """Yield, in chunks, the photons recorded since the last call and before `stop_ns`.

        The iterator may be left early; the photons not taken are lost, those of a later call are not affected.
        """
        if self._emission is None:
            raise RuntimeError("detection: no conditions hold yet; call begin() first")
        emission, settings = self._emission, self._settings
        limit_ns = stop_ns - self._start_ns + self._phase_ns
        dead = np.array([settings.diode_dead_ns, settings.counter_dead_ns])
        afterpulse = np.array([settings.afterpulse_probability, settings.afterpulse_decay_ns])
        n_photon = CHUNK
        while n_photon == CHUNK:
            times_ns, delays_ns = np.empty(CHUNK), np.empty(CHUNK)
            n_photon = _record(
                self._generator,
                emission.period_ns,
                emission.edges_ns,
                emission.cumulative,
                emission.guide,
                dead,
                afterpulse,
                limit_ns,
                self._state,
                times_ns,
                delays_ns,
            )
            yield Photons(times_ns[:n_photon] - self._phase_ns, delays_ns[:n_photon])

    def _end(self, emission: Emission, stop_ns: int) -> None:
        """Turn what is pending into times after `stop_ns` and into a gap that the next conditions will fill."""
        since_ns = stop_ns - self._start_ns + self._phase_ns
        self._live_after_ns = self._state[_DIODE_LIVE:] - since_ns
        pulse = math.floor(since_ns / emission.period_ns)
        passed = float(emission.arrivals_before(np.array(since_ns - pulse * emission.period_ns)))
        ahead = (self._state[_PULSE] - pulse) * emission.arrivals_per_period + self._state[_LEVEL] - passed
        self._gap = max(0.0, float(ahead))


@numba.njit(cache=True, nogil=True, inline="always")
def _arrival_ns(pulse, level, period_ns, edges_ns, cumulative, guide):  # type: ignore[no-untyped-def]
    """Return the time of the arrival at (pulse, level) since the start of the first period; inf in the dark."""
    total = cumulative[-1]
    if total <= 0.0:
        return np.inf
    last = len(edges_ns) - 2
    cell = guide[min(int(level / total * len(guide)), len(guide) - 1)]
    while cell < last and cumulative[cell + 1] <= level:
        cell += 1
    share = (level - cumulative[cell]) / (cumulative[cell + 1] - cumulative[cell])
    return pulse * period_ns + edges_ns[cell] + min(share, 1.0) * (edges_ns[cell + 1] - edges_ns[cell])


@numba.njit(cache=True, nogil=True)
def _record(generator, period_ns, edges_ns, cumulative, guide, dead, afterpulse, limit_ns, state, times_ns, delays_ns):  # type: ignore[no-untyped-def]
    """Fill `times_ns` and `delays_ns` with the photons recorded before `limit_ns`; return how many."""
    total = cumulative[-1]
    pulse, level, arrival_ns = state[_PULSE], state[_LEVEL], state[_ARRIVAL]
    diode_live_ns, counter_live_ns, afterpulse_ns = state[_DIODE_LIVE], state[_COUNTER_LIVE], state[_AFTERPULSE]
    n_photon = 0
    while n_photon < len(times_ns) and min(arrival_ns, afterpulse_ns) < limit_ns:
        if afterpulse_ns < arrival_ns:
            time_ns = afterpulse_ns
            afterpulse_ns = np.inf
        else:
            time_ns = arrival_ns
            level += generator.standard_exponential()
            if level >= total:
                whole = np.floor(level / total)
                pulse += whole
                level = max(0.0, level - whole * total)
            arrival_ns = _arrival_ns(pulse, level, period_ns, edges_ns, cumulative, guide)
        if time_ns < diode_live_ns:
            continue
        diode_live_ns = time_ns + dead[0]
        if afterpulse[0] > 0.0 and generator.random() < afterpulse[0]:
            afterpulse_ns = diode_live_ns + afterpulse[1] * generator.standard_exponential()
        if time_ns < counter_live_ns:
            continue
        counter_live_ns = time_ns + dead[1]
        times_ns[n_photon] = time_ns
        delays_ns[n_photon] = max(0.0, time_ns - np.floor(time_ns / period_ns) * period_ns)
        n_photon += 1
    state[_PULSE], state[_LEVEL], state[_ARRIVAL] = pulse, level, arrival_ns
    state[_DIODE_LIVE], state[_COUNTER_LIVE], state[_AFTERPULSE] = diode_live_ns, counter_live_ns, afterpulse_ns
    return n_photon

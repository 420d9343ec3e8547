"""One measurement of the counter's double: photons recorded as simulated time passes, put into the histogram.

The photons are drawn from a stream keyed by the seed and the simulated time at which the measurement began.
However often it is looked at, and in however many steps time passes, it records the same photons.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from simulators.detection import Detection, DetectorSettings
from simulators.picoharp300.world import World

TICK_NS = 0.004
"""Base resolution of the counter, 4 ps."""

MAX_COUNT = 65535
"""The histogram memory is 16 bits deep."""

_LONGEST_STRETCH_NS = 10_000_000_000  # keeps times within a stretch exact to some fs


@dataclass(frozen=True)
class Histogramming:
    """How delays become bins.

    Attributes
    ----------
    binning : int
        A bin is 4 ps times 2 to this power.
    offset_ps : int
        Subtracted from the delay.
    sync_offset_ps : int
        Delay of the sync signal.
    stop_count : int
        The measurement ends when a bin holds so many; 0: it goes on and the bin stays full.
    is_multistop : bool
        Whether all photons after one sync count, or only the first.
    """

    binning: int = 0
    offset_ps: int = 0
    sync_offset_ps: int = 0
    stop_count: int = 0
    is_multistop: bool = True


class Run:
    """A measurement from its start to its end.

    Parameters
    ----------
    world : World
        Where light and time come from.
    detector : DetectorSettings
        Dead times and after-pulsing.
    histogramming : Histogramming
        Settings at the start.
    counts : ndarray of uint32, shape (65536,)
        Histogram memory, added to.
    duration_ns : int
        Time asked for.
    seed : int
        Together with the present simulated time, the key of the photons' stream.
    """

    def __init__(
        self,
        world: World,
        detector: DetectorSettings,
        histogramming: Histogramming,
        counts: NDArray[np.uint32],
        duration_ns: int,
        seed: int,
    ) -> None:
        self._world = world
        self._histogramming = histogramming
        self._counts = counts
        self._start_ns = self._drawn_ns = world.now_ns()
        self._end_ns = self._start_ns + duration_ns
        self._detection = Detection(detector, np.random.default_rng([seed, self._start_ns]))
        self._stretch_start_ns = self._stretch_end_ns = self._start_ns
        self._period_ns = 0.0
        self.has_overflow = False

    @property
    def is_over(self) -> bool:
        """Whether the measurement has ended by the present simulated time."""
        self.catch_up()
        return self._world.now_ns() >= self._end_ns

    @property
    def elapsed_ns(self) -> int:
        """How long the measurement has counted."""
        self.catch_up()
        return min(self._world.now_ns(), self._end_ns) - self._start_ns

    def stop(self) -> None:
        """End the measurement now, unless it has ended."""
        self.catch_up()
        self._end_ns = min(self._end_ns, self._world.now_ns())

    def settle(self) -> None:
        """Record the photons up to now and ask for the light anew: conditions are about to change."""
        self.catch_up()
        self._stretch_end_ns = min(self._stretch_end_ns, self._drawn_ns)

    def catch_up(self) -> None:
        """Record the photons up to the present simulated time."""
        while (stop_ns := min(self._world.now_ns(), self._end_ns)) > self._drawn_ns:
            if self._drawn_ns >= self._stretch_end_ns:
                self._begin_stretch()
            self._record_until(min(stop_ns, self._stretch_end_ns))

    def _begin_stretch(self) -> None:
        """Ask for the light from here on."""
        start_ns = self._drawn_ns
        emission = self._world.emission(start_ns)
        if emission.valid_until_ns <= start_ns:
            raise ValueError(
                f"the light at {start_ns} ns was said to hold until {emission.valid_until_ns} ns, not later"
            )
        self._detection.begin(emission, start_ns)
        self._stretch_start_ns = start_ns
        self._stretch_end_ns = min(emission.valid_until_ns, start_ns + _LONGEST_STRETCH_NS)
        self._period_ns = emission.period_ns if self._world.sync_rate_hz() > 0 else 0.0

    def _record_until(self, stop_ns: int) -> None:
        """Put the photons of the present stretch up to `stop_ns` into the histogram; stop if a bin is full."""
        self._drawn_ns = stop_ns
        for photons in self._detection.advance(stop_ns):
            if self._period_ns == 0.0:
                continue  # a photon without a start signal is not measured
            settings = self._histogramming
            last, has_full_bin = _accumulate(
                photons.time_ns,
                photons.delay_ns,
                self._period_ns,
                settings.sync_offset_ps * 1e-3,
                settings.offset_ps // 4,
                settings.binning,
                settings.stop_count,
                settings.is_multistop,
                self._counts,
            )
            self.has_overflow = self.has_overflow or has_full_bin
            if last >= 0:
                self._end_ns = self._drawn_ns = self._stretch_start_ns + int(photons.time_ns[last])
                return


@numba.njit(cache=True, nogil=True)
def _accumulate(times_ns, delays_ns, period_ns, sync_ns, offset, binning, stop_count, is_multistop, counts):  # type: ignore[no-untyped-def]
    """Count photons; return the number of the one that filled a bin (-1: none) and whether a bin is or was full."""
    has_full_bin = False
    latest_sync_ns = -np.inf
    for photon in range(len(times_ns)):
        sync_of_photon_ns = times_ns[photon] - delays_ns[photon]
        is_first = sync_of_photon_ns - latest_sync_ns > period_ns / 2
        latest_sync_ns = sync_of_photon_ns
        tick = int((delays_ns[photon] - sync_ns) % period_ns / TICK_NS) - offset
        place = tick >> binning
        if tick < 0 or place >= len(counts) or not (is_first or is_multistop):
            continue
        if counts[place] >= MAX_COUNT:
            has_full_bin = True
            continue
        counts[place] += 1
        if stop_count > 0 and counts[place] >= stop_count:
            return photon, True
    return -1, has_full_bin

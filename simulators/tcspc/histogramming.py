"""Histogram mode of a counter's double: delays become bins, in a memory of a certain depth."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from simulators.detection import Photons


@dataclass(frozen=True)
class DelaySettings:
    """How delays become numbers.

    Attributes
    ----------
    tick_ps : int
        Base resolution.
    binning : int
        A bin is the base resolution times 2 to this power.
    offset_ps : int
        Subtracted from the delay.
    sync_offset_ps : int
        Delay of the sync signal.
    stop_count : int
        A histogram ends when a bin holds so many; 0: it goes on and the bin stays full.
    is_multistop : bool
        Whether all photons after one sync count, or only the first.
    """

    tick_ps: int
    binning: int = 0
    offset_ps: int = 0
    sync_offset_ps: int = 0
    stop_count: int = 0
    is_multistop: bool = True


class Histogramming:
    """Counts photons per delay bin.

    Parameters
    ----------
    settings : DelaySettings
        At the start of the measurement.
    counts : ndarray of uint32, shape (n_bin,)
        Histogram memory, added to.
    max_count : int
        What a bin of it can hold.
    """

    def __init__(self, settings: DelaySettings, counts: NDArray[np.uint32], max_count: int) -> None:
        self._settings = settings
        self._counts = counts
        self._max_count = max_count
        self.has_overflow = False

    def record(self, photons: Photons, period_ns: float, syncs_before: float, phase_ns: float) -> int:
        """Count photons; return the number of the one that filled a bin and ended the measurement, else -1."""
        settings = self._settings
        last, has_full_bin = _accumulate(
            photons.time_ns,
            photons.delay_ns,
            period_ns,
            settings.sync_offset_ps * 1e-3,
            settings.tick_ps * 1e-3,
            settings.offset_ps // settings.tick_ps,
            settings.binning,
            settings.stop_count,
            self._max_count,
            settings.is_multistop,
            self._counts,
        )
        self.has_overflow = self.has_overflow or has_full_bin
        return int(last)

    def pass_syncs(self, n_syncs: float) -> bool:
        """Take note of sync pulses without photons; they leave no trace, so the measurement goes on."""
        return True


@numba.njit(cache=True, nogil=True)
def _accumulate(  # type: ignore[no-untyped-def]
    times_ns, delays_ns, period_ns, sync_ns, tick_ns, offset, binning, stop_count, max_count, is_multistop, counts
):
    """Count photons; return the number of the one that filled a bin (-1: none) and whether a bin is or was full."""
    has_full_bin = False
    latest_sync_ns = -np.inf
    for photon in range(len(times_ns)):
        sync_of_photon_ns = times_ns[photon] - delays_ns[photon]
        is_first = sync_of_photon_ns - latest_sync_ns > period_ns / 2
        latest_sync_ns = sync_of_photon_ns
        tick = int((delays_ns[photon] - sync_ns) % period_ns / tick_ns) - offset
        place = tick >> binning
        if tick < 0 or place >= len(counts) or not (is_first or is_multistop):
            continue
        if counts[place] >= max_count:
            has_full_bin = True
            continue
        counts[place] += 1
        if stop_count > 0 and counts[place] >= stop_count:
            return photon, True
    return -1, has_full_bin

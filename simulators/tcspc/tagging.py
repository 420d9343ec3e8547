"""T3 mode of a counter's double: a 32-bit record per photon and per turn of the sync counter, in a FIFO.

Sync pulses are counted from the start of the measurement. PicoHarp records hold 16 bits of that number, and each turn
makes a record of its own; the records of later devices hold 10 bits, and turns without photons are counted together in
the record before the next photon. When the FIFO is full the measurement ends (ours: the real one goes on, but nothing
that comes later can be used).

Source: PicoQuant time-tagged file format, T3 records of PicoHarp (0x00010303) and of TimeHarp 260 (0x00010306).
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from simulators.detection import Photons
from simulators.tcspc.histogramming import DelaySettings

FIFO_WORDS = 256 * 1024
"""Depth of the FIFO in records."""

_MOST_SYNCS_SHIFTED = 32
"""Offsets of 100 ns at sync and input move a photon by fewer pulses than this."""


@dataclass(frozen=True)
class RecordLayout:
    """Where a photon's record has what.

    Attributes
    ----------
    sync_bits, delay_bits : int
        Widths of the sync number (lowest bits) and of the delay above it.
    channel : int
        What stands above the delay for the detector's input.
    has_packed_turns : bool
        Whether turns of the sync counter are counted together.
    """

    sync_bits: int
    delay_bits: int
    channel: int
    has_packed_turns: bool


class Tagging:
    """Writes a record for each photon.

    Parameters
    ----------
    settings : DelaySettings
        At the start of the measurement.
    layout : RecordLayout
        Of the records.
    n_delays : int
        Longer delays are not recorded.
    """

    def __init__(self, settings: DelaySettings, layout: RecordLayout, n_delays: int) -> None:
        self._settings = settings
        self._n_delays = n_delays
        self._layout = layout
        self._fifo = np.empty(FIFO_WORDS, dtype=np.uint32)
        self._state = np.zeros(3, dtype=np.int64)  # words in the FIFO, turns told, 1 if it was full
        self._latest_sync = np.full(1, -1, dtype=np.int64)

    @property
    def has_overrun(self) -> bool:
        """Whether the FIFO was full."""
        return bool(self._state[2])

    def record(self, photons: Photons, period_ns: float, syncs_before: float, phase_ns: float) -> int:
        """Write photons; return the number of the one that found the FIFO full and ended the measurement, else -1."""
        settings, layout = self._settings, self._layout
        return int(
            _write(
                photons.time_ns,
                photons.delay_ns,
                period_ns,
                syncs_before,
                phase_ns,
                settings.sync_offset_ps * 1e-3,
                settings.tick_ps * 1e-3,
                settings.offset_ps // settings.tick_ps,
                settings.binning,
                settings.is_multistop,
                self._n_delays,
                layout.sync_bits,
                layout.delay_bits,
                layout.channel,
                layout.has_packed_turns,
                self._fifo,
                self._state,
                self._latest_sync,
            )
        )

    def pass_syncs(self, n_syncs: float) -> bool:
        """Write what turns of the sync counter leave when there are no photons; False if the FIFO is full."""
        if self._layout.has_packed_turns:
            return True
        turns = max(0, int(n_syncs) - _MOST_SYNCS_SHIFTED) >> self._layout.sync_bits
        return bool(_turn(turns, self._layout.sync_bits, False, self._fifo, self._state))

    def fill(self) -> None:
        """Let the FIFO hold no more than it does now."""
        self._fifo = self._fifo[: int(self._state[0])]

    def read(self, n_most: int) -> NDArray[np.uint32]:
        """Take up to so many records out of the FIFO, the oldest first."""
        n_words = int(self._state[0])
        n_read = min(n_most, n_words)
        words = self._fifo[:n_read].copy()
        self._fifo[: n_words - n_read] = self._fifo[n_read:n_words]
        self._state[0] -= n_read
        return words


@numba.njit(cache=True, nogil=True)
def _turn(turns, sync_bits, has_packed_turns, fifo, state):  # type: ignore[no-untyped-def]
    """Tell of the turns of the sync counter up to `turns`; return False if the FIFO is full."""
    while state[1] < turns:
        if state[0] >= len(fifo):
            state[2] = 1
            return False
        step = min(turns - state[1], 2**sync_bits - 1) if has_packed_turns else 1
        fifo[state[0]] = 0x80000000 | (63 << 25) | step if has_packed_turns else 0xF0000000
        state[0] += 1
        state[1] += step
    return True


@numba.njit(cache=True, nogil=True)
def _write(  # type: ignore[no-untyped-def]
    times_ns,
    delays_ns,
    period_ns,
    syncs_before,
    phase_ns,
    sync_ns,
    tick_ns,
    offset,
    binning,
    is_multistop,
    n_delays,
    sync_bits,
    delay_bits,
    channel,
    has_packed_turns,
    fifo,
    state,
    latest_sync,
):
    """Write a record per photon; return the number of the photon that found no room, else -1."""
    for photon in range(len(times_ns)):
        delay_ns = delays_ns[photon] - sync_ns
        pulse = np.rint((times_ns[photon] + phase_ns - delays_ns[photon]) / period_ns)
        sync = int(syncs_before + pulse + np.floor(delay_ns / period_ns))
        is_first = sync != latest_sync[0]
        latest_sync[0] = sync
        tick = int(delay_ns % period_ns / tick_ns) - offset
        dtime = tick >> binning
        if sync < 0 or tick < 0 or dtime >= n_delays or not (is_first or is_multistop):
            continue
        if not _turn(sync >> sync_bits, sync_bits, has_packed_turns, fifo, state):
            return photon
        if state[0] >= len(fifo):
            state[2] = 1
            return photon
        place = sync & (2**sync_bits - 1)
        fifo[state[0]] = (channel << (delay_bits + sync_bits)) | (dtime << sync_bits) | place
        state[0] += 1
    return -1

"""T3 time-tag records to photons and counts: PicoHarp 300, and HydraHarp (version 2), TimeHarp 260 and later devices.

A T3 record is a 32-bit word. One of a photon tells its channel, its delay behind the sync pulse (a number of bins) and
the lowest bits of the number of that pulse; overflow records tell when those bits have turned over, marker records that
a marker input was hit. So all that a stream needs to remember is the number of pulses in completed turns: a
`TagStream` may be fed in pieces of any size, and gives the same photons whatever the pieces.

Words that cannot occur (impossible channels) are counted as invalid and otherwise left alone: a stream of noise does
no harm. Nothing is sorted: markers can be slightly out of sequence with photons.

Source: PicoQuant, "Time Tagged File Format" (TTTR records of type 0x00010303 and 0x01010304 to 0x00010307).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from tplm_daq.readings import TagSource

Words = NDArray[np.uint32]


class RecordFormat(Enum):
    """Layout of the words; the values are the format's `TTResultFormat_TTTRRecType`."""

    PICOHARP_T3 = 0x00010303
    """4 bits channel (photons: 1 to 4), 12 bits delay, 16 bits sync number."""
    GENERIC_T3 = 0x00010307
    """1 bit special, 6 bits channel (photons: from 0), 15 bits delay, 10 bits sync number."""

    @property
    def n_delays(self) -> int:
        """Number of delays that a record can tell apart."""
        return 4096 if self is RecordFormat.PICOHARP_T3 else 32768

    @property
    def n_channels(self) -> int:
        """Number of inputs that a record can tell apart."""
        return 4 if self is RecordFormat.PICOHARP_T3 else 64

    @property
    def turn_word(self) -> int:
        """Record that says that the sync counter has gone round once."""
        return 0xF0000000 if self is RecordFormat.PICOHARP_T3 else 0xFE000001

    def marker_word(self, bits: int) -> int:
        """Return the record of a hit of marker inputs, at sync number 0.

        Parameters
        ----------
        bits : int
            One bit per input, 1 to 15.
        """
        return 0xF0000000 | bits << 16 if self is RecordFormat.PICOHARP_T3 else 0x80000000 | bits << 25

    def without_markers(self, words: Words) -> Words:
        """Return the records that are not of marker inputs, uint32 (n_word,)."""
        if self is RecordFormat.PICOHARP_T3:
            is_marker = (words >> np.uint32(28) == 15) & (words & np.uint32(0x0FFF0000) != 0)
        else:
            is_marker = (words > np.uint32(0x81FFFFFF)) & (words < np.uint32(0xA0000000))
        return words[~is_marker]


class Photons(NamedTuple):
    """Photons in the order of their records.

    Attributes
    ----------
    sync_number : ndarray of int64, shape (n_photon,)
        Laser pulses since the start of the stream.
    delay_bin : ndarray of uint16, shape (n_photon,)
        Delay behind that pulse, in bins.
    channel : ndarray of uint8, shape (n_photon,)
        Input, from 0.
    """

    sync_number: NDArray[np.int64]
    delay_bin: NDArray[np.uint16]
    channel: NDArray[np.uint8]


class Markers(NamedTuple):
    """Hits of the marker inputs.

    Attributes
    ----------
    sync_number : ndarray of int64, shape (n_marker,)
        Laser pulses since the start of the stream.
    bits : ndarray of uint8, shape (n_marker,)
        One bit per marker input.
    """

    sync_number: NDArray[np.int64]
    bits: NDArray[np.uint8]


@dataclass
class TagStream:
    """A stream of records, fed piece by piece.

    Attributes
    ----------
    record_format : RecordFormat
        Layout of its words.
    n_syncs : int
        Laser pulses in completed turns of the sync counter.
    n_outside : int
        Photons with a delay beyond the histogram they were counted into.
    n_invalid : int
        Words that are no record.

    Examples
    --------
    A photon in bin 7 of pulse 5, a turn of the counter, and a photon in bin 9 of pulse 65 536 + 2:

    >>> words = np.array([0x10070005, 0xF0000000, 0x10090002], np.uint32)
    >>> photons, _ = TagStream(RecordFormat.PICOHARP_T3).decode(words)
    >>> photons.sync_number.tolist(), photons.delay_bin.tolist()
    ([5, 65538], [7, 9])
    """

    record_format: RecordFormat
    n_syncs: int = 0
    n_outside: int = 0
    n_invalid: int = 0

    def decode(self, words: Words) -> tuple[Photons, Markers]:
        """Return photons and markers of the next piece.

        Parameters
        ----------
        words : ndarray of uint32, shape (n_word,)
            Records.

        Returns
        -------
        photons : Photons
            In the order of the records.
        markers : Markers
            The same.
        """
        words = _checked(words)
        numbers = np.empty(len(words), np.int64)
        delays = np.empty(len(words), np.uint16)
        channels = np.empty(len(words), np.uint8)
        marker_numbers = np.empty(len(words), np.int64)
        marker_bits = np.empty(len(words), np.uint8)
        kernel = _decode_picoharp if self.record_format is RecordFormat.PICOHARP_T3 else _decode_generic
        n_photon, n_marker, n_invalid, self.n_syncs = kernel(
            words, self.n_syncs, numbers, delays, channels, marker_numbers, marker_bits
        )
        self.n_invalid += n_invalid
        photons = Photons(numbers[:n_photon].copy(), delays[:n_photon].copy(), channels[:n_photon].copy())
        return photons, Markers(marker_numbers[:n_marker].copy(), marker_bits[:n_marker].copy())

    def count(self, words: Words, counts: NDArray[np.uint32], channel: int = 0) -> None:
        """Add the photons of one channel in the next piece to a histogram of delays.

        Parameters
        ----------
        words : ndarray of uint32, shape (n_word,)
            Records.
        counts : ndarray of uint32, shape (n_bin,)
            Histogram, added to.
        channel : int
            Input, from 0.

        Raises
        ------
        ValueError
            If `words` or `counts` is not a one-dimensional array of uint32, or the channel does not exist.
        """
        words = _checked(words)
        if not 0 <= channel < self.record_format.n_channels:
            raise ValueError(f"channel {channel} does not exist; there are {self.record_format.n_channels}, from 0")
        if counts.dtype != np.uint32 or counts.ndim != 1:
            raise ValueError(f"counts is {counts.dtype} with {counts.ndim} dimensions; it must be uint32 with one")
        kernel = _count_picoharp if self.record_format is RecordFormat.PICOHARP_T3 else _count_generic
        # One place more than there are delays: everything that is not counted lands where it can be read off.
        longest = np.zeros(self.record_format.n_delays + 1, np.uint32)
        n_invalid, self.n_syncs = kernel(words, self.n_syncs, channel, longest)
        self.n_invalid += n_invalid
        n_kept = min(len(counts), self.record_format.n_delays)
        counts[:n_kept] += longest[:n_kept]
        self.n_outside += int(longest[n_kept:-1].sum())


def delays_of(words: Words, source: TagSource, n_bins: int) -> NDArray[np.uint32]:
    """Return the histogram of the detector's photons in a whole measurement; delays beyond it are left out.

    Parameters
    ----------
    words : ndarray of uint32, shape (n_word,)
        Records.
    source : TagSource
        Where they come from.
    n_bins : int
        Bins, each as wide as the unit of the delays.

    Returns
    -------
    ndarray of uint32, shape (n_bins,)
        Photons.
    """
    counts = np.zeros(n_bins, np.uint32)
    TagStream(RecordFormat(source.record_type)).count(words, counts, source.channel)
    return counts


def _checked(words: Words) -> Words:
    """Return the words, contiguous; ValueError if they are none."""
    if words.dtype != np.uint32 or words.ndim != 1:
        raise ValueError(f"records are {words.dtype} with {words.ndim} dimensions; they must be uint32 with one")
    return np.ascontiguousarray(words)


@numba.njit(cache=True, nogil=True)
def _count_picoharp(words, n_syncs, channel, counts):  # type: ignore[no-untyped-def]
    """Count delays of one channel; return the number of invalid words and the pulses in completed turns."""
    n_delays = len(counts) - 1
    n_invalid = n_turns = 0
    for word in words:
        here = word >> 28
        delay = (word >> 16) & 0xFFF
        counts[delay if here == channel + 1 else n_delays] += 1
        n_turns += (here == 15) & (delay == 0)
        n_invalid += (here == 0) | ((here > 4) & (here < 15)) | ((here == 15) & (delay > 15))
    return n_invalid, n_syncs + 65536 * n_turns


@numba.njit(cache=True, nogil=True)
def _count_generic(words, n_syncs, channel, counts):  # type: ignore[no-untyped-def]
    """Count delays of one channel; return the number of invalid words and the pulses in completed turns."""
    n_delays = len(counts) - 1
    n_invalid = n_turns = 0
    for word in words:
        here = word >> 25
        counts[(word >> 10) & 0x7FFF if here == channel else n_delays] += 1
        if here >= 64:
            if here == 127:
                n_turns += max(word & 0x3FF, 1)
            elif here == 64 or here > 79:
                n_invalid += 1
    return n_invalid, n_syncs + 1024 * n_turns


@numba.njit(cache=True, nogil=True)
def _decode_picoharp(words, n_syncs, numbers, delays, channels, marker_numbers, marker_bits):  # type: ignore[no-untyped-def]
    """Write photons and markers; return how many of them and of invalid words, and the pulses in completed turns."""
    n_photon = n_marker = n_invalid = 0
    for word in words:
        channel = word >> 28
        delay = (word >> 16) & 0xFFF
        if 1 <= channel <= 4:
            numbers[n_photon] = n_syncs + (word & 0xFFFF)
            delays[n_photon] = delay
            channels[n_photon] = channel - 1
            n_photon += 1
        elif channel == 15 and delay == 0:
            n_syncs += 65536
        elif channel == 15 and delay <= 15:
            marker_numbers[n_marker] = n_syncs + (word & 0xFFFF)
            marker_bits[n_marker] = delay
            n_marker += 1
        else:
            n_invalid += 1
    return n_photon, n_marker, n_invalid, n_syncs


@numba.njit(cache=True, nogil=True)
def _decode_generic(words, n_syncs, numbers, delays, channels, marker_numbers, marker_bits):  # type: ignore[no-untyped-def]
    """Write photons and markers; return how many of them and of invalid words, and the pulses in completed turns."""
    n_photon = n_marker = n_invalid = 0
    for word in words:
        channel = word >> 25
        if channel < 64:
            numbers[n_photon] = n_syncs + (word & 0x3FF)
            delays[n_photon] = (word >> 10) & 0x7FFF
            channels[n_photon] = channel
            n_photon += 1
        elif channel == 127:
            n_syncs += 1024 * max(word & 0x3FF, 1)
        elif 65 <= channel <= 79:
            marker_numbers[n_marker] = n_syncs + (word & 0x3FF)
            marker_bits[n_marker] = channel - 64
            n_marker += 1
        else:
            n_invalid += 1
    return n_photon, n_marker, n_invalid, n_syncs

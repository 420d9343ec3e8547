"""The counter's own records as a PicoQuant PTU file: nothing is made up, delays and sync numbers are the measured ones.

It is a T3 image with one line for each position, one pixel long, in the order of the map; `ptu.read_ptu` gives back the
map. The points at a position follow each other within its line, each from sync number 0 of a new turn of the sync
counter on. Between two points the time goes on at once: how long the detector moved is not in the file. Markers that
the counter itself recorded are left out, for here they say where lines begin and end.

Source: PicoQuant, "Time Tagged File Format" (header of tags with 32 bytes of name, index, type and 8 bytes of value).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import ptufile
from numpy.typing import NDArray

from tplm_daq.errors import InputError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.readings import TagSource
from tplm_daq.store.ptu import own_tags, step_um

if TYPE_CHECKING:
    from tplm_daq.photons.records import RecordFormat

LINE_START, LINE_STOP, FRAME = 1, 2, 4
"""Marker bits; a header names them 1, 2 and 3."""

COUNT_TAG = b"TTResult_NumberOfRecords"
VALUE_OFFSET = 40
"""Of a tag's value behind the start of its name."""

COMMENT = "one line per detector position, see the tags TPLM_position_nm (x, y) and TPLM_delay_ns"


@dataclass(frozen=True)
class TaggedPhotons:
    """The records of a run.

    Attributes
    ----------
    source : TagSource
        Their layout.
    positions : sequence of sequence of callable
        For each position of the map, what reads the records of each of its points: uint32 (n_word,).
    """

    source: TagSource
    positions: Sequence[Sequence[Callable[[], NDArray[np.uint32]]]]


def write_tagged_ptu(data: TimePositionMap, tags: TaggedPhotons, stream: io.BufferedWriter) -> None:
    """Write the records of a run; those of one point are in memory at a time.

    Parameters
    ----------
    data : TimePositionMap
        What the records add up to; says where the positions are.
    tags : TaggedPhotons
        The records.
    stream : binary stream
        A new file.

    Raises
    ------
    InputError
        If the repetition rate is not known.
    """
    from tplm_daq.photons.records import RecordFormat, TagStream  # its kernels are not for who only lists runs

    rate_hz = data.repetition_rate_hz
    if rate_hz is None:
        raise InputError("the repetition rate is not known, and a PTU file needs it. Export as npz or csv.")
    now = datetime.now()
    record_format, n_records, longest = RecordFormat(tags.source.record_type), 1, 1
    stream.write(_header(data, record_format, rate_hz, longest, n_records, now))
    for points in tags.positions:
        line = TagStream(record_format)
        n_records += _write(stream, [record_format.marker_word(LINE_START)])
        for read in points:
            words = np.append(record_format.without_markers(read()), np.uint32(record_format.turn_word))
            line.count(words, np.zeros(1, np.uint32))
            n_records += _write(stream, words)
        n_records += _write(stream, [record_format.marker_word(LINE_STOP)])
        longest = max(longest, line.n_syncs)
    _write(stream, [record_format.marker_word(FRAME)])
    stream.seek(0)
    stream.write(_header(data, record_format, rate_hz, longest, n_records, now))


def _write(stream: io.BufferedWriter, words: NDArray[np.uint32] | list[int]) -> int:
    stream.write(np.asarray(words, "<u4").tobytes())
    return len(words)


def _header(
    data: TimePositionMap, record_format: RecordFormat, rate_hz: float, longest: int, n_records: int, now: datetime
) -> bytes:
    """Return the header, as long whatever the numbers are; `longest` is the longest line in sync pulses."""
    stream = io.BytesIO()
    writer = ptufile.PtuWriter(
        stream,
        (1, len(data.x_nm), 1, 1, min(len(data.delay_ns), record_format.n_delays)),
        1.0 / rate_hz,
        data.bin_width_ns * 1e-9,
        longest / rate_hz,
        record_type=ptufile.PtuRecordType(record_format.value),
        pixel_resolution=step_um(data),
        comment=COMMENT,
        datetime=now,
        tags=own_tags(data),
    )
    writer.close()
    header = bytearray(stream.getvalue())
    struct.pack_into("<q", header, header.index(COUNT_TAG) + VALUE_OFFSET, n_records)
    return bytes(header)

"""Time-tag records in a run file: one long dataset, and for each point where its records begin and how many they are.

The records of a point begin at a chunk of their own. So a chunk that holds records of an acknowledged point is never
written again, and a process killed while it adds a point harms none before; what is left of a point's last chunk is
filled with zeros, which compress to nothing and belong to nobody. Like a row of counts, the records of a point exist
once `@n_rows` of the points says so.
"""

from __future__ import annotations

import h5py
import numpy as np
from numpy.typing import NDArray

from tplm_daq.readings import TagSource
from tplm_daq.store import layout
from tplm_daq.store.tree import write_value

CHUNK_WORDS = 1 << 14
"""Records of a chunk: 64 KiB."""


def create_words(entry: h5py.Group, source: TagSource) -> None:
    """Make the empty tables, and say where the records come from.

    Parameters
    ----------
    entry : h5py.Group
        Entry of a new file.
    source : TagSource
        Layout of the records, and the detector's input.
    """
    group = entry.create_group(layout.WORDS)
    group.attrs["NX_class"] = "NXcollection"
    write_value(group, layout.RECORD_TYPE, source.record_type)
    write_value(group, layout.CHANNEL, source.channel)
    records = group.create_dataset(
        layout.RECORDS,
        shape=(0,),
        maxshape=(None,),
        chunks=(CHUNK_WORDS,),
        dtype="<u4",
        compression="gzip",
        compression_opts=1,
        shuffle=True,
    )
    records.attrs["long_name"] = "time-tag records as the counter sent them; those of a point from `first` on, `number`"
    for name in (layout.FIRST, layout.NUMBER):
        group.create_dataset(name, shape=(0,), maxshape=(None,), chunks=(layout.CHUNK_ROWS,), dtype="<i8")


def read_source(entry: h5py.Group) -> TagSource | None:
    """Return where the records in a file come from, None if it keeps none."""
    if layout.WORDS not in entry:
        return None
    group = entry[layout.WORDS]
    return TagSource(int(group[layout.RECORD_TYPE][()]), int(group[layout.CHANNEL][()]))


def append_words(entry: h5py.Group, number: int, words: NDArray[np.uint32]) -> None:
    """Add the records of a point, not yet flushed.

    Parameters
    ----------
    entry : h5py.Group
        Entry of a file that keeps records.
    number : int
        Of the point, which is the next one; what was written of it before and never acknowledged is overwritten.
    words : ndarray of uint32, shape (n_word,)
        Its records.
    """
    group = entry[layout.WORDS]
    end = int(group[layout.FIRST][number - 1] + group[layout.NUMBER][number - 1]) if number else 0
    first = -(-end // CHUNK_WORDS) * CHUNK_WORDS
    group[layout.RECORDS].resize(first + len(words), axis=0)
    group[layout.RECORDS][first:] = words
    for name, value in ((layout.FIRST, first), (layout.NUMBER, len(words))):
        group[name].resize(number + 1, axis=0)
        group[name][number] = value


def read_words(entry: h5py.Group, number: int) -> NDArray[np.uint32]:
    """Return the records of an acknowledged point, uint32 (n_word,).

    Parameters
    ----------
    entry : h5py.Group
        Entry of a file that keeps records.
    number : int
        Of the point, from 0.
    """
    group = entry[layout.WORDS]
    first = int(group[layout.FIRST][number])
    return np.asarray(group[layout.RECORDS][first : first + int(group[layout.NUMBER][number])])


def room_for(words: NDArray[np.uint32]) -> int:
    """Return the bytes that the records of a point take at most: whole chunks, as if nothing could be compressed."""
    return (-(-len(words) // CHUNK_WORDS) + 1) * CHUNK_WORDS * words.itemsize

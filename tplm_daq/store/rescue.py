"""Reads what is left of a damaged run file, point by point from a copy, into a new file.

Two things keep HDF5 from opening a file of which most is sound: its end is missing, for which zeros stand in, and the
mark "open for writing" of a killed writer that used a newer format, which is taken off. What then still reads and
agrees with the path is kept; what does not is left out and will be measured again. The damaged file is not touched.
HDF5 file format specification, II.A: superblock versions 0, 2 and 3; its checksum is Bob Jenkins' lookup3.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from tplm_daq.errors import InputError
from tplm_daq.store import layout
from tplm_daq.store.columns import count_rows
from tplm_daq.store.defects import lies_on_path
from tplm_daq.store.header import read_header
from tplm_daq.store.opening import UNREADABLE
from tplm_daq.store.results import read_snapshots
from tplm_daq.store.tree import read_tree, read_value
from tplm_daq.store.words import read_words
from tplm_daq.store.writer import RunWriter

SIGNATURE = b"\x89HDF\r\n\x1a\n"
OLD_END_OFFSET, NEW_END_OFFSET = 40, 28
"""Where superblocks of version 0, and of versions 2 and 3, keep the address of the end of the file."""
FLAGS_OFFSET, CHECKSUM_OFFSET = 11, 44
"""Of superblocks of versions 2 and 3."""


def rescue_run(path: Path, why: InputError) -> Path:
    """Copy what can be read of a damaged run file to `<stem>_rescued.h5` beside it.

    Parameters
    ----------
    path : Path
        The damaged file.
    why : InputError
        Why it cannot be used as it is; raised again if there is nothing to rescue.

    Returns
    -------
    Path
        The new file, without an end, so that the run can go on there.

    Raises
    ------
    InputError
        Not even the recipe can be read, the file is not damaged but of a newer program, or the new file exists already.
    """
    if not path.is_file() or not _begins_as_hdf5(path):
        raise why
    target, copy = path.with_name(f"{path.stem}_rescued.h5"), path.with_name(f".{path.name}.copy")
    if target.exists():
        raise InputError(f"{path}: damaged, and rescued before: go on with `tplm resume {target}`.") from why
    try:
        shutil.copyfile(path, copy)
        _mend(copy)
        with h5py.File(copy, "r") as file:
            if _is_newer(file[layout.ENTRY]):
                raise why
            _copy_run(file[layout.ENTRY], target)
    except UNREADABLE as error:
        target.unlink(missing_ok=True)
        raise InputError(f"{why} Nothing can be rescued from it: not even its header reads ({error}).") from error
    finally:
        copy.unlink(missing_ok=True)
    return target


def require_growable(path: Path) -> None:
    """Make sure that a run file takes another point, which the death of its writer within one may prevent.

    HDF5 writes the parts of a table in an order of its own: everything acknowledged reads, but the place of the next
    row may be announced and not there. This is tried on a copy, for the attempt itself would change the file.

    Raises
    ------
    InputError
        It does not.
    """
    trial = path.with_name(f".{path.name}.trial")
    try:
        shutil.copyfile(path, trial)
        with h5py.File(trial, "r+") as file:
            entry = file[layout.ENTRY]
            n_points = count_rows(entry[layout.POINTS])
            for table in (entry[layout.COUNTS], *entry[layout.POINTS].values()):
                table.resize(max(len(table), n_points + 1), axis=0)
                table[n_points] = 0
            file.flush()
    except UNREADABLE as error:
        raise InputError(f"{path}: takes no further points, its writer was ended within one ({error}).") from error
    finally:
        trial.unlink(missing_ok=True)


def _begins_as_hdf5(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(SIGNATURE)) == SIGNATURE


def _is_newer(entry: h5py.Group) -> bool:
    """Tell whether a later version of the program wrote the file."""
    with suppress(*UNREADABLE):
        return int(entry[layout.VERSION][()]) > layout.FORMAT_VERSION
    return False


def _mend(copy: Path) -> None:
    """Take the mark of a writer off, and let zeros stand in for an end that is missing."""
    content = copy.read_bytes()
    version = content[len(SIGNATURE)]
    offset = NEW_END_OFFSET if version >= 2 else OLD_END_OFFSET
    end = int.from_bytes(content[offset : offset + 8], "little")
    with copy.open("r+b") as stream:
        if len(content) < end < 1 << 48:
            stream.truncate(end)
        if version >= 2:
            head = bytearray(content[:CHECKSUM_OFFSET])
            head[FLAGS_OFFSET] = 0
            stream.write(head + _lookup3(bytes(head)).to_bytes(4, "little"))


def _copy_run(entry: h5py.Group, target: Path) -> None:
    """Write header, readable points, log and settings to a new file."""
    header = read_header(entry)
    with suppress(*UNREADABLE):
        header = replace(header, truth=read_tree(entry[layout.TRUTH]))
    start = datetime.fromisoformat(str(read_value(entry[layout.START_TIME])))
    with RunWriter.create(target, header, start=start) as writer:
        with suppress(*UNREADABLE):
            for device, found in read_snapshots(entry).items():
                writer.snapshot(device, "start", _first(found))
        for point in _readable_points(entry, header):
            writer.append(*point)
        with suppress(*UNREADABLE):
            log = entry[layout.LOG]
            columns = [log[name].asstr()[: count_rows(log)] for name in layout.LOG_COLUMNS]
            for line in zip(*columns, strict=True):
                writer.log(*line)


def _first(found: dict[str, object]) -> dict[str, object]:
    """Return the settings of a device at the start of the run."""
    start = found["start"]
    assert isinstance(start, dict)
    return start


def _readable_points(
    entry: h5py.Group, header: layout.RunHeader
) -> Iterator[tuple[layout.PointRow, NDArray[np.uint32], NDArray[np.uint32] | None]]:
    """Yield each point whose row, counts and kept records read, and which lies where its index says."""
    group, counts = entry[layout.POINTS], entry[layout.COUNTS]
    for number in range(count_rows(group)):
        record = np.empty(1, layout.POINT_DTYPE)
        try:
            for name in layout.POINT_COLUMNS:
                record[name] = 0 if name in layout.LATER_COLUMNS - set(group) else group[name][number]
            histogram = np.asarray(counts[number])
            words = None if header.tag_source is None else read_words(entry, number)
        except UNREADABLE:
            continue
        row = layout.row_of(record[0])
        if row.live_s > 0 and lies_on_path(record, header.positions_nm)[0]:
            yield row, histogram, words


def _lookup3(data: bytes) -> int:
    """Return Bob Jenkins' lookup3 hash of some bytes, as HDF5 uses it."""
    mask = 0xFFFFFFFF

    def rotated(x: int, n: int) -> int:
        return ((x << n) | (x >> (32 - n))) & mask

    a = b = c = (0xDEADBEEF + len(data)) & mask
    padded = data + bytes(-len(data) % 12)
    for start in range(0, len(padded), 12):
        x, y, z = (int.from_bytes(padded[start + i : start + i + 4], "little") for i in (0, 4, 8))
        a, b, c = (a + x) & mask, (b + y) & mask, (c + z) & mask
        if start + 12 < len(data):
            for n, m, k in ((4, 6, 8), (16, 19, 4)):
                a = ((a - c) & mask) ^ rotated(c, n)
                c = (c + b) & mask
                b = ((b - a) & mask) ^ rotated(a, m)
                a = (a + c) & mask
                c = ((c - b) & mask) ^ rotated(b, k)
                b = (b + a) & mask
    for n, m, k in ((14, 11, 25), (16, 4, 14)):
        c = ((c ^ b) - rotated(b, n)) & mask
        a = ((a ^ c) - rotated(c, m)) & mask
        b = ((b ^ a) - rotated(a, k)) & mask
    return ((c ^ b) - rotated(b, 24)) & mask

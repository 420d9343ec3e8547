"""Takes room on the disk before HDF5 writes, so that a full disk cannot break a run file.

If HDF5 itself meets a full disk in the middle of a flush, it leaves a file that does not open again and
may bring the process down when it ends (seen with HDF5 2.0 under a file size limit). So the file is first
made longer by hand; if that fails, HDF5 has not begun. Bytes behind HDF5's own end of the file do not
matter to any reader and are cut off when the file is closed. The promise is as good as the file system's:
one that never overwrites in place (btrfs, ZFS) may still run full.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

END_OFFSET, END_BYTES = 40, 8
"""Where a version 0 superblock keeps the end-of-file address (HDF5 file format specification, II.A)."""

SPARE_BYTES = 1 << 18
"""What a few rows take beside their counts: new chunks of columns, indices, lines of the log."""

STEP_BYTES = 1 << 20
"""The file is made longer by this much more than asked for, so that not every point has to."""


def make_room(path: Path, n_bytes: int) -> None:
    """Make sure that this many bytes, and some spare ones, can be added to a file.

    Parameters
    ----------
    path : Path
        HDF5 file with nothing unflushed.
    n_bytes : int
        Bytes about to be added.

    Raises
    ------
    OSError
        If the disk, a quota or a limit does not allow it; the contents of the file are as before.
    """
    with path.open("r+b") as stream:
        used = _end_of_data(stream)
        size = stream.seek(0, os.SEEK_END)
        if size < used + n_bytes + SPARE_BYTES:
            stream.write(bytes(used + n_bytes + SPARE_BYTES + STEP_BYTES - size))


def give_room_back(path: Path) -> None:
    """Cut off what `make_room` took and nobody used.

    Parameters
    ----------
    path : Path
        Closed HDF5 file.
    """
    with path.open("r+b") as stream:
        used = _end_of_data(stream)
        if stream.seek(0, os.SEEK_END) > used:
            stream.truncate(used)


def _end_of_data(stream: BinaryIO) -> int:
    """Return the address behind the last byte that HDF5 uses."""
    stream.seek(END_OFFSET)
    return int.from_bytes(stream.read(END_BYTES), "little")

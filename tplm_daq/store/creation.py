"""Makes a run file that a kill at any moment cannot break.

HDF5 writes what changed block by block, in the order of addresses and the file's own end last; a
process killed in between leaves the earlier blocks without the later. Two things make that harmless:

* The tables have extensible-array chunk indices, which only ever grow at their end. They belong to the
  format of HDF5 1.10, so the tables are made in a session of their own that asks for it. The B-trees of
  the earliest format move rows that are long acknowledged when a node is split.
* The rest keeps the earliest format. Its superblock (version 0) has no mark "open for writing", with
  which the files of a killed writer refuse to open.

Checked by cutting runs off after each single write to the disk (`tests/store/test_every_write.py`).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import h5py

from tplm_daq.errors import InputError, StoreError
from tplm_daq.store import layout
from tplm_daq.store.header import create_tables, write_header
from tplm_daq.store.opening import sync
from tplm_daq.store.room import make_room

TABLE_FORMAT = ("v110", "v110")
"""HDF5 version whose chunk index the tables use."""


def make_new(path: Path) -> None:
    """Make an empty file, and the folders above it.

    Parameters
    ----------
    path : Path
        The file; must not exist.

    Raises
    ------
    InputError
        If it exists, or the folder cannot be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        h5py.File(path, "x").close()
    except OSError as error:
        if not (isinstance(error, FileExistsError) and path.exists()):
            raise InputError(
                f"{path.parent}: no file can be made in this folder ({error}). Choose another with --out."
            ) from error
        raise InputError(
            f"{path}: exists already, and a run file is never overwritten. Choose another folder with --out, "
            "or continue that run with `tplm resume`."
        ) from error


def fill_new(path: Path, header: layout.RunHeader, start: datetime) -> h5py.File:
    """Write header and empty tables, and leave the file open for points.

    Parameters
    ----------
    path : Path
        File made by `make_new`.
    header : RunHeader
        What is known before the first point.
    start : datetime
        Start of the run, with its zone.

    Returns
    -------
    h5py.File
        The file, everything on the disk.

    Raises
    ------
    StoreError
        If the disk does not take it; no file is left.
    """
    try:
        return _filled(path, header, start)
    except (OSError, RuntimeError) as error:
        path.unlink()
        raise StoreError(
            f"{path}: the disk does not take the file ({error}), so nothing was measured and no file is left. "
            "Make room, or choose another folder with --out."
        ) from error
    except BaseException:
        path.unlink()
        raise


def _filled(path: Path, header: layout.RunHeader, start: datetime) -> h5py.File:
    """Write everything and open the file once more as it stays."""
    make_room(path, header.delay_ns.nbytes + len(header.recipe_text) + len(header.rig_text))
    with h5py.File(path, "r+") as file:
        write_header(file, header, start)
    with h5py.File(path, "r+", libver=TABLE_FORMAT) as file:
        create_tables(file[layout.ENTRY], header)
    file = h5py.File(path, "r+")
    try:
        sync(file)
    except OSError:
        file.close()
        raise
    return file

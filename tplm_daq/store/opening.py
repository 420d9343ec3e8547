"""Opens HDF5 files the way a run file wants it, and says in plain words why one cannot be opened.

Readers open without locking, so that they disturb no run that is going on. The writer keeps HDF5's lock:
two programs adding points to the same file would destroy it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import h5py

from tplm_daq.errors import InputError, StoreError
from tplm_daq.store import layout
from tplm_daq.store.columns import count_rows

LOCK_PAUSES_S = (0.1, 0.2, 0.4, 0.8, 1.5)
"""Pauses between attempts at a file that another program holds; a viewer that refreshes lets go within these."""

LOCK_COMPLAINTS = ("unable to lock file", "file is already open", "file locking flag values don't match")
"""What HDF5 says if another program holds the file, or another part of this one."""

WINDOWS_SHARING = (5, 32, 33)
"""Windows error codes of a file that another program has open: access denied, sharing and lock violation."""

UNREADABLE = (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError)
"""What h5py, and whoever uses its answers, raise if an object is damaged or not what a run file has in its place."""

Opened = TypeVar("Opened")

SIGNATURES = {
    b"PK\x03\x04": "a zip archive (an .npz from numpy, perhaps: then it must be called .npz)",
    b"\x93NUMPY": "a single numpy array (.npy)",
    b"PQTTTR": "a PicoQuant PTU file",
    b"PQHISTO": "a PicoQuant PHU file",
}
"""First bytes of files that a user may take for a run file."""


class SweepError(InputError):
    """A file of lattice simulations was taken for a run."""


@contextmanager
def reading(path: Path, is_sweep: bool = False) -> Iterator[h5py.Group]:
    """Open a run file for as long as the with block lasts.

    Parameters
    ----------
    path : Path
        The run file; a run may be writing it, in this process or another.
    is_sweep : bool
        Whether it may be a file of lattice simulations.

    Yields
    ------
    h5py.Group
        Its entry.

    Raises
    ------
    InputError
        If the file is missing, damaged, not a run file, or made by a newer version of the program.
    SweepError
        If it is a file of lattice simulations.
    """
    _check_is_hdf5(path)
    try:
        with _open_unlocked(path) as file:
            entry = _checked_entry(path, file)
            if not is_sweep and f"{layout.POINTS}/{layout.SWEEP_POINT}1" in entry:
                raise SweepError(
                    f"{path}: holds points of a lattice (tplm kmc), not a run: there are no counts in it. It opens in "
                    "silx or h5py."
                )
            yield entry
    except UNREADABLE as error:
        raise InputError(
            f"{path}: the file is damaged or was cut off while it was copied ({error}). "
            "Copy it again from the computer that measured it."
        ) from error


def open_for_writing(path: Path, wait: Callable[[float], None]) -> h5py.File:
    """Open an existing run file to add to it, waiting for a program that holds it.

    Parameters
    ----------
    path : Path
        The run file.
    wait : callable
        Takes a time in s and returns after it.

    Returns
    -------
    h5py.File
        The file, locked for us.

    Raises
    ------
    InputError
        If it cannot be used, or may not be written to.
    StoreError
        If it is still held after about 3 s.
    """
    with reading(path) as entry:
        count_rows(entry[layout.POINTS])
    try:
        return _patiently(lambda: h5py.File(path, "r+"), path, wait)
    except PermissionError as error:
        raise InputError(f"{path}: may not be written to. Change its permissions, or work on a copy.") from error
    except OSError as error:
        raise StoreError(f"{path}: cannot be opened for writing ({error}). Nothing was changed.") from error


def replace_patiently(copy: Path, path: Path, wait: Callable[[float], None]) -> None:
    """Let a changed copy take the place of a run file, waiting for a program that holds the file.

    Parameters
    ----------
    copy : Path
        Closed file in the same folder.
    path : Path
        The run file.
    wait : callable
        Takes a time in s and returns after it.

    Raises
    ------
    StoreError
        If the file is still held after about 3 s (Windows; elsewhere a file can be replaced under a reader).
    """
    _patiently(lambda: copy.replace(path), path, wait)


@contextmanager
def reporting(path: Path, n_points: int) -> Iterator[None]:
    """Turn what HDF5 and the disk complain about into a `StoreError` that says which data are safe.

    Parameters
    ----------
    path : Path
        The run file.
    n_points : int
        Points acknowledged so far.

    Raises
    ------
    StoreError
        If the with block could not write.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise StoreError(
            f"{path}: the disk did not take the data ({error}). The {n_points} points acknowledged before are safe "
            "in the file. Make room or mend the connection to the disk, then continue with `tplm resume`."
        ) from error


def sync(file: h5py.File) -> None:
    """Flush the file and return when the disk has it.

    Parameters
    ----------
    file : h5py.File
        File open for writing.
    """
    file.flush()
    os.fsync(file.id.get_vfd_handle())


def _patiently(attempt: Callable[[], Opened], path: Path, wait: Callable[[float], None]) -> Opened:
    """Repeat an attempt at a file for as long as another program holds it."""
    for pause_s in (*LOCK_PAUSES_S, None):
        try:
            return attempt()
        except OSError as error:
            if not _is_held(error):
                raise
            held = error
        if pause_s is not None:
            wait(pause_s)
    raise StoreError(
        f"{path}: another program holds the file, a viewer or a run that is still going on; waited "
        f"{sum(LOCK_PAUSES_S):g} s. Close it there and repeat; nothing was changed."
    ) from held


def _is_held(error: OSError) -> bool:
    """Tell whether a file could not be had because somebody has it open."""
    return getattr(error, "winerror", None) in WINDOWS_SHARING or any(text in str(error) for text in LOCK_COMPLAINTS)


def _check_is_hdf5(path: Path) -> None:
    """Raise InputError unless the file exists and begins as HDF5 does."""
    if not path.exists():
        raise InputError(f"{path}: no such file. `tplm runs` lists what has been measured.")
    if not path.is_file():
        raise InputError(f"{path}: is a folder, not a run file. Name one of the .h5 files in it.")
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
    except PermissionError as error:
        raise InputError(f"{path}: may not be read. Change its permissions.") from error
    if not h5py.is_hdf5(path):
        raise InputError(
            f"{path}: is {_kind(head)}, not a run file of this program (HDF5, .h5). `tplm runs` lists those."
        )


def _kind(head: bytes) -> str:
    """Say what a file is by its first bytes."""
    if not head:
        return "an empty file"
    for signature, kind in SIGNATURES.items():
        if head.startswith(signature):
            return kind
    is_text = all(byte in b"\t\r\n" or byte >= 32 for byte in head)
    return "a text file" if is_text and head.isascii() else "a file of unknown kind"


def _open_unlocked(path: Path) -> h5py.File:
    """Open for reading without a lock; HDF5 insists on the writer's own setting inside the writing process."""
    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        if LOCK_COMPLAINTS[2] not in str(error):
            raise
        return h5py.File(path, "r")


def _checked_entry(path: Path, file: h5py.File) -> h5py.Group:
    """Return the entry if the file is a run file that we can read."""
    entry = file.get(layout.ENTRY)
    if not isinstance(entry, h5py.Group) or layout.VERSION not in entry:
        creator = file.attrs.get("creator", "another program")
        names = ", ".join(list(file)[:5]) or "nothing"
        raise InputError(
            f"{path}: is an HDF5 file of {creator} (it holds: {names}), not a run of this program: "
            "/entry/format_version is missing."
        )
    version = int(entry[layout.VERSION][()])
    if version > layout.FORMAT_VERSION:
        raise InputError(
            f"{path}: has format_version {version}; this program reads up to {layout.FORMAT_VERSION}. Update tplm."
        )
    return entry

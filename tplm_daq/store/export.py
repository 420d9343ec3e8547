"""Writes a map of counts in formats that other programs read, and that `importer` reads back unchanged.

Only what analysis needs goes into an export: counts, axes and conditions. Settings, log and results stay
in the run file, which HDF5 tools read as it is.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tplm_daq.errors import InputError, StoreError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.store.arrays import arrays_of_map
from tplm_daq.store.csv_table import csv_lines
from tplm_daq.store.ptu import write_ptu
from tplm_daq.store.tagged_ptu import TaggedPhotons, write_tagged_ptu


def export_map(data: TimePositionMap, to: str, path: Path, tags: TaggedPhotons | None = None) -> None:
    """Write a map to a new file; missing folders are made too.

    Parameters
    ----------
    data : TimePositionMap
        Counts over position and delay.
    to : str
        "npz", "csv" or "ptu".
    path : Path
        The file; must not exist, and must end in the suffix of its format.
    tags : TaggedPhotons or None
        The records of which the counts were made, if they were kept; a PTU file gets them instead of made-up ones.

    Raises
    ------
    InputError
        If the format does not exist, cannot hold this map or does not go with the file's name, or the file exists or
        cannot be made.
    StoreError
        If the disk does not take it; no half-written file is left.
    """
    check_format(to)
    if path.suffix.lower() != f".{to}":
        raise InputError(f"{path}: a {to} file must be called so to be read again. End its name in .{to}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("xb").close()
    except OSError as error:
        if isinstance(error, FileExistsError) and path.exists():
            raise InputError(f"{path}: exists already and is not overwritten. Choose another name with -o.") from error
        raise InputError(f"{path}: cannot be made ({error.strerror}). Choose another place with -o.") from error
    try:
        with path.open("wb") as stream:
            if to == "ptu" and tags is not None:
                write_tagged_ptu(data, tags, stream)
            else:
                FORMATS[to](data, stream)
    except OSError as error:
        path.unlink()
        raise StoreError(
            f"{path}: the disk did not take the export ({error.strerror}); nothing is left of it, and the run file is "
            "unchanged. Make room, or choose another place with -o."
        ) from error
    except BaseException:
        path.unlink()
        raise


def check_format(to: str) -> None:
    """Raise unless a format can be written.

    Parameters
    ----------
    to : str
        As given by the user.

    Raises
    ------
    InputError
        With the formats there are.
    """
    if to not in FORMATS:
        raise InputError(f"--to {to}: there is no such format. Available are {', '.join(FORMATS)}.")


def _write_npz(data: TimePositionMap, stream: io.BufferedWriter) -> None:
    np.savez_compressed(stream, **arrays_of_map(data))  # type: ignore[arg-type]


def _write_csv(data: TimePositionMap, stream: io.BufferedWriter) -> None:
    stream.writelines(line.encode() for line in csv_lines(data))


FORMATS: dict[str, Callable[[TimePositionMap, io.BufferedWriter], None]] = {
    "npz": _write_npz,
    "csv": _write_csv,
    "ptu": write_ptu,
}
"""Formats by the name that the user gives, which is also the suffix."""

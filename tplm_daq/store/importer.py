"""Data measured elsewhere, as the map that analysis takes: dispatch by suffix, and numpy archives.

An `.npz` archive holds `counts` (n_position, n_bin), `position_nm` (n_position,) or (n_position, 2) and
`delay_ns` (n_bin,), the bin centres with an arbitrary zero. `repetition_rate_hz`, `dwell_s` (one number
or one per position), `t0_ns`, `response_fwhm_ns`, `pixel_nm` (one number or x and y) and `dead_time_ns`
may be added. Other keys are left alone, unless they look like one of these misspelt. The same as text is
described in `csv_table`, as time-tag records in `ptu`.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tplm_daq.errors import InputError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.store.arrays import OPTIONAL, REQUIRED, check_names, map_of_arrays
from tplm_daq.store.csv_table import read_csv
from tplm_daq.store.ptu import read_ptu
from tplm_daq.store.reader import open_run

RUN_SUFFIXES = (".h5", ".hdf5", ".nxs")


def is_run_name(path: Path) -> bool:
    """Tell whether a file is called as run files are; all other files are imported.

    Parameters
    ----------
    path : Path
        The file; it need not exist.

    Returns
    -------
    bool
        True for `.h5`, `.hdf5` and `.nxs`.
    """
    return path.suffix.lower() in RUN_SUFFIXES


def load_map(path: Path) -> TimePositionMap:
    """Return the counts of a run file or of imported data, by the file's suffix.

    Parameters
    ----------
    path : Path
        `.h5` (a run of this program), `.npz`, `.csv` or `.ptu`.

    Returns
    -------
    TimePositionMap
        Counts over position and delay.

    Raises
    ------
    InputError
        If the file cannot be used, with the reason.
    """
    path = Path(path)
    if is_run_name(path):
        return open_run(path).map()
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return read_npz(path)
    if suffix == ".csv":
        return read_csv(path)
    if suffix == ".ptu":
        return read_ptu(path)
    if path.is_dir():
        raise InputError(
            f"{path}: is a folder, and a file is wanted here. Name one of those in it; only the folder that `tplm run` "
            "made for a series can be given to `tplm report`, on its own."
        )
    if not path.exists():
        raise InputError(f"{path}: no such file. `tplm runs` lists what has been measured.")
    kind = f"files of type '{suffix}'" if suffix else "files without an ending"
    raise InputError(
        f"{path}: {kind} cannot be analysed. Possible are .h5 (a run of this program), .ptu (T3 "
        f"records), .csv (a column delay_ns and one per position) and .npz ({', '.join(REQUIRED)}; optional "
        f"{', '.join(OPTIONAL)})."
    )


def read_npz(path: Path) -> TimePositionMap:
    """Return the counts in a numpy archive.

    Parameters
    ----------
    path : Path
        The `.npz` file.

    Returns
    -------
    TimePositionMap
        Positions given as one column lie along x.

    Raises
    ------
    InputError
        If a key is missing, misspelt, not numeric or not finite, or if shapes disagree.
    """
    path = Path(path)
    arrays = _load(path)
    check_names(path, list(arrays))
    return map_of_arrays(path, arrays)


def _load(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read every array of the archive that we know by name, and the names of the rest."""
    if not path.exists():
        raise InputError(f"{path}: no such file.")
    try:
        if not zipfile.is_zipfile(path):
            raise InputError(
                f"{path}: is not a readable .npz archive: cut short, a single array (.npy), or something else. Save "
                "with np.savez(path, counts=..., ...)."
            )
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] if key in REQUIRED + OPTIONAL else np.empty(0) for key in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: is not a readable .npz archive of plain arrays ({error}).") from error

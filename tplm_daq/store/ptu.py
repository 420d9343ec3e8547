"""Time-position maps as PicoQuant PTU files (T3 records), through ptufile.

Written is a T3 image whose pixels are the detector's positions in the order of the map. If the run kept its records
(`tagged_ptu`), they are those, a line of one pixel for each position. If not, one line is made up, with as many sync
pulses per pixel as the brightest has photons: the delays are the measured ones, the arrival times are not.
`ImgHdr_PixResol` is the mean distance of neighbouring pixels in um. What a PTU header has no place for (positions,
delays, dwell, conditions) stands beside it in blobs of float64 (little endian), named ``TPLM_`` and the name of the
array in an `.npz` export, so that reading gives back the map to the last bit.

Read are these files, and those of others:

- T3 images and lines: each pixel is a position; it lies at its column (row) times `ImgHdr_PixResol` along x (y), from
  `ImgHdr_X0` (`ImgHdr_Y0`), all in um. Frames are summed; the dwell is the time per pixel times the frames.
- T3 measurements at a point: one position, at 0.

Delays are bin centres from the sync pulse on. The detector pixel is the default one, for no header tells its size.

Source: PicoQuant, "Time Tagged File Format" and "Unified Tag Dictionary".
"""

from __future__ import annotations

import io
import math
import struct
from pathlib import Path

import numpy as np
import ptufile
from numpy.typing import NDArray

from tplm_daq.errors import InputError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.store.arrays import OPTIONAL, Arrays, arrays_of_map, check_names, map_of_arrays

OWN = "TPLM_"
"""Begins the names of our tags."""

MOST_BINS = 32768
"""A T3 record has 15 bits for the delay."""

MOST_PHOTONS = 2**29
"""In a file; each takes 4 bytes there, and in memory while it is written."""

_LIMITS = {
    "ImgHdr_LineStart": 32,
    "ImgHdr_LineStop": 32,
    "ImgHdr_Frame": 32,
    "ImgHdr_PixX": 16384,
    "ImgHdr_PixY": 16384,
}
"""Highest values in a header that can be right: marker bits, and pixels."""

MOST_CELLS = 2**29
"""Pixels times bins that are read, 2 GiB."""

_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    OverflowError,
    NotImplementedError,
    UnboundLocalError,
    struct.error,
)
"""What ptufile raises for files that are damaged or of a kind it does not read."""


def read_ptu(path: Path) -> TimePositionMap:
    """Return the counts in a PTU file.

    Parameters
    ----------
    path : Path
        The `.ptu` file.

    Returns
    -------
    TimePositionMap
        One position per pixel; a single one for a measurement at a point.

    Raises
    ------
    InputError
        If it is not a T3 file that can be read, or holds photons of several detectors.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file.")
    try:
        with ptufile.PtuFile(path) as file:
            _check_kind(path, file)
            own = _own_arrays(file)
            n_bin = len(own["delay_ns"]) if "delay_ns" in own else _n_bins(file)
            counts = _counts(file, n_bin)
            arrays = {**(own or _foreign_arrays(file, n_bin, counts.shape)), "counts": counts.reshape(-1, n_bin)}
    except InputError:
        raise
    except _UNREADABLE as error:
        raise InputError(f"{path}: is not a readable PTU file of T3 records ({error}).") from error
    check_names(path, list(arrays))
    return map_of_arrays(path, arrays)


def write_ptu(data: TimePositionMap, stream: io.BufferedWriter) -> None:
    """Write a map that `read_ptu` gives back unchanged.

    Parameters
    ----------
    data : TimePositionMap
        Counts over position and delay.
    stream : binary stream
        A new file.

    Raises
    ------
    InputError
        If the map has more bins than a T3 record can tell apart, bins longer than the laser period, too many photons,
        or no repetition rate.
    """
    n_position, n_bin = data.counts.shape
    if n_bin > MOST_BINS:
        raise InputError(
            f"{n_bin} delay bins: a PTU record can tell {MOST_BINS} apart. Export as npz or csv, or measure with a "
            "shorter span or wider bins."
        )
    if data.repetition_rate_hz is None:
        raise InputError("the repetition rate is not known, and a PTU file needs it. Export as npz or csv.")
    if data.bin_width_ns * 1e-9 > 1.0 / data.repetition_rate_hz:
        raise InputError(
            f"delay bins of {data.bin_width_ns:g} ns are longer than the laser period of "
            f"{1e9 / data.repetition_rate_hz:g} ns, which a PTU file cannot hold. Correct repetition_rate_hz, or "
            "export as npz or csv."
        )
    if (n_photons := int(data.counts.sum(dtype=np.float64))) > MOST_PHOTONS:
        raise InputError(
            f"{n_photons:.3g} photons: a PTU file lists each of them, up to {MOST_PHOTONS:.3g}. Export as npz or csv."
        )
    ptufile.imwrite(
        stream,
        data.counts.astype(np.uint32).reshape(1, n_position, n_bin),
        global_resolution=1.0 / data.repetition_rate_hz,
        tcspc_resolution=data.bin_width_ns * 1e-9,
        record_type=ptufile.PtuRecordType.GenericT3,
        pixel_resolution=step_um(data),
        comment="one line; its pixels are detector positions, see the tags TPLM_position_nm (x, y) and TPLM_delay_ns",
        tags=own_tags(data),
    )


def own_tags(data: TimePositionMap) -> dict[str, str | bytes]:
    """Return the tags that name this program and hold what a PTU header has no place for."""
    arrays = {OWN + name: array for name, array in arrays_of_map(data).items() if name != "counts"}
    return {
        "CreatorSW_Name": "tplm-daq",
        "CreatorSW_Version": "1.0.0.0",
        **{name: array.astype("<f8").tobytes() for name, array in arrays.items()},
    }


def _check_kind(path: Path, file: ptufile.PtuFile) -> None:
    """Raise InputError unless the file holds T3 records of one detector, in an image of possible size."""
    for name, highest in _LIMITS.items():
        value = file.tags.get(name, 1)
        if not (isinstance(value, int) and 0 <= value <= highest):
            raise InputError(f"{path}: {name} is {value} in its header; it must be a number up to {highest}.")
    if not file.is_t3:
        raise InputError(
            f"{path}: holds T2 records (photons without the laser's sync). Measure in T3 mode, or convert it first."
        )
    if len(file.active_channels) > 1:
        raise InputError(
            f"{path}: holds photons of {len(file.active_channels)} detectors; a map has one. Save the channels apart."
        )


def _own_arrays(file: ptufile.PtuFile) -> dict[str, NDArray[np.float64]]:
    """Return the arrays in our tags, none in the file of another program."""
    own = {
        name: np.frombuffer(file.tags[OWN + name], "<f8").astype(np.float64)
        for name in ("position_nm", "delay_ns", *OPTIONAL)
        if OWN + name in file.tags
    }
    if "position_nm" in own:
        own["position_nm"] = own["position_nm"].reshape(-1, 2)
    return own


def _n_bins(file: ptufile.PtuFile) -> int:
    """Return the number of bins in a laser period, as far as the records reach."""
    n_in_period = math.ceil(file.global_resolution / file.tcspc_resolution - 1e-6)
    return max(2, min(n_in_period, int(file.number_bins_max)))


def _counts(file: ptufile.PtuFile, n_bin: int) -> NDArray[np.uint32]:
    """Return the counts, uint32 (n_row, n_column, n_bin)."""
    if file.measurement_submode in (ptufile.PtuMeasurementSubMode.IMAGE, ptufile.PtuMeasurementSubMode.LINE):
        n_cells = file.tags.get("ImgHdr_PixX", 1) * file.tags.get("ImgHdr_PixY", 1) * n_bin
        if n_cells > MOST_CELLS:
            raise ValueError(f"an image of {n_cells} pixels times bins is more than the {MOST_CELLS} that fit")
        image = np.asarray(file.decode_image(frame=-1, channel=-1, dtime=n_bin, dtype=np.uint32, keepdims=False))
        return image.reshape(-1, image.shape[-2], n_bin)
    counts = np.asarray(file.decode_histogram(dtime=n_bin, dtype=np.uint32))
    return counts.sum(axis=0, dtype=np.uint32).reshape(1, 1, n_bin)


def _foreign_arrays(file: ptufile.PtuFile, n_bin: int, shape: tuple[int, ...]) -> Arrays:
    """Return everything but the counts of another program's file."""
    tags = file.tags
    step_um = float(tags.get("ImgHdr_PixResol", 1.0))
    row, column = np.indices(shape[:2])
    x_um = float(tags.get("ImgHdr_X0", 0.0)) + step_um * column
    y_um = float(tags.get("ImgHdr_Y0", 0.0)) + step_um * row
    is_point = shape[:2] == (1, 1)
    position_um = np.zeros((1, 2)) if is_point else np.column_stack([x_um.ravel(), y_um.ravel()])
    dwell_s = float(file.acquisition_time) if is_point else float(file.pixel_time) * file.number_images
    arrays = {
        "position_nm": 1e3 * position_um,
        "delay_ns": (np.arange(n_bin) + 0.5) * file.tcspc_resolution * 1e9,
        "repetition_rate_hz": np.array(1.0 / file.global_resolution),
    }
    return {**arrays, "dwell_s": np.array(dwell_s)} if dwell_s > 0 else arrays


def step_um(data: TimePositionMap) -> float | None:
    """Return the mean distance of neighbouring positions in um, None if there is none."""
    distance_nm = np.hypot(np.diff(data.x_nm), np.diff(data.y_nm))
    return float(distance_nm.mean()) * 1e-3 if distance_nm.any() else None

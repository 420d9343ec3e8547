"""Arrays that a foreign file was read into, checked and made into the map that analysis takes, and back.

What each array is called, its shape and its unit are the same for every format; a message names the file,
the array and what it must be. Nothing is corrected or guessed.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tplm_daq.errors import InputError
from tplm_daq.photons.histogram import APD_WIDTH_AT_SAMPLE_NM, TimePositionMap

REQUIRED = ("counts", "position_nm", "delay_ns")
OPTIONAL = ("repetition_rate_hz", "dwell_s", "t0_ns", "response_fwhm_ns", "pixel_nm", "dead_time_ns")

BIN_TOLERANCE = 0.01
"""Largest deviation from equal bin widths that is taken for rounding, in bin widths."""

MOST_COUNTS = 2**53
"""Largest whole number below which a float64 holds every other."""

Arrays = Mapping[str, NDArray[np.generic]]


def map_of_arrays(path: Path, arrays: Arrays) -> TimePositionMap:
    """Return arrays as a map.

    Parameters
    ----------
    path : Path
        File they were read from, for messages.
    arrays : mapping of str to ndarray
        Under the names of `REQUIRED` and `OPTIONAL`; checked by `check_names` before.

    Returns
    -------
    TimePositionMap
        Positions given as one column lie along x.

    Raises
    ------
    InputError
        If one is not numeric or not finite, or if shapes disagree.
    """
    delay_ns = _delays(path, arrays)
    position_nm = _positions(path, arrays)
    n_position, n_bin = len(position_nm), len(delay_ns)
    return TimePositionMap(
        counts=_counts(path, arrays, (n_position, n_bin)),
        x_nm=position_nm[:, 0].copy(),
        y_nm=position_nm[:, 1].copy(),
        delay_ns=delay_ns,
        dwell_s=_dwells(path, arrays, n_position),
        repetition_rate_hz=_number(path, arrays, "repetition_rate_hz", "Hz"),
        t0_ns=_number(path, arrays, "t0_ns", "ns", is_positive=False),
        response_fwhm_ns=_number(path, arrays, "response_fwhm_ns", "ns"),
        pixel_nm=_pixel(path, arrays),
        dead_time_ns=_number(path, arrays, "dead_time_ns", "ns"),
    )


def arrays_of_map(data: TimePositionMap) -> Arrays:
    """Return a map as the arrays of an `.npz` archive; what is not known is left out.

    Parameters
    ----------
    data : TimePositionMap
        Counts over position and delay.

    Returns
    -------
    mapping of str to ndarray
        `counts` (n_position, n_bin), `position_nm` (n_position, 2), `delay_ns` (n_bin,), and the conditions.
    """
    conditions = {name: getattr(data, name) for name in OPTIONAL}
    return {
        "counts": np.asarray(data.counts),
        "position_nm": np.column_stack([data.x_nm, data.y_nm]),
        "delay_ns": data.delay_ns,
        **{name: np.asarray(value, np.float64) for name, value in conditions.items() if value is not None},
    }


def check_names(path: Path, names: Sequence[str]) -> None:
    """Raise if a needed name is missing, or if one looks like a known name misspelt.

    Parameters
    ----------
    path : Path
        File they were found in, for messages.
    names : sequence of str
        All names in it.

    Raises
    ------
    InputError
        With the names that are known.
    """
    allowed = f"Needed are {', '.join(REQUIRED)}; optional are {', '.join(OPTIONAL)}."
    missing = [key for key in REQUIRED if key not in names]
    if missing:
        raise InputError(
            f"{path}: {' and '.join(missing)} missing; it holds {', '.join(names) or 'nothing'}. {allowed}"
        )
    for key in names:
        meant = difflib.get_close_matches(key, REQUIRED + OPTIONAL, n=1, cutoff=0.8)
        if meant and meant[0] != key:
            raise InputError(f"{path}: there is a key '{key}'; should it be '{meant[0]}'? {allowed}")


def _numeric(path: Path, arrays: Arrays, key: str) -> NDArray[np.float64]:
    """Return an array as float64 if it holds finite numbers."""
    array = arrays[key]
    if array.dtype.kind not in "uif":
        raise InputError(f"{path}: {key} holds {array.dtype} values; it must hold numbers.")
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        at = f" at {list(place)}" if place else ""
        raise InputError(f"{path}: {key} is {values[place]}{at}; every value must be a finite number.")
    return values


def _delays(path: Path, arrays: Arrays) -> NDArray[np.float64]:
    """Return the bin centres in ns, checked to ascend in equal steps."""
    delay_ns = _numeric(path, arrays, "delay_ns")
    if delay_ns.ndim != 1 or len(delay_ns) < 2:
        raise InputError(f"{path}: delay_ns has shape {delay_ns.shape}; it must be [n_bin] with at least 2 bins.")
    steps_ns = np.diff(delay_ns)
    width_ns = float(steps_ns.mean())
    if width_ns <= 0 or np.abs(steps_ns - width_ns).max() > BIN_TOLERANCE * width_ns:
        raise InputError(
            f"{path}: delay_ns must ascend in equal steps; its steps go from {steps_ns.min():g} to "
            f"{steps_ns.max():g} ns. Rebin the counts to one bin width."
        )
    return delay_ns


def _positions(path: Path, arrays: Arrays) -> NDArray[np.float64]:
    """Return x and y in nm, float64 (n_position, 2)."""
    position_nm = _numeric(path, arrays, "position_nm")
    if position_nm.ndim == 1 and position_nm.size:
        return np.column_stack([position_nm, np.zeros_like(position_nm)])
    if position_nm.ndim == 2 and position_nm.shape[1] == 2 and position_nm.size:
        return position_nm
    raise InputError(
        f"{path}: position_nm has shape {position_nm.shape}; it must be [n_position] or [n_position, 2] (x and y)."
    )


def _counts(path: Path, arrays: Arrays, shape: tuple[int, int]) -> NDArray[np.uint32] | NDArray[np.int64]:
    """Return the counts, checked to be whole numbers of photons in the shape that the axes ask for."""
    values = _numeric(path, arrays, "counts")
    if values.shape != shape:
        hint = " Transpose it." if values.shape == shape[::-1] else ""
        raise InputError(
            f"{path}: counts has shape {list(values.shape)}, but position_nm and delay_ns ask for "
            f"[n_position, n_bin] = {list(shape)}.{hint}"
        )
    bad = (values < 0) | (values != np.floor(values))
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            f"{path}: counts[{row}, {column}] is {values[row, column]:g}; counts are whole numbers of photons, "
            "0 or more: their noise follows from them. Save them before any scaling or subtraction."
        )
    if values.max(initial=0) > MOST_COUNTS:
        raise InputError(
            f"{path}: counts goes up to {values.max():g}; more than 2^53 photons in a bin cannot be held "
            "exactly. Save the counts as recorded."
        )
    if arrays["counts"].dtype == np.uint32:
        return values.astype(np.uint32)
    return values.astype(np.int64)


def _dwells(path: Path, arrays: Arrays, n_position: int) -> NDArray[np.float64] | None:
    """Return the dwell of each position in s."""
    if "dwell_s" not in arrays:
        return None
    dwell_s = _positive(path, arrays, "dwell_s", "s")
    if dwell_s.size == 1:
        return np.full(n_position, dwell_s.item())
    if dwell_s.shape != (n_position,):
        raise InputError(
            f"{path}: dwell_s has shape {list(dwell_s.shape)}; it must be one number or one per position "
            f"([{n_position}])."
        )
    return dwell_s


def _pixel(path: Path, arrays: Arrays) -> tuple[float, float]:
    """Return the pixel's width along x and y in nm."""
    if "pixel_nm" not in arrays:
        return (APD_WIDTH_AT_SAMPLE_NM, APD_WIDTH_AT_SAMPLE_NM)
    pixel_nm = _positive(path, arrays, "pixel_nm", "nm")
    if pixel_nm.size not in (1, 2):
        raise InputError(f"{path}: pixel_nm has {pixel_nm.size} values; it must be one number, or x and y.")
    return (float(pixel_nm.flat[0]), float(pixel_nm.flat[-1]))


def _number(path: Path, arrays: Arrays, key: str, unit: str, is_positive: bool = True) -> float | None:
    """Return an optional number, None if it is not given."""
    if key not in arrays:
        return None
    value = _positive(path, arrays, key, unit) if is_positive else _numeric(path, arrays, key)
    if value.size != 1:
        raise InputError(f"{path}: {key} has shape {list(value.shape)}; it must be one number, in {unit}.")
    return float(value.item())


def _positive(path: Path, arrays: Arrays, key: str, unit: str) -> NDArray[np.float64]:
    """Return numbers that must be above 0."""
    values = _numeric(path, arrays, key)
    if (values <= 0).any():
        raise InputError(f"{path}: {key} is {values.min():g} {unit}; it must be above 0.")
    return values

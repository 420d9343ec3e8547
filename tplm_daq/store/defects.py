"""What contradicts itself in a run file: changed recipes, wrong indices, counts that do not add up."""

from __future__ import annotations

from collections.abc import Iterator

import h5py
import numpy as np
from numpy.typing import NDArray

from tplm_daq.readings import TagSource
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.store import layout
from tplm_daq.store.columns import read_points
from tplm_daq.store.default_plot import grid_of
from tplm_daq.store.header import text_sha256
from tplm_daq.store.results import result_names
from tplm_daq.store.summing import sum_positions
from tplm_daq.store.tree import read_value
from tplm_daq.store.words import read_words


def note_defects(entry: h5py.Group) -> list[str]:
    """Return which of the recipes in a file, rig and analyses included, were changed after they were written."""
    notes = {"recipe": entry[layout.RECIPE], "rig": entry[layout.RIG]}
    notes |= {f"recipe of {name}": entry[name][layout.RECIPE] for name in result_names(entry)}
    return [
        f"the {name} was changed after the run: its hash is not the stored one"
        for name, note in notes.items()
        if not _is_unchanged(note)
    ]


def index_defects(points: NDArray[np.void], header: layout.RunHeader) -> list[str]:
    """Return which points cannot be where, or when, their rows say, and which were taken more often than planned.

    Parameters
    ----------
    points : ndarray of layout.POINT_DTYPE, shape (n_point,)
        Rows of the run.
    header : RunHeader
        Its path and recipe.
    """
    found = [*_out_of_place(points, header.positions_nm), *_out_of_turn(points)]
    return found if _has_references(header) else [*found, *_repeated(points)]


def lies_on_path(points: NDArray[np.void], positions_nm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return for each point, bool (n_point,), whether it was taken where its index says on a path in nm, moved or not.

    Parameters
    ----------
    points : ndarray of layout.POINT_DTYPE, shape (n_point,)
        Rows of the run.
    positions_nm : ndarray of float64, shape (n_position, 2)
        x and y of each position of the path.
    """
    is_known = (points["index"] >= 0) & (points["index"] < len(positions_nm))
    path_nm = positions_nm[np.where(is_known, points["index"], 0)]
    taken_nm = np.column_stack([layout.on_path_nm(points, axis) for axis in "xy"])
    return np.asarray(is_known & np.isclose(taken_nm, path_nm, rtol=0.0, atol=2e-6).all(axis=1))


def sum_defects(entry: h5py.Group) -> list[str]:
    """Return where the plot of a finished run is not the sum of its points; nothing if there is no plot."""
    if layout.DATA not in entry:
        return []
    points, counts = read_points(entry), entry[layout.COUNTS]
    summed = sum_positions(points, counts.__getitem__, counts.shape[1])
    is_raster = str(entry[layout.POINTS].attrs[layout.POSITION_AXIS]) == "xy"
    grid = grid_of(points) if is_raster else None
    shown = entry[layout.DATA][layout.COUNTS][()]
    expected = summed.counts if grid is None else summed.counts[grid]
    if shown.shape != expected.shape:
        return [f"the plot has the shape {shown.shape}, the sums over the points {expected.shape}"]
    index = summed.index if grid is None else summed.index[grid]
    wrong = sorted(set(index[(shown != expected).any(axis=-1)].tolist()))
    return [f"the counts at position {each} in the plot are not the sum of its points" for each in wrong]


def word_defects(entry: h5py.Group, source: TagSource, n_points: int) -> list[str]:
    """Return which of the first points have other counts than their records give.

    Parameters
    ----------
    entry : h5py.Group
        Entry of a run file that keeps records.
    source : TagSource
        Their layout.
    n_points : int
        Acknowledged points.
    """
    from tplm_daq.photons.records import delays_of  # its kernels are not for who only lists runs

    counts = entry[layout.COUNTS]
    made = ((n, delays_of(read_words(entry, n), source, counts.shape[1])) for n in range(n_points))
    wrong = [number for number, delays in made if not np.array_equal(delays, counts[number])]
    return [f"the counts of point {number} are not those of its records" for number in wrong]


def _out_of_place(points: NDArray[np.void], positions_nm: NDArray[np.float64]) -> Iterator[str]:
    is_where_index_says = lies_on_path(points, positions_nm)
    for number, point in enumerate(points):
        index = int(point["index"])
        if not 0 <= index < len(positions_nm):
            yield f"point {number} has the index {index}, and the path has {len(positions_nm)} positions"
        elif not is_where_index_says[number]:
            x_nm, y_nm = positions_nm[index] + (point["x_shift_nm"], point["y_shift_nm"])
            yield (
                f"point {number} was taken at {point['x_nm']:.1f}, {point['y_nm']:.1f} nm, "
                f"and its index {index} stands for {x_nm:.1f}, {y_nm:.1f} nm"
            )


def _out_of_turn(points: NDArray[np.void]) -> Iterator[str]:
    for number in np.flatnonzero(points["start_s"][1:] < points["end_s"][:-1]) + 1:
        yield f"point {number} began before point {number - 1} ended"


def _repeated(points: NDArray[np.void]) -> Iterator[str]:
    pairs, n_times = np.unique(points[["pass", "index"]], return_counts=True)
    for pair in pairs[n_times > 1]:
        yield f"position {pair['index']} occurs more than once in pass {pair['pass']}"


def _has_references(header: layout.RunHeader) -> bool:
    """Tell whether the recipe has positions visited again and again."""
    passes = parse_mapping(header.recipe_text, "recipe").get("passes")
    return isinstance(passes, dict) and passes.get("reference_every") is not None


def _is_unchanged(note: h5py.Group) -> bool:
    """Tell whether the text of a note has the hash that was stored with it."""
    text = note[layout.NOTE_TEXT]
    return text_sha256(str(read_value(text))) == str(text.attrs[layout.NOTE_HASH])

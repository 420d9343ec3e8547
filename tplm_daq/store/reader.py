"""Reads run files, finished or cut short, without disturbing a run that is going on.

A `RunFile` holds what is small in memory and no open file: counts and results are fetched by opening
the file anew, so nothing is to be closed and nobody is locked out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from tplm_daq.errors import InputError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.store import layout
from tplm_daq.store.columns import count_rows, read_points
from tplm_daq.store.header import read_header, text_sha256
from tplm_daq.store.opening import reading
from tplm_daq.store.results import StoredResult, read_results, read_snapshots
from tplm_daq.store.summing import sum_positions
from tplm_daq.store.tree import read_tree, read_value


@dataclass(frozen=True)
class RunFile:
    """A run file as it was when it was opened.

    Attributes
    ----------
    path : Path
        The file.
    header : RunHeader
        What was known before the first point, without the truth of a simulated sample.
    points : ndarray of layout.POINT_DTYPE, shape (n_point,)
        Acknowledged points, one record each: `points["x_nm"]` is a column.
    start_time, end_time : str, str or None
        ISO 8601 with zone; no end in a run cut short.
    finish_reason : str or None
        Why the run ended; None if it was cut short or is still going on.
    """

    path: Path
    header: layout.RunHeader
    points: NDArray[np.void]
    start_time: str
    end_time: str | None
    finish_reason: str | None

    @property
    def title(self) -> str:
        """Title of the recipe."""
        return self.header.title

    @property
    def n_points(self) -> int:
        """Number of acknowledged points."""
        return len(self.points)

    def counts(self) -> NDArray[np.uint32]:
        """Return the histogram of every point, uint32 (n_point, n_bin)."""
        with reading(self.path) as entry:
            return np.asarray(entry[layout.COUNTS][: self.n_points])

    def row(self, number: int) -> tuple[layout.PointRow, NDArray[np.uint32]]:
        """Return one point and its histogram; the last one is number -1."""
        with reading(self.path) as entry:
            counts = entry[layout.COUNTS][range(self.n_points)[number]]
        return layout.row_of(self.points[number]), np.asarray(counts)

    def rows(self) -> Iterator[tuple[layout.PointRow, NDArray[np.uint32]]]:
        """Yield every point with its histogram, in the order in which they were taken."""
        return (self.row(number) for number in range(self.n_points))

    def map(self, leave_out: layout.PointFlags = layout.PointFlags.GOOD) -> TimePositionMap:
        """Return the counts summed per position, as analysis takes them.

        Positions are the means of what was read back, weighted by dwell (where nothing is read back,
        what was asked for); the dwell is the live time. Only one histogram at a time is in memory.

        Parameters
        ----------
        leave_out : PointFlags
            Points with any of these flags are left out; by default none is.

        Returns
        -------
        TimePositionMap
            Positions in the order of their index.

        Raises
        ------
        InputError
            If no point is left.
        """
        with reading(self.path) as entry:
            dataset = entry[layout.COUNTS]
            summed = sum_positions(self.points, dataset.__getitem__, len(self.header.delay_ns), leave_out)
        if not len(summed.index):
            raise InputError(
                f"{self.path}: none of its {self.n_points} points can be used; there is nothing to analyse. "
                "Continue the run with `tplm resume`, or measure again."
            )
        return self.header.map_of(summed.counts, summed.x_nm, summed.y_nm, summed.dwell_s)

    def results(self) -> list[StoredResult]:
        """Return every stored analysis, the oldest first."""
        with reading(self.path) as entry:
            return read_results(entry)

    def latest_result(self) -> StoredResult | None:
        """Return the newest stored analysis, None if there is none."""
        results = self.results()
        return results[-1] if results else None

    def snapshots(self) -> dict[str, dict[str, object]]:
        """Return the settings of each device by name, below "start" and "end"."""
        with reading(self.path) as entry:
            return read_snapshots(entry)

    def log(self) -> list[tuple[str, str, str]]:
        """Return time, level and text of each logged event."""
        with reading(self.path) as entry:
            log = entry[layout.LOG]
            columns = [log[name].asstr()[: count_rows(log)] for name in layout.LOG_COLUMNS]
        return list(zip(*columns, strict=True))

    def environment(self) -> dict[str, object]:
        """Return the versions of the program and of what it stands on, at the time of the run."""
        with reading(self.path) as entry:
            program = entry[layout.PROGRAM]
            return read_tree(entry[layout.ENVIRONMENT]) | {str(read_value(program)): str(program.attrs["version"])}

    def truth(self) -> dict[str, object] | None:
        """Return what the simulated sample was, None on a real rig; for comparison only, never for analysis.

        Returns
        -------
        dict or None
            Numbers, texts, and lists of them.
        """
        with reading(self.path) as entry:
            found = read_tree(entry[layout.TRUTH]) if layout.TRUTH in entry else None
        return found and {name: each.tolist() if isinstance(each, np.ndarray) else each for name, each in found.items()}

    def defects(self) -> list[str]:
        """Return what contradicts itself in the file, one sentence each; empty if all is well.

        Checked are the hashes of recipe and rig, the order of passes and indices, and that no position
        was counted twice in a pass.
        """
        with reading(self.path) as entry:
            found = [
                f"the {name} was changed after the run: its hash is not the stored one"
                for name in (layout.RECIPE, layout.RIG)
                if not _is_unchanged(entry[name])
            ]
        return found + _order_defects(self.points)


def open_run(path: Path) -> RunFile:
    """Read a run file, finished, cut short or still growing.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    RunFile
        What is in it now.

    Raises
    ------
    InputError
        If it is missing, damaged, not a run file, or made by a newer version of the program.
    """
    path = Path(path)
    with reading(path) as entry:
        times = {
            name: str(read_value(entry[name])) if name in entry else None
            for name in (layout.START_TIME, layout.END_TIME, layout.FINISH_REASON)
        }
        return RunFile(
            path=path,
            header=read_header(entry),
            points=read_points(entry),
            start_time=str(times[layout.START_TIME]),
            end_time=times[layout.END_TIME],
            finish_reason=times[layout.FINISH_REASON],
        )


def _is_unchanged(note: h5py.Group) -> bool:
    """Tell whether the text of a note has the hash that was stored with it."""
    text = note[layout.NOTE_TEXT]
    return text_sha256(str(read_value(text))) == str(text.attrs[layout.NOTE_HASH])


def _order_defects(points: NDArray[np.void]) -> list[str]:
    """Say where passes go backwards or a position occurs twice in one pass."""
    found = [
        f"point {row + 1} belongs to pass {points['pass'][row + 1]}, after one of pass {points['pass'][row]}"
        for row in np.flatnonzero(np.diff(points["pass"]) < 0)
    ]
    pairs, n_times = np.unique(points[["pass", "index"]], return_counts=True)
    twice = pairs[n_times > 1]
    return found + [f"position {pair['index']} occurs more than once in pass {pair['pass']}" for pair in twice]

"""Reads run files, finished or cut short, without disturbing a run that is going on.

A `RunFile` holds what is small in memory and no open file: counts and results are fetched by opening
the file anew, so nothing is to be closed and nobody is locked out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tplm_daq.errors import InputError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.store import layout
from tplm_daq.store.columns import count_rows, read_points
from tplm_daq.store.defects import index_defects, note_defects, sum_defects, word_defects
from tplm_daq.store.header import read_header
from tplm_daq.store.opening import reading
from tplm_daq.store.results import StoredResult, read_results, read_snapshots
from tplm_daq.store.summing import best_known, sum_positions
from tplm_daq.store.tagged_ptu import TaggedPhotons
from tplm_daq.store.tree import read_tree, read_value
from tplm_daq.store.words import read_words


@dataclass(frozen=True)
class RunFile:
    """A run file as it was when it was opened.

    Attributes
    ----------
    path : Path
        The file.
    header : RunHeader
        What was known before the first point, without the truth of a simulated sample.
    points : recarray of layout.POINT_DTYPE, shape (n_point,)
        Acknowledged points, one record each: `points.x_nm` or `points["x_nm"]` is a column.
    start_time, end_time : str, str or None
        ISO 8601 with zone; no end in a run cut short.
    finish_reason : str or None
        Why the run ended; None if it was cut short or is still going on.
    """

    path: Path
    header: layout.RunHeader = field(repr=False)
    points: NDArray[np.void] = field(repr=False)
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
            return np.asarray(entry[layout.COUNTS][: self.n_points]).reshape(self.n_points, len(self.header.delay_ns))

    def row(self, number: int) -> tuple[layout.PointRow, NDArray[np.uint32]]:
        """Return one point and its histogram; the last one is number -1."""
        with reading(self.path) as entry:
            counts = entry[layout.COUNTS][range(self.n_points)[number]]
        return layout.row_of(self.points[number]), np.asarray(counts)

    def words(self, number: int) -> NDArray[np.uint32]:
        """Return the time-tag records of one point, uint32 (n_word,), laid out as `header.tag_source` says.

        Raises
        ------
        InputError
            If the run keeps none.
        """
        if self.header.tag_source is None:
            raise InputError(
                f"{self.path}: keeps no records of photons. Measure with counter.mode: t3 and counter.keep_words: true."
            )
        with reading(self.path) as entry:
            return read_words(entry, range(self.n_points)[number])

    def tags(self) -> TaggedPhotons | None:
        """Return the records of all points, those of a position together as `map` sums them; None if none are kept."""
        if self.header.tag_source is None:
            return None
        index = self.points["index"]
        positions = [np.flatnonzero(index == each).tolist() for each in np.unique(index)]
        return TaggedPhotons(self.header.tag_source, [[self._words_of(n) for n in numbers] for numbers in positions])

    def _words_of(self, number: int) -> Callable[[], NDArray[np.uint32]]:
        return lambda: self.words(number)

    def rows(self) -> Iterator[tuple[layout.PointRow, NDArray[np.uint32]]]:
        """Yield every point with its histogram, in the order in which they were taken."""
        return (self.row(number) for number in range(self.n_points))

    def map(self, leave_out: layout.PointFlags = layout.PointFlags.GOOD) -> TimePositionMap:
        """Return the counts summed per position, as analysis takes them.

        Positions are the means of what was read back, weighted by dwell (where nothing is read back,
        what was asked for), less the shift of passes that followed the spot; the dwell is the live time.
        Only one histogram at a time is in memory.

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

    def passes(self) -> list[tuple[TimePositionMap, NDArray[np.float64]]]:
        """Return each pass as a map of its own, with the middle of each point's dwell in s since the start of the run.

        Positions are those read back, wherever the path was. All histograms are in memory at once.
        """
        counts, points = self.counts(), self.points
        x_nm, y_nm = best_known(points, "x"), best_known(points, "y")
        time_s = 0.5 * (points["start_s"] + points["end_s"])
        rows_of_passes = [np.flatnonzero(points["pass"] == number) for number in np.unique(points["pass"])]
        return [
            (self.header.map_of(counts[rows], x_nm[rows], y_nm[rows], points["live_s"][rows]), time_s[rows])
            for rows in rows_of_passes
        ]

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

        They are those of `changed_notes`, `misplaced_points`, `wrong_sums` and `wrong_words`.
        """
        return [*self.changed_notes(), *self.misplaced_points(), *self.wrong_sums(), *self.wrong_words()]

    def changed_notes(self) -> list[str]:
        """Return which recipes, of the run, its rig or its analyses, do not have the hash stored with them."""
        with reading(self.path) as entry:
            return note_defects(entry)

    def misplaced_points(self) -> list[str]:
        """Return which points lie where their index does not say, overlap in time, or were taken twice in a pass."""
        return index_defects(self.points, self.header)

    def wrong_sums(self) -> list[str]:
        """Return at which positions the plot of a finished run is not the sum of its points."""
        with reading(self.path) as entry:
            return sum_defects(entry)

    def wrong_words(self) -> list[str]:
        """Return which points have other counts than their records give; empty if the run keeps no records."""
        source = self.header.tag_source
        if source is None:
            return []
        with reading(self.path) as entry:
            return word_defects(entry, source, self.n_points)


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

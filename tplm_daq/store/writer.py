"""Writes a run file so that whatever has been acknowledged survives the death of this process.

`append` returns when the point is on the disk: the row is flushed, then the number of rows is raised,
flushed and fsynced (`columns`, `creation`). Whatever changes the structure of a file that has points
(the end, results, settings) is done on a copy, which then takes the file's place in one step. So a
process killed at any moment leaves a file that opens in an ordinary reader, with every acknowledged
point. After a power failure the same holds for the points before the one being written, as far as the
disk keeps what fsync promised. A full disk is met before HDF5 begins to write (`room`).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py
import numpy as np
from numpy.typing import NDArray

from tplm_daq.errors import StoreError
from tplm_daq.store import layout
from tplm_daq.store.columns import Appender, count_rows
from tplm_daq.store.creation import fill_new, make_new
from tplm_daq.store.ending import is_for_more_points, size_of_data, take_back_end, write_end
from tplm_daq.store.opening import open_for_writing, replace_patiently, reporting, sync
from tplm_daq.store.results import StoredResult, next_result_name, write_result, write_snapshot
from tplm_daq.store.room import give_room_back, make_room
from tplm_daq.store.words import append_words, room_for


def local_time() -> datetime:
    """Return the time of the wall with its zone."""
    return datetime.now().astimezone()


class RunWriter:
    """The one writer of a run file; made by `create` or `reopen`, closed by `close` or a with statement.

    Attributes
    ----------
    path : Path
        The run file.
    n_points : int
        Points in the file, all of them acknowledged.
    """

    def __init__(self, path: Path, file: h5py.File, now: Callable[[], datetime], wait: Callable[[float], None]) -> None:
        self.path = path
        self._open(file)
        self._now = now
        self._wait = wait
        self._is_on_copy = False
        self.n_points = count_rows(self._entry[layout.POINTS])

    @classmethod
    def create(
        cls,
        path: Path,
        header: layout.RunHeader,
        now: Callable[[], datetime] = local_time,
        wait: Callable[[float], None] = time.sleep,
        start: datetime | None = None,
    ) -> Self:
        """Make a new run file; missing folders are made too.

        Parameters
        ----------
        path : Path
            The file; must not exist.
        header : RunHeader
            What is known before the first point.
        now : callable
            Returns the time with its zone; for time stamps.
        wait : callable
            Takes a time in s and returns after it; used if another program holds the file.
        start : datetime or None
            When the run began, if that was not now.

        Returns
        -------
        RunWriter
            The open file, ready for `append`.

        Raises
        ------
        InputError
            If the file exists, or its folder cannot be made or written to.
        StoreError
            If the disk does not take it.
        """
        path = Path(path)
        make_new(path)
        return cls(path, fill_new(path, header, start or now()), now, wait)

    @classmethod
    def reopen(
        cls, path: Path, now: Callable[[], datetime] = local_time, wait: Callable[[float], None] = time.sleep
    ) -> Self:
        """Open an existing run file to add points or results, waiting up to 3 s for a viewer to let go of it.

        Parameters
        ----------
        path, now, wait
            As for `create`; the file exists.

        Raises
        ------
        InputError
            If it is missing, not a run file, or may not be written to.
        StoreError
            If another program goes on holding it.
        """
        return cls(Path(path), open_for_writing(Path(path), wait), now, wait)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, row: layout.PointRow, counts: NDArray[np.uint32], words: NDArray[np.uint32] | None = None) -> None:
        """Add a point; it is safe when this returns.

        Parameters
        ----------
        row : PointRow
            The point's columns.
        counts : ndarray of uint32, shape (n_bin,)
            Its histogram.
        words : ndarray of uint32, shape (n_word,), or None
            The records of which it was made, in a file that keeps them.

        Raises
        ------
        StoreError
            If histogram or records do not fit the file, or the disk does not take it.
        """
        if not is_for_more_points(self._entry):
            with self.in_one_step():
                take_back_end(self._entry)
        table = self._entry[layout.COUNTS]
        if counts.shape != table.shape[1:] or counts.dtype != np.uint32:
            raise StoreError(
                f"{self.path}: a histogram must be uint32 with {table.shape[1]} bins as the file's delay axis, "
                f"not {counts.dtype} {counts.shape}. The point was not written."
            )
        if (words is None) == (layout.WORDS in self._entry):
            raise StoreError(
                f"{self.path}: either each point has its records or none has; this one comes "
                f"{'without' if words is None else 'with'} records. The point was not written."
            )
        with reporting(self.path, self.n_points):
            make_room(self.path, counts.nbytes + (0 if words is None else room_for(words)))
            table.resize(self.n_points + 1, axis=0)
            table[self.n_points] = counts
            if words is not None:
                append_words(self._entry, self.n_points, words)
            self._points.append(self.n_points, layout.row_values(row))
            sync(self._file)
        self.n_points += 1

    def log(self, time_iso: str, level: str, text: str) -> None:
        """Add one line to the event log.

        Parameters
        ----------
        time_iso, level, text : str
            ISO 8601 time with zone; "info", "warning" or "error"; what happened.
        """
        with reporting(self.path, self.n_points):
            make_room(self.path, len(text))
            log = self._entry[layout.LOG]
            row = dict(zip(layout.LOG_COLUMNS, (time_iso, level, text), strict=True))
            Appender(log).append(count_rows(log), row)

    @contextmanager
    def in_one_step(self) -> Iterator[None]:
        """Let several additions happen together or not at all; each of them alone does so anyway.

        They go to a copy, which takes the file's place at the end of the with block. Before the first
        point there is nothing to lose, and no copy is made.

        Raises
        ------
        StoreError
            If there is no room for the copy, or a viewer holds the file; the file is as before.
        """
        if self._is_on_copy or self.n_points == 0:
            yield
            return
        copy = self.path.with_name(f".{self.path.name}.new")
        try:
            with reporting(self.path, self.n_points):
                self._file.close()
                shutil.copyfile(self.path, copy)
                self._open(h5py.File(copy, "r+"))
            self._is_on_copy = True
            yield
            with reporting(self.path, self.n_points):
                sync(self._file)
                self._file.close()
                give_room_back(copy)
                replace_patiently(copy, self.path, self._wait)
        finally:
            self._is_on_copy = False
            self._file.close()
            copy.unlink(missing_ok=True)
            self._open(open_for_writing(self.path, self._wait))

    def snapshot(
        self, device: str, when: str, values: Mapping[str, object] | None = None, error: str | None = None
    ) -> None:
        """Keep every setting of a device, or why they could not be read.

        Parameters
        ----------
        device : str
            Name in the rig file.
        when : str
            "start" or "end"; a resumed run adds "start_2" and so on by itself.
        values, error : mapping or None, str or None
            Settings and readings with units in their names; what went wrong instead.
        """
        failure = {} if error is None else {layout.SNAPSHOT_ERROR: error}
        with self._adding(0) as entry:
            write_snapshot(entry, device, when, {layout.SNAPSHOT_TIME: self._stamp(), **failure, **(values or {})})

    def write_result(
        self, method: str, scalars: Mapping[str, object], arrays: Mapping[str, NDArray[np.generic]], recipe_text: str
    ) -> str:
        """Add the result of an analysis beside earlier ones.

        Parameters
        ----------
        method : str
            Estimator used.
        scalars, arrays : mapping
            Numbers, texts and lists of the result; its curves. No name may occur in both.
        recipe_text : str
            Analysis recipe that made it, YAML.

        Returns
        -------
        str
            Name of the new group under `/entry`, "analysis_1" for the first.
        """
        n_bytes = sum(array.nbytes for array in arrays.values()) + len(recipe_text)
        with self._adding(n_bytes) as entry:
            name = next_result_name(entry)
            write_result(entry, StoredResult(name, method, self._stamp(), recipe_text, {**scalars, **arrays}))
        return name

    def finish(self, finish_reason: str) -> None:
        """Say why the run ended, and write the summed map that viewers open with.

        Parameters
        ----------
        finish_reason : str
            "completed", "target_reached", "max_time", "failed", "aborted" or "guard".
        """
        with self._adding(size_of_data(self._entry)) as entry:
            write_end(entry, self._stamp(), finish_reason)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with reporting(self.path, self.n_points):
            if self._file:
                self._file.close()
                give_room_back(self.path)

    def _open(self, file: h5py.File) -> None:
        """Go on in this file."""
        self._file, self._points = file, Appender(file[layout.ENTRY][layout.POINTS])

    @property
    def _entry(self) -> h5py.Group:
        """Entry of the file that is open at the moment; opened anew if a viewer kept it after the last step."""
        if not self._file:
            self._open(open_for_writing(self.path, self._wait))
        return self._file[layout.ENTRY]

    @contextmanager
    def _adding(self, n_bytes: int) -> Iterator[h5py.Group]:
        """Yield the entry to add to when there is room for it, and flush what was added."""
        with self.in_one_step(), reporting(self.path, self.n_points):
            make_room(Path(self._file.filename), n_bytes)
            yield self._entry
            self._file.flush()

    def _stamp(self) -> str:
        """Return the present time as ISO 8601 with zone."""
        return self._now().isoformat(timespec="milliseconds")

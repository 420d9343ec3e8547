"""Summaries kept from the last look at a folder, so that a folder of many run files is listed at once.

They lie in a hidden file in that folder, once reading it has taken a while. A run file is taken to be what it was if
its size, its times of change and its number on the disk are the same; one that changed just before it was read is not
kept, because a second change may look the same to a coarse clock. The hidden file is a help and never needed: one that
is damaged, of another version, or that cannot be written is left aside, and of two programs that write it at the same
time one wins.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

from tplm_daq.store.summary import RunSummary, summarise

KEPT_NAME = ".tplm-runs.json"
KEPT_VERSION = 1
"""Raised when `RunSummary` means something else than before."""
FEWEST_READ = 100
"""So many files, a quarter of a second, may be read anew each time before they are kept."""
SETTLED_NS = 5_000_000_000
"""A file that changed within this time may change again and look the same; file systems know times to 2 s or better."""

FIELDS = tuple(field.name for field in fields(RunSummary) if field.name != "path")


class KeptSummaries:
    """The summaries of one folder: those kept from before, and those read now.

    Parameters
    ----------
    folder : Path
        Where the run files are, or the folders that hold them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = _read(folder / KEPT_NAME)
        self._current: dict[str, list[Any]] = {}
        self._n_read = 0

    def summary(self, path: Path) -> RunSummary:
        """Return the summary of a run file in the folder, read now if it is not known from before.

        Raises
        ------
        InputError
            It cannot be read as a run file.
        """
        try:
            status = path.stat()
        except OSError:
            return summarise(path)  # which says what is wrong
        signature = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        name = path.relative_to(self._folder).as_posix()
        known = self._kept.get(name)
        if known is not None and known[0] == signature:
            with suppress(TypeError, ValueError):
                found = _summary(path, known[1])
                self._current[name] = known
                return found
        found = summarise(path)
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > SETTLED_NS:
            self._current[name] = [signature, _values(found)]
            self._n_read += 1
        return found

    def write(self) -> None:
        """Keep what was read, if that is worth it and the folder can be written to."""
        if self._n_read < FEWEST_READ:
            return
        with suppress(OSError):
            handle, name = tempfile.mkstemp(prefix=KEPT_NAME, dir=self._folder)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as stream:
                    json.dump({"version": KEPT_VERSION, "fields": FIELDS, "files": self._current}, stream)
                Path(name).chmod(0o644)  # for whoever else looks into the folder
                Path(name).replace(self._folder / KEPT_NAME)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise


def _read(path: Path) -> dict[str, list[Any]]:
    """Return what was kept: by the name of each file its signature and values; nothing if it cannot be used."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["version"] == KEPT_VERSION and kept["fields"] == list(FIELDS):
            return {name: entry for name, entry in kept["files"].items() if len(entry) == 2}
    return {}


def _values(summary: RunSummary) -> list[Any]:
    """Return the fields of a summary as JSON takes them."""
    return [value.isoformat() if isinstance(value := getattr(summary, name), datetime) else value for name in FIELDS]


def _summary(path: Path, values: list[Any]) -> RunSummary:
    """Return a summary as it was kept."""
    found = dict(zip(FIELDS, values, strict=True))
    interval = found["ci95_cm2_s"]
    found["start_time"] = datetime.fromisoformat(found["start_time"])
    found["ci95_cm2_s"] = None if interval is None else (interval[0], interval[1])
    return RunSummary(path=path, **found)

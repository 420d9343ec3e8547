"""What has been measured: a line per run file in a folder.

A file that cannot be read is listed with the reason; it hides no other. A folder of ten thousand files is listed in a
second once it has been looked at (see `kept_summaries`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tplm_daq.errors import InputError
from tplm_daq.store.importer import is_run_name
from tplm_daq.store.kept_summaries import KeptSummaries
from tplm_daq.store.opening import SweepError
from tplm_daq.store.summary import RunSummary

SAME = 0.05
"""Relative width of a `Range` that was given as one value."""


@dataclass(frozen=True)
class Range:
    """Values from `low` to `high`, both included; None sets no limit.

    Examples
    --------
    >>> Range.around(10.0).holds(10.4), Range(low=5.0).holds(4.0), Range(high=5.0).holds(None)
    (True, False, False)
    """

    low: float | None = None
    high: float | None = None

    @classmethod
    def around(cls, value: float) -> Range:
        """Return the range of what counts as the same."""
        return cls(value - SAME * abs(value), value + SAME * abs(value))

    def holds(self, value: float | None) -> bool:
        """Tell whether a value lies within; one that is not known does in no range that has a limit."""
        if self == Range():
            return True
        if value is None:
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


ANY = Range()


@dataclass(frozen=True)
class UnreadableFile:
    """A file that is called like a run but cannot be read as one, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Catalogue:
    """The run files of a folder.

    Attributes
    ----------
    folder : Path
        Where they are.
    runs : tuple of RunSummary
        The oldest first.
    unreadable : tuple of UnreadableFile
        By name.
    """

    folder: Path
    runs: tuple[RunSummary, ...]
    unreadable: tuple[UnreadableFile, ...]

    def select(
        self,
        text: str = "",
        since: date | None = None,
        until: date | None = None,
        power_nw: Range = ANY,
        diffusivity_cm2_s: Range = ANY,
    ) -> Catalogue:
        """Return the runs that match; files that cannot be read stay, since they may be what is looked for.

        Parameters
        ----------
        text : str
            Part of title or sample, in any case.
        since, until : date or None
            First and last day of the start, on the calendar of the place of the measurement.
        power_nw, diffusivity_cm2_s : Range
            Average power, and D of the newest stored result; runs without are left out unless every value will do.

        Returns
        -------
        Catalogue
            The selection.

        Raises
        ------
        InputError
            If `until` lies before `since`.
        """
        if since is not None and until is not None and until < since:
            raise InputError(f"the last day, {until}, lies before the first, {since}. Exchange them.")
        wanted = text.casefold()
        runs = tuple(
            run
            for run in self.runs
            if (wanted in run.title.casefold() or wanted in run.sample.casefold())
            and (since is None or run.start_time.date() >= since)
            and (until is None or run.start_time.date() <= until)
            and power_nw.holds(run.average_power_nw)
            and diffusivity_cm2_s.holds(run.diffusivity_cm2_s)
        )
        return Catalogue(self.folder, runs, self.unreadable)

    def to_dict(self) -> dict[str, object]:
        """Return what `tplm runs --json` prints."""
        return {
            "folder": str(self.folder),
            "runs": [run.to_dict() for run in self.runs],
            "unreadable": [{"path": str(file.path), "reason": file.reason} for file in self.unreadable],
        }


def read_catalogue(folder: Path) -> Catalogue:
    """Return a summary of every run file in a folder and the folders in it.

    Parameters
    ----------
    folder : Path
        Where to look; hidden files are passed over.

    Returns
    -------
    Catalogue
        What was found; empty if there are no run files.

    Raises
    ------
    InputError
        If there is no such folder.
    """
    folder, runs, unreadable = Path(folder), [], []
    kept = KeptSummaries(folder)
    for path in run_files(folder):
        try:
            runs.append(kept.summary(path))
        except SweepError:
            continue
        except InputError as error:
            unreadable.append(UnreadableFile(path, str(error).removeprefix(f"{path}: ")))
    kept.write()
    runs.sort(key=lambda run: run.start_time)
    return Catalogue(folder, tuple(runs), tuple(unreadable))


def run_files(folder: Path) -> list[Path]:
    """Return what is called like a run file, in the folder and all folders in it; hidden files are passed over.

    Raises
    ------
    InputError
        If there is no such folder.
    """
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "no such folder"
        raise InputError(f"{folder}: {what}. Name the folder that holds the run files; `tplm run` makes runs/.")
    found = (Path(here, name) for here, folders, files in os.walk(folder) for name in (*folders, *files))
    return sorted(path for path in found if is_run_name(path) and not path.name.startswith("."))

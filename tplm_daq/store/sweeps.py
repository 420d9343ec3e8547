"""Files of lattice simulations: one HDF5 file per recipe, one group per condition, grown by whole copies.

The file carries NeXus attributes and opens with the diffusivity against t_exc::

    /                        NXroot        @default=entry
    `-- entry                NXentry       @default=data, program_name (with @version), format_version
        |-- recipe           NXnote        data: everything that the points have in common (JSON, with @sha256)
        |-- data             NXdata        d_sim_cm2_s (with errors) against t_exc_us, one row per point, with alpha
        `-- points           NXcollection
            `-- point_1 ...  NXdata        s2_nm2 against time_ns, and every other number and array of the point

Points are added to a copy that then takes the place of the file, so that whoever is killed, whenever, leaves a complete
file. That costs the size of the file each time, so the file rests between writes in proportion to what they take. What
arrives meanwhile is not lost either: each point is first appended to a journal beside the file, one line of JSON,
flushed and fsynced. The journal is deleted once the file holds its points, and read if it is still there.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tplm_daq.errors import InputError, StoreError
from tplm_daq.store import layout
from tplm_daq.store.header import child, note_text, write_note, write_program
from tplm_daq.store.opening import reading, replace_patiently, sync
from tplm_daq.store.tree import read_tree, write_tree, write_value

RESTS_PER_WRITE = 20.0
"""The file is written at most one part in so many of the time."""

_CURVE = ("t_exc_us", "alpha", "tau_pulse_ns", "d_sim_cm2_s", "standard_error_cm2_s")

Point = Mapping[str, object]
"""Numbers and arrays of one condition by name, among them those of `_CURVE`."""


class SweepFile:
    """The points of one recipe: those in the file, and those to be written.

    Parameters
    ----------
    path : Path
        The file; made with the first point. Its folder is made if absent.
    recipe_text : str
        What all points have in common.

    Raises
    ------
    InputError
        The folder cannot be made, or the file is none of ours, or belongs to another recipe.
    StoreError
        There is a journal, and the disk does not take its points into the file.

    Attributes
    ----------
    stored : list of Point
        Points that the disk has, in the file or in its journal.
    """

    def __init__(self, path: Path, recipe_text: str) -> None:
        self.path = path
        self._recipe_text = recipe_text
        self._journal = path.with_name(f"{path.name}.journal")
        self._next_write_s = 0.0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{path.parent}: the folder cannot be made ({error}). Choose another with --out."
            ) from error
        in_file = self._read() if path.exists() else []
        known = {_condition(point) for point in in_file}
        self._waiting = [point for point in _read_journal(self._journal) if _condition(point) not in known]
        self.stored = [*in_file, *self._waiting]
        self.write()

    def add(self, point: Point) -> None:
        """Store a point: in the file or, if that was written a moment ago, in the journal. The disk has it on return.

        Raises
        ------
        StoreError
            The disk does not take it.
        """
        try:
            with self._journal.open("a", encoding="utf-8") as journal:
                journal.write(json.dumps(point, default=_plain) + "\n")
                journal.flush()
                os.fsync(journal.fileno())
        except OSError as error:
            raise self._refused(error) from error
        self._waiting.append(point)
        self.stored.append(point)
        if time.monotonic() >= self._next_write_s:
            self.write()

    def write(self) -> None:
        """Bring the file up to date, if it is not.

        Raises
        ------
        StoreError
            The disk does not take it; the file is as it was before, and the journal holds what is missing.
        """
        if self._waiting:
            self._write_waiting()
        self._journal.unlink(missing_ok=True)

    def _write_waiting(self) -> None:
        began_s = time.monotonic()
        copy = self.path.with_name(f"{self.path.name}.partial")
        try:
            if self.path.exists():
                shutil.copyfile(self.path, copy)
            else:
                self._create(copy)
            with h5py.File(copy, "r+") as file:
                self._append(file[layout.ENTRY])
                sync(file)
            replace_patiently(copy, self.path, time.sleep)
        except (OSError, RuntimeError) as error:
            copy.unlink(missing_ok=True)
            raise self._refused(error) from error
        self._waiting = []
        self._next_write_s = time.monotonic() + RESTS_PER_WRITE * (time.monotonic() - began_s)

    def _refused(self, error: Exception) -> StoreError:
        return StoreError(
            f"{self.path}: the disk did not take the points ({error}). The {len(self.stored)} points stored before are "
            "safe. Make room, then start the same sweep again: it goes on from there."
        )

    def _create(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            file.attrs.update(NX_class="NXroot", default=layout.ENTRY)
            entry = child(file, layout.ENTRY, "NXentry")
            write_value(entry, layout.VERSION, layout.FORMAT_VERSION)
            write_program(entry)
            write_note(entry, layout.RECIPE, self._recipe_text)
            child(entry, layout.POINTS)

    def _append(self, entry: h5py.Group) -> None:
        for number, point in enumerate(self._waiting, start=len(entry[layout.POINTS]) + 1):
            group = child(entry[layout.POINTS], f"{layout.SWEEP_POINT}{number}", "NXdata")
            group.attrs.update(signal="s2_nm2", axes=["time_ns"])
            write_tree(group, point)
        if layout.DATA in entry:
            del entry[layout.DATA]
        points = sorted(self.stored, key=_place_on_curve)
        curve = child(entry, layout.DATA, "NXdata")
        curve.attrs.update(signal="d_sim_cm2_s", axes=["t_exc_us"])
        for name in _CURVE:
            stored_as = "d_sim_cm2_s_errors" if name == "standard_error_cm2_s" else name
            write_value(curve, stored_as, np.array([point[name] for point in points]))
        entry.attrs["default"] = layout.DATA

    def _read(self) -> list[Point]:
        with reading(self.path, is_sweep=True) as entry:
            if layout.POINTS not in entry or layout.COUNTS in entry:
                raise InputError(f"{self.path}: is a run file, not one of lattice simulations. Choose another --out.")
            if note_text(entry, layout.RECIPE) != self._recipe_text:
                raise InputError(
                    f"{self.path}: belongs to another recipe. Choose another folder with --out, or move the file away."
                )
            points = entry[layout.POINTS]
            return [read_tree(points[f"{layout.SWEEP_POINT}{number + 1}"]) for number in range(len(points))]


def _read_journal(path: Path) -> list[Point]:
    """Return the points of a journal, without a last line that was cut short by a kill."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line, object_hook=_array) for line in lines]


def _plain(array: object) -> object:
    """Return how an array is written in the journal."""
    if isinstance(array, np.ndarray):
        return {"dtype": array.dtype.name, "values": array.tolist()}
    raise TypeError(f"a {type(array).__name__} cannot be written to a journal of points")


def _array(written: dict[str, Any]) -> object:
    return np.array(written["values"], written["dtype"]) if written.keys() == {"dtype", "values"} else written


def _condition(point: Point) -> tuple[object, object]:
    return point["alpha"], point["tau_pulse_ns"]


def _place_on_curve(point: Point) -> list[Any]:
    return [point[name] for name in _CURVE[:3]]

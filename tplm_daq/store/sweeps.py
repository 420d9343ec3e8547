"""Files of lattice simulations: one HDF5 file per recipe, one group per condition, grown by whole copies.

The file carries NeXus attributes and opens with the diffusivity against t_exc::

    /                        NXroot        @default=entry
    `-- entry                NXentry       @default=data, program_name (with @version), format_version
        |-- recipe           NXnote        data: everything that the points have in common (JSON, with @sha256)
        |-- data             NXdata        d_sim_cm2_s (with errors) against t_exc_us, one row per point, with alpha
        `-- points           NXcollection
            `-- point_1 ...  NXdata        s2_nm2 against time_ns, and every other number and array of the point

Points are added to a copy that then takes the place of the file, so that whoever is killed, whenever, leaves a complete
file. That costs the size of the file each time; `SweepFile` therefore waits between writes in proportion to what they
take.
"""

from __future__ import annotations

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

_POINTS, _POINT = "points", "point_"
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
    """

    def __init__(self, path: Path, recipe_text: str) -> None:
        self.path = path
        self._recipe_text = recipe_text
        self._waiting: list[Point] = []
        self._next_write_s = 0.0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{path.parent}: the folder cannot be made ({error}). Choose another with --out."
            ) from error
        self.stored = self._read() if path.exists() else []

    def add(self, point: Point) -> None:
        """Keep a point; it is written now, or with later ones if the last write was a moment ago.

        Raises
        ------
        StoreError
            The disk does not take it.
        """
        self._waiting.append(point)
        if time.monotonic() >= self._next_write_s:
            self.write()

    def write(self) -> None:
        """Write what has been added; when this returns the disk has it.

        Raises
        ------
        StoreError
            The disk does not take it; the file is as it was before.
        """
        if not self._waiting:
            return
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
            raise StoreError(
                f"{self.path}: the disk did not take the points ({error}). The {len(self.stored)} points written "
                "before are safe. Make room, then start the same sweep again: it goes on from there."
            ) from error
        self.stored = [*self.stored, *self._waiting]
        self._waiting = []
        self._next_write_s = time.monotonic() + RESTS_PER_WRITE * (time.monotonic() - began_s)

    def _create(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            file.attrs.update(NX_class="NXroot", default=layout.ENTRY)
            entry = child(file, layout.ENTRY, "NXentry")
            write_value(entry, layout.VERSION, layout.FORMAT_VERSION)
            write_program(entry)
            write_note(entry, layout.RECIPE, self._recipe_text)
            child(entry, _POINTS)

    def _append(self, entry: h5py.Group) -> None:
        for number, point in enumerate(self._waiting, start=len(entry[_POINTS]) + 1):
            group = child(entry[_POINTS], f"{_POINT}{number}", "NXdata")
            group.attrs.update(signal="s2_nm2", axes=["time_ns"])
            write_tree(group, point)
        if layout.DATA in entry:
            del entry[layout.DATA]
        points = sorted([*self.stored, *self._waiting], key=_place_on_curve)
        curve = child(entry, layout.DATA, "NXdata")
        curve.attrs.update(signal="d_sim_cm2_s", axes=["t_exc_us"])
        for name in _CURVE:
            stored_as = "d_sim_cm2_s_errors" if name == "standard_error_cm2_s" else name
            write_value(curve, stored_as, np.array([point[name] for point in points]))
        entry.attrs["default"] = layout.DATA

    def _read(self) -> list[Point]:
        with reading(self.path) as entry:
            if _POINTS not in entry or layout.COUNTS in entry:
                raise InputError(f"{self.path}: is a run file, not one of lattice simulations. Choose another --out.")
            if note_text(entry, layout.RECIPE) != self._recipe_text:
                raise InputError(
                    f"{self.path}: belongs to another recipe. Choose another folder with --out, or move the file away."
                )
            return [read_tree(entry[_POINTS][f"{_POINT}{number + 1}"]) for number in range(len(entry[_POINTS]))]


def _place_on_curve(point: Point) -> list[Any]:
    return [point[name] for name in _CURVE[:3]]

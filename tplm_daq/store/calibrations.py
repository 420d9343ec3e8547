"""Calibration files: what one alignment procedure found, what it was found from, and until when it is believed.

A calibration is a YAML file, named after procedure and time, that is written once and never changed. It holds for rigs
with the same `depends_on`, which its maker computes from the parts of the rig that matter. Runs refer to it by name and
SHA-256 of the file.
"""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import AwareDatetime, model_validator

from tplm_daq.errors import InputError, StoreError
from tplm_daq.recipes.align import Procedure
from tplm_daq.recipes.base import Model
from tplm_daq.recipes.load import dump_yaml, read_yaml, validate

FOLDER = "calibrations"
"""Name of the folder beside the run files."""

USED: dict[Procedure, tuple[str, ...]] = {
    "spot": ("x_nm", "y_nm"),
    "response": ("t0_ns", "response_fwhm_ns"),
    "magnification": ("magnification_x", "magnification_y"),
    "power": ("repetition_rate_hz", "rate_cps_nw"),
}
"""Values that runs use, by procedure."""


class Calibration(Model):
    """What one procedure found."""

    kind: Literal["calibration"] = "calibration"
    procedure: Procedure
    rig: str
    """Name of the rig."""
    depends_on: str
    """Hash of what the values depend on."""
    made_at: AwareDatetime
    expires_at: AwareDatetime
    """From then on it is not used any more."""
    values: dict[str, float]
    """What was found, units in the names; standard errors are called `..._error_...`."""
    measured: dict[str, tuple[float, ...]]
    """From what: columns of equal length, units in the names."""
    recipe_text: str
    """The recipe that was followed."""

    def is_valid_at(self, now: datetime) -> bool:
        """Tell whether it may be used at a time, which has a zone."""
        return self.made_at <= now < self.expires_at

    @model_validator(mode="after")
    def _what_runs_use_is_there(self) -> Calibration:
        missing = [name for name in USED.get(self.procedure, ()) if name not in self.values]
        if missing:
            raise ValueError(f"values has no {' and no '.join(missing)}; make the calibration anew")
        return self


class Stored(NamedTuple):
    """A calibration with its file and the SHA-256 of the file."""

    calibration: Calibration
    path: Path
    sha256: str


class Found(NamedTuple):
    """The calibration that holds for a rig, None if none does, and newer ones that do not, the newest first."""

    used: Stored | None
    left: tuple[Stored, ...]


def write_calibration(folder: Path, calibration: Calibration) -> Stored:
    """Write a calibration into a folder, which is made if absent; when this returns the disk has it.

    Raises
    ------
    StoreError
        The disk does not take it.
    """
    content = dump_yaml(calibration).encode()
    path = folder / f"{calibration.procedure}_{calibration.made_at:%Y%m%d-%H%M%S-%f}.yaml"
    partial = path.with_suffix(".partial")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    except OSError as error:
        raise StoreError(f"{path}: the calibration cannot be written ({error.strerror}). Run it again.") from error
    return Stored(calibration, path, hashlib.sha256(content).hexdigest())


def read_calibration(path: Path) -> Stored:
    """Return the calibration in a file.

    Raises
    ------
    InputError
        The file cannot be read, or is no calibration.
    """
    calibration = validate(Calibration, read_yaml(path), path)
    return Stored(calibration, path, hashlib.sha256(path.read_bytes()).hexdigest())


def find_calibration(folder: Path, procedure: Procedure, depends_on: str, now: datetime) -> Found:
    """Return the latest calibration of a procedure that holds for a rig now, and what was passed over.

    Parameters
    ----------
    folder : Path
        Where calibrations are; need not exist.
    procedure : str
        Which one.
    depends_on : str
        Hash of what its values depend on, of the rig in question.
    now : datetime
        With its zone.

    Raises
    ------
    InputError
        A file that may be the one cannot be read.
    """
    left: list[Stored] = []
    for path in sorted(folder.glob(f"{procedure}_*.yaml"), reverse=True):
        try:
            found = read_calibration(path)
        except InputError as error:
            raise InputError(f"{error} It is a damaged calibration: delete it, and make a new one.") from error
        if found.calibration.depends_on == depends_on and found.calibration.is_valid_at(now):
            return Found(found, tuple(left))
        left.append(found)
    return Found(None, tuple(left))

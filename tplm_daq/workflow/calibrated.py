"""What calibrations do to a rig: the valid ones put their values into its optics, and are named there by hash."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import get_args

from tplm_daq.recipes.align import Procedure
from tplm_daq.recipes.rig import CalibrationReference, RigRecipe
from tplm_daq.store.calibrations import FOLDER, Stored, find_calibration
from tplm_daq.store.writer import local_time

PLACES = {"address"}
"""What may change of a device without an effect on calibrations."""


def with_calibrations(rig: RigRecipe, folder: Path, now: datetime | None = None) -> RigRecipe:
    """Return a rig with what its valid calibrations found, each named with the SHA-256 of its file.

    Magnification and response replace those of the rig file; t0 and the place of the spot are added. Focus and dark
    counts change nothing in the optics, but are named all the same.

    Parameters
    ----------
    rig : RigRecipe
        As the rig file has it.
    folder : Path
        Folder of the run files; calibrations lie in a folder of theirs in it.
    now : datetime or None
        With its zone; None for now.

    Raises
    ------
    InputError
        A calibration that may be the one cannot be read.
    """
    moment, key = now or local_time(), rig_key(rig)
    found = [find_calibration(folder / FOLDER, procedure, key, moment) for procedure in get_args(Procedure)]
    used = [stored for stored in found if stored is not None]
    if not used:
        return rig
    changes: dict[str, object] = {}
    for stored in used:
        changes |= _optics_of(stored)
    references = tuple(
        CalibrationReference(procedure=stored.calibration.procedure, file=stored.path.name, sha256=stored.sha256)
        for stored in used
    )
    return rig.model_copy(update={"optics": rig.optics.model_copy(update=changes), "calibrations": references})


def rig_key(rig: RigRecipe) -> str:
    """Return the hash of what calibrations depend on: name, optics, counter and detector axes as the rig file has them.

    Addresses do not matter, and of a simulation only the error of its magnification does.
    """
    optics, devices, simulation = rig.optics, rig.devices, rig.simulation
    parts = {
        "name": rig.name,
        "optics": optics.model_dump(
            include={"magnification_x", "magnification_y", "detector_width_mm", "detector_height_mm"}
        ),
        "counter": devices.counter.model_dump(exclude=PLACES),
        "detector_x": devices.detector_x.model_dump(exclude=PLACES),
        "detector_y": devices.detector_y.model_dump(exclude=PLACES),
        "magnification_error": None if simulation is None else simulation.magnification_error,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _optics_of(stored: Stored) -> dict[str, object]:
    values = stored.calibration.values
    match stored.calibration.procedure:
        case "spot":
            return {"spot_nm": (values["x_nm"], values["y_nm"])}
        case "response":
            return {"t0_ns": values["t0_ns"], "response_fwhm_ps": 1e3 * values["response_fwhm_ns"]}
        case "magnification":
            return {axis: values[axis] for axis in ("magnification_x", "magnification_y")}
    return {}

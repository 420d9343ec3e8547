"""What calibrations do to a rig: the valid ones put their values into its optics, and are named there by hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, get_args

from tplm_daq.recipes.align import Procedure
from tplm_daq.recipes.devices import Devices
from tplm_daq.recipes.rig import CalibrationReference, RigRecipe, Simulation
from tplm_daq.store.calibrations import FOLDER, Stored, find_calibration
from tplm_daq.store.writer import local_time

PLACES = {"address"}
"""What may change of a device without an effect on calibrations."""

OPTICS = {
    "spot": ("spot_nm",),
    "response": ("t0_ns", "response_fwhm_ps"),
    "magnification": ("magnification_x", "magnification_y"),
    "power": ("expected_rate_cps_nw",),
}
"""What the procedures change of the optics."""
WHEELS = (
    ("attenuator", "filters", "densities"),
    ("detection_filter", "filters", "densities"),
    ("attenuator", "power", "energies_fj"),
)
"""Wheels, the procedures that change them, and what of them."""
AS_IT_IS = ("magnification", "attenuator_densities", "detection_densities")
"""What is kept in a simulation when calibrations change the rest."""


class Left(NamedTuple):
    """The latest calibration of a procedure of which none holds for a rig, and why it does not."""

    stored: Stored
    reason: str


@dataclass(frozen=True)
class Calibrations:
    """What a folder holds for a rig: calibrations that a run takes over, and those that it leaves.

    Attributes
    ----------
    used : tuple of Stored
        One of each procedure at most.
    left : tuple of Left
        Of the other procedures, as far as there are files.
    """

    used: tuple[Stored, ...]
    left: tuple[Left, ...]

    @property
    def references(self) -> tuple[CalibrationReference, ...]:
        """Those taken over, as a rig names them."""
        return tuple(
            CalibrationReference(procedure=stored.calibration.procedure, file=stored.path.name, sha256=stored.sha256)
            for stored in self.used
        )

    def told(self) -> list[tuple[str, str]]:
        """Return what is to be said of them as names and texts; nothing if there are none."""
        used = calibrated_text(self.references)
        left = [
            ("not taken", f"{stored.calibration.procedure} ({stored.path.name}): {reason}")
            for stored, reason in self.left
        ]
        return [*([("calibrated", used)] if used else []), *left]

    def to_dict(self) -> dict[str, object]:
        """Return what `tplm check --json` says of them."""
        return {
            "calibrations": [each.model_dump() for each in self.references],
            "calibrations_left": [
                {"procedure": stored.calibration.procedure, "file": stored.path.name, "reason": reason}
                for stored, reason in self.left
            ],
        }


def calibrated_text(calibrations: Iterable[CalibrationReference]) -> str:
    """Name calibrations that are taken over, with their files."""
    return ", ".join(f"{each.procedure} ({each.file})" for each in calibrations)


def with_calibrations(rig: RigRecipe, folder: Path, now: datetime | None = None) -> RigRecipe:
    """Return a rig with what its valid calibrations found, each named with the SHA-256 of its file.

    Magnification, response and densities of filters replace those of the rig file; t0, the place of the spot, the
    energies behind the attenuator and the rate that they give are added. Focus and dark counts change nothing, but are
    named all the same. What a simulated rig really is stays as it was.

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
    return calibrated_by(look_up(rig, folder, now), rig)


def look_up(rig: RigRecipe, folder: Path, now: datetime | None = None) -> Calibrations:
    """Return which calibrations a run of a rig takes over, and which it leaves; parameters as of `with_calibrations`.

    Raises
    ------
    InputError
        A calibration that may be the one cannot be read.
    """
    moment = now or local_time()
    used: list[Stored] = []
    left: list[Left] = []
    for procedure in get_args(Procedure):
        key = rig_key(rig, procedure)
        found = find_calibration(folder / FOLDER, procedure, key, moment)
        if found.used is not None:
            used.append(found.used)
        elif found.left:
            latest = next((each for each in found.left if each.calibration.depends_on == key), found.left[0])
            left.append(Left(latest, _why_left(latest, rig, key, moment)))
    return Calibrations(tuple(used), tuple(left))


def calibrated_by(found: Calibrations, rig: RigRecipe) -> RigRecipe:
    """Return a rig with what the calibrations that were looked up for it found."""
    if not found.used:
        return rig
    changes: dict[str, object] = {}
    devices = rig.devices
    for stored in found.used:
        changes |= _optics_of(stored)
        devices = _calibrated_devices(devices, stored)
    optics = rig.optics.model_copy(update=changes)
    return rig.model_copy(
        update={"optics": optics, "devices": devices, "simulation": _as_it_is(rig), "calibrations": found.references}
    )


def calibrated_as(rig: RigRecipe, other: RigRecipe) -> RigRecipe:
    """Return a rig with what calibrations put into another one, whether they are still valid or not.

    Parameters
    ----------
    rig : RigRecipe
        As the rig file has it.
    other : RigRecipe
        As a run file has it.
    """
    procedures = {each.procedure for each in other.calibrations}
    if not procedures:
        return rig
    names = [name for procedure in sorted(procedures) for name in OPTICS.get(procedure, ())]
    optics = rig.optics.model_copy(update={name: getattr(other.optics, name) for name in names})
    changes: dict[str, Any] = {}
    for wheel, procedure, name in WHEELS:
        here, there = getattr(rig.devices, wheel), getattr(other.devices, wheel)
        if procedure in procedures and here is not None and there is not None:
            changes[wheel] = changes.get(wheel, here).model_copy(update={name: getattr(there, name)})
    devices = rig.devices.model_copy(update=changes)
    simulation = rig.simulation
    if simulation is not None and other.simulation is not None:
        simulation = simulation.model_copy(update={name: getattr(other.simulation, name) for name in AS_IT_IS})
    return rig.model_copy(
        update={"optics": optics, "devices": devices, "simulation": simulation, "calibrations": other.calibrations}
    )


def rig_key(rig: RigRecipe, procedure: Procedure) -> str:
    """Return the hash of what a calibration depends on: name, optics, counter and detector axes of the rig file.

    Addresses do not matter, and of a simulation only the error of its magnification does. What is measured of filters
    depends on wheels and power meter as well.
    """
    optics, devices, simulation = rig.optics, rig.devices, rig.simulation
    parts: dict[str, object] = {
        "name": rig.name,
        "optics": optics.model_dump(
            include={"magnification_x", "magnification_y", "detector_width_mm", "detector_height_mm"}
        ),
        "counter": devices.counter.model_dump(exclude=PLACES),
        "detector_x": devices.detector_x.model_dump(exclude=PLACES),
        "detector_y": devices.detector_y.model_dump(exclude=PLACES),
        "magnification_error": None if simulation is None else simulation.magnification_error,
    }
    if procedure in ("filters", "power"):
        wheels = (devices.attenuator, devices.power_meter, devices.detection_filter)
        parts["wheels"] = [None if each is None else each.model_dump(mode="json", exclude=PLACES) for each in wheels]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _why_left(stored: Stored, rig: RigRecipe, key: str, moment: datetime) -> str:
    """Say why a calibration does not hold for a rig, whose key is given."""
    calibration = stored.calibration
    if calibration.depends_on != key:
        return "of this rig as it was before" if calibration.rig == rig.name else f"of another rig, {calibration.rig}"
    if moment < calibration.made_at:
        return f"made later than now, {calibration.made_at:%Y-%m-%d %H:%M}"
    return f"expired {calibration.expires_at:%Y-%m-%d %H:%M}"


def _optics_of(stored: Stored) -> dict[str, object]:
    values = stored.calibration.values
    match stored.calibration.procedure:
        case "spot":
            return {"spot_nm": (values["x_nm"], values["y_nm"])}
        case "response":
            return {"t0_ns": values["t0_ns"], "response_fwhm_ps": 1e3 * values["response_fwhm_ns"]}
        case "magnification":
            return {axis: values[axis] for axis in ("magnification_x", "magnification_y")}
        case "power":
            return {"expected_rate_cps_nw": values["rate_cps_nw"]}
    return {}


def _calibrated_devices(devices: Devices, stored: Stored) -> Devices:
    """Return devices with what a calibration found of their wheels."""
    values, changes = stored.calibration.values, dict[str, object]()
    attenuator, detection = devices.attenuator, devices.detection_filter
    if stored.calibration.procedure == "filters":
        if attenuator is not None:
            densities = _with_measured(attenuator.densities, values, "attenuator_density_{}")
            changes["attenuator"] = attenuator.model_copy(update={"densities": densities})
        if detection is not None:
            densities = _with_measured(detection.known_densities, values, "detection_density_{}")
            changes["detection_filter"] = detection.model_copy(update={"densities": densities})
    if stored.calibration.procedure == "power" and attenuator is not None:
        per_hz = 1e6 / values["repetition_rate_hz"]
        measured_nw = [values.get(f"power_{n}_nw") for n in range(1, len(attenuator.densities) + 1)]
        energies_fj = tuple(None if power_nw is None else power_nw * per_hz for power_nw in measured_nw)
        changes["attenuator"] = attenuator.model_copy(update={"energies_fj": energies_fj})
    return devices.model_copy(update=changes)


def _with_measured(believed: Sequence[float], values: Mapping[str, float], name: str) -> tuple[float, ...]:
    """Return the densities of a wheel by position, those measured in place of those believed."""
    return tuple(values.get(name.format(n), density) for n, density in enumerate(believed, start=1))


def _as_it_is(rig: RigRecipe) -> Simulation | None:
    """Return the simulation of a rig with everything in it that a calibration must not change."""
    simulation, optics, devices = rig.simulation, rig.optics, rig.devices
    if simulation is None:
        return None
    true, wheel, detection = 1.0 + simulation.magnification_error, devices.attenuator, devices.detection_filter
    is_now: dict[str, object] = {
        "magnification": (optics.magnification_x * true, optics.magnification_y * true),
        "attenuator_densities": None if wheel is None else wheel.densities,
        "detection_densities": None if detection is None else detection.known_densities,
    }
    return simulation.model_copy(update={key: getattr(simulation, key) or value for key, value in is_now.items()})

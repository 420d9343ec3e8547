"""Which devices of a rig answer, and what to do about those that do not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from tplm_daq.errors import DeviceError, TplmError
from tplm_daq.readings import Setting
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig.lock import RigLock
from tplm_daq.rig.probe import Answer, SerialPort, ask_devices, serial_ports
from tplm_daq.roles import Operator

MANUAL = "by hand"
"""In place of the address of a device without an interface."""

IDENTITY = {
    "model": "",
    "trigger_model": "",
    "serial": "serial ",
    "firmware": "firmware ",
    "hardware_version": "version ",
}
"""Keys of a snapshot that tell who a device is, with the word before the value."""


@dataclass(frozen=True)
class DeviceRow:
    """One device of the rig.

    Attributes
    ----------
    role, model, address : str
        As in the rig file.
    status : str
        ``ok``, ``failed``, or ``manual`` for a device that cannot be asked.
    identity : str
        Who answered.
    cause, advice : str or None
        Why it failed, and what to do next.
    settings : mapping of str to Setting
        What it tells of itself, units in the keys.
    """

    role: str
    model: str
    address: str
    status: Literal["ok", "failed", "manual"]
    identity: str
    cause: str | None
    advice: str | None
    settings: Mapping[str, Setting]


@dataclass(frozen=True)
class DevicesReport:
    """The devices of a rig and the serial ports of this computer."""

    rig: str
    devices: tuple[DeviceRow, ...]
    serial_ports: tuple[SerialPort, ...]

    @property
    def n_failed(self) -> int:
        """How many devices failed."""
        return sum(row.status == "failed" for row in self.devices)

    def to_dict(self) -> dict[str, object]:
        """Return what `tplm devices --json` prints."""
        return {
            "rig": self.rig,
            "devices": [{**vars(row), "settings": _finite(row.settings)} for row in self.devices],
            "serial_ports": [asdict(port) for port in self.serial_ports],
        }


def probe_devices(rig: RigRecipe, operator: Operator) -> DevicesReport:
    """Open, identify and close each device of a rig on its own; switches nothing on.

    Parameters
    ----------
    rig : RigRecipe
        The rig file.
    operator : Operator
        As for a scan; is not asked for anything.

    Returns
    -------
    DevicesReport
        A device that fails is a row with its cause and the next step, not an exception.

    Raises
    ------
    RigError
        Another program drives the rig; nothing was opened.
    """
    with RigLock(rig.real_addresses):
        answers = ask_devices(rig, operator)
    return DevicesReport(rig.name, tuple(_row(answer) for answer in answers), serial_ports())


def _finite(settings: Mapping[str, Setting]) -> dict[str, Setting | None]:
    """Return settings as JSON has them: None where a number is not one."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in settings.items()
    }


def _row(answer: Answer) -> DeviceRow:
    if answer.error is not None:
        cause, advice = _reason(answer.error)
        return DeviceRow(answer.role, answer.model, answer.address, "failed", "", cause, advice, {})
    if not answer.address:
        return DeviceRow(
            answer.role, answer.model, MANUAL, "manual", "set and declared by the operator", None, None, {}
        )
    identity = _identity(answer.snapshot)
    return DeviceRow(answer.role, answer.model, answer.address, "ok", identity, None, None, answer.snapshot)


def _reason(error: TplmError) -> tuple[str, str | None]:
    return (error.cause, error.advice) if isinstance(error, DeviceError) else (str(error), None)


def _identity(snapshot: Mapping[str, Setting]) -> str:
    """Say who answered; a device without identification is known by its readings only."""
    told = [f"{word}{snapshot[key]}" for key, word in IDENTITY.items() if snapshot.get(key)]
    return ", ".join(told) or "answers in its protocol, which has no identification"

"""Asks each device of a rig who it is, one after the other, so that a dead one does not hide the others.

Connecting switches nothing on. The list of serial ports helps to find a device whose address is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from serial.tools import list_ports

from tplm_daq.errors import TplmError
from tplm_daq.readings import Setting
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig.open import Opening, world_of
from tplm_daq.roles import Operator


@dataclass(frozen=True)
class Answer:
    """What came of asking one device.

    Attributes
    ----------
    role, model, address : str
        As in the rig file; the address is empty for a device that has none.
    snapshot : mapping of str to Setting
        Identity, settings and readings; empty if it failed or cannot be asked.
    error : TplmError or None
        Why it failed.
    """

    role: str
    model: str
    address: str
    snapshot: Mapping[str, Setting]
    error: TplmError | None = None


@dataclass(frozen=True)
class SerialPort:
    """A serial port of this computer; `usb_id` is VID:PID in hexadecimal, None if it is not on USB."""

    name: str
    description: str
    usb_id: str | None
    serial: str | None


def ask_devices(recipe: RigRecipe, operator: Operator) -> tuple[Answer, ...]:
    """Open, identify and close each device of a rig file.

    Parameters
    ----------
    recipe : RigRecipe
        Which boxes, where; doubles are started for a simulated rig, and ended.
    operator : Operator
        As for `open_rig`; is not asked for anything.

    Returns
    -------
    tuple of Answer
        In the order of the rig file.
    """
    opening = Opening(recipe, world_of(recipe), operator)
    try:
        return tuple(_ask(opening, role, device) for role, device in recipe.devices if device is not None)
    finally:
        opening.give_up()


def serial_ports() -> tuple[SerialPort, ...]:
    """List the serial ports of this computer."""
    return tuple(
        SerialPort(
            name=port.device,
            description=port.description or "",
            usb_id=None if port.vid is None or port.pid is None else f"{port.vid:04x}:{port.pid:04x}",
            serial=port.serial_number,
        )
        for port in sorted(list_ports.comports(), key=lambda port: str(port.device))
    )


def _ask(opening: Opening, role: str, device: object) -> Answer:
    model, address = str(getattr(device, "model", "")), str(getattr(device, "address", ""))
    if not address:
        return Answer(role, model, address, {})
    try:
        return Answer(role, model, address, opening.ask(role))
    except TplmError as error:
        return Answer(role, model, address, {}, error)

"""Serial ports by the serial number of the USB device behind them, which stays the same when port names change.

A Thorlabs controller answers to the eight digits on its label. Windows adds a letter for the channel of the FTDI chip.
"""

from __future__ import annotations

from dataclasses import dataclass

from serial.tools import list_ports

PREFIX = "serial://"
"""Begins an address that names a serial number, such as ``serial://26001234``."""


@dataclass(frozen=True)
class UsbPort:
    """A serial port with its USB device: ids in hexadecimal such as 0403:FAF0, serial number and description."""

    port: str
    ids: str
    serial: str
    description: str

    def __str__(self) -> str:
        """Return one line for a list of ports."""
        return f"{self.port} ({self.ids}, serial {self.serial}, {self.description})"


def usb_ports() -> tuple[UsbPort, ...]:
    """Return the serial ports of this computer that belong to USB devices."""
    return tuple(
        UsbPort(found.device, f"{found.vid:04X}:{found.pid:04X}", found.serial_number or "none", found.description)
        for found in list_ports.comports()
        if found.vid is not None and found.pid is not None
    )


def resolve(address: str) -> str:
    """Return the port that an address means: ``serial://`` is looked up, everything else is a port or URL already.

    Raises
    ------
    ConnectionError
        No port, or more than one, has the serial number; the message lists the ports that there are.
    """
    if not address.startswith(PREFIX):
        return address
    wanted = address.removeprefix(PREFIX)
    ports = usb_ports()
    found = [port for port in ports if wanted and port.serial in (wanted, f"{wanted}A")]
    if len(found) == 1:
        return found[0].port
    there = "; ".join(map(str, found or ports)) or "none"
    raise ConnectionError(
        f"{len(found) or 'no'} serial ports with the serial number {wanted!r}; USB serial ports here: {there}. "
        "Check the cable and the power; on Windows tick Load VCP in the device's advanced properties"
    )

"""Addresses of boxes in a rig file: names that VISA opens, and serial ports; mixing them up is answered at once.

Whether anybody is at an address shows when it is opened.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

DOUBLE = "double"
"""Address of a device that is simulated."""

_VISA = re.compile(r"(ASRL|GPIB|TCPIP|USB|PXI|VXI|VICP|PRLGX|visa://)", re.IGNORECASE)
_ALIAS = re.compile(r"(?!COM\d)[A-Za-z][\w-]*")
"""A name that somebody gave a box in the VISA library's own tool."""
_HOST_AND_PORT = re.compile(r"TCPIP\d*::([^:]+)::(\d+)", re.IGNORECASE)
_WINDOWS_PORT = re.compile(r"COM(\d+)", re.IGNORECASE)
_VISA_SERIAL = re.compile(r"ASRL(.+?)(::INSTR)?", re.IGNORECASE)


def check_visa(address: str) -> str:
    """Return the address of a box that is opened through VISA, or its alias there, or `DOUBLE`.

    Raises
    ------
    ValueError
        It is none, with the one that was probably meant.

    Examples
    --------
    >>> check_visa("GPIB0::12::INSTR")
    'GPIB0::12::INSTR'
    """
    if _ALIAS.fullmatch(address) or (_VISA.match(address) and not _HOST_AND_PORT.fullmatch(address)):
        return address
    raise ValueError(f"{address} is no VISA address; write {_visa_for(address)}")


def _visa_for(address: str) -> str:
    """Return what was probably meant."""
    if served := _HOST_AND_PORT.fullmatch(address):
        return f"TCPIP::{served[1]}::{served[2]}::SOCKET"
    if port := _WINDOWS_PORT.fullmatch(address):
        return f"ASRL{port[1]}::INSTR"
    if address.startswith("/dev/"):
        return f"ASRL{address}::INSTR"
    if re.fullmatch(r"[\w.-]+\.[\w-]+(:\d+)?", address):
        host, _, port_number = address.partition(":")
        return f"TCPIP::{host}::{port_number or 'PORT'}::SOCKET"
    return "TCPIP::HOST::PORT::SOCKET, ASRL4::INSTR for COM4, ASRL/dev/ttyUSB0::INSTR or GPIB0::12::INSTR"


def check_serial(address: str) -> str:
    """Return the address of a box on a serial port.

    Raises
    ------
    ValueError
        It is in VISA's words, with the port that was probably meant.

    Examples
    --------
    >>> check_serial("COM4"), check_serial("serial://26001234")
    ('COM4', 'serial://26001234')
    """
    if not _VISA.match(address):
        return address
    found = _VISA_SERIAL.fullmatch(address)
    port = "COM4 or /dev/ttyUSB0" if found is None else f"COM{found[1]}" if found[1].isdigit() else found[1]
    raise ValueError(f"{address} is in VISA's words, and this box is opened as a serial port; write {port}")


VisaAddress = Annotated[str, AfterValidator(check_visa)]
SerialAddress = Annotated[str, AfterValidator(check_serial)]

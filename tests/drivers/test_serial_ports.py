"""Serial ports are found by the serial number on the label of the box."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from drivers.serial_ports import resolve, usb_ports

KST_X = SimpleNamespace(device="COM7", vid=0x0403, pid=0xFAF0, serial_number="26001234A", description="APT USB Device")
KST_Y = SimpleNamespace(device="/dev/ttyUSB1", vid=0x0403, pid=0xFAF0, serial_number="26005678", description="KST101")
MODEM = SimpleNamespace(device="/dev/ttyS0", vid=None, pid=None, serial_number=None, description="n/a")
NAMELESS = SimpleNamespace(device="COM9", vid=0x1FB9, pid=0x0300, serial_number=None, description="335")


@pytest.fixture(autouse=True)
def _ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: [KST_X, MODEM, KST_Y, NAMELESS])


@pytest.mark.parametrize(("number", "port"), [("26001234", "COM7"), ("26005678", "/dev/ttyUSB1")])
def test_a_serial_number_leads_to_its_port_also_with_the_letter_of_windows(number: str, port: str) -> None:
    assert resolve(f"serial://{number}") == port


@pytest.mark.parametrize("address", ["COM4", "/dev/ttyUSB0", "socket://127.0.0.1:4000"])
def test_a_port_is_a_port(address: str) -> None:
    assert resolve(address) == address


@pytest.mark.parametrize("number", ["26009999", "", "2600123"])
def test_an_unknown_number_lists_what_is_there(number: str) -> None:
    with pytest.raises(ConnectionError, match=r"no serial ports with .*COM7 \(0403:FAF0, serial 26001234A, APT USB"):
        resolve(f"serial://{number}")


def test_a_number_that_two_ports_have_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: [KST_Y, KST_Y])
    with pytest.raises(ConnectionError, match="2 serial ports with the serial number '26005678'"):
        resolve("serial://26005678")


def test_without_any_port_the_message_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_ports, "comports", list)
    with pytest.raises(ConnectionError, match="USB serial ports here: none. Check the cable and the power"):
        resolve("serial://26005678")


def test_only_usb_ports_are_listed_with_their_ids() -> None:
    assert [port.ids for port in usb_ports()] == ["0403:FAF0", "0403:FAF0", "1FB9:0300"]
    assert usb_ports()[2].serial == "none"

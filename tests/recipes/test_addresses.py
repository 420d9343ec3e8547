"""An address of the wrong kind is refused when the rig file is read, with the one that was meant."""

from __future__ import annotations

import pytest

from tests.rig.conftest import rig_recipe
from tplm_daq.errors import InputError
from tplm_daq.recipes.addresses import check_serial, check_visa

VISA = (
    "TCPIP::192.0.2.10::5025::SOCKET",
    "TCPIP0::10.0.0.5::inst0::INSTR",
    "ASRL4::INSTR",
    "GPIB0::12::INSTR",
    "PRLGX-TCPIP::192.0.2.10::1234::INTFC",
    "visa://192.0.2.10/GPIB0::12::INSTR",
    "laser_trigger",
    "double",
)
"""What VISA opens, and what is simulated."""
MEANT = {
    "192.0.2.10": "TCPIP::192.0.2.10::PORT::SOCKET",
    "scope.lab:5025": "TCPIP::scope.lab::5025::SOCKET",
    "TCPIP::192.0.2.10::5025": "TCPIP::192.0.2.10::5025::SOCKET",
    "COM4": "ASRL4::INSTR",
    "/dev/ttyUSB2": "ASRL/dev/ttyUSB2::INSTR",
    "socket://scope": "TCPIP::HOST::PORT::SOCKET, ASRL4::INSTR for COM4",
}


@pytest.mark.parametrize("address", VISA)
def test_addresses_of_visa_are_taken_as_they_are(address: str) -> None:
    assert check_visa(address) == address


@pytest.mark.parametrize("address", MEANT)
def test_what_visa_cannot_open_is_answered_with_what_was_meant(address: str) -> None:
    with pytest.raises(ValueError, match="is no VISA address; write ") as caught:
        check_visa(address)
    assert str(caught.value).partition("write ")[2].startswith(MEANT[address])


@pytest.mark.parametrize(
    ("address", "meant"),
    [("ASRL4::INSTR", "COM4"), ("ASRL/dev/ttyUSB0", "/dev/ttyUSB0"), ("USB0::1::2::INSTR", "COM4 or /dev/ttyUSB0")],
)
def test_a_serial_port_in_the_words_of_visa_is_answered_with_the_port(address: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"opened as a serial port; write {meant}$"):
        check_serial(address)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("devices.thermostat.address=COM4", "devices.thermostat.*write ASRL4::INSTR"),
        ("devices.trigger.address=192.0.2.10", "devices.trigger.address.*write TCPIP::192.0.2.10::PORT::SOCKET"),
        ("devices.stage.address=192.0.2.10", "devices.stage.address.*is no VISA address"),
        ("devices.detector_x.address=ASRL4", "devices.detector_x.address.*write COM4"),
    ],
)
def test_a_rig_file_is_read_with_this_in_mind(change: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        rig_recipe(change)
    assert rig_recipe("devices.stage.address=double").devices.stage is not None

"""Foreign exceptions become ours with device, address and next step; pauses are kept on the rig's clock."""

from __future__ import annotations

import logging

import pytest
import pyvisa
import serial
from pymeasure.adapters import ProtocolAdapter
from pyvisa.constants import StatusCode

from simulators.clock import SimClock
from tplm_daq.errors import DeviceError, DeviceTimeout, InputError, LinkError
from tplm_daq.rig.links import Link, PacedAdapter, WallClock, forget_old_handlers

CASES = {
    "unknown alias": (
        pyvisa.errors.VisaIOError(StatusCode.error_resource_not_found),
        LinkError,
        "knows no box or alias",
    ),
    "VISA time-out": (pyvisa.errors.VisaIOError(StatusCode.error_timeout), DeviceTimeout, "no answer in time"),
    "VISA connection lost": (pyvisa.errors.VisaIOError(StatusCode.error_connection_lost), LinkError, "connection"),
    "closed session": (pyvisa.errors.InvalidSession(), LinkError, "Invalid session"),
    "refused": (ConnectionRefusedError(111, "Connection refused"), LinkError, "Connection refused"),
    "serial port gone": (serial.SerialException("device disconnected"), LinkError, "device disconnected"),
    "driver's time-out": (TimeoutError("no complete reply"), DeviceTimeout, "no complete reply"),
    "what the device reports": (OSError("limit switch"), DeviceError, "limit switch"),
    "two sentences": (ValueError("Please install PyUSB.\nNo module 'usb'"), DeviceError, "PyUSB. No module 'usb'"),
    "what the driver refuses": (ValueError("out of range"), DeviceError, "out of range"),
}


@pytest.mark.parametrize("name", CASES)
def test_foreign_exceptions_carry_device_address_and_next_step(name: str) -> None:
    foreign, ours, says = CASES[name]
    link = Link("stage", "TCPIP::192.0.2.1::2101::SOCKET", "Check the cable.")
    with pytest.raises(ours) as caught, link.exclusive():
        raise foreign
    assert type(caught.value) is ours
    assert str(caught.value).startswith("stage at TCPIP::192.0.2.1::2101::SOCKET: ")
    assert says in str(caught.value)
    assert str(caught.value).endswith("Check the cable.")


def test_our_own_errors_pass_unchanged() -> None:
    link = Link("stage", "here", "Check.")
    with pytest.raises(InputError, match="^as it is$"), link.exclusive():
        raise InputError("as it is")


def test_faults_of_the_program_are_not_dressed_up_as_device_errors() -> None:
    with pytest.raises(ZeroDivisionError), Link("stage", "here", "Check.").exclusive():
        _ = 1 / 0


def test_a_pause_is_kept_after_every_message_and_reply() -> None:
    clock = SimClock()
    adapter = PacedAdapter(ProtocolAdapter([("A?", "1"), ("B", None), ("C?", "2")]), clock, pause_s=0.05)
    adapter.write("A?")
    assert clock.now() == 0
    assert adapter.read() == "1"
    adapter.write("B")
    assert clock.now() == pytest.approx(0.05)
    clock.sleep(1.0)
    adapter.write("C?")
    assert clock.now() == pytest.approx(1.05)  # silent for long enough already
    assert adapter.read() == "2"


def test_the_wall_clock_never_goes_backwards() -> None:
    clock = WallClock()
    before = clock.now()
    clock.sleep(0.001)
    clock.sleep(-1.0)
    with clock.attending():
        assert clock.now() > before


def test_noise_that_a_message_quotes_is_shown_and_not_passed_on() -> None:
    link = Link("trigger", "there", "Check it.")
    with (
        pytest.raises(LinkError, match=r"trigger at there: '\\x00\\x1b\[2J µ\\udc80' came. Check it."),
        link.exclusive(),
    ):
        raise ConnectionError("'\x00\x1b[2J µ\udc80' came.")


def test_adapters_of_a_week_leave_one_handler_behind() -> None:
    for _ in range(5):
        ProtocolAdapter([])
    forget_old_handlers()
    names = [name for name in logging.root.manager.loggerDict if name.rpartition(".")[2] == "Adapter"]
    assert names
    assert {len(logging.getLogger(name).handlers) for name in names} == {1}

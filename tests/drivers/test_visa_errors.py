"""What pyvisa raises becomes an OSError that says what to do."""

import pytest
import pyvisa
from pyvisa.constants import StatusCode
from pyvisa_py.protocols.rpc import RPCBadFormat
from pyvisa_py.protocols.vxi11 import Vxi11Error

from drivers.visa_errors import os_errors


def test_a_timeout_says_what_to_check():
    with (
        pytest.raises(TimeoutError, match="meter did not answer in time; check its cable"),
        os_errors("meter", "check its cable"),
    ):
        raise pyvisa.VisaIOError(StatusCode.error_timeout)


@pytest.mark.parametrize(
    "error",
    [
        pyvisa.VisaIOError(StatusCode.error_connection_lost),
        pyvisa.errors.InvalidSession(),
        EOFError(),
        RuntimeError("Connection was dropped by server."),
        RPCBadFormat("unknown reply"),
        Vxi11Error("write: 15"),
        Exception("could not connect"),
    ],
    ids=["lost", "shut", "VXI-11 end", "HiSLIP", "RPC", "VXI-11", "plain"],
)
def test_everything_else_is_a_broken_connection(error):
    with (
        pytest.raises(ConnectionError, match="meter: the connection broke .*; open the connection again"),
        os_errors("meter", "check its cable"),
    ):
        raise error


def test_bytes_that_are_no_text_hint_at_the_frame():
    with (
        pytest.raises(ConnectionError, match=r"b'\\xff\\x80' came, which is no text; check baud rate and parity"),
        os_errors("meter", "check its cable"),
    ):
        b"\xff\x80".decode("ascii")


@pytest.mark.parametrize("kind", [ValueError, NotImplementedError, KeyError])
def test_what_is_not_pyvisas_passes(kind):
    with pytest.raises(kind, match="ours"), os_errors("meter", "check its cable"):
        raise kind("ours")

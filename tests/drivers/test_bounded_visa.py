"""Opening a VISA connection ends, and says why there is none."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from pyvisa_py import tcpip

from drivers.anc350 import ANC350
from drivers.lakeshore335 import LakeShore335
from drivers.trigger import TriggerGenerator
from tests.silent_host import silent_host

NOWHERE = "TCPIP::127.0.0.1::1::SOCKET"


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.bounded_visa.OPEN_WITHIN_MS", 200)


@pytest.mark.parametrize("driver", [TriggerGenerator, LakeShore335, ANC350])
def test_a_host_that_does_not_answer_is_a_timeout(driver: Any) -> None:
    with silent_host() as address:
        began_s = time.monotonic()
        with pytest.raises(TimeoutError, match=r"nobody answers at this address within 0\.2 s"):
            driver(address, visa_library="@py")
        assert time.monotonic() - began_s < 5


def test_a_host_without_an_address_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    left_open: list[socket.socket] = []

    class Unknown(socket.socket):
        """A socket whose host is in no directory; pyvisa-py leaves it open."""

        def connect_ex(self, address: object) -> int:
            left_open.append(self)
            raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(tcpip.socket, "socket", Unknown)
    with pytest.raises(ConnectionError, match=r"cannot be reached \(Name or service not known\)"):
        TriggerGenerator(NOWHERE, visa_library="@py")
    for each in left_open:
        each.close()


def test_what_else_the_library_says_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(session: object) -> None:
        raise Exception("error creating link: 3")

    monkeypatch.setattr(tcpip.TCPIPSocketSession, "after_parsing", refuse)
    with pytest.raises(ConnectionError, match=r"cannot be opened \(error creating link: 3\)"):
        TriggerGenerator(NOWHERE, visa_library="@py")


def test_a_wrong_argument_is_no_broken_connection() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        TriggerGenerator(NOWHERE, visa_library="@py", nonsense=1)

"""The steps of the watchdog's own process, one by one: what it sends, what it believes, and what it says."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from simulators.server import DoubleServer
from simulators.trigger import TriggerGenerator
from tplm_daq.rig import watchdog_process
from tplm_daq.rig.watchdog_process import Path, Silence, exchanges_of

OUT = b"OUTP1 OFF;:OUTP1?\n"


class WallTime:
    def now_ns(self) -> int:
        return time.monotonic_ns()


def queue_of(*lines: bytes) -> queue.Queue[bytes]:
    filled: queue.Queue[bytes] = queue.Queue()
    for line in lines:
        filled.put(line)
    return filled


def dead() -> None:
    raise ConnectionError("nobody answers")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog_process, "AGAIN_AFTER_S", 0.0)
    monkeypatch.setattr(watchdog_process, "ALARM_AFTER_S", 0.0)


@pytest.fixture
def generator() -> Iterator[DoubleServer]:
    server = DoubleServer(TriggerGenerator(), WallTime())
    yield server
    server.close()


def test_a_reply_other_than_the_expected_one_is_no_confirmation(
    generator: DoubleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog_process, "ANSWER_WITHIN_S", 0.2)
    put_out = exchanges_of([Path("right", generator.visa_address, OUT, b"0\n")], "@py")
    put_out["right"]()
    put_out = exchanges_of([Path("wrong", generator.visa_address, OUT, b"1\n")], "@py")
    with pytest.raises((ConnectionError, TimeoutError), match=r"answered b'0\\n' where b'1\\n' is expected|timed out"):
        put_out["wrong"]()


def test_a_connection_that_is_closed_again_is_no_confirmation() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        threading.Thread(target=lambda: listener.accept()[0].close()).start()
        port = listener.getsockname()[1]
        put_out = exchanges_of([Path("hung up", f"TCPIP0::127.0.0.1::{port}::SOCKET", b"", b"0\n")], "@py")
        with pytest.raises(ConnectionError, match=r"answered b'' where b'0\\n' is expected|reset"):
            put_out["hung up"]()


@pytest.mark.parametrize(
    ("address", "is_possible"),
    [("TCPIP::a::5025::SOCKET", True), ("tcpip0::a::INSTR", True), ("ASRL3::INSTR", False), ("USB0::1::2::3", False)],
)
def test_only_a_network_allows_a_rehearsal(address: str, is_possible: bool) -> None:
    assert Path("a", address, b"", b"").allows_second_connection == is_possible


def test_heartbeats_are_listened_to_until_the_end() -> None:
    lines = queue_of(b".\n", b".\n", b"end\n", b".\n")
    watchdog_process._listen(lines, 0.01)
    assert lines.get_nowait() == b".\n"
    with pytest.raises(EOFError):
        watchdog_process._listen(queue_of(b".\n", b""), 0.01)
    with pytest.raises(Silence):
        watchdog_process._listen(queue_of(b".\n"), 0.01)


def test_it_alarms_once_and_goes_on_until_the_light_is_out(hurried: None, capfd: pytest.CaptureFixture[str]) -> None:
    left = [dead, dead, dead]

    def at_last() -> None:
        if left:
            left.pop()()

    assert watchdog_process._insist({"the gate": at_last, "the trigger": dead}, "it hangs", 60.0)
    assert not left
    told = capfd.readouterr().err
    assert (
        told.count("LIGHT MAY BE ON: the gate: nobody answers; the trigger: nobody answers. Turn the laser's key") == 1
    )
    assert told.endswith("watchdog: it hangs; the light was put out (the gate)\n")


def test_it_gives_up_when_its_patience_ends(hurried: None, capfd: pytest.CaptureFixture[str]) -> None:
    assert not watchdog_process._insist({"the gate": dead}, "it hangs", 0.01)
    assert "LIGHT MAY BE ON" in capfd.readouterr().err


@pytest.mark.parametrize(("last", "status"), [(lambda: None, 0), (dead, 1)], ids=["out", "on"])
@pytest.mark.parametrize("sign", [b"end\n", b""], ids=["end", "gone"])
def test_light_is_kept_out_until_a_program_that_hung_has_gone(
    sign: bytes, last: Callable[[], None], status: int, hurried: None
) -> None:
    lines, n_tries = queue_of(b".\n"), 0

    def put_out() -> None:
        nonlocal n_tries
        n_tries += 1
        if n_tries == 2:
            lines.put(b".\n")
            lines.put(sign)
        if n_tries == 3:
            last()

    assert watchdog_process._hold({"the gate": put_out}, lines) == status
    assert n_tries == 3


def test_words_that_nobody_can_hear_do_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang_up(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("os.write", hang_up)
    watchdog_process._say("the light was put out")
    watchdog_process._tell({"fired": "it hangs"})

"""The watchdog against a trigger double in this process, driven by programs killed, stopped or well-behaved."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulators.faults import Conversation
from simulators.server import DoubleServer
from simulators.trigger import TriggerGenerator
from tplm_daq.errors import DeviceError
from tplm_daq.rig.watchdog import LightPath, Watchdog

ROOT = Path(__file__).resolve().parents[2]
OUT = b"OUTP1 OFF;:OUTP1?\n"
IS_OUT = b"0\n"
WAKE_UP_AND_LOOK = """
        input()
        due_s = time.monotonic() + 5
        while time.monotonic() < due_s:
            try:
                watchdog.check()
            except Exception as error:
                print(error)
                break
"""


class WallTime:
    def now_ns(self) -> int:
        return time.monotonic_ns()


@pytest.fixture
def lit() -> Iterator[DoubleServer]:
    """A trigger generator whose output is on."""
    server = DoubleServer(TriggerGenerator(), WallTime())
    light_on(server)
    yield server
    server.close()


def light_on(server: DoubleServer) -> None:
    server.obey(Conversation(), b"FUNC PULS;:FREQ 1e6;:OUTP1 ON\n")
    assert is_lit(server)


def is_lit(server: DoubleServer) -> bool:
    return server.obey(Conversation(), b"OUTP1?\n") == b"1\n"


def soon(condition: Callable[[], bool], within_s: float) -> bool:
    due_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > due_s:
            return False
        time.sleep(0.01)
    return True


def guarded(*addresses: str) -> list[LightPath]:
    return [LightPath(f"path {i}", address, OUT, IS_OUT) for i, address in enumerate(addresses)]


def program(address: str, then: str) -> subprocess.Popen[str]:
    """Start a program that has its light guarded, says so, and then does `then`."""
    code = f"""
        import os, signal, time
        from tplm_daq.rig.watchdog import LightPath, Watchdog
        watchdog = Watchdog()
        watchdog.guard([LightPath("the trigger", {address!r}, {OUT!r}, {IS_OUT!r})], 1.0, "@py")
        print("guarded", flush=True)
        {then}
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until_guarded(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "guarded\n"


def end(process: subprocess.Popen[str]) -> str:
    if process.poll() is None:
        process.kill()
    return process.communicate(timeout=20)[1]


def test_the_paths_are_rehearsed_while_the_light_is_off(lit: DoubleServer) -> None:
    watchdog = Watchdog()
    try:
        watchdog.guard(guarded(lit.visa_address), 5.0, "@py")
        assert watchdog.rehearsed == ("path 0",)
        assert not is_lit(lit)
        watchdog.check()
    finally:
        watchdog.end()
        watchdog.end()


def test_a_program_that_ends_well_leaves_the_light_to_itself(lit: DoubleServer) -> None:
    watchdog = Watchdog()
    watchdog.guard(guarded(lit.visa_address), 5.0, "@py")
    light_on(lit)
    watchdog.end()
    assert is_lit(lit)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize(
    "death",
    ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(0)", "os.abort()"],
    ids=["kill -9", "exit without clearing up", "crash"],
)
def test_light_is_out_two_seconds_after_the_program_died(lit: DoubleServer, death: str) -> None:
    process = program(lit.visa_address, f"input(); {death}")
    wait_until_guarded(process)
    light_on(lit)
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    assert soon(lambda: not is_lit(lit), 2.0)
    assert end(process) == (
        "watchdog: the program ended without making the rig safe; the light was put out (the trigger)\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGSTOP")
def test_light_goes_out_and_stays_out_when_the_program_hangs(lit: DoubleServer) -> None:
    process = program(lit.visa_address, WAKE_UP_AND_LOOK)
    wait_until_guarded(process)
    light_on(lit)
    process.send_signal(signal.SIGSTOP)
    assert soon(lambda: not is_lit(lit), 2.0)
    light_on(lit)  # as a program might that wakes up and does not know yet
    assert soon(lambda: not is_lit(lit), 2.0)
    process.send_signal(signal.SIGCONT)
    told, _ = process.communicate("\n", timeout=20)
    assert "put the light out because the program gave no sign of life for 1 s" in told


def test_a_dead_path_does_not_delay_the_other(lit: DoubleServer) -> None:
    watchdog = Watchdog()
    watchdog.guard(guarded("TCPIP::127.0.0.1::9::SOCKET", lit.visa_address), 5.0, "@py")
    assert watchdog.rehearsed == ("path 1",)
    light_on(lit)
    watchdog.abandon()
    assert soon(lambda: not is_lit(lit), 2.0)
    assert watchdog._process.wait(5) == 0
    watchdog.end()


def test_it_says_what_to_do_by_hand_when_nothing_answers() -> None:
    with program("TCPIP::127.0.0.1::9::SOCKET", "os._exit(0)") as process:  # the pipes stay open with the watchdog
        wait_until_guarded(process)
        assert process.stderr is not None
        line = process.stderr.readline()
    assert "the program ended without making the rig safe. LIGHT MAY BE ON: the trigger" in line
    assert "Turn the laser's key switch off by hand" in line


def test_the_run_hears_of_a_watchdog_that_was_killed(lit: DoubleServer) -> None:
    watchdog = Watchdog()
    watchdog.guard(guarded(lit.visa_address), 5.0, "@py")
    watchdog._process.kill()

    def is_noticed() -> bool:
        try:
            watchdog.check()
        except DeviceError as error:
            assert "it has ended unexpectedly" in str(error)
            return True
        return False

    assert soon(is_noticed, 2.0)
    watchdog.end()


def test_without_a_watchdog_nothing_begins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dying = tmp_path / "dying.py"
    dying.write_text("raise SystemExit(1)\n")
    monkeypatch.setattr("tplm_daq.rig.watchdog.PROGRAM", dying)
    watchdog = Watchdog()
    with pytest.raises(DeviceError, match="Nothing was switched on"):
        watchdog.guard(guarded("TCPIP::127.0.0.1::9::SOCKET"), 5.0, "@py")
    watchdog.end()


LATE = "import sys\nsys.stdin.read()\n"
DEAF = "import sys, time\nsys.stdin.readline()\nprint('{\"rehearsed\": []}', flush=True)\ntime.sleep(60)\n"


HEARS_THREE = """
import sys
sys.stdin.readline()
print('{"rehearsed": []}', flush=True)
heard = [sys.stdin.readline() for _ in range(3)]
print('{"fired": "it heard %d signs"}' % heard.count(".\\n"))
"""


def other_program(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Watchdog:
    (folder / "other.py").write_text(text)
    monkeypatch.setattr("tplm_daq.rig.watchdog.PROGRAM", folder / "other.py")
    return Watchdog()


def test_a_watchdog_that_does_not_get_ready_in_time_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tplm_daq.rig.watchdog.READY_WITHIN_S", 0.1)
    watchdog = other_program(LATE, tmp_path, monkeypatch)
    with pytest.raises(DeviceError, match="did not get ready. Nothing was switched on"):
        watchdog.guard(guarded("TCPIP::127.0.0.1::9::SOCKET"), 5.0, "@py")
    watchdog.end()
    assert watchdog._process.returncode == 0


def test_a_watchdog_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tplm_daq.rig.watchdog.ENDED_WITHIN_S", 0.1)
    watchdog = other_program(DEAF, tmp_path, monkeypatch)
    watchdog.guard(guarded("TCPIP::127.0.0.1::9::SOCKET"), 5.0, "@py")
    assert watchdog.rehearsed == ()
    watchdog.end()
    assert watchdog._process.returncode not in (None, 0)
    watchdog.check()


def test_a_living_program_gives_signs_until_nobody_listens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tplm_daq.rig.watchdog.HEARTBEAT_S", 0.01)
    watchdog = other_program(HEARS_THREE, tmp_path, monkeypatch)
    watchdog.guard(guarded("TCPIP::127.0.0.1::9::SOCKET"), 5.0, "@py")
    assert soon(lambda: not any(thread.is_alive() for thread in watchdog._threads), 10.0)
    with pytest.raises(DeviceError, match="put the light out because it heard 3 signs. The light is put out; start"):
        watchdog.check()
    watchdog.end()


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals")
def test_light_behind_a_serial_port_is_put_out_without_a_rehearsal(lit: DoubleServer) -> None:
    import pty
    import tty

    ours, theirs = pty.openpty()
    tty.setraw(theirs)

    def carry() -> None:
        os.write(ours, lit.obey(Conversation(), os.read(ours, 1000)))

    wire = threading.Thread(target=carry)
    wire.start()
    watchdog = Watchdog()
    watchdog.guard([LightPath("the trigger", f"ASRL{os.ttyname(theirs)}::INSTR", OUT, IS_OUT)], 5.0, "@py")
    assert (watchdog.rehearsed, is_lit(lit)) == ((), True)
    watchdog.abandon()
    assert soon(lambda: not is_lit(lit), 5.0)
    assert watchdog._process.wait(10) == 0
    wire.join()
    watchdog.end()
    os.close(ours)
    os.close(theirs)


def test_without_a_light_to_guard_it_ends_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    watchdog = Watchdog()
    watchdog.end()
    assert watchdog._process.returncode == 0
    assert capfd.readouterr().err == ""

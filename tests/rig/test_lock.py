"""Two programs cannot hold one address; a lock of a process that is gone is taken over."""

from __future__ import annotations

import errno
import getpass
import json
import os
import subprocess
import sys
from pathlib import Path
from re import escape

import pytest

from tplm_daq.errors import RigError
from tplm_daq.rig.lock import RigLock, is_alive


def test_a_second_program_learns_who_holds_the_rig(tmp_path: Path) -> None:
    with RigLock(["/dev/ttyUSB0", "phlib"], tmp_path):
        with pytest.raises(RigError, match=r"(?s)2 of the rig's devices.*phlib: in use by .* \(process \d+\)"):
            RigLock(["phlib", "/dev/ttyUSB0"], tmp_path).__enter__()
        with RigLock(["/dev/ttyUSB1"], tmp_path):
            pass


def test_what_holds_for_all_addresses_is_said_once_and_told_to_programs_for_each(tmp_path: Path) -> None:
    with RigLock("abc", tmp_path), pytest.raises(RigError) as caught:
        RigLock("abcd", tmp_path).__enter__()
    header, *lines = str(caught.value).split("\n")
    assert header == "3 of the rig's devices cannot be used:"
    assert [line.split(": in use by ")[0] for line in lines] == ["  - a, b, c"]
    failures = caught.value.to_dict()["failures"]
    assert isinstance(failures, list)
    assert [each["address"] for each in failures] == ["a", "b", "c"]
    assert all(str(each["reason"]).endswith("Wait for that run to end, or end it.") for each in failures)


def test_each_of_several_holders_of_a_rig_is_named(tmp_path: Path) -> None:
    with RigLock(["b"], tmp_path):
        (path,) = tmp_path.iterdir()
        path.write_text(lock_of(os.getpid()))
        with RigLock(["a", "c"], tmp_path), pytest.raises(RigError) as caught:
            RigLock(["a", "b", "c"], tmp_path).__enter__()
    _, *lines = str(caught.value).split("\n")
    assert [line.split(" since")[0] for line in lines] == [
        f"  - a, c: in use by {getpass.getuser()}",
        "  - b: in use by somebody",
    ]


def test_nothing_is_kept_after_the_end_or_after_a_refusal(tmp_path: Path) -> None:
    with RigLock(["a"], tmp_path):
        with pytest.raises(RigError):
            RigLock(["a", "b"], tmp_path).__enter__()
        with RigLock(["b"], tmp_path):
            pass
    assert not list(tmp_path.iterdir())


def test_a_stale_lock_is_taken_over(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with RigLock(["a"], tmp_path):
        (path,) = tmp_path.iterdir()
        path.write_text(lock_of(gone.pid))
        with RigLock(["a"], tmp_path):
            assert json.loads(path.read_text())["user"] != "somebody"


def lock_of(pid: object) -> str:
    return json.dumps({"pid": pid, "user": "somebody", "since": "yesterday"})


@pytest.mark.parametrize(
    "rubbish", ["", "{", "[]", '{"pid": 1}', *map(lock_of, ("me", 0, -1, True, 10**30))], ids=lambda text: text[:12]
)
def test_a_damaged_lock_file_is_taken_over(rubbish: str, tmp_path: Path) -> None:
    with RigLock(["a"], tmp_path):
        (path,) = tmp_path.iterdir()
    path.write_text(rubbish)
    with RigLock(["a"], tmp_path):
        assert "pid" in json.loads(path.read_text())


def test_of_two_programs_that_find_a_stale_lock_one_gets_the_rig(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RigLock(["a"], tmp_path):
        (path,) = tmp_path.iterdir()
    path.write_text(lock_of(99))
    quicker = lock_of(1)

    def takes_over_while_it_is_looked_at(pid: int) -> bool:
        path.write_text(quicker)
        return pid == 1

    monkeypatch.setattr("tplm_daq.rig.lock.is_alive", takes_over_while_it_is_looked_at)
    with pytest.raises(RigError, match=r"a: in use by somebody since yesterday \(process 1\)"):
        RigLock(["a"], tmp_path).__enter__()
    assert [each.read_text() for each in tmp_path.iterdir()] == [quicker]


def test_a_lock_that_always_changes_hands_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RigLock(["a"], tmp_path):
        (path,) = tmp_path.iterdir()
    path.write_text(lock_of(1))

    def changes_hands(pid: int) -> bool:
        path.write_text(lock_of(pid + 1))
        return False

    monkeypatch.setattr("tplm_daq.rig.lock.is_alive", changes_hands)
    with pytest.raises(RigError, match="a: another program took it just now. Try again"):
        RigLock(["a"], tmp_path).__enter__()
    assert list(tmp_path.iterdir()) == [path]


def test_a_lock_that_cannot_be_taken_over_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RigLock(["a"], tmp_path):
        (path,) = tmp_path.iterdir()
    path.write_text(lock_of(10**30))

    def refuse(path: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "rename", refuse)  # as of a file of another user in a folder with the sticky bit
    said = f"a: its lock file cannot be .*not permitted.* Delete {escape(str(path))}, or let its owner"
    with pytest.raises(RigError, match=said):
        RigLock(["a"], tmp_path).__enter__()
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_takes_no_lock_is_said(tmp_path: Path) -> None:
    with pytest.raises(RigError, match="a: its lock file cannot be made .*see that the folder can be written to"):
        RigLock(["a"], tmp_path / "absent").__enter__()


@pytest.mark.skipif(sys.platform == "win32", reason="asks for a process in another way")
def test_the_process_of_another_user_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, signal: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "kill", refuse)
    assert is_alive(1)


def test_a_simulated_rig_needs_no_lock(tmp_path: Path) -> None:
    with RigLock([], tmp_path), RigLock([], tmp_path):
        assert not list(tmp_path.iterdir())


def test_this_process_is_alive() -> None:
    assert is_alive(os.getpid())

"""Two programs cannot hold one address; a lock of a process that is gone is taken over."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tplm_daq.errors import RigError
from tplm_daq.rig.lock import RigLock, is_alive


def test_a_second_program_learns_who_holds_the_rig(tmp_path: Path) -> None:
    with RigLock(["/dev/ttyUSB0", "phlib"], tmp_path):
        with pytest.raises(RigError, match=r"(?s)2 of the rig's devices.*phlib: in use by .* \(process \d+\)"):
            RigLock(["phlib", "/dev/ttyUSB0"], tmp_path).__enter__()
        with RigLock(["/dev/ttyUSB1"], tmp_path):
            pass


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
        path.write_text(json.dumps({"pid": gone.pid, "user": "somebody", "since": "yesterday"}))
        with RigLock(["a"], tmp_path):
            assert json.loads(path.read_text())["user"] != "somebody"


@pytest.mark.parametrize("rubbish", ["", "{", "[]", '{"pid": 1}'])
def test_a_damaged_lock_file_is_taken_over(rubbish: str, tmp_path: Path) -> None:
    with RigLock(["a"], tmp_path):
        (path,) = tmp_path.iterdir()
    path.write_text(rubbish)
    with RigLock(["a"], tmp_path):
        assert "pid" in json.loads(path.read_text())


def test_a_simulated_rig_needs_no_lock(tmp_path: Path) -> None:
    with RigLock([], tmp_path), RigLock([], tmp_path):
        assert not list(tmp_path.iterdir())


def test_this_process_is_alive() -> None:
    import os

    assert is_alive(os.getpid())

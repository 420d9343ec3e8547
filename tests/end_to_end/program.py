"""The program as a user runs it: a process of its own, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

QUICK = (
    "path.n_positions=9",
    "passes.dwell=2s",
    "passes.n_passes=2",
    "rig.simulation.is_homed=true",
)
"""Changes that make the line scan a matter of a second."""


@dataclass(frozen=True)
class Finished:
    """How the program ended and what it printed."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on standard output."""
        found: dict[str, Any] = json.loads(self.out)
        return found


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tplm_daq", *arguments]


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "TPLM_RIG"} | {"COLUMNS": "200"}


def tplm(folder: Path, *arguments: str, **variables: str) -> Finished:
    """Run the program in a folder, with environment variables on top of the usual ones."""
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment() | variables,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def settings(*assignments: str) -> list[str]:
    return [word for assignment in assignments for word in ("--set", assignment)]

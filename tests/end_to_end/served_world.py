"""Doubles served by a program of their own, and a look at their light from outside."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from tests.end_to_end.program import command, environment, settings

NEAR = (
    *(f"devices.detector_{axis}.{end}" for axis in "xy" for end in ("centre=0.7mm", "highest=1.5mm")),
    *(f"optics.{what}" for what in ("magnification_x=50", "magnification_y=50")),
    *(f"optics.{what}" for what in ("detector_width=5um", "detector_height=5um")),
)
"""In real time the first move takes one second and not sixteen, and those of a scan in a small image a third."""


@dataclass(frozen=True)
class ServedWorld:
    """A world in another process: the rig file to use it with, its devices by role, its program."""

    rig: str
    devices: dict[str, dict[str, str]]
    program: Any

    def ask_trigger(self, text: str) -> str:
        """Send a command to the trigger generator as a foreign client does."""
        port = int(self.devices["trigger"]["url"].rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port), 5) as connection, connection.makefile("rw") as stream:
            stream.write(f"{text}\n*IDN?\n")
            stream.flush()
            return stream.readline().strip()

    @property
    def is_light_on(self) -> bool:
        """Whether the laser is triggered."""
        return self.ask_trigger("OUTP?") == "1"


@contextmanager
def served_world(folder: Path, *changes: str) -> Iterator[ServedWorld]:
    """Serve the simulated rig while the block runs, with actuators near home."""
    rig = folder / "served.yaml"
    words = command("serve", "--json", "--rig-file", str(rig), *settings(*NEAR, *changes))
    with Popen(words, cwd=folder, env=environment(), stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) as program:
        assert program.stdout is not None
        line = program.stdout.readline()
        assert line, program.communicate()[1]
        try:
            yield ServedWorld(str(rig), json.loads(line)["devices"], program)
        finally:
            program.kill()

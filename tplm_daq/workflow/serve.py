"""The doubles of a simulated rig as a program of their own, until nobody wants them any more."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tplm_daq.errors import InputError
from tplm_daq.interrupts import Signals
from tplm_daq.recipes.load import dump_yaml
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig.simulated import ServedPlace, ServedWorld, serve_doubles

WAKEUP_S = 0.2
"""How often the main thread looks whether it shall end; on Windows it hears signals only between waits."""


@dataclass(frozen=True)
class Served:
    """What is served where.

    Attributes
    ----------
    bench : str
        ``bench://127.0.0.1:PORT``: address of the counter in the rig file of a program that uses this world.
    models : dict of str to str
        Models of the byte-stream devices by role.
    places : dict of str to ServedPlace
        Where they are, by role.
    """

    bench: str
    models: dict[str, str]
    places: dict[str, ServedPlace]

    def to_dict(self) -> dict[str, Any]:
        """Return what `tplm serve` prints; `pty` is missing where there is no device file."""
        devices: dict[str, dict[str, str]] = {}
        for role, place in self.places.items():
            devices[role] = {"model": self.models[role], "address": place.address, "url": place.url}
            if place.pty is not None:
                devices[role]["pty"] = place.pty
        return {"devices": devices, "bench": self.bench}

    def rig(self, recipe: RigRecipe) -> RigRecipe:
        """Return the rig file with which another program uses these doubles as it would use real boxes."""
        data = recipe.model_dump(mode="json")
        del data["simulation"]
        data["devices"]["counter"]["address"] = self.bench
        for role, place in self.places.items():
            is_serial_port = self.models[role] == "kst101"
            data["devices"][role]["address"] = place.url if is_serial_port else place.address
        return RigRecipe.model_validate_json(json.dumps(data), by_alias=True, by_name=False)


def serve(recipe: RigRecipe, announce: Callable[[Served], None], stdin: int = 0) -> None:
    """Serve the doubles in real time until standard input closes, or Ctrl-C or SIGTERM ends it.

    Call it in the main thread, which alone hears signals.

    Parameters
    ----------
    recipe : RigRecipe
        A simulated rig; the clock speed of its simulation is not used.
    announce : callable
        Called once, when every double answers.
    stdin : int
        File descriptor whose closing ends it.

    Raises
    ------
    InputError
        The rig file describes real boxes.
    """
    with _asked_to_end(stdin) as ended, served_doubles(recipe) as served:
        announce(served)
        while not ended.wait(WAKEUP_S):
            pass


def write_rig_file(served: Served, recipe: RigRecipe, path: Path) -> None:
    """Write a rig file with which other programs use the served doubles.

    Raises
    ------
    InputError
        The file exists or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(dump_yaml(served.rig(recipe)))
    except OSError as error:
        advice = "Choose another name, or delete it if no `tplm serve` uses it any more."
        raise InputError(f"--rig-file {path}: {error.strerror}. {advice}") from error


@contextmanager
def served_doubles(recipe: RigRecipe) -> Iterator[Served]:
    """Serve the doubles in real time while the block runs.

    Raises
    ------
    InputError
        The rig file describes real boxes.
    """
    if recipe.simulation is None:
        raise InputError(
            f"rig {recipe.name}: there is no section `simulation`, so there are no doubles to serve. "
            "Give a simulated rig, such as --rig configs/rig_sim.yaml."
        )
    world: ServedWorld = serve_doubles(recipe)
    try:
        yield Served(world.bench, {role: getattr(recipe.devices, role).model for role in world.places}, world.places)
    finally:
        world.close()


@contextmanager
def _asked_to_end(stdin: int) -> Iterator[threading.Event]:
    """Yield an event that is set once somebody wants the end."""
    ended = threading.Event()
    threading.Thread(target=_read_to_the_end, args=(stdin, ended), name="stdin", daemon=True).start()
    with Signals() as signals:
        signals.listen(lambda _: ended.set())
        yield ended


def _read_to_the_end(stdin: int, ended: threading.Event) -> None:
    """Read until the other side closes; the thread is a daemon, for a signal may come first."""
    with suppress(OSError):  # there is no standard input
        while os.read(stdin, 4096):
            pass
    ended.set()

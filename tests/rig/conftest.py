"""Opened simulated rigs, with a look at the bench behind them that the program itself never has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

import tplm_daq.rig.open as opening
from simulators.bench import Bench
from tplm_daq.recipes.load import apply_overrides, find_config, read_yaml, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig.microscope import Rig
from tplm_daq.rig.simulated import SimulatedWorld


class Nobody:
    """An operator who must not be asked: the simulated rig has one of its own."""

    name = "nobody"

    def set_by_hand(self, what: str, quantities: Any) -> None:
        raise AssertionError(f"asked to: {what}")


def rig_recipe(*assignments: str) -> RigRecipe:
    data = apply_overrides(read_yaml(find_config("configs/rig_sim.yaml")), assignments)
    return validate(RigRecipe, data, "rig_sim.yaml")


OpenRig = Callable[..., tuple[Rig, Bench]]


@pytest.fixture
def open_simulated(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenRig]:
    """Open simulated rigs with changed settings; yields the rig and the bench behind it."""
    worlds: list[SimulatedWorld] = []
    start = opening.start_doubles

    def remember(recipe: RigRecipe) -> SimulatedWorld:
        worlds.append(start(recipe))
        return worlds[-1]

    monkeypatch.setattr(opening, "start_doubles", remember)
    with ExitStack() as stack:

        def open_one(*assignments: str) -> tuple[Rig, Bench]:
            rig = stack.enter_context(opening.open_rig(rig_recipe("simulation.is_homed=true", *assignments), Nobody()))
            return rig, worlds[-1].library._world  # type: ignore[attr-defined]

        yield open_one

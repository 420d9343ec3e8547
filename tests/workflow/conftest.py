"""What the tests of several jobs look at."""

from __future__ import annotations

import pytest

import tplm_daq.rig.open as opening
from simulators.bench import Bench
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig.simulated import SimulatedWorld


@pytest.fixture
def benches(monkeypatch: pytest.MonkeyPatch) -> list[Bench]:
    """Collect the bench behind every rig that is opened."""
    found: list[Bench] = []
    start = opening.start_doubles

    def remember(recipe: RigRecipe) -> SimulatedWorld:
        world = start(recipe)
        found.append(world.library._world)  # type: ignore[attr-defined]
        return world

    monkeypatch.setattr(opening, "start_doubles", remember)
    return found

"""Whatever a program calls in whatever order, the counters' doubles answer with a code and never break."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.emission import uniform_emission
from simulators.picoharp300.table import PicoHarpTable
from simulators.timeharp260.device import NANO
from simulators.timeharp260.table import TimeHarpTable
from tests.simulators.counter_world import MS, CounterWorld

MAKES = {
    "PH": PicoHarpTable,
    "TH260 P": lambda world, seed: TimeHarpTable(world, seed=seed, n_inputs=2),
    "TH260 N": lambda world, seed: TimeHarpTable(world, seed=seed, kind=NANO),
}
NUMBERS = [0, 0, 0, 0, 0, 1, 1, 1, 2, 3, 5, 8, 10, 100, 512, 131_072, 2**31 - 1, -1, -50, -(2**31)]


@pytest.mark.parametrize("make", MAKES)
def test_random_calls_are_answered(make, caplog):
    rng = np.random.default_rng(9)
    world = CounterWorld(uniform_emission(1e5, 200.0))
    table = MAKES[make](world, seed=1)
    signatures = table.face.signatures
    codes: set[int] = set()
    lively = ["OpenDevice", "Initialize", "Calibrate", "StartMeas", "ReadFiFo", "GetHistogram"]
    names = [*signatures, *(name for name in signatures if name.split("_")[1] in lively for _ in range(8))]
    for _ in range(6000):
        name = names[rng.integers(len(names))]
        n_numbers = sum(not hasattr(kind, "contents") for kind in signatures[name])  # the rest are pointers
        numbers = tuple(int(NUMBERS[i]) for i in rng.integers(len(NUMBERS), size=n_numbers))
        code, values = table.answer(name, numbers)
        codes.add(code)
        assert code <= 0
        assert code == 0 or values == ()
        world.time_ns += int(rng.integers(3)) * MS
    assert {0, -10, -16, -17, -18, -22} <= codes
    assert -64 not in codes, caplog.text

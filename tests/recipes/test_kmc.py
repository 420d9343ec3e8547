"""The lattice recipe refuses what cannot be simulated, with the reason."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tplm_daq.errors import InputError
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.recipes.load import apply_overrides, dump_yaml, find_config, read_yaml, validate

REFUSED = {
    "alpha over 1": ("alpha=[0.1, 1.2]", "alpha.1 is 1.2: must be less than or equal to 1"),
    "alpha of 0": ("alpha=[0.0]", "alpha.0 is 0.0: must be greater than 0"),
    "no alpha": ("alpha=[]", "alpha must be a list of at least one value"),
    "alpha twice": ("alpha=[0.1, 0.1]", "without repetitions"),
    "negative spacing": ("tau_pulse=[-1 us]", 'tau_pulse.0 is "-1 us": must be greater than 0 ns'),
    "no unit": ("tau_pulse=[0.4]", "a time needs its unit"),
    "no time": ("tau_pulse=[nan us]", "a time is written as a number and a unit"),
    "few pulses": ("n_pulses=9", "n_pulses is 9: must be greater than or equal to 10"),
    "burn-in": ("n_burn_in=998", "n_burn_in of 998 leaves fewer than 10 of 1000 pulses.*at most 990"),
    "seed": ("seed=-1", "seed is -1"),
    "p_fast": ("lattice.p_fast=1.5", "lattice.p_fast is 1.5: must be less than or equal to 1"),
    "p_slow": ("lattice.p_slow=-0.1", "lattice.p_slow is -0.1: must be greater than or equal to 0"),
    "exchanged": ("lattice.p_slow=0.9", "p_slow of 0.9 is larger than p_fast of 0.7"),
    "endless": ("lattice.p_decay=0.0", "lattice.p_decay is 0.0: must be greater than or equal to 0.0000001"),
    "hot": (
        "lattice={temperature: 400 K, hop_barrier: 1000 K}",
        "makes a probability to hop 1.61 at 400 K, more than 1",
    ),
    "frozen": ("lattice.temperature=0 K", "must be greater than or equal to 1 K"),
    "relaxation": ("lattice.relaxation_time=-8 us", "must be greater than 0 ns"),
    "too small": ("lattice.size=100", "100 x 100 sites are too small for a spot of 250 nm.*size of at least 139"),
    "hexagonal": ("lattice={size: 139, neighbours: 6}", "size of at least 159"),
    "triangular": ("lattice.neighbours=3", "must be 4 or 6"),
    "stage": ("lattice.stages=[{p_hop: 2.0, relaxation_time: 1 us}]", "lattice.stages.0.p_hop is 2.0: must be less"),
    "annihilation": ("lattice.p_annihilation=-0.1", "lattice.p_annihilation is -0.1: must be greater than or equal"),
    "edges": ("lattice.edges=open", "must be"),
    "between steps": ("recording.interval=0.5 ps", "must be a multiple of lattice.step"),
    "between recordings": ("recording.compare=1.02 ns", "must be a multiple of the interval"),
    "after the span": ("recording.span=0.5 ns", "at most the span of 0.5 ns"),
}


def read(*assignments: str) -> KmcRecipe:
    path = find_config("configs/kmc_paper.yaml")
    data: dict[str, Any] = apply_overrides(read_yaml(path), assignments)
    return validate(KmcRecipe, data, "recipe")


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_simulated_is_refused(name: str) -> None:
    assignment, message = REFUSED[name]
    with pytest.raises(InputError, match=message):
        read(assignment)


def test_the_shipped_grid_is_that_of_the_figure() -> None:
    recipe = read()
    assert len(recipe.conditions) == 35
    assert recipe.conditions[:2] == [(0.01, 50.0), (0.01, 100.0)]
    assert (recipe.record_every, recipe.n_times, recipe.compare_at) == (50, 101, 20)
    assert recipe.lattice == KmcRecipe(kind="kmc", title="x", alpha=(1.0,), tau_pulse_ns=("1 us",)).lattice


def test_cold_lattices_relax_slowly_and_hop_slowly_if_asked_to() -> None:
    assert read().lattice.tau_relax_ns == 8100.0
    cold = read("lattice.temperature=150 K", "lattice.hop_barrier=100 K").lattice
    assert cold.tau_relax_ns == pytest.approx(8100.0 * math.exp(113.8 / 300))
    assert cold.p_hop == pytest.approx((0.006 * math.exp(-1 / 3), 0.7 * math.exp(-1 / 3)))


@pytest.mark.parametrize("name", ["kmc_paper.yaml", "kmc_quick.yaml", "kmc_fit.yaml"])
def test_a_shipped_recipe_survives_a_round_trip(name: str, tmp_path: Path) -> None:
    path = find_config(name)
    recipe = validate(KmcRecipe, read_yaml(path), path)
    copy = tmp_path / name
    copy.write_text(dump_yaml(recipe), encoding="utf-8")
    assert validate(KmcRecipe, read_yaml(copy), copy) == recipe

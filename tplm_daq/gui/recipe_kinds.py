"""The kinds of recipes that the window can edit and run, and what each asks for in a line."""

from __future__ import annotations

from dataclasses import dataclass

from tplm_daq.recipes.align import PROCEDURES, AlignRecipe
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.recipes.series import SeriesRecipe
from tplm_daq.workflow.load import AnyRecipe

NS_PER_US = 1e3


@dataclass(frozen=True)
class Kind:
    """A kind of recipe: its name for people, its model, and the shipped file that one begins with."""

    name: str
    model: type[AnyRecipe]
    example: str


KINDS = (
    Kind("Scan", ScanRecipe, "configs/scan_line.yaml"),
    Kind("Series of scans", SeriesRecipe, "configs/series_power.yaml"),
    *(Kind(f"Alignment: {name}", model, f"configs/align_{name}.yaml") for name, model in PROCEDURES.items()),
    Kind("Lattice sweep", KmcRecipe, "configs/kmc_quick.yaml"),
)


def kind_of(recipe: AnyRecipe) -> Kind:
    """Return the kind of a recipe."""
    return next(kind for kind in KINDS if kind.model is type(recipe))


def is_measured(recipe: AnyRecipe) -> bool:
    """Tell whether a recipe uses the rig."""
    return not isinstance(recipe, KmcRecipe)


def asks_for(recipe: AnyRecipe) -> str:
    """Return in a line what a recipe asks for."""
    match recipe:
        case ScanRecipe():
            passes = recipe.passes
            target = passes.target_precision
            end = f"dwell {passes.dwell_s:g} s" if target is None else f"to {100 * target:g} %"
            return f"{_light(recipe)}, {end}"
        case SeriesRecipe():
            varied = " × ".join(", ".join(each.values).replace("_", " ") for each in recipe.vary)
            return f"{len(recipe.conditions)} conditions, {varied} varied; {asks_for(recipe.scan)}"
        case KmcRecipe():
            low_us, high_us = (end(recipe.tau_pulse_ns) / NS_PER_US for end in (min, max))
            spacing = f"pulses every {low_us:g} to {high_us:g} µs, {recipe.n_pulses} of each condition"
            return f"{len(recipe.conditions)} conditions, {spacing}"
        case _:
            return f"{recipe.procedure}, {_light(recipe)}, {recipe.n_points} points"


def _light(recipe: ScanRecipe | AlignRecipe) -> str:
    return f"{recipe.light.average_power_nw:g} nW, {recipe.light.repetition_rate_hz * 1e-6:g} MHz"

"""Under which light a lattice stands for what a recipe measures, or which lattice a recipe simulates.

Of the light of a measurement it takes what is published: <N> = 0.08 excitons per site and pulse at 10 nW and 2.5 MHz
(Science Advances 10, eadj2630 (2024)). The lattice then has the paper's values, not those of the sample in the recipe.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tplm_daq.analysis.excitation import excitons_by_anchor
from tplm_daq.errors import InputError
from tplm_daq.kmc.lattice import excitons_per_pulse
from tplm_daq.kmc.simulate import Condition
from tplm_daq.recipes.kmc import KmcRecipe, Lattice
from tplm_daq.recipes.load import validate
from tplm_daq.recipes.scan import LightSettings
from tplm_daq.recipes.series import SeriesRecipe
from tplm_daq.workflow.load import AnyRecipe

SEED = 1
TAU_FACTORS = (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8)
"""Pulse spacings of the sweep, relative to the recipe's."""
EXCITONS_WANTED = 20_000
"""Of all pulses of a condition: D_sim to some percent, in about a second."""
FEWEST_PULSES = 300
FILM_SIZES = (201, 401, 801)
"""Sites along each side of the lattice that is shown, the first that its spot fits on; a sweep has the recipe's."""


@dataclass(frozen=True)
class Excitation:
    """A lattice, the condition it is under, and the words for where that comes from."""

    lattice: Lattice
    condition: Condition
    source: str

    @property
    def t_exc_us(self) -> float:
        """Time between excitations of a site in the centre of the spot."""
        return self.condition.tau_pulse_ns * 1e-3 / self.condition.alpha

    @property
    def text(self) -> str:
        """What is simulated, as rich text."""
        spacing_us = self.condition.tau_pulse_ns * 1e-3
        lattice = f"α = {self.condition.alpha:.3g}, pulses every {spacing_us:.3g} µs"
        return f"{self.source}: {lattice}, t_exc = <b>{self.t_exc_us:.3g} µs</b>"


def excitation_of(recipe: AnyRecipe) -> Excitation:
    """Return the excitation that a recipe stands for; of several conditions the first."""
    if isinstance(recipe, KmcRecipe):
        return Excitation(recipe.lattice, Condition(*recipe.conditions[0]), "lattice of the recipe, first condition")
    light = recipe.scan.light if isinstance(recipe, SeriesRecipe) else recipe.light
    return Excitation(
        Lattice(), condition_of(light), f"{light.average_power_nw:g} nW, {light.repetition_rate_hz * 1e-6:g} MHz"
    )


def condition_of(light: LightSettings) -> Condition:
    """Return the excitation of a lattice under some light: <N> as published, and the time between pulses."""
    alpha = float(excitons_by_anchor(light.average_power_nw, light.repetition_rate_hz))
    return Condition(alpha, 1e9 / light.repetition_rate_hz)


def film_lattice(lattice: Lattice) -> Lattice:
    """Return a smaller lattice of the same kind that is quick to show; the lattice itself if its spot is too large."""
    data = lattice.model_dump(mode="json")
    for size in FILM_SIZES:
        if size < lattice.size:
            try:
                return validate(Lattice, {**data, "size": size}, "lattice")
            except InputError:
                continue
    return lattice


def sweep_recipe(excitation: Excitation) -> KmcRecipe:
    """Return a sweep over t_exc around an excitation, by pulse spacings.

    Raises
    ------
    InputError
        The light is too strong for the model.
    """
    condition, lattice = excitation.condition, excitation.lattice
    if condition.alpha > 1.0:
        raise InputError(
            f"The light would make {condition.alpha:.3g} excitons per site and pulse, and the lattice holds one. "
            "Choose less power or a higher repetition rate."
        )
    n_pulses = max(FEWEST_PULSES, math.ceil(EXCITONS_WANTED / excitons_per_pulse(lattice, condition.alpha)))
    data = {
        "kind": "kmc",
        "title": "Lattice under the light of the recipe",
        "alpha": [condition.alpha],
        "tau_pulse": [f"{factor * condition.tau_pulse_ns!r} ns" for factor in TAU_FACTORS],
        "n_pulses": n_pulses,
        "seed": SEED,
        "lattice": lattice.model_dump(mode="json"),
    }
    return validate(KmcRecipe, data, "lattice")

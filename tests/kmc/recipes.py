"""Recipes for the tests: the paper's lattice, and one that takes a moment."""

from __future__ import annotations

from tplm_daq.recipes.kmc import KmcRecipe, Lattice, Recording


def paper(**changes: object) -> KmcRecipe:
    settings = {"kind": "kmc", "title": "paper", "alpha": (0.08,), "tau_pulse_ns": ("0.4 us",)}
    return KmcRecipe(**{**settings, **changes})


def small(**changes: object) -> KmcRecipe:
    """A lattice of 201 x 201 on which excitons live for 200 ps and are compared after 100 ps."""
    settings = {
        "title": "small",
        "n_pulses": 40,
        "lattice": Lattice(size=201, p_decay=0.005),
        "recording": Recording(interval_ns="10 ps", span_ns="200 ps", compare_ns="100 ps"),
    }
    return paper(**{**settings, **changes})

"""The shipped analysis recipe, and what its model refuses."""

from pathlib import Path

import pytest

from tplm_daq.errors import InputError
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.recipes.load import find_config, read_yaml, validate


def test_the_shipped_recipe_holds_the_defaults():
    path = find_config("configs/analysis_default.yaml")
    assert validate(AnalysisRecipe, read_yaml(path), path) == AnalysisRecipe()


@pytest.mark.parametrize("name", ["analysis_halo", "analysis_paper"])
def test_the_other_shipped_recipes_can_be_read(name):
    path = find_config(f"configs/{name}.yaml")
    assert validate(AnalysisRecipe, read_yaml(path), path) != AnalysisRecipe()


def test_a_recipe_survives_the_round_trip_through_text():
    recipe = AnalysisRecipe(
        method="paper", window="2.5 ns", paper_sigma0="first_bin", magnification_error="0.5 %", seed=3
    )
    assert AnalysisRecipe.model_validate_json(recipe.model_dump_json()) == recipe
    assert (recipe.window_ns, recipe.magnification_error) == (2.5, 0.005)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window": 3}, 'needs its unit. Write "3 ns"'),
        ({"window": "0 ns"}, "window"),
        ({"method": "moments"}, "method"),
        ({"windw": "3 ns"}, "windw"),
        ({"interval": "jackknife"}, "interval"),
        ({"n_bootstrap": 10}, "n_bootstrap"),
        ({"corrections": {"deadtime": True}}, "deadtime"),
        ({"magnification_error": "150 %"}, "magnification_error"),
    ],
)
def test_a_mistake_is_named(changes, message):
    with pytest.raises(InputError, match=message):
        validate(AnalysisRecipe, changes, Path("fit.yaml"))

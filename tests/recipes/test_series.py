"""Series recipes: products, quantities that change together, order, references, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tplm_daq.errors import InputError
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.recipes.load import dump_yaml, find_config, read_yaml, resolve_references, validate
from tplm_daq.recipes.series import SeriesRecipe

POWERS = ["1 nW", "3 nW", "10 nW"]


def series(**changes: Any) -> SeriesRecipe:
    path = find_config("scan_line.yaml")
    data = {"kind": "series", "title": "power", "scan": path.name, "vary": [{"average_power": POWERS}], **changes}
    return validate(SeriesRecipe, resolve_references(data, path.parent, ["scan", "analysis"]), "series.yaml")


def measured(recipe: SeriesRecipe) -> list[str]:
    return [condition.label for condition in recipe.conditions]


def test_items_form_a_product_with_the_first_outermost() -> None:
    recipe = series(vary=[{"average_power": ["1 nW", "3 nW"]}, {"temperature": ["300 K", "200 K"]}])
    assert measured(recipe) == ["1 nW, 300 K", "1 nW, 200 K", "3 nW, 300 K", "3 nW, 200 K"]


def test_quantities_of_one_item_change_together() -> None:
    recipe = series(vary=[{"average_power": ["1 nW", "2 nW"], "repetition_rate": ["1 MHz", "2 MHz"]}])
    assert measured(recipe) == ["1 nW, 1 MHz", "2 nW, 2 MHz"]


def test_a_spot_is_a_pair_and_a_filter_is_named() -> None:
    recipe = series(vary=[{"spot": [["0 um", "5 um"]]}, {"detection_filter": ["ND1"]}])
    assert measured(recipe) == ["spot 0 nm/5 um, filter ND1"]


@pytest.mark.parametrize(
    ("every", "order"),
    [
        (1, ["1 nW", "3 nW", "1 nW", "10 nW", "1 nW"]),
        (2, ["1 nW", "3 nW", "10 nW", "1 nW"]),
        (5, ["1 nW", "3 nW", "10 nW", "1 nW"]),
    ],
)
def test_the_first_condition_is_repeated_and_ends_the_series(every: int, order: list[str]) -> None:
    recipe = series(reference_every=every)
    assert measured(recipe) == order
    assert [c.is_reference for c in recipe.conditions].count(True) == order.count("1 nW") - 1
    assert [c.index for c in recipe.conditions] == list(range(len(order)))


def test_a_shuffled_order_follows_from_the_seed_and_keeps_every_condition() -> None:
    powers = [f"{n} nW" for n in range(1, 21)]
    orders = [measured(series(vary=[{"average_power": powers}], order="shuffled", seed=seed)) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(powers)
    assert orders[0][0] == "1 nW"
    assert orders[0] != powers


def test_a_series_survives_being_written_and_read() -> None:
    recipe = series(vary=[{"average_power": POWERS}, {"sample": ["ola-oa", "ald-alox"]}], reference_every=2)
    assert validate(SeriesRecipe, parse_mapping(dump_yaml(recipe), "dump"), "dump") == recipe


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vary": []}, "vary is empty; give items with values"),
        ({"vary": [{}]}, r"vary\.0: nothing is varied; give values of at least one of average_power"),
        ({"vary": [{"average_power": []}]}, r"vary\.0: nothing is varied"),
        ({"vary": [{"average_power": POWERS, "temperature": ["5 K"]}]}, "3 of average_power, 1 of temperature"),
        ({"vary": [{"average_power": POWERS}, {"average_power": POWERS}]}, "average_power is varied by more than one"),
        ({"vary": [{"average_power": ["1 nW", 3]}]}, r"vary\.0\.average_power\.1 is 3: a power needs its unit"),
        ({"vary": [{"power": POWERS}]}, r"vary\.0\.power .* there is no such key"),
        ({"vary": [{"sample": ["gold"]}]}, "ola-oa"),
        ({"order": "random"}, "as-written"),
    ],
)  # fmt: skip
def test_a_series_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        series(**changes)


def test_the_scan_of_a_series_is_checked_like_any_scan() -> None:
    scan = read_yaml(find_config("scan_line.yaml")) | {"counter": {"bin_width": "16 ps", "span": "1 us"}}
    with pytest.raises(InputError, match=r"scan: counter\.span of 1000 ns is longer than the laser period"):
        series(scan=scan)

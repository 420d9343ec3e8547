"""Which kinds of recipes can be measured, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tplm_daq.errors import InputError
from tplm_daq.recipes.align import SpotAlignment
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.recipes.series import SeriesRecipe
from tplm_daq.workflow.load import load_alignment, load_analysis, load_measurement, load_scan

RIG = "configs/rig_sim.yaml"


@pytest.mark.parametrize(
    ("name", "kind"), [("scan_map", ScanRecipe), ("series_power", SeriesRecipe), ("align_spot", SpotAlignment)]
)
def test_scans_series_and_alignments_can_be_measured(name: str, kind: type) -> None:
    assert isinstance(load_measurement(f"configs/{name}.yaml", RIG, [])[0], kind)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("kmc_quick", "Simulate it with `tplm kmc"),
        ("rig_sim", "Give it with --rig"),
        ("analysis_default", "belongs under the key analysis"),
    ],
)
def test_other_kinds_are_sent_to_where_they_belong(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_measurement(f"configs/{name}.yaml", RIG, [])


@pytest.mark.parametrize("kind", ["[]", "{}", "3", "null", "scam"])
def test_a_kind_that_is_none_is_named(kind: str, tmp_path: Path) -> None:
    recipe = tmp_path / "odd.yaml"
    recipe.write_text(f"kind: {kind}\n")
    with pytest.raises(InputError, match=r"which cannot be measured\. Write one of scan, series, align"):
        load_measurement(str(recipe), RIG, [])


def test_a_value_of_the_rig_set_without_prefix_is_answered_with_it() -> None:
    with pytest.raises(InputError, match=r"this is a value of the rig\. Write --set rig\.simulation\.seed=3"):
        load_measurement("configs/scan_line.yaml", RIG, ["simulation.seed=3"])


def test_a_mistyped_key_of_the_rig_is_quoted_as_it_was_typed() -> None:
    with pytest.raises(
        InputError, match=r"^--set rig\.limit\.x=1: there is no limit .* --set 'rig\.limit=\{\.\.\.\}'\.$"
    ):
        load_measurement("configs/scan_line.yaml", RIG, ["rig.limit.x=1"])


def test_what_is_wrong_with_an_analysis_of_the_command_line_is_not_blamed_on_the_shipped_file() -> None:
    with pytest.raises(InputError, match='^analysis: method is "paperr": must be .* Write paper'):
        load_analysis("paperr", [])


def test_who_wants_one_kind_is_told_of_another() -> None:
    with pytest.raises(InputError, match="this is a series, and a scan is wanted here"):
        load_scan("configs/series_power.yaml", RIG, [])
    with pytest.raises(InputError, match="this is a scan, and an alignment is wanted here"):
        load_alignment("configs/scan_line.yaml", RIG, [])

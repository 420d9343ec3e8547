"""Every shipped file is what its name says, and survives being dumped and read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tplm_daq.recipes.align import PROCEDURES
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.recipes.base import Model
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.recipes.load import dump_yaml, read_yaml, resolve_references, shipped_configs, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.recipes.series import SeriesRecipe

MODELS: dict[str, type[Model]] = {
    "rig": RigRecipe,
    "scan": ScanRecipe,
    "series": SeriesRecipe,
    "kmc": KmcRecipe,
    "analysis": AnalysisRecipe,
}
FILES = sorted(shipped_configs().glob("**/*.yaml"))


def test_there_are_shipped_files() -> None:
    assert {path.name for path in FILES} >= {"rig_sim.yaml", "rig_lab.yaml", "scan_line.yaml", "analysis_default.yaml"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_shipped_file_loads_and_survives_a_round_trip(path: Path, tmp_path: Path) -> None:
    kind = path.name.split("_")[0]
    data = resolve_references(read_yaml(path), path.parent, ["scan", "analysis"])
    assert data["kind"] == kind
    model_type = PROCEDURES[data["procedure"]] if kind == "align" else MODELS[kind]
    model = validate(model_type, data, path)
    copy = tmp_path / path.name
    copy.write_text(dump_yaml(model), encoding="utf-8")
    assert validate(model_type, read_yaml(copy), copy) == model


def test_the_default_analysis_is_what_the_model_has_by_itself() -> None:
    path = shipped_configs() / "analysis_default.yaml"
    assert validate(AnalysisRecipe, read_yaml(path), path) == AnalysisRecipe()

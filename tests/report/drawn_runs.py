"""Results for reports, found by analysis in the example line scan, and views of them."""

from __future__ import annotations

import functools
from pathlib import Path

from tplm_daq.analysis.pipeline import Result, analyse
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.report.view import RunView
from tplm_daq.store.importer import read_npz

EXAMPLE = Path(__file__).resolve().parent.parent / "data" / "example_line.npz"


@functools.cache
def example_map() -> TimePositionMap:
    return read_npz(EXAMPLE)


@functools.cache
def example_result(method: str = "poisson") -> Result:
    return analyse(example_map(), AnalysisRecipe(method=method))


def example_view(title: str = "OLA/OA <film>, 10 nW") -> RunView:
    return RunView(
        title=title,
        source="example_line.npz",
        data=example_map(),
        result=example_result(),
        conditions={"sample": "film 3 & more"},
        truth_cm2_s=0.04,
        recipe_text="kind: scan # <b>",
        provenance={"numpy": "2.0"},
    )

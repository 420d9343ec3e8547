"""A series put together from the files in its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workflow.scanned_runs import scanned_run
from tplm_daq.errors import InputError
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.recipes.load import dump_yaml
from tplm_daq.store.reader import open_run
from tplm_daq.store.writer import RunWriter
from tplm_daq.workflow.analyse import analyse_run
from tplm_daq.workflow.files import report_runs
from tplm_daq.workflow.outcome import scalars_of
from tplm_daq.workflow.series_index import RECIPE_NAME, append_line
from tplm_daq.workflow.series_result import is_series, series_summary


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One condition with a result, one without, one that failed."""
    home = tmp_path_factory.mktemp("series")
    (home / RECIPE_NAME).write_text("kind: series\ntitle: two powers\n")
    path = scanned_run(home / "run-1.h5")
    result = analyse_run(open_run(path), AnalysisRecipe())
    with RunWriter.reopen(path) as writer:
        writer.write_result(result.method, scalars_of(result), result.arrays(), dump_yaml(AnalysisRecipe()))
    scanned_run(home / "run-2.h5")
    common = {"is_reference": False, "finish_reason": "completed"}
    append_line(home, {"condition": 1, "label": "b", "run_file": "/gone/run-2.h5", "values": {}, **common})
    values = {"average_power": "10 nW", "detection_filter": "ND 1"}
    append_line(home, {"condition": 0, "label": "a", "run_file": "/gone/run-1.h5", "values": values, **common})
    append_line(home, {"condition": 2, "label": "c", "run_file": None, "finish_reason": "failed"})
    return home


def test_runs_speak_through_their_stored_results_and_the_rest_is_listed(folder: Path) -> None:
    summary = series_summary(folder)
    assert summary.title == "two powers"
    (run,) = summary.runs
    assert (run.label, run.source, run.sample, run.detection_filter) == ("a", "run-1.h5", "ola-oa", "ND 1")
    assert (run.power_nw, run.repetition_rate_hz, run.temperature_k) == (10.0, 2.5e6, 300.0)
    assert run.truth_cm2_s == 0.07
    assert abs(run.diffusivity_cm2_s - 0.07) < 4 * run.standard_error_cm2_s
    assert run.tail_exponent is not None
    assert run.tail_exponent[0] == pytest.approx(1.6, abs=0.02)
    assert dict(summary.left_out) == {
        "b": "its file holds no result; `tplm analyse` fits it",
        "c": "failed before the first point",
    }


def test_a_folder_is_reported_as_one_page(folder: Path, tmp_path: Path) -> None:
    page = report_runs([folder], tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<h1>two powers</h1>" in page
    assert "Conditions without a result" in page
    assert report_runs([folder]) == folder / "series.html"


def test_a_folder_without_index_is_no_series(tmp_path: Path) -> None:
    assert not is_series(tmp_path)
    with pytest.raises(InputError, match="Give the folder of a series"):
        series_summary(tmp_path)

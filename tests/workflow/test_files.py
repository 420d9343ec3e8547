"""Lists, exports and reports of files that are already there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tests.store.made_runs import header, row, written_run
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.errors import InputError
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.recipes.load import dump_yaml
from tplm_daq.report.numbers import value_with_error
from tplm_daq.store.importer import load_map, read_npz
from tplm_daq.store.reader import open_run
from tplm_daq.store.writer import RunWriter
from tplm_daq.workflow.files import export_run, list_runs, report_runs, stored_analysis
from tplm_daq.workflow.load import load_scan

EXAMPLE = Path(__file__).resolve().parent.parent / "data" / "example_line.npz"


def recipe_text(*assignments: str) -> str:
    return dump_yaml(load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", assignments)[0])


def run_of_example(path: Path, *assignments: str) -> Path:
    """Write the example line scan as a run whose recipe has these changes."""
    data = read_npz(EXAMPLE)
    made = header(delay_ns=data.delay_ns, pixel_nm=data.pixel_nm, recipe_text=recipe_text(*assignments))
    with RunWriter.create(path, made) as writer:
        for index, (x_nm, histogram) in enumerate(zip(data.x_nm, data.counts, strict=True)):
            place = {"x_nm": x_nm, "x_readback_nm": x_nm}
            writer.append(row(0, index=index, **place), histogram.astype(np.uint32))
        writer.finish("completed")
    return path


def quoted(path: Path, recipe: AnalysisRecipe) -> str:
    result = analyse(load_map(path), recipe)
    return value_with_error(result.diffusivity_cm2_s, result.standard_error_cm2_s)


@pytest.mark.parametrize(
    "assignments", [(), ("analysis.method=paper", "analysis.window=2.5 ns"), ("analysis.magnification_error=2 %",)]
)
def test_the_analysis_recipe_of_a_run_is_the_one_it_was_started_with(tmp_path: Path, assignments: tuple) -> None:
    run = open_run(written_run(tmp_path / "run.h5", recipe_text=recipe_text(*assignments)))
    scan, _ = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", assignments)
    assert stored_analysis(run) == scan.analysis


UNUSABLE = {
    "no section": ("kind: scan\n", r"run.h5: the recipe in it has no section analysis\. `tplm analyse` fits"),
    "no YAML": ("analysis: [", r"run.h5: the recipe in it cannot be read\. `tplm analyse` fits the data"),
    "of another version": ("analysis: {method: guess}", r"run.h5, recipe, analysis: .*method"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_stored_recipe_that_cannot_be_used_is_said_and_nothing_is_written(tmp_path: Path, kind: str) -> None:
    text, message = UNUSABLE[kind]
    path = written_run(tmp_path / "run.h5", recipe_text=text)
    with pytest.raises(InputError, match=message):
        report_runs([path])
    assert not (tmp_path / "run.html").exists()


def test_a_report_stands_beside_the_run_and_fits_it_as_its_recipe_says(tmp_path: Path) -> None:
    path = run_of_example(tmp_path / "run.h5", "analysis.method=lsq", "analysis.window=2 ns")
    target = report_runs([path])
    assert target == tmp_path / "run.html"
    page = target.read_text(encoding="utf-8")
    with_recipe = quoted(path, AnalysisRecipe(method="lsq", window_ns="2 ns"))
    assert with_recipe != quoted(path, AnalysisRecipe())
    assert f"D = {with_recipe} cm²/s" in page


def test_run_files_and_imported_maps_share_a_page(tmp_path: Path) -> None:
    run = run_of_example(tmp_path / "run.h5")
    npz = Path(shutil.copy(EXAMPLE, tmp_path / "elsewhere.npz"))
    csv = export_run(npz, "csv")
    page = report_runs([run, npz, csv], tmp_path / "all" / "page.html").read_text(encoding="utf-8")
    assert "3 runs" in page
    assert all(f"<td>{path.name}</td>" in page for path in (run, npz, csv))
    assert page.count(f"D = {quoted(npz, AnalysisRecipe())} cm²/s") == 2


def test_a_run_that_cannot_be_fitted_is_reported_with_the_reason(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5", n_points=2, recipe_text=recipe_text())
    page = report_runs([path]).read_text(encoding="utf-8")
    assert "No diffusivity: 2 of at least 5 positions have been measured" in page


def test_a_run_without_points_is_refused(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5", n_points=0, recipe_text=recipe_text())
    with pytest.raises(InputError, match="none of its 0 points can be used"):
        report_runs([path])


def test_an_existing_page_is_kept_and_no_files_make_no_page(tmp_path: Path) -> None:
    path = run_of_example(tmp_path / "run.h5")
    (tmp_path / "run.html").write_text("mine")
    with pytest.raises(
        InputError, match="run.html: exists already and is not overwritten. Choose another name with -o"
    ):
        report_runs([path])
    assert (tmp_path / "run.html").read_text() == "mine"
    with pytest.raises(InputError, match="a report needs a file"):
        report_runs([])


@pytest.mark.parametrize("to", ["npz", "csv"])
def test_an_export_gives_the_same_diffusivity_as_the_run(tmp_path: Path, to: str) -> None:
    path = run_of_example(tmp_path / "run.h5")
    target = export_run(path, to)
    assert target == tmp_path / f"run.{to}"
    wanted, found = (analyse(load_map(file), AnalysisRecipe()) for file in (path, target))
    assert found.to_dict() == wanted.to_dict()
    with pytest.raises(InputError, match="exists already"):
        export_run(path, to)
    assert export_run(path, to, tmp_path / "other" / f"name.{to}").exists()


def test_a_format_is_checked_before_the_file_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--to xlsx: there is no such format"):
        export_run(tmp_path / "nowhere.h5", "xlsx")
    with pytest.raises(InputError, match="no such file"):
        export_run(tmp_path / "nowhere.h5", "csv")


def test_runs_are_listed_and_selected(tmp_path: Path) -> None:
    written_run(tmp_path / "a.h5", title="first")
    written_run(tmp_path / "b.h5", title="second")
    assert [run.title for run in list_runs(tmp_path).runs] == ["first", "second"]
    assert [run.title for run in list_runs(tmp_path, "SEC").runs] == ["second"]
    assert list_runs(tmp_path, since=date(2026, 3, 2)).runs == ()


def test_listing_loads_neither_fits_nor_figures() -> None:
    code = (
        "import sys; import tplm_daq.workflow.files; print(sorted({'numba', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"

"""`tplm report`, `tplm export`, `tplm runs` on a run that was measured before."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.program import QUICK, settings, tplm_here


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured")
    done = tplm_here(folder, "run", "configs/scan_line.yaml", "--json", *settings(*QUICK))
    assert done.status == 0, done.err
    Path(folder / done.document["run_file"]).rename(folder / "runs" / "one.h5")
    return folder


@pytest.mark.parametrize("to", ["npz", "csv"])
def test_an_exported_run_gives_the_same_d(to: str, folder: Path) -> None:
    """A map has no passes, so the drift between them is left in the run too."""
    done = tplm_here(folder, "export", "runs/one.h5", "--to", to)
    assert done.status == 0, done.err
    original = tplm_here(folder, "analyse", "runs/one.h5", "--json", *settings("corrections.drift=false")).document
    exported = tplm_here(folder, "analyse", done.out.strip(), "--json").document
    assert exported["diffusivity_cm2_s"] == pytest.approx(original["diffusivity_cm2_s"], rel=1e-9)


def test_an_existing_target_is_never_overwritten(folder: Path) -> None:
    target = folder / "taken.csv"
    target.write_text("mine")
    done = tplm_here(folder, "export", "runs/one.h5", "--to", "csv", "-o", "taken.csv")
    assert done.status == 2
    assert "taken.csv" in done.err
    assert target.read_text() == "mine"


def test_an_unknown_format_names_the_known_ones(folder: Path) -> None:
    done = tplm_here(folder, "export", "runs/one.h5", "--to", "xls")
    assert done.status == 2
    assert "npz" in done.err
    assert "Traceback" not in done.err


def test_a_report_of_stored_runs(folder: Path) -> None:
    done = tplm_here(folder, "report", "runs/one.h5", "-o", "page.html")
    assert done.status == 0, done.err
    assert "OLA/OA film" in (folder / "page.html").read_text()


def test_the_catalogue_lists_the_run_and_what_it_could_not_read(folder: Path) -> None:
    (folder / "runs" / "broken.h5").write_bytes(b"not a run file at all")
    listed = tplm_here(folder, "runs", "--json").document
    (run,) = listed["runs"]
    assert run["path"].endswith("one.h5")
    assert run["finish_reason"] == "completed"
    assert run["n_points"] == 18
    assert [Path(each["path"]).name for each in listed["unreadable"]] == ["broken.h5"]
    shown = tplm_here(folder, "runs")
    assert "runs/one.h5" in shown.out.split()
    assert "not read: broken.h5" in shown.out


def test_a_status_file_and_a_log_lie_beside_the_run(folder: Path) -> None:
    assert len(list((folder / "runs").glob("*.status.json"))) == 1
    assert (folder / "runs" / "tplm.log").is_file()

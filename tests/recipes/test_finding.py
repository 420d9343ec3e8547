"""Which file is meant: as given, beside, as shipped, or referred to by another."""

from __future__ import annotations

from tests.recipes.test_load import refusal, write
from tplm_daq.recipes import load
from tplm_daq.recipes.load import find_config, resolve_references


def test_a_config_is_found_as_given_then_beside_then_as_shipped(tmp_path, monkeypatch):
    shipped = tmp_path / "shipped"
    here = tmp_path / "here"
    shipped.mkdir()
    here.mkdir()
    monkeypatch.setattr(load, "shipped_configs", lambda: shipped)
    monkeypatch.chdir(here)
    write(shipped, "a: 1", "scan_line.yaml")
    assert find_config("scan_line.yaml") == find_config("configs/scan_line.yaml") == shipped / "scan_line.yaml"
    own = write(here, "a: 2", "scan_line.yaml")
    assert find_config("scan_line.yaml") == find_config(own) == own
    assert find_config("scan_line.yaml", shipped) == shipped / "scan_line.yaml"
    assert refusal(find_config, "scan_lin.yaml") == (
        f"scan_lin.yaml: there is no such file; looked for {here / 'scan_lin.yaml'} and {shipped / 'scan_lin.yaml'}. "
        'Did you mean "scan_line.yaml"?'
    )
    assert refusal(find_config, "x.yaml").endswith("Check the name, or give the whole path.")


def test_a_folder_in_place_of_a_file_is_named_with_a_file_in_it(tmp_path):
    assert refusal(find_config, tmp_path) == f"{tmp_path}: is a folder. Name a file in it."
    write(tmp_path, "a: 1", "scan.yaml")
    assert refusal(find_config, tmp_path) == f"{tmp_path}: is a folder. Name a file in it, such as scan.yaml."


def test_a_reference_that_leads_nowhere_says_under_which_key_it_stands(tmp_path):
    said = refusal(resolve_references, {"analysis": "fit.yaml"}, tmp_path, ["analysis"])
    assert said.startswith("analysis: fit.yaml: there is no such file")


def test_references_are_resolved_from_the_file_that_makes_them(tmp_path):
    (tmp_path / "scans").mkdir()
    write(tmp_path / "scans", "kind: scan\nanalysis: fit.yaml\n", "line.yaml")
    write(tmp_path / "scans", "method: poisson\n", "fit.yaml")
    data = {"scan": "scans/line.yaml", "title": "fit.yaml"}
    resolved = resolve_references(data, tmp_path, ["scan", "analysis"])
    assert resolved == {"scan": {"kind": "scan", "analysis": {"method": "poisson"}}, "title": "fit.yaml"}
    inline = {"scan": {"analysis": "scans/fit.yaml"}}
    assert resolve_references(inline, tmp_path, ["scan", "analysis"]) == {"scan": {"analysis": {"method": "poisson"}}}
    assert inline == {"scan": {"analysis": "scans/fit.yaml"}}


def test_references_in_a_circle_are_refused(tmp_path):
    write(tmp_path, "scan: b.yaml\n", "a.yaml")
    write(tmp_path, "scan: a.yaml\n", "b.yaml")
    said = refusal(resolve_references, {"scan": "a.yaml"}, tmp_path, ["scan"])
    assert "refers back to a file that led here: a.yaml -> b.yaml -> a.yaml" in said

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.report.drawn_runs import example_result, example_view
from tests.store.made_runs import written_run
from tplm_daq.errors import InputError
from tplm_daq.report.numbers import label_and_unit, value_with_error
from tplm_daq.report.page import write_report
from tplm_daq.report.view import view_of_run
from tplm_daq.store.reader import open_run

VOID = {"meta", "br", "hr", "img", "link"}


class Structure(HTMLParser):
    """Checks that every element is closed, and collects identifiers and references."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.identifiers: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self._collect(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._collect(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def _collect(self, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.identifiers.append(value or "")
            elif name in ("href", "xlink:href", "src", "clip-path"):
                self.references.append(value or "")


def page_of(path: Path, *views: object) -> str:
    write_report(path, views)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return page_of(tmp_path_factory.mktemp("report") / "page.html", example_view())


def test_the_page_needs_nothing_else(page: str) -> None:
    structure = Structure()
    structure.feed(page)
    assert structure.open == []
    assert all(ref.startswith(("#", "url(#", "data:image/png;base64,")) for ref in structure.references)
    assert "<script" not in page
    assert not re.search(r"@import|https?://(?!www\.w3\.org)", page)


def test_figures_do_not_share_identifiers(page: str) -> None:
    structure = Structure()
    structure.feed(page)
    assert len(set(structure.identifiers)) == len(structure.identifiers)
    asked = {ref.removeprefix("url(").strip("#)") for ref in structure.references if "#" in ref}
    assert asked <= set(structure.identifiers)


def test_every_figure_is_sound_follows_the_page_colours_and_is_described(page: str) -> None:
    figures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(figures) == 4
    for svg in figures:
        root = ElementTree.fromstring(svg)
        assert root.attrib["role"] == "img"
        assert len(root.attrib["aria-label"]) > 60
        assert "width" not in root.attrib
        assert "currentColor" in svg
        assert "#010203" not in svg


def test_the_result_stands_in_the_page_with_units(page: str) -> None:
    result = example_result()
    low, high = result.ci95_cm2_s
    value = value_with_error(result.diffusivity_cm2_s, result.standard_error_cm2_s)
    assert f"D = {value} cm²/s" in page
    assert f"± is the standard error. 95 % interval {low:.5f} to {high:.5f} cm²/s" in page
    assert "the simulated sample has 0.04 cm²/s" in page
    assert f'class="lamp {result.bias_lamp}"' in page
    for warning in result.warnings:
        assert warning in page
    for term in result.bias_budget:
        assert f"{term.error_cm2_s:.2g} cm²/s" in page


def test_figures_of_merit_have_their_interval_and_unit(page: str) -> None:
    figures = example_result().figures
    assert figures
    for merit in figures:
        label, unit = label_and_unit(merit.name)
        low, high = merit.ci95
        assert f'<th scope="row">{label}</th><td>{merit.value:.3g} ({low:.3g} to {high:.3g}) {unit}'.rstrip() in page


def test_what_the_user_wrote_cannot_break_the_page(page: str) -> None:
    assert "OLA/OA &lt;film&gt;, 10 nW" in page
    assert "film 3 &amp; more" in page
    assert "kind: scan # &lt;b&gt;" in page


def test_a_run_that_could_not_be_fitted_says_why(tmp_path: Path) -> None:
    view = dataclasses.replace(example_view(), result=None, fit_error="3 positions are too few")
    page = page_of(tmp_path / "page.html", view)
    assert "No diffusivity: 3 positions are too few" in page
    assert page.count("<svg") == 1


def test_several_runs_are_compared_first(tmp_path: Path) -> None:
    unfitted = dataclasses.replace(example_view("third"), result=None)
    page = page_of(tmp_path / "page.html", example_view("first"), example_view("second"), unfitted)
    assert "<title>3 runs</title>" in page
    assert page.index('href="#run-2"') < page.index('id="run-1"')
    assert "not fitted" in page
    structure = Structure()
    structure.feed(page)
    assert len(set(structure.identifiers)) == len(structure.identifiers)


def test_the_same_result_gives_the_same_page(tmp_path: Path, page: str) -> None:
    assert page_of(tmp_path / "again.html", example_view()) == page


def test_an_existing_page_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("mine")
    with pytest.raises(InputError, match="exists already and is not overwritten. Choose another name with -o"):
        write_report(path, [example_view()])
    assert path.read_text() == "mine"


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="the report cannot be written"):
        write_report(tmp_path / "file" / "page.html", [example_view()])


def test_the_conditions_of_a_run_come_from_its_file(tmp_path: Path) -> None:
    view = view_of_run(open_run(written_run(tmp_path / "run.h5")), None, "too few counts")
    assert (view.title, view.source, view.truth_cm2_s) == ("OLA/OA film, 10 nW", "run.h5", 0.05)
    assert view.conditions["sample"] == "film 3"
    assert view.conditions["points"] == "12 at 5 positions, 3 passes"
    assert view.conditions["counting time"] == "22.8 s"
    assert view.conditions["repetition rate"] == "2.5 MHz"
    assert view.conditions["average power"] == "10 nW"
    assert view.conditions["temperature"] == "300 K"
    assert view.conditions["suspect points"] == "0"
    assert "completed" in view.conditions["ended"]


def test_what_a_rig_does_not_know_is_left_out(tmp_path: Path) -> None:
    run = open_run(written_run(tmp_path / "run.h5", finish_reason=None, truth=None))
    run.points["temperature_k"] = float("nan")
    run.points["input_cps"] = float("nan")
    view = view_of_run(run, None)
    assert view.truth_cm2_s is None
    assert "temperature" not in view.conditions
    assert "highest detector rate" not in view.conditions
    assert view.conditions["ended"] == "cut short, or still going on"


NUMBERS = {
    (0.049731, 0.00118): "0.0497 ± 0.0012",
    (212.33, 1.5): "212.3 ± 1.5",
    (1234.5, 150.0): "1230 ± 150",
    (-40.2, 0.51): "-40.20 ± 0.51",
    (0.05, 0.0): "0.05",
    (0.05, float("nan")): "0.05",
    (0.05, float("inf")): "0.05",
}


@pytest.mark.parametrize("pair", NUMBERS, ids=map(str, NUMBERS))
def test_numbers_end_with_the_second_digit_of_their_error(pair: tuple[float, float]) -> None:
    assert value_with_error(*pair) == NUMBERS[pair]

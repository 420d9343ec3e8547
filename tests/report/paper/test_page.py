"""The page of the reproduction: sound, self-contained, and it says what agrees, what differs, and what was put in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.report.drawn_runs import example_map, example_result
from tests.report.test_page import Structure
from tplm_daq.errors import InputError
from tplm_daq.kmc.simulate import Condition, Snapshot
from tplm_daq.report.paper.draw import draw, is_wide
from tplm_daq.report.paper.page import write_paper_page
from tplm_daq.report.paper.view import (
    Curve,
    LatticeDrawing,
    MapDrawing,
    Origin,
    Panel,
    PaperFigure,
    PaperPage,
    Points,
    Row,
    Source,
    Verdict,
)

X = np.array([0.5, 1.0, 5.0, 20.0])


def panel(title: str) -> Panel:
    points = (Points(X, X, 0.9 * X, 1.1 * X, "measured"), Points(X, X, None, None, "input", is_truth=True))
    curves = (Curve(X, X, "fit", 1, low=0.8 * X, high=1.2 * X),)
    return Panel(title, "power (nW)", "D (cm²/s)", points, curves, is_x_log=True)


def figure(name: str, drawing: object, *verdicts: Verdict) -> PaperFigure:
    rows = tuple(
        Row(f"τ <{verdict}>", "6 µs", "6.0 ± 0.1 µs", Origin.RECOVERED, "the rule", verdict, "the reason & why")
        for verdict in verdicts
    )
    source = Source("configs/paper/series.yaml", ("a=1",), (("1 nW", "power/run%201.h5"),))
    return PaperFigure(name, "Decay & power", "What was done.", drawing, rows, ("one condition failed",), (source,))


def lattice() -> LatticeDrawing:
    places = np.array([[0.0, 10.0], [20.0, -30.0]])
    return LatticeDrawing(Snapshot(9, 0.05, Condition(0.08, 400.0), places, places), 10.0, 106.2)


def test_the_page_is_sound_and_holds_every_row_and_source(tmp_path: Path) -> None:
    page = PaperPage(
        (
            figure("1D", (panel("a"), panel("b"), panel("c")), Verdict.AGREES, Verdict.FAILS),
            figure("1E", MapDrawing(example_map(), example_result()), Verdict.AGREES),
            figure("4D", lattice(), Verdict.EXPLAINED),
            figure("text", None, Verdict.AGREES),
        ),
        {"memory (ours)": "40 µs at 50 K"},
        ("from <recipes>",),
    )
    write_paper_page(tmp_path / "page.html", page)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    structure = Structure()
    structure.feed(text)
    assert structure.open == []
    assert len(set(structure.identifiers)) == len(structure.identifiers)
    assert "5 rows: 3 agree, 1 differ and are explained, 1 fail." in text
    assert text.count("<figure") == 3
    for said in ("Fig. 1D: Decay &amp; power", "the reason &amp; why", "input, recovered", "memory (ours)", "the rule"):
        assert said in text
    assert '<a href="power/run%201.h5">1 nW</a>' in text
    assert "one condition failed" in text
    assert "<script" not in text
    assert 'src="http' not in text
    with pytest.raises(InputError, match="exists already"):
        write_paper_page(tmp_path / "page.html", page)


@pytest.mark.parametrize(("n_panels", "rows"), [(1, [1]), (2, [2]), (3, [3]), (4, [2, 2]), (5, [3, 2])])
def test_panels_fill_their_rows(n_panels: int, rows: list[int]) -> None:
    panels = tuple(panel(letter) for letter in "abcde"[:n_panels])
    drawn = draw(panels)
    tops = [round(axes.get_subplotspec().get_position(drawn).y1, 3) for axes in drawn.axes]
    assert [tops.count(top) for top in dict.fromkeys(tops)] == rows
    assert is_wide(panels) is (n_panels > 1)


def test_a_panel_shows_its_labels_marks_and_band() -> None:
    (axes,) = draw((panel("a  Title"),)).axes
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_xscale()) == ("power (nW)", "D (cm²/s)", "log")
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {"measured", "input", "fit"}
    assert len(axes.containers) == 1
    assert axes.get_ylim()[0] == 0.0


def test_a_lattice_without_excitons_can_be_drawn() -> None:
    empty = Snapshot(9, 0.05, Condition(0.08, 400.0), np.empty((0, 2)), np.array([[0.0, 10.0]]))
    assert len(draw(LatticeDrawing(empty, 10.0, 106.2)).axes[0].collections) == 2

"""The page of a series."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.analysis.series_runs import power_series, series_run
from tests.report.test_page import Structure
from tplm_daq.analysis.series_summary import SeriesSummary
from tplm_daq.errors import InputError
from tplm_daq.report.series_figures import draw_conditions, draw_decays, draw_enhancement
from tplm_daq.report.series_page import write_series_report


def page_of(path: Path, *runs: object, left_out: tuple[tuple[str, str], ...] = ()) -> str:
    write_series_report(path, SeriesSummary("OLA/OA <film>, power", "folder", tuple(runs), left_out))
    return path.read_text(encoding="utf-8")


def test_the_page_is_sound_and_says_what_was_found(tmp_path: Path) -> None:
    page = page_of(tmp_path / "page.html", *power_series(), left_out=(("32 nW", "limits exceeded & <more>"),))
    structure = Structure()
    structure.feed(page)
    assert structure.open == []
    assert len(set(structure.identifiers)) == len(structure.identifiers)
    assert "<h1>OLA/OA &lt;film&gt;, power</h1>" in page
    assert '<p class="headline">τ = ' in page
    assert "D returns within the errors" in page
    assert '<a href="run-16-nw.h5">16 nW</a>' in page
    assert "1 nW (again)" in page
    assert "limits exceeded &amp; &lt;more&gt;" in page
    assert page.count("<figure") == 3


def test_what_cannot_be_said_is_said_with_the_reason(tmp_path: Path) -> None:
    page = page_of(tmp_path / "page.html", series_run(1.0), series_run(8.0))
    assert "no relaxation time: the series: 2 different t_exc" in page
    assert "Not tested: the detection filter was not varied." in page


def test_a_series_without_results_still_has_a_page(tmp_path: Path) -> None:
    page = page_of(tmp_path / "page.html", left_out=(("1 nW", "no run file: failed"),))
    assert "No run of the series has a result." in page
    assert "no run file: failed" in page


def test_an_existing_page_is_kept(tmp_path: Path) -> None:
    page_of(tmp_path / "page.html", series_run(1.0))
    with pytest.raises(InputError, match="exists already and is not overwritten"):
        page_of(tmp_path / "page.html", series_run(1.0))


def test_only_what_was_varied_gets_a_panel() -> None:
    rates = SeriesSummary("", "", tuple(series_run(4.0, repetition_rate_hz=f) for f in (1e6, 2e6)))
    figure = draw_conditions(rates)
    assert figure is not None
    assert [panel.get_xlabel() for panel in figure.axes] == ["repetition rate (MHz)", "excitons per pulse ⟨N⟩"]
    assert draw_conditions(SeriesSummary("", "", (series_run(4.0),))) is None


def test_temperatures_get_colours_curves_and_a_panel_of_their_own() -> None:
    runs = [run for kelvin in (300.0, 50.0) for run in (series_run(p, temperature_k=kelvin) for p in (1, 2, 4, 8, 16))]
    summary = SeriesSummary("", "", tuple(runs))
    (panel,) = draw_enhancement(summary).axes
    labels = panel.get_legend_handles_labels()[1]
    assert labels.count("τ = 6 µs") == 2
    assert {"300 K", "50 K"} <= set(labels)
    figure = draw_conditions(summary)
    assert figure is not None
    assert figure.axes[-1].get_xlabel() == "temperature (K)"


def test_without_decays_there_is_no_figure_of_them() -> None:
    assert draw_decays(SeriesSummary("", "", (series_run(1.0, lifetime_ns=None, tail_exponent=None),))) is None

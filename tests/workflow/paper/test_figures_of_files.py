"""Figures that need more of a run than its numbers: decays, map, displacements."""

from __future__ import annotations

import pytest

from tests.analysis.series_runs import series_run
from tests.workflow.paper.made_programme import CarriedOut
from tests.workflow.scanned_runs import SCENE, scanned_run
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.recipes.load import dump_yaml
from tplm_daq.report.paper.draw import draw
from tplm_daq.report.paper.view import MapDrawing, PaperFigure, Row, Verdict
from tplm_daq.store.reader import RunFile, open_run
from tplm_daq.store.writer import RunWriter
from tplm_daq.workflow.analyse import analyse_run
from tplm_daq.workflow.outcome import scalars_of
from tplm_daq.workflow.paper import decays, light, maps


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> RunFile:
    """Return a run file with its result."""
    path = scanned_run(tmp_path_factory.mktemp("run") / "run.h5")
    recipe = AnalysisRecipe()
    result = analyse_run(open_run(path), recipe)
    with RunWriter.reopen(path) as writer:
        writer.write_result(result.method, scalars_of(result), result.arrays(), dump_yaml(recipe))
    return open_run(path)


@pytest.fixture(scope="module")
def programme(stored: RunFile) -> CarriedOut:
    """Return a programme whose runs all have the same file."""
    runs = {
        "power": [series_run(power_nw, lifetime_ns=(2.3, 2.2, 2.4)) for power_nw in (0.5, 10.0, 20.0)],
        "rate": [series_run(power_nw, repetition_rate_hz=1e6 * power_nw) for power_nw in (1.0, 5.0, 20.0)],
        "constant-power": [series_run(10.0, repetition_rate_hz=rate_hz) for rate_hz in (5e5, 2.5e6, 2e7)],
    }
    made = CarriedOut(runs)
    made.open = lambda name, run: stored  # type: ignore[attr-defined]
    return made


def row(figure: PaperFigure, beginning: str) -> Row:
    return next(each for each in figure.rows if each.quantity.startswith(beginning))


def test_decays_are_compared_at_both_ends_of_the_series(programme: CarriedOut) -> None:
    figure = decays.decays(programme)
    assert row(figure, "lifetime at 0.5 nW").verdict is Verdict.AGREES
    assert row(figure, "lifetime at 20 nW").verdict is Verdict.FAILS
    assert "of 3 runs" in row(figure, "law of the decay").ours
    axes = draw(figure.drawing).axes
    assert [each.get_yscale() for each in axes] == ["log", "linear", "linear"]


def test_the_map_is_of_the_run_at_10_nw_and_fitted_anew(programme: CarriedOut, stored: RunFile) -> None:
    figure = maps.time_position_map(programme)
    assert isinstance(figure.drawing, MapDrawing)
    assert f"{len(SCENE.position_nm)} positions" in figure.caption
    fitted = figure.drawing.result.diffusivity_cm2_s
    assert fitted == pytest.approx(SCENE.diffusivity_cm2_s, rel=0.1)
    assert row(figure, "D at 10 nW").ours.startswith(f"{fitted:.3f}")
    assert row(figure, "σ of the spot's image").explanation == "There is no number with an error to compare"


def test_the_displacement_is_made_by_both_estimators(programme: CarriedOut) -> None:
    figure = maps.displacement(programme)
    assert row(figure, "MSD ∝ t^a within 3 ns").verdict is Verdict.AGREES
    assert row(figure, "MSD ∝ t^a after 3 ns").verdict is Verdict.AGREES
    assert row(figure, "D, likelihood").ours == row(maps.time_position_map(programme), "D at 10 nW").ours
    assert row(figure, "D, paper's estimator").ours != row(figure, "D, likelihood").ours
    paper, likely = draw(figure.drawing).axes
    assert paper.get_title(loc="left").startswith("a  Paper")
    assert likely.get_xlabel() == "mean age of the excitons (ns)"


def test_series_show_displacements_and_say_what_grows(programme: CarriedOut) -> None:
    figure = light.series(programme)
    assert [each.verdict for each in figure.rows] == [Verdict.AGREES] * 3
    assert len(draw(figure.drawing).axes) == 5

"""Each figure's computation: agrees with data of the published law, and fails with data of another."""

from __future__ import annotations

import pytest

from tests.workflow.paper.made_programme import CarriedOut, carried_out, moved
from tplm_daq.report.paper.draw import draw
from tplm_daq.report.paper.view import Origin, PaperFigure, Row, Verdict
from tplm_daq.workflow.paper import controls, lattice, light, limit, memory, numbers, samples

MADE = {
    "2F-H": light.correlations,
    "3A": controls.there_and_back,
    "3B": controls.filters,
    "3C": samples.temperatures,
    "3E": samples.treatments,
    "4A": memory.relaxation,
    "S2": limit.small_diffusivities,
    "text": numbers.text_numbers,
}


def failed(figure: PaperFigure) -> list[str]:
    return [row.quantity for row in figure.rows if row.verdict is Verdict.FAILS]


def row(figure: PaperFigure, beginning: str) -> Row:
    return next(each for each in figure.rows if each.quantity.startswith(beginning))


@pytest.fixture(scope="module")
def programme() -> CarriedOut:
    return carried_out(seed=4, with_lattice=True)


@pytest.mark.parametrize("name", MADE)
def test_data_of_the_published_law_agree(name: str, programme: CarriedOut) -> None:
    figure = MADE[name](programme)
    assert figure.name == name
    assert failed(figure) == []
    assert all(each.rule and each.ours for each in figure.rows)


def test_a_relaxation_time_that_is_not_the_published_one_fails() -> None:
    figure = memory.relaxation(carried_out(tau_us=8.0))
    assert "τ at 300 K" in failed(figure)
    assert "τ at 50 K" not in failed(figure)


def test_too_few_powers_are_a_failure_with_the_reason(programme: CarriedOut) -> None:
    few = CarriedOut({**programme.of, "power": programme.of["power"][:3]})
    figure = memory.relaxation(few)
    assert row(figure, "τ at 300 K").ours == "not determined"
    assert "different t_exc" in row(figure, "τ at 300 K").explanation


def test_a_dependence_on_the_rate_is_found(programme: CarriedOut) -> None:
    series = ("power", "rate", "constant-power")
    of_rate = {
        name: [moved(run, run.truth_cm2_s * (run.repetition_rate_hz / 2.5e6) ** 0.1 - run.truth_cm2_s) for run in runs]
        for name, runs in programme.of.items()
        if name in series
    }
    figure = light.correlations(CarriedOut(of_rate))
    assert "D and repetition rate at the same power" in failed(figure)


def test_a_spot_that_does_not_come_back_is_found(programme: CarriedOut) -> None:
    runs = programme.of["reversibility"]
    figure = controls.there_and_back(CarriedOut({"reversibility": [*runs[:-1], moved(runs[-1], 4e-3)]}))
    assert failed(figure) == ["spot 2: third run against the first", "all spots together"]


def test_a_d_that_changes_with_the_signal_is_found(programme: CarriedOut) -> None:
    runs = [moved(run, 3e-3 * (run.detection_filter == "OD 1")) for run in programme.of["filters"]]
    assert len(failed(controls.filters(CarriedOut({"filters": runs})))) == 2


def test_a_temperature_curve_without_a_turn_fails(programme: CarriedOut) -> None:
    runs = [moved(run, 0.03 * (run.temperature_k < 20)) for run in programme.of["temperature"]]
    names = failed(samples.temperatures(CarriedOut({"temperature": runs})))
    assert {name.split(": ")[1] for name in names} >= {"below, at 5 K", "D is largest"}


def test_a_biased_recovery_is_found(programme: CarriedOut) -> None:
    biased = {name: [moved(run, 8e-4) for run in programme.of[name]] for name in programme.of if "limit" in name}
    assert "all runs: no bias" in failed(limit.small_diffusivities(CarriedOut(biased)))


def test_numbers_of_the_text_tell_calculation_from_recovery(programme: CarriedOut) -> None:
    figure = numbers.text_numbers(programme)
    assert row(figure, "⟨N⟩").origin is Origin.CALCULATED
    assert row(figure, "enhancement").origin is Origin.RECOVERED
    assert "0.028 K if all of it does (ours)" in row(figure, "heating").explanation


def test_the_lattice_is_compared_and_its_low_limit_explained(programme: CarriedOut) -> None:
    figure = lattice.enhancement(programme)
    limited = row(figure, "D at rare excitation")
    assert limited.verdict is Verdict.EXPLAINED
    assert "0.0015 cm²/s" in limited.explanation
    assert all(each.origin is Origin.EMERGED for each in figure.rows)


def test_the_snapshot_shows_where_light_was(programme: CarriedOut) -> None:
    figure = lattice.snapshot(programme)
    assert failed(figure) == []
    assert draw(figure.drawing).axes[0].get_xlabel() == "x (nm)"


def test_every_drawing_has_units_on_its_axes_and_errors_on_its_points(programme: CarriedOut) -> None:
    for make in MADE.values():
        figure = make(programme)
        for panel in figure.drawing or ():
            assert all(each.low is not None for each in panel.points if not each.is_truth)
            assert all("(" in label or label in UNITLESS for label in (panel.x_label, panel.y_label))


UNITLESS = {"⟨N⟩", "run at the spot", "photons in the fit window"}


def test_a_sample_without_a_result_is_said_to_be_missing(programme: CarriedOut) -> None:
    runs = [run for run in programme.of["treatments"] if run.sample != "ald-alox"]
    figure = samples.treatments(CarriedOut({"treatments": runs}))
    assert row(figure, "treatments").verdict is Verdict.FAILS


def test_a_temperature_that_failed_is_not_replaced_by_the_next(programme: CarriedOut) -> None:
    runs = [run for run in programme.of["temperature"] if run.temperature_k < 299]
    figure = samples.temperatures(CarriedOut({"temperature": runs}))
    assert len(failed(figure)) == len(figure.rows) == 2
    assert "tries again" in figure.rows[0].explanation

"""A series in this process: conditions in order, failures recorded, the rig kept, simulated time that goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulators.bench import Bench
from tplm_daq.acquire.events import Event, FinishReason, PointDone, RunState, StateChanged
from tplm_daq.errors import Aborted, InputError, LightMayBeOnError
from tplm_daq.recipes.load import find_config, read_yaml, validate
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.recipes.series import SeriesRecipe
from tplm_daq.store.reader import open_run
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.nobody import Nobody
from tplm_daq.workflow.series import SeriesJob, plan_series
from tplm_daq.workflow.series_check import check_series, require_same_light
from tplm_daq.workflow.series_index import read_index

QUICK = ("path.n_positions=9", "passes.dwell=2s", "passes.n_passes=2", "rig.simulation.is_homed=true")
POWERS = [{"average_power": ["4 nW", "8 nW", "16 nW"]}]


def recipes(**changes: Any) -> tuple[SeriesRecipe, RigRecipe]:
    scan, rig = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", QUICK)
    data = {"kind": "series", "title": "powers", "scan": scan.model_dump(mode="json"), "vary": POWERS, **changes}
    return validate(SeriesRecipe, data, "series"), rig


def job(folder: Path, **changes: Any) -> SeriesJob:
    return SeriesJob(*recipes(**changes), folder, Nobody())


def at_scan(number: int, act: Callable[[], None]) -> Callable[[Event], None]:
    """Act at the third point of the nth scan, counted from 1."""
    scans = 0

    def listen(event: Event) -> None:
        nonlocal scans
        if event == StateChanged(RunState.RUNNING):
            scans += 1
        if isinstance(event, PointDone) and event.n_done == 3 and scans == number:
            act()

    return listen


def test_every_condition_has_its_run_file_and_its_line(tmp_path: Path, benches: list[Bench]) -> None:
    outcome = job(tmp_path, reference_every=2).run()
    assert outcome.finish_reason is FinishReason.COMPLETED
    assert outcome.exit_status == 0
    assert len(benches) == 1
    told = json.loads(json.dumps(outcome.to_dict()))
    assert [point["label"] for point in told["points"]] == ["4 nW", "8 nW", "16 nW", "4 nW"]
    assert [point["is_reference"] for point in told["points"]] == [False, False, False, True]
    index = read_index(outcome.folder)
    for number, point in enumerate(told["points"]):
        assert index[number]["run_file"] == point["run_file"]
        run = open_run(Path(point["run_file"]))
        assert run.title == f"powers, {point['label']}"
        assert set(run.points["power_nw"]) == {float(point["label"].split()[0])}
        assert point["diffusivity_cm2_s"] > 0


def test_simulated_time_goes_on_so_that_no_noise_is_drawn_twice(tmp_path: Path) -> None:
    outcome = job(tmp_path, vary=[{"average_power": ["8 nW"]}, {"sample": ["ola-oa", "ald-alox", "ola-oa"]}]).run()
    values = [
        point.outcome.result.diffusivity_cm2_s for point in outcome.points if point.outcome and point.outcome.result
    ]
    assert len(values) == len(set(values)) == 3


@pytest.mark.usefixtures("short_time_outs")
def test_a_failed_condition_is_recorded_and_the_series_goes_on_with_a_rig_opened_anew(
    tmp_path: Path, benches: list[Bench]
) -> None:
    series = job(tmp_path)
    series.listeners.append(at_scan(2, lambda: benches[-1].servers["detector_x"].close()))
    outcome = series.run()
    assert [point.finish_reason for point in outcome.points] == ["completed", "failed", "completed"]
    assert outcome.exit_status == 1
    assert outcome.n_failed == 1
    assert len(benches) == 2
    failed = read_index(outcome.folder)[1]
    assert failed["error"]["kind"]  # type: ignore[index]
    assert "detector_x" in failed["error"]["message"]  # type: ignore[index]
    assert open_run(Path(str(failed["run_file"]))).n_points >= 3


@pytest.mark.usefixtures("short_time_outs")
def test_a_series_may_stop_at_its_first_failure(tmp_path: Path, benches: list[Bench]) -> None:
    series = job(tmp_path, on_failure="stop")
    series.listeners.append(at_scan(2, lambda: benches[-1].servers["detector_x"].close()))
    outcome = series.run()
    assert [point.finish_reason for point in outcome.points] == ["completed", "failed"]
    assert outcome.exit_status == 1


def test_an_aborted_series_keeps_what_it_has(tmp_path: Path) -> None:
    series = job(tmp_path)
    series.listeners.append(at_scan(2, lambda: series.abort("ended by Ctrl-C")))
    outcome = series.run()
    assert [point.finish_reason for point in outcome.points] == ["completed", "aborted"]
    assert outcome.exit_status == 3
    assert isinstance(outcome.error, Aborted)
    assert outcome.finish_reason is FinishReason.ABORTED


@pytest.mark.usefixtures("short_time_outs")
def test_light_that_may_be_on_ends_the_series(
    tmp_path: Path, benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tplm_daq.rig.watchdog.LAST_TRIES_S", 0.0)

    def cut() -> None:
        benches[-1].servers["trigger"].close()
        benches[-1].servers["gate"].close()

    series = job(tmp_path)
    series.listeners.append(at_scan(2, cut))
    outcome = series.run()
    assert isinstance(outcome.error, LightMayBeOnError)
    assert outcome.exit_status == 1
    assert len(outcome.points) == 2


def test_every_impossible_condition_is_named_before_anything_is_opened(tmp_path: Path, benches: list[Bench]) -> None:
    powers = [{"average_power": ["4 nW", "500 nW"]}, {"repetition_rate": ["1 MHz", "60 MHz"]}]
    with pytest.raises(InputError) as caught:
        job(tmp_path, vary=powers).run()
    lines = str(caught.value).splitlines()
    assert any(line.startswith("500 nW, 1 MHz: ") for line in lines)
    assert any("60 MHz" in line.split(":")[0] for line in lines)
    assert not benches
    assert not any(tmp_path.iterdir())


def test_sample_presets_need_a_simulated_rig() -> None:
    recipe, _ = recipes(vary=[{"sample": ["ola-oa"]}])
    lab = validate(RigRecipe, read_yaml(find_config("rig_lab.yaml")), "rig_lab.yaml")
    with pytest.raises(InputError, match="presets belong to a simulated rig"):
        plan_series(recipe, lab)


@pytest.mark.parametrize("name", ["series_power.yaml", "series_rate.yaml"])
def test_the_shipped_series_can_be_measured_on_the_simulated_rig(name: str) -> None:
    from tplm_daq.recipes.load import resolve_references

    path = find_config(name)
    recipe = validate(SeriesRecipe, resolve_references(read_yaml(path), path.parent, ["scan", "analysis"]), path)
    _, rig = recipes()
    assert len(plan_series(recipe, rig)) == len(recipe.conditions) > 5


def test_a_check_says_when_somebody_has_to_turn_the_knob_between_conditions() -> None:
    recipe, sim = recipes()
    lab = validate(RigRecipe, read_yaml(find_config("rig_lab.yaml")), "lab")
    (first, *_) = check_series(recipe, lab).warnings
    assert first.startswith("The laser is set by hand: somebody is asked before each of the 3 conditions")
    assert first in check_series(recipe, lab).to_dict()["warnings"]
    with pytest.raises(InputError, match="--yes takes the laser as set, but the 3 conditions"):
        require_same_light(recipe, lab)
    of_spots, _ = recipes(vary=[{"spot": [["0 um", "0 um"], ["5 um", "0 um"]]}])
    for series, rig in ((recipe, sim), (of_spots, lab)):
        assert not check_series(series, rig).by_hand
        require_same_light(series, rig)


def test_a_problem_of_every_condition_is_said_once() -> None:
    recipe, rig = recipes(vary=[{"average_power": ["4 nW", "8 nW", "200 nW"]}])
    counter = recipe.scan.counter.model_copy(update={"bin_width_ps": 20.0})
    scan = recipe.scan.model_copy(update={"counter": counter})
    with pytest.raises(InputError) as caught:
        plan_series(recipe.model_copy(update={"scan": scan}), rig)
    power, width = sorted(str(caught.value).splitlines())
    assert power.startswith("200 nW: light.average_power: 200 nW is outside")
    assert width.startswith("every condition: counter.bin_width: 20 ps is not one")

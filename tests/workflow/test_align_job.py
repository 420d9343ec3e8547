"""Alignments on the simulated rig: what they find is true, and what goes wrong leaves nothing behind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulators.bench import Bench
from tplm_daq.acquire.events import Event, PointDone, RunState, StateChanged
from tplm_daq.errors import Aborted, DeviceError, FitError, InputError
from tplm_daq.recipes.load import shipped_configs
from tplm_daq.store.calibrations import FOLDER, read_calibration
from tplm_daq.workflow.align_job import AlignJob, AlignOutcome
from tplm_daq.workflow.feasibility import check_alignment, require_alignable
from tplm_daq.workflow.load import load_alignment
from tplm_daq.workflow.nobody import Nobody

QUIET = ("rig.simulation.is_homed=true", "rig.simulation.drift=0 nm/min")
ATTENUATION = (
    "rig.devices.attenuator={model: fw102c, address: double, densities: [0, 1, 2, 3, 3.43, 4]}",
    "rig.devices.power_meter={model: pm100d, address: double, sample_per_meter: 0.2}",
)
SINGLE_EMITTER = "rig.simulation.sample=single-emitter"


@pytest.fixture
def make_job(tmp_path: Path) -> Callable[..., AlignJob]:
    def make(name: str, *changes: str) -> AlignJob:
        recipe, rig = load_alignment(f"configs/align_{name}.yaml", "configs/rig_sim.yaml", [*QUIET, *changes])
        return AlignJob(recipe, rig, tmp_path, Nobody())

    return make


MakeJob = Callable[..., AlignJob]


def truth_of(outcome: AlignOutcome) -> dict[str, Any]:
    assert outcome.truth is not None
    return dict(outcome.truth)


def at_point(number: int, act: Callable[[], None]) -> Callable[[Event], None]:
    return lambda event: act() if isinstance(event, PointDone) and event.n_done == number else None


def test_the_spot_is_found_where_it_is_and_round(make_job: MakeJob, benches: list[Bench]) -> None:
    events: list[Event] = []
    job = make_job("spot", "n_positions=9", "n_fine=7", "fine_dwell=200ms")
    job.listeners.append(events.append)
    outcome = job.run()
    found, centre_nm = outcome.values, truth_of(outcome)["centre_nm"]
    assert found["x_nm"] == pytest.approx(centre_nm[0], abs=5 * found["x_error_nm"])
    assert found["y_nm"] == pytest.approx(centre_nm[1], abs=5 * found["y_error_nm"])
    assert found["x_error_nm"] < 3.0
    assert abs(found["ellipticity"]) < 5 * found["ellipticity_error"]
    assert outcome.n_points == job.recipe.n_points == 9**2 + 7**2
    assert [event.n_done for event in events if isinstance(event, PointDone)] == list(range(1, 131))
    assert benches[0].light().average_power_nw == 0


def test_what_was_found_is_kept_with_what_it_was_found_from(make_job: MakeJob, tmp_path: Path) -> None:
    outcome = make_job("response", "dwell=5s").run()
    stored = read_calibration(outcome.calibration_file)
    assert stored.sha256 == outcome.sha256
    assert stored.path.parent == tmp_path / FOLDER
    assert stored.calibration.values == outcome.values
    assert sum(stored.calibration.measured["counts"]) > 1e4
    assert "procedure: response" in stored.calibration.recipe_text
    told = json.loads(json.dumps(outcome.to_dict(), allow_nan=False))
    assert told["finish_reason"] == "completed"
    assert told["calibration_file"] == str(stored.path)
    assert outcome.exit_status == 0


def test_the_pulse_arrives_when_it_does_and_the_response_is_as_sharp(make_job: MakeJob) -> None:
    outcome = make_job("response").run()
    found, truth = outcome.values, truth_of(outcome)
    assert found["t0_ns"] == pytest.approx(truth["t0_ns"], abs=5 * found["t0_error_ns"])
    assert found["decay_at_centre_ns"] < truth["lifetime_ns"], "light also leaves the centre"
    assert found["response_fwhm_ns"] == pytest.approx(
        truth["response_fwhm_ns"], abs=5 * found["response_fwhm_error_ns"]
    )
    assert found["t0_error_ns"] < 2e-3


@pytest.mark.parametrize("defocus_nm", [-1500.0, 700.0])
def test_the_sample_is_taken_into_focus(make_job: MakeJob, benches: list[Bench], defocus_nm: float) -> None:
    outcome = make_job("focus", f"rig.simulation.defocus={defocus_nm} nm").run()
    found = outcome.values
    assert found["z_nm"] == pytest.approx(truth_of(outcome)["focus_z_nm"], abs=5 * found["z_error_nm"])
    left_nm = benches[0]._mount.shift(benches[0].now_ns()).defocus_nm
    assert abs(left_nm) < 100.0, "of 860 nm of depth"
    assert found["sigma_nm"] == pytest.approx(found["smallest_sigma_nm"], rel=0.02)
    assert found["peak_cps"] > 17e3


def test_dark_counts_are_those_of_the_detector(make_job: MakeJob) -> None:
    outcome = make_job("dark", "dwell=60s").run()
    found, dark_cps = outcome.values, truth_of(outcome)["background_cps"]
    assert found["dark_cps"] == pytest.approx(dark_cps, abs=5 * found["dark_error_cps"])
    assert found["background_cps"] == pytest.approx(dark_cps, abs=5 * found["background_error_cps"])


def test_the_magnification_is_the_true_one_not_that_of_the_rig_file(make_job: MakeJob) -> None:
    outcome = make_job("magnification", SINGLE_EMITTER, "rig.simulation.magnification_error=3 %").run()
    found, truth = outcome.values, truth_of(outcome)
    for axis in ("magnification_x", "magnification_y"):
        assert truth[axis] == pytest.approx(1.03 * 495)
        assert found[axis] == pytest.approx(truth[axis], rel=0.005)
        assert 0 < found[f"{axis}_error"] < 0.005 * truth[axis]
    assert abs(found["rotation_deg"]) < 0.3


def test_a_film_cannot_tell_the_magnification(make_job: MakeJob, tmp_path: Path, benches: list[Bench]) -> None:
    with pytest.raises(
        FitError, match=r"no image that follows the stage \(a film's stays with the laser\) along x found"
    ):
        make_job("magnification").run()
    assert not (tmp_path / FOLDER).exists()
    assert benches[0].light().average_power_nw == 0


def test_no_light_is_no_spot(make_job: MakeJob, tmp_path: Path) -> None:
    with pytest.raises(FitError, match="no spot found within -2000 to 2000 nm"):
        make_job("spot", "n_positions=7", "rig.simulation.brightness=0.0001").run()
    assert not (tmp_path / FOLDER).exists()


def test_an_aborted_alignment_keeps_nothing_and_leaves_the_light_out(
    make_job: MakeJob, tmp_path: Path, benches: list[Bench]
) -> None:
    job = make_job("focus")
    job.listeners.append(at_point(40, lambda: job.abort("enough")))
    with pytest.raises(Aborted, match="enough"):
        job.run()
    assert not (tmp_path / FOLDER).exists()
    assert benches[0].light().average_power_nw == 0


def test_a_focus_that_is_not_found_leaves_the_sample_where_it_was(make_job: MakeJob, benches: list[Bench]) -> None:
    with pytest.raises(FitError, match=r"no focus between \d+ and \d+ nm: the narrowest spot was seen at \d+ nm"):
        make_job("focus", "half_range=500nm", "rig.simulation.defocus=1.2 um").run()
    assert benches[0]._mount.shift(benches[0].now_ns()).defocus_nm == pytest.approx(-1200.0, abs=100)


@pytest.mark.usefixtures("short_time_outs")
def test_a_stage_that_is_lost_is_named(make_job: MakeJob, benches: list[Bench]) -> None:
    job = make_job("focus")
    job.listeners.append(at_point(50, lambda: benches[0].servers["stage"].close()))
    with pytest.raises(DeviceError, match="stage at "):
        job.run()
    assert benches[0].light().average_power_nw == 0


def test_the_light_may_be_put_out_from_another_thread(make_job: MakeJob, benches: list[Bench]) -> None:
    job, told = make_job("spot"), []
    job.listeners.append(at_point(5, lambda: told.append((job.put_light_out(), benches[0].light().average_power_nw))))
    with pytest.raises(Aborted, match="light off"):
        job.run()
    assert told == [((), 0.0)]


def test_every_impossible_wish_is_named_before_anything_is_opened(make_job: MakeJob, benches: list[Bench]) -> None:
    job = make_job(
        "magnification",
        "half_range=30um",
        "light.average_power=500nW",
        "counter.bin_width=5ps",
        "rig.devices.stage=null",
    )
    with pytest.raises(InputError) as caught:
        job.run()
    text = str(caught.value)
    for part in ("detector_x", "detector_y", "average_power: 500 nW", "5 ps is not one", "magnification needs a stage"):
        assert part in text
    assert not benches


@pytest.mark.parametrize(("board", "width"), [("pico", "25ps"), ("nano", "250ps")])
@pytest.mark.parametrize("path", sorted(shipped_configs().glob("align_*.yaml")), ids=lambda path: path.stem)
def test_a_timeharp_takes_a_shipped_alignment_with_the_override_that_the_refusal_names(
    path: Path, board: str, width: str
) -> None:
    rig = (f"rig.devices.counter={{model: timeharp260, address: double, board: {board}}}", *ATTENUATION)
    with pytest.raises(
        InputError, match=f"on the command line --set counter.bin_width={width}, for a series"
    ) as caught:
        require_alignable(*load_alignment(str(path), "configs/rig_sim.yaml", rig))
    change = re.findall(r"--set (\S+),", str(caught.value))
    require_alignable(*load_alignment(str(path), "configs/rig_sim.yaml", [*rig, *change]))


def test_a_check_says_what_an_alignment_takes(make_job: MakeJob) -> None:
    job = make_job("focus")
    found = check_alignment(job.recipe, job.rig_recipe)
    assert found.to_dict() == {
        "title": "Focus",
        "rig": "simulated TPLM",
        "procedure": "focus",
        "n_points": 180,
        "valid_for_s": 3600.0,
    }
    assert job.run().n_points == found.n_points


def test_events_end_as_those_of_a_scan(make_job: MakeJob) -> None:
    states = []
    job = make_job("dark", "dwell=1s")
    job.listeners.append(lambda event: states.append(event.state) if isinstance(event, StateChanged) else None)
    job.run()
    assert states == [RunState.PREPARING, RunState.RUNNING, RunState.FINISHING, RunState.FINISHED]
    assert job.latest is None

"""Calibrations are put into the rig of a scan, named by hash in its file, and not used where they do not belong."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from rich.console import Console

from tests.workflow.logged import is_log_of, logged
from tests.workflow.test_align_light import WHEELS
from tplm_daq.acquire.events import Event, Notice, PointDone, RunFinished
from tplm_daq.errors import FitError, InputError
from tplm_daq.printing.outcomes import print_outcome
from tplm_daq.recipes.align import Procedure
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.store.calibrations import FOLDER, Calibration, Stored, write_calibration
from tplm_daq.store.reader import open_run
from tplm_daq.store.writer import local_time
from tplm_daq.workflow.calibrated import calibrated_as, calibrated_by, look_up, rig_key, with_calibrations
from tplm_daq.workflow.load import load_rig, load_scan
from tplm_daq.workflow.nobody import Nobody
from tplm_daq.workflow.same_rig import present_rig
from tplm_daq.workflow.scan import ScanJob

VALUES = {
    "spot": {"x_nm": 1500.0, "y_nm": -700.0},
    "focus": {"z_nm": 2.5e6},
    "response": {"t0_ns": 5.001, "response_fwhm_ns": 0.0795},
    "dark": {"dark_cps": 51.0},
    "magnification": {"magnification_x": 500.0, "magnification_y": 480.0},
}
WHEELS_FOUND = {
    "filters": {"attenuator_density_4": 2.93, "attenuator_density_6": 4.05, "detection_density_3": 0.46},
    "power": {"repetition_rate_hz": 2.5e6, "rate_cps_nw": 2100.0, "power_4_nw": 9.0, "power_6_nw": 0.8},
}
QUICK = ("path.n_positions=9", "passes.dwell=2s", "passes.n_passes=2", "rig.simulation.is_homed=true")


def rig(*changes: str) -> RigRecipe:
    return load_rig("configs/rig_sim.yaml", changes)


def calibrate(folder: Path, procedure: str, age: timedelta = timedelta(minutes=1), *changes: str) -> Stored:
    made_at = local_time() - age
    calibration = Calibration(
        procedure=procedure,  # type: ignore[arg-type]
        rig="simulated",
        depends_on=rig_key(rig(*changes), procedure),  # type: ignore[arg-type]
        made_at=made_at,
        expires_at=made_at + timedelta(hours=1),
        values={**VALUES, **WHEELS_FOUND}[procedure],
        measured={},
        recipe_text="kind: align\n",
    )
    return write_calibration(folder / FOLDER, calibration)


def test_a_rig_without_calibrations_is_as_its_file_has_it(tmp_path: Path) -> None:
    assert with_calibrations(rig(), tmp_path) == rig()


def test_every_valid_calibration_is_used_and_named(tmp_path: Path) -> None:
    stored = {procedure: calibrate(tmp_path, procedure) for procedure in VALUES}
    optics = with_calibrations(rig(), tmp_path).optics
    assert (optics.magnification_x, optics.magnification_y) == (500.0, 480.0)
    assert (optics.t0_ns, optics.response_fwhm_ps) == (5.001, pytest.approx(79.5))
    assert optics.spot_nm == (1500.0, -700.0)
    references = with_calibrations(rig(), tmp_path).calibrations
    assert {(each.procedure, each.file, each.sha256) for each in references} == {
        (procedure, each.path.name, hashlib.sha256(each.path.read_bytes()).hexdigest())
        for procedure, each in stored.items()
    }


def test_an_expired_one_is_not(tmp_path: Path) -> None:
    calibrate(tmp_path, "response", age=timedelta(hours=2))
    assert with_calibrations(rig(), tmp_path) == rig()


def test_what_is_taken_and_what_is_left_is_told_with_the_reason(tmp_path: Path) -> None:
    used = calibrate(tmp_path, "response")
    calibrate(tmp_path, "response", age=timedelta(hours=3))
    old, older = (calibrate(tmp_path, "dark", age=timedelta(hours=hours)) for hours in (2, 3))
    calibrate(tmp_path, "magnification")
    now = rig("rig.optics.magnification_x=100")
    assert look_up(rig(), tmp_path).to_dict()["calibrations_left"] == [
        {"procedure": "dark", "file": old.path.name, "reason": f"expired {old.calibration.expires_at:%Y-%m-%d %H:%M}"}
    ]
    found = look_up(rig(), tmp_path)
    assert used in found.used
    assert older not in [left.stored for left in found.left]
    assert with_calibrations(rig(), tmp_path) == calibrated_by(found, rig())
    reasons = {left.stored.calibration.procedure: left.reason for left in look_up(now, tmp_path).left}
    assert set(reasons) == {"response", "dark", "magnification"}
    assert set(reasons.values()) == {"of another rig, simulated"}
    renamed = {left.reason for left in look_up(rig("rig.name=simulated"), tmp_path).left}
    assert renamed == {"of this rig as it was before"}
    early = look_up(rig(), tmp_path, local_time() - timedelta(minutes=30)).left
    (ahead,) = (left.reason for left in early if left.stored == used)
    assert ahead.startswith("made later than now, ")


@pytest.mark.parametrize(
    "change",
    [
        "rig.optics.magnification_x=100",
        "rig.optics.detector_width=20 um",
        "rig.devices.counter.sync_level=0.2 V",
        "rig.devices.detector_x.direction=-1",
        "rig.name=another",
        "rig.simulation.magnification_error=1 %",
    ],
)
def test_a_rig_that_was_changed_needs_new_ones(tmp_path: Path, change: str) -> None:
    calibrate(tmp_path, "magnification")
    assert with_calibrations(rig(change), tmp_path) == rig(change)


@pytest.mark.parametrize(
    "change", ["rig.simulation.sample=ald-alox", "rig.simulation.seed=9", "rig.limits.average_power=20 nW"]
)
def test_what_has_no_effect_on_them_leaves_them_valid(tmp_path: Path, change: str) -> None:
    calibrate(tmp_path, "magnification")
    assert with_calibrations(rig(change), tmp_path).optics.magnification_x == 500.0


def test_another_rig_file_takes_the_values_that_a_run_had_although_they_have_expired(tmp_path: Path) -> None:
    for procedure in VALUES:
        calibrate(tmp_path, procedure)
    then = with_calibrations(rig(), tmp_path)
    now = calibrated_as(rig("guards.free_disk_mb=1"), then)
    assert now == then.model_copy(update={"guards": now.guards})
    assert now.guards.free_disk_mb == 1
    assert present_rig(then, rig("guards.free_disk_mb=1"), tmp_path) == now
    assert calibrated_as(rig(), rig("optics.magnification_x=500")) == rig()


@pytest.mark.parametrize("procedures", [["filters"], ["power"], ["filters", "power", "magnification"]])
def test_another_rig_file_takes_what_was_found_of_the_wheels(procedures: list[str], tmp_path: Path) -> None:
    for procedure in procedures:
        calibrate(tmp_path, procedure, timedelta(minutes=1), *WHEELS)
    then = with_calibrations(rig(*WHEELS), tmp_path)
    assert [each.procedure for each in then.calibrations] == sorted(procedures, key=get_args(Procedure).index)
    assert then.devices != rig(*WHEELS).devices
    assert calibrated_as(rig(*WHEELS), then) == then


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("name=next door", "was measured on the rig simulated TPLM, and this is next door"),
        ("optics.detector_width=20 um", "was measured with another rig: optics.detector_width was"),
    ],
)
def test_a_run_goes_on_on_no_other_rig(change: str, said: str, tmp_path: Path) -> None:
    calibrate(tmp_path, "magnification")
    with pytest.raises(InputError, match=said):
        present_rig(with_calibrations(rig(), tmp_path), rig(change), tmp_path / "run.h5")


def scan(folder: Path, *changes: str) -> ScanJob:
    recipe, rig_recipe = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", [*QUICK, *changes])
    return ScanJob(recipe, rig_recipe, folder, Nobody())


def test_a_run_file_has_the_values_and_the_hash_of_its_calibrations(tmp_path: Path) -> None:
    stored = [calibrate(tmp_path, procedure) for procedure in ("response", "magnification")]
    outcome = scan(tmp_path).run()
    header = open_run(outcome.run_file).header
    assert (header.t0_ns, header.response_fwhm_ns) == (5.001, pytest.approx(0.0795))
    assert header.pixel_nm == pytest.approx((50e3 / 500.0, 50e3 / 480.0))
    named = parse_mapping(header.rig_text, "rig")["calibrations"]
    assert [each["sha256"] for each in named] == [each.sha256 for each in stored]
    assert outcome.to_dict()["calibrations"] == named, "and so does the answer"
    console = Console(width=500)
    with console.capture() as summary:
        print_outcome(console, outcome)
    assert f"response ({stored[0].path.name}), magnification ({stored[1].path.name})" in summary.get()


def test_the_search_begins_where_the_spot_was_found_last(tmp_path: Path) -> None:
    calibrate(tmp_path, "spot")
    with pytest.raises(FitError, match=r"no spot found along y between -1700 and 300 nm: .*align_spot\.yaml"):
        scan(tmp_path).run()


def test_a_focus_needs_a_stage(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="procedure: focus needs a stage, and the rig has none"):
        scan(tmp_path, "align_first=[focus]", "rig.devices.stage=null").run()


def test_a_scan_aligns_first_what_is_not_valid_any_more(tmp_path: Path) -> None:
    wishes = ("align_first=[focus, response]", "rig.simulation.defocus=1 um", "rig.simulation.drift=0 nm/min")
    job, events = scan(tmp_path, *wishes), list[Event]()
    job.listeners.append(events.append)
    outcome = job.run()
    assert [event.text for event in events if isinstance(event, Notice)][:2] == [
        "aligning first: focus",
        "aligning first: response",
    ]
    assert {event.row.pass_index for event in events if isinstance(event, PointDone)} == {0, 1}
    assert sum(isinstance(event, RunFinished) for event in events) == 1
    assert is_log_of(events, logged(outcome.run_file))
    told = [text for _, _, text in open_run(outcome.run_file).log()]
    assert told[:2] == ["aligning first: focus", "aligning first: response"]
    header = open_run(outcome.run_file).header
    assert header.t0_ns == pytest.approx(5.0, abs=5e-3)
    named = parse_mapping(header.rig_text, "rig")["calibrations"]
    assert [each["procedure"] for each in named] == ["focus", "response"]
    assert outcome.truth is not None
    assert outcome.truth["sigma0_nm"] == pytest.approx(250.3, abs=3.0)
    again = scan(tmp_path, *wishes[:2]).run()
    assert parse_mapping(open_run(again.run_file).header.rig_text, "rig")["calibrations"] == named
    assert len(list((tmp_path / FOLDER).iterdir())) == 2

"""The dry run: what is refused, what is predicted, and whether the scan then keeps to it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tplm_daq.rig.open as opening
from drivers.picoharp300.device import PicoHarp300
from simulators.sample import Conditions, Sample
from tests.rig.conftest import Nobody, rig_recipe
from tplm_daq.errors import InputError
from tplm_daq.rig.microscope import Rig
from tplm_daq.rig.planning import PICOHARP_WIDTHS_PS
from tplm_daq.store.reader import open_run
from tplm_daq.workflow import forecast
from tplm_daq.workflow.check import CheckReport, check_scan
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.scan import ScanJob


def check(*changes: str, rig: str = "configs/rig_sim.yaml", recipe: str = "configs/scan_line.yaml") -> CheckReport:
    return check_scan(*load_scan(recipe, rig, changes))


def check_map(*changes: str) -> CheckReport:
    return check(*changes, recipe="configs/scan_map.yaml")


def without_key(report: CheckReport, *keys: str) -> dict[str, Any]:
    return {key: value for key, value in report.to_dict().items() if key not in keys}


IMPOSSIBLE = {
    "bin width": ("counter.bin_width=20ps", r"counter.bin_width: 20 ps is not one .*Write 16 ps"),
    "travel along": ("path.half_width=30um", r"detector_x: -30000 nm .*outside -24242.4 to 24242.4 nm"),
    "travel off centre": ("path.centre=-23.5um", r"detector_x: -24500 nm"),
    "travel across": ("rig.devices.detector_y.centre=0.7mm", r"detector_y: -1000 nm"),
    "power": ("light.average_power=200nW", r"light.average_power: 200 nW is outside 0 to 100 nW"),
    "rate": ("light.repetition_rate=50MHz", r"light.repetition_rate: 5e\+07 Hz is outside 0 to 4e\+07 Hz"),
    "temperature": ("temperature=350K", r"temperature: 350 K is outside 4 to 310 K"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_the_rig_cannot_do_is_refused_with_value_and_limit(name: str) -> None:
    change, says = IMPOSSIBLE[name]
    changes = [change, "counter.span=15ns"] if name == "rate" else [change]
    with pytest.raises(InputError, match=says) as caught:
        check(*changes)
    assert caught.value.exit_status == 2


def test_every_problem_is_listed_at_once() -> None:
    with pytest.raises(InputError) as caught:
        check("counter.bin_width=20ps", "path.half_width=30um", "light.average_power=1uW", "temperature=1K")
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "light.average_power",
        "counter.bin_width",
        "temperature",
        "detector_x",
        "detector_y",
    ]


def test_a_span_beyond_the_counters_bins_is_refused() -> None:
    with pytest.raises(InputError, match=r"span: 300 ns .* 65536 bins of 4 ps.*at most 262.144 ns"):
        check("counter.span=300ns", "counter.bin_width=4ps")


def test_a_temperature_needs_a_thermostat() -> None:
    with pytest.raises(InputError, match=r"temperature: 200 K .*no thermostat. Delete the key"):
        check("temperature=200K", "rig.devices.thermostat=null")


def test_the_shipped_scan_is_checked_without_complaint() -> None:
    report = check()
    assert report.warnings == ()
    assert (report.n_points, report.n_bins, report.sync_divider) == (410, 3750, 1)
    assert (report.dwell_s, report.step_nm, report.period_ns) == (820.0, 50.0, 400.0)
    assert report.travel_mm["x"] == pytest.approx((12.005, 12.995))
    assert report.peak_cps == pytest.approx(20e3)
    assert report.counts_per_pulse == pytest.approx(0.008)
    assert report.dose_nj == pytest.approx(10.0 * report.time_s)
    errors = {each.diffusivity_cm2_s: each.relative_standard_error for each in report.precision}
    assert errors == pytest.approx({0.01: 0.0327, 0.05: 0.0072, 0.15: 0.0031}, rel=0.05)


def test_the_document_is_plain_json() -> None:
    document = check().to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert {"n_points", "time_s", "peak_cps", "precision", "warnings", "dose_nj"} <= document.keys()


def test_nothing_is_opened_and_no_double_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something was opened")

    monkeypatch.setattr(opening, "start_doubles", refuse)
    monkeypatch.setattr(Rig, "__init__", refuse)
    monkeypatch.setattr(PicoHarp300, "open", refuse)
    check()
    check(rig="configs/rig_lab.yaml")


LINE = ("configs/scan_line.yaml", "path.n_positions=11", "passes.dwell=2s", "passes.n_passes=4")
SHUFFLED = (*LINE, "passes.order=shuffled")
MAP = ("configs/scan_map.yaml", "path.n_x=7", "path.n_y=6", "passes.dwell=300ms", "passes.n_passes=3")


@pytest.mark.parametrize("scan", [LINE, SHUFFLED, MAP], ids=["line", "shuffled", "map"])
@pytest.mark.parametrize("light", ["on", "off"])
def test_the_scan_takes_as_long_as_was_said(light: str, scan: tuple[str, ...], tmp_path: Path) -> None:
    changes = [*scan[1:], "rig.simulation.is_homed=true", f"light.between_points={light}"]
    recipe, rig = load_scan(scan[0], "configs/rig_sim.yaml", changes)
    outcome = ScanJob(recipe, rig, tmp_path, Nobody()).run()
    points = open_run(outcome.run_file).points
    assert check_scan(recipe, rig).time_s == pytest.approx(points["start_s"][-1] + points["live_s"][-1], rel=0.02)
    assert outcome.run_file.stat().st_size < 1e6 * check_scan(recipe, rig).disk_mb + 2e6


def test_the_error_of_a_simulated_scan_is_the_predicted_one(tmp_path: Path) -> None:
    changes = ["passes.n_passes=2", "rig.simulation.is_homed=true", "rig.simulation.spot_variation=0 %"]
    recipe, rig = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", changes)
    outcome = ScanJob(recipe, rig, tmp_path, Nobody()).run()
    assert outcome.result is not None
    errors = {each.diffusivity_cm2_s: each.relative_standard_error for each in check_scan(recipe, rig).precision}
    found = outcome.result.standard_error_cm2_s / outcome.result.diffusivity_cm2_s
    expected = np.exp(np.interp(np.log(0.0708), np.log(list(errors)), np.log(list(errors.values()))))
    assert found == pytest.approx(expected, rel=0.08)


def test_the_light_dose_is_less_with_the_light_off_between_points() -> None:
    on, off = check(), check("light.between_points=off")
    assert off.time_s > on.time_s
    assert off.dose_nj == pytest.approx(10.0 * (820 + 410 * 0.2), rel=0.02)
    assert off.dose_nj < 0.9 * on.dose_nj


WARNINGS = {
    "pile-up": ("light.average_power=50nW", r"100 kcps are expected .*: 4.0% .* above 1.0%"),
    "stopped by the guard": ("rig.simulation.brightness=30", r"24.0% .*stops the run at 10.0%. Lower the power"),
    "coarse": ("path.n_positions=21", r"100 nm apart along x, more than half the sigma .*\(66 nm\).*Take 32 positions"),
    "narrow": ("path.half_width=500nm", r"reaches 500 nm along x, less than 2.4 sigma0 \(601 nm\)"),
    "one pass": ("passes.n_passes=1", r"A single pass turns drift"),
    "short span": ("counter.span=3ns", r"span of 3 ns does not hold the analysis window of 3 ns"),
    "full bin": ("rig.simulation.brightness=300", r"fullest bin of a point would get \d+ counts.*stops at 65535"),
    "edge of the travel": ("path.half_width=20um", r"found more than 4242 nm away from it cannot be scanned"),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_what_is_hardly_meant_is_said(name: str) -> None:
    change, says = WARNINGS[name]
    assert any(re.search(says, warning) for warning in check(change).warnings), check(change).warnings


def test_light_of_earlier_pulses_is_worth_a_word() -> None:
    report = check("light.repetition_rate=40MHz", "counter.span=20ns")
    assert report.period_ns == 25.0
    assert any(
        re.search(r"pulses are 25 ns apart: .* makes 1.2% of the light .*0.4% of D may remain. Take a lower", warning)
        for warning in report.warnings
    ), report.warnings


def check_precision(*changes: str) -> CheckReport:
    return check(*changes, recipe="configs/scan_precision.yaml")


def test_a_scan_for_precision_says_what_each_diffusivity_takes() -> None:
    report = check_precision()
    assert report.warnings == ()
    assert all(0.8 * 0.05 < each.relative_standard_error <= 0.05 for each in report.precision[:2])
    dwell_s = {each.diffusivity_cm2_s: each.dwell_s for each in report.precision}
    assert dwell_s[0.01] == pytest.approx(210.0, rel=0.15)
    assert dwell_s[0.05] == pytest.approx(15.0, rel=0.15)
    assert (report.dwell_s, report.time_s) == (dwell_s[0.01], report.precision[0].time_s)
    assert report.n_points < 200
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False)) == report.to_dict()


def test_photons_are_those_of_the_window() -> None:
    """3 to 4 of 5 photons of a decay of 2 ns come within 3 ns, and a Gaussian fills a quarter of the line."""
    slow, *_ = check().precision
    assert slow.n_photons == pytest.approx(20e3 * 820.0 * np.sqrt(2 * np.pi) * 254.0 / 2050.0 * 0.67, rel=0.1)


def test_a_target_out_of_reach_is_said() -> None:
    report = check_precision("passes.max_time=60s")
    (warning,) = report.warnings
    assert re.search(r"For D = 0.01 cm2/s the standard error will be 1\d\.\d\d% of D .*, not 5.00%", warning)
    assert report.time_s < 60.0 + 45.0


def test_an_unknown_rate_means_all_the_time_that_was_given() -> None:
    report = check(rig="configs/rig_lab.yaml", recipe="configs/scan_precision.yaml")
    assert 1150.0 < report.time_s < 1200.0 + 45.0
    assert report.precision == ()


def test_a_raster_for_precision_takes_all_its_time_for_all_that_is_known() -> None:
    changes = ["passes.dwell=null", "passes.n_passes=null", "passes.target_precision=5 %", "passes.max_time=5min"]
    assert 250.0 < check_map(*changes).time_s < 300.0 + 45.0


WARNINGS_OF_A_MAP = {
    "no precision": ("path.n_x=25", r"predicted for lines only, not for a raster"),
    "coarse along y": ("path.n_y=9", r"180 nm apart along y, .*Take 23 positions"),
    "narrow along y": ("path.half_height=300nm", r"reaches 300 nm along y, less than 2.4 sigma0"),
    "edge of the travel": ("path.half_height=20um", r"travel along y reaches 24242 nm .* more than 4242 nm away"),
    "short span": ("counter.span=3ns", r"span of 3 ns does not hold the analysis window of 3 ns"),
    "pile-up": ("light.average_power=50nW", r"100 kcps are expected .*: 4.0% .* above 1.0%"),
}


@pytest.mark.parametrize("name", WARNINGS_OF_A_MAP)
def test_what_is_hardly_meant_of_a_raster_is_said_with_its_axis(name: str) -> None:
    change, says = WARNINGS_OF_A_MAP[name]
    assert any(re.search(says, warning) for warning in check_map(change).warnings), check_map(change).warnings


IMPOSSIBLE_MAPS = {
    "x": ("path.half_width=30um", r"detector_x: -30000 nm .*outside -24242.4 to 24242.4 nm"),
    "y": ("path.half_height=30um", r"detector_y: -30000 nm .*outside -24242.4 to 24242.4 nm"),
    "off centre": ("path.centre=[0 nm, 24 um]", r"detector_y: 24720 nm .*outside"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE_MAPS)
def test_a_raster_beyond_the_travel_names_the_axis(name: str) -> None:
    change, says = IMPOSSIBLE_MAPS[name]
    with pytest.raises(InputError, match=says) as caught:
        check_map(change)
    assert len(str(caught.value).splitlines()) == 1


def test_the_shipped_raster_is_checked_with_one_remark_only() -> None:
    report = check_map()
    assert [text for text in report.warnings if "predicted for lines only" not in text] == []
    assert (report.n_positions, report.n_points, report.n_passes) == (529, 1058, 2)
    assert (report.step_nm, report.precision) == (pytest.approx(1440 / 22), ())
    assert report.travel_mm["x"] == report.travel_mm["y"] == pytest.approx((12.5 - 0.3564, 12.5 + 0.3564))
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False)) == report.to_dict()


def test_a_raster_with_its_centre_given_needs_no_search() -> None:
    assert check_map("path.centre=[100 nm, -200 nm]").time_s < check_map().time_s - 18 * 0.2
    assert check_map("path.centre=[100 nm, -200 nm]").travel_mm["y"] == pytest.approx((12.0446, 12.7574))


def test_the_longest_scan_is_checked_without_going_through_every_point() -> None:
    report = check_map("path.n_x=101", "path.n_y=101", "passes.n_passes=10000", "passes.dwell=10000s")
    assert report.n_points == 101 * 101 * 10_000
    assert report.time_s > report.dwell_s == 101 * 101 * 10_000.0


def test_a_real_rig_without_an_expected_rate_says_that_it_is_unknown() -> None:
    report = check(rig="configs/rig_lab.yaml")
    assert (report.peak_cps, report.counts_per_pulse, report.precision) == (None, None, ())
    assert any('optics.expected_rate in the rig file, such as "2 kcps/nW"' in warning for warning in report.warnings)


def test_a_real_rig_with_an_expected_rate_predicts_what_the_simulated_one_does() -> None:
    real = check("rig.optics.expected_rate=2 kcps/nW", rig="configs/rig_lab.yaml")
    assert without_key(real, "rig") == without_key(check(), "rig")


def test_the_simulated_rate_is_that_of_the_simulated_sample() -> None:
    assert Sample().rate_cps(Conditions(10.0, 2.5e6)) == forecast.SIMULATED_RATE_CPS_NW * 10.0


def test_a_larger_pixel_catches_more_light() -> None:
    assert check("rig.optics.detector_height=100um").peak_cps == pytest.approx(40e3, rel=0.04)


def test_the_widths_are_those_that_the_counter_reports() -> None:
    with opening.open_rig(rig_recipe(), Nobody()) as rig:
        assert rig.counter.bin_widths_ps() == PICOHARP_WIDTHS_PS

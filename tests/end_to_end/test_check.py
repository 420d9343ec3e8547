"""`tplm check`, `tplm devices` and `tplm schema` as a user meets them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.end_to_end.program import settings, tplm, tplm_here
from tests.workflow.test_calibrated import calibrate

ROOT = Path(__file__).resolve().parents[2]


def test_check_says_what_will_happen_and_opens_nothing(tmp_path: Path) -> None:
    done = tplm(tmp_path, "check", "configs/scan_line.yaml", "--json")
    assert done.status == 0, done.err
    found = done.document
    assert (found["n_points"], found["n_positions"]) == (410, 41)
    assert found["time_s"] > found["dwell_s"] == 820
    assert [each["diffusivity_cm2_s"] for each in found["precision"]] == [0.01, 0.05, 0.15]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("recipe", ["scan_line", "series_power", "align_spot"])
def test_check_names_the_calibrations_that_the_run_would_take_over(recipe: str, tmp_path: Path) -> None:
    used = calibrate(tmp_path / "runs", "response").path.name
    left = calibrate(tmp_path / "runs", "dark", age=timedelta(hours=2)).path.name
    words = ("check", f"configs/{recipe}.yaml")
    said = " ".join(tplm_here(tmp_path, *words).out.split())
    assert f"calibrated response ({used})" in said
    assert f"not taken dark ({left}): expired 20" in said
    elsewhere = tplm_here(tmp_path, *words, "--out", "elsewhere").out
    assert "calibrated" not in elsewhere
    assert "not taken" not in elsewhere
    found = tplm_here(tmp_path, *words, "--json").document
    assert [(each["procedure"], each["file"]) for each in found["calibrations"]] == [("response", used)]
    assert [(each["procedure"], each["file"]) for each in found["calibrations_left"]] == [("dark", left)]


def test_check_of_a_laboratory_rig_needs_no_hardware(tmp_path: Path) -> None:
    done = tplm_here(tmp_path, "check", "configs/scan_line.yaml", "--rig", "configs/rig_lab.yaml")
    assert done.status == 0, done.err
    assert "unknown" in done.out


def test_the_rig_may_stand_in_the_environment(tmp_path: Path) -> None:
    text = (ROOT / "configs/rig_sim.yaml").read_text().replace("name: simulated TPLM", "name: the other rig")
    (tmp_path / "other.yaml").write_text(text)
    done = tplm_here(tmp_path, "check", "configs/scan_line.yaml", "--json", TPLM_RIG="other.yaml")
    assert done.document["rig"] == "the other rig"
    given = tplm_here(
        tmp_path, "check", "configs/scan_line.yaml", "--json", "--rig", "configs/rig_sim.yaml", TPLM_RIG="other.yaml"
    )
    assert given.document["rig"] == "simulated TPLM"


def test_check_lists_every_problem(tmp_path: Path) -> None:
    changes = settings("counter.bin_width=20ps", "path.half_width=40um", "light.average_power='1 mW'")
    done = tplm_here(tmp_path, "check", "configs/scan_line.yaml", *changes)
    assert done.status == 2
    for text in ("Write 16 ps", "detector_x", "light.average_power"):
        assert text in done.err
    assert "Traceback" not in done.err


def test_devices_names_who_answers(tmp_path: Path) -> None:
    done = tplm_here(tmp_path, "devices", "--json")
    assert done.status == 0, done.err
    status = {row["role"]: row["status"] for row in done.document["devices"]}
    assert status.pop("laser") == "manual"
    assert set(status.values()) == {"ok"}


def test_devices_of_a_rig_that_is_not_there_says_what_to_check(tmp_path: Path) -> None:
    text = (ROOT / "configs/rig_lab.yaml").read_text()
    for address in ("192.0.2.10::5025", "192.0.2.11::5025", "192.0.2.12::2101"):
        text = text.replace(address, "127.0.0.1::9")
    text = text.replace("ASRL/dev/ttyUSB2::INSTR", "TCPIP::127.0.0.1::9::SOCKET").replace("/dev/ttyUSB", "/dev/absent")
    (tmp_path / "rig.yaml").write_text(text)
    done = tplm_here(tmp_path, "devices", "--rig", "rig.yaml")
    assert done.status == 1
    assert "Traceback" not in done.err
    assert "vendor library" in done.out
    assert "Check power and USB of the controller" in done.out


@pytest.mark.parametrize("kind", ["rig", "scan", "analysis"])
def test_schema_is_a_json_schema(kind: str, tmp_path: Path) -> None:
    done = tplm_here(tmp_path, "schema", kind)
    assert done.status == 0
    assert json.loads(done.out)["type"] == "object"

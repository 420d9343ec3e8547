"""A series of which two conditions fail in the night: what the morning finds, and what `tplm resume` makes of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.program import finish, settings, start
from tplm_daq.store.reader import open_run
from tplm_daq.workflow.series_index import read_index

QUICK = settings(
    *("scan.path.n_positions=9", "scan.passes.dwell=1s", "scan.passes.n_passes=1", "rig.simulation.is_homed=true"),
    "rig.policies.watchdog_timeout=10s",  # a busy computer may be slow
)
PATIENCE_S = 800.0
SERIES = """
kind: series
title: night
scan: configs/scan_line.yaml
vary:
  - sample: {samples}
  - repetition_rate: [2.5 MHz, 5 MHz]
  - average_power: {powers}
"""


@dataclass(frozen=True)
class Night:
    samples: str
    powers: str
    detector_fails_at_s: float
    thermostat_fails_at_s: float

    @property
    def recipe(self) -> str:
        return SERIES.format(samples=self.samples, powers=self.powers)

    @property
    def faults(self) -> str:
        fault = "{{device: {}, fault: port closed, at: {:g} s, count: 1}}"
        detector = fault.format("detector_x", self.detector_fails_at_s)
        thermostat = fault.format("thermostat", self.thermostat_fails_at_s)
        return f"rig.simulation.faults=[{detector}, {thermostat}]"


SMALL = Night("[ola-oa]", "[8 nW, 10 nW, 12 nW]", 15.0, 50.0)
WHOLE = Night("[ola-oa, ald-alox]", "[6 nW, 8 nW, 10 nW, 12 nW, 14 nW, 16 nW]", 60.0, 160.0)


def failures(document: dict[str, Any]) -> dict[int, dict[str, Any]]:
    return {point["condition"]: point["error"] for point in document["points"] if point["finish_reason"] == "failed"}


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("night", "n"), [(SMALL, 6), pytest.param(WHOLE, 24, marks=pytest.mark.slow)])
def test_all_but_the_two_that_failed_are_good_and_resume_measures_just_those_two(
    night: Night, n: int, tmp_path: Path
) -> None:
    (tmp_path / "night.yaml").write_text(night.recipe)
    with_page = ["--report"] if n == 24 else []
    words = ("night.yaml", "--json", *with_page, *QUICK, *settings(night.faults))
    done = finish(start(tmp_path, "run", *words), PATIENCE_S)
    assert done.status == 1
    assert "Traceback" not in done.err
    document, failed = done.document, failures(done.document)
    assert (document["finish_reason"], document["n_failed"], len(document["points"])) == ("failed", 2, n)
    assert sorted(error["device"].split(" ")[0] for error in failed.values()) == ["detector_x", "thermostat"]
    good = [point for point in document["points"] if point["condition"] not in failed]
    for point in good:
        assert point["finish_reason"] == "completed"
        error_cm2_s = point["diffusivity_cm2_s"] - point["truth"]["diffusivity_cm2_s"]
        assert abs(error_cm2_s) < 5 * point["standard_error_cm2_s"]

    assert f"{n - 2} of {n} conditions are complete" in done.err
    page = Path(tmp_path / document["report_file"]).read_text(encoding="utf-8") if with_page else ""
    told = {each["label"]: each["reason"] for each in document["series"]["left_out"]}
    assert len(told) == 2
    for number, error in failed.items():
        label = document["points"][number]["label"]
        assert f"{label}: {error['message'][:60]}" in "".join(done.err.splitlines(keepends=True))
        assert told[label].startswith("failed ")
        assert told[label].endswith(error["message"])
        assert label in page or not with_page

    folder = Path(tmp_path / document["series_folder"])
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.h5")}
    words = (str(folder), "--json", *settings("rig.simulation.faults=[]"))
    resumed = finish(start(tmp_path, "resume", *words), PATIENCE_S)
    assert resumed.status == 0, resumed.err
    assert (resumed.document["n_failed"], len(resumed.document["points"])) == (0, n)
    lines = (folder / "series.jsonl").read_text().splitlines()
    assert [json.loads(line)["condition"] for line in lines[n:]] == sorted(failed)
    untouched = {Path(point["run_file"]).name for point in good}
    assert all(before[name] == (folder / name).stat().st_mtime_ns for name in untouched)
    runs = [open_run(folder / Path(str(line["run_file"])).name) for line in read_index(folder).values()]
    assert [run.finish_reason for run in runs] == ["completed"] * n
    assert all(run.defects() == [] for run in runs)

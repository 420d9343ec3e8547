from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.store.made_runs import NOON, counts, header, row, written_run
from tplm_daq.errors import InputError
from tplm_daq.store.catalog import Range, read_catalogue
from tplm_daq.store.summary import summarise
from tplm_daq.store.writer import RunWriter

RESULT = {"diffusivity_cm2_s": 0.05, "ci95_cm2_s": [0.04, 0.06], "bias_lamp": "green"}


def run_of_day(folder: Path, days: int, **changes: object) -> Path:
    path = folder / f"day{days}.h5"
    with RunWriter.create(path, header(**changes), now=lambda: NOON + timedelta(days=days)) as writer:
        writer.append(row(0), counts(0))
    return path


def test_a_summary_says_what_was_measured_and_what_came_of_it(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5")
    with RunWriter.reopen(path) as writer:
        for number in range(11):
            writer.write_result("poisson", RESULT | {"diffusivity_cm2_s": 0.05 + number}, {}, "kind: analysis\n")
    found = summarise(path)
    assert (found.title, found.sample) == ("OLA/OA film, 10 nW", "film 3")
    assert (found.start_time, found.finish_reason, found.n_points) == (NOON, "completed", 12)
    assert (found.repetition_rate_hz, found.average_power_nw) == (2.5e6, 10.0)
    assert (found.method, found.diffusivity_cm2_s, found.ci95_cm2_s) == ("poisson", 10.05, (0.04, 0.06))
    assert found.bias_lamp == "green"


def test_a_run_cut_short_without_result_or_power_is_listed(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with RunWriter.create(path, header(session={})) as writer:
        writer.append(row(0, power_nw=float("nan")), counts(0))
        found = summarise(path)
    assert found.n_points == 1
    unknown = (found.finish_reason, found.average_power_nw, found.method, found.diffusivity_cm2_s, found.ci95_cm2_s)
    assert unknown == (None,) * 5
    assert found.sample == ""


def test_a_run_without_points_is_listed(tmp_path: Path) -> None:
    found = summarise(written_run(tmp_path / "run.h5", n_points=0, finish_reason="failed"))
    assert (found.n_points, found.finish_reason, found.average_power_nw) == (0, "failed", None)


def test_counts_are_not_read(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5")
    with h5py.File(path, "r+") as file:
        del file["entry/counts"], file["entry/data"], file["entry/delay_ns"]
    assert summarise(path).n_points == 12


def test_runs_are_listed_in_the_order_of_their_start_also_from_folders_below(tmp_path: Path) -> None:
    below = tmp_path / "series"
    paths = [run_of_day(tmp_path, 2), run_of_day(below, 0), run_of_day(below, 1)]
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".hidden.h5").touch()
    found = read_catalogue(tmp_path)
    assert [run.path for run in found.runs] == [paths[1], paths[2], paths[0]]
    assert found.unreadable == ()


def test_a_file_that_cannot_be_read_is_listed_with_its_reason(tmp_path: Path) -> None:
    good = written_run(tmp_path / "good.h5")
    (tmp_path / "cut.h5").write_bytes(good.read_bytes()[:3000])
    (tmp_path / "empty.h5").touch()
    (tmp_path / "folder.h5").mkdir()
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["image"] = np.zeros(3)
    with h5py.File(written_run(tmp_path / "odd.h5"), "r+") as file:
        del file["entry/start_time"]
        file["entry/start_time"] = "yesterday"
    with h5py.File(written_run(tmp_path / "future.h5"), "r+") as file:
        file["entry/format_version"][()] = 99
    found = read_catalogue(tmp_path)
    assert [run.path for run in found.runs] == [good]
    reasons = {file.path.stem: file.reason for file in found.unreadable}
    assert "damaged or was cut off" in reasons.pop("cut")
    assert reasons.pop("empty").startswith("is an empty file")
    assert reasons.pop("folder").startswith("is a folder")
    assert "of another program (it holds: image)" in reasons.pop("foreign")
    assert "Invalid isoformat string: 'yesterday'" in reasons.pop("odd")
    assert "has format_version 99" in reasons.pop("future")
    assert not reasons


def test_a_selection_goes_by_title_or_sample_and_by_day(tmp_path: Path) -> None:
    for days, title, sample in ((0, "OLA film", "A"), (1, "Test", "ola 7"), (2, "Test", "B")):
        run_of_day(tmp_path, days, title=title, session={"sample": sample})
    (tmp_path / "broken.h5").touch()
    found = read_catalogue(tmp_path)

    def names(**wanted: object) -> list[str]:
        return [run.path.stem for run in found.select(**wanted).runs]

    first = NOON.date()
    assert names(text="OLA") == ["day0", "day1"]
    assert names(since=first + timedelta(days=1)) == ["day1", "day2"]
    assert names(until=first) == ["day0"]
    assert names(text="test", since=first, until=first + timedelta(days=1)) == ["day1"]
    assert [file.path.stem for file in found.select(text="nowhere").unreadable] == ["broken"]
    with pytest.raises(InputError, match="the last day, 2026-01-01, lies before the first, 2026-02-01. Exchange them"):
        found.select(since=date(2026, 2, 1), until=date(2026, 1, 1))


def test_a_selection_goes_by_power_and_diffusivity(tmp_path: Path) -> None:
    for number, (power_nw, d) in enumerate([(1.0, 0.01), (10.3, 0.07), (float("nan"), 0.1), (20.0, None)]):
        with RunWriter.create(tmp_path / f"run{number}.h5", header()) as writer:
            writer.append(row(0, power_nw=power_nw), counts(0))
            if d is not None:
                writer.write_result("poisson", RESULT | {"diffusivity_cm2_s": d}, {}, "kind: analysis\n")
    found = read_catalogue(tmp_path)

    def names(**wanted: Range) -> set[str]:
        return {run.path.stem for run in found.select(**wanted).runs}

    assert names(power_nw=Range.around(10.0)) == {"run1"}
    assert names(power_nw=Range(low=1.0)) == {"run0", "run1", "run3"}
    assert names(diffusivity_cm2_s=Range(0.02, 0.2)) == {"run1", "run2"}
    assert names(power_nw=Range(high=15.0), diffusivity_cm2_s=Range(high=0.05)) == {"run0"}


def test_the_document_is_json(tmp_path: Path) -> None:
    path = written_run(tmp_path / "run.h5")
    with RunWriter.reopen(path) as writer:
        writer.write_result("poisson", RESULT, {}, "kind: analysis\n")
    (tmp_path / "empty.h5").touch()
    document = json.loads(json.dumps(read_catalogue(tmp_path).to_dict(), allow_nan=False))
    (run,) = document["runs"]
    assert run["path"] == str(path)
    assert run["start_time"] == "2026-03-01T12:00:00.000+01:00"
    assert run["ci95_cm2_s"] == [0.04, 0.06]
    assert document["unreadable"][0]["path"] == str(tmp_path / "empty.h5")


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    assert read_catalogue(tmp_path).runs == ()
    with pytest.raises(InputError, match=r"nowhere: no such folder\. Name the folder that holds the run files"):
        read_catalogue(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file, not a folder"):
        read_catalogue(tmp_path / "file")

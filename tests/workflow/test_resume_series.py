"""A series goes on in its folder: good conditions stay, a run cut short goes on in its file, the rest is measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tplm_daq.workflow.series as series_module
from tests.workflow.test_calibrated import calibrate
from tests.workflow.test_resume import Nobody
from tests.workflow.test_series import at_scan, job
from tplm_daq.acquire.events import FinishReason
from tplm_daq.errors import InputError
from tplm_daq.recipes.dialect import parse_mapping
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.store.reader import open_run
from tplm_daq.workflow.resume import ResumableSeries, load_resume
from tplm_daq.workflow.series_index import read_index
from tplm_daq.workflow.series_outcome import SeriesOutcome


def interrupted(folder: Path) -> Path:
    """Return the folder of a series that its operator ended in its second condition."""
    series = job(folder)
    series.listeners.append(at_scan(2, lambda: series.abort("enough")))
    return series.run().folder


def resume(path: Path, *changes: str) -> SeriesOutcome:
    resumable = load_resume(path, changes)
    assert isinstance(resumable, ResumableSeries)
    return resumable.job(Nobody()).run()


def contents(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in home.glob("*.h5")}


@pytest.mark.parametrize("is_named_in_index", [True, False], ids=["aborted", "killed"])
def test_the_rest_of_a_series_is_measured(is_named_in_index: bool, tmp_path: Path) -> None:
    home = interrupted(tmp_path)
    if not is_named_in_index:  # as a kill leaves it
        index = home / "series.jsonl"
        index.write_text("".join(index.read_text().splitlines(keepends=True)[:1]))
    before = contents(home)
    outcome = resume(home)
    assert (outcome.folder, outcome.finish_reason, outcome.exit_status) == (home, FinishReason.COMPLETED, 0)
    after = contents(home)
    assert len(before) == 2
    assert len(after) == 3
    first, second, third = (open_run(home / name) for name in sorted(after))
    assert after[first.path.name] == before[first.path.name]
    assert [run.n_points for run in (first, second, third)] == [18, 18, 18]
    assert [run.defects() for run in (first, second, third)] == [[], [], []]
    clock_s = [run.header.clock_zero_s for run in (first, second, third)]
    assert clock_s == sorted(clock_s)
    assert {number: line["finish_reason"] for number, line in read_index(home).items()} == dict.fromkeys(
        range(3), "completed"
    )
    told = json.loads(json.dumps(outcome.to_dict()))
    assert [Path(point["run_file"]).name for point in told["points"]] == sorted(after)
    assert all(point["diffusivity_cm2_s"] > 0 for point in told["points"])


def test_a_complete_series_is_left_alone(tmp_path: Path) -> None:
    home = job(tmp_path).run().folder
    before, lines = contents(home), (home / "series.jsonl").read_text()
    assert load_resume(home, ()).is_complete
    outcome = resume(home / "series.jsonl")
    assert (outcome.exit_status, len(outcome.points)) == (0, 3)
    assert contents(home) == before
    assert (home / "series.jsonl").read_text() == lines


def test_another_rig_is_refused(tmp_path: Path) -> None:
    home = interrupted(tmp_path)
    assert not load_resume(home, ()).is_complete
    with pytest.raises(InputError, match=r"rig.yaml: was measured with another rig: simulation.seed was 1, not 5"):
        resume(home, "rig.simulation.seed=5")


def test_the_rest_is_calibrated_as_the_beginning_was(tmp_path: Path) -> None:
    stored = calibrate(tmp_path, "magnification")
    home = interrupted(tmp_path)
    newer = calibrate(tmp_path, "magnification")
    resume(home)
    named = [parse_mapping(open_run(path).header.rig_text, "rig")["calibrations"] for path in sorted(home.glob("*.h5"))]
    assert [each["sha256"] for calibrations in named for each in calibrations] == [
        stored.sha256,
        stored.sha256,
        newer.sha256,
    ]


def test_a_condition_goes_on_with_the_magnification_of_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = calibrate(tmp_path, "magnification")
    home = interrupted(tmp_path)
    stored.path.unlink()
    opened: list[float] = []
    open_it = series_module.open_rig

    def remember(recipe: RigRecipe, *others: Any) -> Any:
        opened.append(recipe.optics.magnification_x)
        return open_it(recipe, *others)

    monkeypatch.setattr(series_module, "open_rig", remember)
    resume(home)
    assert opened == [500.0, 495.0]

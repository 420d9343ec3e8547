"""Resuming: the rest of a run fits its beginning to the last photon, and what would not fit is refused."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.workflow.logged import is_log_of, logged
from tplm_daq.acquire.events import Event, FinishReason, Notice, PointDone
from tplm_daq.errors import Aborted, InputError, StoreError
from tplm_daq.store.reader import RunFile, open_run
from tplm_daq.store.writer import RunWriter
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.nobody import Nobody
from tplm_daq.workflow.outcome import ScanOutcome
from tplm_daq.workflow.resume import load_resume
from tplm_daq.workflow.scan import ScanJob

QUIET = ("rig.simulation.drift=0nm/min", "rig.simulation.power_noise=0%")
LINE = ("configs/scan_line.yaml", "path.n_positions=9", "passes.dwell=2s", "passes.n_passes=2")
RASTER = ("configs/scan_map.yaml", "path.n_x=5", "path.n_y=6", "passes.dwell=400ms", "passes.n_passes=2")
DOSED = (*LINE, "light.between_points=off")
REFERENCES = (*LINE, "passes.order=shuffled", "passes.reference_every=3", "path.centre=0nm")
PRECISE = ("configs/scan_precision.yaml", "rig.simulation.is_homed=true")
SCANS = [
    pytest.param(LINE, (1, 13), id="line"),
    pytest.param(RASTER, (31,), id="raster"),
    pytest.param(PRECISE, (7,), id="until D is known"),
    pytest.param(LINE, tuple(range(2, 18, 2)), id="line at many points", marks=pytest.mark.slow),
    pytest.param(RASTER, (1, 2, 30, 59), id="raster at more points", marks=pytest.mark.slow),
    pytest.param(DOSED, (10,), id="light only while counting", marks=pytest.mark.slow),
    pytest.param(REFERENCES, (1, 8), id="references", marks=pytest.mark.slow),
]


def job(folder: Path, recipe: str, *changes: str) -> ScanJob:
    scan, rig = load_scan(recipe, "configs/rig_sim.yaml", [*changes, *QUIET])
    return ScanJob(scan, rig, folder, Nobody())


def interrupted(folder: Path, n_points: int, *scan: str) -> Path:
    """Return the file of a run that its operator ended after so many points."""
    begun = job(folder, *scan)

    def stop(event: Event) -> None:
        if isinstance(event, PointDone) and event.n_done == n_points:
            begun.abort("enough")

    begun.listeners.append(stop)
    return begun.run().run_file


def resume(path: Path, *changes: str, listen: Callable[[Event], None] = lambda event: None) -> ScanOutcome:
    outcome = load_resume(path, changes).job(Nobody(), listeners=[listen]).run()
    assert isinstance(outcome, ScanOutcome)
    return outcome


def assert_equal(found: RunFile, whole: RunFile) -> None:
    """Assert that two runs are the same, but for what the meters showed."""
    for name in ("pass", "index", "x_nm", "y_nm", "start_s", "end_s", "dwell_s", "live_s"):
        np.testing.assert_array_equal(found.points[name], whole.points[name], name)
    np.testing.assert_array_equal(found.counts(), whole.counts())


@pytest.fixture(scope="module")
def whole_line(tmp_path_factory: pytest.TempPathFactory) -> RunFile:
    """Return an uninterrupted run to compare with."""
    return open_run(job(tmp_path_factory.mktemp("whole"), *LINE).run().run_file)


@pytest.fixture(scope="module")
def thirteen_points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of an interrupted run, to be copied with what lies beside it."""
    return interrupted(tmp_path_factory.mktemp("thirteen"), 13, *LINE)


@pytest.fixture
def interrupted_line(thirteen_points: Path, tmp_path: Path) -> Path:
    """Return the file of a run that its operator ended after 13 points."""
    return shutil.copytree(thirteen_points.parent, tmp_path / "runs") / thirteen_points.name


@pytest.mark.parametrize(("scan", "moments"), SCANS)
def test_the_counts_are_those_of_the_uninterrupted_run(
    scan: tuple[str, ...], moments: tuple[int, ...], whole_line: RunFile, tmp_path: Path
) -> None:
    whole = whole_line if scan == LINE else open_run(job(tmp_path / "whole", *scan).run().run_file)
    for n_points in moments:
        path = interrupted(tmp_path / str(n_points), n_points, *scan)
        assert open_run(path).n_points == n_points
        outcome = resume(path)
        assert outcome.run_file == path
        assert outcome.finish_reason.value == whole.finish_reason
        assert outcome.result is not None
        found = open_run(path)
        assert_equal(found, whole)
        assert found.defects() == []
        assert found.results()
        assert {"start", "start_2", "end", "end_2"} <= set(found.snapshots()["laser"])


@pytest.mark.slow
def test_a_run_may_be_interrupted_again_and_again(whole_line: RunFile, tmp_path: Path) -> None:
    path = interrupted(tmp_path, 4, *LINE)
    for n_points in (5, 11):
        rest = load_resume(path, ()).job(Nobody())
        rest.listeners.append(
            lambda event, n=n_points, rest=rest: (
                rest.abort("enough") if isinstance(event, PointDone) and event.n_done == n else None
            )
        )
        outcome = rest.run()
        assert isinstance(outcome.error, Aborted)
        assert open_run(path).n_points == n_points
    resume(path)
    assert_equal(open_run(path), whole_line)


def test_progress_counts_what_is_there_and_drift_and_rate_are_told_with_numbers(interrupted_line: Path) -> None:
    path = interrupted_line
    seen: list[Event] = []
    resume(path, listen=seen.append)
    points = [(event.n_done, event.n_points) for event in seen if isinstance(event, PointDone)]
    assert points == [(n, 18) for n in range(14, 19)]
    (told,) = [event.text for event in seen if isinstance(event, Notice)]
    assert told.startswith("goes on after point 13: the spot is x ")
    assert "nm from where it was; the rate at position 5 is 1.0" in told
    assert told in [text for _, _, text in open_run(path).log()]
    assert is_log_of(seen, logged(path)[-len(seen) :])


def test_a_completed_run_is_left_alone(tmp_path: Path) -> None:
    first = job(tmp_path, *LINE).run()
    before = first.run_file.read_bytes()
    again = resume(first.run_file)
    assert first.run_file.read_bytes() == before
    assert again.exit_status == 0
    told, old = again.to_dict(), first.to_dict()
    assert {**told, "wall_s": None} == {**old, "wall_s": None}


def test_a_report_is_of_the_whole_run_and_keeps_that_of_its_first_part(interrupted_line: Path) -> None:
    path = interrupted_line
    first = path.with_suffix(".html")
    first.write_text("a page about 13 points", encoding="utf-8")
    outcome = load_resume(path, ()).job(Nobody(), with_report=True).run()
    assert outcome.error is None
    assert outcome.report_file == path.with_name(f"{path.stem}_2.html")
    assert path.name in outcome.report_file.read_text(encoding="utf-8")
    assert first.read_text(encoding="utf-8") == "a page about 13 points"


def test_a_run_without_points_begins_with_the_first(whole_line: RunFile, tmp_path: Path) -> None:
    path = tmp_path / "empty.h5"
    RunWriter.create(path, whole_line.header).close()
    assert resume(path).finish_reason is FinishReason.COMPLETED
    assert_equal(open_run(path), whole_line)


def test_all_points_but_no_end_is_completed_without_another_point(whole_line: RunFile, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    path.write_bytes(whole_line.path.read_bytes())
    with h5py.File(path, "r+") as file:
        del file["entry/finish_reason"], file["entry/end_time"], file["entry/data"]
    outcome = resume(path)
    assert (outcome.finish_reason, outcome.n_points) == (FinishReason.COMPLETED, 18)
    assert open_run(path).finish_reason == "completed"


def test_a_damaged_run_goes_on_in_a_new_file(whole_line: RunFile, interrupted_line: Path) -> None:
    path = interrupted_line
    with h5py.File(path) as file:
        chunk = file["entry/counts"].id.get_chunk_info(12)
    with path.open("r+b") as stream:
        stream.seek(chunk.byte_offset)
        stream.write(bytes(chunk.size))
    seen: list[Event] = []
    outcome = resume(path, listen=seen.append)
    assert outcome.run_file == path.with_name(f"{path.stem}_rescued.h5")
    assert_equal(open_run(outcome.run_file), whole_line)
    told = [event.text for event in seen if isinstance(event, Notice)]
    assert f"{path} is damaged: the 12 points that read are in {outcome.run_file}" in told


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of an interrupted run, to be refused."""
    return interrupted(tmp_path_factory.mktemp("begun"), 3, *LINE)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("passes.dwell=3s", "the recipe of a run that has begun cannot be changed"),
        ("rig.simulation.seed=2", "was measured with another rig: simulation.seed was 1, not 2"),
        ("rig.optics.magnification_x=500", "optics.magnification_x was 495.0, not 500.0"),
        ("rig.devices.stage.max_amplitude=50V", "devices.stage.max_amplitude was 60 V, not 50 V"),
        ("rig.no_such=1", "no_such"),
    ],
)
def test_what_would_make_the_data_differ_is_refused(change: str, said: str, begun: Path) -> None:
    before = begun.read_bytes()
    with pytest.raises(InputError, match=said):
        load_resume(begun, [change])
    assert begun.read_bytes() == before


@pytest.mark.parametrize(
    "change", ["rig.simulation.speed=500", "rig.policies.settle=0.1s", "rig.guards.free_disk_mb=1", "rig.name=other"]
)
def test_what_does_not_touch_the_data_may_be_changed(change: str, begun: Path) -> None:
    load_resume(begun, [change])


def test_wrong_indices_are_refused(begun: Path, tmp_path: Path) -> None:
    path = tmp_path / "shuffled.h5"
    path.write_bytes(begun.read_bytes())
    with h5py.File(path, "r+") as file:
        file["entry/points/index"][1] = 2
    with pytest.raises(InputError, match="cannot be resumed: point 1 was taken at .* nm, and its index 2 stands for"):
        load_resume(path, ())


def test_a_changed_recipe_is_refused(begun: Path, tmp_path: Path) -> None:
    path = tmp_path / "edited.h5"
    path.write_bytes(begun.read_bytes())
    with h5py.File(path, "r+") as file:
        text = file["entry/recipe/data"].asstr()[()]
        file["entry/recipe/data"][()] = text.replace("2 s", "4 s")
    with pytest.raises(InputError, match="the recipe was changed after the run"):
        load_resume(path, ())


@pytest.mark.skipif(sys.platform == "win32", reason="locks of another kind")
def test_a_run_that_is_going_on_is_refused(begun: Path) -> None:
    import fcntl

    rest = load_resume(begun, ()).job(Nobody())
    with begun.open("rb") as other, pytest.raises(StoreError, match="another program holds the file"):
        fcntl.flock(other, fcntl.LOCK_EX)
        rest.run()


@pytest.mark.parametrize("name", ["absent.h5", "."])
def test_what_is_no_run_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file|not the folder of a series"):
        load_resume(tmp_path / name, ())

"""A scan in this process: what is on disk, what is live, and what happens when things break on the way."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import tplm_daq.rig.open as opening
from simulators.bench import Bench
from tests.workflow.logged import is_log_of, logged
from tplm_daq.acquire.events import (
    Event,
    FinishReason,
    GuardGoesOn,
    GuardWaits,
    Notice,
    PointDone,
    RunState,
    StateChanged,
)
from tplm_daq.errors import Aborted, DeviceError, GuardStop, LightMayBeOnError, RigError
from tplm_daq.recipes.rig import RigRecipe
from tplm_daq.rig.simulated import SimulatedWorld
from tplm_daq.store.reader import open_run
from tplm_daq.watching import ScanDisplay
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.nobody import Nobody
from tplm_daq.workflow.outcome import ScanOutcome
from tplm_daq.workflow.scan import ScanJob

QUICK = ("path.n_positions=9", "passes.dwell=2s", "passes.n_passes=2", "rig.simulation.is_homed=true")


MakeJob = Callable[..., ScanJob]


@pytest.fixture
def make_job(tmp_path: Path) -> MakeJob:
    def make(*changes: str) -> ScanJob:
        scan, rig = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", [*QUICK, *changes])
        return ScanJob(scan, rig, tmp_path, Nobody())

    return make


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Bench]:
    """Return a look at the bench behind the rig that was opened last."""
    worlds: list[SimulatedWorld] = []
    start = opening.start_doubles

    def remember(recipe: RigRecipe) -> SimulatedWorld:
        worlds.append(start(recipe))
        return worlds[-1]

    monkeypatch.setattr(opening, "start_doubles", remember)
    return lambda: worlds[-1].library._world  # type: ignore[attr-defined]


def at_point(number: int, act: Callable[[], None]) -> Callable[[Event], None]:
    return lambda event: act() if isinstance(event, PointDone) and event.n_done == number else None


def run(job: ScanJob) -> ScanOutcome:
    return job.run()


def test_the_file_holds_every_point_with_its_circumstances(make_job: MakeJob) -> None:
    outcome = run(make_job())
    found = open_run(outcome.run_file)
    assert found.n_points == 18
    np.testing.assert_allclose(found.points["live_s"], 1.0, atol=2e-3)
    assert set(found.points["sync_hz"]) == {2.5e6}
    assert np.all(np.abs(found.points["temperature_k"] - 300) < 0.2)
    assert set(found.points["power_nw"]) == {10.0}
    np.testing.assert_allclose(found.points["x_readback_nm"], found.points["x_nm"], atol=0.01)
    assert np.all(np.diff(found.points["start_s"]) > 1.0)
    assert found.header.delay_ns[0] == pytest.approx(0.008)
    assert found.header.delay_ns[-1] < 60.0
    assert found.counts().shape == (18, 3750)
    snapshots = found.snapshots()
    assert {"laser", "gate", "counter", "detector", "thermostat", "stage"} <= set(snapshots)
    assert snapshots["laser"]["start"]["is_on"]
    assert not snapshots["laser"]["end"]["is_on"]


def test_the_path_is_centred_on_the_spot(make_job: MakeJob) -> None:
    outcome = run(make_job())
    assert outcome.truth is not None
    found = open_run(outcome.run_file)
    middle_nm = found.points["x_nm"][found.points["index"] == 4][0]
    assert middle_nm == pytest.approx(outcome.truth["centre_nm"], abs=25)


def test_a_given_centre_is_taken_as_it_is(make_job: MakeJob) -> None:
    outcome = run(make_job("path.centre=50nm"))
    found = open_run(outcome.run_file)
    assert found.points["x_nm"][found.points["index"] == 4][0] == 50.0


def test_a_line_may_run_along_y(make_job: MakeJob) -> None:
    outcome = run(make_job("path.axis=y", "passes.dwell=8s"))
    found = open_run(outcome.run_file)
    assert np.ptp(found.points["y_nm"]) == pytest.approx(2000)
    assert np.ptp(found.points["x_nm"]) == 0
    assert outcome.result is not None
    assert outcome.result.axis == "y"
    assert outcome.truth is not None
    assert outcome.result.centre_nm == pytest.approx(outcome.truth["centre_nm"], abs=10)


def test_live_results_come_while_the_scan_runs(make_job: MakeJob) -> None:
    job = make_job("rig.simulation.speed=100", "passes.n_passes=6", "passes.dwell=12s")
    seen = []
    job.listeners.append(lambda event: seen.append(job.latest) if isinstance(event, PointDone) else None)
    outcome = run(job)
    results = [live.result for live in seen if live is not None and live.result is not None]
    assert len(results) > 10
    assert outcome.result is not None
    last = results[-1]
    assert last.diffusivity_cm2_s == pytest.approx(
        outcome.result.diffusivity_cm2_s, abs=3 * outcome.result.standard_error_cm2_s
    )


def test_an_aborted_scan_keeps_its_points_and_its_result(make_job: MakeJob, bench: Callable[[], Bench]) -> None:
    job = make_job()
    job.listeners.append(at_point(12, lambda: job.abort("enough")))
    outcome = run(job)
    assert outcome.finish_reason is FinishReason.ABORTED
    assert isinstance(outcome.error, Aborted)
    assert outcome.exit_status == 3
    found = open_run(outcome.run_file)
    assert (found.n_points, found.finish_reason) == (12, "aborted")
    assert bench().light().average_power_nw == 0


def test_abort_before_the_rig_is_open_switches_nothing_on(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job("rig.simulation.is_homed=false")
    job.abort("never mind")
    with pytest.raises(Aborted, match="never mind"):
        run(job)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("role", ["detector_x", "thermostat", "trigger"])
@pytest.mark.usefixtures("short_time_outs")
def test_a_link_lost_in_the_middle_is_named_and_light_goes_out(
    role: str, make_job: MakeJob, bench: Callable[[], Bench]
) -> None:
    job = make_job("light.between_points=off")
    job.listeners.append(at_point(7, lambda: bench().servers[role].close()))
    outcome = run(job)
    assert outcome.finish_reason is FinishReason.FAILED
    assert outcome.exit_status == 1
    assert isinstance(outcome.error, DeviceError)
    assert outcome.error.device == role
    assert open_run(outcome.run_file).n_points == 7
    assert bench().light().average_power_nw == 0


@pytest.mark.usefixtures("short_time_outs")
def test_with_both_paths_to_the_light_lost_the_outcome_says_so(
    make_job: MakeJob, bench: Callable[[], Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tplm_daq.rig.watchdog.LAST_TRIES_S", 0.0)
    job = make_job()

    def cut() -> None:
        bench().servers["trigger"].close()
        bench().servers["gate"].close()

    job.listeners.append(at_point(3, cut))
    outcome = run(job)
    assert isinstance(outcome.error, LightMayBeOnError)
    assert outcome.exit_status == 1
    assert open_run(outcome.run_file).n_points == 18


def test_lost_sync_ends_the_run_as_a_guard_stop(make_job: MakeJob, bench: Callable[[], Bench]) -> None:
    job = make_job()
    job.listeners.append(at_point(5, lambda: bench().laser.turn("key", False)))
    outcome = run(job)
    assert outcome.finish_reason is FinishReason.GUARD
    assert isinstance(outcome.error, GuardStop)
    assert outcome.exit_status == 4
    assert open_run(outcome.run_file).n_points in (5, 6)


def test_a_dead_rig_leaves_no_file(make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = opening.start_doubles

    def start_broken(recipe: RigRecipe) -> SimulatedWorld:
        world = start(recipe)
        world.library._world.servers["stage"].close()  # type: ignore[attr-defined]
        return world

    monkeypatch.setattr(opening, "start_doubles", start_broken)
    with pytest.raises(RigError, match="stage at TCPIP"):
        run(make_job())
    assert not list(tmp_path.iterdir())


def test_the_light_is_off_before_the_file_is_finished(make_job: MakeJob, bench: Callable[[], Bench]) -> None:
    job = make_job()
    powers = []
    job.listeners.append(
        lambda event: (
            powers.append(bench().light().average_power_nw) if event == StateChanged(RunState.FINISHED) else None
        )
    )
    run(job)
    assert powers == [0]


def test_in_a_hurry_nothing_is_fitted(make_job: MakeJob) -> None:
    job = make_job()

    def stop() -> None:
        job.abort("enough")
        job.hurry()

    job.listeners.append(at_point(9, stop))
    outcome = run(job)
    assert outcome.result is None
    assert "skipped" in str(outcome.fit_error)
    assert outcome.to_dict()["diffusivity_cm2_s"] is None


def test_warnings_from_before_the_file_was_there_are_in_it(make_job: MakeJob) -> None:
    job = make_job("rig.guards.free_disk_mb=1000000000", "rig.guards.on_disk=warn", "path.centre=0nm")
    warned: list[Notice] = []
    job.listeners.append(lambda event: warned.append(event) if isinstance(event, Notice) else None)
    outcome = job.run()
    first = warned[0].text
    assert "disk" in first
    assert open_run(outcome.run_file).log()[0][1:] == ("warning", first)
    assert next(line for line in logged(outcome.run_file) if line["event"] == "notice")["text"] == first


@pytest.mark.parametrize("is_homed", [True, False])
def test_the_event_log_holds_what_was_told_since_the_preparation_began(make_job: MakeJob, is_homed: bool) -> None:
    job, heard = make_job(f"rig.simulation.is_homed={str(is_homed).lower()}"), list[Event]()
    job.listeners.append(heard.append)
    lines = logged(job.run().run_file)
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    assert is_log_of(heard, lines)
    steps = [line["doing"] for line in lines if line["event"] == "step"]
    assert lines[0]["state"] == "preparing"
    assert steps[0] == "setting up the counter"
    assert ("reference run of the detector" in steps) is not is_homed
    assert steps[-1] == "looking where the spot is"


def test_a_pause_of_a_guard_is_told_at_the_terminal_and_in_both_logs(
    make_job: MakeJob, bench: Callable[[], Bench]
) -> None:
    job, heard, shown = make_job("rig.guards.on_sync=pause"), list[Event](), io.StringIO()
    display = ScanDisplay(Console(file=shown, width=400))

    def mend(event: Event) -> None:
        if isinstance(event, GuardWaits):
            bench().laser.turn("key", True)

    lose = at_point(5, lambda: bench().laser.turn("key", False))
    job.listeners.extend([heard.append, display.on_event, lose, mend])
    outcome = job.run()
    display.refresh(None)
    waits, goes_on = [event for event in heard if isinstance(event, GuardWaits | GuardGoesOn)]
    assert isinstance(waits, GuardWaits)
    assert isinstance(goes_on, GuardGoesOn)
    assert waits.reason.startswith("no sync")
    assert goes_on.waited_s > 10.0
    told = [waits.text, goes_on.text]
    assert [text for _, _, text in open_run(outcome.run_file).log() if text in told] == told
    assert [line for line in shown.getvalue().splitlines() if "pause" in line] == [f"warning {text}" for text in told]
    assert is_log_of(heard, logged(outcome.run_file))
    assert outcome.n_points == 18

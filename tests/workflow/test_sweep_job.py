"""A sweep as a job: ended after the condition under way, and continued with what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tplm_daq.acquire.events import Event, RunState, StateChanged
from tplm_daq.errors import Aborted, InputError
from tplm_daq.recipes.kmc import KmcRecipe
from tplm_daq.workflow.kmc import SweepProgress, load_kmc
from tplm_daq.workflow.sweep_job import SweepJob, check_sweep


@pytest.fixture
def recipe() -> KmcRecipe:
    return load_kmc(tau_pulse=["0.1 us", "0.4 us", "1.6 us"], n_pulses=40)


def test_a_sweep_that_is_ended_keeps_what_is_finished_and_goes_on_from_there(recipe: KmcRecipe, tmp_path: Path) -> None:
    seen: list[SweepProgress] = []
    events: list[Event] = []

    def end_it(progress: SweepProgress) -> None:
        seen.append(progress)
        job.abort("enough")

    job = SweepJob(recipe, tmp_path, end_it)
    job.listeners.append(events.append)
    with pytest.raises(Aborted, match="enough, after 1 of 3 conditions, which are kept"):
        job.run()
    assert [progress.n_done for progress in seen] == [1]
    assert events == [StateChanged(RunState.RUNNING)]
    outcome = SweepJob(recipe, tmp_path, lambda _: None).run()
    assert (outcome.n_reused, len(outcome.points)) == (1, 3)
    assert outcome.file is not None
    assert outcome.file.parent == tmp_path / "lattice"


def test_a_sweep_that_nobody_wants_is_not_begun(recipe: KmcRecipe, tmp_path: Path) -> None:
    job = SweepJob(recipe, tmp_path, lambda _: None)
    job.abort("changed my mind")
    with pytest.raises(Aborted, match="before the first condition"):
        job.run()
    assert not list(tmp_path.iterdir())


def test_the_check_tells_the_work_and_what_cannot_succeed(recipe: KmcRecipe) -> None:
    found = check_sweep(recipe)
    assert [condition.tau_pulse_ns for condition in found.conditions] == [100.0, 400.0, 1600.0]
    assert found.exciton_steps > 1e6
    assert found.n_workers == 1
    with pytest.raises(InputError, match="too few for a diffusivity"):
        check_sweep(load_kmc(alpha=[1e-6], tau_pulse=["0.4 us"], n_pulses=10))

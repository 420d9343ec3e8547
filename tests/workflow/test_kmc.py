"""A sweep from recipe to file: options, resuming, refusals, and the JSON that is printed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kmc.recipes import paper, small
from tplm_daq.errors import InputError
from tplm_daq.kmc.simulate import Condition
from tplm_daq.kmc.sweep import Job
from tplm_daq.recipes.kmc import Lattice, Recording
from tplm_daq.workflow import kmc, kmc_limits
from tplm_daq.workflow.kmc import SweepProgress, file_name, load_kmc, run_jobs, run_sweep

ROOT = Path(__file__).parents[2]
GRID = {"alpha": (0.08, 0.16), "tau_pulse_ns": ("50 ns", "0.4 us")}


def test_points_come_in_the_order_of_the_recipe() -> None:
    outcome = run_sweep(small(**GRID), n_workers=1)
    assert [(p.alpha, p.tau_pulse_us) for p in outcome.points] == [(0.08, 0.05), (0.08, 0.4), (0.16, 0.05), (0.16, 0.4)]
    assert outcome.exciton_steps == sum(point.exciton_steps for point in outcome.points) > 0
    assert outcome.file is None


def test_the_json_document_is_as_agreed() -> None:
    document = json.loads(json.dumps(run_sweep(small(), n_workers=1).to_dict(), allow_nan=False))
    assert {"points", "exciton_steps", "seconds"} <= document.keys()
    (point,) = document["points"]
    assert list(point) == [
        "alpha", "tau_pulse_us", "t_exc_us", "d_sim_cm2_s", "standard_error_cm2_s", "d_sim_radial_cm2_s"
    ]  # fmt: skip
    assert (point["alpha"], point["tau_pulse_us"]) == (0.08, 0.4)
    assert document["seconds"] > 0


def test_finished_points_are_not_simulated_again(tmp_path: Path) -> None:
    first = run_sweep(small(alpha=(0.08,), tau_pulse_ns=GRID["tau_pulse_ns"]), tmp_path, n_workers=1)
    second = run_sweep(small(**GRID, title="Small"), tmp_path, n_workers=1)
    assert (first.file, first.n_reused, second.n_reused) == (second.file, 0, 2)
    assert [p.d_sim_cm2_s for p in second.points[:2]] == [p.d_sim_cm2_s for p in first.points]
    third = run_sweep(small(**GRID), tmp_path, n_workers=1)
    assert (third.n_reused, third.exciton_steps, third.seconds) == (4, 0, 0.0)
    assert third.to_dict()["points"] == second.to_dict()["points"]


def test_another_seed_goes_to_another_file() -> None:
    names = {file_name(recipe) for recipe in (small(), small(seed=2), small(n_pulses=50), small(**GRID))}
    assert len(names) == 3
    assert all(name.startswith("small_") for name in names)


def test_an_interrupted_sweep_goes_on_where_it_was(tmp_path: Path) -> None:
    def interrupt(progress: SweepProgress) -> None:
        if progress.n_done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(small(**GRID), tmp_path, n_workers=1, on_progress=interrupt)
    resumed = run_sweep(small(**GRID), tmp_path, n_workers=1)
    assert resumed.n_reused == 3
    assert resumed.to_dict()["points"] == run_sweep(small(**GRID), n_workers=1).to_dict()["points"]


def test_progress_counts_work_not_points() -> None:
    told: list[SweepProgress] = []
    run_sweep(small(**GRID), n_workers=1, on_progress=told.append)
    assert [progress.n_done for progress in told] == [1, 2, 3, 4]
    assert [progress.share for progress in told] == pytest.approx([1 / 6, 2 / 6, 4 / 6, 1.0])
    assert told[-1].latest.alpha == 0.16


def test_options_take_the_place_of_the_recipes_values() -> None:
    recipe = load_kmc("configs/kmc_quick.yaml", [0.02, 0.3], ["3 us"], 50, 7, ["lattice={p_fast: 0.5}"])
    assert recipe.conditions == [(0.02, 3000.0), (0.3, 3000.0)]
    assert (recipe.n_pulses, recipe.seed, recipe.lattice.p_fast) == (50, 7, 0.5)
    assert load_kmc().conditions[0] == (0.08, 50.0)
    assert load_kmc(seed=0).seed == 0
    with pytest.raises(InputError, match=r"alpha.0 is 1.5: must be less than or equal to 1"):
        load_kmc(alpha=[1.5])


def test_a_sweep_that_does_not_fit_in_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kmc_limits, "machine_memory_bytes", lambda: 1_000_000_000)
    with pytest.raises(
        InputError, match="with --workers 2 the sweep would need 3.08 GB, more than 80% of the 1 GB here"
    ):
        run_sweep(paper(lattice=Lattice(size=8000)), n_workers=2)


def test_too_few_excitons_for_a_diffusivity_are_refused() -> None:
    late = Recording(span_ns="40 ns", compare_ns="40 ns")
    with pytest.raises(
        InputError, match="would live for 40 ns, too few for a diffusivity. Use a larger alpha, or at least"
    ):
        run_sweep(paper(recording=late))


def test_impossible_workers_are_refused() -> None:
    with pytest.raises(InputError, match="--workers 0: at least 1 is needed"):
        run_sweep(small(), n_workers=0)
    with pytest.raises(InputError, match="exclude each other"):
        run_sweep(small(), n_workers=2, scheduler="tcp://127.0.0.1:8786")


def test_by_itself_a_short_sweep_starts_no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(kmc, "sweep_processes", never)
    run_sweep(small(**GRID))


def test_points_of_an_older_kernel_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    now = file_name(small())
    monkeypatch.setattr(kmc, "KERNEL_VERSION", 0)
    assert file_name(small()) != now


def test_several_recipes_go_on_where_they_were_each_in_its_file(tmp_path: Path) -> None:
    jobs = [Job(small(seed=seed), Condition(0.08, tau_ns)) for seed in (1, 2) for tau_ns in (50.0, 400.0)]
    first = run_jobs(jobs[:3], tmp_path, n_workers=1)
    again = run_jobs(jobs, tmp_path, n_workers=1)
    assert (len(first.files), set(first.files), again.n_reused) == (2, set(again.files), 3)
    assert [p.d_sim_cm2_s for p in again.points[:3]] == [p.d_sim_cm2_s for p in first.points]
    assert again.points[3].tau_pulse_ns == 400.0
    assert again.file is None


SLOWLY_TOLD = """
import sys
from pathlib import Path
from tests.workflow.test_kmc import GRID, small
from tplm_daq.workflow.kmc import run_sweep

def tell(progress):
    print(progress.n_done, flush=True)

run_sweep(small(**GRID | {"alpha": tuple(0.01 * n for n in range(5, 60))}), Path(sys.argv[1]), 1, None, tell)
"""


def test_a_kill_of_the_program_loses_no_point_that_was_told_of(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SLOWLY_TOLD, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        told = 0
        for line in program.stdout:
            told = int(line)
            if told >= 5:
                program.kill()
    assert 5 <= told < 110
    resumed = run_sweep(small(**GRID | {"alpha": tuple(0.01 * n for n in range(5, 60))}), tmp_path, n_workers=1)
    assert told <= resumed.n_reused <= told + 1
    assert [path.suffix for path in tmp_path.iterdir()] == [".h5"]

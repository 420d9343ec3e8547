"""How fast the lattice is, against the same model written plainly in C and in numpy; printed by `make bench`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.test_speed import interleaved, report
from tests.kmc.plain import plain_pulses
from tests.kmc.recipes import paper
from tplm_daq.kmc.simulate import Condition, simulate
from tplm_daq.kmc.sweep import Job, observe_job
from tplm_daq.workflow.kmc import load_kmc, run_sweep

pytestmark = pytest.mark.slow

PlainC = Callable[[float, float, int], np.ndarray]


@pytest.fixture(scope="module")
def plain_c(tmp_path_factory: pytest.TempPathFactory) -> PlainC:
    """The model in C, compiled with optimisation: rows of excitons and sums of r^2 at the pulse and 1 ns later."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    program = tmp_path_factory.mktemp("plain") / "plain_kmc"
    source = Path(__file__).with_name("plain_kmc.c")
    subprocess.run([compiler, "-O3", "-march=native", "-o", program, source, "-lm"], check=True)

    def run(alpha: float, tau_pulse_us: float, seed: int) -> np.ndarray:
        arguments = [program, str(alpha), str(tau_pulse_us), "1000", str(seed)]
        return np.loadtxt(subprocess.run(arguments, check=True, capture_output=True, text=True).stdout.splitlines())

    return run


def diffusivity_cm2_s(pulses: np.ndarray) -> float:
    n_early, early, n_late, late = pulses.sum(axis=0)
    return (late / n_late - early / n_early) * 100 / 4 * 1e-5


@pytest.mark.parametrize(("alpha", "tau_pulse"), [(0.08, 0.4), (0.16, 0.05), (0.01, 3.2)])
def test_one_condition_against_plain_c(
    alpha: float, tau_pulse: float, plain_c: PlainC, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = paper()
    taken = []

    def ours() -> None:
        taken.append(simulate(recipe, alpha, 1e3 * tau_pulse))

    ours()
    seconds, theirs = interleaved(ours, lambda: plain_c(alpha, tau_pulse, 1))
    per_step_ns = seconds / taken[-1].exciton_steps * 1e9
    report(
        capsys,
        f"lattice, alpha {alpha}, {tau_pulse} us, 1000 pulses: {seconds:.2f} s, {per_step_ns:.1f} ns per attempt, "
        f"{theirs / seconds:.1f} x plain C",
    )
    assert theirs / seconds > 4


@pytest.mark.timeout(600)
def test_plain_c_finds_the_same(plain_c: PlainC) -> None:
    for alpha, tau_pulse in ((0.08, 0.4), (0.16, 0.05), (0.5, 3.2)):
        ours = observe_job(Job(paper(), Condition(alpha, 1e3 * tau_pulse)))
        theirs = [diffusivity_cm2_s(plain_c(alpha, tau_pulse, seed)) for seed in range(2)]
        error = ours.standard_error_cm2_s * np.sqrt(1 + 1 / 2)
        assert abs(np.mean(theirs) - ours.d_sim_cm2_s) < 4 * error, (alpha, tau_pulse)


def test_one_condition_against_plain_numpy(capsys: pytest.CaptureFixture[str]) -> None:
    simulate(paper(), 0.08, 400.0)
    began = time.perf_counter()
    theirs = plain_pulses(0.08, 0.4, 2, np.random.default_rng(1))
    plain_ns = (time.perf_counter() - began) / theirs[:, 4].sum() * 1e9
    found = simulate(paper(), 0.08, 400.0)
    ratio = plain_ns / (found.seconds / found.exciton_steps * 1e9)
    report(capsys, f"lattice, alpha 0.08, 0.4 us: {ratio:.0f} x plain numpy ({plain_ns / 1e3:.1f} us per attempt)")
    assert ratio > 100


@pytest.mark.timeout(900)
def test_the_grid_of_the_figure_against_plain_c(plain_c: PlainC, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = load_kmc("configs/kmc_paper.yaml")
    began = time.perf_counter()
    outcome = run_sweep(recipe, n_workers=2)
    ours = time.perf_counter() - began
    theirs = 0.0
    for alpha in recipe.alpha:  # the time of plain C hardly depends on the pulse spacing: three of seven
        began = time.perf_counter()
        for tau_pulse_ns in recipe.tau_pulse_ns[::3]:
            plain_c(alpha, tau_pulse_ns / 1e3, 1)
        theirs += (time.perf_counter() - began) * len(recipe.tau_pulse_ns) / len(recipe.tau_pulse_ns[::3])
    report(
        capsys,
        f"35 conditions of Fig. 4E on two processes: {ours:.1f} s with their start, {outcome.seconds:.1f} s without; "
        f"{theirs / outcome.seconds:.0f} x plain C on one",
    )
    assert theirs / outcome.seconds > 5


@pytest.mark.timeout(600)
def test_two_processes_against_one(capsys: pytest.CaptureFixture[str]) -> None:
    recipe = load_kmc("configs/kmc_paper.yaml", n_pulses=2000)
    ratios = []
    for _ in range(3):
        alone, together = (run_sweep(recipe, n_workers=n_workers).seconds for n_workers in (1, 2))
        ratios.append(alone / together)
    report(capsys, f"35 conditions of Fig. 4E, two processes: {np.median(ratios):.2f} x one")


def test_start_from_the_cache(capsys: pytest.CaptureFixture[str]) -> None:
    code = (
        "import time; import numba, numpy, tplm_daq.recipes.kmc, tplm_daq.kmc.kernel; began = time.perf_counter();"
        "from tests.kmc.recipes import small; from tplm_daq.kmc.simulate import Condition, simulate;"
        "simulate(small(), 0.08, 400.0); print(time.perf_counter() - began)"
    )
    seconds = [
        float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout) for _ in "123"
    ]
    report(capsys, f"first lattice of a new process, kernel from numba's cache: {min(seconds):.2f} s")
    assert min(seconds) < 3

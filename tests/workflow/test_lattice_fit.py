"""Rates and relaxation time from D(t_exc): parameters that made the data come back, with intervals that hold them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.kmc.recipes import small
from tplm_daq.analysis.relaxation import EnhancementSeries
from tplm_daq.errors import FitError, InputError
from tplm_daq.workflow.lattice_fit import LatticeGrid, fit_lattice, simulate_grid

K_SLOW, K_FAST = np.geomspace(1.0, 100.0, 6), np.geomspace(200.0, 1000.0, 5)
T_EXC_US = np.geomspace(1.0, 80.0, 10)


def law(k_slow: np.ndarray, k_fast: np.ndarray, t_exc_per_tau: np.ndarray) -> np.ndarray:
    """A smooth curve that looks like the lattice's."""
    return 2.5e-4 * (k_slow + (k_fast - k_slow) * np.exp(-1.3 * t_exc_per_tau))


def made_grid(error_cm2_s: float = 1e-5) -> LatticeGrid:
    times = np.geomspace(0.02, 40.0, 24)
    d = law(*np.meshgrid(K_SLOW, K_FAST, times, indexing="ij"))
    return LatticeGrid(K_SLOW, K_FAST, times, d, np.full_like(d, error_cm2_s))


def measured(rng: np.random.Generator, error_cm2_s: float = 0.002) -> EnhancementSeries:
    d = law(np.array(20.0), np.array(600.0), T_EXC_US / 6.0)
    return EnhancementSeries(T_EXC_US, d + rng.normal(0, error_cm2_s, d.shape), np.full(d.shape, error_cm2_s))


def test_what_made_the_curve_is_found() -> None:
    series = EnhancementSeries(T_EXC_US, law(np.array(20.0), np.array(600.0), T_EXC_US / 6.0), np.full(10, 0.002))
    found = fit_lattice(series, made_grid())
    assert found.k_slow_per_ns.value == pytest.approx(20.0, rel=0.03)
    assert found.k_fast_per_ns.value == pytest.approx(600.0, rel=0.01)
    assert found.tau_relax_us.value == pytest.approx(6.0, rel=0.01)
    assert found.diffusivity_cm2_s == pytest.approx(series.diffusivity_cm2_s, abs=3e-4)
    assert (found.n_dof, found.p_value) == (7, pytest.approx(1.0, abs=0.01))


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    grid, n = made_grid(), 30
    truth = {"k_slow_per_ns": 20.0, "k_fast_per_ns": 600.0, "tau_relax_us": 6.0}
    held = dict.fromkeys(truth, 0)
    for seed in range(n):
        found = fit_lattice(measured(np.random.default_rng(seed)), grid)
        for name, value in truth.items():
            low, high = getattr(found, name).ci95
            held[name] += low < value < high
    assert all(abs(count - 0.95 * n) <= 4.5 * np.sqrt(n * 0.95 * 0.05) for count in held.values()), held
    assert sum(held.values()) < 3 * n


def test_errors_of_the_grid_widen_the_intervals() -> None:
    series = measured(np.random.default_rng(1))
    sure, unsure = (fit_lattice(series, made_grid(error)).tau_relax_us.ci95 for error in (1e-5, 0.004))
    assert unsure[1] - unsure[0] > 1.5 * (sure[1] - sure[0])


def test_an_interval_without_an_end_says_so() -> None:
    d = law(np.array(1.0), np.array(600.0), T_EXC_US / 6.0)
    found = fit_lattice(EnhancementSeries(T_EXC_US, d, np.full(10, 0.002)), made_grid())
    assert found.k_slow_per_ns.ci95[0] == 0.0
    assert np.isfinite(found.k_slow_per_ns.ci95[1])


def test_a_relaxation_time_outside_the_grid_is_not_guessed() -> None:
    d = law(np.array(20.0), np.array(600.0), T_EXC_US / 5000.0)
    with pytest.raises(FitError, match=r"outside 0.025 to 50 us, where it is sought"):
        fit_lattice(EnhancementSeries(T_EXC_US, d, np.full(10, 1e-5)), made_grid())


@pytest.mark.parametrize(
    ("t_exc_us", "error", "message"),
    [
        ([1.0, 2.0, 3.0], 0.001, "at least 4 different t_exc"),
        ([1.0, 1.0, 2.0, 3.0], 0.001, "at least 4 different t_exc"),
        ([1.0, 2.0, np.nan, 3.0], 0.001, "finite"),
        ([1.0, 2.0, 4.0, 3.0], 0.0, "standard error above zero"),
        ([0.0, 2.0, 4.0, 3.0], 0.001, "t_exc and a standard error above zero"),
    ],
)
def test_unusable_series_are_refused(t_exc_us: list[float], error: float, message: str) -> None:
    n = len(t_exc_us)
    with pytest.raises(FitError, match=message):
        fit_lattice(EnhancementSeries(np.array(t_exc_us), np.full(n, 0.1), np.full(n, error)), made_grid())


def test_the_grid_is_simulated_once(tmp_path: Path) -> None:
    recipe = small(tau_pulse_ns=("0.4 us", "50 ns"), n_pulses=400)
    grid = simulate_grid(recipe, tmp_path, n_workers=1, p_slow=(0.006, 0.06), p_fast=(0.35, 0.7))
    assert grid.diffusivity_cm2_s.shape == (2, 2, 2)
    assert grid.k_slow_per_ns == pytest.approx([6.0, 60.0])
    assert grid.k_fast_per_ns == pytest.approx([350.0, 700.0])
    assert grid.t_exc_per_tau == pytest.approx([50 / (0.08 * 8100), 400 / (0.08 * 8100)])
    assert np.all(np.diff(grid.diffusivity_cm2_s[:, :, 0], axis=1) > 0)
    assert np.all(np.diff(grid.diffusivity_cm2_s, axis=2) < 0)
    assert len(list(tmp_path.glob("small_*.h5"))) == 4
    told = []
    again = simulate_grid(recipe, tmp_path, 1, on_progress=told.append, p_slow=(0.006, 0.06), p_fast=(0.35, 0.7))
    assert np.array_equal(again.diffusivity_cm2_s, grid.diffusivity_cm2_s)
    assert told == []


def test_what_makes_no_grid_is_refused() -> None:
    with pytest.raises(InputError, match="one alpha and at least two values of tau_pulse.*there are 1, 1, 5 and 5"):
        simulate_grid(small())
    with pytest.raises(InputError, match="p_slow of 0.3 is larger than p_fast of 0.2 in the same grid"):
        simulate_grid(small(tau_pulse_ns=("0.4 us", "50 ns")), p_slow=(0.1, 0.3), p_fast=(0.2, 0.7))

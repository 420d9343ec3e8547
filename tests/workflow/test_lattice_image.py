"""Counts of the lattice as a microscope would take them: geometry, budget, timing, and D through the same analysis."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.kmc.recipes import paper
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.analysis.result import Result
from tplm_daq.errors import FitError
from tplm_daq.kmc.observe import observe
from tplm_daq.kmc.simulate import Condition, Simulated
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.recipes.kmc import Lattice
from tplm_daq.workflow.lattice_image import lattice_image, simulate_light

PSF_FWHM_NM, PSF_NM, SPOT_NM = 312.0, 132.5, 106.2
CENTRE_NM, T0_NS, LEVEL, N_PHOTONS = 50.0, 1.0, 0.5, 2_000_000
X_NM = np.linspace(-1000.0, 1000.0, 41)
DELAY_NS = np.arange(0.0, 10.0, 0.016)


@pytest.fixture(scope="module")
def uniform() -> Simulated:
    """Light of a lattice on which every site is fast: excitons that walk at random with 0.175 cm2/s."""
    return simulate_light(paper(n_pulses=200, lattice=Lattice(p_slow=0.7)), Condition(1.0, 400.0))


@pytest.fixture(scope="module")
def measured() -> TimePositionMap:
    """A run of which only the frame and the number of photons matter: a Gaussian spot that stays as it is."""
    profile = np.exp(-((X_NM - CENTRE_NM) ** 2) / (2 * 230.0**2))
    decay = np.where(DELAY_NS > T0_NS, np.exp(-(DELAY_NS - T0_NS) / 2.5), 0.0)
    light = profile[:, None] * decay
    counts = np.random.default_rng(1).poisson(N_PHOTONS * light / light.sum() + LEVEL)
    return TimePositionMap(counts, X_NM, np.zeros(41), DELAY_NS, repetition_rate_hz=2.5e6, response_fwhm_ns=0.08)


@pytest.fixture(scope="module")
def found(measured: TimePositionMap) -> Result:
    return replace(analyse(measured, AnalysisRecipe(method="poisson")), centre_nm=CENTRE_NM, t0_ns=T0_NS)


def image(simulated: Simulated, measured: TimePositionMap, found: Result, seed: int = 2) -> TimePositionMap:
    return lattice_image(simulated, 10.0, measured, found, PSF_FWHM_NM, np.random.default_rng(seed))


def test_on_a_uniform_lattice_the_analysis_finds_the_diffusivity_per_axis(
    uniform: Simulated, measured: TimePositionMap, found: Result
) -> None:
    result = analyse(image(uniform, measured, found), AnalysisRecipe(method="poisson", window_ns="1 ns"))
    lattice = observe(uniform, paper(n_pulses=200))
    # Of the lattice's own error nothing is seen: both come from the same excitons. 2 %: the few that leave the cut.
    error = np.hypot(result.standard_error_cm2_s, 0.02 * lattice.d_sim_cm2_s)
    assert abs(result.diffusivity_cm2_s - lattice.d_sim_cm2_s) < 4 * error
    assert lattice.d_sim_cm2_s == pytest.approx(0.175, rel=0.05)
    assert result.sigma0_nm == pytest.approx(np.hypot(SPOT_NM, PSF_NM), rel=0.02)
    assert result.centre_nm == pytest.approx(CENTRE_NM, abs=3.0)
    assert result.lifetime_ns == pytest.approx(2.5, rel=0.1)


def test_the_photons_of_the_run_are_spent_within_the_lattices_time(
    uniform: Simulated, measured: TimePositionMap, found: Result
) -> None:
    drawn = image(uniform, measured, found)
    n_bins = len(drawn.delay_ns)
    assert np.array_equal(drawn.delay_ns, measured.delay_ns[:n_bins])
    assert T0_NS + 5.0 - 0.25 < drawn.delay_ns[-1] < T0_NS + 5.0
    n = measured.counts[:, :n_bins].sum()
    assert abs(drawn.counts.sum() - n) < 4.5 * np.sqrt(n)
    before = drawn.counts[:, drawn.delay_ns < T0_NS - 0.3]
    level = found.background_counts_per_bin
    assert abs(before.mean() - level) < 4.5 * np.sqrt(level / before.size)


def test_the_seed_draws_the_counts(uniform: Simulated, measured: TimePositionMap, found: Result) -> None:
    first, same, other = (image(uniform, measured, found, seed).counts for seed in (2, 2, 3))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_positions_that_were_watched_longer_have_more_light(
    uniform: Simulated, measured: TimePositionMap, found: Result
) -> None:
    dwell_s = np.where(X_NM > CENTRE_NM, 30.0, 10.0)
    counts = image(uniform, replace(measured, dwell_s=dwell_s), found).counts.sum(axis=1) / dwell_s
    near = np.abs(X_NM - CENTRE_NM) < 360
    assert counts[near] == pytest.approx(counts[near][::-1], rel=0.05)


def test_what_cannot_be_imaged_is_refused(uniform: Simulated, measured: TimePositionMap, found: Result) -> None:
    blind = replace(uniform, density=np.zeros((len(uniform.time_ns), 0, 0), np.uint32))
    with pytest.raises(FitError, match="without density maps; use simulate_light"):
        image(blind, measured, found)
    with pytest.raises(FitError, match="recorded for 5 ns, in which the run has no light.*recording.span"):
        image(uniform, measured, replace(found, t0_ns=-20.0))

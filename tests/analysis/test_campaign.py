"""Bias, spread and coverage of the default method over many drawn scans, dead time photon by photon.

A test of n scans allows four standard errors of the quantity it looks at.
"""

from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.synthetic import Scene, as_map, drawn, expected_counts, photon_by_photon, photons_per_pulse
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.recipes.analysis import AnalysisRecipe, Corrections

RIG = Scene()
"""The simulated rig: 20 kcps at the centre, 2.5 MHz, 95 ns dead time, wrapped tail, 16 ps bins over 60 ns."""

QUICK = Scene(bin_width_ns=0.05, span_ns=12.0)
DIM = replace(QUICK, peak_cps=300.0, diffusivity_cm2_s=0.03)


def deviations(scene, n, first_seed=0):
    """(D - truth) / standard error of n scans, and the sigma0, centre and lifetime of each."""
    expected, found = expected_counts(scene), []
    for seed in range(first_seed, first_seed + n):
        result = analyse(drawn(scene, seed, expected), AnalysisRecipe())
        found.append(
            (
                (result.diffusivity_cm2_s - scene.diffusivity_cm2_s) / result.standard_error_cm2_s,
                (result.sigma0_nm - scene.sigma0_nm) / result.sigma0_error_nm,
                result.centre_nm - scene.centre_nm,
                result.lifetime_ns,
            )
        )
    return np.array(found).T


def assert_standard_normal(z):
    n = len(z)
    assert abs(z.mean()) < 4 / np.sqrt(n)
    assert abs(z.std(ddof=1) - 1) < 4 / np.sqrt(2 * n)
    assert abs(np.mean(np.abs(z) < 1.96) - 0.95) < 4 * np.sqrt(0.95 * 0.05 / n)


@pytest.mark.parametrize("scene", [QUICK, DIM], ids=["bright", "dim"])
def test_sixty_scans_scatter_as_their_errors_say(scene):
    z, z_sigma0, centre_nm, lifetime_ns = deviations(scene, 60)
    assert_standard_normal(z)
    assert_standard_normal(z_sigma0)
    assert abs(centre_nm.mean()) < 4 * centre_nm.std(ddof=1) / np.sqrt(60)
    assert lifetime_ns.mean() == pytest.approx(2.0, rel=0.01)


def test_dead_time_photon_by_photon_does_not_shift_the_diffusivity():
    """The same photons with and without dead time; only those that are lost differ."""
    scene = replace(QUICK, peak_cps=200e3, dwell_s=1.0)
    arrived, recorded = photon_by_photon(scene, seed=1, incident=photons_per_pulse(scene))
    without = analyse(as_map(scene, arrived, dead_time_ns=1e-6), AnalysisRecipe())
    corrected = analyse(as_map(scene, recorded), AnalysisRecipe())
    ignored = analyse(as_map(scene, recorded), AnalysisRecipe(corrections=Corrections(dead_time=False)))
    lost = 1 - recorded.sum() / arrived.sum()
    spread = np.sqrt(lost) * without.standard_error_cm2_s
    assert lost > 0.02
    assert abs(corrected.diffusivity_cm2_s - without.diffusivity_cm2_s) < 4 * spread
    assert ignored.diffusivity_cm2_s - without.diffusivity_cm2_s > 4 * spread


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_thousand_scans_of_the_simulated_rig_cover_the_truth():
    z = deviations(RIG, 1000)[0]
    assert_standard_normal(z)
    assert abs(z.mean()) < 0.2
    assert 0.93 < np.mean(np.abs(z) < 1.96) < 0.97


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("diffusivity_cm2_s", [0.01, 0.15])
@pytest.mark.parametrize("peak_cps", [100.0, 1e3, 20e3])
def test_three_hundred_scans_at_other_rates_and_diffusivities(peak_cps, diffusivity_cm2_s):
    assert_standard_normal(deviations(replace(QUICK, peak_cps=peak_cps, diffusivity_cm2_s=diffusivity_cm2_s), 300)[0])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_pile_up_at_20_kcps_biases_by_less_than_a_thousandth():
    differences = []
    incident = photons_per_pulse(replace(QUICK, peak_cps=20e3))
    for seed in range(20):
        arrived, recorded = photon_by_photon(QUICK, seed, incident)
        without = analyse(as_map(QUICK, arrived, dead_time_ns=1e-6), AnalysisRecipe())
        corrected = analyse(as_map(QUICK, recorded), AnalysisRecipe())
        differences.append(corrected.diffusivity_cm2_s / without.diffusivity_cm2_s - 1)
    mean, error = np.mean(differences), np.std(differences, ddof=1) / np.sqrt(20)
    assert error < 3e-4
    assert abs(mean) < 1e-3
    assert abs(mean) < 4 * error

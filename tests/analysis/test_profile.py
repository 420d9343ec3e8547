"""Least-squares Gaussians against scipy, and in bins that hold nothing."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from tplm_daq.analysis.amplitudes import best_amplitudes
from tplm_daq.analysis.profile import fit_gaussians
from tplm_daq.analysis.shapes import GaussianSpot
from tplm_daq.analysis.spot import fit_broadening, rough_spot

X_NM = np.linspace(-1000.0, 1000.0, 41)
LIMITS_NM2 = (400.0, 1e8)


def gaussian(x_nm, height, centre_nm, variance_nm2):
    return height * np.exp(-((x_nm - centre_nm) ** 2) / (2 * variance_nm2))


def derivatives(x_nm, height, centre_nm, variance_nm2):
    shape, offset_nm = gaussian(x_nm, 1.0, centre_nm, variance_nm2), x_nm - centre_nm
    by_centre = height * shape * offset_nm / variance_nm2
    return np.stack([shape, by_centre, 0.5 * by_centre * offset_nm / variance_nm2], axis=1)


@pytest.mark.parametrize("peak", [30.0, 600.0, 2e4])
def test_variances_equal_those_of_curve_fit(peak):
    rng = np.random.default_rng(0)
    variance_nm2 = np.linspace(6e4, 1e5, 25)
    counts = rng.poisson(gaussian(X_NM[:, None], peak, 40.0, variance_nm2)).astype(float)
    ours = fit_gaussians(X_NM, counts).variance_nm2
    exact = {"p0": [peak, 0.0, 7e4], "jac": derivatives, "xtol": 1e-12, "ftol": 1e-12}
    theirs = [curve_fit(gaussian, X_NM, profile, **exact)[0][2] for profile in counts.T]
    assert ours == pytest.approx(theirs, rel=1e-6)


def test_uneven_positions_are_fine():
    x_nm = np.sort(np.random.default_rng(1).uniform(-800.0, 900.0, 15))
    fits = fit_gaussians(x_nm, gaussian(x_nm[:, None], np.array([10.0, 3.0]), -55.0, np.array([5e4, 9e4])))
    assert fits.height == pytest.approx([10.0, 3.0])
    assert fits.centre_nm == pytest.approx([-55.0, -55.0], abs=1e-6)
    assert fits.variance_nm2 == pytest.approx([5e4, 9e4])
    assert fits.model(x_nm)[:, 1] == pytest.approx(gaussian(x_nm, 3.0, -55.0, 9e4))


def test_a_bin_without_a_spot_is_not_a_number():
    profiles = np.stack([gaussian(X_NM, 50.0, 0.0, 6e4), np.zeros(41), -gaussian(X_NM, 50.0, 0.0, 6e4)], axis=1)
    variance_nm2 = fit_gaussians(X_NM, profiles).variance_nm2
    assert variance_nm2[0] == pytest.approx(6e4)
    assert np.isnan(variance_nm2[1:]).all()


@pytest.mark.parametrize("level", [0.3, 5.0])
def test_noise_never_gives_a_spot_wider_than_three_ranges(level):
    noise = np.random.default_rng(2).poisson(level, (41, 200)).astype(float)
    fits = fit_gaussians(X_NM, noise)
    found = np.isfinite(fits.variance_nm2)
    assert np.all(fits.variance_nm2[found] < (3 * 2000.0) ** 2)
    assert np.all(np.isfinite(fits.centre_nm) == found)


def test_the_guess_is_near_even_if_only_half_of_the_spot_is_seen():
    x_nm = X_NM[:24]
    centre_nm, variance_nm2 = rough_spot(x_nm, gaussian(x_nm, 1e4, 60.0, 6e4), 0.0)
    assert centre_nm == pytest.approx(60.0, abs=1.0)
    assert variance_nm2 == pytest.approx(6e4, rel=0.01)


def test_the_guess_without_a_maximum_is_the_brightest_position():
    centre_nm, variance_nm2 = rough_spot(X_NM, (X_NM / 1000.0) ** 2, 101.0)
    assert centre_nm in (-1000.0, 1000.0)
    assert 0 < variance_nm2 < 1e6


def test_amplitudes_maximise_the_likelihood():
    rng = np.random.default_rng(3)
    profile, background = rng.uniform(0.1, 1.0, (12, 30)), rng.uniform(0.01, 2.0, (12, 30))
    counts = rng.poisson(profile * np.geomspace(0.05, 50.0, 30) + background)
    amplitude = best_amplitudes(counts, profile, background)
    slope = (profile * (counts / (amplitude * profile + background) - 1)).sum(axis=0)
    assert np.all(np.abs(slope[amplitude > 0]) < 1e-6 * profile.sum(axis=0)[amplitude > 0])
    assert np.all(slope[amplitude == 0] <= 0)
    assert (amplitude == 0).any()


def test_variances_of_single_bins_have_the_errors_they_claim():
    rng = np.random.default_rng(4)
    n = 300
    profile = gaussian(X_NM[:, None], 1.0, 0.0, np.full(n, 7e4))
    background = np.full((41, n), 0.5)
    counts = rng.poisson(100.0 * profile + background)
    shape, parameters = GaussianSpot(X_NM, 1.0), np.array([0.0, 6e4, 0.0, 0.0, 0.0, 0.0])
    grown_nm2, error_nm2 = fit_broadening(
        counts, np.ones((41, n)), background, shape, parameters, np.zeros(n), LIMITS_NM2
    )
    deviation = (grown_nm2 - 1e4) / error_nm2
    assert abs(deviation.mean()) < 4 / np.sqrt(n)
    assert abs(deviation.std() - 1) < 4 / np.sqrt(2 * n)


def test_bins_without_counts_have_no_variance():
    shape, parameters = GaussianSpot(X_NM, 101.0), np.array([0.0, 6e4, 0.0, 0.0, 0.0, 0.0])
    empty, level = np.zeros((41, 2)), np.full((41, 2), 0.5)
    grown_nm2, error_nm2 = fit_broadening(empty, np.ones((41, 2)), level, shape, parameters, np.zeros(2), LIMITS_NM2)
    assert np.isnan(grown_nm2).all()
    assert np.isnan(error_nm2).all()

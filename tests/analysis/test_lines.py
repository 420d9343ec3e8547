"""The methods `paper` and `lsq` on data with known answers."""

import numpy as np
import pytest

from tests.analysis.synthetic import Scene, drawn, expected_counts
from tplm_daq.analysis.binning import bin_for_fit
from tplm_daq.analysis.checks import checked_scan
from tplm_daq.analysis.lines import fit_lsq, fit_paper, neighbour_sd
from tplm_daq.errors import FitError
from tplm_daq.photons.histogram import TimePositionMap

X_NM = np.linspace(-1000.0, 1000.0, 41)
SCENE = Scene(dead_time_ns=None, bin_width_ns=0.016, span_ns=10.0, dark_cps=500.0)


def known_map(diffusivity_cm2_s, zero_nm2=7e4, wiggle_nm2=0.0):
    """Noise-free Gaussian profiles, no background, sharp response, t0 on a bin edge at 1 ns."""
    delay_ns = 0.01 + 0.02 * np.arange(250.0)
    age_ns = np.maximum(delay_ns - 1.0, 0.0)
    variance_nm2 = zero_nm2 + 2e5 * diffusivity_cm2_s * age_ns + wiggle_nm2 * np.cos(np.pi * np.arange(250))
    light = np.where(delay_ns > 1.0, 1e6 * np.exp(-age_ns / 2.0), 0.0)
    counts = light * np.exp(-(X_NM[:, None] ** 2) / (2 * variance_nm2))
    data = TimePositionMap(counts, X_NM, np.zeros(41), delay_ns, t0_ns=1.0, response_fwhm_ns=0.02)
    return bin_for_fit(checked_scan(data), window_ns=3.0, bin_width_ns=0.02)


@pytest.mark.parametrize("diffusivity_cm2_s", [0.0, 0.03, 0.15])
def test_paper_with_the_first_bin_finds_the_slope_through_the_first_point(diffusivity_cm2_s):
    """The first bin is 10 ps old, so a line through the origin is 10 ps short of the spreading everywhere."""
    fit = fit_paper(known_map(diffusivity_cm2_s), "first_bin")
    assert fit.diffusivity_nm2_ns / 1e5 == pytest.approx(diffusivity_cm2_s, rel=0.01, abs=1e-9)
    assert fit.variance_nm2 == pytest.approx(7e4 + 2e5 * diffusivity_cm2_s * 0.01 - 101.0**2 / 12)
    assert fit.msd_nm2[0] == 0.0


def test_paper_with_the_first_100_ps_subtracts_their_mean():
    fit = fit_paper(known_map(0.05), "first_100ps")
    assert fit.variance_nm2 == pytest.approx(7e4 + 2e5 * 0.05 * 0.05 - 101.0**2 / 12)
    assert np.sum(fit.msd_nm2[fit.time_ns < 0.1]) == pytest.approx(0.0, abs=1e-3)


def test_paper_weighs_with_the_scatter_of_neighbours_and_goes_through_the_origin():
    fit = fit_paper(known_map(0.05, wiggle_nm2=300.0), "first_100ps")
    x, y, sd = fit.time_ns, fit.msd_nm2, neighbour_sd(fit.msd_nm2)
    slope = np.sum(x * y / sd**2) / np.sum(x**2 / sd**2)
    assert fit.msd_error_nm2 == pytest.approx(sd)
    assert fit.diffusivity_nm2_ns == pytest.approx(slope / 2)
    residual = (y - slope * x) / sd
    error = np.sqrt(np.sum(residual**2) / (len(x) - 1) / np.sum((x / sd) ** 2))
    assert fit.error_nm2_ns == pytest.approx(error / 2)
    assert fit.half_interval_nm2_ns / fit.error_nm2_ns == pytest.approx(1.976, abs=0.002)


def test_the_scatter_of_neighbours_is_that_of_25_points():
    values = np.random.default_rng(0).normal(size=100)
    assert neighbour_sd(values)[50] == pytest.approx(values[38:63].std(ddof=1))
    assert neighbour_sd(values)[0] == pytest.approx(values[:13].std(ddof=1))


@pytest.mark.parametrize("diffusivity_cm2_s", [0.0, 0.03, 0.15])
def test_lsq_finds_slope_and_intercept(diffusivity_cm2_s):
    fit = fit_lsq(known_map(diffusivity_cm2_s))
    assert fit.diffusivity_nm2_ns / 1e5 == pytest.approx(diffusivity_cm2_s, rel=1e-3, abs=1e-9)
    assert fit.variance_nm2 == pytest.approx(7e4 - 101.0**2 / 12, rel=1e-3)


def test_lsq_is_not_biased_by_background():
    expected = expected_counts(SCENE)
    fits = []
    for seed in range(20):
        binned = bin_for_fit(checked_scan(drawn(SCENE, seed, expected)), window_ns=3.0, bin_width_ns=0.05)
        fits.append(fit_lsq(binned))
    d = np.array([fit.diffusivity_nm2_ns for fit in fits]) / 1e5
    error = np.array([fit.error_nm2_ns for fit in fits]) / 1e5
    assert abs(d.mean() - 0.07) < 4 * error.mean() / np.sqrt(20)
    assert d.std(ddof=1) == pytest.approx(error.mean(), rel=4 / np.sqrt(2 * 20))


def test_too_few_photons_for_single_bins_say_what_else_to_do():
    scene = Scene(**{**vars(SCENE), "peak_cps": 2.0, "dark_cps": 0.0})
    binned = bin_for_fit(checked_scan(drawn(scene, seed=1)), window_ns=3.0, bin_width_ns=0.016)
    with pytest.raises(FitError, match=r"in only \d+ of \d+ delay bins. Measure longer, or use the method poisson"):
        fit_paper(binned, "first_bin")


def test_a_spot_narrower_than_the_pixel_is_refused():
    binned = known_map(0.0, zero_nm2=700.0)
    with pytest.raises(FitError, match="is less than that of the pixel alone, 850 nm"):
        fit_lsq(binned)

"""Spots drawn photon by photon, with known place, shape and background."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tplm_daq.analysis.gaussian_spot import fit_line, fit_raster
from tplm_daq.errors import FitError

FloatArray = NDArray[np.float64]
PIXEL_NM = 101.0
N_FITS = 200


def raster(half_width_nm: float, n_positions: int) -> FloatArray:
    along_nm = np.linspace(-half_width_nm, half_width_nm, n_positions)
    return np.array([(x_nm, y_nm) for y_nm in along_nm for x_nm in along_nm])


def spot_matrix(long_nm: float, short_nm: float, tilt_deg: float) -> FloatArray:
    angle = np.radians(tilt_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(turn @ np.diag([long_nm**2, short_nm**2]) @ turn.T)


def photons(
    generator: np.random.Generator,
    position_nm: FloatArray,
    centre_nm: FloatArray,
    matrix_nm2: FloatArray,
    dwell_s: float,
    peak_cps: float = 20e3,
) -> tuple[FloatArray, FloatArray]:
    """Count on pixels, each averaged over 7 x 7 places within it; return counts and dwell."""
    places_nm = PIXEL_NM * (np.arange(7) - 3.0) / 7.0
    rates = np.zeros(len(position_nm))
    inverse = np.linalg.inv(matrix_nm2)
    for dx_nm in places_nm:
        for dy_nm in places_nm:
            off_nm = position_nm + [dx_nm, dy_nm] - centre_nm
            rates += np.exp(-0.5 * np.einsum("ij,jk,ik->i", off_nm, inverse, off_nm)) / 49
    counts = generator.poisson(dwell_s * (peak_cps * rates + 50.0)).astype(np.float64)
    return counts, np.full(len(counts), dwell_s)


def test_place_and_shape_scatter_around_the_truth_as_their_errors_say() -> None:
    generator = np.random.default_rng(3)
    matrix_nm2 = spot_matrix(280.0, 240.0, 30.0)
    position_nm = raster(700.0, 11)
    pulls = []
    for _ in range(N_FITS):
        centre_nm = generator.uniform(-100.0, 100.0, 2)
        spot = fit_raster(position_nm, *photons(generator, position_nm, centre_nm, matrix_nm2, 0.3), (PIXEL_NM,) * 2)
        pulls.append(
            [
                (spot.centre_nm[0] - centre_nm[0]) / spot.centre_error_nm[0],
                (spot.centre_nm[1] - centre_nm[1]) / spot.centre_error_nm[1],
                (spot.variance_nm2 - 0.5 * (280.0**2 + 240.0**2)) / spot.variance_error_nm2,
                (spot.ellipticity - (280.0 / 240.0 - 1.0)) / spot.ellipticity_error,
                (spot.tilt_deg - 30.0) / spot.tilt_error_deg,
            ]
        )
    np.testing.assert_allclose(np.mean(pulls, axis=0), 0.0, atol=5 / np.sqrt(N_FITS))
    np.testing.assert_allclose(np.std(pulls, axis=0), 1.0, atol=5 / np.sqrt(2 * N_FITS))


def test_a_coarse_raster_finds_a_spot_anywhere_in_it() -> None:
    generator = np.random.default_rng(4)
    position_nm = raster(2000.0, 13)
    for _ in range(50):
        centre_nm = generator.uniform(-1800.0, 1800.0, 2)
        light = photons(generator, position_nm, centre_nm, spot_matrix(250.0, 250.0, 0.0), 0.05)
        spot = fit_raster(position_nm, *light, (PIXEL_NM,) * 2)
        assert spot.centre_nm == pytest.approx(centre_nm, abs=6 * max(spot.centre_error_nm))


def test_a_line_gives_centre_and_width_without_the_pixel() -> None:
    generator = np.random.default_rng(5)
    x_nm = np.linspace(-1000.0, 1000.0, 15)
    position_nm = np.column_stack([x_nm, np.zeros(15)])
    light = photons(generator, position_nm, np.array([120.0, 0.0]), spot_matrix(250.0, 250.0, 0.0), 5.0)
    spot = fit_line(x_nm, *light, PIXEL_NM)
    assert spot.centre_nm[0] == pytest.approx(120.0, abs=5 * spot.centre_error_nm[0])
    assert spot.centre_error_nm[0] < 2.0
    assert spot.variance_nm2 == pytest.approx(250.0**2, abs=5 * spot.variance_error_nm2)
    assert spot.sigma_nm == pytest.approx(250.0, abs=5)
    assert spot.background_cps == pytest.approx(50.0, abs=25)


@pytest.mark.parametrize(
    ("centre_nm", "peak_cps", "says"),
    [
        ((1500.0, 0.0), 20e3, r"no spot found within -1000 to 1000 nm and -1000 to 1000 nm: rates run from"),
        ((0.0, 0.0), 0.0, r"no spot found within .* look elsewhere \(centre\), further \(half_width\) or longer"),
    ],
)
def test_a_spot_out_of_reach_or_too_dim_is_not_invented(
    centre_nm: tuple[float, float], peak_cps: float, says: str
) -> None:
    position_nm = raster(1000.0, 9)
    matrix_nm2 = spot_matrix(250.0, 250.0, 0.0)
    for seed in range(10):
        light = photons(
            np.random.default_rng(seed), position_nm, np.array(centre_nm), matrix_nm2, 0.1, peak_cps=peak_cps
        )
        with pytest.raises(FitError, match=says):
            fit_raster(position_nm, *light, (PIXEL_NM,) * 2)


def test_no_light_at_all_says_so() -> None:
    with pytest.raises(FitError, match=r"no spot: all positions have the same 0 counts/s"):
        fit_line(np.linspace(-1.0, 1.0, 9), np.zeros(9), np.ones(9), 0.0)

"""Spots that are not Gaussian, maps, and what `auto` makes of them."""

import functools
from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.synthetic import NODES, WEIGHTS, Scene, drawn, expected_counts
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.errors import FitError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.recipes.analysis import AnalysisRecipe, Corrections

PLAIN = Scene(dead_time_ns=None, has_wrapped_tail=False, bin_width_ns=0.05, span_ns=12.0, sigma0_nm=212.0)


class Halo(Scene):
    """A round spot with a second one, 2.5 times as wide and a tenth as high, around it."""

    def collected(self, age_ns):
        def round_spot(start_nm, height):
            sigma_nm = np.sqrt(start_nm**2 + self.variance_nm2(age_ns) - self.sigma0_nm**2)

            def pixel(position_nm):
                points_nm = position_nm[:, None, None] + 0.5 * self.pixel_nm * NODES
                return np.exp(-0.5 * (points_nm / sigma_nm[None, :, None]) ** 2) @ WEIGHTS

            across = self.across(pixel, start_nm, sigma_nm)
            return height * across * pixel(self.position_nm - self.centre_nm)

        return self.light(age_ns) * (round_spot(self.sigma0_nm, 1.0) + round_spot(2.5 * self.sigma0_nm, 0.1))

    def across(self, pixel, start_nm, sigma_nm):
        """Light that stays on the line y = 0 as the spot spreads."""
        return (start_nm / sigma_nm) ** 2 * pixel(np.zeros(1))


class Ridge(Halo):
    """The same profile along x, of one width along y."""

    def across(self, pixel, start_nm, sigma_nm):
        return start_nm / sigma_nm


@pytest.mark.parametrize("diffusivity_cm2_s", [0.01, 0.05, 0.15])
def test_auto_sees_a_halo_and_is_not_biased_by_it(diffusivity_cm2_s):
    scene = Halo(**{**vars(PLAIN), "diffusivity_cm2_s": diffusivity_cm2_s})
    expected = expected_counts(scene)
    results = [analyse(drawn(scene, seed, expected), AnalysisRecipe()) for seed in range(3)]
    gaussian = analyse(drawn(scene, 0, expected), AnalysisRecipe(method="poisson"))
    assert {result.start_profile for result in results} == {"two Gaussians"}
    assert "A Gaussian spot misses the counts of the positions by" in " ".join(results[0].warnings)
    assert results[0].bias_lamp == "amber"
    z = [(result.diffusivity_cm2_s - diffusivity_cm2_s) / result.standard_error_cm2_s for result in results]
    assert max(np.abs(z)) < 4
    assert gaussian.diffusivity_cm2_s > 1.05 * diffusivity_cm2_s
    assert gaussian.bias_lamp == "red"


@pytest.mark.parametrize("diffusivity_cm2_s", [0.05, 0.15])
def test_auto_takes_the_convolution_where_two_round_spots_do_not_fit(diffusivity_cm2_s):
    scene = Ridge(**{**vars(PLAIN), "diffusivity_cm2_s": diffusivity_cm2_s})
    result = analyse(drawn(scene, 1), AnalysisRecipe())
    assert (result.method, result.start_profile) == ("convolution", "any shape")
    assert abs(result.diffusivity_cm2_s - diffusivity_cm2_s) < 4 * result.standard_error_cm2_s


class TwoSpots(Scene):
    """Two spots side by side, of unequal height."""

    def collected(self, age_ns):
        left = replace(PLAIN, **{**vars(self), "centre_nm": -220.0}).collected(age_ns)
        return left + 0.5 * replace(PLAIN, **{**vars(self), "centre_nm": 260.0}).collected(age_ns)


def test_the_convolution_does_not_mind_a_structured_spot():
    scene = TwoSpots(**{**vars(PLAIN), "position_nm": np.linspace(-1500.0, 1500.0, 61)})
    result = analyse(drawn(scene, 2), AnalysisRecipe())
    assert result.method == "convolution"
    assert abs(result.diffusivity_cm2_s - 0.07) < 4 * result.standard_error_cm2_s


def test_on_a_gaussian_spot_all_shapes_agree_and_auto_stays_with_it():
    data = drawn(PLAIN, 5)
    gaussian = analyse(data, AnalysisRecipe())
    assert (gaussian.method, gaussian.start_profile) == ("poisson", "Gaussian")
    for recipe in (AnalysisRecipe(method="convolution"), AnalysisRecipe(start_profile="two_gaussians")):
        other = analyse(data, recipe)
        assert abs(other.diffusivity_cm2_s - gaussian.diffusivity_cm2_s) < gaussian.standard_error_cm2_s
        assert other.standard_error_cm2_s < 1.15 * gaussian.standard_error_cm2_s
        assert other.sigma0_nm == pytest.approx(212.0, rel=0.02)


GRID_NM = np.linspace(-800.0, 800.0, 17)
CENTRE_NM, COVARIANCE_NM2 = np.array([40.0, -60.0]), np.array([[300.0**2, 1.5e4], [1.5e4, 220.0**2]])


def raster(seed, diffusivity_cm2_s=0.05, peak=600.0, level=2.0, jitter_nm=0.0):
    """A map of an elliptical spot, sharp response, Gauss-Legendre average over the pixel; bins of 50 ps, t0 at 2 ns."""
    rng = np.random.default_rng(seed)
    x_nm, y_nm = (axis.ravel() for axis in np.meshgrid(GRID_NM, GRID_NM))
    x_nm, y_nm = x_nm + rng.normal(0, jitter_nm, 289), y_nm + rng.normal(0, jitter_nm, 289)
    light = raster_light(tuple(x_nm), tuple(y_nm), diffusivity_cm2_s)
    drawn_counts = rng.poisson(level + peak * light)
    delay_ns = 0.025 + 0.05 * np.arange(160)
    return TimePositionMap(
        drawn_counts, x_nm, y_nm, delay_ns, np.full(289, 1.0), 2.5e6, t0_ns=2.0, response_fwhm_ns=0.02
    )


@functools.cache
def raster_light(x_nm, y_nm, diffusivity_cm2_s):
    """Light of the elliptical spot at these positions in every bin, for a peak of one."""
    delay_ns = 0.025 + 0.05 * np.arange(160)
    found = np.zeros((289, 160))
    for place in np.flatnonzero(delay_ns > 2.0):
        age_ns = delay_ns[place] - 2.0
        spread = COVARIANCE_NM2 + 2e5 * diffusivity_cm2_s * age_ns * np.eye(2)
        inverse = np.linalg.inv(spread)
        for node_x, weight_x in zip(NODES, WEIGHTS, strict=True):
            for node_y, weight_y in zip(NODES, WEIGHTS, strict=True):
                d = np.stack([x_nm, y_nm]) + [[50.5 * node_x], [50.5 * node_y]] - CENTRE_NM[:, None]
                light = np.exp(-0.5 * np.einsum("ip,ij,jp->p", d, inverse, d)) / np.sqrt(np.linalg.det(spread))
                found[:, place] += 6e4 * np.exp(-age_ns / 2.0) * 0.25 * weight_x * weight_y * light
    return found


@pytest.mark.parametrize("jitter_nm", [0.0, 15.0])
def test_a_map_gives_diffusivity_centre_and_both_widths_of_an_elliptical_spot(jitter_nm):
    result = analyse(raster(1, jitter_nm=jitter_nm), AnalysisRecipe())
    assert (result.axis, result.method, result.start_profile) == ("xy", "poisson", "elliptical Gaussian")
    assert abs(result.diffusivity_cm2_s - 0.05) < 4 * result.standard_error_cm2_s
    assert result.standard_error_cm2_s < 0.02 * 0.05
    assert result.centre_xy_nm == pytest.approx(CENTRE_NM, abs=2.0)
    assert result.sigma0_xy_nm == pytest.approx([300.0, 220.0], rel=0.01)
    assert result.lifetime_ns == pytest.approx(2.0, rel=0.02)
    assert len(result.early.position_nm) == len(result.early.counts) <= 20
    assert result.to_dict()["centre_xy_nm"] == list(result.centre_xy_nm)


def test_the_errors_of_maps_are_those_of_their_scatter():
    results = [analyse(raster(seed, peak=60.0), AnalysisRecipe()) for seed in range(16)]
    z = np.array([(result.diffusivity_cm2_s - 0.05) / result.standard_error_cm2_s for result in results])
    assert abs(z.mean()) < 4 / np.sqrt(16)
    assert abs(z.std(ddof=1) - 1) < 4 / np.sqrt(2 * 16)


OTHER_SHAPES = [
    pytest.param({"start_profile": "two_gaussians"}, "two Gaussians", id="two_gaussians"),
    pytest.param({"method": "convolution"}, "any shape", id="convolution", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("changes", "start_profile"), OTHER_SHAPES)
def test_on_a_map_other_shapes_agree_with_the_ellipse(changes, start_profile):
    data = raster(1)
    ellipse, other = analyse(data, AnalysisRecipe()), analyse(data, AnalysisRecipe(**changes))
    assert other.start_profile == start_profile
    assert abs(other.diffusivity_cm2_s - ellipse.diffusivity_cm2_s) < ellipse.standard_error_cm2_s
    assert other.standard_error_cm2_s < 1.15 * ellipse.standard_error_cm2_s
    assert other.centre_xy_nm == pytest.approx(CENTRE_NM, abs=3.0)
    assert other.sigma0_xy_nm == pytest.approx([300.0, 220.0], rel=0.02)


@pytest.mark.parametrize("method", ["lsq", "paper"])
def test_straight_lines_are_refused_on_maps(method):
    with pytest.raises(FitError, match=f"The method {method} needs a line along x or y"):
        analyse(raster(1), AnalysisRecipe(method=method))


SWITCHES = {
    "dead_time": (replace(PLAIN, dead_time_ns=95.0, peak_cps=100e3), "dead time"),
    "wrap_around": (replace(PLAIN, has_wrapped_tail=True, repetition_rate_hz=4e7), "tail of earlier pulses"),
    "background_prior": (replace(PLAIN, has_wrapped_tail=True, repetition_rate_hz=4e7), "tail of earlier pulses"),
    "response": (replace(PLAIN, response_fwhm_ns=0.4), "mean age"),
}


@pytest.mark.parametrize(("name", "case"), SWITCHES.items(), ids=SWITCHES)
def test_each_correction_can_be_switched_off_and_matters(name, case):
    scene, text = case
    data = drawn(scene, 6)
    corrected = analyse(data, AnalysisRecipe())
    without = analyse(data, AnalysisRecipe(corrections=Corrections(**{name: False})))
    assert text in " ".join(corrected.corrections)
    assert text not in " ".join(without.corrections)
    assert abs(corrected.diffusivity_cm2_s - 0.07) < 4 * corrected.standard_error_cm2_s
    assert without.diffusivity_cm2_s != corrected.diffusivity_cm2_s

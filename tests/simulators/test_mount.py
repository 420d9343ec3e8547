"""What the stage does to the image: focus, places of the film, an emitter that is carried along."""

from __future__ import annotations

import doctest
import math

import pytest

from simulators import optics
from simulators.anc350 import ANC350
from simulators.mount import Mount
from simulators.optics import FWHM_PER_SIGMA, Microscope, OpticsSettings
from simulators.positioner import SET_OUTPUT
from simulators.sample import Conditions, Sample, SampleSettings

SPOT_NM = (-20.0, 30.0)
AT_10_NW = Conditions(average_power_nw=10.0, repetition_rate_hz=2.5e6)
SINGLE = Microscope(Sample(SampleSettings(is_single_emitter=True)))
MIDDLE_NM = 2_500_000.0


def mount(is_single_emitter: bool, defocus_nm: float = 0.0) -> Mount:
    return Mount(ANC350(), SPOT_NM, is_single_emitter, defocus_nm)


def drive(sample: Mount, axis: int, goal_nm: float) -> int:
    """Send one axis of the stage off, and return when it arrives."""
    driven = sample.stage.axes[axis]
    driven.settings[SET_OUTPUT] = 1
    driven.go(sample.stage.time_ns, goal_nm)
    return driven.drive.end_ns


def test_a_stage_that_has_not_moved_holds_the_sample_as_far_out_of_focus_as_it_was_put() -> None:
    assert mount(False).shift(0) == (0.0, 0.0, 0.0)
    assert mount(False, 800.0).shift(0).defocus_nm == -800.0
    assert mount(False, 800.0).focus_z_nm == MIDDLE_NM + 800.0


def test_the_sample_goes_where_the_stage_goes_in_the_time_it_takes() -> None:
    sample = mount(False, 800.0)
    end_ns = drive(sample, 2, MIDDLE_NM + 800.0)
    assert -800.0 < sample.shift(end_ns // 2).defocus_nm < 0.0
    assert sample.shift(end_ns).defocus_nm == 0.0


@pytest.mark.parametrize(("is_single", "centre_nm"), [(False, SPOT_NM), (True, (SPOT_NM[0] + 4000.0, SPOT_NM[1]))])
def test_the_image_of_a_film_stays_with_the_laser_and_that_of_an_emitter_goes_along(
    is_single: bool, centre_nm: tuple[float, float]
) -> None:
    sample = mount(is_single)
    shift = sample.shift(drive(sample, 0, MIDDLE_NM + 4000.0))
    assert sample.centre_nm(shift) == centre_nm
    assert sample.film_spot(shift) == ((0, 0) if is_single else (4, 0))


def test_examples_in_docstrings_are_true() -> None:
    assert doctest.testmod(optics).failed == 0


@pytest.mark.parametrize("microscope", [Microscope(), SINGLE])
def test_out_of_focus_the_same_light_lies_on_a_larger_area(microscope: Microscope) -> None:
    is_single = microscope.sample.settings.is_single_emitter
    wide_rates, rates = [], []
    everything = Microscope(microscope.sample, OpticsSettings(detector_um=1e6))
    for defocus_nm in (0.0, 1000.0):
        rates.append(microscope.emission(AT_10_NW, 0.0, 0.0, defocus_nm=defocus_nm).arrivals_cps - 50.0)
        wide_rates.append(everything.emission(AT_10_NW, 0.0, 0.0, defocus_nm=defocus_nm).arrivals_cps)
    assert wide_rates[0] == pytest.approx(wide_rates[1])
    widths_nm2 = [microscope.optics.variance_nm2(z_nm, is_single) for z_nm in (0.0, 1000.0)]
    assert 2.0 < rates[0] / rates[1] < widths_nm2[1] / widths_nm2[0], "pixel and diffusion blur both"
    assert rates[0] == pytest.approx(20_000.0)


def test_an_emitter_is_as_wide_as_the_point_spread_function_and_does_not_spread() -> None:
    truth = SINGLE.truth(AT_10_NW)
    assert truth["sigma0_nm"] == pytest.approx(SINGLE.optics.psf_fwhm_nm / FWHM_PER_SIGMA)
    assert truth["diffusivity_cm2_s"] == 0.0


def test_the_depth_of_focus_is_that_of_gaussian_beams() -> None:
    sigma_nm = SINGLE.optics.psf_fwhm_nm / FWHM_PER_SIGMA
    rayleigh_nm = 4 * math.pi * sigma_nm**2 / 520.0
    assert SINGLE.optics.variance_nm2(rayleigh_nm, is_single_emitter=True) == pytest.approx(2 * sigma_nm**2)
    assert SINGLE.optics.variance_nm2(-rayleigh_nm, is_single_emitter=True) == pytest.approx(2 * sigma_nm**2)

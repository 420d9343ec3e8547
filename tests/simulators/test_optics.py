"""The image on the detector pixel against brute-force integration, and what it says of the width."""

import doctest
import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.special import erf

from simulators import emission, optics, sample
from simulators.detection import Detection, DetectorSettings
from simulators.optics import FWHM_PER_SIGMA, Microscope, OpticsSettings
from simulators.sample import Conditions, Sample, SampleSettings, Surface

DARK = 50.0
AT_10_NW = Conditions(average_power_nw=10.0, repetition_rate_hz=2.5e6)


def brute_force(microscope: Microscope, conditions: Conditions, x_nm: float, step_ns: float):
    """Cumulative arrivals per period from the formulas, on a fine uniform grid, not normalised."""
    period_ns = 1e9 / conditions.repetition_rate_hz
    decay = microscope.sample.decay(conditions)
    slope = 2e5 * microscope.sample.diffusivity_cm2_s(conditions)
    pixel_nm = 50_000.0 / 495.0

    def light(age_ns):
        msd = slope * np.where(age_ns < 3, age_ns, 3 * (age_ns / 3) ** 0.4)
        width = np.sqrt(2 * (microscope.optics.sigma0_nm**2 + msd))
        share = [erf((place + pixel_nm / 2) / width) - erf((place - pixel_nm / 2) / width) for place in (x_nm, 0.0)]
        tail = math.exp(-3 / decay.lifetime_ns) * (np.maximum(age_ns, 3) / 3) ** -decay.tail_exponent
        return share[0] * share[1] * np.where(age_ns < 3, np.exp(-age_ns / decay.lifetime_ns), tail)

    n_step = round(period_ns / step_ns)
    age_ns = (np.arange(n_step) + 0.5) * step_ns
    density = sum(light(age_ns + pulse * period_ns) for pulse in range(10))
    coarse_ns = (np.arange(100) + 0.5) * period_ns / 100
    earlier = sum(light(coarse_ns + pulse * period_ns) for pulse in range(10, 1000))
    far = np.geomspace(1.0, 1e9, 20_001)
    for place, age in enumerate(coarse_ns):
        ages_ns = (age + 999.5 * period_ns) * far
        earlier[place] += np.trapezoid(light(ages_ns) * ages_ns, np.log(far)) / period_ns
    density = density + np.interp(age_ns, coarse_ns, earlier)
    density = np.roll(density, round(microscope.optics.t0_ns / step_ns))
    sigma_ns = microscope.optics.response_fwhm_ns / FWHM_PER_SIGMA
    density = gaussian_filter1d(density, sigma_ns / step_ns, mode="wrap", truncate=8)
    return np.arange(n_step + 1) * step_ns, np.concatenate(([0.0], np.cumsum(density) * step_ns))


@pytest.mark.parametrize("rate_hz", [40e6, 2.5e6])
@pytest.mark.parametrize("x_nm", [0.0, 700.0])
def test_arrivals_agree_with_brute_force_integration(rate_hz, x_nm):
    microscope, conditions = Microscope(), Conditions(10.0, rate_hz)
    emission = microscope.emission(conditions, x_nm, 0.0)
    grid_ns, cumulative = brute_force(microscope, conditions, x_nm, step_ns=0.004)
    expected = np.diff(np.interp(emission.edges_ns, grid_ns, cumulative))
    arrivals = np.diff(emission.cumulative) - DARK * 1e-9 * np.diff(emission.edges_ns)
    ratio = arrivals / expected * expected.sum() / arrivals.sum()
    middle_ns = (emission.edges_ns[1:] + emission.edges_ns[:-1]) / 2
    # On the steepest part of the edge the grid of the reference is the coarser of the two.
    is_edge = np.abs(middle_ns - 4.9) < 0.15
    assert ratio[~is_edge] == pytest.approx(1.0, abs=5e-4)
    assert np.abs(np.cumsum(arrivals - expected * arrivals.sum() / expected.sum())).max() < 1e-4 * arrivals.sum()


def test_light_of_earlier_pulses_is_a_power_law_at_40_mhz():
    before_edge_ns = np.array([1.0, 4.0])
    share = []
    for rate_hz in (2.5e6, 40e6):
        emission = Microscope().emission(Conditions(10.0, rate_hz), 0.0, 0.0)
        level = float(np.diff(emission.arrivals_before(before_edge_ns))[0]) - DARK * 3e-9
        share.append(level / (emission.arrivals_per_period - DARK * 1e9 / rate_hz * 1e-9))
    assert share[0] < 1e-4
    assert 0.002 < share[1] < 0.02


def test_centre_pixel_receives_20_kcps_at_10_nw_whatever_the_repetition_rate():
    for rate_hz in (31_250.0, 2.5e6, 40e6):
        emission = Microscope().emission(Conditions(10.0, rate_hz), 0.0, 0.0)
        assert emission.arrivals_cps == pytest.approx(20_000.0 + DARK)


def test_rate_is_proportional_to_power_factor_and_filter():
    conditions = Conditions(2.0, 2.5e6, transmission=0.5)
    emission = Microscope().emission(conditions, 0.0, 0.0, factor=1.1)
    assert emission.arrivals_cps - DARK == pytest.approx(20_000.0 * 0.2 * 0.5 * 1.1)


@pytest.mark.parametrize("conditions", [Conditions(0.0, 2.5e6), Conditions(10.0, 2.5e6, transmission=0.0)])
def test_without_light_only_dark_counts_are_left(conditions):
    emission = Microscope().emission(conditions, 0.0, 0.0, valid_until_ns=5)
    assert emission.arrivals_cps == pytest.approx(DARK)
    assert emission.valid_until_ns == 5


def test_profile_widens_by_2dt_per_axis():
    surface = Surface(0.05, 0.05, 6.0)
    microscope = Microscope(sample=Sample(SampleSettings(surface=surface)))
    conditions = Conditions(10.0, 31_250.0)
    x_nm = np.arange(-2500.0, 2501.0, 50.0)
    delay_ns = np.arange(5.4, 7.7, 0.2)
    slices = []
    for x in x_nm:
        emission = microscope.emission(conditions, x, 0.0)
        slices.append(np.diff(emission.arrivals_before(delay_ns)) - DARK * 0.2e-9)
    profiles = np.array(slices)
    variance = (x_nm[:, None] ** 2 * profiles).sum(axis=0) / profiles.sum(axis=0)
    slope, start = np.polyfit((delay_ns[1:] + delay_ns[:-1]) / 2 - microscope.optics.t0_ns, variance, 1)
    assert slope == pytest.approx(2 * 0.05e5, rel=2e-3)
    sigma0_nm = math.sqrt(start - (50_000 / 495) ** 2 / 12)
    assert sigma0_nm == pytest.approx(250.3, abs=0.2)


def test_cells_are_whole_ticks_of_the_counter_and_finest_at_the_edge():
    edges_ns = Microscope().emission(AT_10_NW, 0.0, 0.0).edges_ns
    assert edges_ns / 0.004 == pytest.approx(np.rint(edges_ns / 0.004), abs=1e-6)
    near = (edges_ns > 4.8) & (edges_ns < 8.0)
    assert np.diff(edges_ns[near]).max() < 0.0041


def test_anamorphic_magnification_collects_more_light():
    cylindrical = Microscope(optics=OpticsSettings(magnifications=(495.0, 50.0)))
    gain = (
        cylindrical.emission(AT_10_NW, 0.0, 0.0).arrivals_cps / Microscope().emission(AT_10_NW, 0.0, 0.0).arrivals_cps
    )
    assert 5.0 < gain < 9.0


def test_a_period_shorter_than_the_prompt_decay_is_refused():
    with pytest.raises(ValueError, match=r"period of 3 ns does not hold the prompt decay of 3 ns"):
        Microscope().emission(Conditions(10.0, 1e9 / 3), 0.0, 0.0)


def test_truth_says_what_an_analysis_should_find():
    truth = Microscope().truth(AT_10_NW, centre_nm=(12.0, -3.0))
    assert truth.pop("centre_nm") == (12.0, -3.0)
    assert truth == pytest.approx(
        {
            "diffusivity_cm2_s": 0.01 + 0.14 * math.exp(-5 / 6),
            "sigma0_nm": 250.3,
            "lifetime_ns": 2.3 - 0.8 * math.log(20) / math.log(40),
            "tail_exponent": 1.5 + 0.2 * math.log(20) / math.log(40),
            "background_cps": 50.0,
            "t0_ns": 5.0,
            "response_fwhm_ns": 0.080,
        },
        rel=1e-3,
    )


@pytest.mark.parametrize("x_nm", [0.0, 500.0])
def test_drawn_photons_follow_the_curve(x_nm):
    emission = Microscope().emission(AT_10_NW, x_nm, 0.0)
    ideal = DetectorSettings(diode_dead_ns=0.0, counter_dead_ns=0.0, afterpulse_probability=0.0)
    detection = Detection(ideal, np.random.default_rng(11))
    detection.begin(emission, 0)
    edges_ns = np.arange(0.0, 60.0, 0.048)
    counts = sum(np.histogram(photons.delay_ns, edges_ns)[0] for photons in detection.advance(40_000_000_000))
    expected = np.diff(emission.arrivals_before(edges_ns)) * 40 * 2.5e6
    kept = expected > 10
    chi2 = ((counts - expected)[kept] ** 2 / expected[kept]).sum()
    assert chi2 == pytest.approx(kept.sum(), abs=4 * math.sqrt(2 * kept.sum()))


@pytest.mark.parametrize("module", [emission, optics, sample], ids=lambda module: module.__name__)
def test_examples_in_docstrings_are_true(module):
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed

"""Published numbers of the excitation, and what they are made of."""

import numpy as np
import pytest

from tplm_daq.analysis.excitation import effective_area_um2, excitation, excitons_by_anchor, t_exc_us
from tplm_daq.errors import InputError


def test_published_condition_is_reproduced():
    light = excitation(10.0, 2.5e6, 500.0)
    assert light.pulse_energy_fj == pytest.approx(4.0)
    assert light.fluence_uj_cm2 == pytest.approx(0.76)
    assert light.excitons_per_pulse == pytest.approx(0.08, rel=1e-3)
    assert light.t_exc_us == pytest.approx(5.0, rel=1e-3)


@pytest.mark.parametrize("power_nw", [0.5, 1.0, 20.0])
@pytest.mark.parametrize("rate_hz", [31.25e3, 2.5e6, 40e6])
@pytest.mark.parametrize("spot_fwhm_nm", [400.0, 1000.0])
def test_cross_section_and_anchor_agree(power_nw, rate_hz, spot_fwhm_nm):
    by_cross_section = excitation(power_nw, rate_hz, spot_fwhm_nm).excitons_per_pulse
    assert by_cross_section == pytest.approx(excitons_by_anchor(power_nw, rate_hz, spot_fwhm_nm), rel=1e-3)


def test_half_of_the_peak_is_the_energy_over_the_one_over_e2_disc():
    fwhm_nm, x_nm = 500.0, np.linspace(-2000.0, 2000.0, 2001)
    intensity = np.exp(-4 * np.log(2) * (x_nm**2 + x_nm[:, None] ** 2) / fwhm_nm**2)
    peak_area_um2 = intensity.sum() * (x_nm[1] - x_nm[0]) ** 2 * 1e-6
    assert effective_area_um2(fwhm_nm, "peak") == pytest.approx(peak_area_um2, rel=1e-6)
    radius_um = 1e-3 * x_nm[np.searchsorted(-intensity[1000, 1000:], -np.exp(-2.0)) + 1000]
    assert effective_area_um2(fwhm_nm, "half_peak") == pytest.approx(np.pi * radius_um**2, rel=0.01)
    assert effective_area_um2(fwhm_nm, "half_peak") == pytest.approx(2 * peak_area_um2, rel=1e-6)


def test_published_fluence_is_seven_percent_above_half_of_the_peak():
    published, half = (excitation(10.0, 2.5e6, convention=each) for each in ("published", "half_peak"))
    assert published.fluence_uj_cm2 / half.fluence_uj_cm2 == pytest.approx(1.077, abs=0.002)


def test_time_between_excitations_depends_on_average_power_only():
    rates_hz = np.array([31.25e3, 2.5e6, 40e6])
    np.testing.assert_allclose(t_exc_us(excitons_by_anchor(8.0, rates_hz), rates_hz), 50.0 / 8.0)


def test_without_light_nothing_is_ever_excited():
    dark = excitation(0.0, 2.5e6)
    assert (dark.excitons_per_pulse, dark.t_exc_us) == (0.0, np.inf)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1.0, 2.5e6), "power_nw is -1; it must be finite and not negative"),
        ((np.nan, 2.5e6), "power_nw is nan"),
        ((1.0, 0.0), "repetition_rate_hz is 0; it must be finite and positive"),
        ((1.0, 2.5e6, np.inf), "spot_fwhm_nm is inf"),
        ((1.0, 2.5e6, 500.0, -1e-14), "cross_section_cm2 is -1e-14"),
    ],
)
def test_impossible_light_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        excitation(*arguments)

"""Closed forms against quadrature, derivatives against differences."""

import numpy as np
import pytest
from scipy.integrate import quad

from tplm_daq.analysis.models import bin_mean_age, collected_light, cumulative_decay, mean_age, pixel_profile

SIGMA_NS, LIFETIME_NS = 0.034, 2.0


def seen(delay_ns, moment):
    """Integral of age^moment over the ages seen at a delay."""
    low, high = max(delay_ns - 10 * SIGMA_NS, 0.0), max(delay_ns, 0.0) + 10 * SIGMA_NS

    def weight(age_ns):
        return age_ns**moment * np.exp(-0.5 * ((delay_ns - age_ns) / SIGMA_NS) ** 2 - age_ns / LIFETIME_NS)

    return quad(weight, low, high, epsabs=0, epsrel=1e-10)[0]


@pytest.mark.parametrize("x_nm", [-700.0, 0.0, 35.0, 1500.0])
def test_the_pixel_averages_the_gaussian_over_its_width(x_nm):
    average = quad(lambda x: np.exp(-((x - 20.0) ** 2) / (2 * 250.0**2)), x_nm - 50.5, x_nm + 50.5)[0] / 101.0
    assert pixel_profile(np.array([x_nm]), 20.0, 250.0**2, 101.0).value[0] == pytest.approx(average, rel=1e-10)


def test_the_derivatives_of_the_profile_are_those_of_its_value():
    x_nm = np.linspace(-900.0, 900.0, 13)
    profile = pixel_profile(x_nm, 20.0, 6e4, 101.0)
    by_centre = pixel_profile(x_nm, 20.01, 6e4, 101.0).value - pixel_profile(x_nm, 19.99, 6e4, 101.0).value
    by_variance = pixel_profile(x_nm, 20.0, 6e4 + 5, 101.0).value - pixel_profile(x_nm, 20.0, 6e4 - 5, 101.0).value
    assert profile.d_centre == pytest.approx(by_centre / 0.02, abs=1e-9)
    assert profile.d_variance == pytest.approx(by_variance / 10, abs=1e-12)


@pytest.mark.parametrize("delay_ns", [-0.1, -0.03, 0.0, 0.02, 0.3, 2.5])
def test_the_mean_age_is_that_of_the_excitons_under_the_response(delay_ns):
    truth = seen(delay_ns, 1) / seen(delay_ns, 0)
    assert mean_age(np.array([delay_ns]), SIGMA_NS, LIFETIME_NS)[0] == pytest.approx(truth, rel=1e-7)


def test_the_mean_age_of_a_bin_weighs_with_the_light():
    fine_ns = np.linspace(4.96, 5.088, 4001)
    light = np.array([seen(delay_ns - 5.0, 0) for delay_ns in fine_ns[::20]])
    aged = np.array([seen(delay_ns - 5.0, 1) for delay_ns in fine_ns[::20]])
    age_ns = bin_mean_age(np.array([4.96, 5.088]), 5.0, SIGMA_NS, LIFETIME_NS)
    assert age_ns[0] == pytest.approx(np.trapezoid(aged) / np.trapezoid(light), rel=1e-4)


def test_the_mean_age_stays_finite_far_before_the_pulse():
    age_ns = mean_age(np.array([-5.0, -50.0]), SIGMA_NS, LIFETIME_NS)
    assert np.all((age_ns > 0) & (age_ns < 1e-3))


def test_the_cumulative_decay_is_the_integral_of_the_decay():
    delay_ns = np.linspace(-0.2, 0.5, 30)
    scale = SIGMA_NS * np.sqrt(2 * np.pi)
    rate = [quad(lambda t: seen(t, 0) / scale, -0.4, t, epsabs=1e-9)[0] for t in delay_ns]
    assert cumulative_decay(delay_ns, 0.0, SIGMA_NS, LIFETIME_NS).value == pytest.approx(rate, abs=1e-7)


def test_the_derivatives_of_the_cumulative_decay_are_those_of_its_value():
    delay_ns, at, step = np.linspace(4.8, 7.0, 40), np.array([5.0, 0.034, 2.0]), 1e-6
    decay = cumulative_decay(delay_ns, *at)
    for place, derivative in enumerate([decay.d_t0, decay.d_sigma, decay.d_lifetime]):
        off = step * np.eye(3)[place]
        difference = cumulative_decay(delay_ns, *(at + off)).value - cumulative_decay(delay_ns, *(at - off)).value
        assert derivative == pytest.approx(difference / (2 * step), abs=1e-7)


def test_a_line_collects_less_of_a_wider_spot():
    x_nm = np.linspace(-4000.0, 4000.0, 161)
    variance_nm2 = np.array([250.0, 350.0, 500.0]) ** 2
    light = collected_light(x_nm, 0.0, variance_nm2, 1.0, 1.0)
    assert light == pytest.approx(250.0 / np.sqrt(variance_nm2), rel=1e-4)

"""Light under the response against brute-force integrals and finite differences."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr

from tplm_daq.analysis.decay_laws import (
    BIEXPONENTIAL,
    EXPONENTIAL,
    JOINED,
    POWER_LAW,
    STRETCHED,
    counted_light,
    earlier_light,
)

SIGMA_NS = 0.034
EDGES_NS = np.array([-0.05, -0.02, 0.0, 0.03, 0.2, 0.41, 1.0, 2.95, 3.05, 8.0, 20.0])

CASES = [
    pytest.param(EXPONENTIAL, [2.0], lambda u: np.exp(-u / 2.0), id="exponential"),
    pytest.param(
        JOINED,
        [2.0, 1.6],
        lambda u: np.exp(-u / 2.0) if u < 3.0 else np.exp(-1.5) * (u / 3.0) ** -1.6,
        id="joined",
    ),
    pytest.param(
        JOINED, [2.0, 1.0], lambda u: np.exp(-u / 2.0) if u < 3.0 else np.exp(-1.5) * 3.0 / u, id="exponent one"
    ),
    pytest.param(STRETCHED, [1.5, 0.7], lambda u: np.exp(-((u / 1.5) ** 0.7)), id="stretched"),
    pytest.param(
        BIEXPONENTIAL, [0.5, 3.0, 0.3], lambda u: 0.7 * np.exp(-u / 0.5) + 0.3 * np.exp(-u / 3.0), id="double"
    ),
]


@pytest.mark.parametrize(("law", "parameters", "decay"), CASES)
def test_light_in_a_bin_is_the_decay_convolved_with_the_response(law, parameters, decay):
    def counted(delay_ns):
        last_ns = max(delay_ns + 0.4, 0.0)
        corners = [age_ns for age_ns in (delay_ns - 0.3, delay_ns, delay_ns + 0.3, 3.0) if 0 < age_ns < last_ns]
        smeared = lambda age_ns: decay(age_ns) * ndtr((delay_ns - age_ns) / SIGMA_NS)  # noqa: E731
        return quad(smeared, 0.0, last_ns, points=corners or None, limit=400, epsabs=1e-12, epsrel=1e-11)[0]

    light = counted_light(law, np.array(parameters), EDGES_NS, SIGMA_NS)[0]
    np.testing.assert_allclose(np.diff(light), np.diff([counted(edge) for edge in EDGES_NS]), rtol=2e-4)


@pytest.mark.parametrize(("law", "parameters", "decay"), CASES)
def test_light_of_earlier_pulses_is_the_decay_one_to_twenty_periods_later(law, parameters, decay):
    light = earlier_light(law, np.array(parameters), EDGES_NS, 25.0)[0]
    middle_ns, width_ns = 0.5 * (EDGES_NS[1:3] + EDGES_NS[:2]), np.diff(EDGES_NS[:3])
    earlier = [sum(decay(age_ns + 25.0 * k) for k in range(1, 21)) for age_ns in middle_ns]
    np.testing.assert_allclose(np.diff(light)[:2], earlier * width_ns, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize(
    ("law", "parameters"),
    [
        (EXPONENTIAL, [2.0]),
        (JOINED, [2.0, 1.6]),
        (JOINED, [2.0, 1.01]),
        (STRETCHED, [1.5, 0.7]),
        (BIEXPONENTIAL, [0.5, 3.0, 0.3]),
    ],
)
def test_derivatives_agree_with_finite_differences(law, parameters):
    values, step = np.array([0.0, SIGMA_NS, *parameters]), 1e-6

    def light(shift_ns, sigma_ns, *law_parameters):
        return counted_light(law, np.array(law_parameters), EDGES_NS - shift_ns, sigma_ns) + earlier_light(
            law, np.array(law_parameters), EDGES_NS - shift_ns, 25.0
        )

    units = step * np.eye(len(values))
    expected = [(light(*values + unit)[0] - light(*values - unit)[0]) / (2 * step) for unit in units]
    np.testing.assert_allclose(light(*values)[1:], expected, rtol=1e-6, atol=1e-7)


def test_power_law_has_unit_rate_at_three_ns():
    light = counted_light(POWER_LAW, np.array([1.5]), np.array([2.999, 3.001, 11.999, 12.001]), SIGMA_NS)[0]
    np.testing.assert_allclose(np.diff(light)[[0, 2]] / 0.002, [1.0, 4.0**-1.5], rtol=1e-3)

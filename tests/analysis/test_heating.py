"""Heating against the published bound and a numerical solution of the heat equation."""

import numpy as np
import pytest
from scipy.integrate import quad

from tplm_daq.analysis.heating import HeatingAssumptions, heating


def test_prompt_heat_stays_below_the_published_hundredth_of_a_kelvin():
    prompt = HeatingAssumptions(heat_share=0.22)
    assert heating(0.08, 10.0, 500.0, assumptions=prompt).per_pulse_k < 0.01


def test_steady_state_is_that_of_a_gaussian_source_on_a_half_space():
    """In Hankel space a surface source q(k) warms the surface by q(k) / (kappa k)."""
    assumed = HeatingAssumptions(conductivity_w_m_k=1.3, absorbed_share=0.2)
    radius_m = 500e-9 / np.sqrt(2 * np.log(2))
    power_w = 10e-9 * 0.2
    spectrum = lambda k: power_w / (2 * np.pi) * np.exp(-(k**2) * radius_m**2 / 8)  # noqa: E731
    expected_k = quad(spectrum, 0, 40 / radius_m)[0] / 1.3
    assert heating(0.08, 10.0, 500.0, assumptions=assumed).steady_k == pytest.approx(expected_k, rel=1e-6)


def test_heat_of_a_pulse_is_proportional_to_the_excitons():
    weak, strong = heating(0.01, 1.0, 500.0), heating(0.04, 4.0, 500.0)
    assert strong.per_pulse_k == pytest.approx(4 * weak.per_pulse_k)
    assert strong.per_excited_crystal_k == weak.per_excited_crystal_k


def test_assumptions_are_named_beside_the_numbers():
    text = heating(0.08, 10.0, 500.0).describe()
    assert text.startswith("Heating of the order of 0.03 K per pulse and 0.0009 K in the steady state")
    for name in ("heat_capacity_j_cm3_k = 1.4", "absorbed_share = 0.1", "conductivity_w_m_k = 1"):
        assert name in text

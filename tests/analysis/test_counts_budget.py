"""Photons from the laser to the counter."""

import numpy as np
import pytest

from tplm_daq.analysis.counts_budget import LightPath, collected_share, counts_budget
from tplm_daq.errors import InputError


def test_each_step_loses_its_factor():
    path = LightPath(absorbed_share=0.2, quantum_yield=0.4, transmission=0.6, detector_efficiency=0.45)
    budget = counts_budget(10.0, 2.5e6, path)
    assert budget.incident_per_s == pytest.approx(10e-9 / (6.62607015e-34 * 2.99792458e8 / 405e-9))
    assert budget.absorbed_per_s == pytest.approx(0.2 * budget.incident_per_s)
    assert budget.emitted_per_s == pytest.approx(0.4 * budget.absorbed_per_s)
    assert budget.collected_per_s == pytest.approx(collected_share(0.85) * budget.emitted_per_s)
    assert budget.imaged_per_s == pytest.approx(0.6 * budget.collected_per_s)
    assert budget.detected_per_s == pytest.approx(0.45 * budget.on_detector_per_s)
    assert budget.detected_per_pulse == pytest.approx(budget.detected_per_s / 2.5e6)


def test_pixel_sees_its_part_of_the_spot():
    points_nm = np.random.default_rng(1).normal(0.0, 250.0, (400_000, 2))
    share = np.mean((np.abs(points_nm[:, 0]) < 50.5) & (np.abs(points_nm[:, 1]) < 150.0))
    budget = counts_budget(10.0, 2.5e6, LightPath(pixel_nm=(101.0, 300.0)))
    error = np.sqrt(share / len(points_nm))
    assert budget.on_detector_per_s / budget.imaged_per_s == pytest.approx(share, abs=4 * error)


def test_collected_share_is_the_solid_angle_of_the_cone():
    directions = np.random.default_rng(2).normal(size=(400_000, 3))
    cosine = directions[:, 2] / np.linalg.norm(directions, axis=1)
    share = np.mean((cosine > 0) & (np.sqrt(1 - cosine**2) < 0.85))
    assert collected_share(0.85) == pytest.approx(share, abs=4 * np.sqrt(0.25 / 400_000))
    assert (collected_share(0.0), collected_share(1.0)) == (0.0, 0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1.0, 2.5e6), "power_nw is -1"),
        ((1.0, 0.0), "repetition_rate_hz is 0"),
        ((1.0, 2.5e6, LightPath(quantum_yield=1.2)), "quantum_yield is 1.2; it must be between 0 and 1"),
        ((1.0, 2.5e6, LightPath(numerical_aperture=1.4)), "numerical_aperture is 1.4"),
        ((1.0, 2.5e6, LightPath(transmission=np.nan)), "transmission is nan"),
        ((1.0, 2.5e6, LightPath(pixel_nm=(0.0, 101.0))), "pixel_nm is 0"),
    ],
)
def test_impossible_input_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        counts_budget(*arguments)

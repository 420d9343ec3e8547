"""Focus, steps of the stage, and the rising edge, on data whose truth is known."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from tplm_daq.analysis import alignment
from tplm_daq.analysis.alignment import fit_edge, fit_focus, fit_steps
from tplm_daq.errors import FitError

Z_NM = np.linspace(-2000.0, 2000.0, 9)
PLACES_NM = np.array([(x, 0.0) for x in (-8e3, -4e3, 4e3, 8e3)] + [(0.0, y) for y in (-8e3, -4e3, 4e3, 8e3)])


def test_examples_in_docstrings_are_true() -> None:
    assert doctest.testmod(alignment).failed == 0


def test_the_focus_scatters_around_the_truth_as_its_error_says() -> None:
    generator, pulls = np.random.default_rng(1), []
    for _ in range(400):
        z_nm = Z_NM + 2.5e6
        error_nm2 = np.full(len(z_nm), 3000.0)
        variance_nm2 = 250.0**2 * (1 + ((z_nm - 2.5004e6) / 800.0) ** 2) + generator.normal(0.0, error_nm2)
        focus = fit_focus(z_nm, variance_nm2, error_nm2)
        pulls.append((focus.z_nm - 2.5004e6) / focus.z_error_nm)
    assert np.mean(pulls) == pytest.approx(0.0, abs=5 / 20)
    assert np.std(pulls) == pytest.approx(1.0, abs=5 / np.sqrt(800))


@pytest.mark.parametrize(
    "variance_nm2",
    [250.0**2 * (1 + ((Z_NM - 2600.0) / 800.0) ** 2), np.full(9, 250.0**2), 250.0**2 * (2 - (Z_NM / 2500.0) ** 2)],
    ids=["beyond the range", "flat", "upside down"],
)
def test_no_focus_is_no_answer(variance_nm2: np.ndarray) -> None:
    with pytest.raises(FitError, match=r"no focus between -2000 and 2000 nm: .* larger half_range"):
        fit_focus(Z_NM, variance_nm2, np.full(9, 1000.0))


def test_steps_give_the_ratio_along_each_axis_and_the_rotation() -> None:
    generator = np.random.default_rng(2)
    angle = np.radians(3.0)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    image_nm = PLACES_NM @ turn.T * [1.02, 0.99] + [30.0, -40.0] + generator.normal(0.0, 5.0, PLACES_NM.shape)
    steps = fit_steps(PLACES_NM + 2.5e6, image_nm)
    assert steps.ratio_x == pytest.approx(1.02, abs=5 * steps.ratio_x_error)
    assert steps.ratio_y == pytest.approx(0.99, abs=5 * steps.ratio_y_error)
    assert 1e-4 < steps.ratio_x_error < 1e-3
    assert steps.rotation_deg == pytest.approx(3.0, abs=0.1)


def test_an_image_that_stays_or_runs_away_is_named() -> None:
    with pytest.raises(FitError, match=r"moves by 0.000 and 0.000 of the stage's way .* isolated emitter"):
        fit_steps(PLACES_NM, np.zeros_like(PLACES_NM))
    with pytest.raises(FitError, match=r"along y the image moves against the stage. Check `direction`"):
        fit_steps(PLACES_NM, PLACES_NM * [1.0, -1.0])


DELAY_NS = (np.arange(5000) + 0.5) * 4e-3


def decay(generator: np.random.Generator, n_photons: int) -> np.ndarray:
    """Draw photons of a 1.6 ns decay under a response of 80 ps at 5 ns, beside 2 % of background."""
    arrival_ns = 5.0 + generator.exponential(1.6, n_photons) + generator.normal(0.0, 0.080 / 2.3548, n_photons)
    background_ns = generator.uniform(0.0, 20.0, n_photons // 50)
    counts, _ = np.histogram(np.concatenate([arrival_ns, background_ns]), np.append(DELAY_NS - 2e-3, 20.0))
    return counts


def test_the_edge_scatters_around_the_truth_as_its_errors_say() -> None:
    generator, pulls = np.random.default_rng(6), []
    for _ in range(25):
        edge = fit_edge(decay(generator, 200_000), DELAY_NS, 1e3, 2.5e6, 95.0, 1.0)
        pulls.append(
            [(edge.t0_ns - 5.0) / edge.t0_error_ns, (edge.response_fwhm_ns - 0.080) / edge.response_fwhm_error_ns]
        )
    np.testing.assert_allclose(np.mean(pulls, axis=0), 0.0, atol=1.0)
    np.testing.assert_allclose(np.std(pulls, axis=0), 1.0, atol=0.75)
    assert len(edge.delay_ns) == len(edge.counts) == len(edge.model)


def test_a_decay_without_a_pulse_has_no_edge() -> None:
    flat = np.random.default_rng(0).poisson(3.0, len(DELAY_NS))
    with pytest.raises(FitError, match="No pulse stands out"):
        fit_edge(flat, DELAY_NS, 20.0, 2.5e6, 95.0, 1.0)

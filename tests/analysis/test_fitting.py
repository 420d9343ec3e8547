"""The optimiser on problems with known answers."""

import numpy as np
import pytest

from tplm_daq.analysis.fitting import Evaluation, maximise, poisson_log_likelihood
from tplm_daq.errors import FitError

ANY = np.array([np.inf, np.inf])
ADVICE = "Measure longer."


def straight_line(counts, x):
    """Poisson likelihood of counts around a + b x."""
    basis = np.stack([np.ones_like(x), x])

    def evaluate(parameters):
        expected = parameters @ basis
        if expected.min() <= 0:
            return Evaluation(-np.inf, np.zeros(2), np.eye(2))
        weighted = basis / expected
        return Evaluation(poisson_log_likelihood(counts, expected), weighted @ (counts - expected), weighted @ basis.T)

    return evaluate


def test_expected_counts_give_back_their_parameters_and_the_inverse_information():
    x = np.linspace(0.0, 1.0, 20)
    truth = np.array([50.0, -20.0])
    evaluate = straight_line(truth @ np.stack([np.ones_like(x), x]), x)
    best = maximise(evaluate, np.array([10.0, 0.0]), -ANY, ANY, np.array([True, True]), "line", ADVICE)
    assert best.parameters == pytest.approx(truth, rel=1e-3)
    assert best.covariance == pytest.approx(np.linalg.inv(evaluate(truth).information), rel=1e-3)


def test_a_fixed_parameter_stays_and_has_no_error():
    x = np.linspace(0.0, 1.0, 20)
    evaluate = straight_line(np.full(20, 30.0), x)
    best = maximise(evaluate, np.array([10.0, 4.0]), -ANY, ANY, np.array([True, False]), "line", ADVICE)
    assert best.parameters[1] == 4.0
    assert best.covariance[1, 1] == 0.0


def test_a_bound_is_not_crossed():
    x = np.linspace(0.0, 1.0, 20)
    evaluate = straight_line(np.full(20, 30.0) - 10 * x, x)
    best = maximise(evaluate, np.array([10.0, 4.0]), np.array([0.0, -2.0]), ANY, np.array([True, True]), "line", ADVICE)
    assert best.parameters[1] == -2.0
    assert best.covariance[1, 1] > 0.0


def test_a_start_outside_the_domain_is_an_error():
    evaluate = straight_line(np.ones(5), np.linspace(0, 1, 5))
    with pytest.raises(FitError, match="line: the starting values do not describe the data"):
        maximise(evaluate, np.array([-1.0, 0.0]), -ANY, ANY, np.array([True, True]), "line", ADVICE)


def test_parameters_that_do_the_same_cannot_be_told_apart():
    evaluate = straight_line(np.full(5, 9.0), np.ones(5))
    with pytest.raises(FitError, match="line: the parameters cannot be told apart. Measure longer."):
        maximise(evaluate, np.array([4.0, 4.0]), -ANY, ANY, np.array([True, True]), "line", ADVICE)


def test_a_likelihood_without_maximum_does_not_converge():
    def evaluate(parameters):
        return Evaluation(float(parameters[0]), np.ones(1), np.full((1, 1), 1e-2))

    with pytest.raises(FitError, match="slope did not converge in 100 steps. Measure longer."):
        maximise(evaluate, np.zeros(1), -ANY[:1], ANY[:1], np.array([True]), "slope", ADVICE)


def test_overshooting_steps_are_damped():
    """The information promises half of the curvature, so that undamped steps would swing for ever."""

    def evaluate(parameters):
        value = float(parameters[0])
        return Evaluation(-(value**2), np.array([-2 * value]), np.ones((1, 1)))

    best = maximise(evaluate, np.array([3.0]), -ANY[:1], ANY[:1], np.array([True]), "swing", ADVICE)
    assert best.parameters[0] == pytest.approx(0.0, abs=1e-3)
    assert best.n_steps < 40


def test_a_likelihood_that_swings_in_its_rounding_is_accepted_where_the_rest_does_not_matter():
    """Each step lands on the other side of the maximum, a hundred thousandth of a standard error away."""
    side = 1e-5

    def evaluate(parameters):
        value = float(parameters[0])
        gradient = -2.0 * np.sign(value) * side if abs(value) < 2 * side else -value
        return Evaluation(-0.5 * value**2, np.array([gradient]), np.ones((1, 1)))

    best = maximise(evaluate, np.array([3.0]), -ANY[:1], ANY[:1], np.array([True]), "swing", ADVICE)
    assert abs(best.parameters[0]) < 1e-3

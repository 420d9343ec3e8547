"""Relaxation time: calibration, MINOS, shared fits, refusals."""

import numpy as np
import pytest
from iminuit import Minuit
from iminuit.cost import LeastSquares

from tplm_daq.analysis.relaxation import EnhancementSeries, enhancement, fit_relaxation
from tplm_daq.errors import FitError

T_EXC_US = 50.0 / np.array([0.5, 1.0, 2.0, 4.0, 7.0, 10.0, 14.0, 20.0])


def drawn(seed, d_0=0.15, d_inf=0.01, tau_us=6.0, relative=0.04, t_exc_us=T_EXC_US):
    truth = enhancement(t_exc_us, d_0, d_inf, tau_us)
    error = relative * truth + 0.0005
    return EnhancementSeries(t_exc_us, np.random.default_rng(seed).normal(truth, error), error)


def test_estimates_and_intervals_are_calibrated():
    fits = [fit_relaxation(drawn(seed)) for seed in range(200)]
    n = len(fits)
    covered = np.mean([fit.tau_ci95_us[0] < 6.0 < fit.tau_ci95_us[1] for fit in fits])
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / n)
    pulls = np.array(
        [
            [
                (fit.tau_us - 6.0) / fit.tau_error_us,
                (fit.d_0_cm2_s[0] - 0.15) / fit.d_0_error_cm2_s[0],
                (fit.d_inf_cm2_s[0] - 0.01) / fit.d_inf_error_cm2_s[0],
            ]
            for fit in fits
        ]
    )
    assert np.all(np.abs(pulls.mean(axis=0)) < 5 / np.sqrt(n))
    assert np.all(np.abs(pulls.std(axis=0) - 1) < 5 / np.sqrt(2 * n))
    p_values = np.array([fit.p_value for fit in fits])
    assert abs(p_values.mean() - 0.5) < 4 * np.sqrt(1 / 12 / n)


def test_profile_interval_is_that_of_minos():
    series = drawn(1)
    cost = LeastSquares(series.t_exc_us, series.diffusivity_cm2_s, series.standard_error_cm2_s, enhancement)
    theirs = Minuit(cost, d_0_cm2_s=0.1, d_inf_cm2_s=0.02, tau_us=5.0)
    theirs.strategy = 2
    theirs.migrad()
    theirs.minos("tau_us", cl=0.95)
    ours, error = fit_relaxation(series), theirs.merrors["tau_us"]
    assert ours.tau_us == pytest.approx(theirs.values["tau_us"], rel=1e-3)
    assert ours.tau_ci95_us == pytest.approx(
        (theirs.values["tau_us"] + error.lower, theirs.values["tau_us"] + error.upper), rel=2e-3
    )
    assert ours.d_0_cm2_s[0] == pytest.approx(theirs.values["d_0_cm2_s"], rel=1e-3)
    assert ours.d_0_error_cm2_s[0] == pytest.approx(theirs.errors["d_0_cm2_s"], rel=0.02)
    assert ours.d_inf_error_cm2_s[0] == pytest.approx(theirs.errors["d_inf_cm2_s"], rel=0.02)
    assert ours.chi_square == pytest.approx(theirs.fval, rel=1e-4)


def test_a_shared_relaxation_time_is_sharper():
    series = [drawn(1), drawn(2, d_0=0.06), drawn(3, d_0=0.03, d_inf=0.003)]
    alone, shared = fit_relaxation(series[0]), fit_relaxation(*series)
    assert shared.tau_error_us < alone.tau_error_us
    assert abs(shared.tau_us - 6.0) < 4 * shared.tau_error_us
    np.testing.assert_allclose(shared.d_0_cm2_s, [0.15, 0.06, 0.03], atol=4 * shared.d_0_error_cm2_s.max())
    assert shared.n_dof == 3 * 8 - 7
    assert shared.curve(np.array([0.0]), series=2)[0] == pytest.approx(shared.d_0_cm2_s[2])


def test_a_misfit_is_seen():
    series = drawn(4)
    wavy = EnhancementSeries(
        T_EXC_US, series.diffusivity_cm2_s * (1 + 0.5 * (-1.0) ** np.arange(8)), series.standard_error_cm2_s
    )
    assert fit_relaxation(wavy).p_value < 1e-6


def test_only_rare_or_frequent_excitation_leaves_the_interval_open():
    few = drawn(5, t_exc_us=np.array([1.0, 1.5, 2.0, 3.0, 4.0]), relative=0.05)
    low_us, high_us = fit_relaxation(few).tau_ci95_us
    assert low_us > 0
    assert high_us == np.inf


def test_constant_diffusivity_seldom_gives_a_relaxation_time():
    n_fitted = 0
    for seed in range(200):
        try:
            fit_relaxation(drawn(seed, d_0=0.05, d_inf=0.05))
        except FitError:
            continue
        n_fitted += 1
    assert n_fitted / 200 < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 200)


def series_with(**changes):
    good = drawn(1)
    return EnhancementSeries(
        **{
            "t_exc_us": good.t_exc_us,
            "diffusivity_cm2_s": good.diffusivity_cm2_s,
            "standard_error_cm2_s": good.standard_error_cm2_s,
            "name": "film 3",
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ([], "No series given"),
        ([series_with(t_exc_us=np.ones(3))], "film 3: t_exc, D and standard errors must have one entry per point"),
        (
            [series_with(t_exc_us=np.repeat([1.0, 2.0], 4))],
            "film 3: 2 different t_exc; the relaxation needs at least 4",
        ),
        ([series_with(t_exc_us=np.append(T_EXC_US[1:], np.inf))], "film 3: t_exc must be finite"),
        ([series_with(diffusivity_cm2_s=np.full(8, np.nan))], "film 3: some diffusivity is not a finite number"),
        (
            [series_with(standard_error_cm2_s=np.zeros(8))],
            "film 3: every diffusivity needs a standard error above zero",
        ),
        ([series_with(diffusivity_cm2_s=np.full(8, 0.05))], "D does not depend on t_exc beyond its errors"),
        (
            [series_with(diffusivity_cm2_s=0.1 - 0.001 * T_EXC_US, standard_error_cm2_s=np.full(8, 1e-4))],
            "all t_exc are below it. Add points at lower power",
        ),
        (
            [series_with(diffusivity_cm2_s=np.where(T_EXC_US < 3, 0.1, 0.01), standard_error_cm2_s=np.full(8, 1e-3))],
            "all t_exc are above it. Add points at higher power",
        ),
    ],
)
def test_what_cannot_be_fitted_says_why(series, message):
    with pytest.raises(FitError, match=message):
        fit_relaxation(*series)

"""Laws fitted to photons drawn one by one: bias, coverage, an independent minimiser, refusals."""

import numpy as np
import pytest

from tests.analysis.decay_photons import draw_decay
from tests.analysis.synthetic import Scene, drawn
from tplm_daq.analysis.decay_fits import PROMPT_SPAN_NS, TAIL_SPAN_NS, fit_law, fit_law_per_position
from tplm_daq.analysis.decay_laws import EXPONENTIAL, JOINED, POWER_LAW, joined_law
from tplm_daq.analysis.models import collected_light
from tplm_daq.errors import FitError

TRUTH = {"lifetime_ns": 2.0, "exponent": 1.6, "t0_ns": 5.0, "response_sigma_ns": 0.08 / np.sqrt(8 * np.log(2))}


def pulls(fits, truth):
    """Deviations from the truth in standard errors, shape (n_fit, n_parameter)."""
    return np.array([[(fit.value(name) - true) / fit.error(name) for name, true in truth.items()] for fit in fits])


def assert_calibrated(deviations):
    """Mean 0, SD 1 and 95 % coverage, each within four standard errors of the sample."""
    n = len(deviations)
    assert np.all(np.abs(deviations.mean(axis=0)) < 4 / np.sqrt(n))
    assert np.all(np.abs(deviations.std(axis=0) - 1) < 4 / np.sqrt(2 * n))
    covered = (np.abs(deviations) < 1.96).mean(axis=0)
    assert np.all(np.abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / n))


@pytest.mark.parametrize(
    ("n_photons", "period_ns", "span_ns"),
    [(3_000, 400.0, 30.0), (100_000, 400.0, 30.0), (100_000, 25.0, 25.0)],
    ids=["dim", "bright", "wrapped around at 40 MHz"],
)
def test_joined_law_is_unbiased_with_honest_intervals(n_photons, period_ns, span_ns):
    fits = []
    for seed in range(60):
        counts, delay_ns = draw_decay(seed, n_photons, period_ns=period_ns, span_ns=span_ns)
        fits.append(fit_law(counts, delay_ns, JOINED, (-5.0, 18.0), repetition_rate_hz=1e9 / period_ns))
    assert_calibrated(pulls(fits, TRUTH))
    chi_square = np.array([fit.chi_square / (fit.n_bins - fit.n_free) for fit in fits])
    assert abs(chi_square.mean() - 1) < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("n_photons", [3_000, 30_000, 300_000])
def test_coverage_of_the_joined_law_over_many_seeds(n_photons):
    fits = [fit_law(*draw_decay(seed, n_photons), repetition_rate_hz=2.5e6) for seed in range(1000)]
    assert_calibrated(pulls(fits, {"lifetime_ns": 2.0, "exponent": 1.6}))


def test_prompt_and_tail_are_fitted_apart():
    prompt, tail = [], []
    for seed in range(60):
        counts, delay_ns = draw_decay(seed, 30_000)
        prompt.append(fit_law(counts, delay_ns, EXPONENTIAL, PROMPT_SPAN_NS))
        tail.append(fit_law(counts, delay_ns, POWER_LAW, TAIL_SPAN_NS, repetition_rate_hz=2.5e6))
    assert_calibrated(np.hstack([pulls(prompt, {"lifetime_ns": 2.0}), pulls(tail, {"exponent": 1.6})]))


def test_another_age_of_the_join_is_told_by_the_likelihood():
    counts, delay_ns = draw_decay(2, 1_000_000, join_ns=2.0)
    right, wrong = (fit_law(counts, delay_ns, joined_law(each), repetition_rate_hz=2.5e6) for each in (2.0, 3.0))
    assert np.all(np.abs(pulls([right], TRUTH)) < 4)
    assert wrong.bic - right.bic > 50


def test_neglecting_earlier_pulses_shows_as_a_wrong_exponent():
    counts, delay_ns = draw_decay(1, 1_000_000, period_ns=25.0, span_ns=25.0)
    neglected = fit_law(counts, delay_ns, JOINED, (-5.0, 18.0))
    assert abs(neglected.value("exponent") - 1.6) > 5 * neglected.error("exponent")


def test_live_fraction_is_part_of_the_model():
    counts, delay_ns = draw_decay(4, 300_000)
    live = np.where(delay_ns < 5.0, 1.0, 1.0 - 0.4 * -np.expm1(-(delay_ns - 5.0)))
    seen = np.random.default_rng(4).binomial(counts, live)
    fit = fit_law(seen, delay_ns, live=live, repetition_rate_hz=2.5e6)
    assert np.all(np.abs(pulls([fit], TRUTH)) < 4)
    careless = fit_law(seen, delay_ns, repetition_rate_hz=2.5e6)
    assert abs(careless.value("lifetime_ns") - 2.0) > 10 * careless.error("lifetime_ns")


def test_every_position_gets_its_own_lifetime():
    lifetimes_ns = np.repeat([1.5, 2.0, 2.5], 20)
    decays = [draw_decay(seed, 20_000, lifetime_ns=each) for seed, each in enumerate(lifetimes_ns)]
    fits = fit_law_per_position(np.array([counts for counts, _ in decays]), decays[0][1], repetition_rate_hz=2.5e6)
    place = fits.parameters.index("lifetime_ns")
    assert_calibrated((fits.values[:, place, None] - lifetimes_ns[:, None]) / fits.errors[:, place, None])
    assert not fits.failures
    assert fits.values.shape == (60, len(fits.parameters))


def test_light_that_leaves_the_line_does_not_shorten_the_lifetime():
    scene = Scene(dead_time_ns=None)
    data = drawn(scene, seed=1)
    counts = data.counts.sum(axis=0)
    spread_nm2 = scene.variance_nm2(np.maximum(data.delay_ns - scene.t0_ns, 0.0))
    collected = collected_light(data.x_nm, 0.0, spread_nm2, 101.0, 101.0)
    fit = fit_law(counts, data.delay_ns, collected=collected, repetition_rate_hz=2.5e6)
    truth = {"lifetime_ns": 2.0, "exponent": 1.6, "t0_ns": 5.0}
    assert np.all(np.abs(pulls([fit], truth)) < 4)
    careless = fit_law(counts, data.delay_ns, repetition_rate_hz=2.5e6)
    assert careless.value("lifetime_ns") < 1.8


def test_a_position_that_does_not_tell_its_lifetime_is_named():
    counts, delay_ns = draw_decay(6, 30_000)
    flat = np.random.default_rng(6).poisson(np.where(delay_ns < 5.0, 0.2, 2.0))
    fits = fit_law_per_position(np.stack([counts, flat]), delay_ns)
    assert list(fits.failures) == [1]
    assert "cannot be told from" in fits.failures[1]


def test_a_pulse_cut_off_by_the_delays_is_pointed_out():
    counts, delay_ns = draw_decay(1, 100_000)
    assert fit_law(counts, delay_ns).at_limit == ()
    assert "t0_ns" in fit_law(counts[160:], delay_ns[160:]).at_limit


def test_an_empty_position_is_named_and_the_others_are_fitted():
    counts, delay_ns = draw_decay(6, 30_000)
    fits = fit_law_per_position(np.stack([counts, np.zeros_like(counts), counts]), delay_ns)
    assert list(fits.failures) == [1]
    assert "Only 0 counts" in fits.failures[1]
    assert np.isnan(fits.values[1]).all()
    assert np.isfinite(fits.values[[0, 2]]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"counts": np.zeros(938, int)}, "There are no counts"),
        ({"counts": np.full(938, -1)}, "finite and not negative"),
        ({"counts": np.full(938, np.nan)}, "finite and not negative"),
        ({"counts": np.ones((3, 938))}, "one number per bin"),
        ({"delay_ns": np.arange(938.0)[::-1]}, "ascending, equally spaced"),
        ({"delay_ns": np.geomspace(1.0, 30.0, 938)}, "ascending, equally spaced"),
        ({"delay_ns": np.full(938, np.nan)}, "ascending, equally spaced"),
        ({"span_ns": (3.0, 60.0)}, "The span ends 60 ns after the pulse"),
        ({"span_ns": (9.0, 3.0)}, "must ascend"),
        ({"law": POWER_LAW}, "A power law has no beginning; fit it from 0.5 ns on, not -5 ns"),
        ({"collected": np.full(938, 1.5)}, "collected must be one fraction above 0"),
        ({"span_ns": (0.0, 0.1)}, "Only . bins"),
        ({"live": np.zeros(938)}, "live must be one fraction above 0"),
        ({"repetition_rate_hz": 40e6}, "more than the 25 ns between pulses"),
        ({"repetition_rate_hz": 0.0}, "more than the 0 ns between pulses"),
    ],
)
def test_what_cannot_be_fitted_says_why(change, message):
    counts, delay_ns = draw_decay(7, 3_000)
    with pytest.raises(FitError, match=message):
        fit_law(**{"counts": counts, "delay_ns": delay_ns, **change})


def test_dark_counts_are_no_decay():
    counts = np.random.default_rng(8).poisson(3.0, 938)
    with pytest.raises(FitError, match="No pulse stands out"):
        fit_law(counts, 0.032 * np.arange(938.0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"counts": np.ones(938)}, r"must have the shape \(n_position, n_bin\)"),
        ({"counts": np.array([np.full(938, 9), np.full(938, -1)])}, "finite and not negative"),
        ({"live": np.ones(938)}, "one fraction above 0 and at most 1 per position and bin"),
        ({"live": np.zeros((2, 938))}, "one fraction above 0 and at most 1 per position and bin"),
    ],
)
def test_what_cannot_be_fitted_per_position_says_why(changes, message):
    counts, delay_ns = draw_decay(7, 3_000)
    with pytest.raises(FitError, match=message):
        fit_law_per_position(**{"counts": np.stack([counts, counts]), "delay_ns": delay_ns, **changes})


@pytest.mark.parametrize("law", [JOINED, EXPONENTIAL])
def test_all_counts_in_one_bin_are_no_decay(law):
    with pytest.raises(FitError):
        fit_law(5000 * np.eye(938, dtype=int)[160], 0.032 * np.arange(938.0), law)

"""The law that made the photons wins, and only by as much as the photons say."""

import numpy as np
import pytest

from tests.analysis.decay_photons import draw_decay
from tplm_daq.analysis.decay_comparison import compare_laws
from tplm_daq.analysis.decay_laws import BIEXPONENTIAL, EXPONENTIAL, JOINED, STRETCHED
from tplm_daq.errors import FitError


def stretched_ages(rng, n_photons):
    """Ages of exp(-sqrt(u / 1 ns)): the square root of the age is Gamma distributed with shape 2."""
    return rng.gamma(2.0, 1.0, n_photons) ** 2


def double_ages(rng, n_photons):
    is_slow = rng.random(n_photons) < 0.4 * 4.0 / (0.6 * 0.8 + 0.4 * 4.0)
    return rng.exponential(np.where(is_slow, 4.0, 0.8))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("law", "drawn"),
    [
        (JOINED, lambda _: {}),
        (EXPONENTIAL, lambda _: {"exponent": np.inf}),
        (STRETCHED, lambda rng: {"ages_ns": stretched_ages(rng, 300_000)}),
        (BIEXPONENTIAL, lambda rng: {"ages_ns": double_ages(rng, 300_000)}),
    ],
    ids=["joined", "exponential", "stretched", "double"],
)
def test_the_true_law_is_among_the_best(law, drawn, seed):
    counts, delay_ns = draw_decay(seed, 300_000, **drawn(np.random.default_rng(seed)))
    result = compare_laws(counts, delay_ns, repetition_rate_hz=2.5e6)
    place = [fit.law for fit in result.fits].index(law.name)
    assert result.delta_bic[place] < 6.0
    best = result.fits[place]
    assert abs(best.chi_square - best.n_bins) < 4 * np.sqrt(2 * best.n_bins) + 40


def test_a_bright_joined_decay_is_told_from_all_others():
    result = compare_laws(*draw_decay(1, 1_000_000), repetition_rate_hz=2.5e6)
    assert result.fits[0].law == "joined law"
    assert result.delta_bic[1] > 50
    assert result.verdict.startswith("The joined law describes the decay best (chi-square ")


def test_few_photons_do_not_decide():
    result = compare_laws(*draw_decay(2, 1_000), repetition_rate_hz=2.5e6)
    assert "is not clearly better than" in result.verdict


def test_criteria_are_relative_to_the_least():
    result = compare_laws(*draw_decay(3, 30_000))
    assert result.delta_bic[0] == result.delta_aic.min() == 0.0
    assert np.all(np.diff(result.delta_bic) >= 0)


def test_nothing_to_compare_says_why():
    with pytest.raises(FitError, match=r"No law can be fitted. There are no counts"):
        compare_laws(np.zeros(900, int), 0.032 * np.arange(900.0))

"""Foerster radius: published values, error propagation, a random walk."""

import numpy as np
import pytest

from tplm_daq.analysis.forster import forster_radius
from tplm_daq.errors import InputError


@pytest.mark.parametrize(("diffusivity_cm2_s", "published_nm"), [(0.01, 17.4), (0.15, 25.6)])
def test_published_radii_are_met_within_their_errors(diffusivity_cm2_s, published_nm):
    radius = forster_radius(diffusivity_cm2_s, lifetime_error_ns=0.2, spacing_error_nm=0.7)
    assert abs(radius.radius_nm - published_nm) < 1.2
    assert 0.5 < radius.error_nm < 1.3


def test_error_is_the_spread_of_propagated_draws():
    rng, n = np.random.default_rng(1), 20_000
    d_cm2_s, lifetime_ns, spacing_nm = rng.normal((0.05, 2.3, 10.0), (0.002, 0.1, 0.2), (n, 3)).T
    draws = [
        forster_radius(d, lifetime_ns=lifetime, spacing_nm=spacing).radius_nm
        for d, lifetime, spacing in zip(d_cm2_s, lifetime_ns, spacing_nm, strict=True)
    ]
    stated = forster_radius(0.05, 0.002, 2.3, 0.1, 10.0, 0.2).error_nm
    assert np.std(draws) == pytest.approx(stated, rel=0.03)


def test_hopping_at_the_rate_of_the_radius_diffuses_as_assumed():
    rng, radius_nm = np.random.default_rng(2), forster_radius(0.05).radius_nm
    n_walkers, time_ns = 20_000, 1.0
    per_direction = rng.poisson((radius_nm / 10.0) ** 6 / 2.3 * time_ns, (n_walkers, 2))
    x_nm = 10.0 * (per_direction[:, 0] - per_direction[:, 1])
    assert x_nm.var() / (2 * time_ns) / 1e5 == pytest.approx(0.05, rel=4 * np.sqrt(2 / n_walkers))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"diffusivity_cm2_s": 0.0}, "diffusivity_cm2_s is 0; a Foerster radius needs it finite and positive"),
        ({"diffusivity_cm2_s": np.nan}, "diffusivity_cm2_s is nan"),
        ({"diffusivity_cm2_s": 0.1, "spacing_nm": -10.0}, "spacing_nm is -10"),
        ({"diffusivity_cm2_s": 0.1, "lifetime_error_ns": -1.0}, "must be finite and not negative"),
    ],
)
def test_impossible_input_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        forster_radius(**arguments)

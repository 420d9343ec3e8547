"""Columns of a series."""

import numpy as np
import pytest

from tplm_daq.analysis.relaxation import fit_relaxation
from tplm_daq.analysis.series_table import series_table
from tplm_daq.errors import FitError

POWERS_NW = np.array([0.5, 2.0, 5.0, 10.0, 20.0])


def table(**changes):
    d_cm2_s = 0.01 + 0.14 * np.exp(-50.0 / POWERS_NW / 6.0)
    return series_table(
        **{
            "power_nw": POWERS_NW,
            "repetition_rate_hz": 2.5e6,
            "diffusivity_cm2_s": d_cm2_s,
            "standard_error_cm2_s": 0.02 * d_cm2_s,
            **changes,
        }
    )


def test_single_numbers_hold_for_every_run():
    series = table(temperature_k=300.0)
    assert len(series) == 5
    assert {column.shape for column in series.columns().values()} == {(5,)}
    assert np.all(series.temperature_k == 300.0)
    assert np.isnan(series.n_photons).all()


def test_time_between_excitations_follows_the_power():
    np.testing.assert_allclose(table().t_exc_us, 50.0 / POWERS_NW)
    np.testing.assert_allclose(table().excitons_per_pulse, 0.008 * POWERS_NW)


def test_own_excitation_replaces_the_published_one():
    series = table(excitons_per_pulse=0.004 * POWERS_NW)
    np.testing.assert_allclose(series.t_exc_us, 100.0 / POWERS_NW)


def test_rows_can_be_chosen():
    series = table(temperature_k=[300.0, 300.0, 50.0, 50.0, 50.0])
    assert len(series.rows(series.temperature_k > 290)) == 2
    np.testing.assert_array_equal(series.rows([4, 0]).power_nw, [20.0, 0.5])
    np.testing.assert_array_equal(series.rows(slice(1, 3)).power_nw, [2.0, 5.0])


def test_relaxation_can_be_fitted_to_it():
    assert fit_relaxation(table().enhancement()).tau_us == pytest.approx(6.0, rel=1e-4)


def test_columns_are_copies():
    powers_nw = POWERS_NW.copy()
    series = table(power_nw=powers_nw)
    powers_nw[0] = 99.0
    assert series.power_nw[0] == 0.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperature_k": [1.0, 2.0]}, "must have one entry per run"),
        ({"power_nw": -POWERS_NW}, "power_nw must be finite and positive"),
        ({"repetition_rate_hz": np.nan}, "repetition_rate_hz must be finite and positive"),
        ({"spot_fwhm_nm": 0.0}, "spot_fwhm_nm must be finite and positive"),
    ],
)
def test_columns_that_make_no_series_are_refused(changes, message):
    with pytest.raises(FitError, match=message):
        table(**changes)

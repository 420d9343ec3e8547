"""Maps that cannot be fitted say why."""

from dataclasses import replace

import numpy as np
import pytest

from tplm_daq.analysis.checks import checked_scan
from tplm_daq.errors import FitError
from tplm_daq.photons.histogram import TimePositionMap

X_NM = np.linspace(-100.0, 100.0, 5)
GOOD = TimePositionMap(
    counts=np.arange(50, dtype=np.uint32).reshape(5, 10),
    x_nm=X_NM,
    y_nm=np.zeros(5),
    delay_ns=0.1 * np.arange(10.0),
    dwell_s=np.full(5, 2.0),
    repetition_rate_hz=2.5e6,
    pixel_nm=(101.0, 90.0),
)
WITH_NAN = np.array([-100.0, np.nan, 0.0, 50.0, 100.0])

REFUSED = {
    "no counts": ({"counts": np.zeros((5, 10), int)}, "There are no counts"),
    "one bright position": ({"counts": np.outer([0, 0, 9, 0, 0], np.ones(10, int))}, "Only 1 positions have counts"),
    "negative counts": ({"counts": np.full((5, 10), -1)}, "as recorded, without background subtracted"),
    "one row of counts": ({"counts": np.ones(10, int)}, r"shape \(n_position, n_bin\), not \(10,\)"),
    "nan position": ({"x_nm": WITH_NAN}, "Position 1 is not a finite number"),
    "positions missing": ({"x_nm": X_NM[:4]}, "x_nm has 4 entries for 5 rows"),
    "dwell missing": ({"dwell_s": np.ones(2)}, "dwell_s has 2 entries for 5 rows"),
    "delays missing": ({"delay_ns": np.arange(4.0)}, "delay_ns has 4 entries for 10 bins"),
    "falling delays": ({"delay_ns": -np.arange(10.0)}, "must ascend"),
    "repeated delay": ({"delay_ns": np.repeat(np.arange(5.0), 2)}, "must ascend"),
    "uneven delays": ({"delay_ns": np.arange(10.0) ** 1.1}, "equally spaced: one step differs by"),
    "nan delay": ({"delay_ns": np.append(np.arange(9.0), np.nan)}, "must ascend from bin to bin and be finite"),
    "negative dwell": ({"dwell_s": np.array([1, 1, -1, 1, 1.0])}, "finite and not negative"),
    "nothing measured": ({"dwell_s": np.zeros(5)}, "0 of at least 5 positions have been measured"),
    "two measured": ({"dwell_s": np.array([1, 1, 0, 0, 0.0])}, "2 of at least 5 positions"),
    "one place": ({"x_nm": np.zeros(5)}, "only 1 different positions"),
    "a small area": ({"y_nm": 2 * np.abs(X_NM)}, "5 with 5 different x and 3 different y; a map needs 7"),
    "equal counts": ({"counts": np.full((5, 10), 7)}, r"All counts are equal \(7\): no pulse and no spot"),
    "nan counts": ({"counts": np.full((5, 10), np.nan)}, "counts must be finite numbers"),
    "t0 elsewhere": ({"t0_ns": 7.0}, r"t0_ns is 7 ns, outside the delays measured \(0 to 0.9 ns\)"),
    "no rate": ({"repetition_rate_hz": 0.0}, "repetition_rate_hz is 0; it must be positive"),
    "no response": ({"response_fwhm_ns": -0.1}, "response_fwhm_ns is -0.1; it must be positive"),
}


@pytest.mark.parametrize(("changes", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_fitted_is_refused_with_its_reason(changes, message):
    with pytest.raises(FitError, match=message):
        checked_scan(replace(GOOD, **changes))


def test_few_bins_are_refused():
    few = replace(GOOD, counts=np.ones((5, 4), int), delay_ns=np.arange(4.0))
    with pytest.raises(FitError, match="4 delay bins are too few"):
        checked_scan(few)


def test_the_axis_is_the_one_along_which_positions_spread():
    along_x = checked_scan(GOOD)
    along_y = checked_scan(replace(GOOD, x_nm=np.full(5, 7.0), y_nm=X_NM))
    assert (along_x.axis, along_x.pixel_nm, along_x.pixel_across_nm) == ("x", 101.0, 90.0)
    assert (along_y.axis, along_y.pixel_nm, along_y.pixel_across_nm) == ("y", 90.0, 101.0)
    assert np.array_equal(along_y.position_nm, X_NM)


def test_positions_without_dwell_are_left_out_even_if_they_are_not_numbers():
    x_nm = np.array([-100.0, np.nan, -50.0, 0.0, 50.0, 70.0, 100.0])
    counts = np.arange(70).reshape(7, 10)
    dwell_s = np.array([1.0, 0.0, 2.0, 1.0, 1.0, 0.0, 1.0])
    scan = checked_scan(replace(GOOD, counts=counts, x_nm=x_nm, y_nm=np.zeros(7), dwell_s=dwell_s))
    assert scan.position_nm.tolist() == [-100.0, -50.0, 0.0, 50.0, 100.0]
    assert scan.dwell == pytest.approx(np.array([1.0, 2.0, 1.0, 1.0, 1.0]) / 1.2)


def test_read_back_noise_across_the_line_is_allowed():
    noise_nm = np.random.default_rng(0).normal(0.0, 8.0, 5)
    assert checked_scan(replace(GOOD, y_nm=noise_nm)).axis == "x"

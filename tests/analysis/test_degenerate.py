"""Input from which no diffusivity follows: every method says what is wrong, none gives a number."""

from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.synthetic import Scene, as_map, drawn
from tplm_daq.analysis.pipeline import analyse
from tplm_daq.analysis.spot import require_centre_inside
from tplm_daq.errors import FitError
from tplm_daq.recipes.analysis import AnalysisRecipe

SCENE = Scene(dead_time_ns=None, has_wrapped_tail=False, bin_width_ns=0.05, span_ns=10.0)
GOOD = drawn(SCENE, seed=1)
SHAPE = GOOD.counts.shape
ONE_BIN = np.zeros(SHAPE, int)
ONE_BIN[:, 100] = 50
HOT_PIXEL = np.zeros(SHAPE, int)
HOT_PIXEL[20] = GOOD.counts[20]
BACKWARDS = GOOD.delay_ns.copy()
BACKWARDS[50] = BACKWARDS[40]
NAN_POSITION = np.where(np.arange(41) == 7, np.nan, GOOD.x_nm)


def rows(*places):
    place = np.array(places)
    return {name: getattr(GOOD, name)[place] for name in ("counts", "x_nm", "y_nm", "dwell_s")}


CASES = {
    "no counts": ({"counts": np.zeros(SHAPE, int)}, "There are no counts"),
    "equal counts": ({"counts": np.full(SHAPE, 3)}, "All counts are equal"),
    "one delay bin": ({"counts": ONE_BIN}, "All 2050 counts are in one delay bin"),
    "one bright position": ({"counts": HOT_PIXEL}, "Only 1 positions have counts"),
    "one position": (rows(20), "1 of at least 5 positions"),
    "four positions": (rows(10, 18, 22, 30), "4 of at least 5 positions"),
    "one place many times": ({"x_nm": np.full(41, 3.0)}, "only 1 different positions"),
    "micrometres": ({"x_nm": GOOD.x_nm / 1000}, "span 2 nm only, less than the detector pixel of 101 nm.*in nm"),
    "picoseconds": ({"delay_ns": GOOD.delay_ns * 1000}, "Are delays in ns"),
    "slow response": ({"response_fwhm_ns": 50.0}, "response_fwhm_ns is 50 ns, longer than the fit window of 3 ns"),
    "nan position": ({"x_nm": NAN_POSITION}, "Position 7 is not a finite number"),
    "delays that go back": ({"delay_ns": BACKWARDS}, "must ascend"),
    "negative counts": ({"counts": GOOD.counts.astype(int) - 1}, "must not be negative"),
    "spot far outside": (
        {"x_nm": GOOD.x_nm + 1e4, "counts": GOOD.counts[::-1] * 0 + GOOD.counts[:1]},
        "spot|width|only 0 of",
    ),
    "half of a spot, cut at its centre": (rows(*range(25, 41)), "outside the positions|spot|Gaussian|width"),
}


@pytest.mark.parametrize("method", ["auto", "convolution", "lsq", "paper"])
@pytest.mark.parametrize(("changes", "message"), CASES.values(), ids=CASES)
def test_no_number_comes_of_it(changes, message, method):
    with pytest.raises(FitError, match=message):
        analyse(replace(GOOD, **changes), AnalysisRecipe(method=method))


@pytest.mark.parametrize("scale", [1e3, 1e6])
def test_huge_counts_are_no_problem(scale):
    expected = as_map(SCENE, np.round(GOOD.counts * scale).astype(np.int64))
    result = analyse(expected, AnalysisRecipe(method="poisson"))
    assert result.diffusivity_cm2_s == pytest.approx(analyse(GOOD, AnalysisRecipe()).diffusivity_cm2_s, rel=1e-2)


def test_on_a_map_the_axis_beside_which_the_spot_lies_is_named():
    with pytest.raises(FitError, match=r"centre seems to be at y = 150 nm, outside the positions measured \(0 to 100"):
        require_centre_inside(np.array([0.0, 100.0]), 150.0, "y")

"""Lamp, warnings and systematic error follow the circumstances."""

from dataclasses import replace

import pytest

from tplm_daq.analysis.bias import Circumstances, bias_budget, in_quadrature, lamp, reasons

FINE = Circumstances(
    method="poisson",
    diffusivity_cm2_s=0.05,
    standard_error_cm2_s=0.0005,
    magnification_error=0.01,
    blind_fraction=0.008,
    is_dead_time_corrected=True,
    has_prepulse=True,
    wrapped_ratio=1e-5,
    window_ns=3.0,
    n_photons=2_000_000,
    n_positions=41,
    reach_sigma=3.1,
    misfit_sd=0.3,
)

CASES = {
    "no dwell": ({"blind_fraction": None}, "amber", "Pile-up is not known"),
    "no dead time": ({"is_dead_time_corrected": False}, "amber", "Pile-up of 0.8 % is not corrected: dead_time_ns"),
    "heavy pile-up": ({"blind_fraction": 0.12}, "amber", "blind for 12 % of the pulses; above 5 %"),
    "nothing before": ({"has_prepulse": False}, "amber", "No delays before the pulse"),
    "wrapped": ({"wrapped_ratio": 0.008}, "amber", "tail of earlier pulses is 0.8 % of the peak"),
    "dim": ({"n_photons": 400}, "amber", "Only 400 photons"),
    "cut": ({"reach_sigma": 1.4}, "amber", "ends 1.4 standard deviations .* measure 2 on both sides"),
    "half": ({"reach_sigma": 0.2}, "red", "ends 0.2 standard deviations"),
    "sparse": ({"n_positions": 5}, "amber", "5 positions cannot show"),
    "paper": ({"method": "paper"}, "amber", "interval of the method paper is not calibrated"),
    "long window": ({"window_ns": 6.0}, "amber", "window of 6 ns is longer than 3 ns"),
    "misfit": ({"misfit_sd": 8.0}, "amber", "misses the counts by 8.0 standard deviations"),
    "bad misfit": ({"misfit_sd": 80.0}, "red", "misses the counts by 80.0 standard deviations"),
    "still": ({"diffusivity_cm2_s": 0.0004}, "amber", "does not differ from zero"),
    "shrinking": ({"diffusivity_cm2_s": -0.01}, "red", "negative beyond its error"),
}


def test_a_good_scan_is_green():
    assert reasons(FINE) == []
    assert lamp(reasons(FINE)) == "green"


@pytest.mark.parametrize(("changes", "colour", "text"), CASES.values(), ids=CASES)
def test_each_circumstance_is_named(changes, colour, text):
    found = reasons(replace(FINE, **changes))
    assert len(found) == 1
    assert lamp(found) == colour
    with pytest.raises(AssertionError, match=text):
        raise AssertionError(found[0].text)


def test_red_reasons_come_first():
    found = reasons(replace(FINE, n_photons=10, reach_sigma=0.1, window_ns=9.0))
    assert [reason.lamp for reason in found] == ["red", "amber", "amber"]


def test_one_percent_of_magnification_is_two_percent_of_the_diffusivity():
    assert in_quadrature(bias_budget(FINE)) == pytest.approx(0.02 * 0.05, rel=1e-3)


@pytest.mark.parametrize(("diffusivity", "relative"), [(0.01, 0.09), (0.05, 0.03), (0.15, 0.02)])
def test_pile_up_that_is_not_corrected_enters_the_budget(diffusivity, relative):
    seen = replace(FINE, diffusivity_cm2_s=diffusivity, blind_fraction=0.05, is_dead_time_corrected=False)
    (term,) = [term for term in bias_budget(seen) if "pile-up" in term.name]
    assert term.error_cm2_s == pytest.approx(relative * diffusivity, rel=0.2)

"""Lamp, warnings and systematic error follow the circumstances."""

from dataclasses import replace

import pytest

from tplm_daq.analysis.bias import Circumstances, bias_budget, ellipse_bias, in_quadrature
from tplm_daq.analysis.lamp import lamp, reasons
from tplm_daq.analysis.result import Figure

FINE = Circumstances(
    method="poisson",
    diffusivity_cm2_s=0.05,
    standard_error_cm2_s=0.0005,
    half_interval_cm2_s=0.00098,
    magnification_error=0.01,
    ellipticity=0.05,
    relative_drift=0.0,
    shape_doubt_cm2_s=0.0,
    shape_reason="",
    blind_fraction=0.008,
    is_dead_time_corrected=True,
    dead_time_gain=None,
    dead_time_doubt_cm2_s=0.0,
    has_prepulse=True,
    wrapped_ratio=1e-5,
    window_ns=3.0,
    decay_break=Figure("decay_break_ns", 3.0, (2.9, 3.1)),
    change=Figure("diffusivity_change_cm2_s", 0.001, (-0.001, 0.003)),
    change_sd=1.0,
    n_photons=2_000_000,
    n_positions=41,
    reach_sigma=3.1,
    misfit_sd=0.3,
)

CASES = {
    "no dwell": ({"blind_fraction": None}, "amber", "Pile-up is not known"),
    "no dead time": ({"is_dead_time_corrected": False}, "amber", "Pile-up of 0.8 % is not corrected: dead_time_ns"),
    "drift": ({"relative_drift": 0.025}, "red", "drift during the scan: 0.0025 cm2/s"),
    "halo": ({"shape_reason": "auto took two Gaussians."}, "amber", "auto took two Gaussians"),
    "early break": ({"decay_break": Figure("b", 2.0, (1.8, 2.2))}, "amber", "into a power law at 2 ns, within the"),
    "bent": ({"change_sd": -4.0}, "amber", r"falls by 0.001 cm2/s in its later half \(4.0 standard errors"),
    "dead time seen": ({"dead_time_gain": 4.0}, "amber", r"usual 95 ns are assumed .* 0.8 %: .*likelier \(by 4.0"),
    "no dead time seen": (
        {"dead_time_gain": -2.5, "is_dead_time_corrected": False},
        "amber",
        r"0.8 % of the pulses gave a count .* likelier without pile-up \(by 2.5",
    ),
    "dead time not seen": (
        {"dead_time_gain": 1.0, "is_dead_time_corrected": False},
        "amber",
        "Pile-up of 0.8 % is not corrected: .* do not show",
    ),
    "heavy pile-up": ({"blind_fraction": 0.12}, "amber", "blind for 12 % of the pulses; above 5 %"),
    "nothing before": ({"has_prepulse": False}, "amber", "No delays before the pulse"),
    "wrapped": ({"wrapped_ratio": 0.008}, "amber", "tail of earlier pulses is 0.8 % of the peak"),
    "dim": ({"n_photons": 400}, "amber", "Only 400 photons"),
    "cut": ({"reach_sigma": 1.4}, "amber", "ends 1.4 standard deviations .* measure 2 on both sides"),
    "half": ({"reach_sigma": 0.2}, "red", "ends 0.2 standard deviations"),
    "sparse": ({"n_positions": 5}, "amber", "5 positions cannot show"),
    "paper": ({"method": "paper"}, "amber", "interval of the method paper is not calibrated"),
    "long window": ({"window_ns": 6.0}, "amber", "window of 6 ns is longer than 3.1 ns; there the decay turns"),
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


def test_pile_up_beyond_the_interval_is_red():
    found = reasons(replace(FINE, is_dead_time_corrected=False, blind_fraction=0.04))
    assert [reason.lamp for reason in found] == ["red", "amber"]
    assert "(pile-up, not corrected: 0.0013 cm2/s) is larger than the interval (+-0.00098 cm2/s)" in found[0].text


def test_red_reasons_come_first():
    found = reasons(replace(FINE, n_photons=10, reach_sigma=0.1, window_ns=9.0))
    assert [reason.lamp for reason in found] == ["red", "amber", "amber"]


def test_one_percent_of_magnification_is_two_percent_of_the_diffusivity():
    terms = {term.name: term.error_cm2_s for term in bias_budget(FINE)}
    assert terms["magnification"] == pytest.approx(0.02 * 0.05)
    assert in_quadrature(bias_budget(FINE)) == pytest.approx(0.02 * 0.05, rel=0.02)


@pytest.mark.parametrize(("ratio", "bias"), [(1.0, 0.0), (1.2, 0.0325), (1.5, 0.148)])
def test_the_bias_of_a_tilted_ellipse_is_its_squared_correlation(ratio, bias):
    assert ellipse_bias(ratio - 1.0) == pytest.approx(bias, abs=5e-4)


@pytest.mark.parametrize(("diffusivity", "relative"), [(0.01, 0.09), (0.05, 0.03), (0.15, 0.02)])
def test_pile_up_that_is_not_corrected_enters_the_budget(diffusivity, relative):
    seen = replace(FINE, diffusivity_cm2_s=diffusivity, blind_fraction=0.05, is_dead_time_corrected=False)
    (term,) = [term for term in bias_budget(seen) if "pile-up" in term.name]
    assert term.error_cm2_s == pytest.approx(relative * diffusivity, rel=0.2)

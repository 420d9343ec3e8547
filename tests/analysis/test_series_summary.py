"""Series put together from runs with known answers."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from tests.analysis.series_runs import power_series, series_run
from tplm_daq.analysis.relaxation import Relaxation
from tplm_daq.analysis.series_summary import SeriesSummary


def summary(*runs, left_out=()):
    return SeriesSummary("series", "folder", tuple(runs), tuple(left_out))


def test_a_power_series_gives_the_relaxation_time_and_is_reversible():
    (group,) = summary(*power_series()).groups
    assert isinstance(group.relaxation, Relaxation)
    assert group.relaxation.tau_us == pytest.approx(6.0, abs=3 * group.relaxation.tau_error_us)
    assert group.findings["reversibility"].verdict.startswith("D returns within the errors")
    assert group.findings["average power only"].numbers is None
    assert "The repetition rate does not vary" in group.findings["average power only"].verdict


def test_the_brightest_run_in_between_is_the_high_power_of_the_reversibility_test():
    runs = [series_run(power_nw) for power_nw in (1.5, 3.0, 6.0, 4.0, 1.5)]
    (group,) = summary(*runs).groups
    numbers = group.findings["reversibility"].numbers
    high, low = runs[2].diffusivity_cm2_s, runs[0].diffusivity_cm2_s
    assert numbers["enhancement_z"] == pytest.approx((high - low) / (1e-3 * math.sqrt(1.5)), rel=1e-6)


def test_a_series_over_samples_and_temperatures_is_divided():
    runs = [series_run(4.0, sample=sample, temperature_k=kelvin) for sample in "ab" for kelvin in (300.1, 150.2)]
    groups = summary(*runs).groups
    assert [group.name for group in groups] == ["a, 300 K", "a, 150 K", "b, 300 K", "b, 150 K"]
    assert all(isinstance(group.relaxation, str) for group in groups)


def test_filters_at_one_power_show_whether_the_signal_matters():
    filters = [series_run(6.0, detection_filter=name, n_photons=n) for name, n in (("open", 9e6), ("ND 1", 9e5))]
    (group,) = summary(*filters, series_run(1.0, detection_filter="open")).groups
    finding = group.findings["signal invariance"]
    assert finding.numbers["n_dof"] == 1
    assert finding.verdict.startswith("D agrees at all count rates")


def test_rates_at_the_same_powers_show_whether_only_the_average_power_matters():
    rng = np.random.default_rng(3)
    runs = [
        series_run(power_nw, repetition_rate_hz=rate_hz, off_cm2_s=1e-3 * rng.normal())
        for power_nw in (2.0, 8.0)
        for rate_hz in (0.5e6, 1e6, 2.5e6, 5e6)
    ]
    (group,) = summary(*runs).groups
    assert group.findings["average power only"].verdict.startswith("Nothing speaks against the average power alone")


def test_the_dictionary_is_plain_and_finite_even_where_nothing_is_known():
    runs = [series_run(1.0, temperature_k=math.nan), series_run(2.0, diffusivity_cm2_s=-1e-3)]
    answer = summary(*runs, left_out=[("4 nW", "no light")]).to_dict()
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert answer["left_out"] == [{"label": "4 nW", "reason": "no light"}]
    assert answer["runs"][0]["temperature_k"] is None
    assert answer["runs"][1]["forster_radius_nm"] is None
    assert "at least 4" in answer["groups"][0]["relaxation"]["reason"]


def test_no_runs_make_no_groups():
    assert summary().to_dict() == {"runs": [], "groups": [], "left_out": []}


def test_the_foerster_radius_of_a_run_uses_its_lifetime():
    run = series_run(1.0, diffusivity_cm2_s=0.01, lifetime_ns=(2.3, 2.2, 2.4))
    assert run.forster.radius_nm == pytest.approx(16.9, abs=0.05)
    assert run.fluence_uj_cm2 == pytest.approx(0.076, rel=1e-3)

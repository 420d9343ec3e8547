"""The rules of comparison call agreement what agrees, failure what fails, and explained only what has a reason."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tplm_daq.report.paper.view import Origin, Verdict
from tplm_daq.workflow.paper.rows import compared, missing, scaled_error, shown, unrefuted

RECOVERED = Origin.RECOVERED


@pytest.mark.parametrize(
    ("value", "reason", "verdict"),
    [
        (6.25, "", Verdict.AGREES),
        (6.27, "", Verdict.FAILS),
        (6.27, "a limit of the model", Verdict.EXPLAINED),
        (5.7, "a limit of the model", Verdict.EXPLAINED),
        (6.25, "a limit of the model", Verdict.AGREES),
    ],
)
def test_a_number_agrees_within_its_99_percent_interval(value: float, reason: str, verdict: Verdict) -> None:
    row = compared("τ", 6.0, value, 0.1, "µs", RECOVERED, reason=reason)
    assert row.verdict is verdict
    assert row.to_dict()["agreement"] is (verdict is Verdict.AGREES)
    assert ("standard errors" in row.explanation) is (verdict is not Verdict.AGREES)
    assert (bool(reason) and reason.capitalize() in row.explanation) is (verdict is Verdict.EXPLAINED)


def test_one_percent_of_good_numbers_fail_by_chance() -> None:
    values = 6.0 + 0.1 * np.random.default_rng(1).normal(size=4000)
    n_failed = sum(compared("τ", 6.0, value, 0.1, "µs", RECOVERED).verdict is Verdict.FAILS for value in values)
    assert 22 <= n_failed <= 60


@pytest.mark.parametrize(("value", "error"), [(math.nan, 0.1), (6.0, 0.0), (6.0, math.nan)])
def test_a_number_without_value_or_error_does_not_agree(value: float, error: float) -> None:
    row = compared("τ", 6.0, value, error, "µs", RECOVERED)
    assert (row.verdict, row.explanation) == (Verdict.FAILS, "There is no number with an error to compare")


@pytest.mark.parametrize(
    ("p_value", "stays", "is_seen"),
    [
        (0.5, Verdict.AGREES, Verdict.FAILS),
        (1e-3, Verdict.FAILS, Verdict.AGREES),
        (math.nan, Verdict.FAILS, Verdict.FAILS),
    ],
)
def test_a_statement_must_not_be_refuted_and_an_effect_must_be_seen(
    p_value: float, stays: Verdict, is_seen: Verdict
) -> None:
    assert unrefuted("D", "the same", "", p_value, RECOVERED).verdict is stays
    assert shown("D", "rises", "", p_value, RECOVERED).verdict is is_seen


def test_what_is_missing_fails_with_the_reason() -> None:
    row = missing("τ", "6 µs", "too few powers", RECOVERED)
    assert (row.verdict, row.ours, row.explanation) == (Verdict.FAILS, "not determined", "too few powers")


def test_the_standard_error_follows_from_a_95_percent_interval() -> None:
    assert scaled_error((2.0, 1.804, 2.196)) == pytest.approx(0.1, rel=1e-3)

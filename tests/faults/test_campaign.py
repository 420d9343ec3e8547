"""A small part of the fault campaign, and whether its judge would notice."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.faults import SILENCE, Fault
from tests.faults.campaign import cases, judge, run_all
from tests.faults.rehearsal import Aftermath, impatient

N_IN_EVERY_TEST_RUN = 24


@pytest.fixture(autouse=True)
def _impatient() -> Iterator[None]:
    with impatient():
        yield


def test_transactions_drawn_at_random_suffer_and_the_run_ends_as_it_should(tmp_path: Path) -> None:
    chosen = random.Random(4).sample(cases(tmp_path), N_IN_EVERY_TEST_RUN)
    table, failures = run_all(chosen, tmp_path)
    assert not failures, "\n".join([*failures, table])


FAULT = Fault(SILENCE, "trigger", at_transaction=3)
WRONG = {
    "a light left on": (Aftermath(1, "trigger at x: did not answer in time", "failed", 10.0, 1.0), "light out"),
    "a run without end": (Aftermath(1, "trigger at x: did not answer in time", "failed", 0.0, 60.0), "bounded"),
    "a message about nothing": (Aftermath(1, "something went wrong somewhere", "failed", 0.0, 1.0), "device named"),
    "a point lost": (Aftermath(1, "trigger at x: did not answer in time", "failed", 0.0, 1.0, 2), "points kept"),
    "a run too short": (Aftermath(0, "", "completed", 0.0, 1.0), "complete"),
    "bad input": (Aftermath(2, "trigger: no such thing on this rig", "no file", 0.0, 1.0), "status"),
}


@pytest.mark.parametrize("what", WRONG)
def test_the_judge_notices(what: str) -> None:
    aftermath, expected = WRONG[what]
    assert expected in judge(FAULT, aftermath)


def test_the_judge_accepts_an_alarm_when_the_light_cannot_be_put_out() -> None:
    assert judge(FAULT, Aftermath(1, "LIGHT MAY BE ON: the laser's trigger failed", "failed", 10.0, 1.0)) == []

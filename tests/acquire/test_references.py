"""Rates at the reference positions: what counts as a change, and what does not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.store.made_runs import row
from tplm_daq.acquire.events import Notice, PointDone
from tplm_daq.acquire.guards import Level
from tplm_daq.acquire.references import ReferenceRates
from tplm_daq.recipes.rig import Guards
from tplm_daq.store.layout import PointFlags


def visit(index: int, n_counts: int, live_s: float = 1.0) -> PointDone:
    return PointDone(row(0, index=index, live_s=live_s), np.array([n_counts, 0], dtype=np.uint32), 1, 9)


def after(*visits: PointDone, limits: Guards = Guards()) -> ReferenceRates:  # noqa: B008
    rates = ReferenceRates((1, 3), limits)
    for each in visits:
        rates.on_event(each)
    return rates


BEGINNING = (visit(1, 9000), visit(3, 11_000))


def test_nothing_is_said_before_every_reference_was_visited_again() -> None:
    assert after(*BEGINNING).judge().level is Level.OK
    assert after(*BEGINNING, visit(1, 10)).judge().level is Level.OK


def test_a_fading_light_is_noticed_in_all_references_together() -> None:
    verdict = after(*BEGINNING, visit(1, 6000), visit(3, 8000)).judge()
    assert (verdict.level, verdict.flag) == (Level.SUSPECT, PointFlags.POWER)
    assert verdict.reason.startswith("reference rate: 0.70 ± 0.01 of what it was at first (20% allowed). The laser's")


def test_a_spot_that_moves_from_one_flank_to_the_other_is_no_change_of_light() -> None:
    assert after(*BEGINNING, visit(1, 6000), visit(3, 14_000)).judge().level is Level.OK


@pytest.mark.parametrize(("live_s", "level"), [(2.0, Level.SUSPECT), (0.5, Level.OK)])
def test_rates_are_compared_and_not_counts(live_s: float, level: Level) -> None:
    assert after(*BEGINNING, visit(1, 4500, live_s), visit(3, 5500, live_s)).judge().level is level


def test_only_the_latest_visit_counts() -> None:
    faded = (visit(1, 6000), visit(3, 8000))
    assert after(*BEGINNING, *faded, visit(1, 9000), visit(3, 11_000)).judge().level is Level.OK


def test_a_resumed_run_judges_by_its_own_visits_against_the_first_ones() -> None:
    rates = after(*BEGINNING, visit(1, 6000), visit(3, 8000))
    rates.begin_anew()
    rates.on_event(visit(1, 6000))
    assert rates.judge().level is Level.OK
    rates.on_event(visit(3, 8000))
    assert rates.judge().level is Level.SUSPECT


def test_few_counts_are_no_evidence() -> None:
    assert after(visit(1, 9), visit(3, 11), visit(1, 6), visit(3, 8)).judge().level is Level.OK


def test_dark_references_and_other_positions_say_nothing() -> None:
    assert after(visit(1, 0), visit(3, 0), visit(1, 0), visit(3, 0)).judge().level is Level.OK
    assert after(visit(2, 5), visit(2, 9000), Notice("info", "x")).judge().level is Level.OK
    rates = ReferenceRates((), Guards())
    rates.on_event(visit(1, 5))
    assert rates.judge().level is Level.OK


def test_the_rig_file_may_end_the_run_for_it() -> None:
    stop = Guards(on_reference="stop")
    assert after(*BEGINNING, visit(1, 6000), visit(3, 8000), limits=stop).judge().level is Level.STOP

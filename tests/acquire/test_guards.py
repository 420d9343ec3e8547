"""What each guard says of a reading; its reason names reading, limit and next step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tplm_daq.acquire import guards
from tplm_daq.acquire.events import Event, Notice
from tplm_daq.acquire.guards import Level, Verdict
from tplm_daq.errors import GuardStop
from tplm_daq.readings import Rates
from tplm_daq.recipes.rig import Action, Guards
from tplm_daq.store.layout import PointFlags

LIMITS = Guards()


@dataclass(frozen=True)
class Case:
    name: str
    verdict: Verdict
    level: Level
    says: str = ""


CASES = [
    Case("sync as asked", guards.judge_sync(Rates(2.5e6, 0), 2.5e6, LIMITS), Level.OK),
    Case("sync off by half a percent", guards.judge_sync(Rates(2.5125e6, 0), 2.5e6, LIMITS), Level.OK),
    Case("sync doubled", guards.judge_sync(Rates(5e6, 0), 2.5e6, LIMITS), Level.STOP, "5 MHz where 2.5 MHz"),
    Case("no sync", guards.judge_sync(Rates(0, 0), 2.5e6, LIMITS), Level.STOP, "no sync"),
    Case("few counts", guards.judge_rate_ratio(Rates(2.5e6, 20e3), LIMITS), Level.OK),
    Case("just above 1 %", guards.judge_rate_ratio(Rates(2.5e6, 25.1e3), LIMITS), Level.OK),
    Case("2 % of the pulses", guards.judge_rate_ratio(Rates(2.5e6, 50e3), LIMITS), Level.SUSPECT, "2.0%"),
    Case("20 % of the pulses", guards.judge_rate_ratio(Rates(2.5e6, 500e3), LIMITS), Level.STOP, "10.0% is the limit"),
    Case("no sync, no ratio", guards.judge_rate_ratio(Rates(0, 500), LIMITS), Level.OK),
    Case("bright but safe", guards.judge_detector(Rates(2.5e6, 4.9e6), LIMITS), Level.OK),
    Case("room light", guards.judge_detector(Rates(2.5e6, 6e6), LIMITS), Level.STOP, "6 Mcps, 5 Mcps is the limit"),
    Case("power as asked", guards.judge_power(9.0, 10.0, LIMITS), Level.OK),
    Case("laser faded", guards.judge_power(8.0, 10.0, LIMITS), Level.SUSPECT, "8 nW at the sample where 10 nW"),
    Case("laser too bright", guards.judge_power(11.8, 10.0, LIMITS), Level.SUSPECT, "(+18.0%, 15% allowed). Check"),
    Case("laser off", guards.judge_power(-1e-3, 10.0, LIMITS), Level.SUSPECT, "-100.0%"),
    Case("references as bright as ever", guards.judge_reference(0.85, 0.01, LIMITS), Level.OK),
    Case("references fewer by chance", guards.judge_reference(0.75, 0.03, LIMITS), Level.OK),
    Case("references faded", guards.judge_reference(0.7, 0.03, LIMITS), Level.SUSPECT, "0.70 ± 0.03 of what it was"),
    Case("temperature not asked for", guards.judge_temperature(12.0, None, LIMITS), Level.OK),
    Case("temperature in band", guards.judge_temperature(300.4, 300.0, LIMITS), Level.OK),
    Case("temperature off", guards.judge_temperature(298.0, 300.0, LIMITS), Level.PAUSE, "298.000 K where 300 K"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdict(case: Case) -> None:
    assert case.verdict.level is case.level
    assert case.says in case.verdict.reason
    assert bool(case.verdict.reason) == (case.level is not Level.OK)


def test_a_full_disk_stops_before_the_first_point(tmp_path: Path) -> None:
    assert guards.judge_disk(tmp_path, 1.0, LIMITS).level is Level.OK
    verdict = guards.judge_disk(tmp_path, 1e12, LIMITS)
    assert verdict.level is Level.STOP
    assert "choose another folder with --out" in verdict.reason


def test_suspect_reasons_are_passed_on_and_mark_the_point() -> None:
    heard: list[Event] = []
    verdicts = [guards.OK, Verdict(Level.SUSPECT, "a", PointFlags.PILE_UP), Verdict(Level.SUSPECT, "b")]
    assert guards.heed(verdicts, heard.append) == PointFlags.SUSPECT | PointFlags.PILE_UP
    assert heard == [Notice("warning", "a"), Notice("warning", "b")]


@pytest.mark.parametrize(("action", "level"), [("warn", Level.SUSPECT), ("pause", Level.PAUSE), ("stop", Level.STOP)])
def test_the_rig_file_says_what_follows(action: Action, level: Level) -> None:
    asked = Guards(on_sync=action, on_pile_up=action, on_temperature=action, on_power=action)
    assert guards.judge_power(7.0, 10.0, asked).level is level
    assert guards.judge_power(7.0, 10.0, asked).flag is PointFlags.POWER
    assert guards.judge_sync(Rates(0, 0), 2.5e6, asked).level is level
    assert guards.judge_sync(Rates(5e6, 0), 2.5e6, asked).level is level
    assert guards.judge_rate_ratio(Rates(2.5e6, 500e3), asked).level is level
    assert guards.judge_temperature(298.0, 300.0, asked).level is level
    assert guards.judge_detector(Rates(2.5e6, 6e6), asked).level is Level.STOP


def test_stop_raises_with_its_reason() -> None:
    with pytest.raises(GuardStop, match="because"):
        guards.heed([guards.OK, Verdict(Level.STOP, "because")], pytest.fail)

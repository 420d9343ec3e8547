"""What a check found, in lines for the operator."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from tests.rig.conftest import rig_recipe
from tplm_daq.gui.check_text import check_text, duration
from tplm_daq.workflow.calibrated import Calibrations
from tplm_daq.workflow.check import check_scan
from tplm_daq.workflow.load import load_scan

NOON = datetime(2026, 3, 1, 12, 0)
UNCALIBRATED = Calibrations((), ())


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (119.0, "119 s"), (1105.0, "18 min"), (7260.0, "2 h 01 min")]
)
def test_a_time_is_said_as_people_do(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_time_rate_pile_up_and_precision_are_there_with_units() -> None:
    report = check_scan(load_scan("scan_line.yaml", "rig_sim.yaml", [])[0], rig_recipe())
    text = check_text(report, UNCALIBRATED, NOON)
    for part in ("ends Sun 12:18", "20 kcps", "0.8 % of the pulses", "50.0 nm", "± 0.7", "µJ on the spot"):
        assert part in text


def test_warnings_are_told_and_cannot_be_mistaken_for_markup() -> None:
    report = check_scan(load_scan("scan_line.yaml", "rig_sim.yaml", [])[0], rig_recipe())
    text = check_text(replace(report, warnings=("D < 0 & worse",), peak_cps=None, precision=()), UNCALIBRATED, NOON)
    assert "<p>⚠ D &lt; 0 &amp; worse</p>" in text
    assert "peak rate" not in text

"""What the terminal draws while a job runs: how far it is and how long it takes, at the width that terminals have."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from tests.workflow.test_series import job
from tplm_daq.acquire.events import Notice
from tplm_daq.interrupts import Signals
from tplm_daq.watching import NOTICES_SHOWN, ScanDisplay, run_watched
from tplm_daq.workflow.series import SeriesProgress, plan_series


def watched(folder: Path, console: Console, name: str = "") -> None:
    with Signals() as signals:
        run_watched(job(folder, reference_every=2), console, signals, name)


@pytest.mark.parametrize("name", ["", "power (4E)"])
def test_each_condition_of_a_series_is_announced_with_what_came_of_the_one_before(name: str, tmp_path: Path) -> None:
    file = io.StringIO()
    watched(tmp_path, Console(file=file, width=80), name)
    lines = [line for line in file.getvalue().splitlines() if not line.startswith(("warning", "corrects"))]
    announced = [line for line in lines if re.match(r"\d of 4  ", line)]
    wanted = ["1 of 4  4 nW", "2 of 4  8 nW", "3 of 4  16 nW", "4 of 4  4 nW (again)"]
    assert announced == ([] if name else wanted)
    found = [line for line in lines if re.fullmatch(r" +D -?\d\.\d{4} ± \d\.\d{4} cm²/s, completed", line)]
    assert len(found) == (0 if name else 3)


def test_a_terminal_of_80_columns_shows_the_time_that_is_left(tmp_path: Path) -> None:
    file = io.StringIO()
    watched(tmp_path, Console(file=file, width=80, force_terminal=True, color_system=None))
    drawn = [line for line in re.split(r"[\r\n]", file.getvalue()) if "photons" in line]
    assert drawn
    assert all(re.search(r"\d of 4 · .* photons · D .*\d+/18 left ", line) for line in drawn)


def test_warnings_are_counted_anew_in_each_condition() -> None:
    series = job(Path("nowhere"))
    planned = plan_series(series.recipe, series.rig_recipe)
    file = io.StringIO()
    display = ScanDisplay(Console(file=file, width=80))
    for number, each in enumerate(planned, start=1):
        display.on_condition(SeriesProgress(number, len(planned), each, ()))
        for _ in range(NOTICES_SHOWN + 2):
            display.on_event(Notice("warning", "[a] spot drifts"))
    display.refresh(None)
    assert file.getvalue().count("warning [a] spot drifts") == len(planned) * NOTICES_SHOWN


def test_warnings_of_a_series_among_others_name_it_and_their_condition() -> None:
    series = job(Path("nowhere"), reference_every=2)
    planned = plan_series(series.recipe, series.rig_recipe)
    file = io.StringIO()
    display = ScanDisplay(Console(file=file, width=80), "power (4E)")
    display.on_event(Notice("info", "the rig is opened"))
    for number, each in enumerate(planned, start=1):
        display.on_condition(SeriesProgress(number, len(planned), each, ()))
        display.on_event(Notice("warning", "[a] spot drifts"))
    display.refresh(None)
    assert file.getvalue().splitlines() == [
        "info power (4E): the rig is opened",
        *(f"warning power (4E), {label}: [a] spot drifts" for label in ("4 nW", "8 nW", "16 nW", "4 nW (again)")),
    ]

"""What the terminal draws while a job runs: how far it is and how long it takes, at the width that terminals have."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from tests.end_to_end.program import wait_for
from tests.store.made_runs import row
from tests.workflow.test_series import job
from tplm_daq.acquire.events import Notice, PointDone
from tplm_daq.interrupts import Signals
from tplm_daq.watching import NOTICES_SHOWN, ScanDisplay, SeriesBoard, run_watched
from tplm_daq.workflow.paper.crew import Advanced, Begun, Ended
from tplm_daq.workflow.paper.programme import ITEMS
from tplm_daq.workflow.paper.tasks import SeriesTask, load_task
from tplm_daq.workflow.series import SeriesProgress, plan_series


def watched(folder: Path, console: Console) -> None:
    with Signals() as signals:
        run_watched(job(folder, reference_every=2), console, signals)


def test_each_condition_of_a_series_is_announced_with_what_came_of_the_one_before(tmp_path: Path) -> None:
    file = io.StringIO()
    watched(tmp_path, Console(file=file, width=80))
    lines = [line for line in file.getvalue().splitlines() if not line.startswith(("warning", "corrects"))]
    announced = [line for line in lines if re.match(r"\d of 4  ", line)]
    assert announced == ["1 of 4  4 nW", "2 of 4  8 nW", "3 of 4  16 nW", "4 of 4  4 nW (again)"]
    found = [line for line in lines if re.fullmatch(r" +D -?\d\.\d{4} ± \d\.\d{4} cm²/s, completed", line)]
    assert len(found) == 3


def test_a_terminal_of_80_columns_shows_the_time_that_is_left(tmp_path: Path) -> None:
    file = io.StringIO()
    watched(tmp_path, Console(file=file, width=80, force_terminal=True, color_system=None))
    drawn = [line for line in re.split(r"[\r\n]", file.getvalue()) if "photons" in line]
    assert drawn
    assert all(re.search(r"\d of 4 · .* photons · D .*\d+/18 left ", line) for line in drawn)


def test_time_and_spinner_of_a_condition_begin_anew() -> None:
    series = job(Path("nowhere"))
    planned = plan_series(series.recipe, series.rig_recipe)
    file = io.StringIO()
    display = ScanDisplay(Console(file=file, width=80, force_terminal=True, color_system=None))
    last = PointDone(row(1), np.ones(3, np.uint32), n_done=18, n_points=18)
    with display:
        for number, each in enumerate(planned[:2], start=1):
            display.on_condition(SeriesProgress(number, 2, each, ()))
            display.refresh(None)
            display.on_event(replace(last, n_done=number))
            display.refresh(None)
            wanted = rf"[⠀-⣿] {number} of 2 · 3 photons .*{number}/18"
            wait_for(
                lambda wanted=wanted: re.search(wanted, file.getvalue()) is not None
            )  # it draws ten times a second
            display.on_event(last)
            display.refresh(None)


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


@pytest.fixture
def two_series(tmp_path: Path) -> tuple[SeriesTask, ...]:
    tasks = (load_task(ITEMS[name], tmp_path, is_quick=True) for name in ("power", "filters"))
    return tuple(task for task in tasks if isinstance(task, SeriesTask))


def test_series_side_by_side_have_a_line_each_while_they_are_under_way(two_series: tuple[SeriesTask, ...]) -> None:
    file = io.StringIO()
    power, filters = two_series

    def draw() -> None:
        file.truncate(0)
        wait_for(lambda: file.getvalue().count("filters") > 1)  # it draws ten times a second

    with SeriesBoard(Console(file=file, width=80, force_terminal=True), lambda task: task.item.name) as board:
        board.on_news(power, Begun(1, 5, "6 nW"))
        board.on_news(power, Advanced(7, 41))
        board.on_news(filters, Begun(2, 3, "10 nW, filter [open]"))
        draw()
        drawn = file.getvalue()
        board.on_news(power, Ended(0, (), None))
        draw()  # what was being drawn
        draw()
    assert re.search(r"power: 1 of 5 · 6 nW .*7/41", drawn)
    assert re.search(r"filters: 2 of 3 · 10 nW, filter \[open\] .*0/\?", drawn)
    assert "power" not in file.getvalue()
    assert "filters" in file.getvalue()


def test_warnings_of_series_side_by_side_name_their_condition_and_failures_come_at_the_end(
    two_series: tuple[SeriesTask, ...],
) -> None:
    file = io.StringIO()
    power, filters = two_series
    with SeriesBoard(Console(file=file, width=120), lambda task: task.item.name) as board:
        board.on_news(power, Notice("info", "the rig is opened"))
        for number, condition in ((1, "6 nW"), (2, "8 nW")):
            board.on_news(power, Begun(number, 2, condition))
            for _ in range(NOTICES_SHOWN + 2):
                board.on_news(power, Notice("warning", "[a] spot drifts"))
        board.on_news(filters, Notice("warning", "[b] light is weak"))
        board.on_news(power, Ended(1, (("8 nW", "[c] nothing answers"),), None))
    lines = [line for line in file.getvalue().splitlines() if line]
    assert lines == [
        "info power: the rig is opened",
        *["warning power, 6 nW: [a] spot drifts"] * NOTICES_SHOWN,
        *["warning power, 8 nW: [a] spot drifts"] * NOTICES_SHOWN,
        "warning filters: [b] light is weak",
        "failed power, 8 nW: [c] nothing answers",
        "power: 1 conditions are left out; the same command tries them again.",
    ]

"""The command that makes the published figures anew: reproduce."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tplm_daq.commands.options import JsonOption, print_json
from tplm_daq.interrupts import Signals

if TYPE_CHECKING:
    from rich.console import Console

    from tplm_daq.workflow.paper.reproduce import Plan, Reproduction
    from tplm_daq.workflow.paper.tasks import LatticeTask, SeriesTask

DEFAULT_OUT = Path("runs/paper")
ENOUGH_TO_TELL = 0.1
"""Share of the work after which its pace is believed; compilation comes first and takes longer than the first item."""


def offer_figures(incomplete: str) -> list[str]:
    """Return the figures that begin like this."""
    from tplm_daq.workflow.paper.programme import PARTS

    return [name for name in PARTS if name.lower().startswith(incomplete.lower())]


def reproduce(
    figures: Annotated[
        list[str] | None,
        typer.Argument(metavar="FIGURE", help="Such as 1E or 4E; without any, all.", autocompletion=offer_figures),
    ] = None,
    figure: Annotated[
        list[str],
        typer.Option(metavar="FIGURE", help="The same as an option; may be repeated.", autocompletion=offer_figures),
    ] = [],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for run files and the page.")] = DEFAULT_OUT,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer conditions: some minutes.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the paper's figures anew, with the paper's numbers beside ours.

    On the simulated rig and the lattice. Interrupted, it goes on where it was when it is started again.
    """
    from rich.console import Console

    from tplm_daq.workflow.paper.crew import processes_for
    from tplm_daq.workflow.paper.reproduce import plan_reproduction, write_reproduction

    console = Console(stderr=True)
    plan = plan_reproduction([*(figures or []), *figure], out, quick)
    lattices, series = plan.unfinished
    n_processes = processes_for(series)
    _tell_plan(console, plan, n_processes)
    _carry_out(plan, lattices, series, n_processes, console)
    made = write_reproduction(plan)
    _tell_result(console, made)
    if as_json:
        print_json(made.to_dict())
    raise typer.Exit(made.exit_status)


def _carry_out(
    plan: Plan, lattices: Sequence[LatticeTask], series: Sequence[SeriesTask], n_processes: int, console: Console
) -> None:
    """Do what is left, lattices first, and say after each item how long the rest may take at the speed so far."""
    from tplm_daq.workflow.logs import start_logging
    from tplm_daq.workflow.places import make_folder

    make_folder(plan.out)
    start_logging(plan.out)
    began_s, expected_s = time.monotonic(), plan.seconds_left(n_processes)

    def tell_done(task: LatticeTask | SeriesTask) -> None:
        left_s = plan.seconds_left(n_processes)
        done_s = expected_s - left_s
        if done_s > ENOUGH_TO_TELL * expected_s:
            left_s *= (time.monotonic() - began_s) / done_s
        done = f"{task.n_done} of {task.n_conditions} done"
        console.print(f"{plan.name_of(task)}: {done}; about {left_s / 60:.1f} min left")

    for task in lattices:
        _simulate(task, console)
        tell_done(task)
    if series:
        _measure(plan, series, n_processes, console, tell_done)


def _measure(
    plan: Plan,
    series: Sequence[SeriesTask],
    n_processes: int,
    console: Console,
    tell_done: Callable[[SeriesTask], None],
) -> None:
    """Measure what is left of the series; a condition that fails is told and left out."""
    from tplm_daq.watching import SeriesBoard
    from tplm_daq.workflow.paper.crew import Ended, News, measure_side_by_side

    wishes: list[str] = []

    def take_wishes() -> list[str]:
        return [f"ended by {wishes.pop(0)}" for _ in range(len(wishes))]

    with Signals() as signals, SeriesBoard(console, plan.name_of) as board:
        signals.listen(wishes.append)

        def on_news(task: SeriesTask, news: News) -> None:
            board.on_news(task, news)
            if isinstance(news, Ended) and news.error is None:
                tell_done(task)

        measure_side_by_side(series, n_processes, on_news, take_wishes)


def _simulate(task: LatticeTask, console: Console) -> None:
    """Simulate what is left of a lattice."""
    from tplm_daq.watching import SweepDisplay
    from tplm_daq.workflow.kmc import run_jobs

    with SweepDisplay(console) as display:
        run_jobs(task.jobs, task.folder, on_progress=display.on_progress)


def _tell_plan(console: Console, plan: Plan, n_processes: int) -> None:
    """Say what will be done, and how long it takes, before anything begins."""
    n_done, n_all = (sum(getattr(task, name) for task in plan.tasks) for name in ("n_done", "n_conditions"))
    there = f", {n_done} of them done already" if n_done else ""
    at_a_time = "an idle core" if n_processes == 1 else f"{n_processes} idle cores"
    console.print(
        f"{', '.join(plan.parts)}: {n_all} scans or conditions of the lattice{there}. About "
        f"{plan.seconds_left(n_processes) / 60:.1f} min with {at_a_time} (at a microscope "
        f"{plan.microscope_seconds / 3600:.1f} h). "
        "Ctrl-C ends it; the same command goes on where it was.",
        highlight=False,
    )


def _tell_result(console: Console, made: Reproduction) -> None:
    """Print a line for each row of comparison, and where the page is."""
    from tplm_daq.printing.tables import table_of

    colours = {"agrees": "green", "differs, explained": "yellow", "fails": "red"}
    table = table_of("figure", "quantity", "paper", "ours", "")
    for each in made.page.figures:
        for row in each.rows:
            colour = colours[row.verdict.value]
            table.add_row(each.name, row.quantity, row.paper, row.ours, f"[{colour}]{row.verdict.value}[/{colour}]")
    console.print(table, highlight=False)
    for each in made.page.figures:
        for row in each.rows:
            if row.verdict.value == "fails":
                console.print(f"[red]fails[/red] {each.name}, {row.quantity}: {row.explanation}", highlight=False)
    console.print(f"report  {made.report_file}", highlight=False, soft_wrap=True)

"""The command that makes the published figures anew: reproduce."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tplm_daq.commands.options import JsonOption, print_json
from tplm_daq.interrupts import Signals
from tplm_daq.terminal import TerminalOperator

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

    from tplm_daq.workflow.paper.reproduce import plan_reproduction, write_reproduction

    console = Console(stderr=True)
    plan = plan_reproduction([*(figures or []), *figure], out, quick)
    _tell_plan(console, plan)
    _carry_out(plan, console)
    made = write_reproduction(plan)
    _tell_result(console, made)
    if as_json:
        print_json(made.to_dict())
    raise typer.Exit(made.exit_status)


def _carry_out(plan: Plan, console: Console) -> None:
    """Do what is left of a plan, and say after each item how long the rest may take at the speed so far."""
    from tplm_daq.workflow.logs import start_logging
    from tplm_daq.workflow.paper.tasks import SeriesTask
    from tplm_daq.workflow.places import make_folder

    make_folder(plan.out)
    start_logging(plan.out)
    began_s, expected_s = time.monotonic(), plan.seconds_left
    for task in plan.tasks:
        if task.n_done == task.n_conditions:
            continue
        if isinstance(task, SeriesTask):
            _measure(task, plan.name_of(task), console)
        else:
            _simulate(task, console)
        left_s = plan.seconds_left
        done_s = expected_s - left_s
        if done_s > ENOUGH_TO_TELL * expected_s:
            left_s *= (time.monotonic() - began_s) / done_s
        done = f"{task.n_done} of {task.n_conditions} done"
        console.print(f"{plan.name_of(task)}: {done}; about {left_s / 60:.1f} min left")


def _measure(task: SeriesTask, name: str, console: Console) -> None:
    """Measure what is left of a series; a condition that fails is told and left out."""
    from tplm_daq.watching import run_watched

    with Signals() as signals:
        operator = TerminalOperator(console, task.recipe.operator)
        job = task.job(operator)
        job.on_abort.append(operator.stop_waiting)
        outcome = run_watched(job, console, signals, name)
    if outcome.error is not None:
        raise outcome.error
    for point in outcome.points:
        if point.error is not None:
            console.print(f"[red]failed[/red] {name}, {point.condition.label}: {point.error}", highlight=False)
    if outcome.n_failed:
        console.print(
            f"{name}: {outcome.n_failed} conditions are left out; the same command tries them again.", highlight=False
        )


def _simulate(task: LatticeTask, console: Console) -> None:
    """Simulate what is left of a lattice."""
    from tplm_daq.watching import SweepDisplay
    from tplm_daq.workflow.kmc import run_jobs

    with SweepDisplay(console) as display:
        run_jobs(task.jobs, task.folder, on_progress=display.on_progress)


def _tell_plan(console: Console, plan: Plan) -> None:
    """Say what will be done, and how long it takes, before anything begins."""
    n_done, n_all = (sum(getattr(task, name) for task in plan.tasks) for name in ("n_done", "n_conditions"))
    there = f", {n_done} of them done already" if n_done else ""
    console.print(
        f"{', '.join(plan.parts)}: {n_all} scans and conditions of the lattice{there}. About "
        f"{plan.seconds_left / 60:.1f} min on an idle core (at a microscope {plan.microscope_seconds / 3600:.1f} h). "
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

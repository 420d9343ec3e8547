"""Commands that measure: check, run, resume, gui."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tplm_daq.commands.options import (
    JsonOption,
    OutOption,
    RecipeArgument,
    ReportOption,
    RigOption,
    SetOption,
    SetRigOption,
    YesOption,
    print_json,
    rig_file,
)
from tplm_daq.errors import NothingLeft
from tplm_daq.interrupts import Signals
from tplm_daq.terminal import DeclaredOperator, TerminalOperator, offer_recipes

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from tplm_daq.recipes.rig import RigRecipe
    from tplm_daq.workflow.load import Measurement


def check(
    recipe: RecipeArgument,
    rig: RigOption = None,
    set_: SetOption = [],
    out: OutOption = Path("runs"),
    as_json: JsonOption = False,
) -> None:
    """Say what a recipe would do, how long and how precisely.

    Names the calibrations beside the run files that it would take over. Touches no hardware.
    """
    from tplm_daq.workflow.load import load_measurement

    wanted, rig_recipe = load_measurement(recipe, rig_file(rig), set_)

    from rich.console import Console

    from tplm_daq.printing.overviews import print_check
    from tplm_daq.workflow.jobs import check_measurement

    found, calibrations = check_measurement(wanted, rig_recipe, out)
    if as_json:
        print_json({**found.to_dict(), **calibrations.to_dict()})
    else:
        print_check(Console(), found, calibrations)


def run(
    recipe: RecipeArgument,
    rig: RigOption = None,
    set_: SetOption = [],
    out: OutOption = Path("runs"),
    report: ReportOption = False,
    as_json: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Measure what a recipe describes, and fit D.

    Shows D with its interval on the way. Ctrl-C ends the run, puts the light out and keeps what is measured.
    """
    from rich.console import Console

    from tplm_daq.workflow.load import load_measurement

    console = Console(stderr=True)
    wanted, rig_recipe = load_measurement(recipe, rig_file(rig), set_)
    operator = _operator(console, wanted, wanted.operator, rig_recipe, yes)

    def make() -> Any:
        from tplm_daq.workflow.jobs import make_job
        from tplm_daq.workflow.logs import start_logging
        from tplm_daq.workflow.places import make_folder

        make_folder(out)
        start_logging(out)
        return make_job(wanted, rig_recipe, out, operator, report)

    _run(make, operator, console, as_json)


def resume(
    path: Annotated[Path, typer.Argument(metavar="RUN", help="Run file or series folder that was interrupted.")],
    set_: SetRigOption = [],
    report: ReportOption = False,
    as_json: JsonOption = False,
    yes: YesOption = False,
) -> None:
    """Continue an interrupted run or series in its file.

    A completed run is left alone. Only rig values such as addresses and clock speed may change.
    """
    from rich.console import Console

    from tplm_daq.workflow.resume import load_resume

    console = Console(stderr=True)
    past = load_resume(path, set_)
    operator = _operator(console, past.recipe, past.operator, past.rig, yes)
    if past.is_complete:
        console.print(str(NothingLeft(path)), highlight=False, markup=False, soft_wrap=True)

    def make() -> Any:
        from tplm_daq.workflow.logs import start_logging

        start_logging(past.folder)
        return past.job(operator, report)

    _run(make, operator, console, as_json)


def gui(
    recipe: Annotated[
        str | None, typer.Argument(metavar="RECIPE", help="Recipe to begin with.", autocompletion=offer_recipes)
    ] = None,
    rig: RigOption = None,
    out: OutOption = Path("runs"),
) -> None:
    """Open the operator's window.

    On the simulated rig unless another is given; time then runs 20 times as fast.
    """
    from tplm_daq.gui.app import main

    raise typer.Exit(main(recipe, rig_file(rig), out))


def _operator(
    console: Console, recipe: Measurement, name: str, rig: RigRecipe, yes: bool
) -> TerminalOperator | DeclaredOperator:
    """Return who sets what has no interface; a real rig needs somebody at the terminal, or --yes for one light."""
    from tplm_daq.recipes.series import SeriesRecipe
    from tplm_daq.workflow.series_check import require_same_light

    name = name or "somebody at the terminal"
    if yes:
        if isinstance(recipe, SeriesRecipe):
            require_same_light(recipe, rig)
        return DeclaredOperator(console, name)
    operator = TerminalOperator(console, name)
    if not rig.is_simulated:
        operator.require_somebody()
    return operator


def _run(
    make: Callable[[], Any], operator: TerminalOperator | DeclaredOperator, console: Console, as_json: bool
) -> None:
    """Make a job, run it under the eyes of the terminal, print what came of it, and end with its status."""
    with Signals() as signals:
        from tplm_daq.printing.outcomes import print_outcome
        from tplm_daq.watching import run_watched

        job = make()
        if isinstance(operator, TerminalOperator):
            job.on_abort.append(operator.stop_waiting)
        outcome = run_watched(job, console, signals)
        print_outcome(console, outcome)
        if as_json:
            print_json(outcome.to_dict())
    raise typer.Exit(outcome.exit_status)

"""The command line: parse, call the workflow, print, end with the right exit status.

Heavy packages are imported inside the commands, so that ``tplm --help`` answers at once.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, ParamSpec, TypeVar

import typer

from tplm_daq.errors import TplmError
from tplm_daq.rig.ours import require_our_packages

if TYPE_CHECKING:
    pass

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_RIG = "configs/rig_sim.yaml"

app = typer.Typer(
    name="tplm",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Measure and analyse exciton diffusion with a transient photoluminescence microscope, real or simulated.",
    epilog="Try it: tplm run configs/scan_line.yaml --report",
)

SetOption = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the recipe, or of the rig with the prefix rig."),
]
RigOption = Annotated[
    str | None, typer.Option(metavar="RIG", help="Rig file. [default: $TPLM_RIG, else the simulated rig]")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output, nothing else.")]


class SchemaKind(StrEnum):
    """Kinds of files with a schema."""

    RIG = "rig"
    SCAN = "scan"
    ANALYSIS = "analysis"


@app.command()
def run(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="Recipe file, such as configs/scan_line.yaml.")],
    rig: RigOption = None,
    set_: SetOption = [],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for run files and reports.")] = Path("runs"),
    report: Annotated[bool, typer.Option("--report", help="Write a report page beside the run file.")] = False,
    as_json: JsonOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Take what has to be set by hand as set.")] = False,
) -> None:
    """Measure what a recipe describes, with live D on the way and the result at the end."""
    from rich.console import Console

    from tplm_daq.terminal import DeclaredOperator, TerminalOperator, print_outcome
    from tplm_daq.watching import run_watched
    from tplm_daq.workflow.load import load_scan
    from tplm_daq.workflow.logs import start_logging
    from tplm_daq.workflow.scan import ScanJob, make_folder

    console = Console(stderr=True)
    try:
        scan, rig_recipe = load_scan(recipe, _rig_file(rig), set_)
        name = scan.session.operator or "somebody at the terminal"
        operator = DeclaredOperator(console, name) if yes else TerminalOperator(console, name)
        if isinstance(operator, TerminalOperator) and not rig_recipe.is_simulated:
            operator.require_somebody()
        make_folder(out)
        start_logging(out)
        outcome = run_watched(ScanJob(scan, rig_recipe, out, operator, with_report=report), console)
    except TplmError as error:
        _fail(error)
    print_outcome(console, outcome)
    if as_json:
        _print_json(outcome.to_dict())
    raise typer.Exit(outcome.exit_status)


@app.command()
def check(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="Recipe file, such as configs/scan_line.yaml.")],
    rig: RigOption = None,
    set_: SetOption = [],
    as_json: JsonOption = False,
) -> None:
    """Say what a recipe would do, how long it takes and how precise D becomes; touches no hardware."""
    from rich.console import Console

    from tplm_daq.terminal import print_check
    from tplm_daq.workflow.check import check_scan
    from tplm_daq.workflow.load import load_scan

    scan, rig_recipe = _or_fail(load_scan, recipe, _rig_file(rig), set_)
    found = _or_fail(check_scan, scan, rig_recipe)
    if as_json:
        _print_json(found.to_dict())
    else:
        print_check(Console(), found)


@app.command()
def devices(
    rig: RigOption = None,
    set_: SetOption = [],
    as_json: JsonOption = False,
) -> None:
    """Open, identify and close each device of a rig; switches nothing on."""
    from rich.console import Console

    from tplm_daq.terminal import TerminalOperator, print_devices
    from tplm_daq.workflow.devices import probe_devices
    from tplm_daq.workflow.load import load_rig

    rig_recipe = _or_fail(load_rig, _rig_file(rig), set_)
    found = _or_fail(probe_devices, rig_recipe, TerminalOperator(Console(stderr=True), "operator"))
    if as_json:
        _print_json(found.to_dict())
    else:
        print_devices(Console(), found)
    raise typer.Exit(1 if found.n_failed else 0)


@app.command()
def serve(
    rig: RigOption = None,
    set_: SetOption = [],
    rig_file: Annotated[
        Path | None, typer.Option("--rig-file", metavar="NEW", help="Write a rig file that uses the served doubles.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Serve the doubles of a simulated rig to other programs, until standard input closes or Ctrl-C."""
    from tplm_daq.terminal import print_served
    from tplm_daq.workflow import serve as serving
    from tplm_daq.workflow.load import load_rig

    recipe = _or_fail(load_rig, _rig_file(rig), set_)

    def announce(served: serving.Served) -> None:
        if rig_file is not None:
            serving.write_rig_file(served, recipe, rig_file)
        print_served(served, as_json)

    _or_fail(serving.serve, recipe, announce)


@app.command()
def schema(kind: Annotated[SchemaKind, typer.Argument(help="Which kind of file.")]) -> None:
    """Print the JSON Schema of a kind of file, for editors that complete and check YAML."""
    from tplm_daq.workflow.schema import json_schema

    _print_json(json_schema(kind.value))


@app.command()
def analyse(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Run file (.h5), .npz or .csv.")],
    method: Annotated[str | None, typer.Option(metavar="NAME", help="auto, poisson, lsq or paper.")] = None,
    set_: SetOption = [],
    as_json: JsonOption = False,
) -> None:
    """Fit a measured or imported time-position map."""
    from rich.console import Console

    from tplm_daq.terminal import print_result
    from tplm_daq.workflow.analyse import analyse_file

    result = _or_fail(analyse_file, file, method, set_)
    print_result(Console(stderr=True), result)
    if as_json:
        _print_json(result.to_dict())


@app.command()
def report(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Run files (.h5), .npz or .csv.")],
    output: Annotated[
        Path | None, typer.Option("-o", metavar="PAGE", help="Page to write. [default: FILE.html]")
    ] = None,
) -> None:
    """Write one self-contained page about one or several runs, beside the first unless told otherwise."""
    from tplm_daq.workflow.files import report_runs

    print(_or_fail(report_runs, files, output))


@app.command()
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Run file (.h5), .npz or .csv.")],
    to: Annotated[str, typer.Option(metavar="FORMAT", help="npz or csv.")],
    output: Annotated[
        Path | None, typer.Option("-o", metavar="TARGET", help="File to write. [default: beside FILE]")
    ] = None,
) -> None:
    """Write the summed map of a run in another format, beside it unless told otherwise."""
    from tplm_daq.workflow.files import export_run

    print(_or_fail(export_run, file, to, output))


@app.command()
def runs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with run files.")] = Path("runs"),
    text: Annotated[str, typer.Option(metavar="TEXT", help="Only runs with this in their title or sample.")] = "",
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only runs from this day on.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only runs up to this day.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List what has been measured."""
    from rich.console import Console

    from tplm_daq.terminal import print_catalogue
    from tplm_daq.workflow.files import list_runs

    days = [None if moment is None else moment.date() for moment in (since, until)]
    catalogue = _or_fail(list_runs, folder, text, *days)
    if as_json:
        _print_json(catalogue.to_dict())
    else:
        print_catalogue(Console(), catalogue)


def main() -> NoReturn:
    """Run the command line; foreseen errors become one message and an exit status."""
    try:
        require_our_packages()
    except TplmError as error:
        sys.exit(f"tplm: {error}")
    app()
    sys.exit(0)


def _rig_file(rig: str | None) -> str:
    return rig or os.environ.get("TPLM_RIG") or DEFAULT_RIG


def _or_fail(act: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Return what a workflow function returns; a foreseen error becomes its message and exit status."""
    try:
        return act(*arguments, **options)
    except TplmError as error:
        _fail(error)


def _print_json(document: dict[str, object]) -> None:
    print(json.dumps(document, indent=1, allow_nan=False))


def _fail(error: TplmError) -> NoReturn:
    print(f"tplm: {error}", file=sys.stderr)
    raise typer.Exit(error.exit_status)

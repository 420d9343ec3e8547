"""The command line: parse, call the workflow, print, end with the right exit status.

Heavy packages are imported inside the commands, so that ``tplm --help`` answers at once, and after the input has been
read, so that a wrong one is answered at once too.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from tplm_daq.errors import Aborted, TplmError
from tplm_daq.interrupts import Interrupted, Signals, ignore_signals, raise_on_signals
from tplm_daq.rig.ours import require_our_packages
from tplm_daq.terminal import misused, offer_formats, offer_methods, offer_recipes, offer_rigs, refused, tell

DEFAULT_RIG = "configs/rig_sim.yaml"
MEASURE, LOOK, CONNECT = "Measure", "Look at what was measured", "Instruments and files"
"""Groups of commands, in the order in which a newcomer needs them."""

app = typer.Typer(
    name="tplm",
    pretty_exceptions_enable=False,
    help="Measure and analyse exciton diffusion with a transient photoluminescence microscope, real or simulated.",
    epilog="Try it: tplm run configs/scan_line.yaml --report",
)

SetOption = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the recipe, or of the rig with the prefix rig."),
]
RigOption = Annotated[
    str | None,
    typer.Option(
        metavar="RIG", help="Rig file.", show_default=f"$TPLM_RIG, else {DEFAULT_RIG}", autocompletion=offer_rigs
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output, nothing else.")]
RecipeArgument = Annotated[
    str,
    typer.Argument(metavar="RECIPE", help="Recipe file, such as configs/scan_line.yaml.", autocompletion=offer_recipes),
]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Run file (.h5), .npz or .csv.")]


class SchemaKind(StrEnum):
    """Kinds of files with a schema."""

    RIG = "rig"
    SCAN = "scan"
    ANALYSIS = "analysis"


@app.callback(invoke_without_command=True)
def begin(
    context: typer.Context,
    is_version_wanted: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Answer what needs no command."""
    if is_version_wanted:
        print(f"tplm {version('tplm-daq')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command(rich_help_panel=MEASURE)
def check(recipe: RecipeArgument, rig: RigOption = None, set_: SetOption = [], as_json: JsonOption = False) -> None:
    """Say what a recipe would do, how long and how precisely.

    Touches no hardware.
    """
    from tplm_daq.workflow.load import load_scan

    scan, rig_recipe = load_scan(recipe, _rig_file(rig), set_)

    from rich.console import Console

    from tplm_daq.terminal import print_check
    from tplm_daq.workflow.check import check_scan

    found = check_scan(scan, rig_recipe)
    if as_json:
        _print_json(found.to_dict())
    else:
        print_check(Console(), found)


@app.command(rich_help_panel=MEASURE)
def run(
    recipe: RecipeArgument,
    rig: RigOption = None,
    set_: SetOption = [],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for run files and reports.")] = Path("runs"),
    report: Annotated[bool, typer.Option("--report", help="Write a report page beside the run file.")] = False,
    as_json: JsonOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Take what has to be set by hand as set.")] = False,
) -> None:
    """Measure what a recipe describes, and fit D.

    Shows D with its interval on the way. Ctrl-C ends the run, puts the light out and keeps what is measured.
    """
    from rich.console import Console

    from tplm_daq.terminal import DeclaredOperator, TerminalOperator, print_outcome
    from tplm_daq.workflow.load import load_scan

    console = Console(stderr=True)
    scan, rig_recipe = load_scan(recipe, _rig_file(rig), set_)
    name = scan.session.operator or "somebody at the terminal"
    operator = DeclaredOperator(console, name) if yes else TerminalOperator(console, name)
    if isinstance(operator, TerminalOperator) and not rig_recipe.is_simulated:
        operator.require_somebody()
    with Signals() as signals:
        from tplm_daq.watching import run_watched
        from tplm_daq.workflow.logs import start_logging
        from tplm_daq.workflow.places import make_folder
        from tplm_daq.workflow.scan import ScanJob

        make_folder(out)
        start_logging(out)
        outcome = run_watched(ScanJob(scan, rig_recipe, out, operator, with_report=report), console, signals)
        print_outcome(console, outcome)
        if as_json:
            _print_json(outcome.to_dict())
    raise typer.Exit(outcome.exit_status)


@app.command(rich_help_panel=LOOK)
def runs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with run files.")] = Path("runs"),
    text: Annotated[str, typer.Option(metavar="TEXT", help="Only runs with this in their title or sample.")] = "",
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only runs from this day on.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only runs up to this day.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List what has been measured, with D."""
    from rich.console import Console

    from tplm_daq.terminal import print_catalogue
    from tplm_daq.workflow.files import list_runs

    days = [None if moment is None else moment.date() for moment in (since, until)]
    catalogue = list_runs(folder, text, *days)
    if as_json:
        _print_json(catalogue.to_dict())
    else:
        print_catalogue(Console(), catalogue)


@app.command(rich_help_panel=LOOK)
def analyse(
    file: FileArgument,
    method: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Estimator: auto, poisson, ...", autocompletion=offer_methods),
    ] = None,
    set_: SetOption = [],
    as_json: JsonOption = False,
) -> None:
    """Fit D to a run, or to a map from elsewhere."""
    from rich.console import Console

    from tplm_daq.terminal import print_result
    from tplm_daq.workflow.analyse import analyse_file

    result = analyse_file(file, method, set_)
    print_result(Console(stderr=True), result)
    if as_json:
        _print_json(result.to_dict())


@app.command(rich_help_panel=LOOK)
def report(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Run files (.h5), .npz or .csv.")],
    output: Annotated[
        Path | None, typer.Option("-o", metavar="PAGE", help="Page to write.", show_default="FILE.html")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write one self-contained page about one or several runs."""
    from tplm_daq.workflow.files import report_runs

    _print_path("report_file", report_runs(files, output), as_json)


@app.command(rich_help_panel=LOOK)
def export(
    file: FileArgument,
    to: Annotated[str, typer.Option(metavar="FORMAT", help="npz or csv.", autocompletion=offer_formats)],
    output: Annotated[
        Path | None, typer.Option("-o", metavar="TARGET", help="File to write.", show_default="beside FILE")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the summed map of a run in another format."""
    from tplm_daq.workflow.files import export_run

    _print_path("file", export_run(file, to, output), as_json)


@app.command(rich_help_panel=CONNECT)
def devices(rig: RigOption = None, set_: SetOption = [], as_json: JsonOption = False) -> None:
    """Ask each device of a rig who it is; switches nothing on."""
    from tplm_daq.workflow.load import load_rig

    rig_recipe = load_rig(_rig_file(rig), set_)

    from rich.console import Console

    from tplm_daq.terminal import TerminalOperator, print_devices
    from tplm_daq.workflow.devices import probe_devices

    found = probe_devices(rig_recipe, TerminalOperator(Console(stderr=True), "operator"))
    if as_json:
        _print_json(found.to_dict())
    else:
        print_devices(Console(), found)
    raise typer.Exit(1 if found.n_failed else 0)


@app.command(rich_help_panel=CONNECT)
def serve(
    rig: RigOption = None,
    set_: SetOption = [],
    rig_file: Annotated[
        Path | None, typer.Option("--rig-file", metavar="NEW", help="Write a rig file that uses the served doubles.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Serve the doubles of a simulated rig to other programs.

    Ends when standard input closes, or on Ctrl-C.
    """
    from tplm_daq.workflow.load import load_rig

    recipe = load_rig(_rig_file(rig), set_)

    from tplm_daq.terminal import print_served
    from tplm_daq.workflow import serve as serving

    def announce(served: serving.Served) -> None:
        if rig_file is not None:
            serving.write_rig_file(served, recipe, rig_file)
        print_served(served, as_json)

    serving.serve(recipe, announce)


@app.command(rich_help_panel=CONNECT)
def schema(kind: Annotated[SchemaKind, typer.Argument(help="Which kind of file.")]) -> None:
    """Print the JSON Schema of a kind of file, for editors."""
    from tplm_daq.workflow.schema import json_schema

    _print_json(json_schema(kind.value))


def main() -> NoReturn:
    """Run the command line; whatever ends it early becomes one message and an exit status."""
    raise_on_signals()
    try:
        require_our_packages()
        status = app(prog_name="tplm", standalone_mode=False) or 0
        sys.stdout.flush()
    except TplmError as error:
        status = tell(error)
    except TyperException as error:
        status = tell(misused(error))
    except OSError as error:
        status = tell(refused(error))
    except Interrupted as end:
        status = tell(Aborted(str(end)))
    ignore_signals()
    sys.exit(status)


def _rig_file(rig: str | None) -> str:
    return rig or os.environ.get("TPLM_RIG") or DEFAULT_RIG


def _print_json(document: dict[str, object]) -> None:
    print(json.dumps(document, indent=1, allow_nan=False))


def _print_path(key: str, path: Path, as_json: bool) -> None:
    if as_json:
        _print_json({key: str(path)})
    else:
        print(path)

"""Commands that look at what was measured: runs, analyse, report, export, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tplm_daq.commands.options import FileArgument, FilesArgument, JsonOption, print_json, print_path
from tplm_daq.terminal import offer_formats, offer_methods


def runs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with run files.")] = Path("runs"),
    text: Annotated[str, typer.Option(metavar="TEXT", help="Only runs with this in their title or sample.")] = "",
    since: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Only runs from this day on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Only runs up to this day.")] = None,
    power: Annotated[
        str, typer.Option(metavar="RANGE", help='Only runs at this average power: "10 nW", "1 nW..5 nW", "5 nW..".')
    ] = "",
    d: Annotated[
        str, typer.Option("--d", metavar="RANGE", help="Only runs with this D in cm2/s: 0.07, 0.05..0.1, ..0.02.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """List what has been measured, with D."""
    from rich.console import Console

    from tplm_daq.printing.overviews import print_catalogue
    from tplm_daq.workflow.files import list_runs
    from tplm_daq.workflow.selection import day, diffusivity_range, power_range

    days = day("--since", since), day("--until", until)
    catalogue = list_runs(folder, text, *days, power_range(power), diffusivity_range(d))
    if as_json:
        print_json(catalogue.to_dict())
    else:
        print_catalogue(Console(), catalogue)


def analyse(
    file: FileArgument,
    method: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Estimator: auto, poisson, convolution, lsq or paper.",
            show_default="auto",
            autocompletion=offer_methods,
        ),
    ] = None,
    set_: Annotated[
        list[str], typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the analysis: window=2ns.")
    ] = [],
    as_json: JsonOption = False,
) -> None:
    """Fit D to a run, or to a map from elsewhere."""
    from rich.console import Console

    from tplm_daq.printing.outcomes import print_result
    from tplm_daq.workflow.analyse import analyse_file

    result = analyse_file(file, method, set_)
    print_result(Console(stderr=True), result)
    if as_json:
        print_json(result.to_dict())


def report(
    files: FilesArgument,
    output: Annotated[
        Path | None, typer.Option("-o", metavar="PAGE", help="Page to write.", show_default="FILE.html")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write one self-contained page about runs, or about a series."""
    from tplm_daq.workflow.files import report_runs

    print_path("report_file", report_runs(files, output), as_json)


def export(
    file: FileArgument,
    to: Annotated[str, typer.Option(metavar="FORMAT", help="npz, csv or ptu.", autocompletion=offer_formats)],
    output: Annotated[
        Path | None, typer.Option("-o", metavar="TARGET", help="File to write.", show_default="beside FILE")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the summed map of a run in another format."""
    from tplm_daq.workflow.files import export_run

    print_path("file", export_run(file, to, output), as_json)


def verify(
    path: Annotated[Path, typer.Argument(metavar="RUN|FOLDER", help="Run file (.h5), or a folder with some.")],
    as_json: JsonOption = False,
) -> None:
    """Fit a run anew; its file must hold the same numbers.

    Checks structure, hashes and places too; ends with status 1 where anything does not hold. Of a folder every run is
    verified, those in its folders too, and what does not hold is told.
    """
    from rich.console import Console

    from tplm_daq.printing.outcomes import print_in_folder, print_verification
    from tplm_daq.workflow.verify import verify_files

    console, found = Console(), []
    for each in verify_files(path):
        found.append(each)
        if not as_json:
            (print_in_folder if path.is_dir() else print_verification)(console, each)
    n_good = sum(each.exit_status == 0 for each in found)
    if as_json:
        every = {"is_ok": n_good == len(found), "runs": [each.to_dict() for each in found]}
        print_json(every if path.is_dir() else found[0].to_dict())
    elif path.is_dir():
        console.print(f"{n_good} of {len(found)} runs hold", highlight=False)
    raise typer.Exit(int(n_good < len(found)))

"""Options and arguments that commands share, and how all of them print a document."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from tplm_daq.errors import InputError
from tplm_daq.terminal import offer_recipes, offer_rigs

DEFAULT_RIG = "configs/rig_sim.yaml"

SetOption = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the recipe, or of the rig with the prefix rig."),
]
SetRigOption = Annotated[
    list[str], typer.Option("--set", metavar="rig.KEY=VALUE", help="Change a value of the rig file.")
]
RigOption = Annotated[
    str | None,
    typer.Option(
        metavar="RIG",
        help="Rig file: which boxes there are.",
        show_default=f"$TPLM_RIG, else {DEFAULT_RIG}",
        autocompletion=offer_rigs,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output, nothing else.")]
OutOption = Annotated[Path, typer.Option(metavar="DIR", help="Folder for run files and reports.")]
ReportOption = Annotated[bool, typer.Option("--report", help="Write a report page beside the run file.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Take what has to be set by hand as set.")]
RecipeArgument = Annotated[
    str,
    typer.Argument(metavar="RECIPE", help="Recipe file, such as configs/scan_line.yaml.", autocompletion=offer_recipes),
]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Run file (.h5), .npz, .csv or .ptu.")]
FilesArgument = Annotated[
    list[Path], typer.Argument(metavar="FILE|FOLDER...", help="Run files, series folders, .npz or .csv.")
]


def rig_file(rig: str | None) -> str:
    """Return the rig file that is meant: as given, else of the environment, else the simulated one.

    Raises
    ------
    InputError
        The environment names a file that does not exist.
    """
    named = os.environ.get("TPLM_RIG")
    if rig or not named:
        return rig or DEFAULT_RIG
    from tplm_daq.recipes.load import find_config

    try:
        return str(find_config(named))
    except InputError as error:
        raise InputError(f"$TPLM_RIG: {error}") from error


def print_json(document: dict[str, object]) -> None:
    """Print a document on standard output."""
    from tplm_daq.workflow.document import json_text

    print(json_text(document, indent=1))


def print_path(key: str, path: Path, as_json: bool) -> None:
    """Print where a file was written."""
    if as_json:
        print_json({key: str(path)})
    else:
        print(path)

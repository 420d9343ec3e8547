"""Commands about instruments and files: devices, serve, schema."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tplm_daq.commands.options import JsonOption, RigOption, SetRigOption, print_json, rig_file


class SchemaKind(StrEnum):
    """Kinds of files with a schema."""

    RIG = "rig"
    SCAN = "scan"
    SERIES = "series"
    ALIGN = "align"
    KMC = "kmc"
    ANALYSIS = "analysis"


def devices(rig: RigOption = None, set_: SetRigOption = [], as_json: JsonOption = False) -> None:
    """Ask each device of a rig who it is; switches nothing on."""
    from tplm_daq.workflow.load import load_rig

    rig_recipe = load_rig(rig_file(rig), set_)

    from rich.console import Console

    from tplm_daq.printing.overviews import print_devices
    from tplm_daq.terminal import TerminalOperator
    from tplm_daq.workflow.devices import probe_devices

    found = probe_devices(rig_recipe, TerminalOperator(Console(stderr=True), "operator"))
    if as_json:
        print_json(found.to_dict())
    else:
        print_devices(Console(), found)
    raise typer.Exit(1 if found.n_failed else 0)


def serve(
    rig: RigOption = None,
    set_: SetRigOption = [],
    new_rig_file: Annotated[
        Path | None, typer.Option("--rig-file", metavar="NEW", help="Write a rig file that uses the served doubles.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Serve the doubles of a simulated rig to other programs.

    Ends when standard input closes, or on Ctrl-C.
    """
    from tplm_daq.workflow.load import load_rig

    recipe = load_rig(rig_file(rig), set_)

    from rich.console import Console

    from tplm_daq.printing.overviews import print_served
    from tplm_daq.workflow import serve as serving

    def announce(served: serving.Served) -> None:
        if new_rig_file is not None:
            serving.write_rig_file(served, recipe, new_rig_file)
        if as_json:
            print(json.dumps(served.to_dict()), flush=True)
        else:
            print_served(Console(), served, new_rig_file)

    serving.serve(recipe, announce)


def schema(kind: Annotated[SchemaKind, typer.Argument(help="Which kind of file.")]) -> None:
    """Print the JSON Schema of a kind of file, for editors."""
    from tplm_daq.workflow.schema import json_schema

    print_json(json_schema(kind.value))

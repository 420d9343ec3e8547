"""The command line: which commands there are, and how each ends with one message and the right exit status.

Heavy packages are imported inside the commands, so that ``tplm --help`` answers at once, and after the input has been
read, so that a wrong one is answered at once too.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from tplm_daq.commands import instruments, look, measure, reproduction, simulate
from tplm_daq.errors import Aborted, TplmError
from tplm_daq.interrupts import Interrupted, ignore_signals, raise_on_signals
from tplm_daq.rig.ours import require_our_packages
from tplm_daq.terminal import misused, refused, tell, write_in_any_encoding

COMMANDS = {
    "Measure": (measure.check, measure.run, measure.resume, measure.gui),
    "Look at what was measured": (look.runs, look.analyse, look.report, look.export, look.verify),
    "Simulate": (simulate.kmc, reproduction.reproduce),
    "Instruments and files": (instruments.devices, instruments.serve, instruments.schema),
}
"""Groups of commands, in the order in which a newcomer needs them."""

app = typer.Typer(
    name="tplm",
    pretty_exceptions_enable=False,
    help="Measure and analyse exciton diffusion with a transient photoluminescence microscope, real or simulated.",
    epilog="Try it: tplm run configs/scan_line.yaml --report",
)
for panel, commands in COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)


@app.callback(invoke_without_command=True)
def begin(
    context: typer.Context,
    is_version_wanted: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Answer what needs no command."""
    if is_version_wanted:
        from tplm_daq.store.source import source_fingerprint

        print(f"tplm {version('tplm-daq')}, source {source_fingerprint()}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


def main() -> NoReturn:
    """Run the command line; whatever ends it early becomes one message and an exit status."""
    raise_on_signals()
    write_in_any_encoding()
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
    except Exception:
        if Interrupted.last is None:
            raise
        status = tell(Aborted(Interrupted.last))
    ignore_signals()
    sys.exit(status)

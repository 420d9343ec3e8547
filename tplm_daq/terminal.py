"""The terminal: what it can write, what ends commands early, what the shell completes, and an operator to ask.

Nothing heavy is imported here, so that ``tplm --help`` answers at once.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import select
import sys
import time
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import get_args

from rich.console import Console
from typer.exceptions import TyperException

from tplm_daq.errors import Aborted, InputError, StoreError, TplmError
from tplm_daq.interrupts import ignore_signals
from tplm_daq.report.numbers import quantity_text

ANSWER_POLL_S = 0.2
"""How often a question to the operator looks whether the run is to end."""
PATIENCE_S = 600.0
"""So long nobody may answer before the run is given up, with the light out; the window waits as long."""

IN_ASCII = {"µ": "u", "μ": "u", "±": "+-", "−": "-", "×": "x"}
"""What is written for letters that the terminal's encoding lacks and that have no plain form of their own."""


def write_in_any_encoding() -> None:
    """Let standard output and error write every text, "cm2/s" where their encoding lacks a letter of "cm²/s".

    Windows redirects into the code page of the country, and some of those have no µ and no ².
    """
    codecs.register_error("plainer", _plainer)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plainer")


def _plainer(error: UnicodeError) -> tuple[str, int]:
    """Return letters that cannot be encoded in their nearest plain form, "?" if they have none."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    plain = unicodedata.normalize("NFKD", "".join(IN_ASCII.get(letter, letter) for letter in lacking))
    return plain.encode("ascii", "replace").decode(), error.end


class TerminalOperator:
    """Asks the person at the terminal to turn what has no computer interface.

    Parameters
    ----------
    console : Console
        Where to ask.
    name : str
        Who is asked, for the record.
    """

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self._is_over = False
        self.name = name

    def stop_waiting(self) -> None:
        """Take a question that is open, or comes later, as declined: the run is to end (from any thread)."""
        self._is_over = True

    def require_somebody(self) -> None:
        """Raise InputError if there is no terminal to ask at."""
        if not sys.stdin.isatty():
            raise InputError(
                "The laser has no computer interface, and there is no terminal at which somebody could be asked to set "
                "it. Run in a terminal, or set it beforehand and pass --yes to declare that it is set."
            )

    def set_by_hand(self, what: str, quantities: Mapping[str, float]) -> None:
        """Print the request and wait for Enter; anything but Enter or "y" declines."""
        self.require_somebody()
        self._console.print(f"[bold]By hand:[/bold] {what}")
        for name, value in quantities.items():
            self._console.print(f"    {quantity_text(name, value)}")
        # A line of its own: what is drawn while a run is watched covers a line that has not ended.
        self._console.print("Press Enter when it is done, or n and Enter to stop.")
        if self._answer(what).strip().lower() not in ("", "y", "yes"):
            raise Aborted(f"the operator declined: {what}")

    def _answer(self, what: str) -> str:
        """Wait for a line; on Windows, whose console does not tell whether there is one, Ctrl-C needs Enter too."""
        end_s = time.monotonic() + PATIENCE_S
        while sys.platform != "win32" and not select.select([sys.stdin], [], [], ANSWER_POLL_S)[0]:
            if self._is_over:
                raise Aborted("the run was ended while the operator was asked")
            if time.monotonic() > end_s:
                raise Aborted(f"nobody answered within {PATIENCE_S / 60:g} minutes: {what}")
        return sys.stdin.readline()


class DeclaredOperator:
    """Declares everything as set: for `--yes`, when the knobs were turned beforehand."""

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self.name = f"{name} (--yes)"

    def set_by_hand(self, what: str, quantities: Mapping[str, float]) -> None:
        """Print the request and go on."""
        values = ", ".join(quantity_text(name, value) for name, value in quantities.items())
        self._console.print(f"Taken as done (--yes): {what} ({values})")


def tell(error: TplmError) -> int:
    """Say what ended a command: a message for people, a document for programs that asked for one; return the status."""
    ignore_signals()
    with suppress(OSError):
        print(f"tplm: {error}", file=sys.stderr)
        if "--json" in sys.argv:
            print(json.dumps({"error": error.to_dict(), "exit_status": error.exit_status}, indent=1))
            sys.stdout.flush()
    return error.exit_status


def misused(error: TyperException) -> InputError:
    """Return what to say about a command line that cannot be parsed."""
    text = error.format_message().strip().replace("Value error, ", "")
    if "unexpected extra argument" in text and "=" in text:
        text += ". Changes of a recipe are given as --set KEY=VALUE"
    command = getattr(getattr(error, "ctx", None), "command_path", "tplm")
    return InputError(f"{text}{'' if text.endswith(('.', '?')) else '.'} `{command} --help` says what there is.")


def refused(error: OSError) -> StoreError:
    """Return what to say about a file that the system refuses, such as standard output on a full disk."""
    if error.filename is not None:
        return StoreError(f"{error.filename}: {error.strerror}.")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return StoreError(f"the answer cannot be written ({error.strerror}). Make room, or send standard output elsewhere.")


def offer_recipes(incomplete: str) -> list[str]:
    """Return YAML files here and shipped recipes of measurements that begin like this."""
    return sorted({name for kind in ("scan", "series", "align") for name in _yaml_files(incomplete, kind)})


def offer_lattices(incomplete: str) -> list[str]:
    """Return YAML files here and shipped lattice recipes that begin like this."""
    return _yaml_files(incomplete, "kmc")


def offer_rigs(incomplete: str) -> list[str]:
    """Return YAML files here and shipped rig files that begin like this."""
    return _yaml_files(incomplete, "rig")


def offer_methods() -> list[str]:
    """Return the estimators."""
    from tplm_daq.recipes.analysis import AnalysisRecipe

    return list(get_args(AnalysisRecipe.model_fields["method"].annotation))


def offer_formats() -> list[str]:
    """Return the formats of `tplm export`."""
    from tplm_daq.store.export import FORMATS

    return list(FORMATS)


def _yaml_files(incomplete: str, kind: str) -> list[str]:
    from tplm_daq.recipes.load import shipped_configs

    folder = Path(incomplete) if incomplete.endswith(("/", os.sep)) else Path(incomplete).parent
    shipped = [f"configs/{path.name}" for path in shipped_configs().glob(f"{kind}_*.yaml")]
    return sorted({name for name in [*map(str, folder.glob("*.yaml")), *shipped] if name.startswith(incomplete)})

"""The terminal: what commands print, what ends them early, what the shell completes, and an operator to ask.

Nothing heavy is imported here, so that ``tplm --help`` answers at once.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from rich.console import Console
from rich.table import Table
from typer.exceptions import TyperException

from tplm_daq.errors import Aborted, InputError, StoreError, TplmError
from tplm_daq.interrupts import ignore_signals

if TYPE_CHECKING:
    from tplm_daq.analysis.pipeline import Result
    from tplm_daq.store.catalog import Catalogue
    from tplm_daq.workflow.check import CheckReport
    from tplm_daq.workflow.devices import DevicesReport
    from tplm_daq.workflow.outcome import ScanOutcome
    from tplm_daq.workflow.serve import Served


WIDE = 120
"""Columns of a terminal that has room for titles beside file names."""


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
        self.name = name

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
            self._console.print(f"    {name} = {value:g}")
        if self._console.input("Press Enter when it is done, or n to stop: ").strip().lower() not in ("", "y", "yes"):
            raise Aborted(f"the operator declined: {what}")


class DeclaredOperator:
    """Declares everything as set: for `--yes`, when the knobs were turned beforehand."""

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self.name = f"{name} (--yes)"

    def set_by_hand(self, what: str, quantities: Mapping[str, float]) -> None:
        """Print the request and go on."""
        values = ", ".join(f"{name} = {value:g}" for name, value in quantities.items())
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
    text = error.format_message().strip()
    command = getattr(getattr(error, "ctx", None), "command_path", "tplm")
    return InputError(f"{text}{'' if text.endswith(('.', '?')) else '.'} `{command} --help` says what there is.")


def refused(error: OSError) -> StoreError:
    """Return what to say about a file that the system refuses, such as standard output on a full disk."""
    if error.filename is not None:
        return StoreError(f"{error.filename}: {error.strerror}.")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return StoreError(f"the answer cannot be written ({error.strerror}). Make room, or send standard output elsewhere.")


def offer_recipes(incomplete: str) -> list[str]:
    """Return YAML files here and shipped scan recipes that begin like this."""
    return _yaml_files(incomplete, "scan")


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


def print_outcome(console: Console, outcome: ScanOutcome) -> None:
    """Print where the files are and D with its interval, beside the simulated truth if there is one."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("finished", f"{outcome.finish_reason.value}, {outcome.n_points} points in {outcome.wall_s:.1f} s")
    if outcome.error is not None:
        table.add_row("but" if outcome.finish_reason.value == "completed" else "because", str(outcome.error))
    table.add_row("run file", str(outcome.run_file))
    if outcome.report_file is not None:
        table.add_row("report", str(outcome.report_file))
    if outcome.result is not None:
        low, high = outcome.result.ci95_cm2_s
        d = outcome.result.diffusivity_cm2_s
        table.add_row(
            "D", f"[bold]{d:.5f}[/bold] cm²/s, 95 % interval {low:.5f} to {high:.5f} ({outcome.result.method})"
        )
    elif outcome.fit_error is not None:
        table.add_row("D", f"none: {outcome.fit_error}")
    if outcome.truth is not None:
        truth = outcome.truth["diffusivity_cm2_s"]
        table.add_row("truth", f"{truth:.5f} cm²/s (simulated sample)")
    console.print(table, highlight=False, soft_wrap=True)


def print_result(console: Console, result: Result) -> None:
    """Print the result of an analysis with its warnings."""
    low, high = result.ci95_cm2_s
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("method", result.method)
    table.add_row("D", f"[bold]{result.diffusivity_cm2_s:.5f}[/bold] cm²/s, 95 % interval {low:.5f} to {high:.5f}")
    table.add_row("systematic", f"{result.systematic_cm2_s:.5f} cm²/s")
    table.add_row("sigma0", f"{result.sigma0_nm:.1f} nm")
    table.add_row("centre", f"{result.centre_nm:.1f} nm")
    table.add_row("lifetime", f"{result.lifetime_ns:.3f} ns")
    table.add_row("bias lamp", result.bias_lamp)
    for text in result.corrections:
        table.add_row("corrected", text)
    for text in result.warnings:
        table.add_row("warning", text)
    console.print(table, highlight=False, soft_wrap=True)


def print_check(console: Console, report: CheckReport) -> None:
    """Print what a scan will do, take and give."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("scan", f"{report.title} on {report.rig}")
    table.add_row("points", f"{report.n_points}: {report.n_positions} positions, {report.n_passes} passes")
    table.add_row("step", f"{report.step_nm:.4g} nm")
    table.add_row("time", f"{_duration(report.time_s)}, of which {_duration(report.dwell_s)} counting")
    table.add_row("homing", f"up to {_duration(report.homing_s)} more if the actuators need it")
    for axis, (low_mm, high_mm) in report.travel_mm.items():
        table.add_row(f"actuator {axis}", f"{low_mm:.3f} to {high_mm:.3f} mm")
    table.add_row("delays", f"{report.n_bins} bins, {report.span_ns:g} of {report.period_ns:g} ns between pulses")
    if report.peak_cps is not None and report.counts_per_pulse is not None:
        table.add_row(
            "rate", f"{report.peak_cps:.3g} counts/s at the centre, {report.counts_per_pulse:.2%} of the pulses"
        )
    else:
        table.add_row("rate", "unknown; give optics.expected_rate in the rig file, such as 2 kcps/nW")
    for each in report.precision:
        table.add_row(f"D = {each.diffusivity_cm2_s:g} cm²/s", f"± {each.relative_standard_error:.2%} (standard error)")
    table.add_row("disk", f"{report.disk_mb:.3g} MB at most")
    table.add_row("dose", f"{report.dose_nj:.3g} nJ on the spot")
    for text in report.warnings:
        table.add_row("[yellow]warning[/yellow]", text)
    console.print(table, highlight=False)


def print_devices(console: Console, report: DevicesReport) -> None:
    """Print a line per device, and what to do about those that do not answer."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("role", "status", "who answered", "address"):
        table.add_column(name, overflow="fold")
    colours = {"ok": "green", "failed": "red", "manual": "yellow"}
    for row in report.devices:
        status = f"[{colours[row.status]}]{row.status}[/{colours[row.status]}]"
        table.add_row(row.role, status, row.identity or row.model, row.address)
    console.print(table, highlight=False)
    for row in report.devices:
        if row.status == "failed":
            console.print(f"{row.role}: {row.cause}. {row.advice}", highlight=False, soft_wrap=True)
    if report.n_failed and report.serial_ports:
        console.print("Serial ports of this computer:")
        for port in report.serial_ports:
            console.print(
                f"    {port.name}  {port.usb_id or ''}  {port.serial or ''}  {port.description}", highlight=False
            )


def print_served(served: Served, as_json: bool) -> None:
    """Print where the doubles are: one line of JSON, or a table."""
    document = served.to_dict()
    if as_json:
        print(json.dumps(document), flush=True)
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("device", "model", "VISA address", "pyserial URL", "device file"):
        table.add_column(name, no_wrap=True)
    for name, place in document["devices"].items():
        table.add_row(name, place["model"], place.get("address", ""), place.get("url", ""), place.get("pty", ""))
    console = Console()
    console.print(table, highlight=False)
    console.print(f"counter library and operator at {document['bench']}", highlight=False)


def print_catalogue(console: Console, catalogue: Catalogue) -> None:
    """Print a line per run, with its title where there is room for it, and what could not be read."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("file", overflow="fold")
    for name in ("D (cm²/s)", "power", "end", "title")[: 4 if console.width >= WIDE else 3]:
        table.add_column(name, no_wrap=True)
    for run in catalogue.runs:
        d = "" if run.diffusivity_cm2_s is None else f"{run.diffusivity_cm2_s:.4f}"
        if run.ci95_cm2_s is not None:
            d += f" ± {(run.ci95_cm2_s[1] - run.ci95_cm2_s[0]) / 2:.4f}"
        power = "" if run.average_power_nw is None else f"{run.average_power_nw:g} nW"
        row = (run.path.name, d, power, run.finish_reason or "cut short", run.title)
        table.add_row(*row[: len(table.columns)])
    console.print(table, highlight=False)
    for unreadable in catalogue.unreadable:
        console.print(f"not read: {unreadable.path.name}: {unreadable.reason}", highlight=False, soft_wrap=True)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _yaml_files(incomplete: str, kind: str) -> list[str]:
    from tplm_daq.recipes.load import shipped_configs

    folder = Path(incomplete) if incomplete.endswith(("/", os.sep)) else Path(incomplete).parent
    shipped = [f"configs/{path.name}" for path in shipped_configs().glob(f"{kind}_*.yaml")]
    return sorted({name for name in [*map(str, folder.glob("*.yaml")), *shipped] if name.startswith(incomplete)})
